"""How far long work has come: one line on the terminal that is rewritten, and gone at the end.

Only where a person is looking, and only when it takes longer than a moment.
"""

from __future__ import annotations

import sys
import threading
import time

from navicert.cli.terminal import is_terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from types import TracebackType
    from typing import Final

    from navicert.oci.transfer import Progress

_PATIENCE: Final = 1.0
"""Seconds before anything is said."""
_PACE: Final = 0.2
"""Seconds between two lines."""
_CLEAR: Final = "\r\x1b[K"


class Meter:
    """The line. `shows` is whether it is ever shown; told by any thread. Leaving its block removes it."""

    def __init__(self, *, shows: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._shows = shows
        self._clock = clock
        self._due = clock() + _PATIENCE
        self._visible = False
        self._lock = threading.Lock()

    @staticmethod
    def of(args: argparse.Namespace) -> Meter:
        """The meter of a command: shown on a terminal, unless it is to be quiet or talks to a program."""
        quiet = getattr(args, "quiet", False) or getattr(args, "json", False)
        return Meter(shows=not quiet and is_terminal(sys.stderr))

    def __enter__(self) -> Meter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clear()

    def show(self, text: str) -> None:
        """Show `text`, which must hold nothing that came from outside, in place of what was shown before."""
        with self._lock:
            now = self._clock()
            if not self._shows or now < self._due:
                return
            self._due, self._visible = now + _PACE, True
            sys.stderr.write(f"\r{text}\x1b[K")
            sys.stderr.flush()

    def clear(self) -> None:
        """Remove the line; work that follows has its own patience."""
        with self._lock:
            if self._visible:
                sys.stderr.write(_CLEAR)
                sys.stderr.flush()
            self._visible, self._due = False, self._clock() + _PATIENCE

    def copied(self, progress: Progress) -> None:
        """How far a copy has come."""
        done, all_of_it = progress.bytes_done // 1024, progress.bytes_all // 1024
        self.show(f"{progress.blobs_done}/{progress.blobs_all} blobs, {done}/{all_of_it} KiB")

    def sent(self, done: int, all_of_it: int) -> None:
        """How much of one document has been sent, in bytes."""
        self.show(f"sending: {done // 1024}/{all_of_it // 1024} KiB")

    def fetched(self, done: int, size: int) -> None:
        """How many attached manifests were read, and how many bytes of documents; zeros when it is over."""
        if not done:
            self.clear()
            return
        self.show(f"fetching evidence: {done} attached, {size // 1024} KiB")
