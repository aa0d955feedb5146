"""Artifact rules: one class for each sentence of the specification, over random rules and records.

Spec: in-toto v1.0 §4.3.3 (what each rule consumes), §5.3 (the queue). `tests/naive_judge.py` is written from these
sentences and from nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from fnmatch import fnmatchcase

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests import naive_judge

from navicert.digest import DigestSet
from navicert.model.artifact import Artifacts
from navicert.model.rule import Rule, Side
from navicert.testing import artifacts, rules
from navicert.verify.pattern import Pattern
from navicert.verify.rules import Application, Record, apply_rules

PATHS = ("app", "a/app", "a/b/app", "lib.so", "a/lib.so", "a", "[x]", "*", "é")
PATTERNS = ("*", "app", "a/*", "*.so", "?", "a/?*", "[ax]", "[!a]*", "[[]x]", "[x]", "*app", "a/b/app", "", "**", "é")


def _sha(algorithm: str, body: str) -> str:
    return hashlib.new(algorithm, body.encode()).hexdigest()


digest_sets = st.sampled_from(
    [
        {"sha256": _sha("sha256", "one")},
        {"sha256": _sha("sha256", "two")},
        {"sha256": _sha("sha256", "one").upper()},
        {"sha512": _sha("sha512", "one")},
        {"sha256": _sha("sha256", "one"), "sha512": _sha("sha512", "one")},
        {"sha256": _sha("sha256", "one"), "sha512": _sha("sha512", "two")},
        {"sha256": _sha("sha256", "one"), "md5": "00"},
        {"md5": "00"},
        {"gitCommit": "a" * 40},
        {},
    ]
)
files = st.dictionaries(st.sampled_from(PATHS), digest_sets, max_size=6)
patterns = st.sampled_from(PATTERNS)
prefixes = st.sampled_from(["a", "a/", "a/b", "b", "*"])
steps = st.sampled_from(["one", "two", "typo"])
plain = st.tuples(st.sampled_from(["CREATE", "DELETE", "MODIFY", "ALLOW", "DISALLOW"]), patterns).map(list)
require = st.sampled_from(PATHS).map(lambda path: ["REQUIRE", path])
matches = st.builds(
    lambda pattern, source, side, dest, step: [
        "MATCH",
        pattern,
        *(["IN", source] if source else []),
        "WITH",
        side,
        *(["IN", dest] if dest else []),
        "FROM",
        step,
    ],
    patterns,
    st.none() | prefixes,
    st.sampled_from(["MATERIALS", "PRODUCTS"]),
    st.none() | prefixes,
    steps,
)
rule_lists = st.lists(plain | require | matches, max_size=6)
reports = st.builds(naive_judge.Report, files, files)
sides = st.sampled_from(list(Side))


def record_of(report: naive_judge.Report) -> Record:
    return Record(artifacts(report.materials), artifacts(report.products))


def applied(
    lines: list[list[str]],
    side: Side,
    own: naive_judge.Report,
    others: Mapping[str, naive_judge.Report] | None = None,
    *,
    strong: bool = True,
) -> tuple[Application, ...]:
    records = {name: record_of(report) for name, report in (others or {}).items()}
    return apply_rules(rules(lines), side, record_of(own), records.get, strong=strong)


class TestAllRules:
    """The whole queue, rule after rule, against the naive judge."""

    @given(rule_lists, sides, reports, reports, reports, st.booleans())
    def test_consume_and_refuse_what_the_specification_says(
        self,
        lines: list[list[str]],
        side: Side,
        own: naive_judge.Report,
        one: naive_judge.Report,
        two: naive_judge.Report,
        strong: bool,
    ) -> None:
        others = {"one": one, "two": two}
        expected = naive_judge.judge_rules(lines, side.value, own, others, strong=strong)
        actual = applied(lines, side, own, others, strong=strong)
        assert len(actual) == len(lines)
        for index, taken in enumerate(expected.consumed):
            assert set(actual[index].consumed) == taken
            assert not actual[index].offending
        failing = next((a for a in actual if a.offending), None)
        if expected.failed is None:
            assert failing is None
            assert {m.path for a in actual for m in a.mismatches} == expected.mismatched
        else:
            assert failing is not None
            assert (failing.index, set(failing.offending)) == expected.failed

    @given(rule_lists, sides, reports, reports)
    def test_never_consume_one_artifact_twice(
        self, lines: list[list[str]], side: Side, own: naive_judge.Report, one: naive_judge.Report
    ) -> None:
        taken = [path for a in applied(lines, side, own, {"one": one}) for path in a.consumed]
        assert len(taken) == len(set(taken))
        assert set(taken) <= set(own.list(side.value))


class TestQueue:
    """All artifacts start in the queue; what no rule consumes is allowed at the end."""

    @given(sides, reports)
    def test_without_rules_everything_is_allowed(self, side: Side, own: naive_judge.Report) -> None:
        assert applied([], side, own) == ()

    @given(sides, reports)
    def test_a_final_disallow_of_everything_finds_everything(self, side: Side, own: naive_judge.Report) -> None:
        (application,) = applied([["DISALLOW", "*"]], side, own)
        assert set(application.offending) == set(own.list(side.value))

    @given(rule_lists, sides, reports)
    def test_after_allow_of_everything_nothing_is_left(
        self, lines: list[list[str]], side: Side, own: naive_judge.Report
    ) -> None:
        *_, last = applied([*lines, ["ALLOW", "*"], ["DISALLOW", "*"]], side, own)
        assert not last.offending

    @given(rule_lists, sides, reports)
    def test_rules_are_applied_in_their_order(
        self, lines: list[list[str]], side: Side, own: naive_judge.Report
    ) -> None:
        first = [["ALLOW", "*"], *lines]
        for application in applied(first, side, own)[1:]:
            assert not application.consumed


class TestCreate:
    """CREATE consumes products that are no materials."""

    @given(patterns, sides, reports)
    def test_consumes_what_is_new(self, pattern: str, side: Side, own: naive_judge.Report) -> None:
        (application,) = applied([["CREATE", pattern]], side, own)
        new = own.products.keys() - own.materials.keys()
        assert set(application.consumed) == {
            path for path in own.list(side.value) if path in new and fnmatchcase(path, pattern)
        }

    @given(patterns, reports)
    def test_consumes_no_material(self, pattern: str, own: naive_judge.Report) -> None:
        (application,) = applied([["CREATE", pattern]], Side.MATERIALS, own)
        assert not application.consumed


class TestDelete:
    """DELETE consumes materials that are no products."""

    @given(patterns, reports)
    def test_consumes_what_is_gone(self, pattern: str, own: naive_judge.Report) -> None:
        (application,) = applied([["DELETE", pattern]], Side.MATERIALS, own)
        gone = own.materials.keys() - own.products.keys()
        assert set(application.consumed) == {path for path in gone if fnmatchcase(path, pattern)}

    @given(patterns, reports)
    def test_consumes_no_product(self, pattern: str, own: naive_judge.Report) -> None:
        (application,) = applied([["DELETE", pattern]], Side.PRODUCTS, own)
        assert not application.consumed


class TestModify:
    """MODIFY consumes what is material and product, and certainly not the same."""

    @given(patterns, sides, reports)
    def test_consumes_what_has_changed(self, pattern: str, side: Side, own: naive_judge.Report) -> None:
        (application,) = applied([["MODIFY", pattern]], side, own)
        for path in application.consumed:
            assert naive_judge.surely_different(own.materials[path], own.products[path])

    def test_a_change_of_algorithms_is_no_change_of_content(self) -> None:
        own = naive_judge.Report({"app": {"sha256": "0" * 64}}, {"app": {"sha512": "0" * 128}})
        (application,) = applied([["MODIFY", "app"]], Side.PRODUCTS, own)
        assert not application.consumed

    def test_in_upstream_a_change_of_algorithms_is_a_change(self) -> None:
        own = naive_judge.Report({"app": {"sha256": "0" * 64}}, {"app": {"sha512": "0" * 128}})
        (application,) = applied([["MODIFY", "app"]], Side.PRODUCTS, own, strong=False)
        assert application.consumed == ("app",)


class TestAllowAndDisallow:
    """ALLOW consumes what its pattern matches; DISALLOW fails for what it matches and is still there."""

    @given(patterns, sides, reports)
    def test_what_is_allowed_is_what_would_be_disallowed(
        self, pattern: str, side: Side, own: naive_judge.Report
    ) -> None:
        (allow,) = applied([["ALLOW", pattern]], side, own)
        (disallow,) = applied([["DISALLOW", pattern]], side, own)
        assert allow.consumed == disallow.offending

    @given(patterns, sides, reports)
    def test_what_was_consumed_before_is_not_disallowed(
        self, pattern: str, side: Side, own: naive_judge.Report
    ) -> None:
        _, disallow = applied([["ALLOW", pattern], ["DISALLOW", pattern]], side, own)
        assert not disallow.offending


class TestRequire:
    """REQUIRE fails unless the artifact of exactly this name is still in the queue; it consumes nothing."""

    @given(st.sampled_from(PATHS), sides, reports)
    def test_is_a_literal_name(self, path: str, side: Side, own: naive_judge.Report) -> None:
        (application,) = applied([["REQUIRE", path]], side, own)
        assert bool(application.offending) == (path not in own.list(side.value))
        assert not application.consumed

    @given(st.sampled_from(PATHS), sides, reports)
    def test_fails_for_what_an_earlier_rule_consumed(self, path: str, side: Side, own: naive_judge.Report) -> None:
        _, application = applied([["ALLOW", "*"], ["REQUIRE", path]], side, own)
        assert application.offending == (path,)


class TestMatch:
    """MATCH consumes what the named step reports under the same path with the same digests."""

    @given(patterns, sides, reports)
    def test_of_a_step_with_itself_consumes_all_that_has_a_digest_that_decides(
        self, pattern: str, side: Side, own: naive_judge.Report
    ) -> None:
        line = ["MATCH", pattern, "WITH", side.value, "FROM", "one"]
        (application,) = applied([line], side, own, {"one": own})
        mine = own.list(side.value)
        assert set(application.consumed) == {
            path for path in mine if fnmatchcase(path, pattern) and naive_judge.surely_same(mine[path], mine[path])
        }

    @given(matches, sides, reports)
    def test_from_a_step_that_is_not_there_consumes_nothing(
        self, line: list[str], side: Side, own: naive_judge.Report
    ) -> None:
        (application,) = applied([line], side, own, {})
        assert not application.consumed
        assert not application.mismatches

    @given(sides)
    def test_never_matches_two_empty_digest_sets(self, side: Side) -> None:
        own = naive_judge.Report({"app": {}}, {"app": {}})
        (application,) = applied([["MATCH", "*", "WITH", "PRODUCTS", "FROM", "one"]], side, own, {"one": own})
        assert not application.consumed

    @pytest.mark.parametrize("prefix", ["a", "a/", "a\\"])
    def test_a_prefix_is_a_folder_with_or_without_its_slash(self, prefix: str) -> None:
        own = naive_judge.Report({"a/app": {"sha256": "0" * 64}, "ab": {"sha256": "0" * 64}}, {})
        one = naive_judge.Report({}, {"app": {"sha256": "0" * 64}, "b": {"sha256": "0" * 64}})
        line = ["MATCH", "*", "IN", prefix, "WITH", "PRODUCTS", "FROM", "one"]
        (application,) = applied([line], Side.MATERIALS, own, {"one": one})
        assert application.consumed == ("a/app",)

    def test_a_mismatch_that_a_later_rule_consumes_is_none(self) -> None:
        own = naive_judge.Report({"app": {"sha256": "0" * 64}}, {})
        one = naive_judge.Report({"app": {"sha256": "0" * 64}}, {"app": {"sha256": "1" * 64}})
        products = ["MATCH", "*", "WITH", "PRODUCTS", "FROM", "one"]
        materials = ["MATCH", "*", "WITH", "MATERIALS", "FROM", "one"]
        first, second = applied([products, materials], Side.MATERIALS, own, {"one": one})
        assert not first.mismatches
        assert second.consumed == ("app",)
        (alone,) = applied([products], Side.MATERIALS, own, {"one": one})
        assert [m.path for m in alone.mismatches] == ["app"]


class TestPattern:
    """Patterns are those of Python's fnmatch, on whole paths and in both cases of letters."""

    alphabet = st.sampled_from("ab/[]!^-*?.&~|\\\n\U0010ffffé")

    @given(st.text(alphabet, max_size=8), st.lists(st.text(alphabet, max_size=8), max_size=8))
    @example("a", ["a", "a\U0010ffff", "ab"])
    @example("a*", ["a", "a\U0010ffff", "a\U0010ffff\U0010ffff", "b"])
    @example("*a", ["a", "\U0010ffffa", "ab", "ba"])
    @example("a*a", ["a", "aa", "aba", "ab"])
    def test_selects_what_fnmatch_selects(self, text: str, paths: list[str]) -> None:
        pattern, ordered = Pattern(text), sorted(set(paths))
        expected = [path for path in ordered if fnmatchcase(path, text)]
        assert list(pattern.select(Artifacts(dict.fromkeys(reversed(ordered), "0"), plain=True))) == expected
        assert [path for path in ordered if pattern.matches(path)] == expected

    def test_does_not_go_back_and_forth_for_ever(self) -> None:
        assert not Pattern("*a" * 60 + "b").matches("a" * 4000)


class TestComparison:
    """Two artifacts are the same by at least one common strong digest, with all common ones equal."""

    @given(digest_sets, digest_sets)
    def test_is_symmetric_and_says_same_or_different_or_neither(
        self, left: dict[str, str], right: dict[str, str]
    ) -> None:
        one, other = DigestSet.of(left), DigestSet.of(right)
        assert one.agrees(other) == other.agrees(one) == naive_judge.surely_same(left, right)
        assert one.differs(other) == other.differs(one) == naive_judge.surely_different(left, right)
        assert not (one.agrees(other) and one.differs(other))


@given(rule_lists)
def test_rules_are_read_back_from_what_they_are_packed_into(lines: list[list[str]]) -> None:
    assert [Rule.parse(rule.pack()) for rule in rules(lines)] == list(rules(lines))
