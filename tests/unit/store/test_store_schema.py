"""The index of databases: numbers that follow from documents, hints and nothing more."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navicert.digest import DigestSet
from navicert.envelope.document import seal
from navicert.errors import Refused
from navicert.model.link import Link
from navicert.store.hint import read_hint
from navicert.store.schema import (
    NO_STEP,
    VERSION,
    document_marks,
    filing_marks,
    number,
    refuse_newer,
    statements,
    step_number,
)
from navicert.store.trait import Trait
from navicert.testing import chain, signer


def link(step: str, product: str = "ab" * 32) -> bytes:
    return seal(Link(step, products={"app": DigestSet.of({"sha256": product})}), signer("bob"))


@given(st.text())
def test_every_text_has_a_number_that_a_database_can_count(text: str) -> None:
    assert -(2**63) <= number(text) < 2**63
    assert number(text) == number(text)


def test_a_digest_is_its_own_number_and_what_only_looks_like_one_is_not() -> None:
    low, high = "sha256:" + "0" * 64, "sha256:" + "f" * 64
    assert (number(low), number(high)) == (-(2**63), 2**63 - 1)
    assert number("sha256:" + "g" * 64) != number("sha256:" + "h" * 64)
    assert number("sha256:" + "0" * 16 + "x" * 48) == -(2**63)  # two texts may share one: a hint, read again


def test_no_step_is_no_step_s_number() -> None:
    assert step_number("") == NO_STEP
    assert step_number("build") != NO_STEP


def test_the_marks_of_a_document_are_of_the_step_that_it_says() -> None:
    marks = list(document_marks(read_hint(link("build")), 7))
    assert {step for _, _, step, _ in marks} == {step_number("build")}
    assert {document for *_, document in marks} == {7}
    assert (Trait.PRODUCT, number("sha256:" + "ab" * 32), step_number("build"), 7) in marks
    assert len(marks) == len(set(marks))


def test_the_marks_of_a_bundle_are_those_of_each_document_in_it() -> None:
    lines = link("build") + b"\n" + link("test", "cd" * 32) + b"\n" + link("build") + b"\n"
    marks = list(document_marks(read_hint(lines), 7))
    assert len(marks) == len(set(marks))
    assert (Trait.PRODUCT, number("sha256:" + "cd" * 32), step_number("test"), 7) in marks
    assert (Trait.PRODUCT, number("sha256:" + "cd" * 32), step_number("build"), 7) not in marks
    alone = set(document_marks(read_hint(link("build")), 7)) | set(
        document_marks(read_hint(link("test", "cd" * 32)), 7)
    )
    assert set(marks) == alone


def test_where_it_is_filed_is_marked_as_no_word_of_its_own() -> None:
    hint = read_hint(link("build"))
    assert list(filing_marks(hint, 7, "build")) == []
    assert list(filing_marks(hint, 7, "")) == []
    assert list(filing_marks(hint, 7, "other")) == [(Trait.FILED, number("other"), NO_STEP, 7)]


def test_a_layout_is_marked_for_the_step_that_it_may_stand_for_in_a_bundle_too() -> None:
    layout = seal(chain().step("a", by="bob").layout(), signer("ann"))
    bundle = {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"publicKey": {}},
        "dsseEnvelope": json.loads(layout),
    }
    for raw in (layout, json.dumps(bundle).encode()):
        traits = {trait for trait, *_ in filing_marks(read_hint(raw), 7, "make")}
        assert traits == {Trait.FILED, Trait.SUBLAYOUT}


def test_a_schema_that_is_newer_is_left_alone() -> None:
    for known in range(VERSION + 1):
        refuse_newer(known, "here")
    with pytest.raises(Refused, match="newer Navicert"):
        refuse_newer(VERSION + 1, "here")


def test_statements_are_run_one_by_one() -> None:
    assert statements("CREATE TABLE a ({x});\n\nCREATE TABLE b;\n", {"x": "y INTEGER"}) == [
        "CREATE TABLE a (y INTEGER)",
        "CREATE TABLE b",
    ]
