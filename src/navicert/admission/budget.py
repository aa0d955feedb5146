"""What one judgement may spend: time, and bytes read from registries.

Whoever names an image chooses the registry that answers, so both end: the time that one image may take, the bytes that
are read for it, and the bytes for all images of the review that asked first.
"""

from __future__ import annotations

import threading
import time

from navicert.errors import LimitExceeded, Unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Purse:
    """Bytes that may still be read, shared by threads."""

    def __init__(self, most: int, limit: str) -> None:
        self.most = most
        self.limit = limit
        self._left = most
        self._lock = threading.Lock()

    def spend(self, count: int) -> bool:
        """Whether there was enough for `count` bytes."""
        with self._lock:
            self._left -= count
            return self._left >= 0


class Budget:
    """Time until `deadline` (seconds of the monotonic clock) and what is in `own` and in the review's `shared` purse.
    Each check raises for what `path` names."""

    def __init__(
        self, deadline: float, own: Purse, shared: Purse | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._deadline = deadline
        self._own = own
        self._shared = shared
        self._clock = clock

    def check(self, path: str) -> None:
        """Raises `Unavailable` where the time is up."""
        if self._clock() >= self._deadline:
            raise Unavailable("no time left for this image", path=path, remedy="its registry answers too slowly")

    def spend(self, count: int, path: str) -> None:
        """Take `count` bytes. Raises `LimitExceeded` where this image has used up its own, `Unavailable` where the
        images of one review together have, which says nothing about this one."""
        self.check(path)
        if not self._own.spend(count):
            raise LimitExceeded(
                f"too much to read for one image (limit {self._own.limit})",
                path=path,
                expected=f"at most {self._own.most} bytes",
            )
        if self._shared is not None and not self._shared.spend(count):
            raise Unavailable(
                f"too much to read for one review (limit {self._shared.limit})",
                path=path,
                expected=f"at most {self._shared.most} bytes",
            )
