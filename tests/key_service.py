"""Key services on loopback, for tests: they speak as the real ones do and sign correctly, or wrongly in a known way.

Only what a signer asks for is there. The clients are the real ones of each service, so that nothing but the far end is
imitated. Every signature is made over the digest that was sent.
"""

from __future__ import annotations

import base64
import datetime
import json
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

HASHES: dict[str, hashes.HashAlgorithm] = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}


def pem(private: Any) -> bytes:
    """The public half, as a file."""
    raw: bytes = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return raw


class Service:
    """What all of them have: the key that is shown, the one that signs, and what was asked for."""

    def __init__(self, shown: Any, signing: Any = None) -> None:
        self.shown, self.signing = shown, signing or shown
        self.asked: list[str] = []
        self.denied = False
        """Whether nobody may sign."""
        self.garbage = False
        """Whether it answers a request to sign with something else."""
        self.silent = threading.Event()
        """While it is set nothing is answered."""
        self.url = ""

    def answer(self, method: str, path: str, headers: Any, body: bytes) -> tuple[int, dict[str, object], Any]:
        """Status, headers and JSON of the answer."""
        raise NotImplementedError


class AwsKms(Service):
    """AWS KMS: the actions GetPublicKey and Sign. Spec: AWS KMS API reference."""

    def answer(self, method: str, path: str, headers: Any, body: bytes) -> tuple[int, dict[str, object], Any]:
        action, asked = headers["X-Amz-Target"].removeprefix("TrentService."), json.loads(body)
        self.asked.append(action)
        if asked["KeyId"] not in ("alias/release", "1234abcd-12ab-34cd-56ef-1234567890ab"):
            return 400, {}, {"__type": "NotFoundException", "message": f"Alias {asked['KeyId']} is not found."}
        if action == "GetPublicKey":
            spki = self.shown.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            return 200, {}, {"PublicKey": _b64(spki), "SigningAlgorithms": self._algorithms()}
        if self.denied:
            return 400, {}, {"__type": "AccessDeniedException", "message": "not authorized to perform: kms:Sign"}
        assert asked["MessageType"] == "DIGEST"
        digest = base64.b64decode(asked["Message"])
        signature = b"\0" if self.garbage else self._sign(asked["SigningAlgorithm"], digest)
        return 200, {}, {"Signature": _b64(signature), "SigningAlgorithm": asked["SigningAlgorithm"]}

    def _algorithms(self) -> list[str]:
        if isinstance(self.shown, rsa.RSAPrivateKey):
            return [f"{name}_{bits}" for bits in HASHES for name in ("RSASSA_PKCS1_V1_5_SHA", "RSASSA_PSS_SHA")]
        return ["ECDSA_SHA_384" if self.shown.curve.key_size == 384 else "ECDSA_SHA_256"]

    def _sign(self, algorithm: str, digest: bytes) -> bytes:
        hashed = HASHES[algorithm[-3:]]
        if algorithm.startswith("ECDSA"):
            made: bytes = self.signing.sign(digest, ec.ECDSA(Prehashed(hashed)))
        elif "PSS" in algorithm:
            made = self.signing.sign(digest, padding.PSS(padding.MGF1(hashed), hashed.digest_size), Prehashed(hashed))
        else:
            made = self.signing.sign(digest, padding.PKCS1v15(), Prehashed(hashed))
        return made


class Vault(Service):
    """HashiCorp Vault: the Transit engine's keys of type ed25519. Spec: Vault HTTP API, transit."""

    newest = 2

    def answer(self, method: str, path: str, headers: Any, body: bytes) -> tuple[int, dict[str, object], Any]:
        self.asked.append(f"{method} {path}")
        if headers["X-Vault-Token"] != "s.token":
            return 403, {}, {"errors": ["permission denied"]}
        if path == "/v1/transit/keys/release":
            versions = {str(n): {"public_key": self._public()} for n in range(1, self.newest + 1)}
            return 200, {}, {"data": {"name": "release", "type": "ed25519", "keys": versions}}
        if not path.startswith("/v1/transit/sign/release") or self.denied:
            return 403, {}, {"errors": ["1 error occurred:\n\t* permission denied\n\n"]}
        asked = json.loads(body)
        made = self.signing.sign(base64.b64decode(asked["input"]))
        return 200, {}, {"data": {"signature": "?" if self.garbage else f"vault:v{asked['key_version']}:{_b64(made)}"}}

    def _public(self) -> str:
        if isinstance(self.shown, Ed25519PrivateKey):
            return _b64(self.shown.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
        return pem(self.shown).decode()


class Azure(Service):
    """Azure Key Vault `builds`, and the login that its clients go to. Spec: Key Vault REST API 7.x, keys."""

    version: ClassVar[str] = "0123456789abcdef0123456789abcdef"

    def answer(self, method: str, path: str, headers: Any, body: bytes) -> tuple[int, dict[str, object], Any]:
        host, path = headers["Host"].partition(":")[0], path.partition("?")[0]
        self.asked.append(f"{method} {host}{path}")
        if host == "login.microsoftonline.com":
            return 200, {}, self._login(path)
        if headers["Authorization"] != "Bearer fake-token":
            challenge = (
                'Bearer authorization="https://login.microsoftonline.com/t1", resource="https://vault.azure.net"'
            )
            return 401, {"WWW-Authenticate": challenge}, {}
        kid = f"https://builds.vault.azure.net/keys/release/{self.version}"
        if path.endswith("/sign"):
            if self.denied:
                return 403, {}, {"error": {"code": "Forbidden", "message": "no permission: keys/sign"}}
            asked = json.loads(body)
            digest = base64.urlsafe_b64decode(asked["value"] + "==")
            der = self.signing.sign(digest, ec.ECDSA(Prehashed(HASHES[asked["alg"][-3:]])))
            size = (self.signing.curve.key_size + 7) // 8
            raw = b"".join(number.to_bytes(size, "big") for number in decode_dss_signature(der))
            return 200, {}, {"kid": kid, "value": _url(b"" if self.garbage else raw)}
        if not path.startswith("/keys/release"):
            return 404, {}, {"error": {"code": "KeyNotFound", "message": "A key with this name was not found"}}
        return (
            200,
            {},
            {"key": {"kid": kid, "key_ops": ["sign", "verify"], **self._jwk()}, "attributes": {"enabled": True}},
        )

    def _login(self, path: str) -> dict[str, object]:
        base = "https://login.microsoftonline.com/t1"
        if path.endswith("/token"):
            return {"token_type": "Bearer", "expires_in": 3600, "access_token": "fake-token"}
        if path.endswith("/discovery/instance"):
            names = ["login.microsoftonline.com"]
            alias = {"preferred_network": names[0], "preferred_cache": names[0], "aliases": names}
            return {"tenant_discovery_endpoint": f"{base}/v2.0/.well-known/openid-configuration", "metadata": [alias]}
        return {
            "issuer": f"{base}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
        }

    def _jwk(self) -> dict[str, object]:
        numbers = self.shown.public_key().public_numbers()
        size = (self.shown.curve.key_size + 7) // 8
        x, y = (_url(number.to_bytes(size, "big")) for number in (numbers.x, numbers.y))
        return {"kty": "EC", "crv": f"P-{self.shown.curve.key_size}", "x": x, "y": y}


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


# --- servers -------------------------------------------------------------------------------------------------------


class _Handler(BaseHTTPRequestHandler):
    """Answers as `service` does; as a proxy it plays every host, or leads to `tunnel`."""

    protocol_version = "HTTP/1.1"
    service: Service
    tls: ssl.SSLContext | None = None
    tunnel: tuple[str, int] | None = None

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_CONNECT(self) -> None:
        """Open a tunnel to the server that is played here."""
        self.send_response(200)
        self.end_headers()
        if self.tunnel is not None:
            _relay(self.connection, self.tunnel)
            self.close_connection = True
            return
        assert self.tls is not None
        self.connection = self.tls.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", buffering=0)  # type: ignore[assignment]
        self.close_connection = False

    def finish(self) -> None:
        """Close what stands in the place of the connection, too."""
        super().finish()
        if isinstance(self.connection, ssl.SSLSocket):
            self.connection.close()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        while self.service.silent.is_set():
            threading.Event().wait(0.05)
        status, headers, document = self.service.answer(self.command, self.path, self.headers, body)
        raw = json.dumps(document).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": len(raw), **headers}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(raw)

    do_GET = do_POST = do_PUT = _answer  # noqa: N815


def _relay(left: socket.socket, address: tuple[str, int]) -> None:
    with socket.create_connection(address) as right:

        def copy(source: socket.socket, sink: socket.socket) -> None:
            try:
                while piece := source.recv(65536):
                    sink.sendall(piece)
                sink.shutdown(socket.SHUT_WR)
            except OSError:
                return  # one of them has gone

        back = threading.Thread(target=copy, args=(right, left), daemon=True)
        back.start()
        copy(left, right)
        back.join()


@contextmanager
def running(
    service: Service | None = None, tls: ssl.SSLContext | None = None, tunnel: tuple[str, int] | None = None
) -> Iterator[str]:
    """`service` on a free port of loopback, as an HTTP server and as a proxy to itself (or to `tunnel`): its URL."""
    handler = type("Handler", (_Handler,), {"service": service, "tls": tls, "tunnel": tunnel})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        if service is not None:
            service.silent.clear()
        server.shutdown()
        server.server_close()


def certificate_for(folder: Path, *names: str) -> tuple[Path, Path, Path]:
    """Files with a CA of the test's own, a certificate by it for a server of these `names`, and the server's key."""
    now = datetime.datetime.now(datetime.UTC)
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test CA")])

    def builder(subject: str, public: Any) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .issuer_name(issuer)
            .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)]))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
        )

    ca = builder("test CA", ca_key.public_key()).add_extension(x509.BasicConstraints(True, None), True)
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    ca = ca.add_extension(usage, True)
    ca = ca.add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), False)
    leaf = builder(names[0], key.public_key())
    leaf = leaf.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False)
    leaf = leaf.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), False)
    files = folder / "ca.pem", folder / "server.pem", folder / "server.key"
    files[0].write_bytes(ca.sign(ca_key, hashes.SHA256()).public_bytes(Encoding.PEM))
    files[1].write_bytes(leaf.sign(ca_key, hashes.SHA256()).public_bytes(Encoding.PEM))
    files[2].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


def clean_environment(**more: str) -> dict[str, str]:
    """The environment of a client that finds no credentials but those in `more`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "VAULT_", "AZURE_", "G"))}
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "no_proxy", "NO_PROXY", "ALL_PROXY"):
        kept.pop(name, None)
    return kept | {"AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1", "HOME": "/nowhere"} | more
