"""The twins that tests of other programs use: real documents, real signatures, the same bytes everywhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.openpgp_builder import PgpSigner, pgp, public

from navicert.errors import Malformed
from navicert.model.layout import Inspection
from navicert.testing import MemoryInspector, MemoryStore, chain, file_target, key, signer

GOOD = (
    chain()
    .step("build", by="bob", materials=["ALLOW src/*", "DISALLOW *"], products=["CREATE app", "DISALLOW *"])
    .link("build", materials={"src/main.c": b"int main;"}, products={"app": b"elf"})
)


def test_a_chain_is_judged_for_real() -> None:
    assert GOOD.verdict(target=file_target(b"elf")).passed
    assert not GOOD.verdict(target=file_target(b"other")).passed
    assert not GOOD.without("build").verdict().passed


def test_a_chain_is_left_as_it_was() -> None:
    GOOD.without("build")
    GOOD.link("build", by="mallory")
    assert [piece.step_hint for piece in GOOD.filed] == ["build"]


def test_names_give_the_same_keys_and_bytes_everywhere() -> None:
    assert key("bob").id == "d54fbbdb3251278402e81a2460dcc901f91210b765a7639efe31a3ddd2eb277e"
    assert key("bob") == signer("bob").key
    assert key("bob") != key("carl")
    assert signer("bob", "ecdsa").key == signer("bob", "ecdsa").key
    assert signer("bob", "ecdsa").key.keytype == "ecdsa"
    again = GOOD.without("build").link("build", materials={"src/main.c": b"int main;"}, products={"app": b"elf"})
    assert again.filed == GOOD.filed
    assert again.policy().sealed.raw == GOOD.policy().sealed.raw


def test_a_sublayout_brings_its_evidence_in_the_folder_that_belongs_to_it() -> None:
    outer = chain().step("all", by="carl").sublayout("all", GOOD)
    folder = f"all.{key('carl').id[:8]}"
    assert [(piece.step_hint, piece.scope) for piece in outer.filed] == [("all", ()), ("build", (folder,))]
    assert outer.verdict().passed
    assert outer.without("all").filed == ()


def test_the_same_name_twice_stays_two_files() -> None:
    origins = [piece.origin for piece in GOOD.link("build", products={"app": b"else"}).filed]
    assert origins == [f"build.{key('bob').id[:8]}.link", f"build.{key('bob').id[:8]}.link#2"]


def test_an_inspection_without_a_result_is_a_problem() -> None:
    inspector = MemoryInspector({})
    assert inspector.inspect(Inspection("scan")).problem
    assert inspector.ran == ["scan"]
    inspected = GOOD.inspection("scan")
    assert not inspected.verdict().passed
    assert inspected.finds("scan").verdict().passed
    assert not inspected.finds("scan", return_value=1).verdict().passed


def test_a_memory_store_keeps_one_document_for_each_name() -> None:
    store = MemoryStore()
    assert store.put("build", "d54fbbdb", b"old") == "build.d54fbbdb.link"
    store.put("build", "d54fbbdb", b"new")
    store.put("test", "d54fbbdb", b"other")
    assert [(piece.step_hint, piece.raw) for piece in store.pieces()] == [("build", b"new"), ("test", b"other")]
    with pytest.raises(Malformed):
        store.put("../build", "d54fbbdb", b"")


def test_the_example_of_the_documentation_is_true() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "reference" / "api.md"
    examples = re.findall(r"^```python\n(from navicert\.testing .*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    assert len(examples) == 2
    for example in examples:
        exec(example, {})


def test_a_chain_takes_gpg_keys_and_their_subkeys() -> None:
    key = public(pgp("master"), pgp("sub"))
    bob = PgpSigner(pgp("sub"), key)
    good = chain().having(form="metablock").step("build", by=bob).link("build")
    assert good.verdict().passed
    assert not good.having(filed=()).link("build", by="eve").verdict().passed
