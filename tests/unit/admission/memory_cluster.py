"""An API server's objects in memory: what `Cluster` asks for, with merge patches and resource versions."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

from navicert.admission.cluster import Cluster, Conflict, Object
from navicert.errors import Unavailable


class MemoryCluster(Cluster):
    """Objects by their path. `before` is called before each patch, as somebody else who is quicker."""

    def __init__(self, objects: Mapping[str, Object]) -> None:
        self.objects = {path: copy.deepcopy(one) for path, one in objects.items()}
        for one in self.objects.values():
            one.setdefault("metadata", {}).setdefault("resourceVersion", "1")  # type: ignore[attr-defined]
        self.before: Callable[[], None] = lambda: None
        self.patched: list[str] = []
        self.namespace = "security"

    def get(self, path: str) -> Object | None:
        return copy.deepcopy(self.objects.get(path))

    def patch(self, path: str, change: Mapping[str, object]) -> Object:
        self.before()
        found = self.objects.get(path)
        if found is None:
            raise Unavailable("there is no such object", path=path)
        metadata = found["metadata"]
        asked = change.get("metadata")
        assert isinstance(metadata, dict)
        if (
            isinstance(asked, dict)
            and asked.get("resourceVersion", metadata["resourceVersion"]) != metadata["resourceVersion"]
        ):
            raise Conflict("the object was changed by somebody else", path=path)
        merged = merge(found, change)
        assert isinstance(merged, dict)
        merged["metadata"]["resourceVersion"] = str(int(metadata["resourceVersion"]) + 1)
        self.objects[path] = merged
        self.patched.append(path)
        return copy.deepcopy(merged)

    def create(self, path: str, one: Mapping[str, object]) -> Object | None:
        metadata = one["metadata"]
        assert isinstance(metadata, Mapping)
        place = f"{path}/{metadata['name']}"
        if place in self.objects:
            raise Conflict("already exists", path=place)
        self.objects[place] = copy.deepcopy(dict(one))
        self.objects[place]["metadata"]["resourceVersion"] = "1"  # type: ignore[index]
        return copy.deepcopy(self.objects[place])

    def delete(self, path: str) -> None:
        self.objects.pop(path, None)

    def close(self) -> None:
        """Nothing is open."""


def merge(target: object, change: object) -> object:
    """RFC 7386."""
    if not isinstance(change, Mapping):
        return copy.deepcopy(change)
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in change.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge(result.get(name), value)
    return result
