"""Registries that gave no answer of late: for a while nobody waits for them any more.

A registry that is down would use up the time of every review that names it, and the threads that others need. After
some failures in a row it is not asked for a while, and whoever needs it is told so at once; then one request at a time
tries whether it is back. Only what a registry fails to answer counts. What it answers about one image, however odd,
does not: else whoever may push one could have it closed for all.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

from navicert.admission.limits import ADMISSION, AdmissionLimits
from navicert.dataclass import dataclass
from navicert.errors import Malformed, Unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_KEPT: Final = 1_000
"""Registries that are remembered: whoever names an image names one."""


class Closed(Unavailable):
    """The registry is not asked at present."""


@dataclass(slots=True)
class _State:
    failures: int = 0
    since: float = 0.0
    """When the first of the failures was."""
    until: float = 0.0
    """Until when nobody asks; 0 where everybody may."""
    probing: bool = False


class Breaker:
    """Counts for each registry host the failures in a row. Thread-safe."""

    def __init__(
        self,
        limits: AdmissionLimits = ADMISSION,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._limits = limits
        self._clock = clock
        self._now = now
        self._states: OrderedDict[str, _State] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def asking(self, registry: str) -> Iterator[None]:
        """Around one request to `registry`. Raises `Closed` where it is not to be made."""
        probe = self._enter(registry)
        try:
            yield
        except Unavailable:
            self._failed(registry)
            raise
        except Malformed:
            self._answered(registry)
            raise
        except BaseException:
            self._release(registry, probe=probe)
            raise
        self._answered(registry)

    def _enter(self, registry: str) -> bool:
        """Whether this request is the one that tries whether the registry is back."""
        with self._lock:
            state = self._states.get(registry)
            if state is None or not state.until:
                return False
            left = state.until - self._clock()
            if left <= 0 and not state.probing:
                state.probing = True
                return True
        again = self._now() + timedelta(seconds=max(left, 0.0))
        when = f"it is asked again at {again:%H:%M:%SZ}" if left > 0 else "it is being asked whether it is back"
        raise Closed(f"gave no answer {self._limits.outages} times in a row; {when}", path=registry)

    def _failed(self, registry: str) -> None:
        with self._lock:
            state = self._states.setdefault(registry, _State())
            self._states.move_to_end(registry)
            now = self._clock()
            if now - state.since > self._limits.outage_window_seconds and not state.until:
                state.failures = 0
            if not state.failures:
                state.since = now
            state.failures += 1
            if state.probing or (state.failures >= self._limits.outages and not state.until):
                state.until = now + self._limits.outage_pause_seconds
                state.probing = False
            while len(self._states) > _KEPT:
                self._states.popitem(last=False)

    def _answered(self, registry: str) -> None:
        with self._lock:
            self._states.pop(registry, None)

    def _release(self, registry: str, *, probe: bool) -> None:
        """The request was not made, or ended with neither: another one may try."""
        with self._lock:
            state = self._states.get(registry)
            if probe and state is not None:
                state.probing = False
