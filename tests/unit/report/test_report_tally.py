"""Tallies: checks counted by how they came out, and warnings."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.sample_chain import SampleChain

from navicert.digest import sha256
from navicert.report.finding import findings
from navicert.report.tally import counts, warnings
from navicert.verdict import Check, Outcome, Verdict, all_of, at_least, failed, note, passed, warned


def verdict(*children: Check) -> Verdict:
    return Verdict(all_of("verdict", "", children), datetime(2026, 1, 1, tzinfo=UTC), sha256(b"policy"))


def test_warnings_are_the_leaves_that_passed_with_one() -> None:
    found = warnings(SampleChain(failing=[1]).verdict())
    assert [check.id for _, check in found] == ["link.return-value"]


def test_counts_add_up_and_leave_out_alternatives_that_were_not_needed() -> None:
    alternatives = at_least(1, "target.bound", "", (failed("a", "", "no"), passed("b", "")))
    empty = all_of("empty", "", ())
    tally = counts(verdict(alternatives, warned("w", "", "hm"), empty, note("n", "", "")))
    assert tally == {
        Outcome.PASS: 1, Outcome.WARN: 1, Outcome.SKIP: 0, Outcome.PENDING: 0, Outcome.FAIL: 1, Outcome.ERROR: 0,
    }  # fmt: skip


def test_a_verdict_that_is_but_a_note_counts_nothing_and_did_not_pass() -> None:
    bare = Verdict(note("verdict", "", "nothing was judged"), datetime(2026, 1, 1, tzinfo=UTC), sha256(b""))
    assert set(counts(bare).values()) == {0}
    assert findings(bare) == ()
    assert not bare.passed
