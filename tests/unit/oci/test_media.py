"""Media types: which layers are read and how, and that whatever is not in the list is none."""

from __future__ import annotations

import pytest

from navicert.oci import media


@pytest.mark.parametrize(
    ("media_type", "compression"),
    [
        ("application/vnd.oci.image.layer.v1.tar", ""),
        ("application/vnd.oci.image.layer.v1.tar+gzip", "gzip"),
        ("application/vnd.oci.image.layer.v1.tar+zstd", "zstd"),
        ("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", "gzip"),
        ("application/vnd.docker.image.rootfs.diff.tar", ""),
        ("application/vnd.docker.image.rootfs.diff.tar.gzip", "gzip"),
        ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "gzip"),
    ],
)
def test_a_layer_says_by_its_type_how_it_is_packed(media_type: str, compression: str) -> None:
    assert media.layer_compression(media_type) == compression


@pytest.mark.parametrize(
    "media_type",
    [
        "",
        "application/octet-stream",
        "application/vnd.oci.image.layer.v1.tar+GZIP",
        "APPLICATION/vnd.oci.image.layer.v1.tar",
        "application/vnd.oci.image.layer.v1.tar+gzip+encrypted",
        "application/vnd.oci.image.layer.v1.tar; charset=utf-8",
        " application/vnd.oci.image.layer.v1.tar",
        "application/vnd.oci.image.config.v1+json",
        "application/vnd.in-toto+json",
    ],
)
def test_what_is_nearly_the_type_of_a_layer_is_none(media_type: str) -> None:
    """None is not "unpacked": bytes of an unknown kind must not be taken for a tar."""
    assert media.layer_compression(media_type) is None


def test_no_type_is_of_two_kinds() -> None:
    """A document that is a manifest to one reader and an index to another stands for two images."""
    kinds = [media.INDEXES, media.MANIFESTS, media.CONFIGS, {media.EMPTY}, {media.OCI_LAYER, media.DOCKER_LAYER}]
    assert len(frozenset().union(*kinds)) == sum(map(len, kinds))
