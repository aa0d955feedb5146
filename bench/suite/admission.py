"""Verifying in one process, again and again, as an admission webhook does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.chain import Chain
from bench.contestant import UPSTREAM, Contestant
from bench.document import Form
from bench.figure import PEAK, RATE, Goal
from bench.rulebook import Rulebook
from bench.suite.verification import LEAST, RATES, Written
from bench.workload import MIB, Prepare, Programs, Race, Workload

COLD: Final = "in process, cold"
WARM: Final = "in process, warm"
LEAST_WARM: Final = "python: read, SHA-256"


def _rate(evidence: Sequence[Written], seconds: float) -> Prepare:
    """Processes that verify all of `evidence` in turn for `seconds` (warm: the first again and again)."""

    def prepare(folder: Path, programs: Programs) -> Race:
        names = [str(folder / f"chain-{number:03}") for number in range(len(evidence))]
        for name, written in zip(names, evidence, strict=True):
            written.write(Path(name))
        words = [str(seconds), *names]
        ours = (str(programs.ours / "python"), "-I", str(RATES / "ours.py"))
        theirs = (str(programs.upstream / "python"), "-I", str(RATES / "upstream.py"))
        least = (str(programs.ours / "python"), "-I", str(RATES / "floor.py"))
        floors = ((LEAST, "cold"), (LEAST_WARM, "warm"))
        return Race(
            (
                Contestant(UPSTREAM, "upstream", (*theirs, *words), folder, prints=True),
                Contestant(COLD, "ours", (*ours, "cold", *words), folder, prints=True),
                Contestant(WARM, "ours", (*ours, "warm", *words), folder, prints=True),
                *(Contestant(name, "floor", (*least, mode, *words), folder, prints=True) for name, mode in floors),
            )
        )

    return prepare


def _chains(count: int, form: Form) -> list[Chain]:
    return [Chain(4, 50, form=form, seed=seed) for seed in range(count)]


_GOALS: Final = (Goal(RATE, 5, of=COLD), Goal(RATE, 25, of=WARM))
_SHOWN: Final = (RATE, PEAK)

WORKLOADS: Final = (
    Workload(
        "rate-4x50",
        "in one process: 4 steps × 50 artifacts, DSSE",
        _rate(_chains(100, "dsse"), 2),
        5,
        _GOALS,
        _SHOWN,
        rehearse=False,
        space=20 * MIB,
    ),
    Workload(
        "rate-4x50-metablock",
        "in one process: 4 × 50, Metablock",
        _rate(_chains(100, "metablock"), 2),
        3,
        _GOALS,
        _SHOWN,
        rehearse=False,
        space=20 * MIB,
    ),
    Workload(
        "rate-rules",
        "in one process: 1,000 rules × 4,000 artifacts, most find none",
        _rate([Rulebook(1_000, 4_000, idle=True, seed=seed) for seed in range(4)], 3),
        3,
        (Goal(RATE, 20),),
        _SHOWN,
        rehearse=False,
        space=20 * MIB,
    ),
    Workload(
        "rate-quick",
        "in one process: 4 steps × 50 artifacts, DSSE",
        _rate(_chains(20, "dsse"), 0.5),
        3,
        _GOALS,
        _SHOWN,
        rehearse=False,
        quick=True,
        full=False,
    ),
)
