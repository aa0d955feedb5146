"""Uploads of blobs: mounted, in one request, or in parts that are taken up again where a connection broke.

Spec: OCI distribution-spec "Pushing blobs" (mounting, POST then PUT, chunks).
"""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from typing import Final
from urllib.parse import urlencode

from navicert.dataclass import dataclass
from navicert.errors import Malformed, Unavailable
from navicert.limits import Limits
from navicert.oci.auth import Scope
from navicert.oci.exchange import Call, Exchange, Missing, Reply
from navicert.oci.interruption import Interrupted
from navicert.oci.listing import target_of
from navicert.oci.manifest import Descriptor
from navicert.oci.url import Url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_RANGE: Final = re.compile(r"(?:bytes=)?0-([0-9]{1,19})")
_SIZE: Final = re.compile(r"[0-9]{1,12}")
_LARGEST: Final = 4  # parts as large as so many usual ones are made where a registry asks for them
_OCTETS: Final = "application/octet-stream"
_LIMIT: Final = "manifest_bytes"


@dataclass(frozen=True, slots=True)
class Upload:
    """The upload of the blob that `descriptor` points at; `path` names it in messages."""

    exchange: Exchange
    repository: str
    descriptor: Descriptor
    limits: Limits
    path: str

    def run(self, read: Callable[[], Iterator[bytes]], mount: str = "") -> bool:
        """Uploads what `read` gives, unless the registry can take it from the repository `mount`, and returns whether
        bytes were sent. Raises `Malformed` where they are not those of the descriptor: then nothing was stored."""
        started = self._start(mount)
        if started is None:
            return False
        location, least = started
        size = max(self.limits.upload_chunk, least)
        for left in range(self.limits.attempts - 1, -1, -1):
            try:
                self._send(read, location, size)
            except _Resume as resume:
                if not left:
                    raise Unavailable(f"upload fails again and again: {resume.what}", path=self.path) from resume
                begun = self._start("")
                if begun is not None:
                    location = begun[0]
                continue
            return True
        raise AssertionError("the last try returns or raises")  # pragma: no cover

    def _start(self, mount: str) -> tuple[Url, int] | None:
        """Where to send to, and the least size of a part; None where the blob was mounted."""
        query = f"?{urlencode({'mount': str(self.descriptor.digest), 'from': mount})}" if mount else ""
        target = target_of(self.repository, f"blobs/uploads/{query}")
        reply = self._call("POST", target, {201, 202} if mount else {202}, mount=mount)
        if reply.status == 201:
            return None
        stated = reply.headers.get("oci-chunk-min-length", "")
        least = int(stated) if _SIZE.fullmatch(stated) else 0
        if least > _LARGEST * self.limits.upload_chunk:  # a part is held in memory
            raise Unavailable(
                "registry wants larger parts than are sent (limit upload_chunk)", path=self.path, got=stated
            )
        return self._location(reply), least

    def _send(self, read: Callable[[], Iterator[bytes]], location: Url, size: int) -> None:
        hasher = hashlib.new(self.descriptor.digest.algorithm)
        offset = 0
        for part, last in _parts(read(), size):
            hasher.update(part)
            if offset + len(part) > self.descriptor.size or (last and offset + len(part) != self.descriptor.size):
                raise Malformed("blob to upload has another size", path=self.path)
            if last:
                if hasher.hexdigest() != self.descriptor.digest.hex:
                    raise Malformed("blob to upload has another digest: it was changed or damaged", path=self.path)
                self._finish(location, part, offset)
                return
            location = self._patch(location, part, offset)
            offset += len(part)

    def _patch(self, location: Url, part: bytes, offset: int) -> Url:
        """Sends one part in the middle. What the registry has of it already, after a broken try, is not sent again."""
        sent = 0
        for _ in range(self.limits.attempts):
            headers = {"Content-Type": _OCTETS, "Content-Range": f"{offset + sent}-{offset + len(part) - 1}"}
            with suppress(Interrupted):
                reply = self._call("PATCH", location, {202, 416}, headers, part[sent:])
                location = self._location(reply)
                if reply.status == 202:
                    return location
            # Broken, or out of step because an earlier try got further than we know: the registry says where it is.
            state = self._call("GET", location, {204})
            location = self._location(state) if "location" in state.headers else location
            got = _RANGE.fullmatch(state.headers.get("range", ""))
            held = int(got[1]) + 1 if got and got[1] != "0" else 0
            if held == offset + len(part):
                return location
            if not offset <= held < offset + len(part):
                raise _Resume("registry holds another part than was sent", path=self.path)
            sent = held - offset
        raise _Resume("registry does not take the part", path=self.path)

    def _finish(self, location: Url, part: bytes, offset: int) -> None:
        if part and offset:
            location = self._patch(location, part, offset)
            part = b""
        query = urlencode({"digest": str(self.descriptor.digest)})
        try:
            reply = self._call("PUT", location.with_query(query), {201, 204, 416}, {"Content-Type": _OCTETS}, part)
        except Interrupted as error:
            # It may be stored or half stored: the next try finds out.
            raise _Resume("the connection broke at the end of the upload", path=self.path) from error
        if reply.status == 416:
            raise _Resume("registry holds another part than was sent", path=self.path)

    def _call(
        self,
        method: str,
        target: str | Url,
        good: set[int],
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        mount: str = "",
    ) -> Reply:
        scope = Scope(self.repository, "pull,push", mount)
        # Bytes that may have arrived are not sent again blindly.
        call = Call(method, target, self.path, scope, headers, body, retry=not body, good=frozenset(good))
        reply = self.exchange.read(call, self.limits.manifest_bytes, _LIMIT)
        if isinstance(reply, Missing):
            raise _Resume("registry has forgotten the upload", path=self.path)
        return reply

    def _location(self, reply: Reply) -> Url:
        return self.exchange.home.at_home(reply.headers.get("location", ""), self.path)


class _Resume(Unavailable):
    """The upload is out of step and begins anew."""


def _parts(chunks: Iterator[bytes], size: int) -> Iterator[tuple[bytes, bool]]:
    """`chunks` in parts of `size` bytes, each with whether it is the last; there is always one."""
    pending = bytearray()
    for chunk in chunks:
        pending += chunk
        while len(pending) > size:
            yield bytes(pending[:size]), False
            del pending[:size]
    yield bytes(pending), True
