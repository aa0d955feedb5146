"""An image in a registry, in the same shape as one in a layout or archive.

A tag is looked up once; from then on there is only the digest of the bytes that came. What the image consists of is
read down from there, layers only when somebody asks. Spec: OCI distribution-spec "Pulling manifests".
"""

from __future__ import annotations

from navicert.dataclass import dataclass
from navicert.digest import Digest
from navicert.errors import Malformed
from navicert.oci.exchange import Missing
from navicert.oci.image import Image, check_layers, read_image
from navicert.oci.manifest import Descriptor, Document
from navicert.oci.reference import Reference
from navicert.oci.registry import Registry, Repository

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Resolved:
    """A repository in which one reference has been looked up: `root` is what it named then, and `reference` names that
    by digest. As a `BlobSource` it gives the root's bytes as they came, and never asks for them again."""

    reference: Reference
    root: Descriptor
    document: Document
    repository: Repository

    @property
    def origin(self) -> str:
        """The reference, with its digest."""
        return str(self.reference)

    @property
    def shelf(self) -> Repository:
        """The repository."""
        return self.repository

    def locate(self, digest: Digest) -> str:
        """What a manifest or blob is called in messages."""
        return self.repository.locate(digest)

    def chunks(self, descriptor: Descriptor) -> Iterator[bytes]:
        """The bytes that `descriptor` points at, not yet compared with it."""
        if descriptor.digest == self.root.digest:
            return iter((self.document.raw,))
        return self.repository.chunks(descriptor)

    def position(self, digest: Digest) -> int:
        """0: all blobs are equally far."""
        return 0

    def image(self) -> Image:
        """The image: index, manifests and configs, each compared with its digest; layers are not read. Raises
        `Malformed` for what is damaged, incomplete or no image."""
        return read_image(self, self.root, self.repository.registry.limits)

    def check_layers(self, image: Image) -> None:
        """Reads every layer once; see `navicert.oci.image.check_layers`."""
        check_layers(self, image, self.repository.registry.limits)


def resolve_reference(registry: Registry, reference: Reference) -> Resolved:
    """What `reference` names in `registry` now. Raises `Malformed` where there is no such thing, and what the methods
    of `Registry` raise."""
    if reference.registry != registry.name:
        raise Malformed("reference to another registry", path=str(reference), expected=registry.name)
    found = registry.manifest(reference.repository, reference.digest or reference.tag)
    if isinstance(found, Missing):
        raise found.error()
    digest = reference.digest or found.digest
    root = Descriptor(found.media_type, digest, len(found.raw))
    return Resolved(reference.at(digest), root, found, Repository(registry, reference.repository))
