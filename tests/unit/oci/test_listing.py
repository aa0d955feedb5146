"""Lists of registries: pages followed to their end, entries read each for itself, and no list that is none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from navicert.digest import sha256
from navicert.errors import LimitExceeded, Malformed, NavicertError, Unavailable
from navicert.limits import NETWORK, Limits
from navicert.oci import media
from navicert.oci.access import Access
from navicert.oci.exchange import Missing
from navicert.oci.listing import attached_entries, content_type, target_of
from navicert.oci.manifest import Descriptor
from navicert.oci.registry import Registry
from navicert.testing import fault
from navicert.testing.registry import Behaviour, LoopbackRegistry

ENTRY = {"mediaType": media.OCI_MANIFEST, "digest": str(sha256(b"x")), "size": 1}


@pytest.fixture
def server() -> Iterator[LoopbackRegistry]:
    with LoopbackRegistry(Behaviour(page=3)) as registry:
        yield registry


def client(server: LoopbackRegistry, limits: Limits = NETWORK) -> Registry:
    return Registry(server.name, Access(insecure=True), limits, wait=lambda seconds: None)


def index(*entries: object, **fields: Any) -> bytes:
    return json.dumps({"schemaVersion": 2, "mediaType": media.OCI_INDEX, "manifests": list(entries)} | fields).encode()


def test_every_page_of_referrers_counts(server: LoopbackRegistry) -> None:
    subject = server.add_image("app", "v1")
    made = {str(server.add_artifact("app", b"%d" % number, "x/y", subject=subject).digest) for number in range(10)}
    with client(server) as registry:
        found = registry.referrers("app", subject.digest)
    assert not isinstance(found, Missing)
    assert {str(one.digest) for one in found if isinstance(one, Descriptor)} == made
    assert server.count("GET", "/referrers/") == 4


def test_an_entry_that_is_listed_twice_is_one(server: LoopbackRegistry) -> None:
    subject = server.add_image("app", "v1")
    body = index(ENTRY, ENTRY)
    server.fault("GET", "/referrers/", fault.other_bytes(body))
    with client(server) as registry:
        found = registry.referrers("app", subject.digest)
    assert not isinstance(found, Missing)
    assert len(found) == 1


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_an_error_on_a_later_page_is_no_end_of_the_list(server: LoopbackRegistry, status: int) -> None:
    """Otherwise whoever can make the second page fail hides what stands there."""
    subject = server.add_image("app", "v1")
    for number in range(5):
        server.add_artifact("app", b"%d" % number, "x/y", subject=subject)
    server.fault("GET", "/referrers/", fault.status(status), after=1)
    with client(server) as registry, pytest.raises(NavicertError):
        registry.referrers("app", subject.digest)


def test_a_next_page_that_is_not_there_is_an_error(server: LoopbackRegistry) -> None:
    subject = server.add_image("app", "v1")
    for number in range(5):
        server.add_artifact("app", b"%d" % number, "x/y", subject=subject)
    server.fault("GET", "/referrers/", fault.status(404), after=1)
    with client(server) as registry, pytest.raises(Unavailable, match="next page of its own list"):
        registry.referrers("app", subject.digest)


def test_more_pages_than_the_limit_are_refused(server: LoopbackRegistry) -> None:
    subject = server.add_image("app", "v1")
    server.fault("GET", "/referrers/", fault.header("Link", f"</v2/app/referrers/{subject.digest}>; rel=next"))
    few = replace(NETWORK, registry_pages=5)
    with client(server, few) as registry, pytest.raises(LimitExceeded, match="registry_pages"):
        registry.referrers("app", subject.digest)
    assert server.count("GET", "/referrers/") == 5


@pytest.mark.parametrize(
    "link",
    [
        "<https://evil.example/v2/app/referrers/x>; rel=next",
        "<//evil.example/list>; rel=next",
        "<http://169.254.169.254/latest/meta-data>; rel=next",
    ],
)
def test_the_next_page_is_at_the_same_registry(server: LoopbackRegistry, link: str) -> None:
    subject = server.add_image("app", "v1")
    server.fault("GET", "/referrers/", fault.header("Link", link))
    with client(server) as registry, pytest.raises(NavicertError):
        registry.referrers("app", subject.digest)


def test_tags_are_those_with_the_prefix_and_each_once(server: LoopbackRegistry) -> None:
    image = server.add_image("app")
    for tag in ("v1", "v10", "v2", "w", "a"):
        server.contents["app"].tags[tag] = str(image.digest)
    with client(server) as registry:
        assert registry.tags("app", prefix="v1") == ["v1", "v10"]
        assert registry.tags("app", prefix="x") == []
        assert registry.tags("app") == ["a", "v1", "v10", "v2", "w"]


@pytest.mark.parametrize("tags", [[1], [None], {"v1": 1}, "v1", 7])
def test_tags_that_are_none_are_no_list(server: LoopbackRegistry, tags: object) -> None:
    server.add_image("app", "v1")
    server.fault("GET", "/tags/list", fault.other_bytes(json.dumps({"name": "app", "tags": tags}).encode()))
    with client(server) as registry, pytest.raises(NavicertError):
        registry.tags("app", prefix="v")


# --- entries ---------------------------------------------------------------------------------------------------------


def test_an_entry_that_nobody_understands_is_the_reason_and_the_others_stay() -> None:
    bad: list[object] = [None, {}, {"digest": "x"}, ENTRY | {"size": -1}, ENTRY | {"digest": "sha256:AB"}]
    found = list(attached_entries(index(*bad, ENTRY), NETWORK, "the list"))
    assert [isinstance(one, Malformed) for one in found] == [True] * 5 + [False]
    assert {one.path for one in found if isinstance(one, Malformed)} == {"the list"}
    assert "/manifests/3" in str(found[3])


@pytest.mark.parametrize(
    "raw",
    [
        b"[]",
        b"{}",
        b"",
        b'{"schemaVersion": 1, "manifests": []}',
        b'{"schemaVersion": 2}',
        b'{"schemaVersion": 2, "manifests": {}}',
        index(mediaType=media.DOCKER_LIST),
        index(mediaType=media.OCI_MANIFEST),
        b'{"schemaVersion": 2, "manifests": [], "manifests": []}',
    ],
)
def test_what_is_no_list_is_not_an_empty_one(raw: bytes) -> None:
    with pytest.raises(Malformed):
        list(attached_entries(raw, NETWORK, "the list"))


def test_more_entries_than_the_limit_are_refused_and_not_cut_off() -> None:
    few = replace(NETWORK, referrers=2)
    assert len(list(attached_entries(index(ENTRY, ENTRY), few, ""))) == 2
    with pytest.raises(LimitExceeded, match="limit referrers"):
        list(attached_entries(index(ENTRY, ENTRY, ENTRY), few, ""))


@pytest.mark.parametrize(
    "name", ["", "..", "app/../../v2", "App", "a b", "app?x", "app#", "a//b", "app/", "/app", "a%2fb"]
)
def test_what_is_no_repository_never_becomes_a_path(name: str) -> None:
    with pytest.raises(Malformed):
        target_of(name, "tags/list")


def test_a_media_type_is_read_without_its_parameters() -> None:
    assert content_type({"content-type": " Application/JSON ; charset=utf-8"}) == "application/json"
    assert content_type({}) == ""
