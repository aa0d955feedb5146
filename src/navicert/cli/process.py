"""What a program of ours arranges for the process that it has to itself, before it reads its command line."""

from __future__ import annotations

import atexit
import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_LARGEST_PIECE = 32 * 1024 * 1024 - 64 * 1024
"""Of what glibc takes from the system apart from everything else."""


def settle() -> None:
    """Have this process be as a program of ours wants it. Nothing that is imported by other programs calls this."""
    # Little here refers to itself, and looking for it time and again costs more than it gives back.
    gc.set_threshold(100_000)
    _keep_memory()
    for stream in (sys.stdout, sys.stderr):
        # Paths need not be text, and a terminal need not know every character: neither may stop a report.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def _keep_memory() -> None:
    """Have what one large document took be kept for the next: given back and asked for anew, it is a page fault for
    every 4 kB. The allocator of glibc keeps twice as much as the largest piece, up to 32 MiB, that it once let go of
    (mallopt(3), M_MMAP_THRESHOLD). This one is never touched, so it takes no memory."""
    try:
        bytes(_LARGEST_PIECE)
    except MemoryError:
        return  # where so little is allowed, nothing is to be kept


def keep_to_english() -> None:
    """Have `argparse` say what it says in English, as all else here is said: looking for translations of its few words
    takes longer than reading a command line."""
    import argparse

    vars(argparse)["_"] = str


def leave(code: object) -> NoReturn:
    """End the process with `code`, which is as `SystemExit` takes it. Where nobody waits for its end it ends at once:
    to take apart all that it made takes a thirtieth of its time, and it goes anyway. Else raises `SystemExit`."""
    if (code is None or type(code) is int) and _is_alone():
        try:
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
        except (OSError, ValueError):
            raise SystemExit(code) from None  # which tells what could not be written, and has a code for it
        os._exit((code or 0) & 0xFF)
    gc.freeze()  # not looked through once more
    raise SystemExit(code)


def _is_alone() -> bool:
    """Whether nothing would still be done after the last line of the program: by exit handlers, threads, profilers, or
    somebody who wants to look at what is left."""
    if atexit._ncallbacks() or sys.flags.inspect or sys.getprofile() is not None or sys.gettrace() is not None:
        return False
    threading = sys.modules.get("threading")
    return threading is None or threading.active_count() == 1
