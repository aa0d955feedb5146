"""OCI image layouts: a directory, or an archive of one.

Spec: OCI image-spec image-layout.md.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final, Protocol

from navicert.digest import Digest
from navicert.errors import LimitExceeded, Malformed, Unavailable
from navicert.limits import LOCAL, Limits
from navicert.oci import media
from navicert.oci.archive import open_archive, open_regular
from navicert.oci.blob import BlobSource
from navicert.oci.compression import BLOCK
from navicert.oci.image import Image, check_layers, read_image
from navicert.oci.manifest import Descriptor, Document, Index, naming, optional_text, read_json, view

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_MARKER: Final = "oci-layout"
_INDEX: Final = "index.json"
_ATTACHED: Final = re.compile(r"sha(256|512)-[0-9a-f]{64}")
"""How the tags begin under which things are attached to an image; see `navicert.oci.referrers`."""
_VERSION: Final = re.compile(r"1\.[0-9]+\.[0-9]+")


def open_layout(path: str | Path, reference: str = "", limits: Limits = LOCAL) -> Image:
    """The image `reference` (a tag, or a digest as `sha256:…`) of the layout directory at `path`, layers checked.

    Without a reference the layout must hold one image. Raises `Malformed`, naming the blob or the tags to choose from;
    `Unavailable` where the directory cannot be read.
    """
    return _open(Directory(Path(path)), reference, limits)


def layout_source(path: str | Path, reference: str = "", limits: Limits = LOCAL) -> tuple[BlobSource, Descriptor]:
    """The blobs of the layout directory at `path`, and the descriptor of its image `reference`, for copying: nothing is
    checked yet but that it is a layout. Raises as `open_layout`."""
    files = Directory(Path(path))
    return Blobs(files), _root(files, reference, limits)


def open_oci_archive(path: str | Path, reference: str = "", limits: Limits = LOCAL) -> Image:
    """As `open_layout`, for a tar file (plain or gzip-compressed) that holds a layout."""
    with open_archive(path, limits) as archive:
        return _open(archive, reference, limits)


class Files(Protocol):
    """A layout's files by name, with forward slashes. Each method raises `Malformed` and `Unavailable`."""

    @property
    def origin(self) -> str:
        """What the layout is called in messages."""

    def holds(self, name: str) -> bool:
        """Whether there is such a file."""

    def locate(self, name: str) -> str:
        """What a file is called in messages."""

    def position(self, name: str) -> int:
        """Where it lies; files read in this order are read fastest."""

    def chunks(self, name: str) -> Iterator[bytes]:
        """Its bytes."""

    def document(self, name: str, limits: Limits) -> bytes:
        """All of its bytes. Raises `LimitExceeded` beyond `Limits.manifest_bytes`."""


class Directory:
    """A directory as `Files`. Blobs may be symbolic links (build tools make them): their digest is what counts."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.origin = str(path)
        if not path.is_dir():
            raise Malformed("no such folder", path=str(path), expected="an OCI image layout")

    def holds(self, name: str) -> bool:
        """Whether there is such a file."""
        try:
            os.stat(self._path / name)
        except FileNotFoundError:
            return False
        except OSError as error:
            reason = (error.strerror or "unknown reason").lower()
            raise Unavailable(f"cannot be read: {reason}", path=self.locate(name)) from error
        return True

    def locate(self, name: str) -> str:
        """Its path."""
        return str(self._path / name)

    def position(self, name: str) -> int:
        """0: all files are equally far."""
        return 0

    def chunks(self, name: str) -> Iterator[bytes]:
        """Its bytes."""
        if not self.holds(name):
            raise Malformed("missing in the image layout", path=self.locate(name))
        with open_regular(self.locate(name)) as file:
            while chunk := file.read(BLOCK):
                yield chunk

    def document(self, name: str, limits: Limits) -> bytes:
        """All of its bytes, up to the limit."""
        if not self.holds(name):
            raise Malformed("missing in the image layout", path=self.locate(name))
        with open_regular(self.locate(name)) as file:
            raw = file.read(limits.manifest_bytes + 1)
        if len(raw) > limits.manifest_bytes:
            raise LimitExceeded("document too large (limit manifest_bytes)", path=self.locate(name))
        return raw


class Blobs:
    """The blobs of a layout, as a `BlobSource`."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self.origin = files.origin

    @staticmethod
    def _name(digest: Digest) -> str:
        return f"blobs/{digest.algorithm}/{digest.hex}"

    def locate(self, digest: Digest) -> str:
        """Its path."""
        return self._files.locate(self._name(digest))

    def chunks(self, descriptor: Descriptor) -> Iterator[bytes]:
        """Its bytes, not yet compared with anything."""
        return self._files.chunks(self._name(descriptor.digest))

    def position(self, digest: Digest) -> int:
        """Where it lies."""
        return self._files.position(self._name(digest))


def _open(files: Files, reference: str, limits: Limits) -> Image:
    blobs = Blobs(files)
    image = read_image(blobs, _root(files, reference, limits), limits)
    check_layers(blobs, image, limits)
    return image


def _root(files: Files, reference: str, limits: Limits) -> Descriptor:
    return select(contents_of(files, limits), reference, files.locate(_INDEX))


def contents_of(files: Files, limits: Limits) -> Index:
    """The table of contents, `index.json`. It has the form of an image index, and belongs to no image."""
    _check_marker(files, limits)
    raw = files.document(_INDEX, limits)
    return Index.parse(Document.of(raw, media.OCI_INDEX), limits, path=files.locate(_INDEX))


def _check_marker(files: Files, limits: Limits) -> None:
    where = files.locate(_MARKER)
    if not files.holds(_MARKER):
        raise Malformed(
            "not an OCI image layout: no file oci-layout",
            path=files.origin,
            remedy="name the folder or archive that holds oci-layout and index.json",
        )
    value = read_json(files.document(_MARKER, limits), limits, where)
    with naming(where):
        version = optional_text(view(value, "", frozenset({"imageLayoutVersion"})), "imageLayoutVersion", "")
        if not _VERSION.fullmatch(version):
            raise Malformed("unknown layout version", pointer="/imageLayoutVersion", expected="1.x", got=ascii(version))


def select(contents: Index, reference: str, path: str) -> Descriptor:
    """The one entry of `contents` that `reference` names, or the only image where it is empty."""
    images = [entry for entry in contents.manifests if _may_be_image(entry)]
    found = [entry for entry in images if not reference or reference in (tag_of(entry), str(entry.digest))]
    if len({(entry.digest, entry.size, entry.media_type) for entry in found}) == 1:
        return found[0]
    names = ", ".join(sorted({ascii(tag_of(entry)) if tag_of(entry) else str(entry.digest) for entry in images})[:20])
    if not images:
        raise Malformed("no image in the layout", path=path)
    if not found:
        raise Malformed(f"no image {reference!a} in the layout", path=path, expected=f"one of {names}")
    if reference:
        raise Malformed(f"several images are called {reference!a}", path=path, remedy="name one by its digest")
    raise Malformed("several images in the layout", path=path, expected=f"one of {names}", remedy="name the tag")


def tag_of(entry: Descriptor) -> str:
    """What an entry of `index.json` is called; empty for nothing."""
    return entry.annotations.get(media.REF_NAME, "")


def _may_be_image(entry: Descriptor) -> bool:
    """Whether an entry of `index.json` could be meant by someone who names no tag: not what is attached to images."""
    apart = entry.artifact_type or media.ATTESTATION_TYPE in entry.annotations or _ATTACHED.match(tag_of(entry))
    return entry.media_type in media.MANIFESTS | media.INDEXES and not apart
