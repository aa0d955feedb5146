"""The media types of images: what a descriptor may point at.

Spec: OCI image-spec media-types.md; Docker image manifest v2 schema 2.
"""

from __future__ import annotations

from typing import Final, Literal

Compression = Literal["", "gzip", "zstd"]
"""How a layer's tar is packed; empty where it is not."""

OCI_INDEX: Final = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG: Final = "application/vnd.oci.image.config.v1+json"
OCI_LAYER: Final = "application/vnd.oci.image.layer.v1.tar"
DOCKER_LIST: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG: Final = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER: Final = "application/vnd.docker.image.rootfs.diff.tar"

EMPTY: Final = "application/vnd.oci.empty.v1+json"
"""The config of an artifact that has none, and the layer of one that has none: the two bytes `{}`."""

INDEXES: Final = frozenset({OCI_INDEX, DOCKER_LIST})
"""Documents that list manifests, one per platform."""

MANIFESTS: Final = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
"""Documents that name a config and layers."""

CONFIGS: Final = frozenset({OCI_CONFIG, DOCKER_CONFIG})
"""Image configurations. A manifest with another config type is an artifact, not an image."""

ATTESTATION_TYPE: Final = "vnd.docker.reference.type"
"""Annotation by which BuildKit sets apart an index entry that is not an image."""

ATTESTATION_SUBJECT: Final = "vnd.docker.reference.digest"
"""Annotation of such an entry: digest of the platform manifest that it speaks of."""

REF_NAME: Final = "org.opencontainers.image.ref.name"
"""Annotation in a layout's `index.json`: the tag of an image."""

_LAYERS: Final[dict[str, Compression]] = {
    OCI_LAYER: "",
    f"{OCI_LAYER}+gzip": "gzip",
    f"{OCI_LAYER}+zstd": "zstd",
    "application/vnd.oci.image.layer.nondistributable.v1.tar": "",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip": "gzip",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd": "zstd",
    DOCKER_LAYER: "",
    f"{DOCKER_LAYER}.gzip": "gzip",
    f"{DOCKER_LAYER}.zstd": "zstd",
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip": "gzip",
}


def layer_compression(media_type: str) -> Compression | None:
    """How a layer of `media_type` is packed; None where it is not the type of an image layer."""
    return _LAYERS.get(media_type)
