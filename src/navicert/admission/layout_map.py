"""ConfigMaps that policies take their layouts from: each followed by its name, or read each time that it is asked for.

Which ConfigMaps there are is known from the policies only, so each is followed by a watch of its own, for which the
right to this one name is enough. Where it may not be followed, or cannot be at the moment, it is read.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from navicert.admission.mirror import Following, Mirror
from navicert.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from navicert.admission.cluster import Cluster, Object

MOST: Final = 64
"""ConfigMaps that are followed, each by a thread and a connection, of which a client has a hundred; those beyond are
read each time."""


@dataclass(frozen=True, slots=True)
class _Followed:
    mirror: Mirror
    following: Following


class LayoutMaps:
    """ConfigMaps of `cluster`. Followed from `start` on, at most `most` of them. Thread-safe."""

    def __init__(self, cluster: Cluster, *, most: int = MOST) -> None:
        self._cluster = cluster
        self._most = most
        self._lock = threading.Lock()
        self._followed: dict[tuple[str, str], _Followed] = {}
        self._ending: list[Following] = []
        self._changed: Callable[[], None] | None = None

    def get(self, namespace: str, name: str) -> Object | None:
        """The ConfigMap as it is now, or was last known to be a moment ago; None where there is none. Raises
        `Unavailable`, `Forbidden` among it."""
        followed = self._follow(namespace, name)
        if followed is not None and followed.mirror.known and not followed.mirror.problem:
            return next((one for one in followed.mirror() if _name(one) == name), None)
        return self._cluster.get(f"{_list(namespace)}/{quote(name, safe='')}")

    def start(self, changed: Callable[[], None]) -> None:
        """Follow what is asked for from now on, and call `changed` after each change."""
        self._changed = changed

    def retain(self, places: Collection[tuple[str, str]]) -> None:
        """Follow no others than these (namespace and name) any more."""
        with self._lock:
            for place in self._followed.keys() - set(places):
                following = self._followed.pop(place).following
                following.stop()
                self._ending.append(following)

    def stop(self) -> None:
        """Follow nothing any more."""
        self._changed = None
        self.retain(())

    def _follow(self, namespace: str, name: str) -> _Followed | None:
        with self._lock:
            found = self._followed.get((namespace, name))
            if found is None and self._changed is not None and self._has_room():
                selector = f"fieldSelector=metadata.name%3D{quote(name, safe='')}"
                mirror = Mirror(self._cluster, _list(namespace), selector)
                found = self._followed[namespace, name] = _Followed(mirror, Following((mirror,)))
                found.following.start(self._changed)
            return found

    def _has_room(self) -> bool:
        """Whether one more may be followed. A watch goes on for a while after nobody wants it any more: whoever names
        another ConfigMap every second would otherwise have ever more of them going on."""
        self._ending = [one for one in self._ending if not one.ended]
        return len(self._followed) + len(self._ending) < self._most


def _list(namespace: str) -> str:
    return f"/api/v1/namespaces/{quote(namespace, safe='')}/configmaps"


def _name(one: Object) -> object:
    metadata = one.get("metadata")
    return metadata.get("name") if isinstance(metadata, dict) else None
