"""The HTTP side of `LoopbackRegistry`: routes, authorization, faults.

Spec: OCI distribution-spec v1.1 "Endpoints" (end-1 to end-13).
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import parse_qs, parse_qsl, quote, unquote, urlsplit

from navicert.dataclass import replace
from navicert.oci import media
from navicert.testing.fault import Instead, Request, Response

if TYPE_CHECKING:
    import ssl

    from navicert.testing.registry import LoopbackRegistry

_NAME: Final = r"/v2/(?P<name>[a-z0-9._/-]+)"
_CODES: Final = {400: "DIGEST_INVALID", 401: "UNAUTHORIZED", 403: "DENIED", 404: "NAME_UNKNOWN", 405: "UNSUPPORTED"}


class Server:
    """Listens on a free port of 127.0.0.1 and answers for `registry`, each connection in a thread."""

    def __init__(self, registry: LoopbackRegistry, tls: ssl.SSLContext | None) -> None:
        self.tls = tls
        handler = type("Handler", (_Handler,), {"registry": registry})
        self._http = _Listener(("127.0.0.1", 0), handler)
        self._http.tls = tls
        self.port = int(self._http.server_address[1])
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def start(self) -> None:
        """Begins to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Ends; connections that are open are left to their threads."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    tls: ssl.SSLContext | None = None

    def finish_request(self, request: Any, client_address: Any) -> None:
        if self.tls is not None:
            # In the thread of the connection: a client that dallies over TLS must not hold up the others.
            request.settimeout(10)
            with self.tls.wrap_socket(request, server_side=True) as secured:
                super().finish_request(cast(Any, secured), client_address)
            return
        super().finish_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up, or do not like our certificate, are what tests are about."""


class _Handler(BaseHTTPRequestHandler):
    registry: LoopbackRegistry
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answers any request."""
        length = self.headers.get("Content-Length", "0")
        body = self.rfile.read(int(length)) if length.isdigit() else b""
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, query, headers, body)
        fault = self.registry.ordered_fault(request)
        if isinstance(fault, Instead):
            self._send(request, fault.response)
            return
        response = Routes(self.registry).answer(request, unquote(parts.path))
        self._send(request, response if fault is None else fault(request, response))

    do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815 – the names are the library's

    def _send(self, request: Request, response: Response) -> None:
        from navicert.testing.registry import Seen

        self.registry.note(Seen(request.method, request.path, request.headers, response.status))
        if not response.status:
            self.close_connection = True
            return
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        length = response.length
        if length is None and isinstance(response.body, bytes):
            length = len(response.body)
        if length is None or length < 0:
            self.send_header("Connection", "close")
            self.close_connection = True
        elif response.status != 204 and "Content-Length" not in response.headers:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        if request.method != "HEAD":
            for chunk in (response.body,) if isinstance(response.body, bytes) else response.body:
                self.wfile.write(chunk)
                self.wfile.flush()
        if response.broken:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the registry keeps its own log."""


class Routes:
    """The right answers."""

    def __init__(self, registry: LoopbackRegistry) -> None:
        self.registry = registry
        self.behaviour = registry.behaviour

    def answer(self, request: Request, path: str) -> Response:
        """The answer to `request` for the unescaped `path`."""
        if path == "/token":
            return self._token(request)
        for pattern, route in _ROUTES:
            found = re.fullmatch(pattern, path)
            if found is not None:
                denied = self._denied(request, found.groupdict().get("name") or "")
                with self.registry.lock:
                    return denied or route(self, request, found.groupdict())
        return _error(404, "no such endpoint")

    # --- authorization ---------------------------------------------------------------------------------------------

    def _denied(self, request: Request, name: str) -> Response | None:
        login = self.registry.login
        if login is None:
            return None
        actions = "pull" if request.method in ("GET", "HEAD") else "push"
        sent = request.headers.get("authorization", "")
        if login.bearer:
            scheme, _, token = sent.partition(" ")
            if scheme == "Bearer" and f"repository:{name}:{actions}" in _granted(token):
                return None
            realm = login.realm or f"{self.registry.url}/token"
            wanted = f'Bearer realm="{realm}",service="{self.registry.name}",scope="repository:{name}:{actions}"'
        else:
            if _user(sent) in login.users.items() or (login.pull and actions == "pull"):
                return None
            wanted = 'Basic realm="test"'
        return _error(401, "authentication required", {"WWW-Authenticate": wanted})

    def _token(self, request: Request) -> Response:
        """The token service: gives every scope to whoever has a password, and reading to anybody where that is free."""
        login = self.registry.login
        if login is None or not login.bearer:
            return _error(404, "no token service")
        scopes = [value for name, value in parse_qsl(urlsplit(request.path).query) if name == "scope"]
        fields = dict(parse_qsl(request.body.decode())) if request.method == "POST" else {}
        scopes += fields.get("scope", "").split()
        known = fields.get("refresh_token") in login.tokens or (
            _user(request.headers.get("authorization", "")) in login.users.items()
        )
        if not known and ("authorization" in request.headers or fields or not login.pull):
            return _error(401, "wrong user or password")
        granted = [
            f"{scope.rpartition(':')[0]}:{action}"
            for scope in scopes
            for action in scope.rpartition(":")[2].split(",")
            if known or action == "pull"
        ]
        token = base64.urlsafe_b64encode(json.dumps(granted).encode()).decode().rstrip("=")
        return _json(200, {"token": token, "expires_in": 300})

    # --- manifests -------------------------------------------------------------------------------------------------

    def base(self, request: Request, found: Mapping[str, str]) -> Response:
        """end-1."""
        return _json(200, {})

    def manifest(self, request: Request, found: Mapping[str, str]) -> Response:
        """end-3, end-7, end-9."""
        held = self.registry.contents.get(found["name"])
        reference = found["reference"]
        if request.method == "PUT":
            return self._put_manifest(request, found["name"], reference)
        digest = reference if ":" in reference else (held.tags.get(reference, "") if held else "")
        if held is None or digest not in held.manifests:
            return _error(404, "manifest unknown", code_name="MANIFEST_UNKNOWN")
        if request.method == "DELETE":
            if not self.behaviour.deletes:
                return _error(405, "deletion is off")
            if ":" in reference:
                del held.manifests[digest]
                held.tags = {tag: target for tag, target in held.tags.items() if target != digest}
            else:
                del held.tags[reference]
            return Response(202)
        media_type, raw = held.manifests[digest]
        headers = {"Content-Type": media_type, "Docker-Content-Digest": digest}
        if self.behaviour.matches:
            headers["ETag"] = f'"{digest}"'
        return Response(200, headers, raw)

    def _put_manifest(self, request: Request, name: str, reference: str) -> Response:
        held = self.registry.repository(name)
        algorithm = reference.partition(":")[0] if ":" in reference else "sha256"
        digest = _digest(request.body, algorithm)
        if ":" in reference and reference != digest:
            return _error(400, "digest does not match")
        try:
            body = json.loads(request.body)
            parts = [body["config"], *body["layers"]] if "layers" in body else []
            children = body.get("manifests", [])
        except (ValueError, KeyError, TypeError):
            return _error(400, "not a manifest", code_name="MANIFEST_INVALID")
        if any(part["digest"] not in held.blobs for part in parts):
            return _error(404, "blob unknown", code_name="MANIFEST_BLOB_UNKNOWN")
        if any(child["digest"] not in held.manifests for child in children) and not reference.startswith("sha256-"):
            return _error(404, "manifest unknown", code_name="MANIFEST_BLOB_UNKNOWN")
        match = request.headers.get("if-match", "")
        if self.behaviour.matches and match and match != f'"{held.tags.get(reference, "")}"':
            return _error(412, "changed in between")
        held.manifests[digest] = (request.headers.get("content-type", ""), request.body)
        if ":" not in reference:
            held.tags.pop(reference, None)
            held.tags[reference] = digest
        headers = {"Location": f"/v2/{name}/manifests/{digest}", "Docker-Content-Digest": digest}
        subject = body.get("subject")
        if subject and self.behaviour.subject:
            headers["OCI-Subject"] = subject["digest"]
        return Response(201, headers)

    # --- blobs -----------------------------------------------------------------------------------------------------

    def blob(self, request: Request, found: Mapping[str, str]) -> Response:
        """end-2, end-10."""
        held = self.registry.contents.get(found["name"])
        digest = found["digest"]
        if held is None or digest not in held.blobs:
            return _error(404, "blob unknown", code_name="BLOB_UNKNOWN")
        if request.method == "DELETE":
            del held.blobs[digest]
            return Response(202)
        data = held.blobs[digest]
        headers = {"Content-Type": "application/octet-stream", "Docker-Content-Digest": digest}
        asked = re.fullmatch(r"bytes=([0-9]+)-", request.headers.get("range", ""))
        if asked and self.behaviour.ranges:
            start = int(asked[1])
            if start >= len(data):
                return _error(416, "beyond the end")
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
            return Response(206, headers, data[start:])
        return Response(200, headers, data)

    def start_upload(self, request: Request, found: Mapping[str, str]) -> Response:
        """end-4, end-11."""
        name = found["name"]
        digest, origin = request.query.get("mount", ""), request.query.get("from", "")
        source = self.registry.contents.get(origin)
        if self.behaviour.mounts and source is not None and digest in source.blobs:
            self.registry.repository(name).blobs[digest] = source.blobs[digest]
            return Response(201, {"Location": f"/v2/{name}/blobs/{digest}"})
        upload = uuid.uuid4().hex
        self.registry.uploads[upload] = (name, bytearray())
        return Response(202, {"Location": f"/v2/{name}/blobs/uploads/{upload}", "Range": "0-0"})

    def upload(self, request: Request, found: Mapping[str, str]) -> Response:
        """end-5, end-6, end-13."""
        name, upload = found["name"], found["upload"]
        owner, data = self.registry.uploads.get(upload, ("", bytearray()))
        if owner != name:
            return _error(404, "upload unknown", code_name="BLOB_UPLOAD_UNKNOWN")
        location = {"Location": f"/v2/{name}/blobs/uploads/{upload}"}
        if request.method == "GET":
            return Response(204, {**location, "Range": f"0-{max(len(data) - 1, 0)}"})
        stated = re.fullmatch(r"([0-9]+)-([0-9]+)", request.headers.get("content-range", ""))
        if stated and int(stated[1]) != len(data):
            return _error(416, "out of order", {**location, "Range": f"0-{max(len(data) - 1, 0)}"})
        data += request.body
        if request.method == "PATCH":
            return Response(202, {**location, "Range": f"0-{max(len(data) - 1, 0)}"})
        digest = request.query.get("digest", "")
        del self.registry.uploads[upload]
        if digest != _digest(bytes(data), digest.partition(":")[0]):
            return _error(400, "digest does not match")
        self.registry.repository(name).blobs[digest] = bytes(data)
        return Response(201, {"Location": f"/v2/{name}/blobs/{digest}", "Docker-Content-Digest": digest})

    # --- lists -----------------------------------------------------------------------------------------------------

    def tags(self, request: Request, found: Mapping[str, str]) -> Response:
        """end-8."""
        held = self.registry.contents.get(found["name"])
        if held is None:
            return _error(404, "repository unknown")
        if not self.behaviour.tag_order:
            return _json(200, {"name": found["name"], "tags": list(reversed(held.tags))})
        last = request.query.get("last", "")
        tags = [tag for tag in sorted(held.tags) if tag > last]
        count = min(int(request.query.get("n", self.behaviour.page)), self.behaviour.page)
        page, more = tags[:count], len(tags) > count
        link = f"/v2/{found['name']}/tags/list?n={count}&last={quote(page[-1])}" if more and page else ""
        return _json(200, {"name": found["name"], "tags": page}, link)

    def referrers(self, request: Request, found: Mapping[str, str]) -> Response:
        """end-12."""
        from navicert.testing.registry import referrers_of

        if not self.behaviour.referrers:
            return Response(404, {"Content-Type": "text/plain"}, b"404 page not found\n")
        held = self.registry.repository(found["name"])
        entries = list(referrers_of(held, found["digest"], self.behaviour))
        wanted = request.query.get("artifactType")
        headers = {}
        if wanted and self.behaviour.filters:
            entries = [entry for entry in entries if entry["artifactType"] == wanted]
            headers["OCI-Filters-Applied"] = "artifactType"
        start = int(request.query.get("start", "0"))
        page = entries[start : start + self.behaviour.page]
        following = start + self.behaviour.page
        link = ""
        if following < len(entries):
            kept = f"&artifactType={quote(wanted, safe='')}" if wanted else ""
            link = f"/v2/{found['name']}/referrers/{found['digest']}?start={following}{kept}"
        body = {"schemaVersion": 2, "mediaType": media.OCI_INDEX, "manifests": page}
        answer = _json(200, body, link)
        return replace(answer, headers={**answer.headers, **headers, "Content-Type": media.OCI_INDEX})


_Route = Callable[[Routes, Request, Mapping[str, str]], Response]

_ROUTES: Final[tuple[tuple[str, _Route], ...]] = (
    (r"/v2/?", Routes.base),
    (rf"{_NAME}/blobs/uploads/", Routes.start_upload),
    (rf"{_NAME}/blobs/uploads/(?P<upload>[0-9a-f]+)", Routes.upload),
    (rf"{_NAME}/blobs/(?P<digest>[a-z0-9]+:[0-9a-f]+)", Routes.blob),
    (rf"{_NAME}/manifests/(?P<reference>[^/]+)", Routes.manifest),
    (rf"{_NAME}/tags/list", Routes.tags),
    (rf"{_NAME}/referrers/(?P<digest>[a-z0-9]+:[0-9a-f]+)", Routes.referrers),
)


def _digest(data: bytes, algorithm: str) -> str:
    return f"{algorithm}:{hashlib.new(algorithm if algorithm in ('sha256', 'sha512') else 'sha256', data).hexdigest()}"


def _user(header: str) -> tuple[str, str]:
    """User and password of a `Basic` header; empty where it is none."""
    scheme, _, value = header.partition(" ")
    if scheme == "Basic":
        with suppress(ValueError):
            user, _, password = base64.b64decode(value).decode().partition(":")
            return user, password
    return "", ""


def _granted(token: str) -> list[str]:
    """What a token of ours allows; nothing for any other."""
    with suppress(ValueError):
        granted = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        return [str(one) for one in granted] if isinstance(granted, list) else []
    return []


def _json(code: int, body: object, link: str = "") -> Response:
    headers = {"Content-Type": "application/json"} | ({"Link": f'<{link}>; rel="next"'} if link else {})
    return Response(code, headers, json.dumps(body).encode())


def _error(code: int, message: str, headers: Mapping[str, str] | None = None, *, code_name: str = "") -> Response:
    body = {"errors": [{"code": code_name or _CODES.get(code, "UNKNOWN"), "message": message}]}
    return Response(code, {"Content-Type": "application/json", **(headers or {})}, json.dumps(body).encode())
