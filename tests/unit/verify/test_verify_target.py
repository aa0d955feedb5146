"""Binding a target: by digests or by text files that hold an id, all of it or nothing."""

from __future__ import annotations

import hashlib

import pytest

from navicert.testing import artifacts, file_target
from navicert.verdict import Outcome
from navicert.verify.case import Part, Revocations, Target
from navicert.verify.target import Products, is_bound, judge_revoked, judge_target, may_be_bound


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def products(**files: object) -> Products:
    """What a step made; names have `_` for `/` and their content is a text or digests."""
    named = {name.replace("_", "/"): v.encode() if isinstance(v, str) else v for name, v in files.items()}
    return Products("step build", artifacts(named))  # type: ignore[arg-type]


def part(label: str, *digests: str, path: str | None = None, text: str = "") -> Part:
    return Part(label, frozenset(sha(one) for one in digests), {sha(text): "id"} if text else {}, path)


IMAGE = Target("app", "image", (part("amd64", "A", text="id A"), part("arm64", "B", text="id B")), part("index", "I"))
FOLDER = Target("dist", "directory", (part("a", "1", path="a"), part("sub/b", "2", path="sub/b")))


def bound(target: Target, *offers: Products) -> bool:
    check = judge_target(target, offers, ())
    passes = check.outcome.passes
    assert passes == any(is_bound(target, offer) for offer in offers)
    digests = {digest for offer in offers for digest in offer.by_digest()}
    assert may_be_bound(target, digests) or not passes
    return passes


class TestFile:
    def test_is_bound_by_its_digest_under_any_name(self) -> None:
        assert bound(file_target(b"elf"), products(other_name="elf"))

    @pytest.mark.parametrize("made", [{}, {"app": "other"}, {"app": {}}, {"app": {"sha512": "0" * 128}}])
    def test_is_bound_by_nothing_else(self, made: dict[str, object]) -> None:
        assert not bound(file_target(b"elf"), products(**made))

    def test_is_bound_by_a_digest_in_any_letter_case(self) -> None:
        assert bound(file_target(b"elf"), products(app={"sha256": sha("elf").upper()}))

    def test_is_not_bound_by_a_value_that_is_no_sha256(self) -> None:
        assert not bound(file_target(b"elf"), products(app={"sha3_256": sha("elf")}))
        assert not bound(file_target(b"elf"), products(app={"blake2s": sha("elf")}))


class TestImage:
    @pytest.mark.parametrize(
        ("made", "expected"),
        [
            ({"x_index": "I"}, True),
            ({"x_1": "A", "x_2": "B"}, True),
            ({"x_1": "A"}, False),
            ({"x_2": "B", "x_3": "C"}, False),
            ({}, False),
            ({"one": "id A", "two": "id B"}, True),
            ({"one": "id A"}, False),
            # Part by content and part by text: two records of different things.
            ({"x_1": "A", "two": "id B"}, False),
        ],
    )
    def test_is_bound_by_its_index_or_by_every_platform(self, made: dict[str, object], expected: bool) -> None:
        assert bound(IMAGE, products(**made)) is expected

    def test_is_not_bound_by_two_steps_together(self) -> None:
        assert not bound(IMAGE, products(x="A"), products(y="B"))
        assert bound(IMAGE, products(x="A"), products(x="A", y="B"))

    def test_the_file_that_holds_the_id_is_named(self) -> None:
        check = judge_target(IMAGE, [products(one="id A", two="id B")], ())
        (found,) = [child for child in check.children if child.outcome.passes]
        assert found.id == "target.digest-file"
        assert "one, two" in found.reason


class TestFolder:
    @pytest.mark.parametrize(
        ("made", "expected"),
        [
            ({"a": "1", "sub_b": "2"}, True),
            ({"dist_a": "1", "dist_sub_b": "2"}, True),
            ({"dist_a": "1", "dist_sub_b": "2", "other": "3"}, True),
            ({"a": "1"}, False),
            ({"a": "2", "sub_b": "1"}, False),
            ({"dist_a": "1", "other_sub_b": "2"}, False),
            ({"dist_a": "1", "other_sub_b": "2", "other_a": "1"}, True),
            ({"xa": "1", "sub_b": "2"}, False),
            ({"sub_b": "2", "a": "x"}, False),
            ({}, False),
        ],
    )
    def test_is_bound_by_all_its_files_in_one_recorded_folder(self, made: dict[str, object], expected: bool) -> None:
        assert bound(FOLDER, products(**made)) is expected

    def test_two_files_that_changed_places_are_another_folder(self) -> None:
        swapped = Target("dist", "directory", (part("a", "2", path="a"), part("b", "1", path="b")))
        assert not bound(swapped, products(dist_a="1", dist_b="2"))

    def test_without_files_is_bound_by_nothing(self) -> None:
        assert not bound(Target("dist", "directory", ()), products(a="1"))

    def test_without_paths_is_bound_by_nothing(self) -> None:
        assert not bound(Target("dist", "directory", (part("a", "1"),)), products(a="1"))


class TestNothing:
    @pytest.mark.parametrize("target", [IMAGE, FOLDER, file_target(b"x"), Target("t", "image", ())])
    def test_binds_nothing(self, target: Target) -> None:
        check = judge_target(target, (), ())
        assert check.outcome is Outcome.FAIL
        assert "among the products of nothing" in check.reason

    def test_could_bind_a_target_without_parts(self) -> None:
        assert not may_be_bound(Target("t", "image", ()), {sha("A")})
        assert not may_be_bound(IMAGE, {sha("A")})
        assert may_be_bound(IMAGE, {sha("I")})
        assert may_be_bound(IMAGE, {sha("A"), sha("id B")})


def test_what_was_found_elsewhere_is_said() -> None:
    check = judge_target(
        file_target(b"elf"),
        [products(app="other")],
        [products(x="y"), Products("step old", artifacts({"app": b"elf"}))],
    )
    assert check.reason.endswith("; it is a product of step old")


def test_the_facts_say_what_was_wanted_and_what_was_offered() -> None:
    check = judge_target(IMAGE, [products(app="other")], ())
    assert f"amd64 sha256:{sha('A')}" in str(check.facts["digests"])
    assert sha("other") in str(check.facts["offered"])
    (missing,) = [child.facts["missing"] for child in check.children if child.id == "target.digest"]
    assert missing == ["amd64", "arm64"]


class TestRevoked:
    @pytest.mark.parametrize("which", ["A", "B", "I"])
    def test_any_digest_that_is_denied_refuses_the_whole(self, which: str) -> None:
        denied = Revocations(frozenset({f"sha256:{sha(which)}"}))
        check = judge_revoked(IMAGE, denied)
        assert check is not None
        assert check.outcome is Outcome.FAIL
        assert sha(which) in check.reason

    def test_others_do_not(self) -> None:
        assert judge_revoked(IMAGE, Revocations(frozenset({f"sha256:{sha('x')}"}))) is None
        assert judge_revoked(FOLDER, Revocations()) is None
