"""Bundles and identities on the command line: who signed is proved, or nothing is verified.

What can be wrong inside a bundle is in `test_bundles.py`; here is what can be wrong with asking for it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from navicert.cli.main import main
from navicert.digest import DigestSet
from navicert.envelope.document import seal
from navicert.model.statement import ResourceDescriptor, Statement
from navicert.testing import NOW, signer
from navicert.testing.bundle import as_bytes, keyed, keyless
from navicert.testing.sigstore import ISSUER, SAN, PrivateSigstore
from navicert.timestamp import format_timestamp

OURS, THEIRS = PrivateSigstore(), PrivateSigstore("evil")
APP = b"app 1"
RESULT = "https://in-toto.io/attestation/test-result/v0.1"
PASSED: dict[str, Any] = {"result": "PASSED", "configuration": [], "passedTests": ["unit"]}
WHO = ("--identity", SAN, "--issuer", ISSUER, "--trusted-root", "root.json")

Judge = Callable[..., tuple[int, list[str]]]


def statement(content: bytes = APP, predicate: dict[str, Any] | None = None, type: str = RESULT) -> Statement:
    digests = DigestSet.of({"sha256": hashlib.sha256(content).hexdigest()})
    return Statement((ResourceDescriptor("app", digests=digests),), type, PASSED if predicate is None else predicate)


GOOD = as_bytes(keyless(OURS, statement()))


@pytest.fixture
def judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Judge:
    """Judges a file as the command does, and returns its exit code and the ids of the causes."""
    monkeypatch.chdir(tmp_path)
    Path("app").write_bytes(APP)
    Path("root.json").write_bytes(OURS.root_bytes())
    for name in ("bob", "ann"):
        Path(f"{name}.pub").write_bytes(signer(name).key.public_pem())

    def run(raw: bytes, *words: str, who: tuple[str, ...] = WHO, about: tuple[str, ...] = ("--artifact", "app")) -> Any:
        Path("a.json").write_bytes(raw)
        at = ("--at", format_timestamp(NOW))
        code = main(["verify-attestation", "a.json", *who, *about, *at, "--json", *words])
        verdict = json.loads(capsys.readouterr().out)
        assert verdict["passed"] is (code == 0)
        return code, [cause.rpartition("/")[2].partition("[")[0] for cause in _leaves(verdict)]

    assert run(GOOD) == (0, [])
    return run


def _leaves(verdict: dict[str, Any]) -> list[str]:
    """The paths of causes; paths hold slashes in subjects, so that only the ids are compared."""
    named = {check["path"]: check["id"] for check in verdict["checks"]}
    return [f"/{named[path]}" for path in verdict["causes"]]


# --- identities ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("identity", "issuer"),
    [
        (SAN.replace("acme", "acme-evil"), ISSUER),
        (SAN + "x", ISSUER),
        (SAN[:-1], ISSUER),
        (SAN.upper(), ISSUER),
        (SAN, ISSUER + "/"),
        (SAN, "https://accounts.example"),
        (".*", ISSUER),
        (SAN, ".*"),
    ],
)
def test_another_identity_or_issuer(judge: Judge, identity: str, issuer: str) -> None:
    who = ("--identity", identity, "--issuer", issuer, "--trusted-root", "root.json")
    assert judge(GOOD, who=who) == (1, ["bundle.identity"])


def test_an_expression_describes_the_whole_name(judge: Judge) -> None:
    def who(expression: str) -> tuple[str, ...]:
        return ("--identity-matching", expression, "--issuer", ISSUER, "--trusted-root", "root.json")

    assert judge(GOOD, who=who("https://github\\.com/acme/app/.*")) == (0, [])
    assert judge(GOOD, who=who("https://github\\.com/acme")) == (1, ["bundle.identity"])
    assert judge(GOOD, who=who("acme/app")) == (1, ["bundle.identity"])


@pytest.mark.parametrize(
    "words",
    [
        ("--identity", SAN),
        ("--issuer", ISSUER),
        ("--identity", "", "--issuer", ISSUER),
        ("--identity", SAN, "--issuer", ""),
        ("--identity-matching", "", "--issuer", ISSUER),
        ("--identity", SAN, "--issuer", ISSUER, "--claim", "sourceRepositoryURI="),
        ("--identity", SAN, "--issuer", ISSUER, "--claim", "nosuch=x"),
        ("--identity", SAN, "--issuer", ISSUER, "--claim", "x"),
        ("--claim", "sourceRepositoryURI=x"),
        ("--identity", SAN, "--identity-matching", ".*", "--issuer", ISSUER),
        ("--identity", SAN, "--issuer", ISSUER, "--key", "bob.pub"),
        ("--identity", SAN, "--issuer", ISSUER, "--threshold", "1"),
        ("--identity", SAN, "--issuer", ISSUER, "--trusted-root", "nosuch.json"),
        ("--identity", SAN, "--issuer", ISSUER, "--trusted-root", "app"),
        (),
    ],
)
def test_half_an_identity_or_an_empty_one_is_wrong_usage(judge: Judge, words: tuple[str, ...]) -> None:
    assert main(["verify-attestation", "a.json", "--artifact", "app", *words]) == 2


def test_a_claim_that_the_certificate_does_not_make(judge: Judge) -> None:
    assert judge(GOOD, "--claim", "sourceRepositoryURI=https://github.com/acme/other") == (1, ["bundle.identity"])


def test_an_authority_that_the_trust_root_does_not_name(judge: Judge) -> None:
    code, causes = judge(as_bytes(keyless(THEIRS, statement())))
    assert code == 1
    assert causes == ["bundle.log", "bundle.time"]


def test_an_authority_that_the_trust_root_does_not_name_behind_a_log_that_it_does(judge: Judge) -> None:
    assert judge(as_bytes(keyless(THEIRS, statement(), log=OURS))) == (1, ["bundle.chain"])


def test_the_public_instance_knows_no_private_one(judge: Judge) -> None:
    code, causes = judge(GOOD, who=("--identity", SAN, "--issuer", ISSUER))
    assert code == 1
    assert causes


def test_a_revoked_identity(judge: Judge) -> None:
    assert judge(GOOD, "--revoke", SAN) == (1, ["attestation.identity"])
    assert judge(GOOD, "--revoke", "somebody else") == (0, [])


def test_an_envelope_that_names_an_identity_without_proof(judge: Judge) -> None:
    assert judge(seal(statement(), signer("bob"))) == (1, ["attestation.signature"])
    envelope = json.loads(GOOD)["dsseEnvelope"]
    assert judge(json.dumps(envelope).encode()) == (1, ["attestation.signature"])


def test_a_bundle_by_a_key_where_an_identity_is_asked_for(judge: Judge) -> None:
    assert judge(as_bytes(keyed(OURS, statement(), signer("bob")))) == (1, ["bundle.signature"])


def test_a_proved_identity_about_something_else(judge: Judge) -> None:
    assert judge(as_bytes(keyless(OURS, statement(b"app 2")))) == (1, ["attestation.subject"])
    assert judge(GOOD, "--type", "vulns") == (1, ["attestation.type"])
    failed = keyless(OURS, statement(predicate={**PASSED, "result": "FAILED"}))
    assert judge(as_bytes(failed)) == (1, ["attestation.result"])


def test_a_proof_of_another_bundle(judge: Judge) -> None:
    mixed = json.loads(GOOD)
    other = keyless(OURS, statement(b"app 2"))
    mixed["verificationMaterial"]["tlogEntries"] = other["verificationMaterial"]["tlogEntries"]
    assert judge(json.dumps(mixed).encode()) == (1, ["bundle.body"])


def test_one_of_several_bundles_says_the_opposite(judge: Judge) -> None:
    bad = as_bytes(keyless(OURS, statement(predicate={**PASSED, "result": "FAILED"})))
    stranger = as_bytes(keyless(THEIRS, statement(predicate={**PASSED, "result": "FAILED"})))
    assert judge(GOOD + b"\n" + bad) == (1, ["attestation.result"])
    assert judge(GOOD + b"\n" + stranger + b"\n" + seal(statement(), signer("bob"))) == (0, [])


@pytest.mark.parametrize("media", ["application/json", "application/vnd.dev.sigstore.bundle.v9+json"])
def test_a_bundle_of_another_kind(judge: Judge, media: str) -> None:
    assert judge(json.dumps({**json.loads(GOOD), "mediaType": media}).encode()) == (1, ["attestation.signature"])


# --- keys ----------------------------------------------------------------------------------------------------------

KEY = ("--key", "bob.pub", "--trusted-root", "root.json")


def test_bundles_by_keys_and_what_they_are_refused_for(judge: Judge) -> None:
    good = as_bytes(keyed(OURS, statement(), signer("bob")))
    assert judge(good, who=KEY) == (0, [])
    assert judge(good, who=KEY[:2]) == (0, [])
    assert judge(good, who=("--key", "ann.pub")) == (1, ["bundle.signature"])
    assert judge(good, "--revoke", signer("bob").keyid, who=KEY) == (1, ["attestation.key"])
    assert judge(GOOD, who=KEY) == (1, ["bundle.identity"])
    assert judge(good, who=("--key", "bob.pub", "--key", "ann.pub")) == (1, ["attestation.key"])
    assert judge(good, "--threshold", "1", who=("--key", "bob.pub", "--key", "ann.pub")) == (0, [])


# --- signatures of files -------------------------------------------------------------------------------------------


def test_a_signature_of_the_file_itself(judge: Judge) -> None:
    good = as_bytes(keyless(OURS, APP))
    digest = "sha256:" + hashlib.sha256(APP).hexdigest()
    assert judge(good) == (0, [])
    assert judge(good, about=("--digest", digest)) == (0, [])
    assert judge(good, about=()) == (1, ["bundle.signature", "bundle.body"])
    assert judge(good, "--type", "spdx") == (1, ["attestation.type"])
    stranger, other = as_bytes(keyless(THEIRS, APP)), as_bytes(keyless(OURS, b"app 2"))
    assert judge(b"\n".join([stranger, good, other])) == (0, [])
    assert judge(b"\n".join([stranger, other])) == (1, ["attestation.none"])
    for raw, about in (
        (as_bytes(keyless(OURS, b"app 2")), ("--artifact", "app")),
        (good, ("--digest", "sha256:" + "a" * 64)),
        (good, ("--digest", "gitCommit:" + "a" * 40)),
    ):
        assert judge(raw, about=about) == (1, ["bundle.signature", "bundle.body"])


def test_a_signature_of_the_file_by_a_key_that_signs_no_digests(judge: Judge) -> None:
    good = as_bytes(keyed(OURS, APP, signer("bob")))
    assert judge(good, who=KEY) == (0, [])
    digest = "sha256:" + hashlib.sha256(APP).hexdigest()
    assert judge(good, who=KEY, about=("--digest", digest)) == (1, ["bundle.signature"])
    assert judge(good, "--revoke", "sha256:" + hashlib.sha256(good).hexdigest(), who=KEY) == (
        1,
        ["attestation.signature"],
    )


def test_a_signature_of_a_file_that_is_a_statement_is_no_statement(judge: Judge) -> None:
    # Its bytes say that tests passed; whoever signed the file as a file has not attested it.
    payload = json.dumps(statement().to_json()).encode()
    assert judge(as_bytes(keyless(OURS, payload))) == (1, ["bundle.signature", "bundle.body"])


def test_what_is_not_judged_for_want_of_a_time_says_so(judge: Judge, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a time no certificate can be judged, and without its chain no log of certificates: neither is a second
    failure that somebody would look for, and neither passes."""
    raw = json.loads(GOOD)
    entry = raw["verificationMaterial"]["tlogEntries"][0]
    del entry["inclusionPromise"]
    assert judge(json.dumps(raw).encode()) == (1, ["bundle.time"])
    words = ["verify-attestation", "a.json", *WHO, "--artifact", "app", "--at", format_timestamp(NOW)]
    assert main([*words, "--json"]) == 1
    verdict = json.loads(capsys.readouterr().out)
    found = {check["id"]: check for check in verdict["checks"]}
    assert [found[name]["outcome"] for name in ("bundle.time", "bundle.chain", "bundle.sct")] == [
        "fail",
        "skip",
        "skip",
    ]
    assert found["bundle.chain"]["cause"] == found["bundle.time"]["path"]
    assert found["bundle.sct"]["cause"] == found["bundle.chain"]["path"]
    assert verdict["first_cause"] == found["bundle.time"]["path"]
    assert main(words) == 1
    told = capsys.readouterr().out
    assert "nobody whom the trust root names says when it was signed" in told
    assert "there is no trusted time" not in told
