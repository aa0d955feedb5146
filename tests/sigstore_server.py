"""A private Sigstore that is served: Fulcio, Rekor of the second version and a timestamp authority on loopback."""

from __future__ import annotations

import base64
import http.server
import json
import threading
from datetime import UTC, datetime
from typing import Any

from cryptography import x509

from navicert.crypto import der
from navicert.testing.bundle import enter
from navicert.testing.sigstore import PrivateSigstore, pem


class SigstoreServer:
    """Serves `sigstore`. `asked` are the paths that were posted to; `damage` changes an answer by its path."""

    def __init__(self, sigstore: PrivateSigstore) -> None:
        self.sigstore = sigstore
        self.asked: list[str] = []
        self.tokens: list[str] = []
        self.damage: dict[str, Any] = {}
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:
                pass

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                owner.asked.append(self.path)
                if self.path == "/api/v2/signingCert":
                    owner.tokens.append(self.headers["Authorization"])
                answer = owner.answer(self.path, body)
                self.send_response(200 if answer is not None else 404)
                self.send_header("Content-Length", str(len(answer or b"")))
                self.end_headers()
                self.wfile.write(answer or b"")

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def answer(self, path: str, body: bytes) -> bytes | None:
        now = datetime.now(UTC).replace(microsecond=0)
        if path in self.damage:
            return self.damage[path](body)  # type: ignore[no-any-return]
        if path == "/api/v2/signingCert":
            request = x509.load_pem_x509_csr(base64.b64decode(json.loads(body)["certificateSigningRequest"]))

            class Holder:
                def public_key(self) -> Any:
                    return request.public_key()

            made = self.sigstore.certificate(Holder(), start=now)
            chain = [pem(made), pem(self.sigstore.between), pem(self.sigstore.ca)]
            return json.dumps({"signedCertificateEmbeddedSct": {"chain": {"certificates": chain}}}).encode()
        if path == "/api/v2/log/entries":
            asked = json.loads(body)["hashedRekordRequestV002"]
            data = {"algorithm": "SHA2_256", "digest": asked["digest"]}
            spec = {"hashedRekordV002": {"data": data, "signature": asked["signature"]}}
            entered = {"apiVersion": "0.0.2", "kind": "hashedrekord", "spec": spec}
            return json.dumps(enter(self.sigstore, entered, now, tiles=True)).encode()
        if path == "/timestamp":
            return self.sigstore.tsa.respond(b"", now, imprint=_imprint(body))
        return None

    def configuration(self) -> bytes:
        """What a client needs to know: where everything is, and whom to believe."""
        since = {"start": "2020-01-01T00:00:00Z"}

        def service(path: str, version: int) -> list[dict[str, Any]]:
            return [{"url": self.url + path, "majorApiVersion": version, "validFor": since, "operator": "test"}]

        return json.dumps(
            {
                "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
                "trustedRoot": self.sigstore.root(),
                "signingConfig": {
                    "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
                    "caUrls": service("", 1),
                    "oidcUrls": service("/oidc", 1),
                    "rekorTlogUrls": service("", 2),
                    "tsaUrls": service("/timestamp", 1),
                    "rekorTlogConfig": {"selector": "ANY"},
                    "tsaConfig": {"selector": "ANY"},
                },
            }
        ).encode()


def _imprint(request: bytes) -> bytes:
    """The digest that a timestamp is asked for. Spec: RFC 3161 §2.4.1."""
    reader = der.read_one(request, "request").elements("request")
    reader.next()
    imprint = reader.next().elements("imprint")
    imprint.next()
    return imprint.next().octets("imprint")
