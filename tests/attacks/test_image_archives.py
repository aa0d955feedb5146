"""Images that lie: each test is one attack on whoever reads or records an image, and must be refused."""

from __future__ import annotations

import gzip
import json
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from tests.image_builder import (
    LAYER,
    LayoutBuilder,
    config_json,
    docker_entries,
    entries_of,
    layer_tar,
    link,
    sha256,
    tar_of,
)

from navicert.errors import LimitExceeded, Malformed
from navicert.limits import LOCAL
from navicert.oci.docker import open_docker_archive
from navicert.oci.layout import open_layout, open_oci_archive
from navicert.resolve.image import ImageLocation, image_artifacts, open_image

MIB = 1024 * 1024


@pytest.fixture
def builder(tmp_path: Path) -> LayoutBuilder:
    return LayoutBuilder(tmp_path / "image")


def blob_of(builder: LayoutBuilder, descriptor, part: str) -> Path:
    """The file of an image's manifest, config or (first) layer."""
    if part == "manifest":
        return builder.blob_path(descriptor["digest"])
    manifest = json.loads(builder.blob_path(descriptor["digest"]).read_bytes())
    return builder.blob_path((manifest["config"] if part == "config" else manifest["layers"][0])["digest"])


PARTS = pytest.mark.parametrize("part", ["manifest", "config", "layer"])


# --- blobs that are not what they are called ------------------------------------------------------------------------


@PARTS
def test_swapped_blob(builder, part):
    descriptor = builder.image()
    other = builder.image({"app": b"evil!"})
    blob = blob_of(builder, descriptor, part)
    size = blob.stat().st_size
    blob.write_bytes(blob_of(builder, other, part).read_bytes().ljust(size)[:size])
    with pytest.raises(Malformed, match="another digest: it was changed or damaged") as caught:
        open_layout(builder.contents(descriptor))
    assert blob.name in caught.value.path


@PARTS
@pytest.mark.parametrize("change", [b"", b"surplus"], ids=["cut off", "longer"])
def test_size_lie(builder, part, change):
    descriptor = builder.image()
    blob = blob_of(builder, descriptor, part)
    blob.write_bytes(blob.read_bytes() + change if change else blob.read_bytes()[:-1])
    with pytest.raises(Malformed, match="blob has another size") as caught:
        open_layout(builder.contents(descriptor))
    assert blob.name in caught.value.path


def test_size_lie_about_a_right_blob(builder):
    descriptor = builder.image()
    with pytest.raises(Malformed, match="blob has another size"):
        open_layout(builder.contents(descriptor | {"size": descriptor["size"] + 1}))


def test_size_lie_about_a_layer_that_another_manifest_describes_rightly(builder):
    layer, diff_id = builder.layer({"a": b"1"})
    children = [
        builder.manifest(
            config_json([diff_id], architecture=name),
            [layer | {"size": layer["size"] + lie}],
            platform={"os": "linux", "architecture": name},
        )
        for name, lie in (("amd64", 0), ("arm64", 1))
    ]
    with pytest.raises(Malformed, match="blob has another size"):
        open_layout(builder.contents(builder.index(children)))


@PARTS
def test_missing_blob(builder, part):
    descriptor = builder.image()
    blob = blob_of(builder, descriptor, part)
    blob.unlink()
    with pytest.raises(Malformed, match="missing in the image layout") as caught:
        open_layout(builder.contents(descriptor))
    assert blob.name in caught.value.path


def test_platform_missing_from_an_index(builder):
    children = [builder.image({"a": bytes([i])}, platform={"os": "linux", "architecture": f"a{i}"}) for i in range(2)]
    builder.blob_path(children[1]["digest"]).unlink()
    with pytest.raises(Malformed, match="missing in the image layout"):
        open_layout(builder.contents(builder.index(children)))


def test_digest_lie_of_a_config_in_a_docker_archive(tmp_path):
    layer, (name, config), contents = docker_entries()
    evil = config.replace(b"/app", b"/bad")
    with pytest.raises(Malformed, match="another digest than its name"):
        open_docker_archive(tar_of([layer, (name, evil), contents], tmp_path / "image.tar"))


def test_layer_swapped_in_a_docker_archive(tmp_path):
    (name, _), *rest = docker_entries()
    evil = layer_tar({"app": b"evil!"})
    with pytest.raises(Malformed, match="layer is not what the config states"):
        open_docker_archive(tar_of([(name, evil), *rest], tmp_path / "image.tar"))


def test_layers_swapped_with_each_other_in_a_docker_archive(tmp_path):
    (one, first), (two, second), *rest = docker_entries([{"a": b"1"}, {"a": b"2"}])
    with pytest.raises(Malformed, match="layer is not what the config states"):
        open_docker_archive(tar_of([(one, second), (two, first), *rest], tmp_path / "image.tar"))


def test_layer_swapped_together_with_its_manifest_but_not_in_the_config(builder):
    _, diff_id = builder.layer({"app": b"hello"})
    evil, _ = builder.layer({"app": b"evil!"})
    with pytest.raises(Malformed, match="layer does not unpack to what the config states"):
        open_layout(builder.contents(builder.manifest(config_json([diff_id]), [evil])))


def test_layer_order_swapped_in_the_manifest(builder):
    (one, first), (two, second) = builder.layer({"a": b"1"}), builder.layer({"a": b"2"})
    with pytest.raises(Malformed, match="layer does not unpack to what the config states"):
        open_layout(builder.contents(builder.manifest(config_json([first, second]), [two, one])))


def test_packed_layer_declared_as_a_plain_one(builder):
    packed, diff_id = builder.layer({"a": b"1"})
    with pytest.raises(Malformed, match="layer does not unpack to what the config states"):
        open_layout(builder.contents(builder.manifest(config_json([diff_id]), [packed | {"mediaType": LAYER}])))


def test_changed_blob_is_called_changed_even_where_it_no_longer_unpacks(builder):
    descriptor = builder.image({"app": b"x" * 5000})
    blob = blob_of(builder, descriptor, "layer")
    blob.write_bytes(b"\x1f\x8b" + b"\0" * (blob.stat().st_size - 2))
    with pytest.raises(Malformed, match="another digest: it was changed or damaged"):
        open_layout(builder.contents(descriptor))


# --- documents that two readers understand differently --------------------------------------------------------------


@pytest.mark.parametrize("name", ["entrypoint", "ENTRYPOINT", "Entrypoınt".replace("ı", "I"), "Volumeſ", "ſtopSignal"])
def test_field_in_another_case_overrides_the_entry_point_for_some_runtimes(builder, name):
    run = {"Entrypoint": ["/app"], name: ["/evil"]}
    with pytest.raises(Malformed, match="spelled in another case"):
        open_layout(builder.contents(builder.image(run=run)))


def test_config_section_in_another_case(builder):
    with pytest.raises(Malformed, match='field "config" spelled in another case'):
        open_layout(builder.contents(builder.image(config={"Config": {"Entrypoint": ["/evil"]}})))


def test_layers_in_another_case(builder):
    layer, diff_id = builder.layer({"a": b"1"})
    descriptor = builder.manifest(config_json([diff_id]), [layer], fields={"Layers": []})
    with pytest.raises(Malformed, match='field "layers" spelled in another case'):
        open_layout(builder.contents(descriptor))


def test_digest_of_a_descriptor_in_another_case(builder):
    descriptor = builder.image()
    with pytest.raises(Malformed, match='field "digest" spelled in another case'):
        open_layout(builder.contents(descriptor | {"Digest": sha256(b"evil")}))


def test_field_given_twice(builder):
    descriptor = builder.image()
    raw = builder.blob_path(descriptor["digest"]).read_bytes()
    twice = raw.replace(b'"layers"', b'"layers": [], "layers"')
    with pytest.raises(Malformed, match='duplicate key "layers"'):
        open_layout(builder.contents(builder.blob(twice, descriptor["mediaType"])))


def test_manifest_that_is_also_an_index(builder):
    layer, diff_id = builder.layer({"a": b"1"})
    descriptor = builder.manifest(config_json([diff_id]), [layer], fields={"manifests": []})
    with pytest.raises(Malformed, match="both an index and a manifest"):
        open_layout(builder.contents(descriptor))


def test_index_that_is_also_a_manifest(builder):
    descriptor = builder.index([builder.image()], fields={"layers": []})
    with pytest.raises(Malformed, match="both an index and a manifest"):
        open_layout(builder.contents(descriptor))


def test_media_type_of_the_descriptor_is_not_that_of_the_document(builder):
    descriptor = builder.image()
    for lie in ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.v2+json"):
        with pytest.raises(Malformed, match=r"media type differs|both an index and a manifest"):
            open_layout(builder.contents(descriptor | {"mediaType": lie}))


def test_running_image_hidden_as_an_attestation(builder):
    # The annotation says "not an image", the platform says that a node would run it.
    annotations = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": sha256(b"")}
    platform = {"os": "linux", "architecture": "arm64"}
    hidden = builder.image(
        {"app": b"evil"}, platform=platform, annotations=annotations, config={"architecture": "arm64"}
    )
    honest = builder.image(platform={"os": "linux", "architecture": "amd64"})
    image = open_layout(builder.contents(builder.index([honest, hidden])))
    assert [str(entry.platform) for entry in image.platforms] == ["linux/amd64", "linux/arm64"]
    assert not image.attestations


def test_two_images_for_one_platform(builder):
    children = [
        builder.image({"app": data}, platform={"os": "linux", "architecture": name})
        for data, name in ((b"hello", "amd64"), (b"evil!", "x86_64"))
    ]
    with pytest.raises(Malformed, match="two images for platform linux/amd64"):
        open_layout(builder.contents(builder.index(children)))


# --- archives -------------------------------------------------------------------------------------------------------

BOTH = pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])


@BOTH
@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil", "..", "a\\..\\evil", "a\x1b[31m", "a\0/../b"])
def test_traversal_name(tmp_path, name, packed):
    archive = tar_of([*docker_entries(), ("placeholder", b"")], tmp_path / "image.tar")
    data = archive.read_bytes()
    # Written by hand, because the standard library would not write every one of these names.
    at = data.index(b"placeholder")
    block = bytearray(data[at : at + 512])
    block[:100] = name.encode().ljust(100, b"\0")
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    data = data[:at] + bytes(block) + data[at + 512 :]
    archive.write_bytes(gzip.compress(data) if packed else data)
    if "\0" in name:  # the name ends at the zero byte, for every reader
        assert open_docker_archive(archive).platforms
        return
    with pytest.raises(Malformed, match=r"unsafe name|leaves the archive"):
        open_docker_archive(archive)
    assert [path.name for path in tmp_path.iterdir()] == ["image.tar"]


@BOTH
@pytest.mark.parametrize("target", ["/etc/passwd", "../../etc/passwd", "../../../../../../etc/passwd"])
@pytest.mark.parametrize("hard", [False, True], ids=["symbolic", "hard"])
def test_link_out_of_the_archive(tmp_path, target, hard, packed):
    entries = [(link("0/layer.tar", target, hard=hard), b""), *docker_entries()[1:]]
    with pytest.raises(Malformed, match=r"unsafe name|leaves the archive"):
        open_docker_archive(tar_of(entries, tmp_path / "image.tar", packed=packed))


def test_link_to_itself(tmp_path):
    entries = [(link("0/layer.tar", "x"), b""), (link("0/x", "layer.tar"), b""), *docker_entries()[1:]]
    with pytest.raises(Malformed, match="link that leads nowhere"):
        open_docker_archive(tar_of(entries, tmp_path / "image.tar"))


def test_link_to_a_folder_through_which_the_next_entry_is_written(tmp_path):
    # An unpacking reader would write the layer into /tmp; here a link is a name, and nothing is written.
    entries = [(link("0", "../../../tmp"), b""), *docker_entries()]
    with pytest.raises(Malformed, match="leaves the archive"):
        open_docker_archive(tar_of(entries, tmp_path / "image.tar"))


@BOTH
@pytest.mark.parametrize("name", ["manifest.json", "./manifest.json", "a/../manifest.json"])
def test_duplicate_entries(tmp_path, name, packed):
    # One reader takes the first entry of a name, another the last.
    entries = [(name, b"[]"), *docker_entries()]
    with pytest.raises(Malformed, match=r"two entries of one name \(got 'manifest\.json'\)"):
        open_docker_archive(tar_of(entries, tmp_path / "image.tar", packed=packed))


def test_duplicate_entry_as_a_link(tmp_path):
    entries = [*docker_entries(), (link("manifest.json", "other"), b""), ("other", b"[]")]
    with pytest.raises(Malformed, match="two entries of one name"):
        open_docker_archive(tar_of(entries, tmp_path / "image.tar"))


def test_device_in_an_archive(tmp_path):
    device = tarfile.TarInfo("zero")
    device.type, device.devmajor, device.devminor = tarfile.CHRTYPE, 1, 5
    with pytest.raises(Malformed, match="neither file, directory nor link"):
        open_docker_archive(tar_of([(device, b""), *docker_entries()], tmp_path / "image.tar"))


def test_too_many_entries(tmp_path):
    archive = tar_of([(f"f{i}", b"") for i in range(60)], tmp_path / "image.tar")
    with pytest.raises(LimitExceeded, match="limit archive_entries"):
        open_docker_archive(archive, limits=replace(LOCAL, archive_entries=50))


def test_blob_swapped_in_an_oci_archive(builder, tmp_path):
    descriptor = builder.image()
    folder = builder.contents(descriptor)
    layer = blob_of(builder, descriptor, "layer")
    layer.write_bytes(layer.read_bytes()[::-1])
    with pytest.raises(Malformed, match="another digest: it was changed or damaged") as caught:
        open_oci_archive(tar_of(entries_of(folder), tmp_path / "image.tar"))
    assert f"image.tar(blobs/sha256/{layer.name})" in caught.value.path


# --- bombs ----------------------------------------------------------------------------------------------------------

BOMB = replace(LOCAL, expansion_floor=4 * MIB)


def test_decompression_bomb_as_a_layer(builder):
    bomb = gzip.compress(b"\0" * (64 * MIB))
    layer = builder.blob(bomb, f"{LAYER}+gzip")
    path = builder.contents(builder.manifest(config_json([sha256(b"")]), [layer]))
    with pytest.raises(LimitExceeded, match="decompression bomb"):
        open_layout(path, limits=BOMB)


def test_decompression_bomb_in_many_small_layers(builder):
    layers = [builder.blob(gzip.compress(bytes([i]) * (2 * MIB)), f"{LAYER}+gzip") for i in range(16)]
    diff_ids = [sha256(bytes([i]) * (2 * MIB)) for i in range(16)]
    path = builder.contents(builder.manifest(config_json(diff_ids), layers))
    assert open_layout(path).platforms
    with pytest.raises(LimitExceeded, match="decompression bomb"):
        open_layout(path, limits=BOMB)


def test_decompression_bomb_as_a_whole_archive(tmp_path):
    entries = [("bomb", b"\0" * (64 * MIB)), *docker_entries()]
    with pytest.raises(LimitExceeded, match="decompression bomb"):
        open_docker_archive(tar_of(entries, tmp_path / "image.tar", packed=True), limits=BOMB)


def test_decompression_bomb_as_a_packed_layer_of_a_docker_archive(tmp_path):
    (name, _), *rest = docker_entries()
    entries = [(name, gzip.compress(b"\0" * (64 * MIB))), *rest]
    with pytest.raises(LimitExceeded, match="decompression bomb"):
        open_docker_archive(tar_of(entries, tmp_path / "image.tar"), limits=BOMB)


def test_manifest_of_endless_size(builder):
    with pytest.raises(LimitExceeded, match="limit manifest_bytes"):
        open_layout(builder.contents(builder.image() | {"size": 10**15}))


def test_index_nested_without_end(builder):
    descriptor = builder.image()
    for _ in range(LOCAL.index_depth):
        descriptor = builder.index([descriptor])
    assert open_layout(builder.contents(descriptor)).platforms
    with pytest.raises(LimitExceeded, match="limit index_depth"):
        open_layout(builder.contents(builder.index([descriptor])))


def test_index_with_too_many_manifests(builder):
    children = [builder.image({"a": bytes([i])}, platform={"os": "linux", "architecture": f"a{i}"}) for i in range(9)]
    limits = replace(LOCAL, layers=8)
    with pytest.raises(LimitExceeded, match="too many elements"):
        open_layout(builder.contents(builder.index(children)), limits=limits)
    halves = [builder.index(children[:5]), builder.index(children[5:])]
    with pytest.raises(LimitExceeded, match=r"too many manifests \(limit layers\)"):
        open_layout(builder.contents(builder.index(halves)), limits=limits)


def test_manifest_nested_too_deeply(builder):
    deep = builder.blob(b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "application/vnd.oci.image.manifest.v1+json")
    with pytest.raises(LimitExceeded, match="nested too deeply"):
        open_layout(builder.contents(deep))


# --- what a changed image looks like to a rule ----------------------------------------------------------------------


def artifacts(path: Path) -> dict[str, object]:
    return dict(image_artifacts("app", open_image(ImageLocation("oci", str(path)))))


def test_entry_point_changed_over_the_same_layers_is_seen_by_content(tmp_path):
    honest, evil = LayoutBuilder(tmp_path / "honest"), LayoutBuilder(tmp_path / "evil")
    before = artifacts(honest.contents(honest.image(run={"Entrypoint": ["/app"]})))
    after = artifacts(evil.contents(evil.image(run={"Entrypoint": ["/bin/sh", "-c", "evil"]})))
    same = {name for name in before if before[name] == after[name]}
    assert same == {"app/linux/amd64/layers"}


def test_image_whose_platform_is_called_like_another_artifact(builder):
    child = builder.image(platform={"os": "linux", "architecture": "amd64/content"})
    with pytest.raises(Malformed, match="not a platform"):
        open_layout(builder.contents(builder.index([child])))
