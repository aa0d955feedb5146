"""What is known of one step on a trail: by what its documents are found, and which of them are evidence for it."""

from __future__ import annotations

from dataclasses import replace

from navicert.envelope.document import seal
from navicert.model.link import Link
from navicert.model.rule import Side
from navicert.store import Piece
from navicert.store.hint import Hint, hint_of
from navicert.store.stage import Stage, coverage
from navicert.store.trait import Trait
from navicert.testing import artifacts, signer


def hint(step: str = "build") -> Hint:
    body = Link(step, materials=artifacts({"m": b"1"}), products=artifacts({"p": b"2", "q": b"3"}))
    return hint_of(Piece("here", seal(body, signer("bob"))))


def test_a_link_is_looked_up_by_both_sides_under_its_step() -> None:
    stage = Stage("build")
    assert dict(stage.traits()) == {Side.MATERIALS: Trait.MATERIAL, Side.PRODUCTS: Trait.PRODUCT}
    assert stage.label == "build"


def test_a_link_of_another_step_is_no_evidence_for_this_one() -> None:
    """Where it was filed says nothing: somebody may have put it there."""
    assert Stage("build").seen(hint("build")) is not None
    assert Stage("build").seen(hint("test")) is None
    assert Stage("build").seen(replace(hint("build"), names=())) is None


def test_coverage_counts_the_digests_of_each_side_apart() -> None:
    """A product that is looked for as a material is none."""
    found = hint()
    (material,) = found.materials
    products = sorted(found.products)
    assert coverage(found, {Side.MATERIALS: {material}, Side.PRODUCTS: set(products)}) == 3
    assert coverage(found, {Side.MATERIALS: set(products), Side.PRODUCTS: {material}}) == 0
    assert coverage(found, {Side.MATERIALS: set(), Side.PRODUCTS: {products[0]}}) == 1
