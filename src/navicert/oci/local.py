"""An image in a layout, with what is attached to it there: the same as in a registry, from a folder or archive.

Things attached are entries of `index.json` like images: under the tags that they have in a registry, or by the subject
that they state. Spec: OCI image-spec image-layout.md, "index.json file".
"""

from __future__ import annotations

import threading
from pathlib import Path

from navicert.digest import Digest
from navicert.errors import LimitExceeded, Malformed
from navicert.limits import NETWORK, Limits
from navicert.oci import media
from navicert.oci.archive import open_archive
from navicert.oci.blob import read_document, verified_chunks
from navicert.oci.exchange import Missing
from navicert.oci.image import Image, check_layers, read_image
from navicert.oci.layout import Blobs, Directory, Files, contents_of, select, tag_of
from navicert.oci.manifest import Descriptor, Document, Manifest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import ExitStack


class LayoutShelf:
    """The layout in `files`, as a `Shelf` and as a `BlobSource`. Its table of contents is read once."""

    def __init__(self, files: Files, limits: Limits = NETWORK) -> None:
        self.origin = files.origin
        self.limits = limits
        self._blobs = Blobs(files)
        self._lock = threading.RLock()  # an archive is one file with one position
        self._contents = contents_of(files, limits)
        self._entries: dict[Digest, Descriptor] = {}
        for entry in self._contents.manifests:
            self._entries.setdefault(entry.digest, entry)

    def root(self, reference: str) -> Descriptor:
        """The image that a tag or digest names, or the only one where it is empty. Raises `Malformed`."""
        return select(self._contents, reference, self.origin)

    def locate(self, digest: Digest | str) -> str:
        """The layout, and the digest or tag."""
        return f"{self.origin}{'@' if isinstance(digest, Digest) else ':'}{digest}"

    def chunks(self, descriptor: Descriptor) -> Iterator[bytes]:
        """The bytes that `descriptor` points at, not yet compared with it."""
        return self._blobs.chunks(descriptor)

    def position(self, digest: Digest) -> int:
        """Where the blob lies in an archive."""
        return self._blobs.position(digest)

    def manifest(self, selector: Digest | str) -> Document | Missing:
        """The manifest or index that an entry of the table of contents names."""
        for entry in self._contents.manifests:
            named = entry.digest == selector if isinstance(selector, Digest) else tag_of(entry) == selector
            if named and entry.media_type in media.MANIFESTS | media.INDEXES:
                with self._lock:
                    return read_document(self, entry, self.limits)
        return Missing(self.locate(selector))

    def read_blob(self, descriptor: Descriptor, most: int) -> bytes:
        """The bytes that `descriptor` points at, compared with it."""
        if descriptor.size > most:
            raise LimitExceeded("blob too large", path=self.locate(descriptor.digest), expected=f"at most {most} bytes")
        with self._lock:
            return b"".join(verified_chunks(self, descriptor))

    def tags(self, *, prefix: str = "") -> list[str]:
        """The names in the table of contents."""
        return sorted({name for entry in self._contents.manifests if (name := tag_of(entry)).startswith(prefix)} - {""})

    def referrers(self, subject: Digest) -> list[Descriptor | Malformed]:
        """The entries whose manifest states that it is attached to `subject`."""
        found: list[Descriptor | Malformed] = []
        for entry in self._entries.values():
            if entry.media_type not in media.MANIFESTS:
                continue
            try:
                manifest = Manifest.parse(
                    read_document(self, entry, self.limits), self.limits, path=self.locate(entry.digest)
                )
            except Malformed as error:
                found.append(error)
                continue
            if manifest.subject is not None and manifest.subject.digest == subject:
                found.append(entry)
        return found


class LayoutImage:
    """One image of a layout, as `Placed`."""

    def __init__(self, shelf: LayoutShelf, root: Descriptor, origin: str) -> None:
        self.shelf = shelf
        self.root = root
        self.origin = origin

    def locate(self, digest: Digest) -> str:
        """What a manifest or blob is called in messages."""
        return self.shelf.locate(digest)

    def chunks(self, descriptor: Descriptor) -> Iterator[bytes]:
        """The bytes that `descriptor` points at, not yet compared with it."""
        return self.shelf.chunks(descriptor)

    def position(self, digest: Digest) -> int:
        """Where the blob lies in an archive."""
        return self.shelf.position(digest)

    def image(self) -> Image:
        """The image: index, manifests and configs, each compared with its digest."""
        return read_image(self, self.root, self.shelf.limits)

    def check_layers(self, image: Image) -> None:
        """Reads every layer once; see `navicert.oci.image.check_layers`."""
        check_layers(self, image, self.shelf.limits)


def place_layout(
    path: str, reference: str, cleanup: ExitStack, *, archive: bool, limits: Limits = NETWORK
) -> LayoutImage:
    """The image `reference` of the layout at `path`, a folder or with `archive` a tar file that stays open until
    `cleanup` closes it. Raises `Malformed` and `Unavailable`."""
    files: Files = cleanup.enter_context(open_archive(path, limits)) if archive else Directory(Path(path))
    shelf = LayoutShelf(files, limits)
    root = shelf.root(reference)
    medium = "oci-archive" if archive else "oci"
    return LayoutImage(shelf, root, f"{medium}:{path}@{root.digest}")
