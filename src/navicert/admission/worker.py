"""Threads that judge, in lanes: one slow registry cannot keep all of them.

At most `lane` jobs of one lane run at a time, and what waits beyond `queue` is refused at once instead of being late.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from navicert.admission.limits import ADMISSION, AdmissionLimits
from navicert.errors import Unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

T = TypeVar("T")
_Job = Callable[[], None]


class Workers:
    """A pool of threads with lanes. Closed by its `with` block."""

    def __init__(self, limits: AdmissionLimits = ADMISSION) -> None:
        self._limits = limits
        self._pool = ThreadPoolExecutor(limits.workers, thread_name_prefix="navicert-judge")
        self._running: Counter[str] = Counter()
        self._waiting: dict[str, deque[_Job]] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Start nothing more. What runs goes on until it ends."""
        with self._lock:
            self._waiting.clear()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def submit(self, lane: str, work: Callable[[], T]) -> Future[T]:
        """The outcome of `work`, which runs when a thread and its `lane` are free. Raises `Unavailable` where too many
        wait already."""
        future: Future[T] = Future()

        def job() -> None:
            try:
                if future.set_running_or_notify_cancel():
                    try:
                        result = work()
                    except BaseException as error:  # noqa: BLE001  # handed to whoever waits for it
                        future.set_exception(error)
                    else:
                        future.set_result(result)
            finally:
                self._next(lane)

        with self._lock:
            if self._running[lane] >= self._limits.lane:
                waiting = self._waiting.setdefault(lane, deque())
                if len(waiting) >= self._limits.queue:
                    raise Unavailable("too many images of this registry are waiting (limit queue)", path=lane)
                waiting.append(job)
                return future
            self._running[lane] += 1
        self._pool.submit(job)
        return future

    def _next(self, lane: str) -> None:
        """Start what has waited longest in `lane`."""
        with self._lock:
            waiting = self._waiting.get(lane)
            if not waiting:
                self._waiting.pop(lane, None)
                self._running[lane] -= 1
                if not self._running[lane]:
                    del self._running[lane]
                return
            job = waiting.popleft()
        try:
            self._pool.submit(job)
        except RuntimeError:
            return  # closed meanwhile
