"""A workload: what is done, by whom, how often, and what is wanted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.contestant import Contestant
from bench.figure import CPU, PEAK, WALL, Figure, Goal


@dataclass(frozen=True, slots=True)
class Programs:
    """Where the programs are: the folders of ours and of upstream's, each with an interpreter called `python`."""

    ours: Path
    upstream: Path


@dataclass(frozen=True, slots=True)
class Race:
    """A workload made ready: the contestants in their order.

    `check` is called once each has run and raises `Unmeasurable` where they did not do the same; `close` is called at
    the end, whatever happened: it stops a server, say.
    """

    contestants: tuple[Contestant, ...]
    check: Callable[[], None] | None = None
    close: Callable[[], None] | None = None


Prepare = Callable[[Path, Programs], Race]
"""Makes the files of a workload in an empty folder, and says who is to do what with them."""


@dataclass(frozen=True, slots=True)
class Workload:
    """One row of the table.

    `runs` is how many rounds `make bench` makes. Every contestant first runs once without being measured (files and
    bytecode are then where they will be), unless `rehearse` is false: that is for what takes long, where one cold
    start is not seen. `space` is the disk that it needs, in bytes.
    """

    name: str
    title: str
    prepare: Prepare
    runs: int = 5
    goals: tuple[Goal, ...] = ()
    figures: tuple[Figure, ...] = (CPU, WALL, PEAK)
    rehearse: bool = True
    space: int = 0
    quick: bool = False
    """Whether it belongs to `make bench-quick`."""
    full: bool = True
    """Whether it belongs to `make bench`."""


MIB: Final = 1 << 20
