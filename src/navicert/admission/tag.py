"""What tags stood for a moment ago: for so short that a rollout asks once, and a tag that moves is seen at once."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import Final

from navicert.admission.reach import Way
from navicert.digest import Digest
from navicert.oci.reference import Reference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LIFETIME: Final = 3.0
"""Seconds."""
_MOST: Final = 1_000


class Tags:
    """Digests by reference and the way it was asked on. Thread-safe."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: OrderedDict[tuple[Way, Reference], tuple[Digest, float]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, key: tuple[Way, Reference]) -> Digest | None:
        """What the tag stood for less than `LIFETIME` ago."""
        with self._lock:
            known = self._known.get(key)
            if known is None or self._clock() >= known[1]:
                return None
            return known[0]

    def keep(self, key: tuple[Way, Reference], digest: Digest) -> None:
        """Remember what the tag stands for."""
        with self._lock:
            self._known[key] = (digest, self._clock() + LIFETIME)
            self._known.move_to_end(key)
            while len(self._known) > _MOST:
                self._known.popitem(last=False)
