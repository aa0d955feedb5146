"""Signing without a key, by the package that the extra brings, in a private instance on loopback."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.sigstore_server import SigstoreServer

from navicert.cli.main import main
from navicert.testing.sigstore import ISSUER, SAN, PrivateSigstore

SOURCE = Path(__file__).resolve().parents[2] / "src"
OURS = PrivateSigstore()


@pytest.fixture(scope="module")
def python(request: pytest.FixtureRequest) -> Path:
    return request.getfixturevalue("component")("sigstore-python")


@pytest.fixture
def server() -> Iterator[SigstoreServer]:
    served = SigstoreServer(OURS)
    yield served
    served.close()


@pytest.fixture
def place(tmp_path: Path, server: SigstoreServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a file, a token, the configuration and the trust root."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.tar").write_bytes(b"a release")
    (tmp_path / "config.json").write_bytes(server.configuration())
    (tmp_path / "root.json").write_bytes(OURS.root_bytes())
    now = int(time.time())
    claims = {"iss": "https://issuer.example", "sub": "job", "aud": "sigstore", "iat": now - 5, "exp": now + 600}
    parts = [json.dumps(part).encode() for part in ({"alg": "none"}, claims)]
    token = ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + ".c2ln"
    (tmp_path / "token").write_text(token)
    return tmp_path


def sign(python: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"HOME": os.getcwd(), "PYTHONPATH": str(SOURCE), "PATH": os.environ["PATH"], "no_proxy": "127.0.0.1"}
    command = [str(python), "-m", "navicert", "sign-keyless", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


HOW = ("--identity-token", "token", "--trust-config", "config.json")
WHO = ("--identity", SAN, "--issuer", ISSUER, "--trusted-root", "root.json")


def test_a_file_is_signed_and_verifies(python: Path, place: Path, server: SigstoreServer) -> None:
    done = sign(python, "app.tar", "-o", "app.sigstore.json", *HOW)
    assert done.returncode == 0, done.stderr
    assert f"signed by {SAN}" in done.stderr
    assert server.asked == ["/api/v2/signingCert", "/timestamp", "/api/v2/log/entries"]
    assert server.tokens == ["Bearer " + (place / "token").read_text()]
    assert main(["verify-attestation", "app.sigstore.json", "--artifact", "app.tar", *WHO]) == 0
    (place / "app.tar").write_bytes(b"another")
    assert main(["verify-attestation", "app.sigstore.json", "--artifact", "app.tar", *WHO]) == 1


def test_a_statement_is_signed_as_it_is(python: Path, place: Path) -> None:
    assert main(["keygen", "k"]) == 0
    (place / "r.xml").write_text(
        '<testsuite name="s" tests="1" failures="0" errors="0"><testcase name="t"/></testsuite>'
    )
    attest = ["attest", "test", "r.xml", "--subject", "app.tar", "--key", "k", "-o", "tested.json"]
    assert main(attest) == 0
    done = sign(python, "tested.json", "--statement", "-o", "tested.sigstore.json", "--json", *HOW)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["identity"] == SAN
    made, before = (
        json.loads((place / "tested.sigstore.json").read_text()),
        json.loads((place / "tested.json").read_text()),
    )
    assert made["dsseEnvelope"]["payload"] == before["payload"]
    assert main(["verify-attestation", "tested.sigstore.json", "--artifact", "app.tar", *WHO]) == 0


def test_a_layout_is_signed_by_who_owns_it(python: Path, place: Path) -> None:
    assert main(["keygen", "bob"]) == 0
    (place / "layout.yaml").write_text(
        "type: policy\nname: app\nversion: 1\nexpires: 6 months\nfunctionaries: {bob: bob.pub}\nsteps:\n"
        "  - name: build\n    by: bob\n    products: [CREATE app.tar, DISALLOW *]\n    materials: [DISALLOW *]\n"
    )
    assert main(["run", "build", "--key", "bob", "-p", "app.tar", "--", "true"]) == 0
    done = sign(python, "layout.yaml", "--layout", "-o", "root.layout", *HOW)
    assert done.returncode == 0, done.stderr
    owner = ("--owner-identity", SAN, "--owner-issuer", ISSUER, "--trusted-root", "root.json")
    assert main(["verify", "--layout", "root.layout", *owner, "app.tar"]) == 0
    # Whoever else owns it signs the very same bytes.
    again = sign(python, "root.layout", "--layout", "-o", "again.layout", *HOW)
    assert again.returncode == 0, again.stderr
    first, second = (json.loads((place / name).read_text())["dsseEnvelope"] for name in ("root.layout", "again.layout"))
    assert first["payload"] == second["payload"]
    assert first["payloadType"] == "application/vnd.navicert.policy+json"
    assert sign(python, "app.tar", "--layout", "-o", "no.layout", *HOW).returncode == 2


def test_what_does_not_verify_is_not_handed_out(python: Path, place: Path, server: SigstoreServer) -> None:
    # An authority for timestamps that the root does not name: without it nobody says when.
    evil = PrivateSigstore("evil")
    good = server.answer

    def stamped(body: bytes) -> bytes:
        server.sigstore = evil
        try:
            del server.damage["/timestamp"]
            raw = good("/timestamp", body)
        finally:
            server.sigstore = OURS
        assert raw is not None
        return raw

    server.damage["/timestamp"] = stamped
    done = sign(python, "app.tar", "-o", "app.sigstore.json", *HOW)
    assert done.returncode != 0
    assert "does not verify: bundle.time" in done.stderr
    assert not (place / "app.sigstore.json").exists()


@pytest.mark.parametrize("path", ["/api/v2/signingCert", "/api/v2/log/entries"])
def test_an_instance_that_answers_nonsense_is_no_crash(
    python: Path, place: Path, server: SigstoreServer, path: str
) -> None:
    server.damage[path] = lambda body: b"{}"
    done = sign(python, "app.tar", "-o", "app.sigstore.json", *HOW)
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert not (place / "app.sigstore.json").exists()


def test_without_an_identity_nothing_is_signed(python: Path, place: Path, server: SigstoreServer) -> None:
    done = sign(python, "app.tar", "-o", "app.sigstore.json", "--trust-config", "config.json")
    assert done.returncode == 3
    assert "--identity-token" in done.stderr
    (place / "token").write_text("no token")
    assert sign(python, "app.tar", "-o", "app.sigstore.json", *HOW).returncode == 2
    assert server.asked == []


def test_a_token_is_not_sent_where_others_can_read_it(python: Path, place: Path, server: SigstoreServer) -> None:
    config = server.configuration().replace(b"http://127.0.0.1:", b"http://127.0.0.1.evil.example:")
    (place / "config.json").write_bytes(config)
    done = sign(python, "app.tar", "-o", "app.sigstore.json", *HOW)
    assert done.returncode != 0
    assert "where others can read it" in done.stderr
    assert server.asked == []


def test_what_is_no_statement_is_not_signed_as_one(python: Path, place: Path, server: SigstoreServer) -> None:
    done = sign(python, "config.json", "--statement", "-o", "a.sigstore.json", *HOW)
    assert done.returncode == 2
    assert "config.json" in done.stderr
    assert server.asked == []
