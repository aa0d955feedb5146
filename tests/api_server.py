"""The side of an API server that calls webhooks, for tests: it asks and judges answers exactly as the real one does.

HTTPS with HTTP/1.1 and keep-alive, the server's name checked against that of its Service, the time limit in the query;
an answer that the real one would take for a failed call raises `CallFailed`, with the same reason.
Spec: k8s.io/apiserver, `pkg/admission/plugin/webhook/{validating,mutating}/dispatcher.go` and
`pkg/admission/plugin/webhook/request/admissionreview.go` (VerifyAdmissionResponse).
"""

from __future__ import annotations

import base64
import http.client
import json
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.certificate_authority import by_the_letter

from navicert.dataclass import dataclass, field

SERVICE = "in-toto-webhook.security.svc"
"""The name of the Service in the configuration of the documents that this project was asked for by."""


class CallFailed(Exception):
    """The webhook gave no answer that counts: what happens next is up to `failurePolicy`."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the API server makes of a good answer."""

    allowed: bool
    message: str = ""
    code: int = 200
    warnings: tuple[str, ...] = ()
    annotations: dict[str, str] = field(default_factory=dict)
    patched: Any = None
    """The object with the patch applied; None where there was none."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @staticmethod
    def new(name: str = "ca") -> Authority:
        """One of its own."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        return Authority(key, _certificate(subject, key, subject, key, authority=True, days=365, names=()))

    @property
    def bundle(self) -> str:
        """Its certificate in PEM, as a `caBundle`."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def issue(self, folder: Path, *names: str, days: int = 90) -> tuple[Path, Path]:
        """A certificate for `names` and its key, as files in `folder` that change at once."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "webhook")])
        leaf = _certificate(
            subject, key, self.certificate.subject, self.key, authority=False, days=days, names=names or (SERVICE,)
        )
        folder.mkdir(parents=True, exist_ok=True)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        files = folder / "tls.crt", folder / "tls.key"
        for path, raw in zip(files, (leaf.public_bytes(serialization.Encoding.PEM), private), strict=True):
            path.with_suffix(".new").write_bytes(raw)
            path.with_suffix(".new").replace(path)
        return files


def _certificate(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    signing: ec.EllipticCurvePrivateKey,
    *,
    authority: bool,
    days: int,
    names: tuple[str, ...],
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    builder = by_the_letter(builder, key.public_key(), signing.public_key(), authority=authority)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False)
    return builder.sign(signing, hashes.SHA256())


class ApiServer:
    """Calls the webhook at `port` of this machine as the Service `service`, trusting the authorities in `bundle`."""

    def __init__(self, port: int, bundle: str, service: str = SERVICE) -> None:
        self._port = port
        self._service = service
        self._connection: http.client.HTTPSConnection | None = None
        self.trust(bundle)

    def trust(self, bundle: str) -> None:
        """From now on trust these authorities, for new connections."""
        self._context = ssl.create_default_context(cadata=bundle)
        self._context.set_alpn_protocols(["http/1.1"])

    def show(self, certificate: Path, key: Path) -> None:
        """From now on show this certificate, on new connections."""
        self._context.load_cert_chain(certificate, key)
        self.close()

    def certificate(self) -> x509.Certificate:
        """What a new connection is shown."""
        with (
            socket.create_connection(("127.0.0.1", self._port), 10) as plain,
            self._context.wrap_socket(plain, server_hostname=self._service) as secured,
        ):
            raw = secured.getpeercert(binary_form=True)
        assert raw is not None
        return x509.load_der_x509_certificate(raw)

    def __enter__(self) -> ApiServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def get(self, path: str) -> tuple[int, str]:
        """Status and text of a GET on a connection of its own, as probes make them."""
        self.close()
        connection = self._connect()
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read().decode()
        self.close()
        return answer.status, text

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def validate(self, review: Any, *, seconds: int = 10, path: str = "/verify") -> Outcome:
        """What a validating webhook's answer comes to. Raises `CallFailed`."""
        response = self._call(review, path, seconds)
        if "patch" in response or "patchType" in response:
            raise CallFailed("a validating webhook may not return response.patch or response.patchType")
        return _outcome(response, None)

    def mutate(self, review: Any, *, seconds: int = 10, path: str = "/mutate") -> Outcome:
        """What a mutating webhook's answer comes to, its patch applied. Raises `CallFailed`."""
        response = self._call(review, path, seconds)
        patch, kind = response.get("patch"), response.get("patchType")
        if (patch is None) != (kind is None) or kind not in (None, "JSONPatch"):
            raise CallFailed(f"webhook returned response.patch with patchType {kind!r}")
        if patch is None:
            return _outcome(response, None)
        if review["request"]["operation"] == "DELETE":
            raise CallFailed("a patch of an object that is being deleted")
        changed = json.loads(json.dumps(review["request"]["object"]))
        for operation in json.loads(base64.b64decode(patch, validate=True)):
            _apply(changed, operation)
        return _outcome(response, changed)

    def send(self, raw: bytes, path: str = "/verify", seconds: int = 10) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the answer to any bytes."""
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json, */*",
            "Accept-Encoding": "gzip",
            "User-Agent": "kube-apiserver-admission",
        }
        for again in (True, False):
            fresh = self._connection is None
            connection = self._connection or self._connect()
            try:
                connection.request("POST", f"{path}?timeout={seconds}s", raw, headers)
                answer = connection.getresponse()
                body = answer.read()
            except (ConnectionError, http.client.HTTPException, TimeoutError, ssl.SSLError) as error:
                self.close()
                # As Go's transport does: a kept connection that turns out to be closed is replaced once.
                if again and not fresh and not isinstance(error, TimeoutError):
                    continue
                raise CallFailed(f"failed calling webhook: {type(error).__name__}: {error}") from error
            found = {name.lower(): value for name, value in answer.getheaders()}
            if found.get("connection", "").lower() == "close":
                self.close()
            return answer.status, found, body
        raise AssertionError

    def _connect(self) -> http.client.HTTPSConnection:
        connection = http.client.HTTPSConnection("127.0.0.1", self._port, timeout=30, context=self._context)
        plain = socket.create_connection(("127.0.0.1", self._port), 10)
        plain.settimeout(30)
        # As Go's client does: a body that waits for the acknowledgement of its headers is late by 40 ms.
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            connection.sock = self._context.wrap_socket(plain, server_hostname=self._service)
        except ssl.SSLError as error:
            plain.close()
            raise CallFailed(f"failed calling webhook: {error}") from error
        self._connection = connection
        return connection

    def _call(self, review: Any, path: str, seconds: int) -> dict[str, Any]:
        status, headers, body = self.send(json.dumps(review).encode(), path, seconds)
        if status != 200:
            raise CallFailed(f"the server answered {status}")
        if not headers.get("content-type", "").startswith("application/json"):
            raise CallFailed(f"content type {headers.get('content-type')}")
        answer = json.loads(body)
        if (answer.get("apiVersion"), answer.get("kind")) != ("admission.k8s.io/v1", "AdmissionReview"):
            raise CallFailed("expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview")
        response = answer.get("response")
        if not isinstance(response, dict):
            raise CallFailed("webhook response was absent")
        if response.get("uid") != review["request"]["uid"]:
            raise CallFailed(f"expected response.uid={review['request']['uid']!r}, got {response.get('uid')!r}")
        if not isinstance(response.get("allowed"), bool):
            raise CallFailed("response.allowed is no boolean")
        return response


def _outcome(response: dict[str, Any], patched: Any) -> Outcome:
    unknown = response.keys() - {"uid", "allowed", "status", "patch", "patchType", "auditAnnotations", "warnings"}
    assert not unknown, f"fields that AdmissionResponse does not have: {unknown}"
    annotations = response.get("auditAnnotations", {})
    assert all(isinstance(text, str) for text in annotations.values())
    warnings = _warnings(response.get("warnings", []))
    if response["allowed"]:
        return Outcome(True, "", 200, warnings, annotations, patched)
    status = response.get("status", {})
    code = max(400, int(status.get("code", 0)))
    message = f'admission webhook "verify.in-toto.io" denied the request: {status.get("message", "")}'
    return Outcome(False, message, code, warnings, annotations, None)


def _warnings(found: list[str]) -> tuple[str, ...]:
    """As the API server hands them on: each once, and cut where all together are long."""
    kept = list(dict.fromkeys(found))
    if sum(map(len, kept)) > 4096:
        kept = [text[:256] for text in kept]
    return tuple(kept)


def _apply(document: Any, operation: dict[str, Any]) -> None:
    """One operation of RFC 6902, as far as webhooks use them."""
    *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
    node = document
    for part in parents:
        node = node[int(part)] if isinstance(node, list) else node[part]
    if operation["op"] not in ("add", "replace"):
        raise CallFailed(f"operation {operation['op']}")
    if operation["op"] == "replace" and isinstance(node, dict) and last not in node:
        raise CallFailed(f"replace operation does not apply: doc is missing key: {operation['path']}")
    node[int(last) if isinstance(node, list) else last] = operation["value"]
