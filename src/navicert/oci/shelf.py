"""A shelf: where images lie together with what is attached to them, such as a repository or a layout directory.

Reading from one is the same wherever it is, so whoever looks for what is attached to an image looks alike in a registry
and in a folder.
"""

from __future__ import annotations

from typing import Protocol

from navicert.digest import Digest
from navicert.errors import Malformed
from navicert.limits import Limits
from navicert.oci.blob import BlobSource
from navicert.oci.exchange import Missing
from navicert.oci.image import Image
from navicert.oci.manifest import Descriptor, Document


class Shelf(BlobSource, Protocol):
    """Manifests, blobs and tags of one repository or layout. Each method raises `Refused` and `Unavailable` where it
    cannot find out, which is not the same as `Missing`."""

    @property
    def limits(self) -> Limits:
        """What is read of it at most."""

    def locate(self, digest: Digest | str) -> str:
        """What a manifest, blob or tag is called in messages."""

    def manifest(self, selector: Digest | str) -> Document | Missing:
        """The manifest or index that a digest or tag names, compared with its digest."""

    def read_blob(self, descriptor: Descriptor, most: int) -> bytes:
        """The bytes that `descriptor` points at, compared with it. Raises `LimitExceeded` beyond `most`."""

    def tags(self, *, prefix: str = "") -> list[str] | Missing:
        """The tags that begin with `prefix`."""

    def referrers(self, subject: Digest) -> list[Descriptor | Malformed] | Missing:
        """What states that it is attached to `subject`; an entry that cannot be understood is the reason why."""


class Placed(BlobSource, Protocol):
    """One image on its shelf: what a reference named when it was looked up."""

    @property
    def root(self) -> Descriptor:
        """The index or manifest that it is."""

    @property
    def shelf(self) -> Shelf:
        """Where what is attached to it is looked for."""

    def image(self) -> Image:
        """The image: index, manifests and configs, each compared with its digest. Raises `Malformed`."""

    def check_layers(self, image: Image) -> None:
        """Reads every layer of it once. Raises `Malformed` where one is not what manifest and config say."""
