"""Attaching documents: bytes that follow from their parts, a tag that nobody else writes, lists as a convenience."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from navicert.digest import sha256
from navicert.errors import Refused, Unavailable
from navicert.oci import media
from navicert.oci.access import Access
from navicert.oci.attachment import BUNDLE, artifact_bytes, attach
from navicert.oci.manifest import Descriptor, Document, Manifest
from navicert.oci.registry import Registry, Repository
from navicert.testing import fault
from navicert.testing.registry import Behaviour, LoopbackRegistry

SUBJECT = Descriptor(media.OCI_MANIFEST, sha256(b"image"), 5)


@pytest.fixture(params=[True, False], ids=["referrers API", "without"])
def server(request: pytest.FixtureRequest) -> Iterator[LoopbackRegistry]:
    with LoopbackRegistry(Behaviour(referrers=request.param, subject=request.param)) as registry:
        yield registry


@pytest.fixture
def repository(server: LoopbackRegistry) -> Iterator[Repository]:
    with Registry(server.name, Access(insecure=True), wait=lambda seconds: None) as registry:
        yield Repository(registry, "app")


def test_the_same_document_is_the_same_artifact_wherever_it_is_attached() -> None:
    layer, config = Descriptor(BUNDLE, sha256(b"x"), 1), Descriptor(media.EMPTY, sha256(b"{}"), 2)
    made = [
        artifact_bytes(SUBJECT, config, layer, BUNDLE, notes) for notes in ({"b": "1", "a": "2"}, {"a": "2", "b": "1"})
    ]
    assert made[0] == made[1]
    manifest = Manifest.parse(Document.of(made[0], media.OCI_MANIFEST))
    assert (manifest.subject, manifest.artifact_type, manifest.layers) == (SUBJECT, BUNDLE, (layer,))


def test_what_the_subject_says_of_itself_does_not_travel_into_the_artifact() -> None:
    """Annotations and platform are of whoever listed the image; the artifact would differ from reader to reader."""
    layer, config = Descriptor(BUNDLE, sha256(b"x"), 1), Descriptor(media.EMPTY, sha256(b"{}"), 2)
    noted = Descriptor(media.OCI_MANIFEST, SUBJECT.digest, 5, None, {"a": "b"}, "x/y")
    assert artifact_bytes(noted, config, layer, BUNDLE, {}) == artifact_bytes(SUBJECT, config, layer, BUNDLE, {})


def test_the_tag_is_made_of_both_digests_and_doing_it_again_writes_nothing(
    server: LoopbackRegistry, repository: Repository
) -> None:
    first = attach(repository, SUBJECT, b"evidence")
    assert first.tag == f"sha256-{SUBJECT.digest.hex}.nav-{first.manifest.digest.hex[:16]}"
    assert server.contents["app"].tags[first.tag] == str(first.manifest.digest)
    server.forget()
    assert attach(repository, SUBJECT, b"evidence") == first
    assert server.count("PUT|PATCH|POST") == 0


def test_the_image_need_not_be_there_yet(server: LoopbackRegistry, repository: Repository) -> None:
    assert attach(repository, SUBJECT, b"evidence").listed in ("referrers API", "fallback tag")
    assert str(SUBJECT.digest) not in server.contents["app"].manifests


def test_a_tag_that_somebody_took_is_left_alone_and_a_longer_one_is_used(
    server: LoopbackRegistry, repository: Repository
) -> None:
    first = attach(repository, SUBJECT, b"evidence")
    other = server.add_artifact("app", b"other", "x/y")
    for digits in (16, 32):
        server.contents["app"].tags[f"sha256-{SUBJECT.digest.hex}.nav-{first.manifest.digest.hex[:digits]}"] = str(
            other.digest
        )
    second = attach(repository, SUBJECT, b"evidence")
    assert second.tag.endswith(f".nav-{first.manifest.digest.hex[:52]}")
    assert len(second.tag) == 128  # as long as a tag can be
    assert server.contents["app"].tags[first.tag] == str(other.digest)
    server.contents["app"].tags[second.tag] = str(other.digest)
    with pytest.raises(Refused, match="every tag"):
        attach(repository, SUBJECT, b"evidence")


def test_what_could_not_be_listed_is_attached_all_the_same(server: LoopbackRegistry, repository: Repository) -> None:
    """The tag of its own is the truth; lists are for others."""
    server.fault("GET", "/referrers/", fault.status(500))
    server.fault("GET|PUT", f"/manifests/sha256-{SUBJECT.digest.hex}$", fault.status(500))
    attached = attach(repository, SUBJECT, b"evidence")
    assert attached.listed == ""
    assert attached.tag in server.contents["app"].tags


@pytest.mark.parametrize("where", ["/blobs/uploads/", "/manifests/"])
def test_what_could_not_be_stored_is_no_attachment(
    server: LoopbackRegistry, repository: Repository, where: str
) -> None:
    server.fault("POST|PUT", where, fault.status(500))
    with pytest.raises(Unavailable):
        attach(repository, SUBJECT, b"evidence")
    assert not server.repository("app").tags


def test_somebody_elses_fallback_tag_is_not_overwritten(server: LoopbackRegistry, repository: Repository) -> None:
    if server.behaviour.referrers:
        return
    tag = f"sha256-{SUBJECT.digest.hex}"
    image = server.add_image("app", tag)
    assert attach(repository, SUBJECT, b"evidence").listed == ""
    assert server.contents["app"].tags[tag] == str(image.digest)


def test_what_others_listed_stays_and_fields_that_we_do_not_know_too(
    server: LoopbackRegistry, repository: Repository
) -> None:
    if server.behaviour.referrers:
        return
    tag = f"sha256-{SUBJECT.digest.hex}"
    entry = {"mediaType": media.OCI_MANIFEST, "digest": str(sha256(b"other")), "size": 5, "odd": 1}
    body = {"schemaVersion": 2, "mediaType": media.OCI_INDEX, "manifests": [entry, {"broken": True}], "more": 1}
    server.add_manifest("app", body, media.OCI_INDEX, tag=tag)
    attached = attach(repository, SUBJECT, b"evidence")
    assert attached.listed == "fallback tag"
    after = json.loads(server.contents["app"].manifests[server.contents["app"].tags[tag]][1])
    assert after["manifests"][:2] == [entry, {"broken": True}]
    assert after["manifests"][2]["digest"] == str(attached.manifest.digest)
    assert after["more"] == 1
