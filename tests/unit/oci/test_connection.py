"""What holds for every connection, whoever makes it."""

from __future__ import annotations

import ast
import re
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from tests.registry_server import Certificates, make_certificates

import navicert
from navicert.errors import Malformed, Refused, Unavailable
from navicert.limits import NETWORK
from navicert.oci.access import Access
from navicert.oci.exchange import Missing
from navicert.oci.proxy import Proxies
from navicert.oci.registry import Registry
from navicert.testing.registry import LoopbackRegistry

SOURCES = Path(navicert.__file__).parent
PAGE = SOURCES.parents[1] / "docs" / "reference" / "registries.md"


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("tls"))


def test_one_module_opens_connections():
    importing = [
        path.name
        for path in SOURCES.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Import) and {alias.name for alias in node.names} & {"httpx2", "httpcore2"}
    ]
    assert set(importing) == {"connection.py"}


def test_the_http_library_is_not_loaded_before_a_registry_is_spoken_to():
    code = (
        "import sys, navicert.oci.registry, navicert.oci.remote, navicert.oci.referrers, navicert.oci.attachment, "
        "navicert.oci.transfer; print([m for m in ('httpx2', 'httpcore2', 'ssl') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "httpx2" not in done.stdout
    assert "httpcore2" not in done.stdout


def test_the_limits_in_the_documentation_are_those_of_the_program():
    rows = re.findall(r"^\| `(\w+)` \| ([0-9]+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) > 15
    assert {name: int(value) for name, value in rows} == {name: getattr(NETWORK, name) for name, _ in rows}


def test_nothing_is_taken_from_the_environment(tls: Certificates, monkeypatch: pytest.MonkeyPatch):
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("SSL_CERT_FILE", str(tls.authority))
    with LoopbackRegistry(tls=tls.context()) as server:
        with Registry(server.name, Access(), NETWORK) as registry, pytest.raises(Unavailable, match="not trusted"):
            registry.manifest("app", "v1")
        with Registry(server.name, Access(ca_file=str(tls.authority))) as registry:
            assert isinstance(registry.manifest("app", "v1"), Missing)


def test_a_certificate_for_another_name_is_not_trusted(tls: Certificates, monkeypatch: pytest.MonkeyPatch):
    import socket

    lookup = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, port, *rest, **options: lookup("127.0.0.1", port, *rest, **options)
    )
    with (
        LoopbackRegistry(tls=tls.context()) as server,
        Registry(f"r.example:{server.port}", Access(ca_file=str(tls.authority))) as registry,
        pytest.raises(Unavailable, match="not trusted"),
    ):
        registry.manifest("app", "v1")


@pytest.mark.parametrize(("content", "problem"), [(None, "no such file"), (b"nonsense", "not CA certificates")])
def test_a_file_of_authorities_that_is_none_is_named(tmp_path: Path, content: bytes | None, problem: str):
    path = tmp_path / "authority.pem"
    if content is not None:
        path.write_bytes(content)
    with (
        Registry("127.0.0.1:1", Access(ca_file=str(path))) as registry,
        pytest.raises(Malformed, match=problem) as caught,
    ):
        registry.manifest("app", "v1")
    assert caught.value.path == str(path)


class _Proxy(BaseHTTPRequestHandler):
    """Notes what it is asked for, and connects nobody."""

    asked: list[tuple[str, str | None]]

    def do_CONNECT(self) -> None:
        self.asked.append((self.path, self.headers.get("Proxy-Authorization")))
        self.send_error(502)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def proxy() -> Iterator[tuple[str, list[tuple[str, str | None]]]]:
    handler = type("Handler", (_Proxy,), {"asked": []})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"127.0.0.1:{server.server_port}", handler.asked  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_proxy_is_used_with_its_password_and_names_are_left_to_it(proxy: tuple[str, list[tuple[str, str | None]]]):
    place, asked = proxy
    access = Access(proxies=Proxies(f"http://user:hunter2@{place}"))
    with (
        Registry("registry.invalid", access, wait=lambda seconds: None) as registry,
        pytest.raises(Unavailable) as caught,
    ):
        registry.manifest("app", "v1")
    assert set(asked) == {("registry.invalid:443", "Basic dXNlcjpodW50ZXIy")}
    assert "hunter2" not in str(caught.value)
    assert caught.value.path == "registry.invalid/app:v1"


def test_a_proxy_is_not_asked_for_an_address_that_nobody_may_be_sent_to(
    proxy: tuple[str, list[tuple[str, str | None]]]
):  # fmt: skip
    place, asked = proxy
    access = Access(proxies=Proxies(f"http://{place}"))
    with Registry("169.254.169.254", access) as registry, pytest.raises(Refused, match="not a place to be sent to"):
        registry.manifest("app", "v1")
    assert asked == []


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_1])
def test_old_versions_of_tls_are_not_spoken(tls: Certificates, version: ssl.TLSVersion):
    import warnings

    context = tls.context()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = version
    with (
        LoopbackRegistry(tls=context) as server,
        Registry(server.name, Access(ca_file=str(tls.authority)), wait=lambda seconds: None) as registry,
        pytest.raises(Unavailable),
    ):
        registry.manifest("app", "v1")
    assert server.seen == ()
