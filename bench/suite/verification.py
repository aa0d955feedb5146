"""Verifying chains on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Protocol

from bench.chain import Chain
from bench.contestant import UPSTREAM, Contestant
from bench.figure import CPU, OUTPUT, PEAK, WALL, Figure, Goal
from bench.rulebook import SMUGGLED, Rulebook
from bench.suite.start import bare
from bench.workload import MIB, Prepare, Programs, Race, Workload

RATES: Final = Path(__file__).resolve().parents[1] / "rate"

LEAST: Final = "python: read, SHA-256, JSON, Ed25519"
"""What judging takes at least, where no list is so large that most of it is not read: see `bench/rate/floor.py`."""


class Written(Protocol):
    """Something to verify: it writes `root.layout`, `owner.pub` and `links`."""

    def write(self, folder: Path) -> None:
        """Write it to `folder`."""


def _verify(
    chain: Written, code: int = 0, says: str = "", options: tuple[str, ...] = (), *, large: bool = False
) -> Prepare:
    """Contestants that verify `chain`. `options` are for `navicert verify` alone. `large`: reading all of its lists is
    no floor."""

    def prepare(folder: Path, programs: Programs) -> Race:
        place = folder / "chain"
        place.mkdir()
        chain.write(place)
        words = ("--layout", "root.layout", "--verification-keys", "owner.pub", "--link-dir", "links")
        own = ("verify", "--layout", "root.layout", "--owner", "owner.pub", "--store", "links", *options)
        least = (str(programs.ours / "python"), "-I", str(RATES / "floor.py"), "once", "0", ".")
        return Race(
            (
                Contestant(
                    UPSTREAM, "upstream", (str(programs.upstream / "in-toto-verify"), *words), place, code, says
                ),
                Contestant(
                    "in-toto-verify", "ours", (str(programs.ours / "in-toto-verify"), *words), place, code, says
                ),
                Contestant("navicert verify", "ours", (str(programs.ours / "navicert"), *own), place, code, says),
                *(() if large else (Contestant(LEAST, "floor", least, place),)),
                bare(folder, programs),
            )
        )

    return prepare


def _row(
    name: str,
    title: str,
    chain: Written,
    runs: int,
    cpu: float | None = None,
    *,
    peak: float | None = None,
    rehearse: bool = True,
    quick: bool = False,
    space: int = 0,
    options: tuple[str, ...] = (),
    large: bool = False,
) -> Workload:
    goals = [Goal(figure, bound) for figure, bound in ((CPU, cpu), (PEAK, peak)) if bound is not None]
    prepare = _verify(chain, options=options, large=large)
    return Workload(name, title, prepare, runs, tuple(goals), rehearse=rehearse, space=space, quick=quick)


_ALL: Final[tuple[Figure, ...]] = (CPU, WALL, PEAK, OUTPUT)

WORKLOADS: Final = (
    _row("verify-4x50", "4 steps × 50 artifacts, DSSE", Chain(4, 50), 15, 0.35, quick=True),
    _row("verify-4x50-metablock", "4 × 50, Metablock", Chain(4, 50, form="metablock"), 15, 0.35),
    _row("verify-5x1k", "5 × 1,000, DSSE", Chain(5, 1_000), 7, quick=True),
    _row("verify-5x20k", "5 × 20,000, DSSE", Chain(5, 20_000), 3, 0.10, peak=0.5, large=True, space=100 * MIB),
    _row(
        "verify-5x20k-metablock",
        "5 × 20,000, Metablock",
        Chain(5, 20_000, form="metablock"),
        3,
        0.10,
        peak=0.5,
        large=True,
        space=100 * MIB,
    ),
    _row(
        "verify-5x100k",
        "5 × 100,000, DSSE",
        Chain(5, 100_000),
        2,
        0.07,
        peak=0.5,
        rehearse=False,
        large=True,
        space=300 * MIB,
    ),
    _row(
        "verify-5x100k-metablock",
        "5 × 100,000, Metablock",
        Chain(5, 100_000, form="metablock"),
        2,
        0.07,
        peak=0.5,
        rehearse=False,
        large=True,
        space=300 * MIB,
    ),
    _row("verify-500x10", "500 × 10, DSSE", Chain(500, 10), 5, 0.25, space=20 * MIB),
    _row("verify-500x10-metablock", "500 × 10, Metablock", Chain(500, 10, form="metablock"), 5, 0.25, space=20 * MIB),
    _row(
        "verify-500x1k",
        "500 × 1,000, Metablock",
        Chain(500, 1_000, form="metablock"),
        2,
        0.10,
        rehearse=False,
        large=True,
        space=300 * MIB,
    ),
    _row("verify-threshold", "5 × 1,000, threshold 3, DSSE", Chain(5, 1_000, threshold=3), 5, 0.14, space=20 * MIB),
    _row("verify-sublayouts", "5 × 1,000, sublayouts 5 deep, DSSE", Chain(5, 1_000, depth=5), 5, 0.14, space=20 * MIB),
    _row(
        "verify-threshold-metablock",
        "5 × 1,000, threshold 3, Metablock",
        Chain(5, 1_000, threshold=3, form="metablock"),
        5,
        0.14,
        space=20 * MIB,
    ),
    _row(
        "verify-sublayouts-metablock",
        "5 × 1,000, sublayouts 5 deep, Metablock",
        Chain(5, 1_000, depth=5, form="metablock"),
        5,
        0.14,
        space=20 * MIB,
    ),
    _row("verify-rules", "1,000 rules × 4,000 artifacts, each rule allows four", Rulebook(1_000, 4_000), 5, 0.05),
    _row(
        "verify-rules-idle", "1,000 rules × 4,000 artifacts, most find none", Rulebook(1_000, 4_000, idle=True), 5, 0.05
    ),
    Workload(
        "verify-rules-failing",
        "1,000 rules × 4,000 artifacts, one is not allowed and most rules find none",
        _verify(Rulebook(1_000, 4_000, idle=True, failing=True), 1, SMUGGLED),
        3,
        (Goal(CPU, 0.05), Goal(OUTPUT, 64 * 1024, "")),
        _ALL,
        space=300 * MIB,
    ),
    Workload(
        "verify-rules-quick",
        "200 rules × 1,000 artifacts, of which one is not allowed",
        _verify(Rulebook(200, 1_000, idle=True, failing=True), 1, SMUGGLED),
        3,
        (Goal(OUTPUT, 64 * 1024, ""),),
        _ALL,
        quick=True,
        full=False,
    ),
    _row(
        "verify-millions",
        "three links with 2.5 million artifacts together, Metablock",
        Chain(3, 500_000, form="metablock", from_nothing=True),
        1,
        0.12,
        peak=0.5,
        rehearse=False,
        large=True,
        space=800 * MIB,
        options=("--max-document-bytes", "256M"),
    ),
)
