"""How much judging each namespace may ask for: a bucket of tokens that fills up again.

Whoever may create Pods in one namespace must not use up the threads and registries that all others need. What is
remembered, and what somebody else has asked for already, costs nothing.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from typing import Final

from navicert.admission.limits import ADMISSION, AdmissionLimits
from navicert.dataclass import dataclass
from navicert.errors import Unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_KEPT: Final = 5_000
"""Namespaces that are remembered. One that is forgotten has a full bucket again, as it has after a pause anyway."""


class Spent(Unavailable):
    """The namespace has asked for too much."""


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class Quota:
    """A bucket for each namespace. Thread-safe."""

    def __init__(self, limits: AdmissionLimits = ADMISSION, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, namespace: str) -> None:
        """Take a token of `namespace`. Raises `Spent` where it has none left."""
        most, rate = self._limits.namespace_judgements, self._limits.namespace_judgements_per_second
        with self._lock:
            now = self._clock()
            bucket = self._buckets.setdefault(namespace, _Bucket(most, now))
            self._buckets.move_to_end(namespace)
            bucket.tokens = min(most, bucket.tokens + (now - bucket.at) * rate)
            bucket.at = now
            while len(self._buckets) > _KEPT:
                self._buckets.popitem(last=False)
            if bucket.tokens >= 1:
                bucket.tokens -= 1
                return
            seconds = math.ceil((1 - bucket.tokens) / rate)
        raise Spent(
            f"asks for more new images than it may (limit namespace_judgements); again in {seconds} s",
            path=f"namespace {namespace}",
        )
