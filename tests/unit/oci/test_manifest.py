"""Descriptors, indexes and manifests: one document is one thing to every reader, or it is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from navicert.digest import Digest, sha256
from navicert.errors import LimitExceeded, Malformed
from navicert.limits import LOCAL
from navicert.oci import media
from navicert.oci.manifest import Descriptor, Document, Index, Manifest, Platform

A = "sha256:" + "ab" * 32
GOOD: dict[str, Any] = {"mediaType": media.OCI_LAYER, "digest": A, "size": 3}
CONFIG = GOOD | {"mediaType": media.OCI_CONFIG}


def manifest(kind: str = media.OCI_MANIFEST, **fields: Any) -> Manifest:
    body = {"schemaVersion": 2, "mediaType": kind, "config": CONFIG, "layers": [GOOD]} | fields
    return Manifest.parse(Document.of(json.dumps(body).encode(), kind), path="m")


def index(kind: str = media.OCI_INDEX, **fields: Any) -> Index:
    body = {"schemaVersion": 2, "mediaType": kind, "manifests": [GOOD]} | fields
    return Index.parse(Document.of(json.dumps(body).encode(), kind), path="i")


def test_a_descriptor_comes_back_as_it_went() -> None:
    body = GOOD | {"annotations": {"a": "b"}, "artifactType": "x/y"}
    read = Descriptor.from_json(body | {"platform": {"os": "linux", "architecture": "arm64"}, "urls": []}, "")
    assert read.platform == Platform("linux", "arm64")
    assert read.to_json() == body


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"size": -1}, "negative size"),
        ({"size": True}, "/size"),
        ({"size": 3.0}, "/size"),
        ({"size": "3"}, "/size"),
        ({"size": None}, "/size"),
        ({"digest": "sha1:" + "ab" * 20}, "/digest"),
        ({"digest": A.upper()}, "/digest"),
        ({"digest": "sha256:" + "AB" * 32}, "not a content digest"),
        ({"digest": "sha256:ab"}, "/digest"),
        ({"digest": 1}, "/digest"),
        ({"mediaType": None}, "/mediaType"),
        ({"annotations": {"a": 1}}, "/annotations/a"),
        ({"annotations": []}, "/annotations"),
        ({"artifactType": []}, "/artifactType"),
        ({"Digest": A}, "spelled in another case"),
        ({"SIZE": 4}, "spelled in another case"),
        ({"platform": {"os": "../x", "architecture": "amd64"}}, "not a platform"),
        ({"platform": {"OS": "linux", "architecture": "amd64"}}, "spelled in another case"),
    ],
)
def test_a_descriptor_that_two_readers_may_understand_differently_is_refused(
    fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(Malformed) as caught:
        Descriptor.from_json(GOOD | fields, "")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (("linux", "x86_64"), "linux/amd64"),
        (("linux", "aarch64", "v8"), "linux/arm64"),
        (("linux", "amd64", "v1"), "linux/amd64"),
        (("linux", "amd64", "v3"), "linux/amd64/v3"),
        (("linux", "arm"), "linux/arm/v7"),
        (("linux", "arm", "v6"), "linux/arm/v6"),
        (("windows", "amd64", "", "10.0.1"), "windows(10.0.1)/amd64"),
    ],
)
def test_a_platform_has_one_name(given: tuple[str, ...], name: str) -> None:
    assert str(Platform.of(*given)) == name
    assert Platform.of(*given).known


def test_what_is_no_platform_is_refused_and_buildkits_is_known_for_none() -> None:
    for given in (("", "amd64"), ("linux", ""), ("linux", "a/b"), ("linux", "amd64", "../x"), ("l*", "amd64")):
        with pytest.raises(Malformed, match="not a platform"):
            Platform.of(*given)
    assert not Platform("unknown", "unknown").known


@pytest.mark.parametrize("kind", [media.OCI_MANIFEST, media.DOCKER_MANIFEST])
def test_manifests_of_both_kinds_are_read(kind: str) -> None:
    read = manifest(kind, subject=GOOD, artifactType="x/y", annotations={"a": "b"})
    assert read.is_image
    assert read.subject == Descriptor.from_json(GOOD, "")
    assert (read.artifact_type, dict(read.annotations), len(read.layers)) == ("x/y", {"a": "b"}, 1)
    assert not manifest(config=GOOD).is_image


@pytest.mark.parametrize("kind", [media.OCI_INDEX, media.DOCKER_LIST])
def test_indexes_of_both_kinds_are_read(kind: str) -> None:
    assert index(kind).manifests == (Descriptor.from_json(GOOD, ""),)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"manifests": []}, "both an index and a manifest"),
        ({"schemaVersion": 1}, "schema version 2"),
        ({"schemaVersion": "2"}, "schema version 2"),
        ({"mediaType": media.OCI_INDEX}, "media type differs"),
        ({"mediaType": media.DOCKER_MANIFEST}, "media type differs"),
        ({"Layers": []}, "spelled in another case"),
        ({"layers": {}}, "/layers"),
        ({"layers": None}, "/layers"),
        ({"config": None}, "/config"),
        ({"subject": 1}, "/subject"),
        ({"artifactType": 1}, "/artifactType"),
    ],
)
def test_a_manifest_that_is_something_else_to_another_reader_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(Malformed) as caught:
        manifest(**fields)
    assert message in str(caught.value)
    assert str(caught.value).startswith("m")


@pytest.mark.parametrize("foreign", ["layers", "config"])
def test_an_index_with_the_parts_of_a_manifest_is_refused(foreign: str) -> None:
    if foreign == "layers":
        with pytest.raises(Malformed, match="both an index and a manifest"):
            index(layers=[])
    with pytest.raises(Malformed, match="media type differs"):
        index(mediaType=media.OCI_MANIFEST)


def test_more_entries_than_an_image_has_are_refused() -> None:
    many = [GOOD] * (LOCAL.layers + 1)
    with pytest.raises(LimitExceeded):
        manifest(layers=many)
    with pytest.raises(LimitExceeded):
        index(manifests=many)


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b'{"schemaVersion":2,"schemaVersion":2}', b"\xff", b"[" * 9999])
def test_what_is_no_document_is_refused(raw: bytes) -> None:
    with pytest.raises(Malformed):
        Manifest.parse(Document.of(raw, media.OCI_MANIFEST))
    with pytest.raises(Malformed):
        Index.parse(Document.of(raw, media.OCI_INDEX))


def test_a_document_is_known_by_the_digest_of_its_bytes_whatever_was_verified() -> None:
    other = Digest("sha512", "ab" * 64)
    assert Document.of(b"x", "t").digest == Document.of(b"x", "t", other).digest == sha256(b"x")
