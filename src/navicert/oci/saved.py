"""An image as `docker save` wrote it, in a shape that can be copied: with a manifest, which such an archive lacks.

The manifest is made of the archive's own bytes, so that one archive always gives the same: an OCI manifest, with the
config as it is (the image id stays) and each layer as it is packed. Nothing can be attached to an image in such an
archive; what lies beside it is nothing. Spec: OCI image-spec manifest.md, media-types.md (compatibility).
"""

from __future__ import annotations

import hashlib
import json

from navicert.digest import Digest, sha256
from navicert.errors import LimitExceeded, Malformed
from navicert.limits import NETWORK, Limits
from navicert.oci import media
from navicert.oci.archive import Archive, open_archive
from navicert.oci.blob import verified_chunks
from navicert.oci.compression import detect
from navicert.oci.docker import Saved, choose
from navicert.oci.exchange import Missing
from navicert.oci.image import Image, check_layers, read_image
from navicert.oci.manifest import Descriptor, Document

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import ExitStack


class SavedImage:
    """One image of the open `archive`, as `Placed`, and the `Shelf` that it lies on alone."""

    def __init__(self, archive: Archive, saved: Saved, origin: str, limits: Limits = NETWORK) -> None:
        self.limits = limits
        self._archive = archive
        self._raw: dict[Digest, bytes] = {}
        self._names: dict[Digest, str] = {}
        config = self._keep(saved.config.document.raw, media.OCI_CONFIG)
        manifest = {
            "schemaVersion": 2,
            "mediaType": media.OCI_MANIFEST,
            "config": config.to_json(),
            "layers": [self._layer(name).to_json() for name in saved.layers],
        }
        self.root = self._keep(json.dumps(manifest, separators=(",", ":")).encode(), media.OCI_MANIFEST)
        self.origin = f"{origin}@{self.root.digest}"

    def _keep(self, raw: bytes, media_type: str) -> Descriptor:
        digest = sha256(raw)
        self._raw[digest] = raw
        return Descriptor(media_type, digest, len(raw))

    def _layer(self, name: str) -> Descriptor:
        """The descriptor of a layer's tar, which is read once for it."""
        hasher, size, compression = hashlib.sha256(), 0, ""
        for chunk in self._archive.chunks(name):
            compression = compression if size else detect(chunk)
            size += len(chunk)
            hasher.update(chunk)
        digest = Digest("sha256", hasher.hexdigest())
        self._names.setdefault(digest, name)
        return Descriptor(f"{media.OCI_LAYER}+{compression}" if compression else media.OCI_LAYER, digest, size)

    @property
    def shelf(self) -> SavedImage:
        """Itself: there is nothing beside it."""
        return self

    def locate(self, digest: Digest | str) -> str:
        """The archive, and the entry or digest."""
        name = self._names.get(digest) if isinstance(digest, Digest) else None
        return self._archive.locate(name) if name is not None else f"{self._archive.origin}@{digest}"

    def chunks(self, descriptor: Descriptor) -> Iterator[bytes]:
        """The bytes that `descriptor` points at, not yet compared with it."""
        if descriptor.digest in self._raw:
            return iter((self._raw[descriptor.digest],))
        if descriptor.digest not in self._names:
            raise Malformed("missing in the archive", path=self.locate(descriptor.digest))
        return self._archive.chunks(self._names[descriptor.digest])

    def position(self, digest: Digest) -> int:
        """Where a layer lies in the archive; 0 for what was made of it."""
        name = self._names.get(digest)
        return 0 if name is None else self._archive.position(name)

    def image(self) -> Image:
        """The image: manifest and config."""
        return read_image(self, self.root, self.limits)

    def check_layers(self, image: Image) -> None:
        """Reads every layer once; see `navicert.oci.image.check_layers`."""
        check_layers(self, image, self.limits)

    # --- the shelf -------------------------------------------------------------------------------------------------

    def manifest(self, selector: Digest | str) -> Document | Missing:
        """The manifest, by its digest; there are no others."""
        if selector == self.root.digest:
            return Document.of(self._raw[self.root.digest], media.OCI_MANIFEST)
        return Missing(self.locate(selector))

    def read_blob(self, descriptor: Descriptor, most: int) -> bytes:
        """The bytes that `descriptor` points at, compared with it."""
        if descriptor.size > most:
            raise LimitExceeded("blob too large", path=self.locate(descriptor.digest), expected=f"at most {most} bytes")
        return b"".join(verified_chunks(self, descriptor))

    def tags(self, *, prefix: str = "") -> list[str]:
        """None: the names in an archive are those of images."""
        return []

    def referrers(self, subject: Digest) -> list[Descriptor | Malformed]:
        """None: an archive has no place for them."""
        return []


def place_saved(path: str, reference: str, cleanup: ExitStack, limits: Limits = NETWORK) -> SavedImage:
    """The image `reference` of the docker archive at `path`, which stays open until `cleanup` closes it; its layers are
    what its config says. Raises `Malformed` and `Unavailable`."""
    archive = cleanup.enter_context(open_archive(path, limits))
    made = SavedImage(archive, choose(archive, reference, limits), f"docker-archive:{path}", limits)
    made.check_layers(made.image())
    return made
