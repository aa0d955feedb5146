"""Findings: causes, what hangs on them, and what does not."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.sample_chain import SampleChain

from navicert.digest import sha256
from navicert.report.finding import findings, first_cause
from navicert.report.tally import NEAR_MISS
from navicert.verdict import (
    Check,
    Verdict,
    all_of,
    at_least,
    failed,
    note,
    passed,
    skipped,
)


def verdict(*children: Check) -> Verdict:
    return Verdict(all_of("verdict", "", children), datetime(2026, 1, 1, tzinfo=UTC), sha256(b"policy"))


def test_a_chain_that_passed_has_no_finding() -> None:
    assert findings(SampleChain().verdict()) == ()


def test_the_first_finding_is_the_first_cause_of_the_verdict() -> None:
    judged = SampleChain(tampered=[1, 2]).verdict()
    assert findings(judged)[0].check is judged.first_cause


def test_what_merely_follows_is_counted_at_its_cause_and_is_no_finding_of_its_own() -> None:
    (finding,) = findings(SampleChain(missing=[0]).verdict())
    assert finding.check.id == "step.threshold"
    # Its own rules are not judged; the next step has nothing to match, and so leaves everything over.
    assert finding.follows == 3


def test_a_chain_of_consequences_ends_at_its_first_cause() -> None:
    judged = verdict(
        all_of("step", "a", (failed("x", "a", "broken"),)),
        all_of("step", "b", (skipped("y", "b", "not judged", cause="verdict/step[a]"),)),
        all_of("step", "c", (skipped("z", "c", "not judged", cause="verdict/step[b]/y[b]"),)),
    )
    (finding,) = findings(judged)
    assert (finding.path, finding.follows) == ("verdict/step[a]/x[a]", 2)


def test_a_group_that_follows_takes_all_that_is_in_it_along() -> None:
    group = all_of("step", "b", (failed("x", "b", ""), failed("y", "b", "")), cause="verdict/x[a]")
    (finding,) = findings(verdict(failed("x", "a", "broken"), group))
    assert finding.follows == 2


def test_causes_that_point_at_each_other_do_not_hang() -> None:
    judged = verdict(
        failed("x", "", "broken"),
        skipped("a", "", "", cause="verdict/b"),
        skipped("b", "", "", cause="verdict/a"),
    )
    (finding,) = findings(judged)
    assert finding.follows == 2


def test_a_consequence_whose_cause_is_nowhere_counts_at_the_first_cause() -> None:
    (finding,) = findings(verdict(failed("x", "", "broken"), skipped("y", "", "", cause="verdict/nowhere")))
    assert finding.follows == 1


def test_near_misses_stand_with_the_step_that_they_nearly_served() -> None:
    found = findings(SampleChain(stranger=[0, 2]).verdict())
    assert [[miss.id for miss in finding.near_misses] for finding in found] == [[NEAR_MISS], [NEAR_MISS]]
    assert "step00" in found[0].near_misses[0].subject
    assert "step02" in found[1].near_misses[0].subject


def test_near_misses_of_what_passed_are_left_out() -> None:
    good = at_least(1, "step.threshold", "a", (passed("link.signature", "bob"), note(NEAR_MISS, "a.link", "old")))
    (finding,) = findings(verdict(good, failed("x", "", "broken")))
    assert finding.near_misses == ()


def test_a_near_miss_beside_the_cause_belongs_to_it() -> None:
    group = all_of("step", "a", (note(NEAR_MISS, "a.link", "wrong key"), failed("x", "a", "broken")))
    (finding,) = findings(verdict(group))
    assert [miss.subject for miss in finding.near_misses] == ["a.link"]


def test_a_near_miss_of_the_whole_is_told_with_the_first_cause() -> None:
    found = findings(verdict(failed("x", "", "broken"), failed("y", "", "too"), note(NEAR_MISS, "stray.link", "why")))
    assert [len(finding.near_misses) for finding in found] == [1, 0]


def test_a_remark_on_the_whole_explains_no_single_cause() -> None:
    (finding,) = findings(verdict(failed("x", "", "broken"), note("target.none", "", "no target was given")))
    assert finding.notes == ()


def test_a_note_in_a_step_stands_with_its_cause() -> None:
    group = all_of("step", "a", (failed("x", "a", "broken"), note("hint", "a", "look there")))
    (finding,) = findings(verdict(group))
    assert [hint.reason for hint in finding.notes] == ["look there"]


def test_the_trail_says_where_a_cause_stands() -> None:
    (finding,) = findings(SampleChain(tampered=[2]).verdict())
    assert [check.id for check in finding.trail] == ["verdict", "step", "step.materials"]


def test_the_deepest_explanation_of_a_group_is_found() -> None:
    leaf = failed("x", "a", "broken")
    tree = at_least(1, "policy.any", "", (all_of("verdict", "a", (passed("y", ""), leaf)), failed("z", "", "")))
    assert first_cause(tree) is leaf
    assert first_cause(leaf) is leaf
    threshold = at_least(1, "target.bound", "", (failed("a", "", ""), failed("b", "", "")))
    assert first_cause(threshold) is threshold
    follower = skipped("s", "", "", cause="elsewhere")
    alone = all_of("g", "", (follower,))
    assert first_cause(alone) is alone
