"""The registry's client: lists in pages, uploads that are taken up again, answers that are compared with digests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from navicert.digest import Digest, sha256
from navicert.errors import LimitExceeded, Malformed, Refused, Unavailable
from navicert.limits import NETWORK, Limits
from navicert.oci import media
from navicert.oci.access import Access
from navicert.oci.exchange import Missing
from navicert.oci.manifest import Descriptor
from navicert.oci.reference import Reference
from navicert.oci.registry import Registry, Repository, hashed
from navicert.oci.remote import resolve_reference
from navicert.testing import fault
from navicert.testing.registry import Behaviour, LoopbackRegistry

SMALL = replace(NETWORK, upload_chunk=1000)
DATA = bytes(range(256)) * 20


@pytest.fixture
def server() -> Iterator[LoopbackRegistry]:
    with LoopbackRegistry() as registry:
        yield registry


def opened(server: LoopbackRegistry, limits: Limits = SMALL) -> Registry:
    return Registry(server.name, Access(insecure=True), limits, wait=lambda seconds: None)


def blob(data: bytes, **fields: Any) -> Descriptor:
    return replace(Descriptor("application/octet-stream", sha256(data), len(data)), **fields)


# --- lists ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "behaviour",
    [Behaviour(), Behaviour(page=1), Behaviour(page=3), Behaviour(tag_order=False)],
    ids=["whole", "one a page", "three a page", "in no order"],
)
def test_the_tags_with_a_prefix_are_found_whatever_the_pages(behaviour: Behaviour) -> None:
    with LoopbackRegistry(behaviour) as server, opened(server) as registry:
        image = server.add_image("app", "v1")
        for tag in ("a", "sha256-0", "sha256-1.nav-x", "sha256-1.nav-y", "sha256-2", "z", "sha256"):
            server.contents["app"].tags[tag] = str(image.digest)
        assert registry.tags("app", prefix="sha256-1") == ["sha256-1.nav-x", "sha256-1.nav-y"]
        assert registry.tags("app", prefix="sha256-3") == []
        assert registry.tags("app") == sorted(server.contents["app"].tags)


def test_few_pages_are_asked_where_tags_come_in_order(server: LoopbackRegistry) -> None:
    server.behaviour = Behaviour(page=10)
    image = server.add_image("app", "v1")
    server.contents["app"].tags |= {f"t{number:04}": str(image.digest) for number in range(500)}
    with opened(server) as registry:
        assert registry.tags("app", prefix="t0250") == ["t0250"]
    assert server.count("GET", "/tags/list") <= 2


def test_a_repository_that_is_not_there_has_no_tags_and_that_is_no_empty_list(server: LoopbackRegistry) -> None:
    with opened(server) as registry:
        assert isinstance(registry.tags("nothing"), Missing)
        server.fault("GET", "/tags/list", fault.status(403))
        with pytest.raises((Refused, Unavailable)):
            registry.tags("nothing")


def test_tags_without_end_are_refused(server: LoopbackRegistry) -> None:
    image = server.add_image("app", "v1")
    server.contents["app"].tags |= {f"t{number}": str(image.digest) for number in range(50)}
    with (
        opened(server, replace(SMALL, tags=40)) as registry,
        pytest.raises(LimitExceeded, match=r"too many tags \(limit tags\)"),
    ):
        registry.tags("app")


@pytest.mark.parametrize("body", [b"[]", b'{"tags": {}}', b'{"tags": [1]}', b"<html>", b'{"tags": [], "tags": []}'])
def test_a_list_of_tags_that_is_none_is_no_list(server: LoopbackRegistry, body: bytes) -> None:
    server.add_image("app", "v1")
    server.fault("GET", "/tags/list", fault.Instead(fault.Response(200, {"Content-Type": "application/json"}, body)))
    with opened(server) as registry, pytest.raises((Malformed, Unavailable)):
        registry.tags("app")


def test_null_in_place_of_tags_is_none_of_them(server: LoopbackRegistry) -> None:
    answer = fault.Response(200, {"Content-Type": "application/json"}, b'{"name": "app", "tags": null}')
    server.fault("GET", "/tags/list", fault.Instead(answer))
    with opened(server) as registry:
        assert registry.tags("app") == []


@pytest.mark.parametrize("name", ["../x", "a//b", "A", "", "a?b", "a/../b"])
def test_what_is_no_repository_never_becomes_an_address(server: LoopbackRegistry, name: str) -> None:
    with opened(server) as registry:
        for ask in (registry.tags, lambda n: registry.manifest(n, "v1"), lambda n: registry.referrers(n, sha256(b""))):
            with pytest.raises(Malformed):
                ask(name)
    assert server.count("GET", "app|x") == 0


# --- uploads -------------------------------------------------------------------------------------------------------


def push(server: LoopbackRegistry, data: bytes = DATA, **fields: Any) -> bool:
    with opened(server) as registry:
        return registry.push_blob("app", blob(data, **fields), lambda: iter((data,)))


def stored(server: LoopbackRegistry, data: bytes = DATA) -> bool:
    return server.contents.get("app") is not None and server.contents["app"].blobs.get(str(sha256(data))) == data


@pytest.mark.parametrize("data", [b"", b"x", b"x" * 1000, b"x" * 1001, DATA], ids=len)
def test_a_blob_arrives_whatever_its_size(server: LoopbackRegistry, data: bytes) -> None:
    assert push(server, data)
    assert stored(server, data)
    server.forget()
    assert not push(server, data)
    assert server.count("POST|PATCH|PUT") == 0


def test_a_broken_connection_is_taken_up_where_it_broke(server: LoopbackRegistry) -> None:
    server.fault("PATCH", "", fault.dropped(), times=1, after=2)
    assert push(server)
    assert stored(server)
    assert server.count("POST", "/blobs/uploads/") == 1


def test_an_upload_that_the_registry_forgot_begins_anew(server: LoopbackRegistry) -> None:
    server.fault("PATCH", "", fault.status(404), times=1, after=2)
    assert push(server)
    assert stored(server)
    assert server.count("POST", "/blobs/uploads/") == 2


def test_an_upload_that_never_works_ends(server: LoopbackRegistry) -> None:
    server.fault("PATCH", "", fault.status(404))
    with pytest.raises(Unavailable, match="again and again"):
        push(server)
    assert server.count("POST", "/blobs/uploads/") <= SMALL.attempts + 1


@pytest.mark.parametrize("code", [401, 403, 429, 500, 503])
def test_an_upload_that_is_refused_is_no_success(server: LoopbackRegistry, code: int) -> None:
    server.fault("POST", "/blobs/uploads/", fault.status(code))
    with pytest.raises((Refused, Unavailable)):
        push(server)
    assert not stored(server)


@pytest.mark.parametrize("wrong", [{"size": 3}, {"size": 6000}, {"digest": sha256(b"other")}])
def test_bytes_that_are_not_those_named_are_never_stored(server: LoopbackRegistry, wrong: dict[str, Any]) -> None:
    with pytest.raises(Malformed, match="blob to upload has another"):
        push(server, **wrong)
    assert not any(held.blobs for held in server.contents.values())


def test_parts_larger_than_are_ever_sent_are_refused(server: LoopbackRegistry) -> None:
    headers = {"Location": "/v2/app/blobs/uploads/1", "OCI-Chunk-Min-Length": "999999999"}
    server.fault("POST", "/blobs/uploads/", fault.Instead(fault.Response(202, headers)))
    with pytest.raises(Unavailable, match="larger parts than are sent"):
        push(server)


# --- manifests -----------------------------------------------------------------------------------------------------


def test_a_tag_is_looked_up_once_and_then_there_is_only_the_digest(server: LoopbackRegistry) -> None:
    first = server.add_image("app", "v1", {"a": b"1"})
    with opened(server) as registry:
        found = resolve_reference(registry, Reference.parse(f"{server.name}/app:v1"))
        server.add_image("app", "v1", {"a": b"2"})
        assert found.root.digest == first.digest
        image = found.image()
        assert image.platforms[0].manifest is not None
        assert image.platforms[0].manifest.document.digest == first.digest
        assert found.origin == f"{server.name}/app:v1@{first.digest}"
        assert list(found.chunks(found.root)) == [found.document.raw]
    assert server.count("GET", "/manifests/") == 1


def test_a_tag_beside_a_digest_decides_nothing(server: LoopbackRegistry) -> None:
    first = server.add_image("app", "v1", {"a": b"1"})
    server.add_image("app", "v1", {"a": b"2"})
    with opened(server) as registry:
        found = resolve_reference(registry, Reference.parse(f"{server.name}/app:v1@{first.digest}"))
    assert found.root.digest == first.digest
    assert server.count("GET", "/manifests/v1") == 0


def test_what_is_not_there_is_told_from_what_cannot_be_found_out(server: LoopbackRegistry) -> None:
    with opened(server) as registry:
        assert isinstance(registry.manifest("app", "v1"), Missing)
        with pytest.raises(Malformed, match="v1"):
            resolve_reference(registry, Reference.parse(f"{server.name}/app:v1"))
        server.fault("GET", "/manifests/v1", fault.status(500))
        with pytest.raises(Unavailable):
            registry.manifest("app", "v1")


def test_a_manifest_with_a_subject_says_whether_the_registry_lists_it() -> None:
    for behaviour in (Behaviour(), Behaviour(referrers=False, subject=False)):
        with LoopbackRegistry(behaviour) as server, opened(server) as registry:
            image = server.add_image("app", "v1")
            body = (
                server.contents["app"]
                .manifests[str(image.digest)][1]
                .replace(b'"schemaVersion"', b'"subject": %b, "schemaVersion"' % _json(image), 1)
            )
            stored = registry.put_manifest("app", body, media.OCI_MANIFEST, "x")
            assert stored.subject is behaviour.subject
            listed = registry.referrers("app", image.digest)
            assert isinstance(listed, Missing) is not behaviour.referrers


def _json(descriptor: Descriptor) -> bytes:
    return json.dumps(descriptor.to_json()).encode()


def test_a_repository_is_the_registry_with_a_name(server: LoopbackRegistry) -> None:
    image = server.add_image("team/app", "v1")
    with opened(server) as registry:
        repository = Repository(registry, "team/app")
        assert repository.origin.endswith("/team/app")
        assert repository.tags() == ["v1"]
        assert not isinstance(repository.manifest(image.digest), Missing)
        assert str(image.digest) in repository.locate(image.digest)
        with pytest.raises(LimitExceeded):
            repository.read_blob(blob(DATA), 10)


def test_both_kinds_of_digest_are_computed() -> None:
    assert hashed(b"x", "sha256") == sha256(b"x")
    assert hashed(b"x", "sha512") == Digest("sha512", hashlib.sha512(b"x").hexdigest())
