"""Signing with a timestamp of a real authority (openssl ts), and verifying after the certificate has expired."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID
from tests.certificate_authority import Holder, new_root
from tests.certified_chain import ANY, ROOT_ID, authority
from tests.conftest import require_component

from navicert.cli.main import main
from navicert.crypto.signer import generate, private_pem

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)
LONG: Any = {"since": NOW - HOUR, "until": NOW + timedelta(days=400)}
LATER = f"{NOW + timedelta(days=2):%Y-%m-%dT%H:%M:%SZ}"

CONFIG = """
[tsa]
default_tsa = own
[own]
serial = {here}/serial
signer_cert = {here}/clock.crt
signer_key = {here}/clock
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
certs = {here}/tsa.pem
"""


def key_file(holder: Holder, path: Path) -> None:
    path.write_bytes(holder.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    Path(f"{path}.crt").write_text(holder.pem)


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    root = new_root(**LONG)
    key_file(root.issue(since=NOW - HOUR, until=NOW + HOUR), tmp_path / "builder")
    owner = generate()
    (tmp_path / "owner").write_bytes(private_pem(owner, None))
    (tmp_path / "owner.pub").write_bytes(owner.key.public_pem())
    step = {"name": "build", "threshold": 1, "pubkeys": [], "cert_constraints": [ANY]}
    rules = {"expected_materials": [["DISALLOW", "*"]], "expected_products": [["CREATE", "app"], ["DISALLOW", "*"]]}
    expires = f"{NOW + timedelta(days=90):%Y-%m-%dT%H:%M:%SZ}"
    layout: dict[str, Any] = {"_type": "layout", "expires": expires, "keys": {}, "inspect": []}
    layout |= {"steps": [step | rules], "rootcas": {ROOT_ID: authority(root)}}
    (tmp_path / "layout.json").write_text(json.dumps(layout))
    assert main(["layout", "sign", "layout.json", "--key", "owner", "-o", "root.layout"]) == 0
    return tmp_path


class Clock:
    """The authority: `answer` may be replaced by what it is to answer instead."""

    def __init__(self, here: Path) -> None:
        self.here, self.openssl, self.url, self.asked = here, require_component("openssl"), "", 0
        self.answer: bytes | int | None = None

    def respond(self, request: bytes) -> bytes:
        (self.here / "request").write_bytes(request)
        words = ["ts", "-reply", "-config", "tsa.conf", "-queryfile", "request", "-out", "answer"]
        done = subprocess.run([self.openssl, *words], cwd=self.here, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return (self.here / "answer").read_bytes()


@pytest.fixture
def clock(tmp_path: Path) -> Iterator[Clock]:
    here = tmp_path / "clock"
    here.mkdir()
    root = new_root("TSA root", **LONG)
    own = root.issue("clock", **LONG, purposes=[ExtendedKeyUsageOID.TIME_STAMPING], purposes_critical=True)
    key_file(own, here / "clock")
    (here / "tsa.pem").write_text(root.pem)
    (tmp_path / "tsa.pem").write_text(root.pem)
    (here / "serial").write_text("01\n")
    (here / "tsa.conf").write_text(CONFIG.format(here=here))
    clock = Clock(here)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            clock.asked += 1
            assert self.headers["Content-Type"] == "application/timestamp-query"
            request = self.rfile.read(int(self.headers["Content-Length"]))
            answer = clock.respond(request) if clock.answer is None else clock.answer
            self.send_response(answer if isinstance(answer, int) else 200)
            self.end_headers()
            self.wfile.write(b"" if isinstance(answer, int) else answer)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    clock.url = f"http://127.0.0.1:{server.server_address[1]}/"
    yield clock
    server.shutdown()
    server.server_close()


def run(*more: str) -> int:
    words = ["run", "build", "--key", "builder", "--cert", "builder.crt", "-p", "app", *more]
    return main([*words, "--", "sh", "-c", "echo made > app"])


def verify(*more: str) -> int:
    return main(["verify", "--layout", "root.layout", "--owner", "owner.pub", "app", *more])


def test_a_build_is_verified_after_the_builder_s_certificate_has_expired(work, clock):
    assert run("--timestamp", clock.url) == 0
    assert verify() == 0
    assert verify("--at", LATER) == 1
    assert verify("--at", LATER, "--timestamp-root", "tsa.pem") == 0
    assert verify("--at", LATER, "--timestamp-root", "builder.crt") == 1


def test_a_chain_is_packed_and_its_levels_judged_after_the_certificate_has_expired(work, clock, capsys):
    assert run("--timestamp", clock.url) == 0
    judged = ["--layout", "root.layout", "--owner", "owner.pub", "--at", LATER]
    pack = ["evidence", "pack", "app", *judged, "-o", "app.pack"]
    assert main(pack) == 1
    assert main([*pack, "--timestamp-root", "builder.crt"]) == 1
    assert main([*pack, "--timestamp-root", "tsa.pem"]) == 0
    later = ["verify", "--evidence-from", "app.pack", "--owner", "owner.pub", "app", "--at", LATER]
    assert main(later) == 1
    assert main([*later, "--timestamp-root", "tsa.pem"]) == 0
    slsa = ["slsa", "app", *judged, "--json"]
    told = []
    for more in ((), ("--timestamp-root", "tsa.pem")):
        capsys.readouterr()
        main([*slsa, *more])
        told.append(capsys.readouterr().out)
    assert ["no builder table names the key that signed" in one for one in told] == [False, True]


def test_a_signature_that_was_made_without_one_counts_only_as_long_as_the_certificate(work, clock):
    assert run() == 0
    assert verify("--timestamp-root", "tsa.pem") == 0
    assert verify("--at", LATER, "--timestamp-root", "tsa.pem") == 1


def test_layouts_and_other_documents_are_timestamped_too(work, clock):
    assert main(["layout", "sign", "layout.json", "--key", "owner", "-o", "b.layout", "--timestamp", clock.url]) == 0
    document = json.loads((work / "b.layout").read_text())
    assert document["signatures"][0]["timestamps"][0]["type"] == "tsp"
    assert main(["sign", "root.layout", "--key", "owner", "--timestamp", clock.url]) == 0
    assert main(["sign", "root.layout", "--verify", "--key", "owner.pub"]) == 0


def test_a_metablock_has_no_place_for_it(work, clock, capsys):
    assert run("--metablock", "--timestamp", clock.url) == 125
    assert "a Metablock has no place for timestamps" in capsys.readouterr().err
    assert not (work / "app").exists()
    assert (
        main(["layout", "sign", "layout.json", "--metablock", "--key", "owner", "-o", "b", "--timestamp", clock.url])
        == 2
    )


@pytest.mark.parametrize("answer", [b"", b"text", 500, 404])
def test_an_authority_that_answers_with_something_else(work, clock, capsys, answer):
    clock.answer = answer
    assert run("--timestamp", clock.url) == 125
    assert not list(work.glob("*.link"))
    assert not (work / "app").exists()  # it was asked before the command ran
    assert clock.url in capsys.readouterr().err


def test_attack_an_answer_about_something_else(work, clock, capsys):
    from navicert.crypto.timestamp_request import request_for

    clock.answer = clock.respond(request_for(b"something else"))
    assert main(["sign", "root.layout", "--key", "owner", "--timestamp", clock.url]) == 2
    assert "about something else than the signature" in capsys.readouterr().err


def test_an_authority_that_cannot_be_reached_is_no_answer(work, capsys):
    assert main(["sign", "root.layout", "--key", "owner", "--timestamp", "http://127.0.0.1:9/"]) == 3
    assert "cannot be reached" in capsys.readouterr().err
    assert main(["sign", "root.layout", "--key", "owner", "--timestamp", "file:///etc/passwd"]) == 2
