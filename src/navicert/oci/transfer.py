"""Copying an image whole: the index, every platform, what lies beside them in the index, and all blobs.

Blobs are copied in parallel and left out where they are already; every byte is compared with its digest on the way.
Then come the manifests, from the inside out, and the name last, so that nobody ever sees half an image. What was copied
when a copy breaks off is not copied again by the next.
Spec: OCI distribution-spec "Pushing manifests" (order); OCI image-spec image-index.md.
"""

from __future__ import annotations

import threading
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

from navicert.dataclass import dataclass, field
from navicert.digest import Digest
from navicert.errors import LimitExceeded, Malformed
from navicert.limits import NETWORK, Limits
from navicert.oci import media
from navicert.oci.blob import BlobSource, read_document, verified_chunks
from navicert.oci.destination import Destination
from navicert.oci.manifest import Descriptor, Document, Index, Manifest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a copy has come: bytes of blobs done (copied or found there already) and to do, and blobs likewise."""

    bytes_done: int
    bytes_all: int
    blobs_done: int
    blobs_all: int


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy did: how many blobs and bytes were sent, and how many blobs were there already."""

    root: Descriptor
    sent: int
    sent_bytes: int
    found: int


@dataclass(frozen=True, slots=True)
class Nearest:
    """The documents of `source`, as a `BlobSource`: those that a copy which broke off has brought to `destination` are
    read there."""

    source: BlobSource
    destination: Destination

    @property
    def origin(self) -> str:
        """The source."""
        return self.source.origin

    def locate(self, digest: Digest) -> str:
        """What a blob is called in messages."""
        return self.source.locate(digest)

    def chunks(self, descriptor: Descriptor) -> Iterator[bytes]:
        """The bytes that `descriptor` points at, not yet compared with it."""
        return self.destination.recall(descriptor) or self.source.chunks(descriptor)

    def position(self, digest: Digest) -> int:
        """Where the blob lies at the source."""
        return self.source.position(digest)


@dataclass(slots=True)
class _Plan:
    """The parts of one image: manifests from the inside out, and blobs, each once."""

    manifests: dict[Digest, tuple[Descriptor, bytes]] = field(default_factory=dict)
    blobs: dict[Digest, Descriptor] = field(default_factory=dict)


def copy_image(
    source: BlobSource,
    root: Descriptor,
    destination: Destination,
    tag: str = "",
    *,
    limits: Limits = NETWORK,
    workers: int = 4,
    progress: Callable[[Progress], None] | None = None,
) -> Copied:
    """Copies the image `root` of `source` to `destination`, there to be called `tag`.

    `progress` is told after every piece, by one thread at a time. Raises `Malformed`, naming the blob, where something
    is missing, damaged or not what its descriptor says, `Unavailable` where a side cannot be reached: then the image is
    not at the destination, though blobs may be.
    """
    plan = _plan(Nearest(source, destination), root, limits)
    tally = _Tally(plan, progress)
    _copy_blobs(source, plan, destination, tally, workers)
    for descriptor, raw in plan.manifests.values():
        destination.put_manifest(descriptor, raw)
    destination.finish(root, plan.manifests[root.digest][1], tag)
    return Copied(root, tally.sent, tally.sent_bytes, len(plan.blobs) - tally.sent)


def _plan(source: BlobSource, root: Descriptor, limits: Limits) -> _Plan:
    plan = _Plan()
    _visit(source, root, limits, plan, 1)
    return plan


def _visit(source: BlobSource, descriptor: Descriptor, limits: Limits, plan: _Plan, depth: int) -> None:
    """Adds what `descriptor` points at to the plan, after its parts."""
    path = source.locate(descriptor.digest)
    if descriptor.digest in plan.manifests:
        return
    if depth > limits.index_depth:
        raise LimitExceeded("indexes nested too deeply (limit index_depth)", path=path)
    if len(plan.manifests) >= limits.layers:
        raise LimitExceeded("too many manifests (limit layers)", path=path, expected=f"at most {limits.layers}")
    document = read_document(source, descriptor, limits)
    if descriptor.media_type in media.INDEXES:
        for child in Index.parse(document, limits, path=path).manifests:
            _visit(source, child, limits, plan, depth + 1)
    elif descriptor.media_type in media.MANIFESTS:
        _add_blobs(document, limits, plan, path)
    else:
        raise Malformed("neither a manifest nor an index", path=path, got=ascii(descriptor.media_type[:100]))
    plan.manifests[descriptor.digest] = (descriptor, document.raw)


def _add_blobs(document: Document, limits: Limits, plan: _Plan, path: str) -> None:
    manifest = Manifest.parse(document, limits, path=path)
    for blob in (manifest.config, *manifest.layers):
        known = plan.blobs.setdefault(blob.digest, blob)
        if known.size != blob.size:
            raise Malformed("two sizes for one blob", path=path, got=str(blob.digest))


class _Tally:
    """Counts, for everyone who copies."""

    def __init__(self, plan: _Plan, progress: Callable[[Progress], None] | None) -> None:
        self._progress = progress
        self._lock = threading.Lock()
        self._bytes_all = sum(blob.size for blob in plan.blobs.values())
        self._blobs_all = len(plan.blobs)
        self._bytes_done = 0
        self._blobs_done = 0
        self.sent = 0
        self.sent_bytes = 0

    def moved(self, count: int) -> None:
        """`count` bytes more have been read; a blob that is begun anew takes its bytes back."""
        with self._lock:
            self._bytes_done += count
            self._tell()

    def finished(self, blob: Descriptor, read: int, sent: bool) -> None:
        """One blob is there, `read` bytes of which were counted."""
        with self._lock:
            self._bytes_done += blob.size - read
            self._blobs_done += 1
            self.sent += sent
            self.sent_bytes += blob.size if sent else 0
            self._tell()

    def _tell(self) -> None:
        if self._progress is not None:
            self._progress(Progress(self._bytes_done, self._bytes_all, self._blobs_done, self._blobs_all))


def _copy_blobs(source: BlobSource, plan: _Plan, destination: Destination, tally: _Tally, workers: int) -> None:
    stop = threading.Event()

    def copy(blob: Descriptor) -> None:
        read = 0

        def chunks() -> Iterator[bytes]:
            nonlocal read
            tally.moved(-read)
            read = 0
            for chunk in verified_chunks(source, blob):
                if stop.is_set():
                    raise Malformed("copy was given up", path=source.locate(blob.digest))
                read += len(chunk)
                tally.moved(len(chunk))
                yield chunk

        sent = destination.put_blob(blob, chunks)
        tally.finished(blob, read, sent)

    blobs = sorted(plan.blobs.values(), key=lambda blob: source.position(blob.digest))
    with ThreadPoolExecutor(max_workers=workers) as pool:
        tasks = [pool.submit(copy, blob) for blob in blobs]
        try:
            done, _ = wait(tasks, return_when=FIRST_EXCEPTION)
            # The first that failed by itself: those that were stopped for it come later.
            failed = [task for task in tasks if task in done and task.exception() is not None]
            if failed:
                stop.set()
                failed[0].result()
        finally:
            stop.set()
            for task in tasks:
                task.cancel()
