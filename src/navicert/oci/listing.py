"""Lists that a registry gives in pages: its tags, and what is attached to a digest.

Spec: OCI distribution-spec "Content discovery" (tags, `last`, `Link`), "Listing referrers".
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

from navicert.dataclass import dataclass, replace
from navicert.digest import Digest
from navicert.errors import LimitExceeded, Malformed, Unavailable
from navicert.limits import Limits
from navicert.model.field import as_list, as_object, as_text, required
from navicert.oci import media
from navicert.oci.auth import Scope
from navicert.oci.exchange import Call, Exchange, Missing, Reply
from navicert.oci.manifest import Descriptor, naming, optional_text, read_json
from navicert.oci.reference import check_repository
from navicert.strictjson import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NEXT: Final = re.compile(r'<([^<>]*)>\s*;(?:[^,<]*;)?\s*rel\s*=\s*"?next"?\s*(?:[,;]|$)', re.IGNORECASE)
_LINK: Final = 16 * 1024  # characters of the header that are looked at
_PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class Listing:
    """The lists of one registry."""

    exchange: Exchange
    limits: Limits

    def tags(self, repository: str, prefix: str, path: str) -> list[str] | Missing:
        """The tags that begin with `prefix`, sorted. A registry that lists in order is asked for that part only."""
        first = prefix[:-1]
        found, sure = self._tags(repository, prefix, first, path)
        if not found and not sure and first:
            # Nothing at all came from there on: either there is nothing, or the registry has an order of its own.
            found, _ = self._tags(repository, prefix, "", path)
        return found if isinstance(found, Missing) else sorted(found)

    def _tags(self, repository: str, prefix: str, start: str, path: str) -> tuple[set[str] | Missing, bool]:
        """The tags that begin with `prefix`, from `start` on, and whether the list went past them in order: then there
        are no more."""
        found: set[str] = set()
        query = f"n={_PAGE}" + (f"&last={quote(start, safe='')}" if start else "")
        call = Call("GET", target_of(repository, f"tags/list?{query}"), path, Scope(repository))
        count, last, ordered = 0, start, bool(start)
        for reply in self._pages(call, self.limits.document_bytes, "document_bytes"):
            if isinstance(reply, Missing):
                return reply, True
            value = loads(reply.body, self.limits, path=path)
            with naming(path):
                tags = [as_text(tag, "/tags") for tag in as_list(_given(as_object(value, "")), "/tags")]
            count += len(tags)
            if count > self.limits.tags:
                raise LimitExceeded("too many tags (limit tags)", path=path, expected=f"at most {self.limits.tags}")
            found.update(tag for tag in tags if tag.startswith(prefix))
            ordered = ordered and all(before < after for before, after in zip([last, *tags], tags, strict=False))
            last = tags[-1] if tags else last
            if ordered and last > prefix and not last.startswith(prefix):
                return found, True
        return found, False

    def referrers(self, repository: str, subject: Digest, path: str) -> list[Descriptor | Malformed] | Missing:
        """What is attached to `subject`; see `Registry.referrers`."""
        headers = {"Accept": media.OCI_INDEX}
        call = Call("GET", target_of(repository, f"referrers/{subject}"), path, Scope(repository), headers)
        found: dict[object, Descriptor | Malformed] = {}
        for reply in self._pages(call, self.limits.manifest_bytes, "manifest_bytes"):
            if isinstance(reply, Missing):
                return reply
            stated = content_type(reply.headers)
            if stated != media.OCI_INDEX:
                raise Unavailable("registry answers with no list of referrers", path=path, got=ascii(stated[:60]))
            for entry in attached_entries(reply.body, self.limits, path):
                found.setdefault(entry.digest if isinstance(entry, Descriptor) else entry, entry)
            if len(found) > self.limits.referrers:
                raise _too_many(self.limits, path, len(found))
        return list(found.values())

    def _pages(self, call: Call, most: int, limit: str) -> Iterator[Reply | Missing]:
        """The pages of a list; `Missing` only in place of the first."""
        for number in range(self.limits.registry_pages):
            reply = self.exchange.read(call, most, limit)
            if isinstance(reply, Missing) and number:
                raise Unavailable("registry does not know the next page of its own list", path=call.path)
            yield reply
            following = None if isinstance(reply, Missing) else _NEXT.search(reply.headers.get("link", "")[:_LINK])
            if following is None:
                return
            call = replace(call, target=self.exchange.home.at_home(following[1], call.path))
        raise LimitExceeded(
            "list of the registry does not end (limit registry_pages)",
            path=call.path,
            expected=f"at most {self.limits.registry_pages} pages",
        )


def attached_entries(raw: bytes, limits: Limits, path: str) -> Iterator[Descriptor | Malformed]:
    """The entries of an index that lists what is attached, each read for itself: what cannot be understood hides
    nothing else. Raises `Malformed` where it is no index at all, and `LimitExceeded` for too many."""
    value = read_json(raw, limits, path)
    with naming(path):
        body = as_object(value, "")
        if body.get("schemaVersion") != 2 or optional_text(body, "mediaType", "") not in ("", media.OCI_INDEX):
            raise Malformed("not a list of attached manifests", expected=media.OCI_INDEX)
        entries = as_list(required(body, "manifests", ""), "/manifests")
    if len(entries) > limits.referrers:
        raise _too_many(limits, path, len(entries))
    for number, entry in enumerate(entries):
        try:
            yield Descriptor.from_json(entry, f"/manifests/{number}")
        except Malformed as error:
            error.path = path
            yield error


def _given(body: Mapping[str, object]) -> object:
    # A repository without tags has null there, or nothing.
    tags = body.get("tags")
    return [] if tags is None else tags


def content_type(headers: Mapping[str, str]) -> str:
    """The media type that an answer states, without its parameters."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def target_of(repository: str, rest: str) -> str:
    """The path of something in `repository`. Raises `Malformed` where that is no name of a repository."""
    check_repository(repository)
    return f"/v2/{repository}/{rest}"


def _too_many(limits: Limits, path: str, count: int) -> LimitExceeded:
    return LimitExceeded(
        "too many manifests attached to one image (limit referrers)",
        path=path,
        expected=f"at most {limits.referrers}",
        got=str(count),
    )
