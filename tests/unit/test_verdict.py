"""The tree of checks, and the verdict on it. Its logic is in tests/property/test_verdict_laws.py."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from navicert.digest import sha256
from navicert.errors import VerificationFailed
from navicert.verdict import (
    Check,
    Outcome,
    Verdict,
    all_of,
    at_least,
    broke,
    failed,
    note,
    passed,
    skipped,
    warned,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def verdict(root: Check) -> Verdict:
    return Verdict(root, NOW, sha256(b"policy"))


def test_each_maker_gives_its_outcome() -> None:
    assert passed("a", "s", "r").outcome is Outcome.PASS
    assert warned("a", "s", "r").outcome is Outcome.WARN
    assert failed("a", "s", "r").outcome is Outcome.FAIL
    assert broke("a", "s", "r").outcome is Outcome.ERROR
    assert skipped("a", "s", "r", cause="x").outcome is Outcome.SKIP
    assert note("a", "s", "r").is_note
    assert {o for o in Outcome if o.passes} == {Outcome.PASS, Outcome.WARN}


def test_a_check_is_no_truth_value() -> None:
    with pytest.raises(TypeError, match="outcome"):
        bool(passed("a", "s"))


def test_a_verdict_is_no_truth_value() -> None:
    with pytest.raises(TypeError, match="passed"):
        bool(verdict(passed("a", "s")))


def test_a_leaf_has_no_children() -> None:
    for more in ({"need": 1}, {"children": (passed("b", ""),)}):
        with pytest.raises(ValueError, match="a leaf has no children"):
            Check("a", "", leaf=Outcome.PASS, **more)


def test_children_that_would_not_be_counted_are_refused() -> None:
    with pytest.raises(ValueError, match="a note has no children"):
        Check("a", "", children=(failed("b", "", ""),))


def test_a_skipped_check_names_its_cause() -> None:
    with pytest.raises(ValueError, match="cause"):
        Check("a", "", leaf=Outcome.SKIP)


def test_notes_are_not_counted() -> None:
    group = all_of("g", "", (passed("a", ""), note("n", "", "")))
    assert group.need == 1
    assert [child.id for child in group.counted] == ["a"]
    assert group.outcome is Outcome.PASS


def test_paths_name_every_node_from_the_root() -> None:
    tree = all_of("verdict", "", (all_of("step", "build", (passed("rule", "1"),)), passed("expiry", "")))
    assert [path for path, _ in tree.walk()] == [
        "verdict",
        "verdict/step[build]",
        "verdict/step[build]/rule[1]",
        "verdict/expiry",
    ]


def test_requiring_raises_with_the_first_cause() -> None:
    good = verdict(passed("a", ""))
    assert good.require() is good
    bad = verdict(all_of("verdict", "", (passed("a", ""), failed("layout.expired", "", "expired yesterday"))))
    with pytest.raises(VerificationFailed, match=r"layout\.expired: expired yesterday") as caught:
        bad.require()
    assert caught.value.verdict is bad


def test_a_verdict_whose_causes_are_all_elsewhere_still_raises() -> None:
    odd = verdict(all_of("verdict", "", (skipped("a", "", "", cause="nowhere"),)))
    assert odd.first_cause is None
    with pytest.raises(VerificationFailed, match="did not pass"):
        odd.require()


def test_what_merely_follows_is_no_cause() -> None:
    threshold = at_least(2, "step.threshold", "build", (passed("link", "ann"), note("miss", "", "")), "one of two")
    tree = all_of(
        "verdict",
        "",
        (
            note("n", "", ""),
            passed("a", ""),
            threshold,
            skipped("rules", "", "", cause="verdict/step.threshold[build]"),
            failed("rule", "", "", cause="verdict/step.threshold[build]"),
            all_of("empty", "", ()),
            broke("inspection", "", "no folder"),
        ),
    )
    found = list(verdict(tree).causes())
    assert [path for path, _ in found] == [
        "verdict/step.threshold[build]",
        "verdict/empty",
        "verdict/inspection",
    ]
    assert verdict(tree).first_cause is threshold


def test_a_verdict_that_passed_has_no_cause() -> None:
    assert list(verdict(warned("a", "", "")).causes()) == []
    assert verdict(warned("a", "", "")).passed
    assert verdict(warned("a", "", "")).outcome is Outcome.WARN


def test_a_summary_is_added_to_a_copy() -> None:
    before = verdict(passed("a", ""))
    assert before.with_summary("link").summary == "link"
    assert before.summary is None
