"""Blobs: bytes named by their digest, checked while they are read.

Spec: OCI image-spec descriptor.md (verification of size and digest).
"""

from __future__ import annotations

import hashlib
from typing import Protocol

from navicert.digest import Digest
from navicert.errors import LimitExceeded, Malformed
from navicert.limits import LOCAL, Limits
from navicert.oci.manifest import Descriptor, Document

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class BlobSource(Protocol):
    """A place that holds blobs: a directory, an archive, a registry. It is not trusted: readers check what it gives."""

    @property
    def origin(self) -> str:
        """What this place is called in messages."""

    def locate(self, digest: Digest) -> str:
        """What the blob `digest` is called in messages."""

    def chunks(self, descriptor: Descriptor) -> Iterator[bytes]:
        """The bytes that `descriptor` points at. Raises `Malformed` where the place does not hold them, `Unavailable`
        where they cannot be read."""

    def position(self, digest: Digest) -> int:
        """Where the blob lies: blobs read in this order are read fastest."""


def verified_chunks(source: BlobSource, descriptor: Descriptor) -> Iterator[bytes]:
    """The bytes that `descriptor` points at. Raises `Malformed`, naming the blob, where size or digest are others: a
    surplus at once, everything else before the iteration ends. Whoever stops earlier has checked nothing."""
    hasher = hashlib.new(descriptor.digest.algorithm)
    size = 0
    for chunk in source.chunks(descriptor):
        size += len(chunk)
        if size > descriptor.size:
            break
        hasher.update(chunk)
        yield chunk
    where = source.locate(descriptor.digest)
    if size != descriptor.size:
        got = "more" if size > descriptor.size else f"{size} bytes"
        raise Malformed("blob has another size", path=where, expected=f"{descriptor.size} bytes", got=got)
    if hasher.hexdigest() != descriptor.digest.hex:
        raise Malformed(
            "blob has another digest: it was changed or damaged",
            path=where,
            expected=str(descriptor.digest),
            got=f"{descriptor.digest.algorithm}:{hasher.hexdigest()}",
        )


def read_document(source: BlobSource, descriptor: Descriptor, limits: Limits = LOCAL) -> Document:
    """The manifest, index or config that `descriptor` points at. Raises as `verified_chunks`, and `LimitExceeded`."""
    if descriptor.size > limits.manifest_bytes:
        raise LimitExceeded(
            "document too large (limit manifest_bytes)",
            path=source.locate(descriptor.digest),
            expected=f"at most {limits.manifest_bytes} bytes",
            got=f"{descriptor.size} bytes",
        )
    raw = b"".join(verified_chunks(source, descriptor))
    return Document.of(raw, descriptor.media_type, descriptor.digest)
