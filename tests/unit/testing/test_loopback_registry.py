"""The registry for tests is a registry: what the specification asks of one, and what its faults promise."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Component

from navicert.digest import sha256
from navicert.oci import media
from navicert.testing import fault
from navicert.testing.registry import Behaviour, Login, LoopbackRegistry


@pytest.fixture
def registry() -> Iterator[LoopbackRegistry]:
    with LoopbackRegistry() as running:
        yield running


def ask(
    registry: LoopbackRegistry, method: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of an answer, by another client than ours."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(f"{registry.url}{path}", body, names, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, {k.lower(): v for k, v in error.headers.items()}, error.read()


def test_a_pushed_blob_can_be_pulled(registry: LoopbackRegistry):
    digest = sha256(b"0123456789")
    status, headers, _ = ask(registry, "POST", "/v2/app/blobs/uploads/", b"")
    assert status == 202
    location = headers["location"]
    assert ask(registry, "PATCH", location, b"01234", Content_Range="0-4")[0] == 202
    assert ask(registry, "PATCH", location, b"789", Content_Range="7-9")[0] == 416
    assert ask(registry, "GET", location)[1]["range"] == "0-4"
    assert ask(registry, "PUT", f"{location}?digest={digest}", b"56789", Content_Range="5-9")[0] == 201
    assert ask(registry, "GET", f"/v2/app/blobs/{digest}")[2] == b"0123456789"
    status, headers, body = ask(registry, "GET", f"/v2/app/blobs/{digest}", Range="bytes=4-")
    assert (status, headers["content-range"], body) == (206, "bytes 4-9/10", b"456789")
    assert ask(registry, "HEAD", f"/v2/app/blobs/{digest}")[1]["content-length"] == "10"


def test_bytes_that_are_not_of_their_digest_are_not_taken(registry: LoopbackRegistry):
    location = ask(registry, "POST", "/v2/app/blobs/uploads/", b"")[1]["location"]
    assert ask(registry, "PUT", f"{location}?digest={sha256(b'x')}", b"y")[0] == 400
    assert ask(registry, "PUT", f"/v2/app/manifests/{sha256(b'x')}", b"{}")[0] == 400
    assert ask(registry, "GET", f"/v2/app/blobs/{sha256(b'x')}")[0] == 404


def test_a_manifest_needs_its_parts(registry: LoopbackRegistry):
    part = {"mediaType": media.OCI_CONFIG, "digest": str(sha256(b"none")), "size": 4}
    body = {"schemaVersion": 2, "config": part, "layers": []}
    assert ask(registry, "PUT", "/v2/app/manifests/v1", json.dumps(body).encode())[0] == 404
    index = {"schemaVersion": 2, "manifests": [part]}
    assert ask(registry, "PUT", "/v2/app/manifests/v1", json.dumps(index).encode())[0] == 404


def test_referrers_are_listed_page_by_page_and_filtered():
    with LoopbackRegistry(Behaviour(page=2)) as registry:
        root = registry.add_image("app", "v1")
        assert json.loads(ask(registry, "GET", f"/v2/app/referrers/{root.digest}")[2])["manifests"] == []
        for number in range(5):
            registry.add_artifact("app", bytes([number]), "text/plain", subject=root, artifact_type=f"t/{number % 2}")
        seen: list[Any] = []
        path = f"/v2/app/referrers/{root.digest}"
        while path:
            status, headers, raw = ask(registry, "GET", path)
            assert (status, headers["content-type"]) == (200, media.OCI_INDEX)
            seen += json.loads(raw)["manifests"]
            path = headers.get("link", "").partition(">")[0].removeprefix("<")
        assert len(seen) == 5
        _, headers, raw = ask(registry, "GET", f"/v2/app/referrers/{root.digest}?artifactType=t/0")
        assert headers["oci-filters-applied"] == "artifactType"
        assert {entry["artifactType"] for entry in json.loads(raw)["manifests"]} == {"t/0"}


def test_a_push_with_a_subject_is_acknowledged(registry: LoopbackRegistry):
    root = registry.add_image("app", "v1")
    raw = registry.contents["app"].manifests[str(root.digest)][1]
    body = json.dumps(json.loads(raw) | {"subject": root.to_json()}).encode()
    assert ask(registry, "PUT", "/v2/app/manifests/x", body)[1]["oci-subject"] == str(root.digest)


def test_less_complete_registries_are_less_complete():
    behaviour = Behaviour(referrers=False, subject=False, ranges=False, deletes=False, mounts=False, tag_order=False)
    with LoopbackRegistry(behaviour) as registry:
        root = registry.add_image("app", "b")
        registry.add_image("app", "a")
        assert ask(registry, "GET", f"/v2/app/referrers/{root.digest}")[0] == 404
        assert ask(registry, "DELETE", f"/v2/app/manifests/{root.digest}")[0] == 405
        assert json.loads(ask(registry, "GET", "/v2/app/tags/list?n=1&last=a")[2])["tags"] == ["a", "b"]
        blob = registry.add_blob("app", b"blob")
        assert ask(registry, "GET", f"/v2/app/blobs/{blob.digest}", Range="bytes=2-")[0] == 200
        assert ask(registry, "POST", f"/v2/x/blobs/uploads/?mount={blob.digest}&from=app", b"")[0] == 202


def test_faults_come_when_they_are_ordered_and_are_logged(registry: LoopbackRegistry):
    registry.add_image("app", "v1")
    registry.fault("GET", "/manifests/", fault.status(503), after=1, times=1)
    answers = [ask(registry, "GET", "/v2/app/manifests/v1")[0] for _ in range(3)]
    assert answers == [200, 503, 200]
    assert [one.status for one in registry.seen] == answers
    assert registry.count("GET", "/manifests/") == 3
    registry.fault("GET", ".", fault.status(500))
    registry.heal()
    registry.forget()
    assert ask(registry, "GET", "/v2/")[0] == 200
    assert registry.count() == 1


def test_a_fault_stops_what_was_asked_for_or_only_its_answer(registry: LoopbackRegistry):
    registry.fault("POST", "/uploads/", fault.status(500), times=1)
    ask(registry, "POST", "/v2/app/blobs/uploads/", b"")
    assert registry.uploads == {}
    registry.fault("POST", "/uploads/", fault.dropped(), times=1)
    with pytest.raises((OSError, urllib.error.URLError)):
        ask(registry, "POST", "/v2/app/blobs/uploads/", b"")
    assert len(registry.uploads) == 1


def test_passwords_and_tokens_are_asked_for():
    with LoopbackRegistry(login=Login({"user": "pass"})) as registry:
        status, headers, _ = ask(registry, "GET", "/v2/")
        assert (status, headers["www-authenticate"]) == (401, 'Basic realm="test"')
        assert ask(registry, "GET", "/v2/", Authorization="Basic dXNlcjpwYXNz")[0] == 200
        assert ask(registry, "GET", "/v2/", Authorization="Basic dXNlcjp3cm9uZw==")[0] == 401
    with LoopbackRegistry(login=Login({"user": "pass"}, bearer=True)) as registry:
        registry.add_image("app", "v1")
        assert ask(registry, "GET", "/v2/app/manifests/v1")[0] == 401
        assert ask(registry, "GET", "/token?scope=repository:app:pull")[0] == 401
        raw = ask(registry, "GET", "/token?scope=repository:app:pull", Authorization="Basic dXNlcjpwYXNz")[2]
        token = f"Bearer {json.loads(raw)['token']}"
        assert ask(registry, "GET", "/v2/app/manifests/v1", Authorization=token)[0] == 200
        assert ask(registry, "GET", "/v2/other/manifests/v1", Authorization=token)[0] == 401
        assert ask(registry, "PUT", "/v2/app/manifests/v1", b"{}", Authorization=token)[0] == 401


def test_it_listens_on_this_machine_only(registry: LoopbackRegistry):
    assert registry.name == f"127.0.0.1:{registry.port}"
    others = {entry[4][0] for entry in socket.getaddrinfo(socket.gethostname(), None)} - {"127.0.0.1", "::1"}
    for address in others:
        with pytest.raises(OSError, match=r"."), socket.create_connection((str(address), registry.port), 2):
            pass


def test_skopeo_takes_it_for_a_registry(registry: LoopbackRegistry, component: Component, tmp_path: Path):
    registry.add_image("app", "v1")
    skopeo = component("skopeo")
    options = ["--src-tls-verify=false", "--dest-tls-verify=false", "--preserve-digests"]
    source, copy = f"docker://{registry.name}/app:v1", f"docker://{registry.name}/copy:v1"
    subprocess.run([skopeo, "copy", *options, source, f"oci:{tmp_path / 'image'}:v1"], check=True, capture_output=True)
    subprocess.run([skopeo, "copy", *options, f"oci:{tmp_path / 'image'}:v1", copy], check=True, capture_output=True)
    assert registry.contents["copy"].tags["v1"] == registry.contents["app"].tags["v1"]


def test_what_does_not_use_it_does_not_load_it():
    code = "import sys, navicert.testing; print(any('http.server' in name for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
