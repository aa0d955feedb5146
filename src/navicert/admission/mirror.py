"""A list of a cluster, mirrored: read once, then followed by what the API server says of each change.

Where the API server is away, what was mirrored last stays, and `problem` says why it may be old. A change that cannot
be understood changes nothing: the list is read again as a whole. Spec: Kubernetes API concepts, "Efficient detection of
changes".
"""

from __future__ import annotations

import random
import threading
import time
from datetime import UTC, datetime
from typing import Final, Protocol

from navicert.admission.cluster import Cluster, Event, Object, VersionGone
from navicert.admission.limits import ADMISSION
from navicert.admission.listing import whole
from navicert.errors import LimitExceeded, Malformed, NavicertError, Unavailable
from navicert.model.field import as_object, as_text, required

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

WATCH_SECONDS: Final = 60
"""How long one watch goes on before the next takes over: a connection that is dead without saying so is noticed."""
FIRST_PAUSE: Final = 1.0
"""How long to wait after a first failure; twice as long after each further one."""
LONGEST_PAUSE: Final = 30.0
"""How long to wait at most. A random half of it is left out, so that replicas do not all ask at once."""
SHORTEST_STEP: Final = 1.0
"""How long a step and the pause behind it take at least. A watch that ends sooner without an event is a failure."""

# Of the system: the generator that all of a process share is its host's to seed.
_chance: Final = random.SystemRandom().random


class Mirror:
    """The objects of the list at `path`, those that `selector` (of the address, such as `labelSelector=a%3Db`) names or
    all. `changed` is called after each change, from the thread that follows."""

    def __init__(
        self,
        cluster: Cluster,
        path: str,
        selector: str = "",
        *,
        most: int = ADMISSION.policies,
        jitter: Callable[[], float] = _chance,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cluster = cluster
        self._path = path
        self._selector = selector
        self._most = most
        self._jitter = jitter
        self._clock = clock
        self._objects: Mapping[tuple[str, str], Object] = {}
        self._version: str | None = None
        self._failures = 0
        self.changed: Callable[[], None] = lambda: None
        self.known = False
        """Whether the list has been read at all."""
        self.problem = ""
        """Why the mirror may be old; empty where it is not."""

    def __call__(self) -> tuple[Object, ...]:
        """The objects as they were last known to be, by namespace and name. At first raises as `refresh`."""
        if not self.known:
            self.refresh()
        return tuple(one for _, one in sorted(self._objects.items()))

    def refresh(self) -> None:
        """Read the whole list. Raises `Unavailable`, `Malformed` and `LimitExceeded`: then all is as it was."""
        found = whole(self._cluster, self._path, self._selector, most=self._most)
        self._take({_name(one): one for one in found.items})
        self._version = found.version
        self.known = True
        self.problem = ""

    def step(self) -> float:
        """Follow for a while, after reading the list where that is needed; the seconds to wait before the next step.
        Never raises for what an API server does: see `problem`."""
        started = self._clock()
        try:
            if self._version is None:
                self.refresh()
            self._follow(self._version or "")
        except Exception as error:  # noqa: BLE001  # the edge: a thread that ended would leave old policies unsaid
            # Whatever it was, events may have been lost: what is there now is in the list.
            self._version = None
            if not isinstance(error, VersionGone):
                known = isinstance(error, NavicertError)
                self.problem = str(error) if known else f"internal error: {type(error).__name__}"
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(self._failures, 16))
            self._failures += 1
            return pause * (1 - self._jitter() / 2)
        self._failures = 0
        # A server that ends every watch behind one event is not asked without a pause either.
        return max(0.0, SHORTEST_STEP - (self._clock() - started))

    def _follow(self, version: str) -> None:
        started, events = self._clock(), 0
        with self._cluster.watch(self._path, version, WATCH_SECONDS, self._selector) as happening:
            self.problem = ""
            for event in happening:
                events += 1
                self._version = self._after(event)
        if not events and self._clock() - started < SHORTEST_STEP:
            raise Unavailable("the watch ended as soon as it began", path=self._path)

    def _after(self, event: Event) -> str:
        """The version of the cluster once `event` is taken over."""
        metadata = as_object(required(event.object, "metadata", "/object"), "/object/metadata")
        version = as_text(required(metadata, "resourceVersion", "/object/metadata"), "/object/metadata/resourceVersion")
        if event.kind == "BOOKMARK":
            return version
        objects = dict(self._objects)
        if event.kind in ("ADDED", "MODIFIED"):
            objects[_name(event.object)] = event.object
        elif event.kind == "DELETED":
            objects.pop(_name(event.object), None)
        else:
            raise Malformed("an event that nobody knows", path=self._path, got=ascii(event.kind[:40]))
        if len(objects) > self._most:
            raise LimitExceeded("too many objects (limit policies)", path=self._path, expected=f"at most {self._most}")
        self._take(objects)
        return version

    def _take(self, objects: Mapping[tuple[str, str], Object]) -> None:
        if objects != self._objects:
            # Replaced and never changed in place: whoever reads sees one state or the next.
            self._objects = objects
            self.changed()


def _name(one: Object) -> tuple[str, str]:
    """Namespace (empty for none) and name. Raises `Malformed` for what has no name: it could stand for any other."""
    metadata = as_object(required(one, "metadata", ""), "/metadata")
    name = as_text(required(metadata, "name", "/metadata"), "/metadata/name")
    if not name:
        raise Malformed("an object without a name", pointer="/metadata/name")
    return as_text(metadata.get("namespace", ""), "/metadata/namespace"), name


class Followed(Protocol):
    """What is followed from `start` to `stop`."""

    def start(self, changed: Callable[[], None]) -> None:
        """Follow from now on, and call `changed` after each change."""

    def stop(self) -> None:
        """Begin no further step."""


class Following:
    """Mirrors of several lists, each followed by a thread of its own from `start` to `stop`; and `others` with them,
    which say themselves how old they are."""

    def __init__(
        self,
        mirrors: Sequence[Mirror],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        others: Sequence[Followed] = (),
    ) -> None:
        self._mirrors = mirrors
        self._others = others
        self._clock = clock
        self._end = threading.Event()
        self._threads: list[threading.Thread] = []
        self._since: datetime | None = None

    def start(self, changed: Callable[[], None]) -> None:
        """Follow from now on, and call `changed` after each change."""
        for mirror in self._mirrors:
            mirror.changed = changed
            # Not waited for at the end: a watch may have nothing to say for a minute.
            thread = threading.Thread(target=self._run, args=(mirror,), name="navicert-follow", daemon=True)
            thread.start()
            self._threads.append(thread)
        for other in self._others:
            other.start(changed)

    def stop(self) -> None:
        """Begin no further step."""
        self._end.set()
        for other in self._others:
            other.stop()

    @property
    def ended(self) -> bool:
        """Whether nothing is followed any more, after `stop`."""
        return not any(thread.is_alive() for thread in self._threads)

    @property
    def problem(self) -> str:
        """Why what is mirrored may be old; empty where it is not."""
        return next((mirror.problem for mirror in self._mirrors if mirror.problem), "")

    @property
    def stale_since(self) -> datetime | None:
        """Since when what is mirrored may be old, as it was first asked; None where it is not."""
        if not self.problem:
            self._since = None
        elif self._since is None:
            self._since = self._clock()
        return self._since

    def _run(self, mirror: Mirror) -> None:
        while not self._end.is_set():
            pause = mirror.step()
            self._end.wait(pause)
