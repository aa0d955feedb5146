"""One registry: manifests, blobs, tags and referrers of its repositories.

Nothing that a registry says about bytes counts for more than the bytes: whatever is asked for by digest is compared
with that digest, whatever is asked for by tag gets the digest of what came. Headers choose nothing but the media type,
and that too is compared with the document.
Spec: OCI distribution-spec v1.1; the same as spoken by Docker registries.
"""

from __future__ import annotations

import hashlib
import re
import time
from typing import Final

from navicert.dataclass import dataclass
from navicert.digest import Digest, sha256
from navicert.errors import LimitExceeded, Malformed, Unavailable
from navicert.limits import NETWORK, Limits
from navicert.model.field import as_object
from navicert.oci import media
from navicert.oci.access import Access
from navicert.oci.auth import Scope
from navicert.oci.blob import verified_chunks
from navicert.oci.exchange import MOVED, Call, Exchange, Missing, Reply
from navicert.oci.interruption import Interrupted
from navicert.oci.listing import Listing, content_type, target_of
from navicert.oci.manifest import Descriptor, Document, naming, read_json
from navicert.oci.reference import DOCKER_HUB, Reference, normal_registry
from navicert.oci.upload import Upload

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import TracebackType

_ACCEPT: Final = ", ".join(sorted(media.MANIFESTS | media.INDEXES))
_RANGE: Final = re.compile(r"bytes ([0-9]{1,19})-")


@dataclass(frozen=True, slots=True)
class Stored:
    """What a registry answered to a manifest. `subject`: it says that it lists the manifest as a referrer. `conflict`:
    somebody else was faster, and nothing was stored."""

    subject: bool
    conflict: bool = False


class Registry:
    """The registry called `name` (`HOST[:PORT]`), reached as `access` says. Thread-safe; keeps connections and tokens
    until the end of its `with` block.

    Every method raises `Refused` where access is denied or would be unsafe, `Unavailable` where there is no usable
    answer, and `Malformed` or `LimitExceeded` for an answer that is not what it should be; each names registry and
    repository with the tag or digest. `wait` is given the seconds to wait before another try.
    """

    def __init__(
        self,
        name: str,
        access: Access | None = None,
        limits: Limits = NETWORK,
        *,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = normal_registry(name)
        self.limits = limits
        host = Reference(self.name, "").host if self.name == DOCKER_HUB else self.name
        self._exchange = Exchange(self.name, host, access or Access(), limits, wait=wait)

    def __enter__(self) -> Registry:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Closes all connections."""
        self._exchange.close()

    def locate(self, repository: str, selector: Digest | str) -> str:
        """What a manifest or blob is called in messages."""
        mark = "@" if isinstance(selector, Digest) else ":"
        return f"{self.name}/{repository}{mark}{selector}"

    # --- manifests -------------------------------------------------------------------------------------------------

    def manifest(self, repository: str, selector: Digest | str) -> Document | Missing:
        """The manifest or index that a digest or tag names, with the digest of the bytes that came."""
        path = self.locate(repository, selector)
        reply = self.manifest_reply(repository, selector)
        if isinstance(reply, Missing):
            return reply
        got = hashed(reply.body, selector.algorithm if isinstance(selector, Digest) else "sha256")
        if isinstance(selector, Digest) and got != selector:
            raise Malformed("registry gave other bytes than asked for", path=path, expected=str(selector), got=str(got))
        _check_stated(reply, path)
        return Document.of(reply.body, _media_type(reply, self.limits, path), got)

    def manifest_reply(self, repository: str, selector: Digest | str, accept: str = _ACCEPT) -> Reply | Missing:
        """The answer for a manifest, its bytes not yet compared with anything."""
        call = Call(
            "GET",
            target_of(repository, f"manifests/{_selector(selector)}"),
            self.locate(repository, selector),
            Scope(repository),
            {"Accept": accept},
            follow=True,
        )
        return self._exchange.read(call, self.limits.manifest_bytes, "manifest_bytes")

    def put_manifest(
        self, repository: str, raw: bytes, media_type: str, selector: Digest | str, *, match: str = ""
    ) -> Stored:
        """Stores a manifest or index under a tag or its digest. With `match` (an entity tag) only where it is still
        what is there, if the registry looks at that."""
        headers = {"Content-Type": media_type} | ({"If-Match": match} if match else {})
        call = Call(
            "PUT",
            target_of(repository, f"manifests/{_selector(selector)}"),
            self.locate(repository, selector),
            Scope(repository, "pull,push"),
            headers,
            raw,
            good=frozenset({201, 412} if match else {201}),
        )
        reply = self._exchange.read(call, self.limits.manifest_bytes, "manifest_bytes")
        if isinstance(reply, Missing):
            raise Unavailable("registry does not take the manifest: it says 404", path=reply.path)
        if reply.status == 412:
            return Stored(False, conflict=True)
        return Stored("oci-subject" in reply.headers)

    def delete(self, repository: str, selector: Digest | str) -> Missing | None:
        """Deletes a manifest (by digest) or tag. Raises `Unavailable` where the registry does not delete."""
        call = Call(
            "DELETE",
            target_of(repository, f"manifests/{_selector(selector)}"),
            self.locate(repository, selector),
            Scope(repository, "pull,push,delete"),
            good=frozenset({200, 202, 204}),
        )
        reply = self._exchange.read(call, self.limits.manifest_bytes, "manifest_bytes")
        return reply if isinstance(reply, Missing) else None

    # --- blobs -----------------------------------------------------------------------------------------------------

    def has_blob(self, repository: str, digest: Digest) -> bool:
        """Whether the registry says that it holds a blob: enough to spare an upload, and nothing else."""
        path = self.locate(repository, digest)
        target = target_of(repository, f"blobs/{digest}")
        # A redirect says so too, and need not be followed: where it leads often answers GET only.
        call = Call("HEAD", target, path, Scope(repository, "pull,push"), good=frozenset({200, *MOVED}))
        return not isinstance(self._exchange.read(call, self.limits.manifest_bytes, "manifest_bytes"), Missing)

    def blob_chunks(self, repository: str, descriptor: Descriptor) -> Iterator[bytes]:
        """The bytes of a blob as they come, taken up again where the connection breaks; the reader compares them with
        size and digest (`read_blob` and `navicert.oci.blob.verified_chunks` do)."""
        path = self.locate(repository, descriptor.digest)
        received = 0
        for left in range(self.limits.attempts - 1, -1, -1):
            headers = {"Range": f"bytes={received}-"} if received else {}
            target = target_of(repository, f"blobs/{descriptor.digest}")
            good = frozenset({200, 206} if received else {200})
            answer = self._exchange.send(Call("GET", target, path, Scope(repository), headers, follow=True, good=good))
            if isinstance(answer, Missing):
                raise Malformed("missing in the registry", path=path)
            with answer:
                passed = received if answer.status == 200 else 0
                if answer.status == 206:
                    _check_range(answer.headers, received, path)
                try:
                    for chunk in answer.chunks():
                        fresh = chunk[passed:]
                        passed = max(passed - len(chunk), 0)
                        received += len(fresh)
                        if fresh:
                            yield fresh
                    return
                except Interrupted:
                    if not left:
                        raise

    def read_blob(self, repository: str, descriptor: Descriptor, most: int) -> bytes:
        """The bytes that `descriptor` points at, compared with its size and digest. Raises `LimitExceeded` where it
        states more than `most`: nothing is asked for then."""
        if descriptor.size > most:
            raise LimitExceeded(
                "blob too large",
                path=self.locate(repository, descriptor.digest),
                expected=f"at most {most} bytes",
                got=f"{descriptor.size} bytes",
            )
        return b"".join(verified_chunks(Repository(self, repository), descriptor))

    def push_blob(
        self, repository: str, descriptor: Descriptor, read: Callable[[], Iterator[bytes]], *, mount: str = ""
    ) -> bool:
        """Stores the blob that `descriptor` points at, and returns whether its bytes were sent: not where it is there
        already, or was mounted from the repository `mount`. `read` gives its bytes; they are compared with size and
        digest before the upload ends. An upload that breaks is taken up again."""
        if self.has_blob(repository, descriptor.digest):
            return False
        path = self.locate(repository, descriptor.digest)
        return Upload(self._exchange, repository, descriptor, self.limits, path).run(read, mount)

    # --- lists -----------------------------------------------------------------------------------------------------

    def tags(self, repository: str, *, prefix: str = "") -> list[str] | Missing:
        """The tags that begin with `prefix`, sorted."""
        return Listing(self._exchange, self.limits).tags(repository, prefix, f"{self.name}/{repository} (tags)")

    def referrers(self, repository: str, subject: Digest) -> list[Descriptor | Malformed] | Missing:
        """What the referrers API lists for `subject`, in order, each digest once; an entry that cannot be understood
        stands as the reason why. `Missing` where the registry has no such API."""
        path = f"{self.locate(repository, subject)} (referrers)"
        return Listing(self._exchange, self.limits).referrers(repository, subject, path)


@dataclass(frozen=True, slots=True)
class Repository:
    """One repository, as a `BlobSource`: manifests and blobs by what their descriptor says they are."""

    registry: Registry
    name: str

    @property
    def origin(self) -> str:
        """Registry and repository."""
        return f"{self.registry.name}/{self.name}"

    @property
    def limits(self) -> Limits:
        """Those of its registry."""
        return self.registry.limits

    def locate(self, digest: Digest | str) -> str:
        """What a manifest or blob is called in messages."""
        return self.registry.locate(self.name, digest)

    def manifest(self, selector: Digest | str) -> Document | Missing:
        """As `Registry.manifest`."""
        return self.registry.manifest(self.name, selector)

    def read_blob(self, descriptor: Descriptor, most: int) -> bytes:
        """As `Registry.read_blob`."""
        return self.registry.read_blob(self.name, descriptor, most)

    def tags(self, *, prefix: str = "") -> list[str] | Missing:
        """As `Registry.tags`."""
        return self.registry.tags(self.name, prefix=prefix)

    def referrers(self, subject: Digest) -> list[Descriptor | Malformed] | Missing:
        """As `Registry.referrers`."""
        return self.registry.referrers(self.name, subject)

    def chunks(self, descriptor: Descriptor) -> Iterator[bytes]:
        """The bytes that `descriptor` points at, not yet compared with it."""
        if descriptor.media_type not in media.MANIFESTS | media.INDEXES:
            yield from self.registry.blob_chunks(self.name, descriptor)
            return
        reply = self.registry.manifest_reply(self.name, descriptor.digest, descriptor.media_type)
        if isinstance(reply, Missing):
            raise Malformed("missing in the registry", path=reply.path)
        yield reply.body

    def position(self, digest: Digest) -> int:
        """0: all blobs are equally far."""
        return 0


def hashed(data: bytes, algorithm: str) -> Digest:
    """The digest of `data`."""
    return sha256(data) if algorithm == "sha256" else Digest(algorithm, hashlib.new(algorithm, data).hexdigest())


def _selector(selector: Digest | str) -> str:
    # `tagged` refuses whatever would mean something else in a URL.
    return str(selector) if isinstance(selector, Digest) else Reference("", "", selector).tagged(selector).tag


def _media_type(reply: Reply, limits: Limits, path: str) -> str:
    """What a manifest is: as its answer says, else as it says itself. The two are compared when it is parsed."""
    stated = content_type(reply.headers)
    if stated in media.MANIFESTS | media.INDEXES:
        return stated
    value = read_json(reply.body, limits, path)
    with naming(path):
        own = as_object(value, "").get("mediaType")
    if isinstance(own, str) and own in media.MANIFESTS | media.INDEXES:
        return own
    raise Malformed(
        "neither a manifest nor an index",
        path=path,
        expected="an image of OCI or of Docker schema 2",
        got=ascii(str(own or stated)[:100]),
    )


def _check_stated(reply: Reply, path: str) -> None:
    """Raises `Malformed` where the registry states another digest than that of the bytes it sent with it: one of them
    is wrong, and which one is not for us to choose."""
    stated = reply.headers.get("docker-content-digest", "").strip()
    algorithm = stated.partition(":")[0]
    if stated and (algorithm not in ("sha256", "sha512") or str(hashed(reply.body, algorithm)) != stated):
        raise Malformed(
            "registry states another digest for its own answer",
            path=path,
            expected=str(hashed(reply.body, "sha256")),
            got=ascii(stated[:140]),
        )


def _check_range(headers: Mapping[str, str], start: int, path: str) -> None:
    found = _RANGE.match(headers.get("content-range", ""))
    if found is None or int(found[1]) != start:
        raise Malformed("registry gives another part of the blob than asked for", path=path, expected=f"from {start}")
