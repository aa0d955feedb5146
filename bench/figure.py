"""Figures: what is measured, how two are compared, and what the goal is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final


@dataclass(frozen=True, slots=True)
class Figure:
    """Something that a run is measured by: its name in the output, its unit, and which way is better."""

    name: str
    unit: str
    more_is_better: bool = False


CPU: Final = Figure("cpu", "s")
"""User and system time of a command and all its children."""

WALL: Final = Figure("wall", "s")
"""Time from starting the command to its end."""

PEAK: Final = Figure("peak", "MiB")
"""Resident memory of the largest process of a command, at its highest. Workers count one by one, not together."""

OUTPUT: Final = Figure("output", "B")
"""What the command wrote to standard output and error."""

RATE: Final = Figure("rate", "/s", more_is_better=True)
"""Verifications in one process for each second of processor time: what one core does."""

Run = Mapping[str, float]
"""One run of one contestant: name of the figure → value."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times the value of another one has: the median over rounds, with the lowest and highest round."""

    median: float
    low: float
    high: float


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Ratio:
    """The ratio of two contestants' values, round by round: whatever slows the machine for a while slows both.

    Raises `ValueError` for rounds that do not pair, and where there is nothing to divide by.
    """
    if not ours or len(ours) != len(theirs):
        raise ValueError(f"{len(ours)} and {len(theirs)} rounds cannot be paired")
    if not all(math.isfinite(value) and value > 0 for value in theirs):
        raise ValueError("no ratio to nothing")
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    return Ratio(median(ratios), min(ratios), max(ratios))


@dataclass(frozen=True, slots=True)
class Goal:
    """What is wanted of our programs: `figure` within `bound` times that of `against`, or within `bound` itself.

    `against` is the name of a contestant, "rival" for the one that each is paired with, or "" for no comparison.
    `of` restricts the goal to one contestant of ours.
    """

    figure: Figure
    bound: float
    against: str = "rival"
    of: str = ""

    def __str__(self) -> str:
        sign = "≥" if self.figure.more_is_better else "≤"
        if not self.against:
            return f"{self.figure.name} {sign} {self.bound:g} {self.figure.unit}"
        other = "" if self.against == "rival" else f" of {self.against}"
        return f"{self.figure.name} {sign} {self.bound:g}×{other}"

    def judge(self, value: float) -> Judgement:
        """Whether `value` is good enough, and how far it is from the bound."""
        if self.figure.more_is_better:
            return Judgement(value >= self.bound, value, self.bound / value if value else math.inf)
        return Judgement(value <= self.bound, value, value / self.bound)


@dataclass(frozen=True, slots=True)
class Judgement:
    """Met or missed. `factor` is how many times the bound was taken up: above 1 it is missed by that much."""

    met: bool
    value: float
    factor: float

    def __str__(self) -> str:
        return "met" if self.met else f"missed by {self.factor:.2f}×"
