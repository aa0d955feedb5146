"""What a policy document demands beyond a layout, for people."""

from __future__ import annotations

from navicert.model.layout import Step
from navicert.model.requirement import Role
from navicert.model.terms import RunRule, Terms
from navicert.report.line import escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Final

_ROLES: Final[Mapping[Role, str]] = {
    Role.TRANSFORM: "transforms: its subjects are products",
    Role.INFORM: "informs: its subjects are what it looked at",
}
_RUNS: Final[Mapping[RunRule, str]] = {
    RunRule.SAME: "links that say to which run they belong say the same",
    RunRule.REQUIRED: "every link says to which run it belongs, and all say the same",
    RunRule.ANY: "links may come from several runs",
}


def terms_of(terms: Terms) -> Iterator[tuple[str, str]]:
    """What a policy says of the whole: labels and texts, escaped."""
    yield "target", escape(terms.target) or "the last step that makes anything"
    yield "run", _RUNS[terms.run]


def demands(step: Step) -> Iterator[tuple[str, list[str]]]:
    """What is demanded of the evidence for `step`, its signers and artifact rules apart: labels and lines, escaped."""
    requirement = step.predicate
    if requirement is not None:
        yield "predicate", [escape(type) for type in requirement.types]
        yield "role", [_ROLES[requirement.role]]
        yield "is about", [escape(str(rule)) for rule in requirement.subjects]
        if requirement.claimed:
            yield "stands in", ["the index of an image, which a step made or a signed statement is about"]
    attributes = step.attributes if requirement is None else requirement.attributes
    yield "says", [escape(f"{one.rule}{' (or says nothing of it)' if one.optional else ''}") for one in attributes]
    if requirement is not None and requirement.max_age is not None:
        since = f", counted from {escape(requirement.time)}" if requirement.time else ""
        yield "at most", [f"{requirement.max_age} seconds old{since}"]
