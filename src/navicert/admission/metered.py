"""A repository that counts what is read of it, and an image in one with its evidence in another."""

from __future__ import annotations

from navicert.admission.breaker import Breaker
from navicert.admission.budget import Budget
from navicert.digest import Digest
from navicert.errors import Malformed
from navicert.limits import Limits
from navicert.oci.exchange import Missing
from navicert.oci.image import Image, check_layers, read_image
from navicert.oci.manifest import Descriptor, Document
from navicert.oci.registry import Repository

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager


class MeteredShelf:
    """The repository `inner` of `registry`, read within `budget` while `breaker` lets it be asked. Each method raises
    as its own, as `Budget.spend`, and as `Breaker.asking`."""

    def __init__(self, inner: Repository, budget: Budget, registry: str, breaker: Breaker) -> None:
        self._inner = inner
        self._budget = budget
        self._registry = registry
        self._breaker = breaker

    @property
    def origin(self) -> str:
        """Registry and repository."""
        return self._inner.origin

    @property
    def limits(self) -> Limits:
        """Those of its registry."""
        return self._inner.limits

    def locate(self, digest: Digest | str) -> str:
        """What a manifest or blob is called in messages."""
        return self._inner.locate(digest)

    def manifest(self, selector: Digest | str) -> Document | Missing:
        """As `Repository.manifest`."""
        path = self.locate(selector)
        self._budget.check(path)
        with self._asking():
            found = self._inner.manifest(selector)
        if isinstance(found, Document):
            self._budget.spend(len(found.raw), path)
        return found

    def read_blob(self, descriptor: Descriptor, most: int) -> bytes:
        """As `Repository.read_blob`; paid for before it is read, by the size that the reader holds it to."""
        self._budget.spend(min(descriptor.size, most), self.locate(descriptor.digest))
        with self._asking():
            return self._inner.read_blob(descriptor, most)

    def tags(self, *, prefix: str = "") -> list[str] | Missing:
        """As `Repository.tags`."""
        self._budget.check(self.origin)
        with self._asking():
            return self._inner.tags(prefix=prefix)

    def referrers(self, subject: Digest) -> list[Descriptor | Malformed] | Missing:
        """As `Repository.referrers`."""
        self._budget.check(self.origin)
        with self._asking():
            return self._inner.referrers(subject)

    def chunks(self, descriptor: Descriptor) -> Iterator[bytes]:
        """As `Repository.chunks`."""
        path = self.locate(descriptor.digest)
        self._budget.check(path)
        chunks = iter(self._inner.chunks(descriptor))
        while True:
            # Around each piece, and not around all of them: what whoever reads them raises is not the registry's.
            with self._asking():
                chunk = next(chunks, None)
            if chunk is None:
                return
            self._budget.spend(len(chunk), path)
            yield chunk

    def _asking(self) -> AbstractContextManager[None]:
        return self._breaker.asking(self._registry)

    def position(self, digest: Digest) -> int:
        """0: all blobs are equally far."""
        return 0


class MeteredImage:
    """The image `document`, in `home`, with what is attached to it on `shelf`: the same repository, or another that
    keeps evidence under the digests of images that live elsewhere. A `Placed`."""

    def __init__(
        self, document: Document, digest: Digest, home: MeteredShelf, shelf: MeteredShelf | None = None
    ) -> None:
        self._document = document
        self._home = home
        self._shelf = shelf or home
        self._image: Image | None = None
        self._root = Descriptor(document.media_type, digest, len(document.raw))

    @property
    def origin(self) -> str:
        """The reference, by digest."""
        return self._home.locate(self._root.digest)

    @property
    def root(self) -> Descriptor:
        """The index or manifest."""
        return self._root

    @property
    def shelf(self) -> MeteredShelf:
        """Where what is attached to it is looked for."""
        return self._shelf

    def on(self, shelf: MeteredShelf) -> MeteredImage:
        """The same image, its evidence looked for on `shelf`."""
        other = MeteredImage(self._document, self._root.digest, self._home, shelf)
        other._image = self.image()
        return other

    def locate(self, digest: Digest) -> str:
        """What a manifest or blob is called in messages."""
        return self._home.locate(digest)

    def chunks(self, descriptor: Descriptor) -> Iterator[bytes]:
        """The bytes that `descriptor` points at; those of the root as they came, never asked for again."""
        if descriptor.digest == self._root.digest:
            return iter((self._document.raw,))
        return self._home.chunks(descriptor)

    def position(self, digest: Digest) -> int:
        """0: all blobs are equally far."""
        return 0

    def image(self) -> Image:
        """The image, read once."""
        if self._image is None:
            self._image = read_image(self, self._root, self._home.limits)
        return self._image

    def check_layers(self, image: Image) -> None:
        """Reads every layer once."""
        check_layers(self, image, self._home.limits)
