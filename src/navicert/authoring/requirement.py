"""Lint of what a policy demands of attestations."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from navicert.authoring.finding import Finding, found
from navicert.authoring.item import Item
from navicert.authoring.policy import Policy
from navicert.dataclass import replace
from navicert.errors import Malformed
from navicert.model.soundness import check_policy

ExamineExpression = Callable[[str], str]
"""Gives what is wrong with an expression of CEL; empty for nothing."""


def predicate_findings(item: Item, examine: ExamineExpression | None) -> Iterator[Finding]:
    """What is odd about the predicate that `item` rests on, and about rules on what is said."""
    requirement = item.requirement
    attributes = requirement.attributes if requirement is not None else getattr(item.body, "attributes", ())
    texts = [attribute.rule for attribute in attributes]
    time = "" if requirement is None else requirement.time
    for text in (*texts, *([time] if time else [])):
        problem = "" if examine is None else examine(text)
        if problem:
            yield found(
                "predicate.expression",
                f"{text[:60]!r}: {problem}",
                "see the language in docs/reference/policy-document.md",
                place=item.place,
                pointer=item.pointer,
            )
    for text in sorted({text for text in texts if texts.count(text) > 1}):
        yield found(
            "predicate.attribute-twice",
            f"{text[:60]!r} is written twice",
            "leave one out",
            place=item.place,
            pointer=item.pointer,
        )
    if requirement is not None and not texts and requirement.max_age is None:
        yield found(
            "predicate.says-anything",
            "it counts whatever it says: a test result that failed, a scan that found everything",
            'add attribute rules, such as predicate.result == "PASSED"',
            place=item.place,
            pointer=item.pointer,
        )


def soundness_findings(policy: Policy) -> Iterator[Finding]:
    """What no policy document may say."""
    layout = policy.layout
    if layout.terms is None:
        return
    try:
        check_policy(replace(layout, terms=replace(layout.terms, release=policy.release)))
    except Malformed as error:
        yield found(
            "policy.unsound", error.what + (f" ({error.got})" if error.got else ""), error.remedy, place=error.pointer
        )
