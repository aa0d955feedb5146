"""A command that something is done for while it runs: its output is shown and kept, its time is measured."""

from __future__ import annotations

import os
import selectors
import signal
import time

from navicert.record.child import Child
from navicert.record.forwarder import signal_group

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

_CHUNK: Final = 64 * 1024
_TICK: Final = 0.1
"""Seconds between looks at whether the command has ended while its output is awaited."""
_LEFT_BEHIND: Final = 1.0
"""Seconds to go on reading after the command ended: what it left running may hold its output open for ever."""
_GRACE: Final = 5.0
"""Seconds between asking a command that is out of time to end and killing it."""


class Tap:
    """A pipe between the command and one of our outputs, which remembers the first bytes that went through."""

    def __init__(self, sink: int, limit: int) -> None:
        self.read_end, self.write_end = os.pipe()
        self._open = {self.read_end, self.write_end}
        self._sink: int | None = sink
        self._limit = limit
        self._data = bytearray()
        self._total = 0

    def take(self) -> bool:
        """Pass on what is there; False at the end."""
        piece = os.read(self.read_end, _CHUNK)
        self._total += len(piece)
        self._data += piece[: self._limit - len(self._data)]
        self._show(piece)
        return bool(piece)

    def _show(self, piece: bytes) -> None:
        rest = memoryview(piece)
        while rest and self._sink is not None and self._sink >= 0:
            try:
                rest = rest[os.write(self._sink, rest) :]
            except BlockingIOError:
                with selectors.DefaultSelector() as writable:
                    writable.register(self._sink, selectors.EVENT_WRITE)
                    writable.select()
            except OSError:
                # Whoever watched has left. That is no reason to stop the command, nor to record less.
                self._sink = None

    @property
    def data(self) -> bytes:
        """What was kept of what went through."""
        return bytes(self._data)

    @property
    def dropped(self) -> int:
        """How many bytes more went through."""
        return self._total - len(self._data)

    def close_write_end(self) -> None:
        """Let go of the end that the command writes to, so that its end is the end."""
        self._close(self.write_end)

    def close(self) -> None:
        """Let go of both ends."""
        self._close(self.read_end)
        self._close(self.write_end)

    def _close(self, descriptor: int) -> None:
        if descriptor in self._open:
            self._open.remove(descriptor)
            os.close(descriptor)


def attend(process: Child, taps: Sequence[Tap], deadline: float | None) -> int:
    """Pass output on until the command has ended; its status. Raises `TimeoutError` at `deadline`, `Unavailable` where
    nobody can say how it ended."""
    ended: float | None = None
    with selectors.DefaultSelector() as selector:
        for tap in taps:
            selector.register(tap.read_end, selectors.EVENT_READ, tap)
        while selector.get_map():
            for key, _ in selector.select(_TICK):
                if not key.data.take():
                    selector.unregister(key.fileobj)
            now = time.monotonic()
            if ended is None and process.ended:
                ended = now
            if ended is not None and now > ended + _LEFT_BEHIND:
                break
            if ended is None and deadline is not None and now > deadline:
                raise TimeoutError
    return process.wait(None if deadline is None else max(0.0, deadline - time.monotonic()))


def kill_group(process: Child) -> None:
    """End `process` and all that it started in its group: asked first, killed where it does not listen."""
    signal_group(process.pid, signal.SIGTERM)
    try:
        process.wait(_GRACE)
    except TimeoutError:
        signal_group(process.pid, signal.SIGKILL)
        process.wait()
    finally:
        signal_group(process.pid, signal.SIGKILL)  # what the command started and left
