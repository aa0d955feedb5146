"""Uploads: what arrives is what the descriptor says, in parts that go on where a connection broke."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from navicert.digest import sha256
from navicert.errors import Malformed, NavicertError, Unavailable
from navicert.limits import NETWORK, Limits
from navicert.oci.access import Access
from navicert.oci.manifest import Descriptor
from navicert.oci.registry import Registry
from navicert.testing import fault
from navicert.testing.registry import Behaviour, LoopbackRegistry

SMALL = replace(NETWORK, upload_chunk=1000)
DATA = bytes(range(256)) * 20  # five parts and a bit


@pytest.fixture
def server() -> Iterator[LoopbackRegistry]:
    with LoopbackRegistry() as registry:
        yield registry


def described(data: bytes = DATA) -> Descriptor:
    return Descriptor("application/octet-stream", sha256(data), len(data))


def push(
    server: LoopbackRegistry,
    data: bytes = DATA,
    blob: Descriptor | None = None,
    limits: Limits = SMALL,
    mount: str = "",
) -> bool:
    def read() -> Iterator[bytes]:
        for start in range(0, len(data), 333):
            yield data[start : start + 333]

    with Registry(server.name, Access(insecure=True), limits, wait=lambda seconds: None) as registry:
        return registry.push_blob("app", blob or described(data), read, mount=mount)


def held(server: LoopbackRegistry) -> dict[str, bytes]:
    return server.repository("app").blobs


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 1001, 2000, 5120])
def test_a_blob_of_any_size_arrives_whole(server: LoopbackRegistry, size: int) -> None:
    assert push(server, DATA[:size])
    assert held(server) == {str(sha256(DATA[:size])): DATA[:size]}
    assert server.count("PATCH") == max(0, -(-size // 1000) - (0 if size > 1000 else 1)) or size <= 1000


def test_what_is_there_is_not_sent(server: LoopbackRegistry) -> None:
    server.add_blob("app", DATA)
    assert not push(server)
    assert server.count("POST|PATCH|PUT") == 0


@pytest.mark.parametrize("changed", [DATA[:-1], DATA + b"x", DATA[:-1] + b"x", b"", b"x" + DATA[1:]])
def test_other_bytes_than_the_descriptor_says_are_never_finished(server: LoopbackRegistry, changed: bytes) -> None:
    """A registry that does not compare would keep them under the digest of something else."""
    with pytest.raises(Malformed, match=r"another (size|digest)"):
        push(server, changed, described())
    assert held(server) == {}
    assert server.count("PUT") == 0


@pytest.mark.parametrize("after", range(5))
def test_a_part_whose_answer_is_lost_is_not_stored_twice(server: LoopbackRegistry, after: int) -> None:
    server.fault("PATCH", "/uploads/", fault.dropped(), times=1, after=after)
    assert push(server)
    assert held(server)[str(sha256(DATA))] == DATA


def test_a_registry_that_loses_every_upload_is_given_up(server: LoopbackRegistry) -> None:
    server.fault("PATCH", "/uploads/", fault.status(404))
    with pytest.raises(Unavailable, match="again and again"):
        push(server)
    assert held(server) == {}
    assert server.count("POST") == SMALL.attempts


@pytest.mark.parametrize("status", [401, 403, 413])
def test_a_registry_that_refuses_is_not_asked_for_ever(server: LoopbackRegistry, status: int) -> None:
    server.fault("PATCH", "/uploads/", fault.status(status))
    with pytest.raises(NavicertError):
        push(server)
    assert server.count("PATCH") <= 3


@pytest.mark.parametrize("location", ["https://evil.example/u", "//evil.example/u", "http://169.254.169.254/u", ""])
def test_bytes_go_to_no_other_host(server: LoopbackRegistry, location: str) -> None:
    server.fault("POST", "/uploads/", fault.header("Location", location))
    with pytest.raises(NavicertError):
        push(server)
    assert server.count("PATCH|PUT") == 0


def test_a_mount_sends_nothing_and_where_it_is_not_done_the_blob_is_sent(server: LoopbackRegistry) -> None:
    server.add_blob("base", DATA)
    assert not push(server, mount="base")
    assert held(server)[str(sha256(DATA))] == DATA
    assert server.count("PATCH|PUT") == 0
    with LoopbackRegistry(Behaviour(mounts=False)) as other:
        other.add_blob("base", DATA)
        assert push(other, mount="base")
        assert held(other)[str(sha256(DATA))] == DATA


@pytest.mark.parametrize(("stated", "passes"), [("2500", True), ("no", True), ("-5", True), ("4001", False)])
def test_parts_are_as_large_as_asked_for_within_bounds(server: LoopbackRegistry, stated: str, passes: bool) -> None:
    """A part is held in memory: what a registry asks for is no reason to hold a gigabyte."""
    server.fault("POST", "/uploads/", fault.header("OCI-Chunk-Min-Length", stated))
    if passes:
        assert push(server)
        return
    with pytest.raises(Unavailable, match="upload_chunk"):
        push(server)
