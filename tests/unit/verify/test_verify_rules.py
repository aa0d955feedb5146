"""Small parts of the rule engine; its laws are in tests/property/test_rule_queue_laws.py."""

from __future__ import annotations

import pytest

from navicert.model.rule import Rule, RuleKind, Side
from navicert.testing import artifacts, rules
from navicert.verify.rules import Record, apply_rules, ends_closed, sources


def nothing(step: str) -> Record | None:
    """No step to match against."""
    return None


@pytest.mark.parametrize(
    ("lines", "closed"),
    [
        ([], False),
        (["DISALLOW *"], True),
        (["ALLOW a", "DISALLOW *"], True),
        (["DISALLOW **"], True),
        (["DISALLOW *", "ALLOW *"], False),
        (["DISALLOW a*"], False),
        (["ALLOW *"], False),
        ([["DISALLOW", ""]], False),
    ],
)
def test_rules_end_closed_when_nothing_can_be_left(lines, closed: bool) -> None:
    assert ends_closed(rules(lines)) is closed


def test_sources_are_the_steps_that_are_matched_against() -> None:
    lines = ["MATCH a WITH PRODUCTS FROM one", "ALLOW *", "MATCH b WITH MATERIALS FROM two"]
    assert sources(rules(lines)) == {"one", "two"}
    assert sources(()) == frozenset()


def test_a_match_without_its_parts_is_a_mistake_of_the_program() -> None:
    with pytest.raises(ValueError, match="MATCH names a step"):
        apply_rules([Rule(RuleKind.MATCH, "*")], Side.PRODUCTS, Record({}, {}), nothing, strong=True)


def test_all_rules_are_applied_after_a_failure_too() -> None:
    # So that one run shows every failure.
    record = Record({}, artifacts({"a": b"", "b": b"", "c": b""}))
    found = apply_rules(
        rules(["DISALLOW a", "REQUIRE x", "ALLOW b", "DISALLOW *"]), Side.PRODUCTS, record, nothing, strong=True
    )
    assert [one.offending for one in found] == [("a",), ("x",), (), ("c",)]
    assert found[2].consumed == ("b",)


def test_what_was_disallowed_is_not_reported_again_nor_consumed() -> None:
    record = Record({}, artifacts({"a": b""}))
    found = apply_rules(rules(["DISALLOW a", "ALLOW *", "DISALLOW *"]), Side.PRODUCTS, record, nothing, strong=True)
    assert [one.offending for one in found] == [("a",), (), ()]
    assert found[1].consumed == ()


def test_a_mismatch_that_a_disallow_finds_stays_a_mismatch() -> None:
    mine, theirs = Record(artifacts({"a": b"1"}), {}), Record({}, artifacts({"a": b"2"}))
    found = apply_rules(
        rules(["MATCH * WITH PRODUCTS FROM s", "DISALLOW *"]), Side.MATERIALS, mine, {"s": theirs}.get, strong=True
    )
    assert [m.path for m in found[0].mismatches] == ["a"]
    assert found[1].offending == ("a",)


@pytest.mark.parametrize("prefix", ["*", "[a]", "?", "a[b"])
def test_a_prefix_is_no_pattern(prefix: str) -> None:
    record = Record(artifacts({f"{prefix}/x": b"1", "a/x": b"1", "ab/x": b"1"}), {})
    other = Record({}, artifacts({"x": b"1"}))
    line = [["MATCH", "x", "IN", prefix, "WITH", "PRODUCTS", "FROM", "s"]]
    (found,) = apply_rules(rules(line), Side.MATERIALS, record, {"s": other}.get, strong=True)
    assert found.consumed == (f"{prefix}/x",)
