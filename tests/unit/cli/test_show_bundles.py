"""Bundles and JSON lines shown for people: whom they name, what they say, and that nothing of it was checked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from navicert.cli.main import main
from navicert.digest import DigestSet
from navicert.envelope.document import seal
from navicert.model.statement import ResourceDescriptor, Statement
from navicert.testing import signer
from navicert.testing.bundle import as_bytes, keyed, keyless
from navicert.testing.sigstore import ISSUER, SAN, PrivateSigstore

OURS = PrivateSigstore()
RESULT = "https://in-toto.io/attestation/test-result/v0.1"
APP = Statement(
    (ResourceDescriptor("app", digests=DigestSet.of({"sha256": "ab" * 32})),),
    RESULT,
    {"result": "PASSED", "configuration": [], "passedTests": ["unit"]},
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("bob", "ann"):
        Path(f"{name}.pub").write_bytes(signer(name).key.public_pem())


def show(raw: bytes, capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    Path("a.json").write_bytes(raw)
    assert main(["show", "a.json", *words]) == code
    return capsys.readouterr().out


def test_a_keyless_bundle(capsys: pytest.CaptureFixture[str]) -> None:
    raw = as_bytes(keyless(OURS, APP))
    text = show(raw, capsys, "--all")
    assert text.startswith("a.json: statement, Sigstore bundle, sha256:")
    assert f"signed by    (no key id)  certificate of {SAN} ({ISSUER}); not checked (verify-attestation does)" in text
    assert "a certificate for 20" in text
    assert "of log" in text
    assert "result       PASSED" in text
    (found,) = [json.loads(show(raw, capsys, "--json"))]
    assert (found["kind"], found["form"], found["verified"]) == ("statement", "bundle", False)
    assert found["signatures"][0]["certificate"] == f"{SAN} ({ISSUER})"
    assert found["body"]["predicateType"] == RESULT


def test_a_bundle_by_a_key_is_tried_with_the_keys_given(capsys: pytest.CaptureFixture[str]) -> None:
    raw = as_bytes(keyed(OURS, APP, signer("bob")))
    assert "not checked (--key PUB checks it)" in show(raw, capsys)
    assert "valid: bob.pub" in show(raw, capsys, "--key", "ann.pub", "--key", "bob.pub")
    assert "NOT valid with any key given" in show(raw, capsys, "--key", "ann.pub")


def test_the_signature_of_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    raw = as_bytes(keyless(OURS, b"app 1"))
    text = show(raw, capsys, "--all")
    assert text.startswith("a.json: signature, Sigstore bundle, sha256:")
    assert "over         a file with digest sha256:" in text
    assert "does not say anything about the file but that somebody signed it" in text
    found: Any = json.loads(show(raw, capsys, "--json"))
    assert (found["kind"], found["body"]) == ("signature", None)
    assert found["about"].startswith("a file with digest sha256:")


def test_a_certificate_that_names_nobody_is_said_to(capsys: pytest.CaptureFixture[str]) -> None:
    bundle = keyless(OURS, APP)
    bundle["verificationMaterial"]["certificate"]["rawBytes"] = "AAAA"
    assert "certificate of nobody" in show(as_bytes(bundle), capsys)


def test_a_broken_bundle_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    bundle = keyless(OURS, APP)
    bundle["mediaType"] = "application/vnd.dev.sigstore.bundle.v9+json"
    Path("a.json").write_bytes(as_bytes(bundle))
    assert main(["show", "a.json"]) == 2
    assert "unknown kind of bundle" in capsys.readouterr().err


def test_lines_of_every_kind_and_a_bad_one_that_hides_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    raw = b"\n".join([b"garbage", seal(APP, signer("bob")), as_bytes(keyless(OURS, APP)), b'{"payload": 1}'])
    text = show(raw, capsys, code=2)
    assert "a.json:1: " in text
    assert "a.json:2: statement, DSSE envelope" in text
    assert "a.json:3: statement, Sigstore bundle" in text
    assert "a.json:4: cannot be read: " in text
    assert [one["kind"] for one in json.loads(show(raw, capsys, "--json", code=2))] == [
        "unknown",
        "statement",
        "statement",
        "unknown",
    ]


def test_of_many_lines_twenty_are_shown_unless_all_are_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    raw = b"\n".join([seal(APP, signer("bob"))] * 25)
    assert "… 5 more documents in a.json" in show(raw, capsys)
    assert "a.json:25: statement" in show(raw, capsys, "--all")
