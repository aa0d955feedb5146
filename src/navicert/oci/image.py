"""The image: raw bytes plus a view of them, wherever they came from.

An image is one index, manifest and config per platform, and layers. Reading one checks every document against the
descriptor that names it, down from the root; `check_layers` does the same for the layers.
Spec: OCI image-spec image-index.md, manifest.md, config.md.
"""

from __future__ import annotations

import hashlib

from navicert.dataclass import dataclass
from navicert.digest import Digest
from navicert.errors import LimitExceeded, Malformed
from navicert.limits import LOCAL, Limits
from navicert.oci import media
from navicert.oci.blob import BlobSource, read_document, verified_chunks
from navicert.oci.compression import Budget, unpack
from navicert.oci.config import Config
from navicert.oci.manifest import Descriptor, Document, Index, Manifest, Platform, naming, read_digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class PlatformImage:
    """The image for one platform. `manifest` is None where the medium has none (a docker-archive)."""

    platform: Platform
    config: Config
    manifest: Manifest | None = None


@dataclass(frozen=True, slots=True)
class Attestation:
    """What BuildKit put beside a platform's manifest: unsigned statements about `subject`, pinned by the index only."""

    subject: Digest
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class Image:
    """One image. `platforms` is sorted and never empty; `index` is None where a manifest was pointed at directly."""

    origin: str
    platforms: tuple[PlatformImage, ...]
    index: Document | None = None
    attestations: tuple[Attestation, ...] = ()


def read_image(source: BlobSource, root: Descriptor, limits: Limits = LOCAL) -> Image:
    """The image that `root` points at: an index with all its platforms, or one manifest. Layers are not read.

    Raises `Malformed`, naming the blob, for one that is missing, has another size or digest, or is not what its
    descriptor says.
    """
    reader = _Reader(source, limits)
    if root.media_type in media.MANIFESTS:
        return Image(source.origin, (reader.platform(root),))
    if root.media_type not in media.INDEXES:
        raise Malformed(
            "neither a manifest nor an index",
            path=source.origin,
            expected="an image",
            got=ascii(root.media_type[:100]),
        )
    index, children = reader.index(root)
    platforms: dict[Platform, PlatformImage] = {}
    attestations = []
    for child in children:
        if _is_attestation(child):
            attestations.append(reader.attestation(child))
        elif _is_choosable(child):
            found = reader.platform(child)
            known = platforms.setdefault(found.platform, found)
            if known.manifest != found.manifest:
                raise Malformed(
                    f"two images for platform {found.platform}",
                    path=source.locate(root.digest),
                    remedy="runtimes would choose differently; rebuild the index",
                )
    if not platforms:
        raise Malformed("index without an image", path=source.locate(root.digest))
    return Image(source.origin, tuple(platforms[key] for key in sorted(platforms)), index, tuple(attestations))


def check_layers(source: BlobSource, image: Image, limits: Limits = LOCAL) -> None:
    """Reads every layer of `image` once. Raises `Malformed`, naming the blob, unless each has the size and digest that
    its manifest states and unpacks to the content that the config states; `LimitExceeded` for a decompression bomb."""
    budget = Budget(limits, source.origin)
    unpacked: dict[tuple[Digest, int, str, str], Digest] = {}
    expected = [
        (layer, diff_id)
        for entry in image.platforms
        if entry.manifest is not None
        for layer, diff_id in zip(entry.manifest.layers, entry.config.diff_ids, strict=True)
    ]
    for layer, diff_id in sorted(expected, key=lambda pair: source.position(pair[0].digest)):
        # Platforms, and layers of one image, share blobs: the same claim about the same blob is checked once.
        claim = (layer.digest, layer.size, layer.media_type, diff_id.algorithm)
        got = unpacked.get(claim)
        if got is None:
            got = unpacked[claim] = _diff_id(source, layer, diff_id.algorithm, budget)
        if got != diff_id:
            raise Malformed(
                "layer does not unpack to what the config states",
                path=source.locate(layer.digest),
                expected=str(diff_id),
                got=str(got),
            )


def _diff_id(source: BlobSource, layer: Descriptor, algorithm: str, budget: Budget) -> Digest:
    where = source.locate(layer.digest)
    compression = media.layer_compression(layer.media_type)
    if compression is None:
        raise Malformed("not the media type of a layer", path=where, got=ascii(layer.media_type[:100]))
    chunks = verified_chunks(source, layer)
    if not compression and algorithm == layer.digest.algorithm:
        for chunk in chunks:
            budget.spend(len(chunk), len(chunk))
        return layer.digest
    hasher = hashlib.new(algorithm)
    try:
        for block in unpack(chunks, compression, budget, path=where):
            hasher.update(block)
    except LimitExceeded:
        raise
    except Malformed:
        for _ in chunks:  # read on: that the blob is not the one named explains more than that it is damaged
            pass
        raise
    return Digest(algorithm, hasher.hexdigest())


def _is_attestation(child: Descriptor) -> bool:
    # The annotation alone decides nothing: on an entry with a real platform it would hide an image that does run.
    apart = child.platform is not None and not child.platform.known
    return apart and child.annotations.get(media.ATTESTATION_TYPE) == "attestation-manifest"


def _is_choosable(child: Descriptor) -> bool:
    return child.platform is None or child.platform.known


class _Reader:
    """Reads the documents of one image, each once."""

    def __init__(self, source: BlobSource, limits: Limits) -> None:
        self.source = source
        self.limits = limits
        self._manifests: dict[Digest, Manifest] = {}
        self._configs: dict[Digest, Config] = {}

    def index(self, root: Descriptor) -> tuple[Document, list[Descriptor]]:
        """The root index, and the manifests that it and the indexes inside it list."""
        document = read_document(self.source, root, self.limits)
        children = list(self._children(document, self.source.locate(root.digest), 1, {root.digest}))
        return document, children

    def _children(self, document: Document, path: str, depth: int, seen: set[Digest]) -> Iterator[Descriptor]:
        if depth > self.limits.index_depth:
            raise LimitExceeded(
                "indexes nested too deeply (limit index_depth)",
                path=path,
                expected=f"at most {self.limits.index_depth}",
            )
        for child in Index.parse(document, self.limits, path=path).manifests:
            if child.digest not in seen and len(seen) >= self.limits.layers:
                raise LimitExceeded("too many manifests (limit layers)", path=path, got=f"over {self.limits.layers}")
            repeated = child.digest in seen
            seen.add(child.digest)
            if child.media_type in media.MANIFESTS:
                yield child
            elif child.media_type in media.INDEXES and not repeated:
                inner = read_document(self.source, child, self.limits)
                yield from self._children(inner, self.source.locate(child.digest), depth + 1, seen)

    def manifest(self, descriptor: Descriptor) -> Manifest:
        """The manifest that `descriptor` points at."""
        path = self.source.locate(descriptor.digest)
        known = self._manifests.get(descriptor.digest)
        if known is not None and (len(known.document.raw), known.document.media_type) == (
            descriptor.size,
            descriptor.media_type,
        ):
            return known
        manifest = Manifest.parse(read_document(self.source, descriptor, self.limits), self.limits, path=path)
        self._manifests[descriptor.digest] = manifest
        return manifest

    def platform(self, descriptor: Descriptor) -> PlatformImage:
        """The image whose manifest `descriptor` points at. It is called as the index calls it, because that is what a
        runtime chooses by; where the index is silent, as its config says."""
        manifest = self.manifest(descriptor)
        path = self.source.locate(descriptor.digest)
        if not manifest.is_image:
            raise Malformed(
                "an artifact, not an image",
                path=path,
                pointer="/config/mediaType",
                got=ascii(manifest.config.media_type),
            )
        config = self._configs.get(manifest.config.digest)
        if config is None or len(config.document.raw) != manifest.config.size:
            document = read_document(self.source, manifest.config, self.limits)
            config = Config.parse(document, self.limits, path=self.source.locate(manifest.config.digest))
            self._configs[manifest.config.digest] = config
        if len(manifest.layers) != len(config.diff_ids):
            raise Malformed(
                "manifest and config differ in the number of layers",
                path=path,
                expected=f"{len(config.diff_ids)} as in the config",
                got=str(len(manifest.layers)),
            )
        return PlatformImage(descriptor.platform or config.platform, config, manifest)

    def attestation(self, descriptor: Descriptor) -> Attestation:
        """The attestation manifest that `descriptor` points at."""
        with naming(self.source.locate(descriptor.digest)):
            subject = read_digest(descriptor.annotations.get(media.ATTESTATION_SUBJECT), "/annotations")
        return Attestation(subject, self.manifest(descriptor))
