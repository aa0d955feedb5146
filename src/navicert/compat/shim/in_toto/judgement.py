"""A verdict on a chain, with what it was reached from: it passed, perhaps with a warning, or somebody complains."""

from __future__ import annotations

from navicert.dataclass import dataclass
from navicert.model.link import Link
from navicert.verdict import Check, Outcome, Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import TypeVar

    from navicert.model.layout import Inspection, Layout, Step
    from navicert.store.gather import Gathered

    T = TypeVar("T", Step, Inspection)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with what it was reached from. `problems` holds what inspections raised, by their name. `told`: the
    stages were told, and with them some of what a person should know."""

    verdict: Verdict
    layout: Layout
    gathered: Gathered
    link_dir: str
    problems: Mapping[str, Exception]
    told: bool = False

    def require(self) -> None:
        """Raises what upstream would, unless the verdict passed."""
        if not self.verdict.passed:
            from navicert.compat.shim.in_toto.complaint import complain

            complain(self)

    def warnings(self) -> Iterator[str]:
        """What a person should know about a verdict that passed, and was not told."""
        ran = {
            exhibit.document.origin: exhibit.document.body.command
            for exhibit in self.gathered.exhibits
            if isinstance(exhibit.document.body, Link)
        }
        for step, group in each(self.verdict.root, "step", self.layout.steps):
            yield from _of_step(step, group, ran, self.told)
        for check in _walk(self.verdict.root):
            if check.id == "layout.empty":
                yield check.reason
            elif check.id == "rule.match-unsatisfied" and check.leaf is Outcome.WARN:
                yield f"rule '{check.subject.partition(' ')[2]}' is not satisfied: {check.reason}"
        if self.gathered.refused and not self.told:
            from navicert.compat.shim.in_toto.complaint import Level

            for refusal in Level.top(self).filing.unreadable():
                yield f"Skipping link. '{refusal.origin}' {refusal.reason}"


def _walk(root: Check) -> Iterator[Check]:
    """Every node below `root`, as `Check.walk` has them, without their paths, which are most of the work."""
    stack = [root]
    while stack:
        check = stack.pop()
        yield check
        stack.extend(reversed(check.children))


def each(tree: Check, id: str, items: Iterable[T]) -> Iterator[tuple[T, Check]]:
    """Each of `items` with the checks called `id` about it, right below `tree`, in the order of the items."""
    found: dict[str, list[Check]] = {}
    for check in tree.children:
        if check.id == id:
            found.setdefault(check.subject, []).append(check)
    for item in items:
        for check in found.get(item.name, ()):
            yield item, check


def _of_step(step: Step, group: Check, ran: Mapping[str, Sequence[str]], told: bool) -> Iterator[str]:
    """What a person should know of `step`; `ran` is the command of each link, by its origin."""
    for check in group.children:
        if check.id == "step.command" and check.subject in ran:
            if told:
                continue
            command, expected = list(ran[check.subject]), list(step.expected_command)
            yield f"Run command '{command}' differs from expected command '{expected}'"
        elif check.id in ("step.command", "step.disagreement", "artifact.twins") and check.leaf is Outcome.WARN:
            yield f"step '{step.name}': {check.reason}"
