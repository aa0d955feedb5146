"""A contestant: one command that does a workload, and one measured run of it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from bench.figure import CPU, OUTPUT, PEAK, WALL, Run

UPSTREAM: Final = "in-toto 3.1.0"
"""The name of the contestant that ours are compared with, unless they name another."""

LAUNCH: Final = Path(__file__).with_name("launch.py")
SECONDS: Final = 1800
"""After this time a command is ended: something is wrong."""

Kind = Literal["ours", "upstream", "floor"]


class Unmeasurable(Exception):
    """A workload that gives no figures: a command that did not do what it was to do, or something missing."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """One command that does a workload.

    A run counts only if it ends with `code` and, where `says` is given, its output holds that text: the time of a
    command that failed is no figure. Where `prints`, its last line on standard output is a JSON object of figures.
    """

    name: str
    kind: Kind
    command: tuple[str, ...]
    folder: Path
    code: int = 0
    says: str = ""
    rival: str = UPSTREAM
    prints: bool = False

    def run(self, work: Path) -> Run:
        """Run it once, keeping its output in the folder `work`. Raises `Unmeasurable`."""
        report, out, err = work / "report", work / "out", work / "err"
        program = shutil.which(self.command[0])
        if program is None:
            raise Unmeasurable(f"{self.name}: no program {self.command[0]}")
        report.unlink(missing_ok=True)
        paths = map(str, (report, out, err, self.folder))
        launch = [sys.executable, "-I", "-S", str(LAUNCH), *paths, program, *self.command[1:]]
        _wait(launch, work, self.name)
        status, cpu, wall, peak = report.read_text().split()
        self._check(int(status), out, err)
        figures = {
            CPU.name: float(cpu),
            WALL.name: float(wall),
            PEAK.name: int(peak) / 1024,
            OUTPUT.name: float(out.stat().st_size + err.stat().st_size),
        }
        return figures | (_printed(out, self.name) if self.prints else {})

    def _check(self, status: int, out: Path, err: Path) -> None:
        code = os.waitstatus_to_exitcode(status)
        if code != self.code:
            raise Unmeasurable(f"{self.name} ended with {code}, not {self.code}: {_last(err) or _last(out)}")
        wanted = self.says.encode()
        if wanted and wanted not in out.read_bytes() and wanted not in err.read_bytes():
            raise Unmeasurable(f"{self.name} does not say {self.says!r}: {_last(err) or _last(out)}")


def environment(home: Path) -> dict[str, str]:
    """What every contestant finds in its environment: nothing of whoever runs the benchmark."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "TMPDIR": str(home),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
    }


def _wait(launch: list[str], work: Path, name: str) -> None:
    # In a session of its own, so that what the command started ends with it.
    process = subprocess.Popen(launch, env=environment(work), start_new_session=True, stdin=subprocess.DEVNULL)
    try:
        code = process.wait(SECONDS)
    except BaseException as error:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if isinstance(error, subprocess.TimeoutExpired):
            raise Unmeasurable(f"{name} did not end within {SECONDS} s") from None
        raise
    if code != 0:
        raise Unmeasurable(f"{name} could not be started")


def _printed(out: Path, name: str) -> dict[str, float]:
    try:
        return {key: float(value) for key, value in json.loads(_last(out)).items()}
    except (ValueError, AttributeError, TypeError):
        raise Unmeasurable(f"{name} printed no figures: {_last(out)}") from None


def _last(path: Path) -> str:
    """The last line of a file, or its last 2,000 characters."""
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - 2000))
        lines = stream.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else ""
