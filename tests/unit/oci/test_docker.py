"""Docker archives: which image is meant, and what is read of it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from tests.image_builder import docker_entries, layer_tar, link, tar_of

from navicert.errors import LimitExceeded, Malformed
from navicert.oci.docker import open_docker_archive


def rewritten(entries, change):
    """`entries` with manifest.json as `change` leaves it."""
    contents = json.loads(dict(entries)["manifest.json"])
    change(contents)
    return [
        *(entry for entry in entries if entry[0] != "manifest.json"),
        ("manifest.json", json.dumps(contents).encode()),
    ]


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_an_image_is_read_from_a_plain_or_packed_archive(tmp_path, packed):
    entries = docker_entries([{"a": b"1"}, {"b": b"2" * 9_000_000}])
    image = open_docker_archive(tar_of(entries, tmp_path / "image.tar", packed=packed))
    (entry,) = image.platforms
    assert str(entry.platform) == "linux/amd64"
    assert entry.manifest is None
    assert image.index is None
    assert len(entry.config.diff_ids) == 2
    assert f"{entry.config.document.digest.hex}.json" in dict(entries)


def test_the_order_of_entries_does_not_matter(tmp_path):
    entries = docker_entries([{"a": b"1" * 9_000_000}, {"b": b"2" * 9_000_000}])
    forward = open_docker_archive(tar_of(entries, tmp_path / "forward.tar", packed=True))
    backward = open_docker_archive(tar_of(entries[::-1], tmp_path / "backward.tar", packed=True))
    assert forward.platforms == backward.platforms


def test_a_tag_chooses_among_several_images(tmp_path):
    one, two = (
        docker_entries([{"a": b"1"}], tags=["one:1"]),
        docker_entries([{"a": b"2"}], tags=["docker.io/library/two:2"]),
    )
    two = [(name.replace("0/layer", "9/layer"), data.replace(b"0/layer", b"9/layer")) for name, data in two]
    contents = json.loads(dict(one)["manifest.json"]) + json.loads(dict(two)["manifest.json"])
    archive = tar_of([*one[:-1], *two[:-1], ("manifest.json", json.dumps(contents).encode())], tmp_path / "image.tar")
    (entry,) = open_docker_archive(archive, "two:2").platforms
    assert f"{entry.config.document.digest.hex}.json" in dict(two)
    with pytest.raises(Malformed, match=r"several images in the archive \(expected one of .*'one:1'.* – name the tag"):
        open_docker_archive(archive)
    with pytest.raises(Malformed, match=r"no image 'three' in the archive"):
        open_docker_archive(archive, "three")


def test_a_layer_may_be_a_link_to_another_entry(tmp_path):
    (_, tar), *rest = docker_entries([{"a": b"1"}])
    for shape in (link("0/layer.tar", "../real.tar"), link("0/layer.tar", "real.tar", hard=True)):
        archive = tar_of([(shape, b""), ("real.tar", tar), *rest], tmp_path / "image.tar")
        assert open_docker_archive(archive).platforms


def test_two_layers_of_one_content_may_share_an_entry(tmp_path):
    entries = docker_entries([{"a": b"1"}, {"a": b"1"}])
    shared = [
        (link("1/layer.tar", "../0/layer.tar"), b"") if name == "1/layer.tar" else (name, data)
        for name, data in entries
    ]
    (entry,) = open_docker_archive(tar_of(shared, tmp_path / "image.tar")).platforms
    assert len(entry.config.diff_ids) == 2


def test_a_packed_layer_is_known_by_its_content(tmp_path):
    (name, tar), *rest = docker_entries([{"a": b"1"}])
    assert open_docker_archive(tar_of([(name, gzip.compress(tar)), *rest], tmp_path / "image.tar")).platforms


def test_names_as_newer_versions_write_them_are_read(tmp_path):
    (_, tar), (config, raw), (contents, listed) = docker_entries([{"a": b"1"}])
    name = f"blobs/sha256/{config.removesuffix('.json')}"
    listed = listed.replace(config.encode(), name.encode()).replace(b"0/layer.tar", b"blobs/sha256/x")
    archive = tar_of([("blobs/sha256/x", tar), (name, raw), (contents, listed)], tmp_path / "image.tar")
    assert open_docker_archive(archive).platforms


def test_an_archive_without_manifest_is_refused_with_the_remedy(tmp_path):
    with pytest.raises(
        Malformed, match=r"not a docker archive: no manifest\.json – an OCI layout is read by oci-archive:"
    ):
        open_docker_archive(tar_of([("a", b"1")], tmp_path / "image.tar"))


def test_a_missing_layer_is_refused_by_name(tmp_path):
    with pytest.raises(Malformed, match=r"image\.tar\(0/layer\.tar\): missing in the archive"):
        open_docker_archive(tar_of(docker_entries()[1:], tmp_path / "image.tar"))


def test_a_missing_config_is_refused_by_name(tmp_path):
    layer, _, contents = docker_entries()
    with pytest.raises(Malformed, match=r"\.json\): missing in the archive"):
        open_docker_archive(tar_of([layer, contents], tmp_path / "image.tar"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.clear(), "no image in the archive"),
        (lambda c: c[0].pop("Config"), 'required field "Config" is missing'),
        (lambda c: c[0].update(Layers=None), r"differ in the number of layers \(expected 1 as in the config, got 0\)"),
        (lambda c: c[0].update(Layers=[1]), "/0/Layers/0: wrong type"),
        (lambda c: c[0].update(Layers="x"), "/0/Layers: wrong type"),
        (lambda c: c[0].update(RepoTags="x"), "/0/RepoTags: wrong type"),
        (lambda c: c.__setitem__(0, 5), "/0: wrong type"),
        (lambda c: c[0].update(layers=[]), 'field "Layers" spelled in another case'),
    ],
)
def test_a_wrong_manifest_is_refused_with_its_place(tmp_path, change, message):
    with pytest.raises(Malformed, match=message):
        open_docker_archive(tar_of(rewritten(docker_entries(), change), tmp_path / "image.tar"))


def test_an_image_without_tags_is_read(tmp_path):
    entries = rewritten(docker_entries(), lambda c: c[0].update(RepoTags=None))
    assert open_docker_archive(tar_of(entries, tmp_path / "image.tar")).platforms


def test_a_large_document_is_refused(tmp_path):
    layer, config, _ = docker_entries()
    contents = ("manifest.json", b" " * (5 * 1024 * 1024))
    with pytest.raises(LimitExceeded, match=r"manifest\.json\): document too large"):
        open_docker_archive(tar_of([layer, config, contents], tmp_path / "image.tar"))


def test_a_folder_is_no_archive(tmp_path: Path):
    with pytest.raises(Malformed, match="is not a regular file"):
        open_docker_archive(tmp_path)


def test_a_file_that_does_not_exist_is_refused(tmp_path: Path):
    with pytest.raises(Malformed, match="no such file"):
        open_docker_archive(tmp_path / "nothing")


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"\0" * 1024, layer_tar({})], ids=["empty", "text", "zeros", "no entries"]
)
def test_what_is_no_archive_is_refused(tmp_path: Path, data):
    (tmp_path / "image.tar").write_bytes(data)
    with pytest.raises(Malformed, match=r"tar archive|not an image archive"):
        open_docker_archive(tmp_path / "image.tar")


def test_an_archive_in_zstd_is_refused_with_the_remedy(tmp_path: Path):
    (tmp_path / "image.tar").write_bytes(b"\x28\xb5\x2f\xfd")
    with pytest.raises(Malformed, match="packed with zstd – unpack it first"):
        open_docker_archive(tmp_path / "image.tar")


def test_a_damaged_packed_archive_is_refused(tmp_path: Path):
    packed = tar_of(docker_entries(), tmp_path / "image.tar", packed=True)
    data = packed.read_bytes()
    for damaged in (data[: len(data) // 2], data[:40] + b"\xff" * 40 + data[80:]):
        packed.write_bytes(damaged)
        with pytest.raises(Malformed, match=r"damaged gzip data|tar archive"):
            open_docker_archive(packed)
