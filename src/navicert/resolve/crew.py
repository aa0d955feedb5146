"""Several workers for one list of jobs: threads, or forked processes where the whole process is ours.

Jobs are numbered and taken in order, each by whoever is free. The results are those of one worker, in the same order,
and so is the error: that of the first job that fails. A worker that ends early is an error, never a shorter result.
"""

from __future__ import annotations

import marshal
import os
import sys

from navicert.errors import Unavailable
from navicert.interface import Callable, TypeVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

T = TypeVar("T")

Check = Callable[[], None]
"""To be called now and then in a long job: it does not return where nobody waits for the result any more."""
Worker = Callable[[Check], Callable[[int], T]]
"""Makes the function that does a job, for one worker alone."""

MOST_JOBS: Final = 1024
"""Jobs for processes: the numbers of all of them must fit into a pipe, which may be as small as a page."""
_MOST_WORKERS: Final = 8
"""Beyond that many they wait for the file system or for memory."""
_NUMBER: Final = 4
_LENGTH: Final = 8


def processors() -> int:
    """How many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def may_fork() -> bool:
    """Whether forking is safe: another thread could hold a lock that nobody in the new process would ever release."""
    threading = sys.modules.get("threading")
    return hasattr(os, "fork") and (threading is None or threading.active_count() == 1)


def in_order(jobs: int, worker: Worker[T]) -> list[T]:
    """The results of all jobs, done one after the other."""
    work = worker(_go_on)
    return [work(job) for job in range(jobs)]


def _go_on() -> None:
    """Somebody waits for the result."""


class _Stopped(Exception):
    """Nobody waits for the result any more."""


def in_threads(jobs: int, worker: Worker[T], workers: int) -> list[T]:
    """As `in_order`, by several threads. It gains where the work is done outside the interpreter."""
    import threading

    results: dict[int, T] = {}
    failures: dict[int, BaseException] = {}
    queue = list(reversed(range(jobs)))
    lock = threading.Lock()
    stopped = threading.Event()

    def check() -> None:
        if stopped.is_set():
            raise _Stopped

    def run() -> None:
        work = worker(check)
        while True:
            with lock:
                if not queue:
                    return
                job = queue.pop()
            try:
                results[job] = work(job)
            except _Stopped:
                return
            except BaseException as error:  # noqa: BLE001  # raised by the thread that waits
                with lock:
                    queue.clear()  # what is being done is finished: an earlier job may fail too
                failures[job] = error
                if not isinstance(error, Unavailable):
                    stopped.set()
                return

    threads = [threading.Thread(target=run, daemon=True) for _ in range(min(workers, _MOST_WORKERS, jobs) - 1)]
    for thread in threads:
        thread.start()
    try:
        run()
        for thread in threads:
            thread.join()
    finally:
        stopped.set()
        queue.clear()
        for thread in threads:
            thread.join()
    if failures:
        raise failures[min(failures)]
    return [results[job] for job in range(jobs)]


def in_processes(jobs: int, worker: Worker[T], workers: int) -> list[T]:
    """As `in_order`, by this process and others that are forked from it; results must be what `marshal` can write.

    At most `MOST_JOBS`. Jobs may raise `Unavailable`. Raises it too where a process ended before its work was done.
    """
    queue, tail = os.pipe()
    # Whoever reads four bytes has a job that nobody else has.
    os.write(tail, b"".join(job.to_bytes(_NUMBER, "little") for job in range(jobs)))
    os.close(tail)
    children: list[_Child] = []
    try:
        for _ in range(min(workers, _MOST_WORKERS, jobs) - 1):
            child = _Child.fork(queue, worker)
            if child is None:
                break  # no more processes for us: then fewer do the work
            children.append(child)
        done, failures = _do(queue, worker(_go_on))
        for child in children:
            theirs, failed = child.report()
            done += theirs
            failures += failed
    finally:
        os.close(queue)
        for child in children:
            child.end()
    if failures:
        raise min(failures, key=lambda failure: failure[0])[1]
    results = dict(done)
    return [results[job] for job in range(jobs)]


Done = tuple[list[tuple[int, T]], list[tuple[int, Unavailable]]]
"""What one worker has done, by job, and what it failed at."""


def _do(queue: int, work: Callable[[int], T]) -> Done[T]:
    done: list[tuple[int, T]] = []
    while number := os.read(queue, _NUMBER):
        job = int.from_bytes(number, "little")
        try:
            done.append((job, work(job)))
        except Unavailable as error:
            # Jobs before this one have all been taken, and are finished; those after it are not begun.
            while os.read(queue, MOST_JOBS * _NUMBER):
                pass
            return done, [(job, error)]
    return done, []


class _Child:
    """A forked process, seen from the one that waits for it."""

    def __init__(self, process: int, pipe: int) -> None:
        self._process: int | None = process
        self._pipe = pipe

    @staticmethod
    def fork(queue: int, worker: Worker[Any]) -> _Child | None:
        """A process that works off `queue`; None where the system allows no more of them."""
        pipe, mouth = os.pipe()
        parent = os.getpid()
        try:
            process = os.fork()
        except OSError:
            os.close(pipe)
            os.close(mouth)
            return None
        if process == 0:
            _live(queue, mouth, worker, parent)
        os.close(mouth)
        return _Child(process, pipe)

    def report(self) -> Done[Any]:
        """What the process has done, once it has ended. Raises `Unavailable` where it did not come to its end."""
        received = bytearray()
        while piece := os.read(self._pipe, 1 << 20):
            received += piece
        status = self._wait()
        length = int.from_bytes(received[:_LENGTH], "little")
        if len(received) < _LENGTH or len(received) != _LENGTH + length:
            raise _died(f"killed by signal {-status}" if status < 0 else f"exit status {status}")
        message = memoryview(received)[_LENGTH:]
        done, failures = marshal.loads(message)  # noqa: S302  # written by ourselves, a moment ago
        return done, [(job, _unpacked(failure)) for job, failure in failures]

    def end(self) -> None:
        """End the process, if it has not ended by itself."""
        if self._process is not None:
            import signal

            os.kill(self._process, signal.SIGKILL)
            self._wait()
        os.close(self._pipe)

    def _wait(self) -> int:
        process, self._process = self._process, None
        try:
            return os.waitstatus_to_exitcode(os.waitpid(process or 0, 0)[1])
        except ChildProcessError:
            return 0  # whoever started us wants to hear of no child's end; the report says whether it was a good one


def _live(queue: int, mouth: int, worker: Worker[Any], parent: int) -> None:
    """The whole life of a forked process: nothing that this process was about to do may happen twice."""
    import gc
    import signal

    code = 1
    try:
        gc.disable()  # it writes to whatever it looks at: to the memory that this process shares with the other one
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            if callable(signal.getsignal(number)):
                signal.signal(number, signal.SIG_DFL)

        def check() -> None:
            if os.getppid() != parent:
                os._exit(1)

        work = worker(check)

        def checked(job: int) -> Any:
            check()
            return work(job)

        done, failures = _do(queue, checked)
        message = marshal.dumps((done, [(job, _packed(error)) for job, error in failures]))
        for part in (len(message).to_bytes(_LENGTH, "little"), message):
            rest = memoryview(part)
            while rest:
                rest = rest[os.write(mouth, rest) :]
        code = 0
    finally:
        os._exit(code)


def _died(how: str) -> Unavailable:
    return Unavailable(f"a process that was hashing files ended early: {how}", remedy="record again")


Packed = tuple[str, str, str, int | None, str | None]


def _packed(error: Unavailable) -> Packed:
    """`error` as plain values, with the error of the system that it follows from."""
    cause = error.__cause__
    number, text = (cause.errno, cause.strerror) if isinstance(cause, OSError) else (None, None)
    return error.what, error.path, error.remedy, number, text


def _unpacked(packed: Packed) -> Unavailable:
    what, path, remedy, number, text = packed
    error = Unavailable(what, path=path, remedy=remedy)
    if number is not None:
        error.__cause__ = OSError(number, text, path)
    return error
