"""Choosing among links that disagree: one group for each step, so that all rules hold together.

If some choice satisfies everything, the chain stands: evidence that disagrees with it cannot take it down, and
removing evidence can never turn a refusal into a pass. The search is bounded and its order is fixed by digests.
"""

from __future__ import annotations

from navicert.dataclass import dataclass, field
from navicert.interface import Callable, Iterator, Mapping, Sequence
from navicert.verify.thresholds import Group

Choice = Mapping[str, Group]


@dataclass(frozen=True, slots=True)
class Constraint:
    """One condition on a choice: `holds` looks only at the groups of the steps in `about`."""

    about: tuple[str, ...]
    holds: Callable[[Choice], bool]


class Exhausted(Exception):
    """The search took more evaluations than it may."""


@dataclass(slots=True)
class Search:
    """The search for consistent choices over one layout: depth-first, going back to the latest step that a dead end
    depends on. It remembers what it evaluated, so that nothing is judged twice.

    `budget` bounds the work, in tries and thousands of artifacts judged.
    """

    domains: Mapping[str, Sequence[Group]]
    constraints: Sequence[Constraint]
    budget: int
    _memo: dict[tuple[int, tuple[int, ...]], bool] = field(default_factory=dict)
    _bounded: bool = field(init=False)

    def __post_init__(self) -> None:
        # Where there is nothing to choose there is nothing to bound: every rule is judged exactly once.
        self._bounded = any(len(groups) > 1 for groups in self.domains.values())

    def first(self, fixed: Mapping[str, int] | None = None) -> dict[str, Group] | None:
        """The first consistent choice in which the steps of `fixed` take the group of that index; None if there is
        none. Raises `Exhausted`."""
        steps = list(self.domains)
        place = {step: i for i, step in enumerate(steps)}
        # Each constraint is asked as soon as the last step that it is about has its group.
        due: list[list[int]] = [[] for _ in steps]
        for number, constraint in enumerate(self.constraints):
            due[max(place[step] for step in constraint.about)].append(number)
        chosen: list[int] = []
        options: list[Iterator[int]] = []
        blame: list[set[int]] = []
        while len(chosen) < len(steps):
            depth = len(chosen)
            if len(options) == depth:
                options.append(self._options(steps[depth], fixed))
                blame.append(set())
            index = next(options[depth], None)
            if index is None:
                culprits = blame[depth]
                if not culprits:
                    return None
                back = max(culprits)
                blame[back] |= culprits - {back}
                del chosen[back:], options[back + 1 :], blame[back + 1 :]
                continue
            self._spend(1)
            chosen.append(index)
            broken = next((n for n in due[depth] if not self._holds(n, steps, place, chosen)), None)
            if broken is not None:
                blame[depth] |= {place[step] for step in self.constraints[broken].about} - {depth}
                chosen.pop()
        return {step: self.domains[step][i] for step, i in zip(steps, chosen, strict=True)}

    def _options(self, step: str, fixed: Mapping[str, int] | None) -> Iterator[int]:
        if fixed is not None and step in fixed:
            return iter((fixed[step],))
        return iter(range(len(self.domains[step])))

    def _holds(self, number: int, steps: Sequence[str], place: Mapping[str, int], chosen: Sequence[int]) -> bool:
        constraint = self.constraints[number]
        key = (number, tuple(chosen[place[step]] for step in constraint.about))
        answer = self._memo.get(key)
        if answer is None:
            choice = {step: self.domains[step][chosen[place[step]]] for step in constraint.about}
            records = [group.record for group in choice.values()]
            self._spend(sum(len(record.materials) + len(record.products) for record in records) // 1000)
            answer = self._memo[key] = constraint.holds(choice)
        return answer

    def _spend(self, work: int) -> None:
        self.budget -= work
        if self._bounded and self.budget < 0:
            raise Exhausted
