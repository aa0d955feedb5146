"""Verdicts that are remembered, and work that is done once for all who wait for it.

The key of a verdict is the digest of the image, what decides of the policy, and the version of this program: never a
tag or any text of a user's. A pass holds for an hour at most, and no longer than what it rests on; a refusal for half a
minute; what could not be found out for a second. What passed stays known beyond its hour, for policies that go on with
it while a registry is down; a refusal in between ends that.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import Final, Generic, TypeVar

from navicert.admission.judgement import Judgement, Standing
from navicert.admission.limits import ADMISSION
from navicert.dataclass import dataclass
from navicert.digest import Digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from datetime import datetime

K = TypeVar("K")
V = TypeVar("V")

LIFETIMES: Final = {Standing.PASSED: 3600.0, Standing.FAILED: 30.0, Standing.UNKNOWN: 1.0}
"""Seconds that a judgement is taken for granted."""


@dataclass(frozen=True, slots=True)
class VerdictKey:
    """What a verdict is about. `repository` is there because evidence is looked for where the image is; `namespace`
    only where the policy's parameters name it, `credentials` where a workload's own were shown: without them less may
    be seen, and what one workload may see is not told to another."""

    repository: str
    digest: Digest
    policy: Digest
    version: str
    namespace: str = ""
    credentials: str = ""


@dataclass(frozen=True, slots=True)
class _Entry:
    judgement: Judgement
    stale: float
    """When it is to be judged again, by the monotonic clock."""


class VerdictCache:
    """Judgements by their key, the least recently used forgotten first. Thread-safe."""

    def __init__(self, most: int = ADMISSION.cached, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._entries: OrderedDict[VerdictKey, _Entry] = OrderedDict()
        self._passed: OrderedDict[VerdictKey, Judgement] = OrderedDict()
        self._refused: OrderedDict[VerdictKey, None] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, key: VerdictKey, at: datetime) -> Judgement | None:
        """What is still known about `key` at the moment `at`."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            until = entry.judgement.until
            if self._clock() >= entry.stale or (until is not None and at >= until):
                del self._entries[key]
                return None
            self._entries.move_to_end(key)
            return entry.judgement

    def keep(self, key: VerdictKey, judgement: Judgement) -> None:
        """Remember `judgement`."""
        with self._lock:
            self._entries[key] = _Entry(judgement, self._clock() + LIFETIMES[judgement.standing])
            self._entries.move_to_end(key)
            if judgement.passed:
                self._passed[key] = judgement
                self._passed.move_to_end(key)
                self._refused.pop(key, None)
            elif judgement.standing is Standing.FAILED:
                self._passed.pop(key, None)
                self._refused[key] = None
            for memory in (self._entries, self._passed, self._refused):
                while len(memory) > self._most:
                    memory.popitem(last=False)

    def before(self, key: VerdictKey, at: datetime) -> Judgement | None:
        """The pass of `key` that was the last thing found out about it, where what it rests on has not expired."""
        with self._lock:
            judgement = self._passed.get(key)
        if judgement is None or judgement.until is None or at >= judgement.until:
            return None
        return judgement

    def passes(self) -> dict[VerdictKey, Judgement]:
        """Everything that passed and was not refused since."""
        with self._lock:
            return dict(self._passed)

    def refusals(self) -> frozenset[VerdictKey]:
        """What was refused the last time that something was found out about it."""
        with self._lock:
            return frozenset(self._refused)

    def recall(self, key: VerdictKey, judgement: Judgement) -> None:
        """Take in a pass from an earlier life: known as one from before, and judged anew all the same."""
        with self._lock:
            if key not in self._entries and key not in self._refused and judgement.passed:
                self._passed.setdefault(key, judgement)
                while len(self._passed) > self._most:
                    self._passed.popitem(last=False)

    def __len__(self) -> int:
        return len(self._entries)


class Flights(Generic[K, V]):
    """Work under way, by key: whoever asks for the same thing meanwhile waits for the same answer. Thread-safe."""

    def __init__(self) -> None:
        self._flying: dict[K, Future[V]] = {}
        self._lock = threading.Lock()

    def join(self, key: K, start: Callable[[], Future[V]]) -> Future[V]:
        """The work on `key` that is under way; else what `start` begins."""
        with self._lock:
            future = self._flying.get(key)
            if future is not None:
                return future
            future = self._flying[key] = start()
        future.add_done_callback(lambda _: self._land(key))
        return future

    def _land(self, key: K) -> None:
        with self._lock:
            self._flying.pop(key, None)
