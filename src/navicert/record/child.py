"""A command that is started and waited for as `subprocess` would, where that is all that has to be done with it.

Loading `subprocess` takes longer than all else that recording a small step takes. What it does for a command that runs
in this folder, with our own input and output or none, the system does in one call.
"""

from __future__ import annotations

import errno
import os
import time

from navicert.errors import Unavailable
from navicert.record.signal import system as signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any, Final

    from navicert.record.process import Wires

NOWHERE: Final = -3
"""In place of a file descriptor: nothing to read, or output thrown away. (The number that `subprocess` has for it.)"""

# What the interpreter ignores, and commands expect not to be ignored. Python documentation: subprocess,
# restore_signals.
_RESTORED: Final = (signal.SIGPIPE, signal.SIGXFSZ)
_DESCRIPTORS: Final = "/dev/fd"
_NOT_THERE: Final = (errno.ENOENT, errno.ENOTDIR)

_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.0005, 0.05
"""Seconds between looks at whether a command has ended whose time is limited."""


class Child:
    """A process that we started. Once it has ended, `returncode` is its status, or minus the number of the signal that
    killed it."""

    def __init__(self, pid: int, name: str) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._name = name
        self._lost = False

    def poll(self) -> int | None:
        """The status if it has ended by now; None otherwise, and where nobody can say."""
        if self.returncode is None and not self._lost:
            self._reap(os.WNOHANG)
        return self.returncode

    @property
    def ended(self) -> bool:
        """Whether it has ended by now, even where nobody can say how."""
        return self.poll() is not None or self._lost

    def wait(self, seconds: float | None = None) -> int:
        """The status, once it has ended. Raises `Unavailable` where somebody else was told of it: then nobody knows
        whether the command failed; and `TimeoutError` where it is still running after so many `seconds`."""
        deadline = None if seconds is None else time.monotonic() + seconds
        pause = _SHORTEST_PAUSE
        while self.returncode is None:
            if self._lost:
                raise Unavailable("it cannot be found out how the command ended", path=self._name)
            if deadline is None:
                self._reap(0)
            else:
                pause = self._pause(deadline, pause)
        return self.returncode

    def _pause(self, deadline: float, pause: float) -> float:
        """Look, and wait a little where it is still running; how long that was. Raises `TimeoutError`."""
        self._reap(os.WNOHANG)
        if self.returncode is None and not self._lost:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            pause = min(2 * pause, left, _LONGEST_PAUSE)
            time.sleep(pause)
        return pause

    def _reap(self, options: int) -> None:
        try:
            pid, status = os.waitpid(self.pid, options)
        except ChildProcessError:
            # A signal handler may have asked in the meantime, and have been told.
            self._lost = True
            return
        if pid == self.pid:
            self.returncode = os.waitstatus_to_exitcode(status)

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended: its number may then be that of another process."""
        if self.poll() is None and not self._lost:
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return  # it ended just now

    def kill(self) -> None:
        """Have it killed."""
        self.send_signal(signal.SIGKILL)


def may_start(wires: Wires) -> bool:
    """Whether a command with these `wires` can be started here: each is our own, thrown away, or the output ours for
    messages."""
    if not hasattr(os, "posix_spawn"):
        return False
    if wires.stdin not in (None, NOWHERE) or wires.stdout not in (1, 2, NOWHERE) or wires.stderr not in (2, NOWHERE):
        return False
    try:
        # Where one was closed, what took its place is not handed on; and what cannot be listed cannot be kept back.
        return os.get_inheritable(1) and os.get_inheritable(2) and os.path.isdir(_DESCRIPTORS)
    except OSError:
        return False


def start(command: Sequence[str], environ: Mapping[str, str] | None, wires: Wires) -> Child:
    """`command` started with `wires`, for which `may_start` is true, and with no other open file of ours.

    It is looked for, and what is wrong with it is raised, as by `subprocess`: `ValueError`, `FileNotFoundError` and
    other kinds of `OSError`.
    """
    variables = os.environ if environ is None else environ
    actions = list(_actions(wires))
    problem: OSError | None = None
    for path in _candidates(command[0], variables):
        try:
            os.stat(path)  # much cheaper than to try
            pid = os.posix_spawn(path, list(command), variables, file_actions=actions, setsigdef=_RESTORED)
        except OSError as error:
            if problem is None and (error.errno not in _NOT_THERE or os.path.dirname(command[0])):
                problem = error
        else:
            return Child(pid, command[0])
    raise problem or FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), command[0])


def _candidates(program: str, variables: Mapping[str, str]) -> list[str]:
    """Where `program` may be, in the order to try. Spec: POSIX, environment variable PATH."""
    if os.path.dirname(program):
        return [program]
    return [os.path.join(folder, program) for folder in variables.get("PATH", os.defpath).split(os.pathsep)]


def _actions(wires: Wires) -> Iterator[tuple[Any, ...]]:
    """What the new process does with its file descriptors before it becomes the command."""
    if wires.stdin == NOWHERE:
        yield os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDWR, 0
    if wires.stdout == NOWHERE:
        yield os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_RDWR, 0
    elif wires.stdout != 1:
        yield os.POSIX_SPAWN_DUP2, wires.stdout, 1
    if wires.stderr == NOWHERE:
        yield os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_RDWR, 0
    # A password may come in through one of the others.
    for number in map(int, os.listdir(_DESCRIPTORS)):
        if number > 2 and _is_inherited(number):
            yield os.POSIX_SPAWN_CLOSE, number


def _is_inherited(number: int) -> bool:
    try:
        return os.get_inheritable(number)
    except OSError:
        return False  # the one that the list was read through
