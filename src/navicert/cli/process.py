"""What a program of ours arranges for the process that it has to itself, before it reads its command line."""

from __future__ import annotations

import gc
import sys

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


def leave() -> None:
    """Have the process end without looking once more through what it made: that goes with it."""
    gc.freeze()
