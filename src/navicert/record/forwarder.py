"""Signals that ask this process to end, passed on to the command that it runs."""

from __future__ import annotations

import os

from navicert.errors import Unavailable
from navicert.interface import Protocol
from navicert.record.signal import system as signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any, Final

    Handler = Callable[[int, FrameType | None], Any] | int

_ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_FROM_TERMINAL: Final = (signal.SIGINT, signal.SIGQUIT)


class Running(Protocol):
    """A command that was started: a `Child`, or what `subprocess` makes."""

    @property
    def pid(self) -> int:
        """Its number."""

    @property
    def returncode(self) -> int | None:
        """How it ended; None before that is known."""

    def poll(self) -> int | None:
        """How it ended, if it has."""

    def wait(self) -> int:
        """How it ended, once it has."""

    def send_signal(self, number: int, /) -> None:
        """Send it a signal, unless it has ended."""

    def kill(self) -> None:
        """Have it killed, unless it has ended."""


class Forwarder:
    """Passes signals that ask us to end on to the command, while it runs.

    A key pressed in the terminal reaches the command without us, unless it has a process group of its own; sent again
    it would be a second key press, at which many programs drop everything. Outside the main thread, where Python
    delivers no signals, it passes on none. Entering it raises `Unavailable` where the end of a command would be lost.
    """

    def __init__(self, *, own_group: bool) -> None:
        self._own_group = own_group
        self._process: Running | None = None
        self._waiting: list[int] = []
        self._before: dict[signal.Signals, object] = {}
        self.received: int | None = None

    def __enter__(self) -> Forwarder:
        for number in _ENDING:
            before = signal.getsignal(number)
            # What is ignored (as by nohup) stays ignored; what was not set by Python cannot be put back.
            if before not in (signal.SIG_IGN, None) and not self._set(number, self._receive):
                break
        # Where nobody wants to hear of the end of children, the system forgets how they ended.
        if signal.getsignal(signal.SIGCHLD) == signal.SIG_IGN and not self._set(signal.SIGCHLD, signal.SIG_DFL):
            self.__exit__()
            raise Unavailable(
                "it could not be found out how the command ends: this process ignores SIGCHLD",
                remedy="set it to SIG_DFL, which only the main thread can, or record from there",
            )
        return self

    def _set(self, number: signal.Signals, handler: Handler) -> bool:
        before = signal.getsignal(number)
        try:
            signal.signal(number, handler)
        except ValueError:
            return False  # not the main thread
        self._before[number] = before
        return True

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)  # type: ignore[arg-type]  # as getsignal gave it

    def attach(self, process: Running) -> None:
        """Name the process to pass signals on to, those too that came before it had started."""
        self._process = process
        for number in self._waiting:
            self._pass_on(process, number)

    def _receive(self, number: int, _: FrameType | None) -> None:
        self.received = number
        if self._process is None:
            self._waiting.append(number)
        elif self._own_group or number not in _FROM_TERMINAL or not _in_foreground():
            self._pass_on(self._process, number)

    def _pass_on(self, process: Running, number: int) -> None:
        if process.poll() is not None:
            return
        if self._own_group:
            signal_group(process.pid, number)
        else:
            process.send_signal(number)


def _in_foreground() -> bool:
    """Whether a key pressed in our terminal is sent to the processes of our group."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


def signal_group(group: int, number: int) -> None:
    """Send a signal to all processes of `group`."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return  # all of them have ended
