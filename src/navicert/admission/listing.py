"""Lists of an API server's objects, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from navicert.dataclass import dataclass
from navicert.errors import LimitExceeded, Unavailable
from navicert.model.field import as_list, as_object
from navicert.strictjson import pointer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from navicert.admission.cluster import Cluster, Object

_PAGE: Final = 250


class UnknownKind(Unavailable):
    """The cluster does not know the kind: not the same as a list without entries."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A whole list, and the version of the cluster that it shows (empty where the server names none)."""

    items: tuple[Object, ...]
    version: str


def pages(cluster: Cluster, path: str, query: str = "") -> Iterator[Listing]:
    """The list at `path`, page by page; all pages show one version. `query` is more of the address, such as
    `labelSelector=a%3Db`. Raises `UnknownKind`, `Unavailable`, and `Malformed` for what is no list."""
    more = ""
    first = f"{query}&" if query else ""
    while True:
        page = cluster.get(f"{path}?{first}limit={_PAGE}{more}")
        if page is None:
            raise UnknownKind("the cluster does not know this kind", path=path, remedy="install the chart's crds")
        entries = as_list(page.get("items") or [], "/items")
        metadata = page.get("metadata")
        named = metadata if isinstance(metadata, dict) else {}
        version = named.get("resourceVersion")
        items = tuple(as_object(entry, pointer("/items", i)) for i, entry in enumerate(entries))
        yield Listing(items, version if isinstance(version, str) else "")
        token = named.get("continue")
        if not isinstance(token, str) or not token:
            return
        from urllib.parse import quote

        more = f"&continue={quote(token, safe='')}"


def whole(cluster: Cluster, path: str, query: str = "", *, most: int) -> Listing:
    """The list at `path`, of at most `most` objects. Raises as `pages`, and `LimitExceeded`."""
    items: list[Object] = []
    version = ""
    for page in pages(cluster, path, query):
        items += page.items
        version = page.version
        if len(items) > most:
            raise LimitExceeded("too many objects (limit policies)", path=path, expected=f"at most {most}")
    return Listing(tuple(items), version)
