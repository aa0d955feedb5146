"""A registry on this machine: OCI 1.1 over real HTTP, in memory, with a log of requests and faults to order.

Public, for tests of programs that build on Navicert::

    with LoopbackRegistry() as registry:
        manifest = registry.add_image("app", "1.0", {"bin/app": b"elf"})
        registry.fault("GET", r"/blobs/", status(503), times=1)
        ...
        assert registry.count("GET", r"/manifests/") == 1

It speaks the whole of what the distribution specification asks of a registry, and as `Behaviour` says also as less
complete ones do.
"""

from __future__ import annotations

import io
import json
import re
import tarfile
import threading
from typing import Any

from navicert.dataclass import dataclass, field
from navicert.digest import sha256
from navicert.oci import media
from navicert.oci.manifest import Descriptor, Platform
from navicert.testing.endpoint import Server
from navicert.testing.fault import Fault, Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Mapping
    from types import TracebackType


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How complete a registry is. The defaults are those of the specification."""

    referrers: bool = True
    """Serves the referrers API."""
    subject: bool = True
    """Sends `OCI-Subject` when a manifest with a subject is pushed. Some do and serve no API."""
    filters: bool = True
    """Filters referrers by artifact type, and says so."""
    config_type: bool = False
    """Lists referrers with the media type of their config as artifact type, without annotations."""
    page: int = 1000
    """Entries on one page of a list, at most."""
    tag_order: bool = True
    """Lists tags in order, in pages, and from `last` on. Otherwise all at once, newest first."""
    ranges: bool = True
    """Gives parts of blobs."""
    matches: bool = False
    """Sends entity tags and heeds `If-Match`."""
    mounts: bool = True
    """Takes blobs from other repositories."""
    deletes: bool = True
    """Deletes manifests and tags."""


@dataclass(frozen=True, slots=True)
class Login:
    """Who may come in: users and passwords; `bearer` says with tokens, which `realm` gives out (the registry itself, if
    empty). `tokens` are identity tokens that are accepted in place of a password; `pull` says that reading needs no
    password."""

    users: Mapping[str, str]
    bearer: bool = False
    realm: str = ""
    tokens: frozenset[str] = frozenset()
    pull: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """One request that came, and how it was answered (0: not at all)."""

    method: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    status: int = 0


@dataclass(slots=True)
class Contents:
    """What one repository holds. Digests are strings, as in documents; tags keep the order in which they were set."""

    manifests: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)


class LoopbackRegistry:
    """A registry on a free port of 127.0.0.1, running inside its `with` block. `contents` is what it holds: tests may
    look, and change it behind its back."""

    def __init__(
        self, behaviour: Behaviour | None = None, *, login: Login | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        self.behaviour = behaviour or Behaviour()
        self.login = login
        self.contents: dict[str, Contents] = {}
        self.uploads: dict[str, tuple[str, bytearray]] = {}
        self.lock = threading.RLock()
        self._log: list[Seen] = []
        self._faults: list[_Order] = []
        self._server = Server(self, tls)

    def __enter__(self) -> LoopbackRegistry:
        self._server.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.stop()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._server.port

    @property
    def name(self) -> str:
        """What it is called in references: `127.0.0.1:PORT`."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Its address."""
        return f"{'https' if self._server.tls else 'http'}://{self.name}"

    # --- what tests order and look at ------------------------------------------------------------------------------

    def fault(self, method: str, path: str, fault: Fault, *, times: int | None = None, after: int = 0) -> None:
        """From now on answers requests of `method` (a regular expression) whose path with query contains a match of
        `path` by `fault`: the first `after` are answered rightly, then `times` (all, if None) are not."""
        with self.lock:
            self._faults.append(_Order(re.compile(method), re.compile(path), fault, times, after))

    def heal(self) -> None:
        """Forgets all faults."""
        with self.lock:
            self._faults.clear()

    @property
    def seen(self) -> tuple[Seen, ...]:
        """Every request so far, in the order of their answers."""
        with self.lock:
            return tuple(self._log)

    def count(self, method: str = "", path: str = "") -> int:
        """How many requests there were of this method and with a match of `path` (both regular expressions)."""
        return sum(bool(re.search(method, one.method) and re.search(path, one.path)) for one in self.seen)

    def forget(self) -> None:
        """Empties the log."""
        with self.lock:
            self._log.clear()

    def note(self, seen: Seen) -> None:
        """Adds to the log."""
        with self.lock:
            self._log.append(seen)

    def ordered_fault(self, request: Request) -> Fault | None:
        """The fault that is due for `request`."""
        with self.lock:
            for order in self._faults:
                if order.method.fullmatch(request.method) and order.path.search(request.path):
                    if order.after:
                        order.after -= 1
                    elif order.times is None or order.times > 0:
                        order.times = order.times and order.times - 1
                        return order.fault
        return None

    # --- what it holds ---------------------------------------------------------------------------------------------

    def repository(self, name: str) -> Contents:
        """What the repository `name` holds; it is made where there is none."""
        with self.lock:
            return self.contents.setdefault(name, Contents())

    def add_blob(self, repository: str, data: bytes, media_type: str = "application/octet-stream") -> Descriptor:
        """Stores a blob; its descriptor."""
        digest = sha256(data)
        with self.lock:
            self.repository(repository).blobs[str(digest)] = data
        return Descriptor(media_type, digest, len(data))

    def add_manifest(
        self, repository: str, body: Mapping[str, Any] | bytes, media_type: str = media.OCI_MANIFEST, *, tag: str = ""
    ) -> Descriptor:
        """Stores a manifest or index; its descriptor."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        digest = sha256(raw)
        with self.lock:
            held = self.repository(repository)
            held.manifests[str(digest)] = (media_type, raw)
            if tag:
                held.tags[tag] = str(digest)
        return Descriptor(media_type, digest, len(raw))

    def add_image(
        self,
        repository: str,
        tag: str = "",
        files: Mapping[str, bytes] | None = None,
        platform: Platform = Platform("linux", "amd64"),  # noqa: B008 – frozen
    ) -> Descriptor:
        """Stores an image of one layer with these files; the descriptor of its manifest."""
        tar = _tar({"app": b"hello"} if files is None else files)
        layer = self.add_blob(repository, tar, media.OCI_LAYER)
        config = {
            "architecture": platform.architecture,
            "os": platform.os,
            "config": {"Entrypoint": ["/app"]},
            "rootfs": {"type": "layers", "diff_ids": [str(layer.digest)]},
        } | ({"variant": platform.variant} if platform.variant else {})
        described = self.add_blob(repository, json.dumps(config).encode(), media.OCI_CONFIG)
        body = {
            "schemaVersion": 2,
            "mediaType": media.OCI_MANIFEST,
            "config": described.to_json(),
            "layers": [layer.to_json()],
        }
        return self.add_manifest(repository, body, tag=tag)

    def add_index(
        self, repository: str, children: Mapping[Platform, Descriptor], *, tag: str = "", more: tuple[Any, ...] = ()
    ) -> Descriptor:
        """Stores an index of these images, with `more` entries as JSON; its descriptor."""
        entries = [
            child.to_json() | {"platform": {"os": platform.os, "architecture": platform.architecture}}
            for platform, child in children.items()
        ]
        body = {"schemaVersion": 2, "mediaType": media.OCI_INDEX, "manifests": [*entries, *more]}
        return self.add_manifest(repository, body, media.OCI_INDEX, tag=tag)

    def add_artifact(
        self,
        repository: str,
        data: bytes,
        media_type: str,
        *,
        subject: Descriptor | None = None,
        artifact_type: str = "",
        tag: str = "",
        annotations: Mapping[str, str] | None = None,
        config_type: str = media.EMPTY,
    ) -> Descriptor:
        """Stores a manifest with one layer that holds `data`, attached to `subject`; its descriptor."""
        layer = self.add_blob(repository, data, media_type)
        config = self.add_blob(repository, b"{}", config_type)
        body: dict[str, Any] = {
            "schemaVersion": 2,
            "mediaType": media.OCI_MANIFEST,
            "config": config.to_json(),
            "layers": [layer.to_json()],
        }
        body |= {"artifactType": artifact_type} if artifact_type else {}
        body |= {"subject": subject.to_json()} if subject else {}
        body |= {"annotations": dict(annotations)} if annotations else {}
        return self.add_manifest(repository, body, tag=tag)


@dataclass(slots=True)
class _Order:
    method: re.Pattern[str]
    path: re.Pattern[str]
    fault: Fault
    times: int | None
    after: int


def _tar(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def referrers_of(held: Contents, subject: str, behaviour: Behaviour) -> Iterator[dict[str, Any]]:
    """The descriptors of what is attached to `subject`, as the referrers API lists them."""
    for digest, (media_type, raw) in held.manifests.items():
        try:
            body = json.loads(raw)
        except ValueError:
            continue
        if not isinstance(body, dict) or (body.get("subject") or {}).get("digest") != subject:
            continue
        config_type = (body.get("config") or {}).get("mediaType", "")
        entry: dict[str, Any] = {"mediaType": media_type, "digest": digest, "size": len(raw)}
        if behaviour.config_type:
            yield entry | {"artifactType": config_type}
            continue
        yield (
            entry
            | {"artifactType": body.get("artifactType") or config_type}
            | ({"annotations": body["annotations"]} if body.get("annotations") else {})
        )
