"""A step recorded in two halves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from navicert.crypto.signer import MemorySigner, generate
from navicert.envelope.document import seal
from navicert.errors import Malformed, Refused
from navicert.record.recorder import World
from navicert.record.session import begin, finish
from navicert.resolve.artifact import ResolveOptions


@pytest.fixture(scope="module")
def signer() -> MemorySigner:
    return generate()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "in").write_text("in")
    return tmp_path


def world(root: Path, **options: object) -> World:
    return World(ResolveOptions(cwd=str(root), **options))  # type: ignore[arg-type]


@pytest.mark.parametrize("form", ["dsse", "metablock"])
def test_both_halves_make_one_link_in_the_form_that_was_begun(root, signer, form):
    begun = begin("review", materials=["in"], world=world(root))
    raw = seal(begun.link, signer, form=form)
    (root / "in").write_text("changed meanwhile")
    (root / "out").write_text("out")
    recording, sealed_form = finish(raw, signer.key, step="review", products=["out"], world=world(root))
    assert sealed_form == form
    assert recording.link.name == "review"
    assert recording.link.materials == begun.link.materials
    assert list(recording.link.products) == ["out"]
    assert recording.link.command == ()
    assert recording.link.byproducts == {}
    assert recording.link.environment == begun.link.environment


def test_excludes_of_both_halves_are_recorded_where_they_differ(root, signer):
    raw = seal(begin("review", materials=["in"], world=world(root)).link, signer)
    recording, _ = finish(raw, signer.key, step="review", world=world(root, excludes=("*.o",)))
    facts = recording.link.environment["navicert"]
    assert isinstance(facts, dict)
    assert facts["excludes"][0] == "*.link*"
    assert facts["product-excludes"] == ["*.o"]


def test_facts_of_either_half_are_kept(root, signer):
    bare = replace(world(root), note_excludes=False)
    raw = seal(begin("review", world=bare).link, signer)
    recording, _ = finish(raw, signer.key, step="review", world=replace(bare, run_id="r"))
    assert recording.link.environment == {"navicert": {"run-id": "r"}}


def test_an_unfinished_link_of_another_key_is_refused(root, signer):
    raw = seal(begin("review", materials=["in"], world=world(root)).link, generate())
    with pytest.raises(Refused, match="not signed with this key"):
        finish(raw, signer.key, step="review", world=world(root), path="half")


def test_an_unfinished_link_that_was_changed_is_refused(root, signer):
    raw = seal(begin("review", materials=["in"], world=world(root)).link, signer, form="metablock")
    with pytest.raises(Refused, match="not signed with this key"):
        finish(raw.replace(b'"in"', b'"no"'), signer.key, step="review", world=world(root))


def test_an_unfinished_link_of_another_step_is_refused(root, signer):
    raw = seal(begin("review", world=world(root)).link, signer)
    with pytest.raises(Refused, match="of another step"):
        finish(raw, signer.key, step="release", world=world(root))


def test_what_is_no_unfinished_link_is_refused(root, signer):
    with pytest.raises(Malformed):
        finish(b"{}", signer.key, step="review", world=world(root))


def test_warnings_of_each_half(root, signer):
    begun = begin("review", materials=["nothing"], world=world(root))
    assert len(begun.warnings) == 1
    recording, _ = finish(seal(begun.link, signer), signer.key, step="review", products=["nothing"], world=world(root))
    assert len(recording.warnings) == 1


def test_a_step_that_cannot_be_a_file_name_is_refused(root):
    with pytest.raises(Malformed, match="not a usable name"):
        begin("a/b", world=world(root))
