"""Looking into verdicts."""

from __future__ import annotations

from navicert.verdict import Check, Outcome, Verdict


def checks(verdict: Verdict, id: str) -> list[Check]:
    """All checks of a verdict with this id, in order."""
    return [check for _, check in verdict.root.walk() if check.id == id]


def only(verdict: Verdict, id: str) -> Check:
    """The one check with this id."""
    (check,) = checks(verdict, id)
    return check


def outcome(verdict: Verdict, id: str) -> Outcome:
    """The outcome of the one check with this id."""
    return only(verdict, id).outcome


def causes(verdict: Verdict) -> list[str]:
    """The ids of what decided against, first cause first."""
    return [check.id for _, check in verdict.causes()]


def misses(verdict: Verdict) -> list[str]:
    """The reasons of all near misses."""
    return [check.reason for check in checks(verdict, "evidence.near-miss")]


def warnings(verdict: Verdict) -> list[str]:
    """The ids of all leaves that passed with a warning."""
    return [check.id for _, check in verdict.root.walk() if check.leaf is Outcome.WARN]
