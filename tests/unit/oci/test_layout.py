"""OCI layouts: which image is meant, and what is read of it."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.image_builder import CONFIG, LAYER, MANIFEST, LayoutBuilder, config_json, entries_of, tagged, tar_of

from navicert.errors import LimitExceeded, Malformed, Unavailable
from navicert.limits import LOCAL
from navicert.oci.layout import open_layout, open_oci_archive


@pytest.fixture
def builder(tmp_path: Path) -> LayoutBuilder:
    return LayoutBuilder(tmp_path / "image")


def platform(os: str, architecture: str, **more: str) -> dict[str, str]:
    return {"os": os, "architecture": architecture} | more


def attestation(builder: LayoutBuilder, subject: str, **fields: Any) -> dict[str, Any]:
    """An entry of an index as BuildKit adds it beside an image."""
    annotations = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": subject}
    statement = builder.blob(b'{"predicateType": "x"}', "application/vnd.in-toto+json")
    outer = {"platform": platform("unknown", "unknown"), "annotations": annotations} | fields
    return builder.manifest(config_json([]), [statement], **outer)


def test_the_only_image_needs_no_tag(builder):
    descriptor = builder.image()
    image = open_layout(builder.contents(tagged(descriptor, "v1")))
    assert image.index is None
    (entry,) = image.platforms
    assert str(entry.platform) == "linux/amd64"
    assert entry.manifest is not None
    assert str(entry.manifest.document.digest) == descriptor["digest"]
    assert entry.config.run == {"Entrypoint": ["/app"]}


def test_a_tag_chooses_among_several_images(builder):
    first, second = builder.image({"a": b"1"}), builder.image({"a": b"2"})
    path = builder.contents(tagged(first, "v1"), tagged(second, "v2"))
    (entry,) = open_layout(path, "v2").platforms
    assert entry.manifest is not None
    assert str(entry.manifest.document.digest) == second["digest"]


def test_a_digest_chooses_an_image_without_a_tag(builder):
    first, second = builder.image({"a": b"1"}), builder.image({"a": b"2"})
    (entry,) = open_layout(builder.contents(first, second), second["digest"]).platforms
    assert entry.manifest is not None
    assert str(entry.manifest.document.digest) == second["digest"]


def test_several_images_and_no_tag_are_refused_with_the_tags_to_choose_from(builder):
    path = builder.contents(tagged(builder.image({"a": b"1"}), "v1"), tagged(builder.image({"a": b"2"}), "v2"))
    with pytest.raises(Malformed, match=r"several images in the layout \(expected one of 'v1', 'v2'\)"):
        open_layout(path)


def test_an_unknown_tag_is_refused_with_the_tags_to_choose_from(builder):
    path = builder.contents(tagged(builder.image(), "v1"))
    with pytest.raises(Malformed, match=r"no image 'v2' in the layout \(expected one of 'v1'\)"):
        open_layout(path, "v2")


def test_one_tag_on_two_images_is_refused(builder):
    path = builder.contents(tagged(builder.image({"a": b"1"}), "v1"), tagged(builder.image({"a": b"2"}), "v1"))
    with pytest.raises(Malformed, match="several images are called 'v1'"):
        open_layout(path, "v1")


def test_one_image_listed_twice_is_one_image(builder):
    descriptor = builder.image()
    assert open_layout(builder.contents(tagged(descriptor, "v1"), tagged(descriptor, "latest"))).platforms


def test_what_is_attached_to_an_image_is_not_a_second_image(builder):
    descriptor = builder.image()
    referrer = builder.manifest({}, [], artifactType="application/vnd.dev.sigstore.bundle.v0.3+json")
    assert open_layout(builder.contents(descriptor, referrer)).platforms


def test_a_layout_without_an_image_is_refused(builder):
    with pytest.raises(Malformed, match="no image in the layout"):
        open_layout(builder.contents())


def test_a_folder_that_is_no_layout_is_refused_with_the_remedy(tmp_path):
    with pytest.raises(Malformed, match=r"not an OCI image layout: no file oci-layout – name the folder"):
        open_layout(tmp_path)


def test_a_folder_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(Malformed, match="no such folder"):
        open_layout(tmp_path / "nothing")


def test_an_unknown_layout_version_is_refused(builder):
    path = builder.contents(builder.image())
    (path / "oci-layout").write_text('{"imageLayoutVersion": "2.0.0"}')
    with pytest.raises(Malformed, match="unknown layout version"):
        open_layout(path)


def test_a_layout_without_contents_is_refused(builder):
    builder.image()
    with pytest.raises(Malformed, match=r"index\.json: missing in the image layout"):
        open_layout(builder.path)


def test_a_blob_that_cannot_be_read_is_not_taken_for_a_missing_one(builder):
    descriptor = builder.image()
    blob = builder.blob_path(descriptor["digest"])
    blob.unlink()
    blob.symlink_to(blob.name)
    with pytest.raises(Unavailable, match="too many levels of symbolic links"):
        open_layout(builder.contents(descriptor))


def test_a_blob_may_be_a_symbolic_link_because_its_digest_is_checked(builder, tmp_path):
    descriptor = builder.image()
    blob = builder.blob_path(descriptor["digest"])
    blob.rename(tmp_path / "elsewhere")
    blob.symlink_to(tmp_path / "elsewhere")
    assert open_layout(builder.contents(descriptor)).platforms


def test_a_pipe_in_place_of_a_blob_is_refused_without_waiting(builder):
    descriptor = builder.image()
    blob = builder.blob_path(descriptor["digest"])
    blob.unlink()
    os.mkfifo(blob)
    with pytest.raises(Malformed, match="is not a regular file"):
        open_layout(builder.contents(descriptor))


def test_an_index_gives_every_platform_in_the_order_of_their_names(builder):
    children = [
        builder.image({"a": b"s390x"}, platform=platform("linux", "s390x"), config={"architecture": "s390x"}),
        builder.image({"a": b"arm"}, platform=platform("linux", "arm", variant="v6"), config={"architecture": "arm"}),
        builder.image({"a": b"amd64"}, platform=platform("linux", "amd64")),
    ]
    root = builder.index(children)
    image = open_layout(builder.contents(root))
    assert [str(entry.platform) for entry in image.platforms] == ["linux/amd64", "linux/arm/v6", "linux/s390x"]
    assert image.index is not None
    assert str(image.index.digest) == root["digest"]


def test_an_index_of_one_platform_is_still_an_index(builder):
    image = open_layout(builder.contents(builder.index([builder.image(platform=platform("linux", "amd64"))])))
    assert image.index is not None
    assert len(image.platforms) == 1


def test_one_platform_has_one_name_however_it_is_spelled(builder):
    child = builder.image(platform=platform("linux", "aarch64", variant="v8"), config={"architecture": "arm64"})
    (entry,) = open_layout(builder.contents(builder.index([child]))).platforms
    assert str(entry.platform) == "linux/arm64"


def test_windows_builds_of_one_architecture_are_told_apart(builder):
    children = [
        builder.image(
            {"a": v.encode()}, platform=platform("windows", "amd64", **{"os.version": v}), config={"os": "windows"}
        )
        for v in ("10.0.17763.1", "10.0.20348.1")
    ]
    image = open_layout(builder.contents(builder.index(children)))
    assert [str(e.platform) for e in image.platforms] == ["windows(10.0.17763.1)/amd64", "windows(10.0.20348.1)/amd64"]


def test_a_platform_that_the_index_does_not_state_is_read_from_the_config(builder):
    child = builder.image(config={"architecture": "riscv64"})
    (entry,) = open_layout(builder.contents(builder.index([child]))).platforms
    assert str(entry.platform) == "linux/riscv64"


def test_attestations_of_buildkit_are_kept_apart_from_platforms(builder):
    child = builder.image(platform=platform("linux", "amd64"))
    extra = attestation(builder, child["digest"])
    image = open_layout(builder.contents(builder.index([child, extra])))
    assert [str(entry.platform) for entry in image.platforms] == ["linux/amd64"]
    (found,) = image.attestations
    assert str(found.subject) == child["digest"]
    assert str(found.manifest.document.digest) == extra["digest"]


@pytest.mark.parametrize("annotations", [{}, {"vnd.docker.reference.type": "something-new"}])
def test_other_entries_for_no_platform_are_passed_over(builder, annotations):
    child = builder.image(platform=platform("linux", "amd64"))
    extra = attestation(builder, child["digest"], annotations=annotations)
    image = open_layout(builder.contents(builder.index([child, extra])))
    assert [str(entry.platform) for entry in image.platforms] == ["linux/amd64"]
    assert not image.attestations


def test_an_attestation_without_a_subject_is_refused(builder):
    child = builder.image(platform=platform("linux", "amd64"))
    extra = attestation(builder, "", annotations={"vnd.docker.reference.type": "attestation-manifest"})
    with pytest.raises(Malformed, match="/annotations: wrong type"):
        open_layout(builder.contents(builder.index([child, extra])))


def test_an_index_with_attestations_only_is_no_image(builder):
    child = builder.image(platform=platform("linux", "amd64"))
    with pytest.raises(Malformed, match="index without an image"):
        open_layout(builder.contents(builder.index([attestation(builder, child["digest"])])))


def test_an_index_inside_an_index_is_read(builder):
    inner = builder.index([builder.image(platform=platform("linux", "amd64"))])
    assert len(open_layout(builder.contents(builder.index([inner]))).platforms) == 1


def test_an_artifact_is_not_an_image(builder):
    body = {"schemaVersion": 2, "config": builder.blob(b"{}", "application/vnd.cncf.helm.config.v1+json"), "layers": []}
    with pytest.raises(Malformed, match="an artifact, not an image"):
        open_layout(builder.contents(builder.json(body, MANIFEST)))


def test_something_that_is_neither_manifest_nor_index_is_no_image(builder):
    with pytest.raises(Malformed, match="no image in the layout"):
        open_layout(builder.contents(builder.blob(b"{}", "application/json")))


def test_a_manifest_of_schema_version_1_is_refused_with_the_remedy(builder):
    descriptor = builder.json({"schemaVersion": 1, "config": {}, "layers": []}, MANIFEST)
    with pytest.raises(Malformed, match=r"not a manifest of schema version 2 .*skopeo copy --format oci"):
        open_layout(builder.contents(descriptor))


def test_manifest_and_config_with_different_numbers_of_layers_are_refused(builder):
    layer, diff_id = builder.layer({"a": b"1"})
    descriptor = builder.manifest(config_json([diff_id, diff_id]), [layer])
    with pytest.raises(Malformed, match=r"differ in the number of layers \(expected 2 as in the config, got 1\)"):
        open_layout(builder.contents(descriptor))


def test_a_layer_of_an_unknown_kind_is_refused(builder):
    layer, diff_id = builder.layer({"a": b"1"})
    descriptor = builder.manifest(config_json([diff_id]), [layer | {"mediaType": "text/plain"}])
    with pytest.raises(Malformed, match="not the media type of a layer"):
        open_layout(builder.contents(descriptor))


def test_plain_layers_and_packed_layers_are_read(builder):
    packed, diff_packed = builder.layer({"a": b"1"})
    plain, diff_plain = builder.layer({"b": b"2"}, packed=False)
    descriptor = builder.manifest(config_json([diff_packed, diff_plain]), [packed, plain])
    (entry,) = open_layout(builder.contents(descriptor)).platforms
    assert [str(diff_id) for diff_id in entry.config.diff_ids] == [diff_packed, diff_plain]


def test_an_image_without_layers_is_read(builder):
    assert open_layout(builder.contents(builder.manifest(config_json([]), []))).platforms


def test_each_blob_is_read_once_however_many_platforms_share_it(builder, monkeypatch):
    layer, diff_id = builder.layer({"a": b"1"})
    children = [
        builder.manifest(config_json([diff_id], architecture=a), [layer], platform=platform("linux", a))
        for a in ("amd64", "arm64", "s390x")
    ]
    path = builder.contents(builder.index(children))
    opened: list[str] = []
    real = os.open

    def watched(name, *rest):
        opened.append(str(name))
        return real(name, *rest)

    monkeypatch.setattr(os, "open", watched)
    open_layout(path)
    blobs = [name for name in opened if "/blobs/" in name]
    assert len(blobs) == len(set(blobs)) == 1 + 3 + 3 + 1


def test_a_blob_named_by_sha512_is_checked_by_it_and_recorded_by_sha256(builder):
    import hashlib

    inner = builder.image()
    raw = builder.blob_path(inner["digest"]).read_bytes()
    folder = builder.path / "blobs" / "sha512"
    folder.mkdir()
    name = hashlib.sha512(raw).hexdigest()
    (folder / name).write_bytes(raw)
    (entry,) = open_layout(builder.contents(inner | {"digest": f"sha512:{name}"})).platforms
    assert entry.manifest is not None
    assert str(entry.manifest.document.digest) == inner["digest"]


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_an_archive_of_a_layout_gives_the_same_image(builder, tmp_path, packed):
    path = builder.contents(tagged(builder.image(), "v1"))
    archive = tar_of(entries_of(path), tmp_path / "image.tar", packed=packed)
    assert open_oci_archive(archive, "v1").platforms == open_layout(path, "v1").platforms


def test_a_document_beyond_the_limit_is_refused_before_it_is_read(builder):
    descriptor = builder.image()
    with pytest.raises(LimitExceeded, match="limit manifest_bytes"):
        open_layout(builder.contents(descriptor | {"size": 10**12}))


def test_the_table_of_contents_has_a_limit_too(builder):
    path = builder.contents(builder.image())
    with pytest.raises(LimitExceeded, match=r"index\.json: document too large"):
        open_layout(path, limits=replace(LOCAL, manifest_bytes=100))


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("size", -1, "negative size"),
        ("size", "12", "/manifests/0/size: wrong type"),
        ("size", None, "/manifests/0/size: wrong type"),
        ("digest", "sha256:abc", "/manifests/0/digest: not a digest"),
        ("digest", "md5:d41d8cd98f00b204e9800998ecf8427e", "/manifests/0/digest: not a digest"),
        ("digest", "sha256:" + "A" * 64, "not a content digest"),
        ("digest", "blake2s:" + "a" * 64, "not a content digest"),
        ("digest", "sha256:../../../../etc/passwd", "not a digest"),
        ("mediaType", 7, "/manifests/0/mediaType: wrong type"),
        ("annotations", [], "/manifests/0/annotations: wrong type"),
        ("annotations", {"a": 1}, "/manifests/0/annotations/a: wrong type"),
        ("platform", "linux", "/manifests/0/platform: wrong type"),
        ("platform", {"os": "linux"}, "not a platform"),
        ("platform", {"os": "../..", "architecture": "amd64"}, "not a platform"),
        ("platform", {"os": "linux", "architecture": "a*"}, "not a platform"),
        ("platform", {"os": "linux", "architecture": "amd64", "variant": "a/b"}, "not a platform"),
    ],
)
def test_a_wrong_descriptor_is_refused_with_its_place(builder, field, value, message):
    with pytest.raises(Malformed, match=message) as caught:
        open_layout(builder.contents(builder.image() | {field: value}))
    assert "index.json" in str(caught.value)


@pytest.mark.parametrize("field", ["size", "digest", "mediaType"])
def test_a_descriptor_that_lacks_a_field_is_refused(builder, field):
    descriptor = builder.image()
    del descriptor[field]
    with pytest.raises(Malformed, match=f'required field "{field}" is missing'):
        open_layout(builder.contents(descriptor))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"os": ""}, "not a platform"),
        ({"os": 1}, "/os: wrong type"),
        ({"rootfs": {"type": "x", "diff_ids": []}}, "/rootfs/type: not made of layers"),
        ({"rootfs": {"type": "layers", "diff_ids": "x"}}, "/rootfs/diff_ids: wrong type"),
        ({"rootfs": {"type": "layers", "diff_ids": ["x"]}}, "/rootfs/diff_ids/0: not a digest"),
        ({"config": []}, "/config: wrong type"),
        ({"config": {"Entrypoint": "/app"}}, "/config/Entrypoint: wrong type"),
        ({"config": {"Entrypoint": False}}, "/config/Entrypoint: wrong type"),
        ({"config": {"Env": [1]}}, "/config/Env/0: wrong type"),
        ({"config": {"ExposedPorts": ["80"]}}, "/config/ExposedPorts: wrong type"),
        ({"config": {"Labels": {"a": 1}}}, "/config/Labels/a: wrong type"),
        ({"config": {"User": 0}}, "/config/User: wrong type"),
    ],
)
def test_a_wrong_config_is_refused_with_its_place(builder, fields, message):
    layer, diff_id = builder.layer({"a": b"1"})
    with pytest.raises(Malformed, match=message):
        open_layout(builder.contents(builder.manifest(config_json([diff_id], **fields), [layer])))


def test_a_config_that_is_not_json_is_refused(builder):
    body = {"schemaVersion": 2, "config": builder.blob(b"{", CONFIG), "layers": []}
    with pytest.raises(Malformed, match="not JSON"):
        open_layout(builder.contents(builder.json(body, MANIFEST)))


def test_a_config_without_layers_section_is_refused(builder):
    config = config_json([])
    del config["rootfs"]
    with pytest.raises(Malformed, match='required field "rootfs" is missing'):
        open_layout(builder.contents(builder.manifest(config, [])))


def test_a_cut_off_layer_is_refused(builder):
    whole, diff_id = builder.layer({"a": b"1" * 5000})
    packed = builder.blob_path(whole["digest"]).read_bytes()
    layer = builder.blob(packed[:-9], f"{LAYER}+gzip")
    with pytest.raises(Malformed, match="gzip data is cut off"):
        open_layout(builder.contents(builder.manifest(config_json([diff_id]), [layer])))


def test_contents_with_a_duplicate_key_are_refused(builder):
    builder.image()
    (builder.path / "index.json").write_text('{"schemaVersion": 2, "manifests": [], "manifests": []}')
    with pytest.raises(Malformed, match="duplicate key"):
        open_layout(builder.path)


def test_nothing_of_the_layout_is_written(builder):
    path = builder.contents(builder.image())
    before = {file: file.stat().st_mtime_ns for file in path.rglob("*")}
    open_layout(path)
    assert {file: file.stat().st_mtime_ns for file in path.rglob("*")} == before
    assert json.loads((path / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
