"""Materials that must be what somebody signed as products."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from navicert.crypto.signer import MemorySigner, generate
from navicert.digest import DigestSet
from navicert.envelope.document import seal
from navicert.errors import Refused
from navicert.model.link import Link
from navicert.record.expectation import Expectation, MaterialMismatch, expect
from navicert.record.process import NOWHERE, Wires
from navicert.record.recorder import World, record
from navicert.resolve.artifact import ResolveOptions
from navicert.store import Piece


def digest(text: str) -> DigestSet:
    return DigestSet.of({"sha256": hashlib.sha256(text.encode()).hexdigest()})


@pytest.fixture(scope="module")
def bob() -> MemorySigner:
    return generate()


def link(signer: MemorySigner, name: str = "checkout", **products: str) -> Piece:
    body = Link(name, products={path: digest(content) for path, content in products.items()})
    return Piece(f"{name}.link", seal(body, signer))


def test_equal_materials_pass_and_products_that_are_none_are_counted(bob):
    expectation = expect([link(bob, a="1", b="2", c="3")], [bob.key])
    assert expectation.compare({"a": digest("1")}) == ("expected products that are not among the materials: 2",)
    assert expectation.compare({"a": digest("1"), "b": digest("2"), "c": digest("3")}) == ()


def test_a_changed_material_names_path_expected_and_actual(bob):
    expectation = expect([link(bob, a="1")], [bob.key])
    with pytest.raises(MaterialMismatch) as caught:
        expectation.compare({"a": digest("other")})
    (difference,) = caught.value.differences
    assert (difference.name, difference.expected, difference.actual) == ("a", digest("1"), digest("other"))
    assert f"a: expected {digest('1')}, got {digest('other')}" in str(caught.value)


def test_a_material_that_nobody_made_is_a_mismatch(bob):
    expectation = expect([link(bob, a="1")], [bob.key])
    with pytest.raises(MaterialMismatch, match="evil: not a product of any link signed by the given keys"):
        expectation.compare({"a": digest("1"), "evil": digest("x")})


def test_digests_without_a_common_algorithm_do_not_agree(bob):
    expectation = expect([link(bob, a="1")], [bob.key])
    with pytest.raises(MaterialMismatch):
        expectation.compare({"a": DigestSet.of({"sha512": hashlib.sha512(b"1").hexdigest()})})


def test_nothing_to_compare_is_no_success(bob):
    with pytest.raises(Refused, match="no materials"):
        expect([link(bob, a="1")], [bob.key]).compare({})


def test_a_link_of_a_stranger_sets_no_expectation(bob):
    with pytest.raises(Refused, match="not signed by any of the given keys"):
        expect([link(generate(), a="1")], [bob.key])


def test_a_link_of_a_stranger_beside_others_is_left_out_unless_it_was_named(bob):
    pieces = [link(bob, a="1"), link(generate(), "evil", a="evil")]
    assert expect(pieces, [bob.key]).products == {"a": digest("1")}
    with pytest.raises(Refused, match=r"evil\.link: not signed"):
        expect(pieces, [bob.key], named=["evil.link"])


@pytest.mark.parametrize(
    ("piece", "reason"),
    [
        (Piece("x", None, "cannot be read: io error"), "cannot be read"),
        (Piece("x", b"junk"), "not JSON"),
        (Piece("x", b"{}", scope=("sub.01234567",)), "belongs to a sublayout"),
    ],
)
def test_what_is_no_signed_link_sets_no_expectation(bob, piece, reason):
    with pytest.raises(Refused, match=reason):
        expect([piece], [bob.key])


def test_links_without_products_set_no_expectation(bob):
    with pytest.raises(Refused, match="nothing to compare with"):
        expect([link(bob)], [bob.key])


def test_links_that_disagree_about_a_material_are_refused(bob):
    expectation = expect([link(bob, "one", a="1", b="2"), link(bob, "two", a="other", b="2")], [bob.key])
    assert expectation.compare({"b": digest("2")})
    with pytest.raises(Refused, match=r"a: two signed links .*one\.link and two\.link"):
        expectation.compare({"a": digest("1")})


def test_many_differences_are_bounded():
    expectation = Expectation({"x": digest("x")})
    with pytest.raises(MaterialMismatch, match=r"100 materials.*and 80 more"):
        expectation.compare({f"{i:03}": digest("y") for i in range(100)})


def test_the_command_is_not_started_on_a_mismatch(bob, tmp_path: Path):
    (tmp_path / "a").write_text("tampered")
    world = World(
        ResolveOptions(cwd=str(tmp_path)),
        wires=Wires(stdout=NOWHERE),
        expectation=expect([link(bob, a="1")], [bob.key]),
    )
    with pytest.raises(MaterialMismatch):
        record("build", ["touch", str(tmp_path / "ran")], materials=["a"], world=world)
    assert not (tmp_path / "ran").exists()
