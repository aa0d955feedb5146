"""Running the command of a step: without a shell, shown as it runs, and captured where asked.

The command gets the standard input, environment and folder of the caller. Signals that ask this process to end are
passed on, and the command's own end is waited for.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Final

from navicert.errors import Malformed, Unavailable

NOWHERE: Final = subprocess.DEVNULL
"""In place of a file descriptor: nothing to read, or output thrown away."""

_CHUNK: Final = 64 * 1024
_TICK: Final = 0.1
"""Seconds between looks at whether the command has ended while its output is awaited."""
_LEFT_BEHIND: Final = 1.0
"""Seconds to go on reading after the command ended: what it left running may hold its output open for ever."""
_GRACE: Final = 5.0
"""Seconds between asking a command that is out of time to end and killing it."""

_ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_FROM_TERMINAL: Final = (signal.SIGINT, signal.SIGQUIT)


class CommandNotFound(Unavailable):
    """There is no such program."""


class CommandNotExecutable(Unavailable):
    """The program is there and cannot be executed."""


class TimedOut(Unavailable):
    """The command was still running after the time it was given, and was killed."""


@dataclass(frozen=True, slots=True)
class Wires:
    """The file descriptors that a command reads from and writes to; each may be `NOWHERE`, `stdin` None for ours."""

    stdin: int | None = None
    stdout: int = 1
    stderr: int = 2


@dataclass(frozen=True, slots=True)
class Captured:
    """What was kept of one output stream, and how many bytes more there were."""

    data: bytes = b""
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Completed:
    """How a command ended. `code` is its exit status, or minus the number of the signal that killed it; `interrupted`
    is the signal that this process was sent while the command ran."""

    code: int
    stdout: Captured = Captured()
    stderr: Captured = Captured()
    interrupted: int | None = None

    @property
    def exit_code(self) -> int:
        """What a shell would give: the status, or 128 plus the signal. Never 0 for what was interrupted."""
        if self.code == 0 and self.interrupted is not None:
            return 128 + self.interrupted
        return 128 - self.code if self.code < 0 else self.code


def execute(
    command: Sequence[str],
    *,
    cwd: str = "",
    environ: Mapping[str, str] | None = None,
    wires: Wires | None = None,
    capture: int | None = None,
    timeout: float | None = None,
) -> Completed:
    """Run `command` to its end and say how it ended.

    `capture` is how many bytes of each output stream to keep beside showing them; None keeps nothing. `timeout`
    (seconds) puts the command into a process group of its own, which is killed when the time is over; such a command
    cannot read from a terminal. Raises `CommandNotFound`, `CommandNotExecutable`, `TimedOut`, and `Malformed` for
    what is no command.
    """
    if not command or not command[0]:
        raise Malformed("no command to run")
    if cwd and not os.path.isdir(cwd):
        raise Malformed("no such folder to run the command in", path=cwd)
    wires = wires or Wires()
    deadline = None if timeout is None else time.monotonic() + timeout
    with _Forwarder(own_group=timeout is not None) as forwarder, ExitStack() as stack:
        taps = []
        if capture is not None:
            taps = [_Tap(wires.stdout, capture), _Tap(wires.stderr, capture)]
            for tap in taps:
                stack.callback(tap.close)
            wires = Wires(wires.stdin, taps[0].write_end, taps[1].write_end)
        process = _start(command, cwd, environ, wires, own_group=timeout is not None)
        with _killed_on_error(process):
            forwarder.attach(process)
            for tap in taps:
                tap.close_write_end()
            try:
                _attend(process, taps, deadline)
            except subprocess.TimeoutExpired as error:
                _kill_group(process)
                raise TimedOut(f"still running after {timeout:g} seconds, killed", path=command[0]) from error
        captured = [tap.captured() for tap in taps] or [Captured(), Captured()]
        return Completed(process.returncode, captured[0], captured[1], forwarder.received)


def _start(
    command: Sequence[str], cwd: str, environ: Mapping[str, str] | None, wires: Wires, *, own_group: bool
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            list(command),
            cwd=cwd or None,
            env=environ,
            stdin=wires.stdin,
            stdout=wires.stdout,
            stderr=wires.stderr,
            process_group=0 if own_group else None,
        )
    except ValueError as error:
        raise Malformed(f"not a command: {error}", got=repr(command[0][:80])) from error
    except FileNotFoundError as error:
        if os.path.dirname(command[0]) and os.path.exists(os.path.join(cwd, command[0])):
            raise CommandNotExecutable("its interpreter is not there", path=command[0]) from error
        raise CommandNotFound("command not found", path=command[0]) from error
    except OSError as error:
        reason = (error.strerror or "failed").lower()
        raise CommandNotExecutable(f"cannot be executed: {reason}", path=command[0]) from error


def _attend(process: subprocess.Popen[bytes], taps: Sequence[_Tap], deadline: float | None) -> None:
    """Pass output on until the command has ended. Raises `subprocess.TimeoutExpired` at `deadline`."""
    ended: float | None = None
    with selectors.DefaultSelector() as selector:
        for tap in taps:
            selector.register(tap.read_end, selectors.EVENT_READ, tap)
        while selector.get_map():
            for key, _ in selector.select(_TICK):
                if not key.data.take():
                    selector.unregister(key.fileobj)
            now = time.monotonic()
            if ended is None and process.poll() is not None:
                ended = now
            if ended is not None and now > ended + _LEFT_BEHIND:
                break
            if ended is None and deadline is not None and now > deadline:
                raise subprocess.TimeoutExpired(process.args, 0)
    process.wait(None if deadline is None else max(0.0, deadline - time.monotonic()))


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    _signal_group(process.pid, signal.SIGTERM)
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        _signal_group(process.pid, signal.SIGKILL)
        process.wait()
    _signal_group(process.pid, signal.SIGKILL)  # what the command started and left


def _signal_group(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return  # all of them have ended


@contextmanager
def _killed_on_error(process: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    except BaseException:
        if process.poll() is None:
            process.kill()
            process.wait()
        raise


class _Tap:
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

    def captured(self) -> Captured:
        """What went through."""
        return Captured(bytes(self._data), self._total - len(self._data))

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


class _Forwarder:
    """Passes signals that ask us to end on to the command, while it runs.

    A key pressed in the terminal reaches the command without us, unless it has a process group of its own; sent again
    it would be a second key press, at which many programs drop everything. Does nothing outside the main thread,
    where Python delivers no signals.
    """

    def __init__(self, *, own_group: bool) -> None:
        self._own_group = own_group
        self._process: subprocess.Popen[bytes] | None = None
        self._waiting: list[int] = []
        self._before: dict[signal.Signals, object] = {}
        self.received: int | None = None

    def __enter__(self) -> _Forwarder:
        if threading.current_thread() is threading.main_thread():
            for number in _ENDING:
                before = signal.getsignal(number)
                # What is ignored (as by nohup) stays ignored; what was not set by Python cannot be put back.
                if before not in (signal.SIG_IGN, None):
                    self._before[number] = before
                    signal.signal(number, self._receive)
        return self

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)  # type: ignore[arg-type]  # as getsignal gave it

    def attach(self, process: subprocess.Popen[bytes]) -> None:
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

    def _pass_on(self, process: subprocess.Popen[bytes], number: int) -> None:
        if process.poll() is not None:
            return
        if self._own_group:
            _signal_group(process.pid, number)
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
