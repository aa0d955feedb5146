"""Images: read down from the root, every document compared with what names it, refused where readers would differ."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.image_builder import CONFIG, INDEX, LAYER, MANIFEST, Json, LayoutBuilder, config_json, layer_tar, sha256

from navicert.errors import LimitExceeded, Malformed
from navicert.limits import LOCAL
from navicert.oci.image import Image, check_layers, read_image
from navicert.oci.layout import Blobs, Directory
from navicert.oci.manifest import Descriptor

ARM64 = {"os": "linux", "architecture": "arm64"}
AMD64 = {"os": "linux", "architecture": "amd64"}
NOWHERE = {"os": "unknown", "architecture": "unknown"}
ATTESTATION = "vnd.docker.reference.type"
SUBJECT = "vnd.docker.reference.digest"


@pytest.fixture
def builder(tmp_path: Path) -> LayoutBuilder:
    return LayoutBuilder(tmp_path / "image")


def read(builder: LayoutBuilder, root: Json, limits: Any = LOCAL) -> Image:
    return read_image(Blobs(Directory(builder.path)), Descriptor.from_json(root, ""), limits)


def check(builder: LayoutBuilder, root: Json, limits: Any = LOCAL) -> None:
    check_layers(Blobs(Directory(builder.path)), read(builder, root), limits)


def arm(builder: LayoutBuilder, files: dict[str, bytes] | None = None) -> Json:
    return builder.image(files or {"a": b"arm"}, config={"architecture": "arm64"}, platform=ARM64)


def test_an_index_is_read_with_every_platform_and_what_speaks_of_them(builder: LayoutBuilder) -> None:
    first = builder.image(platform=AMD64)
    said = builder.manifest({}, [builder.blob(b"{}", "application/vnd.in-toto+json")])
    beside = said | {
        "platform": NOWHERE,
        "annotations": {ATTESTATION: "attestation-manifest", SUBJECT: first["digest"]},
    }
    image = read(builder, builder.index([arm(builder), first, beside]))
    assert [str(one.platform) for one in image.platforms] == ["linux/amd64", "linux/arm64"]
    assert image.index is not None
    assert [str(one.subject) for one in image.attestations] == [first["digest"]]


def test_an_image_that_is_marked_as_an_attestation_is_still_an_image(builder: LayoutBuilder) -> None:
    """Somebody who hides a platform from us by an annotation would have runtimes start it unseen."""
    hidden = builder.image(
        platform=AMD64, annotations={ATTESTATION: "attestation-manifest", SUBJECT: "sha256:" + "a" * 64}
    )
    assert len(read(builder, builder.index([hidden])).platforms) == 1


@pytest.mark.parametrize("subject", [None, "", "sha256:abc", "latest"])
def test_an_attestation_that_speaks_of_nothing_is_refused(builder: LayoutBuilder, subject: str | None) -> None:
    annotations = {ATTESTATION: "attestation-manifest"} | ({} if subject is None else {SUBJECT: subject})
    said = builder.manifest({}, []) | {"platform": NOWHERE, "annotations": annotations}
    with pytest.raises(Malformed):
        read(builder, builder.index([builder.image(platform=AMD64), said]))


def test_two_images_for_one_platform_are_refused(builder: LayoutBuilder) -> None:
    with pytest.raises(Malformed, match="two images for platform linux/amd64"):
        read(
            builder,
            builder.index([builder.image({"a": b"1"}, platform=AMD64), builder.image({"a": b"2"}, platform=AMD64)]),
        )
    same = builder.image({"a": b"1"}, platform=AMD64)
    assert len(read(builder, builder.index([same, same])).platforms) == 1


def test_two_spellings_of_one_platform_do_not_make_room_for_two_images(builder: LayoutBuilder) -> None:
    twin = builder.image({"a": b"2"}, platform={"os": "linux", "architecture": "x86_64"})
    with pytest.raises(Malformed, match="two images for platform"):
        read(builder, builder.index([builder.image({"a": b"1"}, platform=AMD64), twin]))


@pytest.mark.parametrize("children", ["none", "an attestation", "other types"])
def test_an_index_without_an_image_is_refused(builder: LayoutBuilder, children: str) -> None:
    entries = {
        "none": [],
        "an attestation": [
            builder.manifest({}, [])
            | {"platform": NOWHERE, "annotations": {ATTESTATION: "attestation-manifest", SUBJECT: "sha256:" + "a" * 64}}
        ],
        "other types": [builder.blob(b"x", "application/x")],
    }[children]
    with pytest.raises(Malformed, match="index without an image"):
        read(builder, builder.index(entries))


def test_an_index_inside_an_index_counts_and_one_that_does_not_end_is_stopped(builder: LayoutBuilder) -> None:
    inner = builder.index([builder.image(platform=AMD64)])
    assert len(read(builder, builder.index([inner])).platforms) == 1
    deep = inner
    for _ in range(LOCAL.index_depth):
        deep = builder.index([deep])
    with pytest.raises(LimitExceeded, match="index_depth"):
        read(builder, deep)


def test_too_many_manifests_are_refused_before_they_are_read(builder: LayoutBuilder) -> None:
    entries = [{"mediaType": MANIFEST, "digest": sha256(b"%d" % number), "size": 1} for number in range(10)]
    with pytest.raises(LimitExceeded, match="at most 5"):
        read(builder, builder.index(entries), replace(LOCAL, layers=5))
    one = builder.image(platform=AMD64)
    inner = [builder.index([arm(builder, {"a": b"%d" % number})]) for number in range(3)]
    with pytest.raises(LimitExceeded, match="limit layers"):
        read(builder, builder.index([one, *inner]), replace(LOCAL, layers=5))


@pytest.mark.parametrize("media_type", ["", "application/json", LAYER, CONFIG])
def test_a_root_that_is_neither_is_refused(builder: LayoutBuilder, media_type: str) -> None:
    with pytest.raises(Malformed, match="neither a manifest nor an index"):
        read(builder, builder.image() | {"mediaType": media_type})


@pytest.mark.parametrize(("kind", "other"), [(MANIFEST, INDEX), (INDEX, MANIFEST)])
def test_a_document_under_the_type_of_the_other_kind_is_refused(builder: LayoutBuilder, kind: str, other: str) -> None:
    root = builder.image() if kind == MANIFEST else builder.index([builder.image(platform=AMD64)])
    with pytest.raises(Malformed):
        read(builder, root | {"mediaType": other})


def test_an_artifact_in_the_place_of_an_image_is_refused(builder: LayoutBuilder) -> None:
    config = builder.json({}, "application/vnd.oci.empty.v1+json")
    body = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": []}
    with pytest.raises(Malformed, match="an artifact, not an image"):
        read(builder, builder.json(body, MANIFEST))


@pytest.mark.parametrize("count", [0, 2])
def test_more_or_fewer_layers_than_the_config_states_are_refused(builder: LayoutBuilder, count: int) -> None:
    """A layer that no diff-id stands for would be in no digest that rules follow."""
    layer, diff_id = builder.layer({"a": b"1"})
    with pytest.raises(Malformed, match="differ in the number of layers"):
        read(builder, builder.manifest(config_json([diff_id]), [layer] * count))


@pytest.mark.parametrize("part", ["manifest", "config", "index"])
@pytest.mark.parametrize("damage", ["other bytes", "cut off", "longer", "gone"])
def test_a_document_that_is_not_what_its_descriptor_says_is_refused(
    builder: LayoutBuilder, part: str, damage: str
) -> None:
    child = builder.image(platform=AMD64)
    root = builder.index([child])
    manifest = json.loads(builder.blob_path(child["digest"]).read_bytes())
    digest = {"manifest": child["digest"], "config": manifest["config"]["digest"], "index": root["digest"]}[part]
    path = builder.blob_path(digest)
    raw = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes({"other bytes": raw[:-1] + b" ", "cut off": raw[:-1], "longer": raw + b" "}[damage])
    with pytest.raises(Malformed) as caught:
        read(builder, root)
    assert caught.value.path == str(path)


@pytest.mark.parametrize("size", [0, 1, 10**9, 10**30])
def test_a_descriptor_with_another_size_is_refused(builder: LayoutBuilder, size: int) -> None:
    with pytest.raises(Malformed):
        read(builder, builder.image() | {"size": size})


# --- layers ----------------------------------------------------------------------------------------------------------


def test_layers_unpack_to_what_the_config_states(builder: LayoutBuilder) -> None:
    check(builder, builder.index([builder.image(platform=AMD64), arm(builder)]))


def test_a_layer_with_other_content_than_the_config_states_is_refused(builder: LayoutBuilder) -> None:
    """Runtimes that unpack by the manifest run another image than the one whose diff-ids are judged."""
    layer, _ = builder.layer({"a": b"evil"})
    _, good = builder.layer({"a": b"good"})
    with pytest.raises(Malformed, match="does not unpack to what the config states") as caught:
        check(builder, builder.manifest(config_json([good]), [layer]))
    assert caught.value.path == str(builder.blob_path(layer["digest"]))


def test_one_blob_for_two_claims_is_checked_for_each(builder: LayoutBuilder) -> None:
    layer, diff_id = builder.layer({"a": b"1"})
    wrong = builder.manifest(config_json([diff_id, sha256(b"other")]), [layer, layer])
    with pytest.raises(Malformed, match="does not unpack"):
        check(builder, wrong)


def test_a_packed_layer_under_the_type_of_a_plain_one_is_refused(builder: LayoutBuilder) -> None:
    tar = layer_tar({"a": b"1"})
    packed = builder.blob(gzip.compress(tar), LAYER)
    with pytest.raises(Malformed, match="does not unpack"):
        check(builder, builder.manifest(config_json([sha256(tar)]), [packed]))
    plain = builder.blob(tar, f"{LAYER}+gzip")
    with pytest.raises(Malformed, match="damaged gzip"):
        check(builder, builder.manifest(config_json([sha256(tar)]), [plain]))


def test_something_that_is_no_layer_is_refused(builder: LayoutBuilder) -> None:
    tar = layer_tar({"a": b"1"})
    with pytest.raises(Malformed, match="not the media type of a layer"):
        check(builder, builder.manifest(config_json([sha256(tar)]), [builder.blob(tar, "text/plain")]))


def test_that_a_blob_is_another_one_is_said_before_that_it_is_damaged(builder: LayoutBuilder) -> None:
    layer, diff_id = builder.layer({"a": b"1"})
    path = builder.blob_path(layer["digest"])
    path.write_bytes(b"\x1f\x8b" + bytes(path.stat().st_size - 2))
    with pytest.raises(Malformed, match="another digest"):
        check(builder, builder.manifest(config_json([diff_id]), [layer]))


def test_a_bomb_in_a_layer_is_stopped(builder: LayoutBuilder) -> None:
    tar = layer_tar({"zeros": bytes(32 * 1024 * 1024)})
    packed = builder.blob(gzip.compress(tar), f"{LAYER}+gzip")
    root = builder.manifest(config_json([sha256(tar)]), [packed])
    with pytest.raises(LimitExceeded, match="expansion"):
        check(builder, root, replace(LOCAL, expansion_floor=1024))
