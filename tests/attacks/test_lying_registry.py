"""Registries that lie: each test is one attack on whoever asks a registry for an image or for evidence.

Every lie is refused with the registry and the tag or digest in the message, within named limits, and nothing partial is
left behind. Where the client is led somewhere, a second server records what reaches it.
"""

from __future__ import annotations

import gzip
import json
import resource
import socket
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.image_builder import copy_to_layout
from tests.registry_server import Certificates, make_certificates

from navicert.digest import Digest, sha256
from navicert.errors import LimitExceeded, Malformed, NavicertError, Refused, Unavailable
from navicert.limits import NETWORK, Limits
from navicert.oci import address, home, media
from navicert.oci.access import Access
from navicert.oci.credential import Credential, Single
from navicert.oci.exchange import Missing
from navicert.oci.manifest import Descriptor
from navicert.oci.reference import Reference
from navicert.oci.referrers import find_attached, subject_tag
from navicert.oci.registry import Registry, Repository
from navicert.oci.remote import Resolved, resolve_reference
from navicert.testing import fault
from navicert.testing.fault import Fault, Request, Response
from navicert.testing.registry import Behaviour, Login, LoopbackRegistry

MIB = 1024 * 1024
SECRET = Credential("user", "hunter2")
QUICK = replace(NETWORK, request_seconds=1, idle_seconds=1, connect_seconds=1)


@pytest.fixture
def liar() -> Iterator[LoopbackRegistry]:
    with LoopbackRegistry() as registry:
        yield registry


@pytest.fixture
def witness() -> Iterator[LoopbackRegistry]:
    """A second server. Its log is what reached it."""
    with LoopbackRegistry() as registry:
        yield registry


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("tls"))


def client(registry: LoopbackRegistry, limits: Limits = NETWORK, **access: Any) -> Registry:
    """A client of `registry` that does not wait between tries."""
    return Registry(registry.name, replace(Access(insecure=True), **access), limits, wait=lambda seconds: None)


def resolve(registry: Registry, selector: Digest | str) -> Resolved:
    mark = "@" if isinstance(selector, Digest) else ":"
    return resolve_reference(registry, Reference.parse(f"{registry.name}/app{mark}{selector}"))


def download(registry: Registry, digest: Digest, folder: Path) -> None:
    """Copies an image into a layout below `folder`."""
    found = resolve(registry, digest)
    copy_to_layout(found, found.root, folder / "image")


def check(registry: Registry, selector: Digest | str) -> None:
    """Reads the whole of an image."""
    found = resolve(registry, selector)
    found.check_layers(found.image())


def read(registry: Registry, where: str, digest: Digest, blob: Descriptor) -> object:
    """Asks for what is at `where`: `/manifests/` (of `digest`), `/blobs/`, `/tags/` or `/referrers/`."""
    if where == "/manifests/":
        return registry.manifest("app", digest)
    if where == "/blobs/":
        return registry.read_blob("app", blob, MIB)
    return registry.tags("app") if where == "/tags/" else registry.referrers("app", digest)


def secrets_in(registry: LoopbackRegistry) -> list[str]:
    """What any request to `registry` carried that only another server should see."""
    encoded = SECRET.basic.removeprefix("Basic ")
    return [
        f"{one.method} {one.path}"
        for one in registry.seen
        if "authorization" in one.headers or encoded in str(one) or SECRET.password in str(one.headers) + one.path
    ]


# --- other bytes than asked for -------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["manifest", "config", "layer"])
@pytest.mark.parametrize("size", ["as long", "shorter", "longer"])
def test_other_bytes_for_a_digest(liar: LoopbackRegistry, tmp_path: Path, part: str, size: str):
    root = liar.add_image("app", "v1")
    held = liar.contents["app"]
    body = json.loads(held.manifests[str(root.digest)][1])
    digest = {"manifest": str(root.digest), "config": body["config"]["digest"], "layer": body["layers"][0]["digest"]}[
        part
    ]
    genuine = held.manifests[digest][1] if part == "manifest" else held.blobs[digest]
    evil = {"as long": genuine[:-1] + b"X", "shorter": genuine[:-1], "longer": genuine + b"X"}[size]
    if part == "manifest":
        # By digest: what a tag names is whatever the registry says that it is.
        # Without a digest in its headers, which would give it away.
        silent = Response(200, {"Content-Type": media.OCI_MANIFEST}, evil)
        liar.fault("GET", f"/manifests/{digest}", lambda request, right: silent)
    else:
        held.blobs[digest] = evil
    with client(liar) as registry, pytest.raises(Malformed, match=r"other bytes|another (size|digest)") as caught:
        download(registry, root.digest, tmp_path)
    assert caught.value.path == f"{liar.name}/app@{digest}"
    assert list(tmp_path.iterdir()) == []


def test_other_bytes_and_no_word_about_their_digest(liar: LoopbackRegistry):
    root = liar.add_image("app", "v1")
    evil = liar.contents["app"].manifests[str(liar.add_image("app", files={"app": b"evil"}).digest)][1]
    silent = Response(200, {"Content-Type": media.OCI_MANIFEST}, evil)
    liar.fault("GET", "/manifests/", lambda request, right: silent)
    with client(liar) as registry, pytest.raises(Malformed, match="other bytes than asked for") as caught:
        registry.manifest("app", root.digest)
    assert caught.value.path == f"{liar.name}/app@{root.digest}"


def test_another_answer_at_the_second_get(liar: LoopbackRegistry):
    # CVE-2022-47633, CVE-2023-33959: one manifest to whoever checks and another to whoever uses.
    good = liar.add_image("app", "v1")
    evil = liar.add_image("app", files={"app": b"evil"})
    raw = liar.contents["app"].manifests[str(evil.digest)][1]
    liar.fault("GET", "/manifests/", fault.other_bytes(raw), after=1)
    with client(liar) as registry:
        found = resolve(registry, "v1")
        image = found.image()
        assert found.root.digest == good.digest
        assert image.platforms[0].manifest is not None
        assert image.platforms[0].manifest.document.digest == good.digest
        assert found.reference.digest == good.digest
    assert liar.count("GET", "/manifests/") == 1


def test_a_digest_header_that_differs_from_the_bytes(liar: LoopbackRegistry):
    liar.add_image("app", "v1")
    other = str(sha256(b"other"))
    liar.fault("GET", "/manifests/v1", fault.header("Docker-Content-Digest", other))
    with client(liar) as registry, pytest.raises(Malformed, match="states another digest") as caught:
        resolve(registry, "v1")
    assert caught.value.path == f"{liar.name}/app:v1"


def test_a_media_type_that_differs_from_the_document(liar: LoopbackRegistry):
    # CVE-2021-41190: the same bytes as an index to one reader and as a manifest to another.
    root = liar.add_image("app", "v1")
    liar.fault("GET", "/manifests/", fault.header("Content-Type", media.OCI_INDEX))
    with client(liar) as registry, pytest.raises(Malformed):
        resolve(registry, root.digest).image()


@pytest.mark.parametrize("kind", ["text/html", "application/vnd.docker.distribution.manifest.v1+prettyjws"])
def test_what_is_no_manifest(liar: LoopbackRegistry, kind: str):
    liar.add_image("app", "v1")
    page = b'{"schemaVersion": 1, "name": "app"}'
    liar.fault("GET", "/manifests/", lambda request, right: Response(200, {"Content-Type": kind}, page))
    with client(liar) as registry, pytest.raises(Malformed, match="neither a manifest nor an index") as caught:
        resolve(registry, "v1")
    assert caught.value.path == f"{liar.name}/app:v1"


# --- lengths --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", [5, -5], ids=["more announced than sent", "fewer announced than sent"])
@pytest.mark.parametrize("where", ["/manifests/", "/blobs/"])
def test_a_wrong_content_length(liar: LoopbackRegistry, tmp_path: Path, where: str, by: int):
    root = liar.add_image("app", "v1")
    liar.fault("GET", where, fault.wrong_length(by))
    with client(liar) as registry, pytest.raises(NavicertError) as caught:
        download(registry, root.digest, tmp_path)
    assert isinstance(caught.value, Malformed | Unavailable)
    assert caught.value.path.startswith(f"{liar.name}/app@sha256:")
    assert list(tmp_path.iterdir()) == []


def test_a_length_that_the_headers_promise_and_the_digest_does_not(liar: LoopbackRegistry):
    root = liar.add_image("app", "v1")
    liar.fault("GET", "/manifests/", fault.other_bytes(b"{}"))
    with client(liar) as registry, pytest.raises(Malformed, match="other bytes than asked for"):
        resolve(registry, root.digest)


@pytest.mark.parametrize(
    ("where", "limit"),
    [
        ("/manifests/", "manifest_bytes"),
        ("/tags/", "document_bytes"),
        ("/referrers/", "manifest_bytes"),
        ("/blobs/", "another size"),
    ],
)
def test_an_endless_body(liar: LoopbackRegistry, where: str, limit: str):
    root = liar.add_image("app", "v1")
    blob = liar.add_blob("app", b"blob")
    liar.fault("GET", where, fault.endless(b"{"))
    tracemalloc.start()
    try:
        with client(liar) as registry, pytest.raises(Malformed, match=limit) as caught:
            read(registry, where, root.digest, blob)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert caught.value.path.startswith(f"{liar.name}/app")
    # Not held twice over: the limit, and what a bytearray grows by.
    assert peak < 3 * NETWORK.document_bytes


def test_a_gzip_bomb_is_never_unpacked(liar: LoopbackRegistry):
    root = liar.add_image("app", "v1")
    bomb = fault.gzip_bomb(512 * MIB)
    liar.fault("GET", "/manifests/|/tags/|/blobs/", bomb)
    layer = liar.add_blob("app", b"layer")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with client(liar) as registry:
        with pytest.raises(Malformed, match="other bytes than asked for"):
            registry.manifest("app", root.digest)
        with pytest.raises(Malformed):
            registry.tags("app")
        with pytest.raises(Malformed, match="another size"):
            registry.read_blob("app", layer, MIB)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024  # KiB


def test_a_layer_that_unpacks_without_end(liar: LoopbackRegistry):
    packed = gzip.compress(bytes(512 * MIB), 9, mtime=0)
    layer = liar.add_blob("app", packed, f"{media.OCI_LAYER}+gzip")
    config = {"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": [str(sha256(b""))]}}
    described = liar.add_blob("app", json.dumps(config).encode(), media.OCI_CONFIG)
    body = {"schemaVersion": 2, "config": described.to_json(), "layers": [layer.to_json()]}
    liar.add_manifest("app", body, tag="v1")
    with client(liar) as registry, pytest.raises(LimitExceeded, match="limit expansion"):
        check(registry, "v1")


# --- time -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["/manifests/", "/blobs/", "/tags/", "/referrers/"])
def test_a_trickle_ends(liar: LoopbackRegistry, where: str):
    """Each byte comes in time and the whole never would."""
    root = liar.add_image("app", "v1")
    blob = liar.add_blob("app", bytes(10_000))
    liar.fault("GET", where, fault.trickle(0.05))
    for number in range(20):
        liar.add_artifact("app", str(number).encode(), "text/plain", subject=root, tag=f"v1-{number}")
    limits = replace(QUICK, attempts=1)
    with client(liar, limits) as registry, pytest.raises(Unavailable, match="takes too long") as caught:
        read(registry, where, root.digest, blob)
    assert caught.value.path.startswith(f"{liar.name}/app")


def test_headers_that_come_one_by_one_without_end():
    """No time-out between two reads ever ends this."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        name = f"127.0.0.1:{listener.getsockname()[1]}"

        def serve() -> None:
            # The first connection is the question whether there is TLS.
            listener.accept()[0].close()
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\n")
                number = 0
                try:
                    while True:
                        number += 1
                        connection.sendall(f"X-{number}: y\r\n".encode())
                        stop.wait(0.02)
                        if stop.is_set():
                            return
                except OSError:
                    return

        import threading

        stop = threading.Event()
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            limits = replace(QUICK, attempts=1)
            with (
                Registry(name, Access(insecure=True), limits) as registry,
                pytest.raises(Unavailable, match="takes too long"),
            ):
                registry.manifest("app", "v1")
        finally:
            stop.set()
            thread.join()


def test_silence_ends(liar: LoopbackRegistry):
    liar.add_image("app", "v1")
    liar.fault("GET", "/manifests/", fault.delay(30))
    with client(liar, replace(QUICK, attempts=1)) as registry, pytest.raises(Unavailable, match="takes too long"):
        registry.manifest("app", "v1")


# --- redirects ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["/manifests/", "/blobs/"])
def test_a_redirect_loop(liar: LoopbackRegistry, where: str):
    root = liar.add_image("app", "v1")
    blob = liar.add_blob("app", b"blob")
    liar.fault("GET", where, fault.redirect_loop())
    with client(liar) as registry, pytest.raises(LimitExceeded, match="limit redirects") as caught:
        read(registry, where, root.digest, blob)
    assert caught.value.path.startswith(f"{liar.name}/app@sha256:")
    assert liar.count("GET", where) == NETWORK.redirects + 1


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[fe80::1]/",
        "https://[fd00:ec2::254]/latest/",
        "https://[::ffff:169.254.169.254]/latest/",
        "https://100.100.100.200/latest/",
        "https://168.63.129.16/metadata",
        "https://0.0.0.0/",
        "https://[::]/",
        "https://224.0.0.1/",
        "http://10.0.0.1/",
        "http://registry.example/",
        "file:///etc/passwd",
        "https://user:password@registry.example/",
        "https://127.1/",
        "https://2852039166/latest/",
        "gopher://127.0.0.1/",
        "//169.254.169.254/latest/",
        "/\\169.254.169.254/latest/",
        "",
    ],
)
@pytest.mark.parametrize("where", ["/manifests/", "/blobs/"])
def test_a_redirect_to_where_nobody_may_be_sent(
    liar: LoopbackRegistry, where: str, target: str, monkeypatch: pytest.MonkeyPatch
):
    root = liar.add_image("app", "v1")
    blob = liar.add_blob("app", b"blob")
    liar.fault("GET", where, fault.redirect(target))
    connected: list[object] = []
    original = socket.create_connection

    def watched(address: tuple[str, int], *rest: Any, **options: Any) -> socket.socket:
        connected.append(address[0])
        return original(address, *rest, **options)

    monkeypatch.setattr(socket, "create_connection", watched)
    with client(liar) as registry, pytest.raises(NavicertError) as caught:
        read(registry, where, root.digest, blob)
    assert isinstance(caught.value, Refused | Unavailable)
    assert caught.value.path.startswith(f"{liar.name}/app@sha256:")
    assert set(connected) == {"127.0.0.1"}


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes 127.0.0.1 a public address; the rest of this machine stays what it is."""
    true_zone = address.zone_of

    def zone_of(found: address.IpAddress) -> address.Zone:
        return address.Zone.PUBLIC if str(found) == "127.0.0.1" else true_zone(found)

    monkeypatch.setattr(address, "zone_of", zone_of)
    monkeypatch.setattr(home, "zone_of", zone_of)


@pytest.mark.parametrize("where", ["127.0.0.2", "both.example", "inner.example", "10.0.0.1", "[::1]"])
@pytest.mark.parametrize("led", ["by a redirect", "to a token service"])
def test_a_registry_out_there_leads_to_what_only_its_client_can_reach(
    outside: None, tls: Certificates, monkeypatch: pytest.MonkeyPatch, where: str, led: str
):
    """The services of its client's machine and network. `both.example` has a public address too."""
    connected: list[object] = []
    original, lookup = socket.create_connection, socket.getaddrinfo
    names = {"both.example": ["127.0.0.1", "127.0.0.2"], "inner.example": ["192.168.1.1"]}

    def watched(target: tuple[str, int], *rest: Any, **options: Any) -> socket.socket:
        connected.append(target[0])
        return original(target, *rest, **options)

    def look_up(host: str, port: int, *rest: Any, **options: Any) -> list[Any]:
        return [found for one in names.get(host, [host]) for found in lookup(one, port, *rest, **options)]

    monkeypatch.setattr(socket, "create_connection", watched)
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    login = Login({}, bearer=True, realm=f"https://{where}/token") if led == "to a token service" else None
    with LoopbackRegistry(login=login, tls=tls.context()) as liar:
        blob = liar.add_blob("app", b"blob")
        if login is None:
            liar.fault("GET", "/blobs/", fault.redirect(f"https://{where}:{liar.port}/"))
        with (
            Registry(liar.name, Access(ca_file=str(tls.authority))) as registry,
            pytest.raises(Refused, match="not a place to be sent to") as caught,
        ):
            registry.read_blob("app", blob, MIB)
    assert caught.value.path == f"{liar.name}/app@{blob.digest}"
    assert set(connected) == {"127.0.0.1"}


def test_a_registry_whose_name_moves_inwards(
    outside: None, tls: Certificates, monkeypatch: pytest.MonkeyPatch, witness: LoopbackRegistry
):
    """DNS rebinding: public when it is first looked up, and this machine afterwards."""
    lookup = socket.getaddrinfo
    answers = iter(["127.0.0.1", "127.0.0.2"])

    def look_up(host: str, port: int, *rest: Any, **options: Any) -> list[Any]:
        return list(lookup(next(answers) if host == "localhost" else host, port, *rest, **options))

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with LoopbackRegistry(tls=tls.context()) as liar:
        access = Access(ca_file=str(tls.authority))
        with Registry(f"localhost:{liar.port}", access) as registry, pytest.raises(Refused, match="not a place"):
            registry.manifest("app", "v1")
        assert liar.seen == ()


def test_a_redirect_that_leaves_tls(liar: LoopbackRegistry, witness: LoopbackRegistry, tls: Certificates):
    with LoopbackRegistry(tls=tls.context()) as secured:
        blob = secured.add_blob("app", b"blob")
        secured.fault("GET", "/blobs/", fault.redirect(f"{witness.url}/v2/app/blobs/{blob.digest}"))
        access = Access(ca_file=str(tls.authority))
        with Registry(secured.name, access) as registry, pytest.raises(Refused, match="no TLS"):
            registry.read_blob("app", blob, MIB)
    assert witness.seen == ()


def inside(target: str) -> Fault:
    """Redirects whoever was let in."""
    return lambda request, right: right if right.status == 401 else fault.redirect(target)(request, right)


def test_credentials_do_not_follow_a_redirect(tls: Certificates):
    """CVE-2020-15157 and its like: the storage behind a registry never sees what the registry is told."""
    with (
        LoopbackRegistry(tls=tls.context()) as storage,
        LoopbackRegistry(login=Login({"user": "hunter2"}), tls=tls.context()) as registry,
    ):
        blob = registry.add_blob("app", b"blob")
        storage.add_blob("app", b"blob")
        registry.fault("GET", "/blobs/", inside(f"https://localhost:{storage.port}/v2/app/blobs/{blob.digest}"))
        access = Access(Single(registry.name, SECRET), ca_file=str(tls.authority))
        with Registry(registry.name, access) as reached:
            assert reached.read_blob("app", blob, MIB) == b"blob"
        assert any("authorization" in one.headers for one in registry.seen)
        assert storage.count("GET", "/blobs/") == 1
        assert secrets_in(storage) == []


def test_credentials_do_not_come_back_by_a_detour(tls: Certificates):
    """Away and back to the registry, where the other server has chosen what is asked for."""
    with (
        LoopbackRegistry(tls=tls.context()) as storage,
        LoopbackRegistry(login=Login({"user": "hunter2"}), tls=tls.context()) as registry,
    ):
        blob, private = registry.add_blob("app", b"blob"), registry.add_blob("private", b"private")
        registry.fault("GET", "/app/blobs/", inside(f"https://localhost:{storage.port}/away"))
        storage.fault("GET", "/away", fault.redirect(f"{registry.url}/v2/private/blobs/{private.digest}"))
        access = Access(Single(registry.name, SECRET), ca_file=str(tls.authority))
        with Registry(registry.name, access) as reached, pytest.raises(Refused):
            reached.read_blob("app", blob, MIB)
        (asked,) = [one for one in registry.seen if "/private/" in one.path]
        assert "authorization" not in asked.headers
        assert asked.status == 401


def test_a_password_that_another_server_asks_for_is_not_given(tls: Certificates):
    with (
        LoopbackRegistry(login=Login({"user": "hunter2"}), tls=tls.context()) as storage,
        LoopbackRegistry(tls=tls.context()) as registry,
    ):
        blob = registry.add_blob("app", b"blob")
        registry.fault("GET", "/blobs/", fault.redirect(f"https://localhost:{storage.port}/v2/app/blobs/{blob.digest}"))
        access = Access(Single(registry.name, SECRET), ca_file=str(tls.authority))
        with Registry(registry.name, access) as reached, pytest.raises(Refused, match="access denied"):
            reached.read_blob("app", blob, MIB)
        assert secrets_in(storage) == []
        # Nor is it given to the registry, which has not asked for it.
        assert secrets_in(registry) == []


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
def test_an_upload_that_is_led_to_another_host(liar: LoopbackRegistry, witness: LoopbackRegistry, method: str):
    away = f"http://localhost:{witness.port}/v2/app/blobs/uploads/abc"

    def lead(request: Request, right: Response) -> Response:
        return replace(right, headers={**right.headers, "Location": away})

    liar.fault(method, "/uploads/", lead if method != "PUT" else fault.redirect(away))
    data = bytes(3000)
    claim = Descriptor("application/octet-stream", sha256(data), len(data))
    with (
        client(liar, replace(NETWORK, upload_chunk=1000)) as registry,
        pytest.raises(NavicertError) as caught,
    ):
        registry.push_blob("app", claim, lambda: iter([data]))
    assert caught.value.path == f"{liar.name}/app@{claim.digest}"
    assert witness.seen == ()


@pytest.mark.parametrize("where", ["/tags/", "/referrers/"])
def test_a_list_that_goes_on_at_another_host(liar: LoopbackRegistry, witness: LoopbackRegistry, where: str):
    root = liar.add_image("app", "v1")
    liar.fault("GET", where, fault.header("Link", f'<http://localhost:{witness.port}{where}>; rel="next"'))
    with client(liar) as registry, pytest.raises(Refused, match="another host"):
        registry.tags("app") if where == "/tags/" else registry.referrers("app", root.digest)
    assert witness.seen == ()


def test_a_list_that_is_redirected_is_no_list(liar: LoopbackRegistry, witness: LoopbackRegistry):
    # GHCR has answered so: a redirect to a web page where the list of referrers should be.
    root = liar.add_image("app", "v1")
    liar.fault("GET", "/referrers/", fault.redirect(f"http://127.0.0.1:{witness.port}/page", 303))
    with client(liar) as registry, pytest.raises(Unavailable, match="answers 303"):
        registry.referrers("app", root.digest)
    assert witness.seen == ()


# --- who is shown a password ----------------------------------------------------------------------------------------


def test_a_token_service_on_a_foreign_host(witness: LoopbackRegistry):
    login = Login({"user": "hunter2"}, bearer=True, realm=f"http://localhost:{witness.port}/token")
    with LoopbackRegistry(login=login) as liar:
        liar.add_image("app", "v1")
        keychain = Single(liar.name, SECRET)
        with client(liar, keychain=keychain) as registry, pytest.raises(Refused, match="another's host") as caught:
            registry.manifest("app", "v1")
        assert caught.value.path == f"{liar.name}/app:v1"
        assert f"localhost:{witness.port}" in str(caught.value)
        assert SECRET.password not in str(caught.value)
    assert witness.seen == ()


def test_a_token_service_on_a_foreign_host_that_the_user_allows():
    login = Login({"user": "hunter2"}, bearer=True)
    with LoopbackRegistry(login=login) as issuer:
        realm = f"localhost:{issuer.port}"
        with LoopbackRegistry(login=replace(login, realm=f"http://{realm}/token")) as registry:
            registry.add_image("app", "v1")
            keychain = Single(registry.name, SECRET)
            with client(registry, keychain=keychain, realms=frozenset({realm})) as reached:
                assert not isinstance(reached.manifest("app", "v1"), Missing)


def test_a_foreign_token_service_gets_no_password_that_is_not_there():
    login = Login({"user": "hunter2"}, bearer=True, pull=True)
    with LoopbackRegistry(login=login) as issuer:
        realm = f"http://localhost:{issuer.port}/token"
        with LoopbackRegistry(login=replace(login, realm=realm)) as registry:
            registry.add_image("app", "v1")
            with client(registry) as reached:
                assert not isinstance(reached.manifest("app", "v1"), Missing)
        assert secrets_in(issuer) == []


def test_a_token_service_without_tls(tls: Certificates, witness: LoopbackRegistry):
    login = Login({"user": "hunter2"}, bearer=True, realm=f"{witness.url}/token")
    with LoopbackRegistry(login=login, tls=tls.context()) as liar:
        access = Access(Single(liar.name, SECRET), ca_file=str(tls.authority))
        with Registry(liar.name, access) as registry, pytest.raises(Refused, match="without TLS"):
            registry.manifest("app", "v1")
    assert witness.seen == ()


def test_a_token_service_that_redirects(witness: LoopbackRegistry):
    with LoopbackRegistry(login=Login({"user": "hunter2"}, bearer=True)) as liar:
        liar.fault("GET", "^/token", fault.redirect(f"http://127.0.0.1:{witness.port}/token"))
        keychain = Single(liar.name, SECRET)
        with (
            client(liar, keychain=keychain) as registry,
            pytest.raises(Unavailable, match=r"token service .* answers 307"),
        ):
            registry.manifest("app", "v1")
    assert witness.seen == ()


def test_a_registry_that_asks_for_more_than_is_to_be_done():
    """The scope in a challenge is the registry's wish; only what we are about to do is asked for."""
    with LoopbackRegistry(login=Login({"user": "hunter2"}, bearer=True)) as liar:
        greedy = f'Bearer realm="{liar.url}/token",scope="repository:private:pull,push,delete registry:catalog:*"'
        liar.add_image("app", "v1")
        liar.fault(
            "GET", "/manifests/", lambda request, right: replace(right, headers={"WWW-Authenticate": greedy}), times=1
        )
        with client(liar, keychain=Single(liar.name, SECRET)) as registry:
            registry.manifest("app", "v1")
        (asked,) = [one.path for one in liar.seen if one.path.startswith("/token")]
        assert "private" not in asked
        assert "push" not in asked


def test_the_password_of_one_registry_is_not_shown_to_another(witness: LoopbackRegistry):
    # CVE-2025-27403: whatever registry an image named was shown the token.
    with LoopbackRegistry(login=Login({"user": "hunter2"})) as other:
        with client(other, keychain=Single(witness.name, SECRET)) as registry, pytest.raises(Refused):
            registry.manifest("app", "v1")
        assert secrets_in(other) == []


@pytest.mark.parametrize("token", ["a b", "a\\r\\nX-Evil: 1", "", "ä", 'a\\"b'])
def test_a_token_that_would_be_more_than_a_header(token: str):
    with LoopbackRegistry(login=Login({"user": "hunter2"}, bearer=True)) as liar:
        liar.fault("GET", "^/token", fault.other_bytes(f'{{"token": "{token}"}}'.encode()))
        keychain = Single(liar.name, SECRET)
        with client(liar, keychain=keychain) as registry, pytest.raises(Malformed, match="no token") as caught:
            registry.manifest("app", "v1")
        assert caught.value.path.startswith(f"{liar.name}/app:v1")


def test_an_endless_token():
    with LoopbackRegistry(login=Login({"user": "hunter2"}, bearer=True)) as liar:
        liar.fault("GET", "^/token", fault.endless())
        keychain = Single(liar.name, SECRET)
        with client(liar, keychain=keychain) as registry, pytest.raises(LimitExceeded, match="limit token_bytes"):
            registry.manifest("app", "v1")


def test_insecure_access_to_another_machine(witness: LoopbackRegistry):
    with (
        Registry("93.184.216.34", Access(Single("93.184.216.34", SECRET), insecure=True)) as registry,
        pytest.raises(Refused, match="registries on this machine only"),
    ):
        registry.manifest("app", "v1")


def test_plain_http_is_never_spoken_unasked(liar: LoopbackRegistry):
    with (
        Registry(liar.name, Access(Single(liar.name, SECRET)), replace(NETWORK, attempts=1)) as registry,
        pytest.raises(Unavailable),
    ):
        registry.manifest("app", "v1")
    assert secrets_in(liar) == []
    assert liar.seen == ()


# --- what is attached -------------------------------------------------------------------------------------------------


def many(count: int) -> Fault:
    """A list of so many referrers."""
    entries = [
        {"mediaType": media.OCI_MANIFEST, "digest": f"sha256:{number:064x}", "size": 2} for number in range(count)
    ]
    body = json.dumps({"schemaVersion": 2, "mediaType": media.OCI_INDEX, "manifests": entries}).encode()
    return lambda request, right: Response(200, {"Content-Type": media.OCI_INDEX}, body)


def test_ten_thousand_referrers_at_once(liar: LoopbackRegistry):
    root = liar.add_image("app", "v1")
    liar.fault("GET", "/referrers/", many(10_000))
    with client(liar) as registry, pytest.raises(LimitExceeded, match="limit referrers") as caught:
        find_attached(Repository(registry, "app"), [root.digest])
    assert caught.value.path == f"{liar.name}/app@{root.digest} (referrers)"
    assert liar.count("GET", "/blobs/") == 0


def test_ten_thousand_referrers_page_by_page():
    with LoopbackRegistry(Behaviour(page=100)) as liar:
        root = liar.add_image("app", "v1")
        for number in range(10_000):
            liar.add_artifact("app", str(number).encode(), "text/plain", subject=root)
        with client(liar) as registry, pytest.raises(LimitExceeded, match="limit referrers"):
            find_attached(Repository(registry, "app"), [root.digest])
        assert liar.count() < 2 + NETWORK.referrers / 100 + 2


def test_ten_thousand_referrers_under_the_fallback_tag():
    with LoopbackRegistry(Behaviour(referrers=False)) as liar:
        root = liar.add_image("app", "v1")
        tag = subject_tag(root.digest)
        liar.add_manifest("app", b"{}", media.OCI_INDEX, tag=tag)
        liar.fault("GET", f"/manifests/{tag}", many(10_000))
        with client(liar) as registry, pytest.raises(LimitExceeded, match="limit referrers"):
            find_attached(Repository(registry, "app"), [root.digest])


def test_ten_thousand_tags_on_one_image():
    with LoopbackRegistry(Behaviour(referrers=False)) as liar:
        root = liar.add_image("app", "v1")
        for number in range(10_000):
            liar.contents["app"].tags[f"{subject_tag(root.digest)}.nav-{number:016x}"] = str(root.digest)
        with client(liar) as registry, pytest.raises(LimitExceeded, match="limit referrers"):
            find_attached(Repository(registry, "app"), [root.digest])
        assert liar.count("GET", "/manifests/") == 0


@pytest.mark.parametrize("where", ["/tags/", "/referrers/"])
def test_a_list_that_never_ends(liar: LoopbackRegistry, where: str):
    root = liar.add_image("app", "v1")

    def again(request: Request, right: Response) -> Response:
        return replace(right, headers={**right.headers, "Link": f'<{request.path}>; rel="next"'})

    liar.fault("GET", where, again)
    limits = replace(NETWORK, registry_pages=20)
    with client(liar, limits) as registry, pytest.raises(LimitExceeded, match="limit registry_pages"):
        registry.tags("app", prefix="w") if where == "/tags/" else registry.referrers("app", root.digest)
    assert liar.count("GET", where) == 20


def test_an_index_that_refers_to_itself(liar: LoopbackRegistry):
    """No index can hold its own digest, so one that seems to is served under a false one."""
    digest = sha256(b"some digest")
    raw = b""
    for _ in range(3):  # until the size that it states is its own
        entry = {"mediaType": media.OCI_INDEX, "digest": str(digest), "size": len(raw)}
        raw = json.dumps({"schemaVersion": 2, "mediaType": media.OCI_INDEX, "manifests": [entry]}).encode()
    liar.repository("app").manifests[str(digest)] = (media.OCI_INDEX, raw)
    liar.repository("app").tags["v1"] = str(digest)
    liar.fault("GET", "/manifests/v1", lambda request, right: replace(right, headers={"Content-Type": media.OCI_INDEX}))
    with client(liar) as registry:
        with pytest.raises(Malformed, match="other bytes than asked for"):
            resolve(registry, digest)
        with pytest.raises(Malformed, match="another digest"):
            resolve(registry, "v1").image()
    assert liar.count("GET", "/manifests/") < 10


def test_indexes_inside_indexes_without_end(liar: LoopbackRegistry, tmp_path: Path):
    inner = liar.add_index("app", {})
    for _ in range(20):
        inner = liar.add_index("app", {}, more=(inner.to_json(),))
    with client(liar) as registry, pytest.raises(LimitExceeded, match="limit index_depth"):
        resolve(registry, inner.digest).image()
    with client(liar) as registry, pytest.raises(LimitExceeded, match="limit index_depth"):
        download(registry, inner.digest, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_bad_attachment_hides_no_good_one(liar: LoopbackRegistry):
    root = liar.add_image("app", "v1")
    good = liar.add_artifact("app", b"good", "application/vnd.in-toto+json", subject=root)
    swapped = liar.add_artifact("app", b"swapped", "application/vnd.in-toto+json", subject=root)
    liar.contents["app"].blobs[str(sha256(b"swapped"))] = b"exchang"
    gone = liar.add_artifact("app", b"gone", "application/vnd.in-toto+json", subject=root)
    del liar.contents["app"].blobs[str(sha256(b"gone"))]
    lying = liar.add_artifact("app", b"lying", "application/vnd.in-toto+json", subject=root)
    media_type, raw = liar.contents["app"].manifests[str(lying.digest)]
    liar.contents["app"].manifests[str(lying.digest)] = (media_type, raw + b" ")
    huge = liar.add_blob("app", b"huge", "application/vnd.in-toto+json")
    body = {
        "schemaVersion": 2,
        "config": liar.add_blob("app", b"{}", media.EMPTY).to_json(),
        "layers": [huge.to_json() | {"size": 10**15}],
        "subject": root.to_json(),
    }
    liar.add_manifest("app", body)
    with client(liar) as registry:
        found = find_attached(Repository(registry, "app"), [root.digest]).attachments
    assert [(one.manifest, one.raw) for one in found if not one.problem] == [(good.digest, b"good")]
    problems = {one.manifest: one.problem for one in found if one.problem}
    assert "another digest" in problems[swapped.digest]
    assert "missing" in problems[gone.digest]
    assert "other bytes" in problems[lying.digest]
    assert any("limit attachment_bytes" in problem for problem in problems.values())
    assert len(problems) == 4


def test_more_than_can_be_read_is_attached(liar: LoopbackRegistry):
    root = liar.add_image("app", "v1")
    for number in range(10):
        liar.add_artifact("app", bytes([number]) * 1000, "application/vnd.in-toto+json", subject=root)
    with client(liar, replace(NETWORK, attached_bytes=3500)) as registry:
        found = find_attached(Repository(registry, "app"), [root.digest]).attachments
    assert len(found) == 10
    assert sum(one.raw is not None for one in found) == 3
    assert sum("limit attached_bytes" in one.problem for one in found) == 7


def test_an_entry_that_nobody_understands_hides_no_other(liar: LoopbackRegistry):
    root = liar.add_image("app", "v1")
    liar.add_artifact("app", b"good", "application/vnd.in-toto+json", subject=root)

    def spoil(request: Request, right: Response) -> Response:
        assert isinstance(right.body, bytes)
        body = json.loads(right.body)
        body["manifests"].insert(0, {"mediaType": media.OCI_MANIFEST, "digest": "sha256:short", "size": "big"})
        return replace(right, body=json.dumps(body).encode())

    liar.fault("GET", "/referrers/", spoil)
    with client(liar) as registry:
        found = find_attached(Repository(registry, "app"), [root.digest]).attachments
    assert [one.raw for one in found] == [b"good", None]
    assert found[1].problem


# --- "none found" is never what an error means ------------------------------------------------------------------------


@pytest.mark.parametrize("code", [401, 403, 429, 500, 502, 503, 504, 400, 405, 418, 303])
@pytest.mark.parametrize("where", ["/referrers/", "/tags/", "/manifests/sha256-"])
def test_an_error_is_not_an_empty_list(where: str, code: int):
    served = where == "/referrers/"
    with LoopbackRegistry(Behaviour(referrers=served)) as liar:
        root = liar.add_image("app", "v1")
        liar.contents["app"].tags[subject_tag(root.digest)] = str(root.digest)
        liar.fault("GET", where, fault.status(code))
        with client(liar) as registry, pytest.raises(NavicertError) as caught:
            find_attached(Repository(registry, "app"), [root.digest])
    expected = Refused if code in (401, 403) else Unavailable
    assert type(caught.value) is expected
    assert caught.value.path.startswith(f"{liar.name}/app")
    if expected is Refused:
        assert "log in" in caught.value.remedy


def test_a_list_of_tags_that_may_not_be_seen_is_not_needed_beside_the_referrers_api(liar: LoopbackRegistry):
    root = liar.add_image("app", "v1")
    liar.add_artifact("app", b"good", "application/vnd.in-toto+json", subject=root)
    liar.fault("GET", "/tags/", fault.status(403))
    with client(liar) as registry:
        found = find_attached(Repository(registry, "app"), [root.digest])
    assert [one.raw for one in found.attachments] == [b"good"]
    assert any(asked.place.startswith("tags ") and asked.answer == "not served" for asked in found.asked)


def test_a_web_page_is_not_an_empty_list(liar: LoopbackRegistry):
    root = liar.add_image("app", "v1")
    page = Response(200, {"Content-Type": "text/html"}, b"<html>log in</html>")
    liar.fault("GET", "/referrers/", lambda request, right: page)
    with client(liar) as registry, pytest.raises(Unavailable, match="no list of referrers"):
        find_attached(Repository(registry, "app"), [root.digest])
