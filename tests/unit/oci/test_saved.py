"""An image of a docker archive in a shape that can be copied: made of the archive's own bytes, all of it checked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.image_builder import copy_to_layout, docker_entries, layer_tar, tar_of

from navicert.digest import Digest, sha256
from navicert.errors import LimitExceeded, Malformed
from navicert.oci import media
from navicert.oci.docker import open_docker_archive
from navicert.oci.exchange import Missing
from navicert.oci.layout import open_layout
from navicert.oci.manifest import Descriptor
from navicert.oci.saved import SavedImage, place_saved
from navicert.resolve.image import image_artifacts

LAYERS = [{"a": b"1"}, {"b": b"2" * 5000}]


@pytest.fixture
def cleanup() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def archive(tmp_path: Path, *, packed: bool = False, **more: object) -> Path:
    return tar_of(docker_entries(LAYERS, **more), tmp_path / "app.tar", packed=packed)  # type: ignore[arg-type]


@pytest.mark.parametrize("packed", [False, True])
def test_a_copy_has_the_content_and_the_image_id_of_the_archive(
    tmp_path: Path, cleanup: ExitStack, packed: bool
) -> None:
    path = archive(tmp_path, packed=packed)
    placed = place_saved(str(path), "", cleanup)
    copy_to_layout(placed, placed.root, tmp_path / "image", "1.0", workers=1)
    before = image_artifacts("app", open_docker_archive(path))
    after = image_artifacts("app", open_layout(tmp_path / "image", "1.0"))
    assert {name: after[name] for name in before} == before


def test_one_archive_always_gives_the_same_manifest(tmp_path: Path, cleanup: ExitStack) -> None:
    path = archive(tmp_path)
    one, two = (place_saved(str(path), "app:latest", cleanup) for _ in range(2))
    assert one.root == two.root
    assert one.origin == f"docker-archive:{path}@{one.root.digest}"
    manifest = json.loads(b"".join(one.chunks(one.root)))
    assert manifest["mediaType"] == media.OCI_MANIFEST
    assert [layer["mediaType"] for layer in manifest["layers"]] == [media.OCI_LAYER] * 2
    assert [layer["digest"] for layer in manifest["layers"]] == [str(sha256(layer_tar(files))) for files in LAYERS]


def test_layers_that_are_packed_in_the_archive_stay_as_they_are(tmp_path: Path, cleanup: ExitStack) -> None:
    import gzip

    entries = [(n, gzip.compress(d, mtime=0) if n.endswith("layer.tar") else d) for n, d in docker_entries(LAYERS)]
    path = tar_of(entries, tmp_path / "app.tar")
    placed = place_saved(str(path), "", cleanup)
    manifest = json.loads(b"".join(placed.chunks(placed.root)))
    assert [layer["mediaType"] for layer in manifest["layers"]] == [f"{media.OCI_LAYER}+gzip"] * 2


def test_a_layer_that_is_not_what_the_config_says_is_not_copied(tmp_path: Path, cleanup: ExitStack) -> None:
    entries = [(n, layer_tar({"a": b"evil"}) if n == "0/layer.tar" else d) for n, d in docker_entries(LAYERS)]
    with pytest.raises(Malformed, match="does not unpack to what the config states"):
        place_saved(str(tar_of(entries, tmp_path / "app.tar")), "", cleanup)


def test_nothing_lies_beside_it(tmp_path: Path, cleanup: ExitStack) -> None:
    placed: SavedImage = place_saved(str(archive(tmp_path)), "", cleanup)
    assert placed.shelf is placed
    assert placed.tags() == placed.referrers(placed.root.digest) == []
    assert isinstance(placed.manifest("latest"), Missing)
    assert isinstance(placed.manifest(sha256(b"")), Missing)
    document = placed.manifest(placed.root.digest)
    assert not isinstance(document, Missing)
    assert document.digest == placed.root.digest


def test_what_is_not_in_it_is_not_given(tmp_path: Path, cleanup: ExitStack) -> None:
    placed = place_saved(str(archive(tmp_path)), "", cleanup)
    strange = Descriptor(media.OCI_LAYER, Digest("sha256", "ab" * 32), 1)
    with pytest.raises(Malformed, match="missing in the archive"):
        placed.chunks(strange)
    with pytest.raises(LimitExceeded, match="blob too large"):
        placed.read_blob(placed.root, 3)
    assert placed.read_blob(placed.root, 5000) == b"".join(placed.chunks(placed.root))
    assert placed.position(strange.digest) == 0
    assert str(strange.digest) in placed.locate(strange.digest)


@pytest.mark.parametrize("reference", ["other", "app:2"])
def test_a_name_that_is_not_in_the_archive_is_refused(tmp_path: Path, cleanup: ExitStack, reference: str) -> None:
    with pytest.raises(Malformed, match="no image"):
        place_saved(str(archive(tmp_path)), reference, cleanup)
