"""Images in registries: looked up once, and from then on known by the digest of what came."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from navicert.digest import sha256
from navicert.errors import Malformed, Unavailable
from navicert.oci import media
from navicert.oci.access import Access
from navicert.oci.exchange import NotThere
from navicert.oci.manifest import Descriptor
from navicert.oci.reference import Reference
from navicert.oci.registry import Registry
from navicert.oci.remote import Resolved, resolve_reference
from navicert.testing import fault
from navicert.testing.registry import LoopbackRegistry


@pytest.fixture
def server() -> Iterator[LoopbackRegistry]:
    with LoopbackRegistry() as registry:
        registry.add_image("app", "v1")
        yield registry


@pytest.fixture
def client(server: LoopbackRegistry) -> Iterator[Registry]:
    with Registry(server.name, Access(insecure=True), wait=lambda seconds: None) as registry:
        yield registry


def resolve(client: Registry, rest: str) -> Resolved:
    return resolve_reference(client, Reference.parse(f"{client.name}/app{rest}"))


def test_a_tag_that_moves_after_it_was_looked_up_moves_nothing(server: LoopbackRegistry, client: Registry) -> None:
    """What is judged and what is fetched afterwards must be one image."""
    found = resolve(client, ":v1")
    first = server.contents["app"].tags["v1"]
    server.add_image("app", "v1", {"evil": b"x"})
    (platform,) = found.image().platforms
    assert platform.manifest is not None
    assert str(platform.manifest.document.digest) == str(found.root.digest) == first
    assert found.origin == f"{server.name}/app:v1@{first}"


def test_the_root_is_asked_for_once(server: LoopbackRegistry, client: Registry) -> None:
    found = resolve(client, ":v1")
    found.image()
    found.image()
    assert server.count("GET", "/manifests/") == 1


def test_a_digest_is_what_comes_and_a_tag_beside_it_is_not_asked_for(
    server: LoopbackRegistry, client: Registry
) -> None:
    digest = server.contents["app"].tags["v1"]
    assert str(resolve(client, f":gone@{digest}").root.digest) == digest
    assert server.count("GET", "/manifests/gone") == 0


@pytest.mark.parametrize("rest", [":gone", "@sha256:" + "a" * 64])
def test_what_is_not_there_is_a_mistake_of_whoever_named_it(client: Registry, rest: str) -> None:
    with pytest.raises(NotThere):
        resolve(client, rest)


def test_a_registry_that_cannot_say_is_not_one_that_has_nothing(server: LoopbackRegistry, client: Registry) -> None:
    server.fault("GET", "/manifests/", fault.status(503))
    with pytest.raises(Unavailable):
        resolve(client, ":v1")


def test_a_reference_to_another_registry_is_refused_before_anything_is_asked(
    server: LoopbackRegistry, client: Registry
) -> None:
    with pytest.raises(Malformed, match="another registry"):
        resolve_reference(client, Reference.parse("other.example/app:v1"))
    assert server.count() == 0


def test_a_blob_is_read_from_the_registry_and_named_by_it(server: LoopbackRegistry, client: Registry) -> None:
    found = resolve(client, ":v1")
    blob = server.add_blob("app", b"bytes")
    assert b"".join(found.chunks(blob)) == b"bytes"
    assert found.locate(blob.digest) == f"{server.name}/app@{blob.digest}"
    with pytest.raises(Malformed) as caught:
        list(found.chunks(Descriptor(media.OCI_LAYER, sha256(b"gone"), 4)))
    assert str(sha256(b"gone")) in str(caught.value)
