"""One request to its end: tries, waits, and what an answer means. The server is real."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from navicert.digest import sha256
from navicert.errors import Malformed, Refused, Unavailable
from navicert.limits import NETWORK
from navicert.oci.access import Access
from navicert.oci.credential import Credential, Single
from navicert.oci.exchange import Missing
from navicert.oci.manifest import Descriptor, Document
from navicert.oci.registry import Registry
from navicert.testing import fault
from navicert.testing.registry import Behaviour, Login, LoopbackRegistry


@pytest.fixture
def server() -> Iterator[LoopbackRegistry]:
    with LoopbackRegistry() as registry:
        registry.add_image("app", "v1")
        yield registry


class Client:
    """A client that notes how long it would have waited."""

    def __init__(self, server: LoopbackRegistry, **limits: int) -> None:
        self.waits: list[float] = []
        access = Access(insecure=True)
        self.registry = Registry(server.name, access, replace(NETWORK, **limits), wait=self.waits.append)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *error: object) -> None:
        self.registry.close()


@pytest.mark.parametrize("code", [429, 500, 502, 503, 504])
def test_a_busy_registry_is_asked_again(server: LoopbackRegistry, code: int):
    server.fault("GET", "/manifests/", fault.status(code), times=2)
    with Client(server) as client:
        assert isinstance(client.registry.manifest("app", "v1"), Document)
    assert len(client.waits) == 2
    assert server.count("GET", "/manifests/") == 3


@pytest.mark.parametrize("code", [429, 500, 502, 503, 504])
def test_a_registry_that_stays_busy_is_unavailable(server: LoopbackRegistry, code: int):
    server.fault("GET", "/manifests/", fault.status(code))
    with Client(server) as client, pytest.raises(Unavailable, match=f"answers {code} to GET") as caught:
        client.registry.manifest("app", "v1")
    assert caught.value.path == f"{server.name}/app:v1"
    assert caught.value.remedy == "try again later"
    assert server.count("GET", "/manifests/") == NETWORK.attempts


def test_waits_grow_and_are_not_the_same_for_everybody(server: LoopbackRegistry):
    server.fault("GET", "/manifests/", fault.status(503))
    waits = []
    before = random.getstate()
    for _ in range(3):
        with Client(server, attempts=6) as client, pytest.raises(Unavailable):
            client.registry.manifest("app", "v1")
        waits.append(tuple(client.waits))
    assert random.getstate() == before, "what a process draws for itself is not ours to move on"
    assert len(set(waits)) == 3
    for each in waits:
        assert len(each) == 5
        assert all(0.25 * 2**number * 0.5 <= wait <= 0.25 * 2**number * 1.5 for number, wait in enumerate(each))


def test_a_registry_says_how_long_to_wait(server: LoopbackRegistry):
    server.fault("GET", "/manifests/", fault.status(429, retry_after="7"), times=1)
    with Client(server) as client:
        client.registry.manifest("app", "v1")
    assert client.waits == [7.0]


@pytest.mark.parametrize("stated", ["Fri, 31 Dec 2099 23:59:59 GMT", "-5", "soon", "1e9", "99999999999999"])
def test_a_wait_that_is_no_number_of_seconds_is_the_usual_one(server: LoopbackRegistry, stated: str):
    server.fault("GET", "/manifests/", fault.status(429, retry_after=stated), times=1)
    with Client(server) as client:
        client.registry.manifest("app", "v1")
    assert [wait < 1 for wait in client.waits] == [True]


def test_nobody_is_made_to_wait_for_hours(server: LoopbackRegistry):
    server.fault("GET", "/manifests/", fault.status(429, retry_after="86400"))
    with Client(server) as client, pytest.raises(Unavailable, match="answers 429"):
        client.registry.manifest("app", "v1")
    assert client.waits == []


@pytest.mark.parametrize("code", [400, 405, 409, 410, 418])
def test_other_answers_are_final(server: LoopbackRegistry, code: int):
    body = b'{"errors": [{"code": "ODD", "message": "line\\nend \\u001b[31m"}]}'
    server.fault("GET", "/manifests/", fault.status(code, body=body))
    with Client(server) as client, pytest.raises(Unavailable, match=f"answers {code} to GET") as caught:
        client.registry.manifest("app", "v1")
    assert client.waits == []
    assert server.count("GET", "/manifests/") == 1
    assert "(ODD: line\\nend \\x1b[31m)" in str(caught.value)


@pytest.mark.parametrize("code", [401, 403])
def test_no_access_is_refused_at_once(server: LoopbackRegistry, code: int):
    server.fault("GET", "/manifests/", fault.status(code))
    with Client(server) as client, pytest.raises(Refused) as caught:
        client.registry.manifest("app", "v1")
    assert client.waits == []
    assert f"docker login {server.name}" in caught.value.remedy


def test_what_is_not_there_is_a_value(server: LoopbackRegistry):
    with Client(server) as client:
        assert client.registry.manifest("app", "v2") == Missing(f"{server.name}/app:v2")
    assert client.waits == []


def test_a_connection_that_drops_is_made_again(server: LoopbackRegistry):
    server.fault("GET", "/manifests/", fault.dropped(), times=2)
    with Client(server) as client:
        assert isinstance(client.registry.manifest("app", "v1"), Document)


def test_a_manifest_that_breaks_off_is_read_anew(server: LoopbackRegistry):
    server.fault("GET", "/manifests/", fault.wrong_length(10), times=2)
    with Client(server) as client:
        assert isinstance(client.registry.manifest("app", "v1"), Document)
    assert server.count("GET", "/manifests/") == 3


@pytest.mark.parametrize("ranges", [True, False], ids=["ranges", "no ranges"])
def test_a_blob_that_breaks_off_is_taken_up_again(ranges: bool):
    data = bytes(range(256)) * 1000
    with LoopbackRegistry(Behaviour(ranges=ranges)) as server:
        blob = server.add_blob("app", data)

        def break_off(request: fault.Request, right: fault.Response) -> fault.Response:
            assert isinstance(right.body, bytes)
            return replace(right, body=right.body[:100_000], length=len(right.body), broken=True)

        server.fault("GET", "/blobs/", break_off, times=2)
        with Client(server) as client:
            assert client.registry.read_blob("app", blob, 10**6) == data
        asked = [one.headers.get("range") for one in server.seen if "/blobs/" in one.path]
        assert asked[0] is None
        assert asked[1] == "bytes=100000-"


def test_a_blob_that_goes_on_elsewhere_is_refused(server: LoopbackRegistry):
    blob = server.add_blob("app", bytes(1000))

    def other_part(request: fault.Request, right: fault.Response) -> fault.Response:
        return replace(right, headers={**right.headers, "Content-Range": "bytes 5-999/1000"})

    server.fault(
        "GET", "/blobs/", lambda request, right: replace(right, body=bytes(10), length=1000, broken=True), times=1
    )
    server.fault("GET", "/blobs/", other_part)
    with Client(server) as client, pytest.raises(Malformed, match="another part of the blob"):
        client.registry.read_blob("app", blob, 10**6)


# --- uploads ----------------------------------------------------------------------------------------------------------

DATA = bytes(range(256)) * 100
BLOB = Descriptor("application/octet-stream", sha256(DATA), len(DATA))


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
@pytest.mark.parametrize("after", [0, 1, 2])
def test_an_upload_survives_a_connection_that_drops_behind_what_was_done(
    server: LoopbackRegistry, method: str, after: int
):
    server.fault(method, "/uploads/", fault.dropped(), times=1, after=after)
    with Client(server, upload_chunk=10_000) as client:
        assert client.registry.push_blob("app", BLOB, lambda: iter([DATA]))
    assert server.contents["app"].blobs[str(BLOB.digest)] == DATA


def test_an_upload_in_one_request_survives_a_drop(server: LoopbackRegistry):
    server.fault("PUT", "/uploads/", fault.dropped(), times=1)
    with Client(server) as client:
        client.registry.push_blob("app", BLOB, lambda: iter([DATA]))
    assert server.contents["app"].blobs[str(BLOB.digest)] == DATA


def test_an_upload_that_the_registry_forgot_begins_anew(server: LoopbackRegistry):
    def forget(request: fault.Request, right: fault.Response) -> fault.Response:
        server.uploads.clear()
        return right

    server.fault("PATCH", "/uploads/", forget, times=1)
    with Client(server, upload_chunk=10_000) as client:
        client.registry.push_blob("app", BLOB, lambda: iter([DATA]))
    assert server.contents["app"].blobs[str(BLOB.digest)] == DATA


def test_an_upload_that_never_works_ends(server: LoopbackRegistry):
    server.fault("PATCH", "/uploads/", fault.dropped())
    server.fault("GET", "/uploads/", fault.status(404))
    with Client(server, upload_chunk=10_000) as client, pytest.raises(Unavailable, match="again and again") as caught:
        client.registry.push_blob("app", BLOB, lambda: iter([DATA]))
    assert caught.value.path == f"{server.name}/app@{BLOB.digest}"
    assert server.count("POST", "/uploads/") <= NETWORK.attempts
    assert str(BLOB.digest) not in server.contents["app"].blobs


def test_parts_are_as_large_as_the_registry_asks(server: LoopbackRegistry):
    server.fault("POST", "/uploads/", fault.header("OCI-Chunk-Min-Length", "12000"))
    with Client(server, upload_chunk=10_000) as client:
        client.registry.push_blob("app", BLOB, lambda: iter([DATA]))
    sent = [int(one.headers["content-length"]) for one in server.seen if one.method == "PATCH"]
    assert sent == [12_000, 12_000, len(DATA) - 24_000]


def test_parts_are_not_as_large_as_a_registry_likes(server: LoopbackRegistry):
    server.fault("POST", "/uploads/", fault.header("OCI-Chunk-Min-Length", "999999999999"))
    with Client(server) as client, pytest.raises(Unavailable, match="limit upload_chunk"):
        client.registry.push_blob("app", BLOB, lambda: iter([DATA]))


def test_a_mount_that_the_registry_declines_is_an_upload():
    with LoopbackRegistry(Behaviour(mounts=False)) as server:
        server.add_blob("other", DATA)
        with Client(server) as client:
            assert client.registry.push_blob("app", BLOB, lambda: iter([DATA]), mount="other")
        assert server.contents["app"].blobs[str(BLOB.digest)] == DATA


# --- threads and tokens -----------------------------------------------------------------------------------------------


def test_many_threads_share_a_client_and_its_token():
    with LoopbackRegistry(login=Login({"user": "pass"}, bearer=True)) as server:
        blobs = [server.add_blob("app", bytes([number]) * 10_000) for number in range(50)]
        access = Access(Single(server.name, Credential("user", "pass")), insecure=True)
        with Registry(server.name, access) as registry, ThreadPoolExecutor(16) as pool:
            read = list(pool.map(lambda blob: registry.read_blob("app", blob, 10**5), blobs))
        assert [data[0] for data in read] == list(range(50))
        assert server.count("GET", "^/token") == 1


def test_a_token_that_ran_out_is_renewed():
    with LoopbackRegistry(login=Login({"user": "pass"}, bearer=True)) as server:
        server.add_image("app", "v1")
        access = Access(Single(server.name, Credential("user", "pass")), insecure=True)
        with Registry(server.name, access) as registry:
            registry.manifest("app", "v1")
            challenge = f'Bearer realm="{server.url}/token"'
            denied = fault.Response(401, {"WWW-Authenticate": challenge})
            server.fault("GET", "/manifests/", lambda request, right: denied, times=1)
            assert isinstance(registry.manifest("app", "v1"), Document)
        assert server.count("GET", "^/token") == 2


def test_a_token_service_that_is_busy_is_asked_again():
    with LoopbackRegistry(login=Login({"user": "pass"}, bearer=True)) as server:
        server.add_image("app", "v1")
        server.fault("GET", "^/token", fault.status(503), times=1)
        server.fault("GET", "^/token", fault.dropped(), times=1)
        waits: list[float] = []
        access = Access(Single(server.name, Credential("user", "pass")), insecure=True)
        with Registry(server.name, access, wait=waits.append) as registry:
            assert isinstance(registry.manifest("app", "v1"), Document)
        assert len(waits) == 2


@pytest.mark.parametrize("broken", [fault.status(503), fault.dropped(), fault.status(429, retry_after="86400")])
def test_a_token_service_that_stays_broken_is_named(broken: fault.Fault):
    with LoopbackRegistry(login=Login({"user": "pass"}, bearer=True)) as server:
        server.fault("GET", "^/token", broken)
        access = Access(Single(server.name, Credential("user", "pass")), insecure=True)
        with (
            Registry(server.name, access, wait=lambda seconds: None) as registry,
            pytest.raises(Unavailable, match=f"token service at {server.name}") as caught,
        ):
            registry.manifest("app", "v1")
        assert caught.value.path == f"{server.name}/app:v1"
        assert server.count("GET", "^/token") <= NETWORK.attempts


def test_an_identity_token_is_exchanged():
    with LoopbackRegistry(login=Login({}, bearer=True, tokens=frozenset({"refresh"}))) as server:
        server.add_image("app", "v1")
        access = Access(Single(server.name, Credential(identity_token="refresh")), insecure=True)
        with Registry(server.name, access) as registry:
            assert isinstance(registry.manifest("app", "v1"), Document)


def test_reading_without_a_password_needs_none_and_writing_does():
    with LoopbackRegistry(login=Login({"user": "pass"}, bearer=True, pull=True)) as server:
        server.add_image("app", "v1")
        with Client(server) as client:
            assert isinstance(client.registry.manifest("app", "v1"), Document)
            with pytest.raises(Refused):
                client.registry.push_blob("app", BLOB, lambda: iter([DATA]))


@pytest.mark.parametrize("tag", ["", "..", "a/b", "a b", "a\nb", "-x", "x" * 129, "a?b", "a%2fb"])
def test_what_is_no_tag_is_never_asked_for(server: LoopbackRegistry, tag: str):
    with Client(server) as client, pytest.raises(Malformed, match="not a tag"):
        client.registry.manifest("app", tag)
    assert server.count() == 0


@pytest.mark.parametrize("name", ["", "..", "a/../b", "A", "a//b", "/a", "a/", "a b", "a?b", "a%2fb"])
def test_what_is_no_repository_is_never_asked_for(server: LoopbackRegistry, name: str):
    with Client(server) as client:
        for ask in (
            lambda: client.registry.manifest(name, "v1"),
            lambda: client.registry.tags(name),
            lambda: client.registry.referrers(name, BLOB.digest),
            lambda: client.registry.read_blob(name, BLOB, 10**6),
            lambda: client.registry.push_blob(name, BLOB, lambda: iter([DATA])),
            lambda: client.registry.delete(name, "v1"),
        ):
            with pytest.raises(Malformed):
                ask()
    assert server.count() == 0


# --- lists ------------------------------------------------------------------------------------------------------------


def tags_of(behaviour: Behaviour, tags: list[str], prefix: str) -> tuple[object, int]:
    """What is found among `tags`, and the number of requests."""
    with LoopbackRegistry(behaviour) as server:
        root = server.add_image("app")
        server.contents["app"].tags = dict.fromkeys(tags, str(root.digest))
        with Client(server) as client:
            return client.registry.tags("app", prefix=prefix), server.count("GET", "/tags/")


MANY = [f"a-{number:05}" for number in range(3000)] + ["m-1", "m-2"] + [f"z-{number:05}" for number in range(3000)]


def test_of_a_long_list_only_the_part_that_matters_is_read():
    assert tags_of(Behaviour(), MANY, "m-") == (["m-1", "m-2"], 1)
    assert tags_of(Behaviour(), MANY, "n-") == ([], 1)
    assert tags_of(Behaviour(), MANY, "")[1] == 7


def test_a_registry_with_an_order_of_its_own_hides_nothing():
    assert tags_of(Behaviour(tag_order=False), MANY, "m-")[0] == ["m-1", "m-2"]
    with LoopbackRegistry() as server:
        root = server.add_image("app")
        server.contents["app"].tags = dict.fromkeys(["m-1", "a", "z"], str(root.digest))

        def by_time(request: fault.Request, right: fault.Response) -> fault.Response:
            """`last` names no tag, so nothing comes behind it."""
            tags = b"[]" if "last" in request.query else b'["z", "m-1", "a"]'
            return replace(right, body=b'{"tags": ' + tags + b"}")

        server.fault("GET", "/tags/", by_time)
        with Client(server) as client:
            assert client.registry.tags("app", prefix="m-") == ["m-1"]


@pytest.mark.parametrize("first", ['["z", "a"]', '["b", "z"]'], ids=["not sorted", "from before the start"])
def test_a_list_that_is_not_in_order_is_read_to_its_end(server: LoopbackRegistry, first: str):
    def pages(request: fault.Request, right: fault.Response) -> fault.Response:
        if "page" in request.query:
            return replace(right, body=b'{"tags": ["m-1"]}')
        headers = {**right.headers, "Link": '</v2/app/tags/list?page=2>; rel="next"'}
        return replace(right, body=b'{"tags": ' + first.encode() + b"}", headers=headers)

    server.fault("GET", "/tags/", pages)
    with Client(server) as client:
        assert client.registry.tags("app", prefix="m-") == ["m-1"]


@pytest.mark.parametrize("body", [b"[]", b'{"tags": 1}', b'{"tags": [1]}', b"{", b'{"tags": {"a": 1}}'])
def test_a_list_that_cannot_be_understood_is_named(server: LoopbackRegistry, body: bytes):
    server.fault("GET", "/tags/", fault.other_bytes(body))
    with Client(server) as client, pytest.raises(Malformed) as caught:
        client.registry.tags("app")
    assert caught.value.path == f"{server.name}/app (tags)"


@pytest.mark.parametrize("body", [b'{"tags": null}', b"{}", b'{"tags": []}'])
def test_a_repository_may_have_no_tags(server: LoopbackRegistry, body: bytes):
    server.fault("GET", "/tags/", fault.other_bytes(body))
    with Client(server) as client:
        assert client.registry.tags("app") == []


@pytest.mark.parametrize("where", ["/tags/", "/referrers/"])
def test_a_list_whose_second_page_is_gone_is_not_a_short_list(where: str):
    with LoopbackRegistry(Behaviour(page=1)) as server:
        root = server.add_image("app", "v1")
        server.add_image("app", "v2")
        for number in range(3):
            server.add_artifact("app", bytes([number]), "text/plain", subject=root)
        server.fault("GET", where, fault.status(404), after=1)
        with Client(server) as client, pytest.raises(Unavailable, match="next page of its own list"):
            client.registry.tags("app") if where == "/tags/" else client.registry.referrers("app", root.digest)
