"""Starting: programs that have next to nothing to do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.contestant import UPSTREAM, Contestant
from bench.figure import CPU, Goal
from bench.suite.recording import write_key
from bench.workload import Prepare, Programs, Race, Workload

PROGRAMS: Final = ("run", "record", "verify", "sign", "mock")
"""The programs that in-toto 3.1.0 has too, and that know `--version`."""

BARE: Final = "python -I -c pass"


def bare(folder: Path, programs: Programs) -> Contestant:
    """The interpreter that runs ours, with nothing to run: no program in Python starts faster."""
    return Contestant(BARE, "floor", (str(programs.ours / "python"), "-I", "-c", "pass"), folder)


def _asked(option: str, names: Sequence[str], commands: Sequence[str] = ()) -> Prepare:
    """Programs asked for a constant: in-toto's, each beside its equal, and `navicert` alone and with `commands`."""

    def prepare(folder: Path, programs: Programs) -> Race:
        found = []
        for name in names:
            program = f"in-toto-{name}"
            theirs = f"{UPSTREAM}: {program}"
            found.append(Contestant(theirs, "upstream", (str(programs.upstream / program), option), folder))
            ours = (str(programs.ours / program), option)
            found.append(Contestant(program, "ours", ours, folder, rival=theirs))
        for command in ("", *commands):
            words = (str(programs.ours / "navicert"), *command.split(), option)
            rival = f"{UPSTREAM}: in-toto-{command or 'run'}"
            found.append(Contestant(f"navicert {command}".strip(), "ours", words, folder, rival=rival))
        return Race((*found, bare(folder, programs)))

    return prepare


def _nothing(folder: Path, programs: Programs) -> Race:
    """Recorders that have no file to record."""
    write_key(folder)
    (folder / "out").mkdir()
    words = ["-n", "step", "--signing-key", "key", "-d", "out", "--", "true"]
    return Race(
        (
            Contestant(UPSTREAM, "upstream", (str(programs.upstream / "in-toto-run"), *words), folder),
            Contestant("in-toto-run", "ours", (str(programs.ours / "in-toto-run"), *words), folder),
            Contestant(
                "navicert run",
                "ours",
                (str(programs.ours / "navicert"), "run", "step", "-k", "key", "--store", "out", "--", "true"),
                folder,
            ),
            bare(folder, programs),
        )
    )


_START: Final = (Goal(CPU, 0.25),)

WORKLOADS: Final = (
    Workload("version", "--version of every program", _asked("--version", PROGRAMS), 7, _START),
    Workload(
        "help", "--help of every program", _asked("--help", (*PROGRAMS, "match-products"), ("run", "verify")), 7, _START
    ),
    Workload("version-quick", "--version", _asked("--version", ("run",)), 5, _START, quick=True, full=False),
    Workload(
        "run-nothing",
        "record a command that does nothing, no files, signed",
        _nothing,
        15,
        (Goal(CPU, 0.30),),
        quick=True,
    ),
)
