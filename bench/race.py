"""The race: contestants run in turn, round after round, and are compared round by round."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from bench.contestant import Contestant
from bench.figure import Figure, Goal, Judgement, Ratio, Run, ratio
from bench.workload import Race, Workload


@dataclass(frozen=True, slots=True)
class Result:
    """What came out of one workload: contestant → its runs, in the order of the rounds."""

    workload: Workload
    contestants: tuple[Contestant, ...]
    runs: Mapping[str, Sequence[Run]]

    def values(self, name: str, figure: Figure) -> list[float]:
        """The values of one contestant, round by round."""
        return [run[figure.name] for run in self.runs[name]]

    def median(self, name: str, figure: Figure) -> float:
        """The median of one contestant."""
        return median(self.values(name, figure))

    def has(self, name: str, figure: Figure) -> bool:
        """Whether the contestant was measured by `figure`."""
        return all(figure.name in run for run in self.runs[name])

    def ratio(self, contestant: Contestant, figure: Figure, against: str = "rival") -> Ratio | None:
        """The ratio to the contestant `against` ("rival": the one that it is paired with); None to itself, and where
        the other did not run, is not measured so, or has nothing (no output, say)."""
        other = contestant.rival if against == "rival" else against
        if other not in self.runs or other == contestant.name:
            return None
        if not self.has(other, figure) or not self.has(contestant.name, figure):
            return None
        theirs = self.values(other, figure)
        return ratio(self.values(contestant.name, figure), theirs) if all(theirs) else None

    def judgements(self) -> list[tuple[Goal, Contestant, Judgement]]:
        """Every goal, for every contestant of ours that it is about."""
        found = []
        for goal in self.workload.goals:
            for contestant in self.contestants:
                if contestant.kind != "ours" or goal.of not in ("", contestant.name):
                    continue
                value: float | None
                if goal.against:
                    compared = self.ratio(contestant, goal.figure, goal.against)
                    value = None if compared is None else compared.median
                else:
                    value = self.median(contestant.name, goal.figure)
                if value is not None:
                    found.append((goal, contestant, goal.judge(value)))
        return found


PATIENCE: Final = 45.0
"""Seconds after which `make bench` begins no further round of a workload: all of it is to take a quarter of an hour."""


def run(
    workload: Workload,
    race: Race,
    work: Path,
    rounds: int,
    progress: Callable[[str], None],
    patience: float | None = None,
) -> Result:
    """Run all contestants in turn, `rounds` times: ABCABC…, so that a busy minute meets all of them; but begin no
    round after the first when `patience` seconds have gone.

    Raises `Unmeasurable` as soon as one of them does not do what it is to do.
    """
    checked = race.check is None
    if workload.rehearse:
        for contestant in race.contestants:
            progress(f"trying {contestant.name}")
            contestant.run(work)
        if race.check is not None:
            race.check()
            checked = True
    runs: dict[str, list[Run]] = {contestant.name: [] for contestant in race.contestants}
    begun = time.monotonic()
    for number in range(1, rounds + 1):
        if number > 1 and patience is not None and time.monotonic() - begun > patience:
            break
        for contestant in race.contestants:
            progress(f"round {number} of {rounds}: {contestant.name}")
            runs[contestant.name].append(contestant.run(work))
        if not checked and race.check is not None:
            race.check()
            checked = True
    return Result(workload, race.contestants, runs)
