"""What a program of ours arranges for its process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

LITTLE_MEMORY = """
import resource
from navicert.cli import process

page, taken = resource.getpagesize(), int(open("/proc/self/statm").read().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (taken * page + 8 * 1024 * 1024,) * 2)
try:
    bytes(process._LARGEST_PIECE)
    print("there is enough")
except MemoryError:
    print("there is little")
process.settle()
print("it goes on")
"""


def test_where_memory_is_limited_a_program_begins_all_the_same() -> None:
    done = subprocess.run([sys.executable, "-c", LITTLE_MEMORY], capture_output=True, text=True, check=False)
    assert (done.stdout.splitlines(), done.stderr) == (["there is little", "it goes on"], "")


LEAVING = """
import os
from navicert.cli.process import leave

def at_once(code, end=os._exit):
    os.write(2, b" at once")
    end(code)

os._exit = at_once
print("said", end="")
"""
"""Tells when the process is ended without the interpreter being taken apart."""


def ended(program: str, stdout: IO[bytes] | int = subprocess.PIPE) -> subprocess.CompletedProcess[bytes]:
    """What became of `program`, which imports `leave`."""
    words = [sys.executable, "-I", "-c", LEAVING + program]
    return subprocess.run(words, stdout=stdout, stderr=subprocess.PIPE, check=False)


@pytest.mark.parametrize(("code", "status"), [(0, 0), (None, 0), (3, 3), (256, 0), (-1, 255)])
def test_a_program_ends_at_once_with_its_code_and_all_that_it_said(code: int | None, status: int) -> None:
    done = ended(f"leave({code})")
    assert (done.returncode, done.stdout, done.stderr) == (status, b"said", b" at once")


@pytest.mark.parametrize(
    "waiting",
    [
        "import atexit; atexit.register(print, ' at the end')",
        "import threading, time; threading.Thread(target=lambda: (time.sleep(0.1), print(' at the end'))).start()",
        "import sys; sys.setprofile(lambda *_: None); print(' at the end')",
    ],
)
def test_what_somebody_waits_for_is_done_at_the_end(waiting: str) -> None:
    done = ended(f"{waiting}\nleave(3)")
    assert (done.returncode, done.stderr) == (3, b"")
    assert done.stdout == b"said at the end\n"


def test_a_code_that_is_a_text_is_said() -> None:
    done = ended("leave('why')")
    assert (done.returncode, done.stderr) == (1, b"why\n")


def test_what_could_not_be_written_is_no_success() -> None:
    with Path("/dev/full").open("wb") as full:
        done = ended("leave(0)", full)
    assert done.returncode == 120
    assert b"at once" not in done.stderr
    assert b"No space left on device" in done.stderr
