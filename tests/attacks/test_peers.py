"""Attacks that other verifiers of supply chains have met, each played on a layout, its links and its recording.

What is played elsewhere already stands in `ELSEWHERE`, as `attack: where`.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import threading
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from tests.checks import causes, misses
from tests.conftest import Component
from tests.proof import missing

from navicert.cli.main import main
from navicert.crypto.formats import load_signer
from navicert.crypto.signer import generate, private_pem
from navicert.envelope.document import seal
from navicert.errors import Malformed
from navicert.model.layout import Inspection
from navicert.resolve import resolve_all
from navicert.resolve.artifact import ResolveOptions
from navicert.store.directory import DirectoryStore
from navicert.strictjson import canonical
from navicert.testing import Chain, chain, file_target, key, signer
from navicert.verify.case import Policy

CASES: Final = "vectors/cases/"
ATTACKS: Final = "tests/attacks/"
ELSEWHERE: Final = {
    "the final file is swapped on the download server": CASES + "target-that-was-exchanged.json",
    "one stolen key where two people are required": CASES + "one-of-two.json",
    "files are altered between checkout and build": CASES + "match-of-a-changed-file.json",
    "an extra file is slipped into the package": CASES + "rule-disallow.json",
    "a file is brought along that was to be built": CASES + "rule-create-of-a-material.json",
    "a layout that was changed after signing": CASES + "layout-changed-after-signing.json",
    "a layout by a stranger": CASES + "layout-of-a-stranger.json",
    "an expired layout": CASES + "expired.json",
    "an older layout": ATTACKS + "test_rollback.py::test_a_layout_older_than_the_one_seen_last_is_refused",
    "a genuine link of another step": CASES + "link-of-another-step-renamed.json",
    "a sublayout by a stranger": CASES + "sublayout-of-a-stranger.json",
    "two who disagree counted as two": CASES + "links-that-disagree.json",
    "an attestation of another type": CASES + "statement-of-another-kind.json",
    "evidence without a signature": CASES + "link-without-signature.json",
    "a weak algorithm in common": CASES + "digests-that-are-weak.json",
    "digests of which one disagrees": CASES + "digests-of-which-one-differs.json",
    "steps that share nothing": CASES + "match-of-nothing.json",
    "a layout without steps": CASES + "no-steps.json",
    "a step that requires no evidence": CASES + "threshold-of-zero.json",
    "a negated class with another sign": CASES + "pattern-class-with-caret.json",
    "a bad copy behind a good one": ATTACKS
    + "test_pass_without_evidence.py::test_copies_of_a_link_under_other_names_neither_count_nor_crowd_out",
    "one platform of an image that no evidence covers": "tests/unit/verify/test_verify_target.py"
    "::TestImage::test_is_bound_by_its_index_or_by_every_platform",
    "a link out of the inspected folder": "tests/unit/record/test_inspector.py"
    "::test_a_link_that_leads_out_is_a_problem_and_not_a_way_out",
    "secrets in recorded output": ATTACKS + "test_recording.py::test_a_secret_is_not_signed_into_evidence",
    "a file that changes while it is hashed": ATTACKS
    + "test_recording.py::test_a_file_that_changes_while_it_is_hashed_is_an_error",
    "a verdict that depends on order": "tests/property/test_order_independence.py"
    "::test_the_whole_verdict_is_independent_of_the_order_of_evidence",
}


def test_what_is_played_elsewhere_exists() -> None:
    assert not missing(ELSEWHERE.values())


GOOD: Final = (
    chain()
    .step("source", by="ann", products=["CREATE src", "CREATE base", "DISALLOW *"])
    .step("test", by="tess", materials=["REQUIRE src", "MATCH src WITH PRODUCTS FROM source", "DISALLOW *"])
    .step(
        "build",
        by="bob",
        materials=["MATCH src WITH PRODUCTS FROM source", "MATCH base WITH PRODUCTS FROM source", "DISALLOW *"],
        products=["CREATE app", "DISALLOW *"],
    )
    .step(
        "scan",
        by="sam",
        materials=["REQUIRE app", "MATCH app WITH PRODUCTS FROM build", "DISALLOW *"],
        products=["CREATE report", "DISALLOW *"],
    )
    .link("source", products={"src": b"source", "base": b"base image"})
    .link("test", materials={"src": b"source"})
    .link("build", materials={"src": b"source", "base": b"base image"}, products={"app": b"elf"})
    .link("scan", materials={"app": b"elf"}, products={"report": b"no findings"})
)


def judged(mutant: Chain) -> list[str]:
    """What is in the way of `mutant`, which would pass without its one change."""
    target = file_target(b"elf")
    assert GOOD.verdict(target=target, target_step="build").passed
    return causes(mutant.verdict(target=target, target_step="build"))


# --- the chain -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["source", "test", "build", "scan"])
def test_a_step_that_was_left_out_is_missed(step: str) -> None:
    assert "step.threshold" in judged(GOOD.without(step))


def test_tests_that_ran_on_another_source_than_was_built() -> None:
    assert judged(GOOD.without("test").link("test", materials={"src": b"other"})) == ["rule.match-unsatisfied"]


def test_a_base_image_that_was_exchanged_behind_its_tag() -> None:
    other = GOOD.without("build").link(
        "build", materials={"src": b"source", "base": b"trojan"}, products={"app": b"elf"}
    )
    assert judged(other) == ["rule.match-unsatisfied"]


def test_a_dependency_that_nobody_listed() -> None:
    materials = {"src": b"source", "base": b"base image", "requets": b"typo"}
    other = GOOD.without("build").link("build", materials=materials, products={"app": b"elf"})
    assert judged(other) == ["rule.disallow"]


def test_a_signed_report_about_another_file() -> None:
    other = GOOD.without("scan").link("scan", materials={"app": b"clean"}, products={"report": b"no findings"})
    assert judged(other) == ["rule.match-unsatisfied"]


def test_a_report_about_nothing() -> None:
    assert judged(GOOD.without("scan").link("scan", products={"report": b"no findings"})) == ["rule.require"]


# --- who signed ----------------------------------------------------------------------------------------------------


def test_a_step_that_names_nobody_is_not_open_to_anybody() -> None:
    good = chain().step("test", by="bob").link("test")
    assert good.verdict().passed
    for who in ("bob", "owner"):
        assert causes(good.step("build", by=[]).link("build", by=who).verdict()) == ["step.threshold"]


def test_no_owner_is_not_any_owner() -> None:
    raw = GOOD.policy().sealed.raw
    for need in (None, 1):
        assert causes(GOOD.verdict(Policy.open(raw, [], need=need)))[0] == "layout.signature"
    with pytest.raises(Malformed):
        Policy.open(raw, [], need=0)


def test_a_signature_twice_is_one_signature() -> None:
    two = chain().step("build", by=["bob", "carl"], threshold=2)
    good = two.link("build", by=["bob", "carl"])
    assert good.verdict().passed
    for ids in (("bob", "bob"), ("bob", "carl")):
        raw = two.link("build", by="bob").filed[0].raw
        assert raw is not None
        envelope = json.loads(raw)
        (entry,) = envelope["signatures"]
        envelope["signatures"] = [{**entry, "keyid": signer(name).keyid} for name in ids]
        assert causes(two.file(json.dumps(envelope).encode(), "build").verdict()) == ["step.threshold"]


def test_one_ecdsa_key_in_two_spellings_counts_once() -> None:
    one = signer("bob", "ecdsa")
    two = chain().step("build", by=[one, "carl"], threshold=2).link("build", by=one)
    document = json.loads(json.dumps(two.layout().to_json()))
    spelled = json.loads(json.dumps(document["keys"][one.keyid]))
    spelled["keyval"]["public"] = spelled["keyval"]["public"].rstrip("\n") + "\n\n"
    spelled["keytype"] = spelled["scheme"]
    spelled["keyid"] = carl = signer("carl").keyid
    document["keys"][carl] = spelled
    owner = signer("owner")
    signature = {"keyid": owner.keyid, "sig": owner.sign(canonical(document)).hex()}
    raw = json.dumps({"signatures": [signature], "signed": document}).encode()
    link = two.filed[0].raw
    assert link is not None
    envelope = json.loads(link)
    envelope["signatures"][0]["keyid"] = carl
    forged = two.file(json.dumps(envelope).encode(), "build", carl)
    assert causes(forged.verdict(Policy.open(raw, [key("owner")]))) == ["step.threshold"]


def test_one_rsa_key_under_two_schemes_counts_once() -> None:
    pem = private_pem(generate("rsa", bits=2048), None)
    pss, pkcs1 = (load_signer(pem, scheme=scheme) for scheme in ("rsassa-pss-sha256", "rsa-pkcs1v15-sha256"))
    assert pss.keyid != pkcs1.keyid
    for second, enough in ((pkcs1, False), (signer("carl"), True)):
        two = chain().step("build", by=[pss, second], threshold=2).link("build", by=pss).link("build", by=second)
        assert two.verdict().passed == enough


@pytest.mark.parametrize("scheme", ["rsassa-pss-sha256", "ecdsa-sha2-nistp256", "ed448", "none", ""])
def test_a_scheme_that_is_not_that_of_the_key(scheme: str) -> None:
    good = chain().step("build", by="bob").link("build")
    layout = good.layout()
    keyid = signer("bob").keyid
    bad = dict(layout.keys[keyid]) | {"scheme": scheme}
    raw = seal(replace(layout, keys={keyid: bad}), signer("owner"))
    with pytest.raises(Malformed) as caught:
        good.verdict(Policy.open(raw, [key("owner")]))
    assert keyid in (caught.value.pointer or "")


@pytest.mark.parametrize(("form", "other"), [("dsse", "metablock"), ("metablock", "dsse")])
def test_a_signature_of_one_form_moved_to_the_other(form: str, other: str) -> None:
    step = chain().step("build", by="bob")
    links = {name: step.link("build", form=name).filed[0].raw for name in (form, other)}
    envelopes = {name: json.loads(raw or b"") for name, raw in links.items()}

    def value(entry: dict[str, str], name: str) -> bytes:
        return base64.b64decode(entry["sig"]) if name == "dsse" else bytes.fromhex(entry["sig"])

    assert step.file(links[other] or b"", "build").verdict().passed
    moved = value(envelopes[form]["signatures"][0], form)
    envelopes[other]["signatures"][0]["sig"] = base64.b64encode(moved).decode() if other == "dsse" else moved.hex()
    assert causes(step.file(json.dumps(envelopes[other]).encode(), "build").verdict()) == ["step.threshold"]


# --- on the machine ------------------------------------------------------------------------------------------------


def layout_in(folder: Path, good: Chain) -> list[str]:
    """The words that verify `good`, whose layout and evidence are written to `folder`."""
    (folder / "root.layout").write_bytes(good.policy().sealed.raw)
    (folder / "owner.pub").write_bytes(key("owner").public_pem())
    store = DirectoryStore(str(folder / "evidence"))
    store.prepare()
    for piece in good.filed:
        store.put(piece.step_hint or "", signer("bob").keyid, piece.raw or b"")
    where = ["--layout", str(folder / "root.layout"), "--owner", str(folder / "owner.pub")]
    return ["verify", *where, "--store", str(folder / "evidence"), "--at", "2026-01-01T00:00:00Z", "-q"]


def test_no_evidence_is_no_success(tmp_path: Path) -> None:
    good = chain().step("build", by="bob").link("build")
    assert main(layout_in(tmp_path, good)) == 0
    (evidence,) = (tmp_path / "evidence").iterdir()
    evidence.unlink()
    assert main(layout_in(tmp_path, good.having(filed=()))) == 1


def test_the_command_of_an_inspection_runs_only_where_somebody_asked_for_it(tmp_path: Path) -> None:
    proof = tmp_path / "ran"
    look = Inspection("look", ("touch", str(proof)))
    good = chain().step("build", by="bob").link("build").having(inspections=(look,))
    words = layout_in(tmp_path, good)
    assert main(words) == 3
    assert not proof.exists()
    (tmp_path / "release").mkdir()
    assert main([*words, "--inspect-from", str(tmp_path / "release")]) == 0
    assert proof.exists()


@pytest.mark.parametrize("planted", [".", "", "bin"])
def test_a_git_that_was_planted_in_the_tree_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, component: Component, planted: str
) -> None:
    component("git")
    repository = tmp_path / "repo"
    (repository / "bin").mkdir(parents=True)
    who = ("-c", "user.name=a", "-c", "user.email=a@b")
    subprocess.run(["git", "init", "-q", repository], check=True)
    (repository / "a").write_text("a")
    subprocess.run(["git", "-C", repository, "add", "a"], check=True)
    subprocess.run(["git", "-C", repository, *who, "commit", "-q", "-m", "one"], check=True)
    proof = tmp_path / "ran"
    for folder in (repository, repository / "bin", tmp_path):
        (folder / "git").write_text(f'#!/bin/sh\ntouch {proof}\nexec {shutil.which("git")} "$@"\n')
        (folder / "git").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", os.pathsep.join([planted, os.environ["PATH"]]))
    assert resolve_all(["git:repo"], ResolveOptions(cwd=str(tmp_path))).artifacts
    assert not proof.exists()


def test_recorders_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    store = DirectoryStore(str(tmp_path))
    people = [f"p{number}" for number in range(16)]
    crowd = chain().step("build", by=people, threshold=len(people))
    links = [(name, crowd.link("build", by=name, products={"app": b"elf"}).filed[0].raw) for name in people]
    start = threading.Barrier(len(links))

    def write(name: str, raw: bytes) -> None:
        start.wait()
        store.put("build", signer(name).keyid, raw)

    threads = [threading.Thread(target=write, args=(name, raw or b"")) for name, raw in links]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert crowd.having(filed=tuple(store.pieces())).verdict().passed
    assert misses(crowd.having(filed=tuple(store.pieces())).verdict()) == []
