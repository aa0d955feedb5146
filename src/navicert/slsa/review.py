"""Reviews as attestations: who says, signed, that they agree to a commit.

The framework has no predicate for reviews, so a review is a SCAI report whose subject is the commit, with the attribute
below. Each counts for the person whose key signed it, and only for persons that the expectations name as reviewers.

Spec: in-toto attestation framework, predicates/scai.md; SLSA v0.1 requirements.md (two-person reviewed).
"""

from __future__ import annotations

from navicert.errors import Malformed
from navicert.model.predicate import read_predicate
from navicert.model.predicate.scai import ScaiPredicate
from navicert.model.statement import Statement
from navicert.slsa.account import Inquiry
from navicert.slsa.attestation import Attestation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Final

REVIEWED: Final = "REVIEWED"
"""The attribute of a review. One with conditions is a review on these conditions, and counts for nothing."""


def reviewers_of(inquiry: Inquiry, commits: Collection[str]) -> tuple[frozenset[str], str]:
    """The persons who reviewed every one of `commits`, and why others do not count."""
    if not commits:
        return frozenset(), "no commit is recorded that a review could be of"
    people: frozenset[str] | None = None
    why = ""
    for commit in sorted(commits):
        found: set[str] = set()
        for one in inquiry.pool.others:
            if _is_review(one.statement) and _is_about(one.statement, commit):
                person, problem = _person(inquiry, one)
                found |= {person} if person else set()
                why = why or problem
        people = frozenset(found) if people is None else people & found
    counted = people or frozenset()
    if len(counted) == 1:
        alone = f"only {next(iter(counted))} agreed to the commit, and two are needed"
        why = f"{alone}; {why}" if why else alone
    return counted, why


def _is_review(statement: Statement) -> bool:
    try:
        report = read_predicate(statement.predicate_type, statement.predicate)
    except Malformed:
        return False
    return isinstance(report, ScaiPredicate) and any(
        one.attribute == REVIEWED and not one.conditions and one.target is None for one in report.attributes
    )


def _is_about(statement: Statement, commit: str) -> bool:
    return any(
        name == "gitCommit" and value.lower() == commit
        for subject in statement.subjects
        for name, value in subject.digests
    )


def _person(inquiry: Inquiry, one: Attestation) -> tuple[str, str]:
    """Who reviewed, or why nobody who counts did."""
    for person in inquiry.expectations.reviewers:
        if any(rule.signed(one, inquiry.at) is not None for rule in inquiry.expectations.people[person]):
            return person, ""
    return "", f"the review {one.origin} is signed by {one.signers}, who is no reviewer"
