"""Running the command of a step: without a shell, shown as it runs, and captured where asked.

The command gets the standard input, environment and folder of the caller. Signals that ask this process to end are
passed on, and the command's own end is waited for.
"""

from __future__ import annotations

import os

from navicert.dataclass import dataclass
from navicert.errors import Malformed, Unavailable
from navicert.record import child
from navicert.record.child import Child
from navicert.record.forwarder import Forwarder, Running

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Final

NOWHERE: Final = child.NOWHERE
"""In place of a file descriptor: nothing to read, or output thrown away."""


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
    with Forwarder(own_group=timeout is not None) as forwarder:
        if capture is not None or timeout is not None:
            code, captured = _attended(command, cwd, environ, wires, capture, timeout, forwarder)
        else:
            process = _start(command, cwd, environ, wires)
            try:
                forwarder.attach(process)
                code, captured = process.wait(), [Captured(), Captured()]
            except BaseException:
                _kill(process)
                raise
        return Completed(code, captured[0], captured[1], forwarder.received)


def _start(command: Sequence[str], cwd: str, environ: Mapping[str, str] | None, wires: Wires) -> Child:
    if cwd or not child.may_start(wires):
        return _open(command, cwd, environ, wires)
    try:
        return child.start(command, environ, wires)
    except (ValueError, OSError) as error:
        raise _explained(error, command, cwd) from error


def _open(
    command: Sequence[str], cwd: str, environ: Mapping[str, str] | None, wires: Wires, *, own_group: bool = False
) -> Child:
    import subprocess

    try:
        started = subprocess.Popen(
            list(command),
            cwd=cwd or None,
            env=environ,
            stdin=wires.stdin,
            stdout=wires.stdout,
            stderr=wires.stderr,
            process_group=0 if own_group else None,
        )
    except (ValueError, OSError) as error:
        raise _explained(error, command, cwd) from error
    # It is waited for here and nowhere else: `subprocess` takes an end that somebody else was told of for a success.
    started.returncode = 0
    return Child(started.pid, command[0])


def _explained(error: ValueError | OSError, command: Sequence[str], cwd: str) -> Exception:
    """Why the command was not started, in our words."""
    if isinstance(error, ValueError):
        return Malformed(f"not a command: {error}", got=repr(command[0][:80]))
    if isinstance(error, FileNotFoundError):
        if os.path.dirname(command[0]) and os.path.exists(os.path.join(cwd, command[0])):
            return CommandNotExecutable("its interpreter is not there", path=command[0])
        return CommandNotFound("command not found", path=command[0])
    reason = (error.strerror or "failed").lower()
    return CommandNotExecutable(f"cannot be executed: {reason}", path=command[0])


def _attended(
    command: Sequence[str],
    cwd: str,
    environ: Mapping[str, str] | None,
    wires: Wires,
    capture: int | None,
    timeout: float | None,
    forwarder: Forwarder,
) -> tuple[int, list[Captured]]:
    """How the command ended that is watched while it runs, and what was kept of its output."""
    import time

    from navicert.record.attendance import Tap, attend, kill_group

    deadline = None if timeout is None else time.monotonic() + timeout
    taps: list[Tap] = []
    try:
        if capture is not None:
            for sink in (wires.stdout, wires.stderr):
                taps.append(Tap(sink, capture))
            wires = Wires(wires.stdin, taps[0].write_end, taps[1].write_end)
        process = _open(command, cwd, environ, wires, own_group=timeout is not None)
        try:
            forwarder.attach(process)
            for tap in taps:
                tap.close_write_end()
            try:
                code = attend(process, taps, deadline)
            except TimeoutError as error:
                kill_group(process)
                raise TimedOut(f"still running after {timeout:g} seconds, killed", path=command[0]) from error
        except BaseException:
            _kill(process)
            raise
        captured = [Captured(tap.data, tap.dropped) for tap in taps] or [Captured(), Captured()]
        return code, captured
    finally:
        for tap in taps:
            tap.close()


def _kill(process: Running) -> None:
    if process.poll() is None:
        process.kill()
        process.wait()
