"""How a step stands in its policy: a claim, what only informs, a part of another one, or what makes the target.

Every judgement asks, and classic layouts have none of these: so this needs nothing of what predicates are.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from navicert.model.layout import Layout, Step


def is_claimed(step: Step) -> bool:
    """Whether the evidence for `step` is what nobody signed."""
    return step.predicate is not None and step.predicate.claimed


def informs(step: Step) -> bool:
    """Whether the evidence for `step` has no products, whatever it says."""
    return step.predicate is not None and step.predicate.role.value == "inform"


def making_step(layout: Layout) -> str:
    """The step whose products are those of the whole chain: the last one; in our own policies the one that is named
    there, or the last that makes any. Empty where there is no step."""
    if not layout.steps:
        return ""
    if layout.terms is None:
        return layout.steps[-1].name
    making = [step.name for step in layout.steps if not informs(step) and not is_claimed(step)]
    whole = [name for name in making if "/" not in name]
    return layout.terms.target or (whole or making or [layout.steps[-1].name])[-1]


def parent_of(step: Step) -> str | None:
    """The step that a further predicate belongs to; None of a step itself."""
    return step.name.rpartition("/")[0] or None
