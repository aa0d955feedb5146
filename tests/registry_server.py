"""Starts Debian's docker-registry on loopback, plain or with TLS and passwords, and makes certificates for tests."""

from __future__ import annotations

import datetime
import ipaddress
import json
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import bcrypt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from navicert.oci.access import Access
from navicert.oci.credential import Anonymous, Credential, Single


@dataclass(frozen=True)
class Certificates:
    """A certificate authority, and a server's certificate for 127.0.0.1 and localhost signed by it."""

    authority: Path
    certificate: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """What a server needs."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


def make_certificates(folder: Path) -> Certificates:
    """Writes an authority and a server's certificate into `folder`."""
    now = datetime.datetime.now(datetime.UTC)

    def build(subject: str, issuer: str, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=2))
        )

    authority_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = (
        build("test authority", "test authority", authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    names = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
    certificate = (
        build("registry", "test authority", server_key.public_key())
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    folder.mkdir(parents=True, exist_ok=True)
    made = Certificates(folder / "authority.pem", folder / "server.pem", folder / "server.key")
    made.authority.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    made.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    made.key.write_bytes(
        server_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return made


@dataclass(frozen=True)
class RunningRegistry:
    """A docker-registry that answers at `name`, and how it is reached."""

    name: str
    access: Access
    storage: Path


@contextmanager
def docker_registry(
    program: Path, folder: Path, *, tls: Certificates | None = None, user: str = "", password: str = ""
) -> Iterator[RunningRegistry]:
    """A docker-registry with its storage in `folder`, on a free port, until the end of the block."""
    folder.mkdir(parents=True, exist_ok=True)
    for _ in range(5):  # between choosing a free port and using it somebody else may take it
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        process = _start(program, folder, port, tls, user, password)
        try:
            if _answers(port, process):
                name = f"127.0.0.1:{port}"
                keychain = Single(name, Credential(user, password)) if user else Anonymous()
                access = Access(keychain, str(tls.authority) if tls else "", insecure=tls is None)
                yield RunningRegistry(name, access, folder / "storage")
                return
        finally:
            process.terminate()
            process.wait(timeout=20)
    raise AssertionError((folder / "log").read_text())


def _start(
    program: Path, folder: Path, port: int, tls: Certificates | None, user: str, password: str
) -> subprocess.Popen[bytes]:
    config: dict[str, object] = {
        "version": "0.1",
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(folder / "storage")}, "delete": {"enabled": True}},
        "http": {"addr": f"127.0.0.1:{port}"},
    }
    if tls:
        config["http"] = {
            "addr": f"127.0.0.1:{port}",
            "tls": {"certificate": str(tls.certificate), "key": str(tls.key)},
        }
    if user:
        hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()
        (folder / "htpasswd").write_text(f"{user}:{hashed}\n")
        config["auth"] = {"htpasswd": {"realm": "test", "path": str(folder / "htpasswd")}}
    (folder / "config.yml").write_text(json.dumps(config))  # JSON is YAML
    with (folder / "log").open("wb") as log:
        return subprocess.Popen([program, "serve", folder / "config.yml"], stdout=log, stderr=log, cwd=folder)


def _answers(port: int, process: subprocess.Popen[bytes]) -> bool:
    for _ in range(300):
        if process.poll() is not None:
            return False
        try:
            with socket.create_connection(("127.0.0.1", port), 1):
                return True
        except OSError:
            time.sleep(0.05)
    return False
