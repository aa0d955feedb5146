"""Single attestations that ask to be believed: each known way to a pass without evidence, with its exact refusal.

Every test first sees the honest attestation pass.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from navicert.cli.main import main
from navicert.crypto.signer import Signer
from navicert.digest import DigestSet
from navicert.envelope.document import seal
from navicert.envelope.dsse import pae
from navicert.model.layout import Layout
from navicert.model.link import Link
from navicert.model.statement import ResourceDescriptor, Statement
from navicert.testing import LATER, signer

APP = b"app 1"
RESULT = "https://in-toto.io/attestation/test-result/v0.1"
PASSED: dict[str, Any] = {"result": "PASSED", "configuration": [], "passedTests": ["unit"]}
IN_TOTO = "application/vnd.in-toto+json"

Judge = Callable[..., tuple[int, list[str]]]


def hashed(content: bytes, algorithm: str = "sha256") -> dict[str, str]:
    return {algorithm: hashlib.new(algorithm, content).hexdigest()}


def statement(
    predicate: dict[str, Any] | None = None,
    type: str = RESULT,
    digests: dict[str, str] | None = None,
    name: str = "app",
) -> Statement:
    subject = ResourceDescriptor(name, digests=DigestSet.of(digests or hashed(APP)))
    return Statement((subject,), type, PASSED if predicate is None else predicate)


def envelope(payload: bytes, *signers: Signer, type: str = IN_TOTO) -> dict[str, Any]:
    """An envelope of any payload and type, correctly signed."""
    message = pae(type, payload)
    signatures = [{"keyid": s.keyid, "sig": base64.b64encode(s.sign(message)).decode()} for s in signers]
    return {"payload": base64.b64encode(payload).decode(), "payloadType": type, "signatures": signatures}


def dumped(value: object) -> bytes:
    return json.dumps(value).encode()


HONEST = seal(statement(), signer("bob"))
PAYLOAD = base64.b64decode(json.loads(HONEST)["payload"])


@pytest.fixture
def judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Judge:
    """Judges a file as the command does, and returns its exit code and the ids of the causes."""
    monkeypatch.chdir(tmp_path)
    Path("app").write_bytes(APP)
    for name in ("bob", "ann"):
        Path(f"{name}.pub").write_bytes(signer(name).key.public_pem())

    def run(raw: bytes, *words: str, about: tuple[str, ...] = ("--artifact", "app"), key: str = "bob") -> Any:
        Path("a.json").write_bytes(raw)
        code = main(["verify-attestation", "a.json", "--key", f"{key}.pub", *about, "--json", *words])
        verdict = json.loads(capsys.readouterr().out)
        assert verdict["passed"] is (code == 0)
        return code, [cause.rpartition("/")[2].partition("[")[0] for cause in verdict["causes"]]

    assert run(HONEST) == (0, [])
    return run


# --- who -----------------------------------------------------------------------------------------------------------


def test_a_statement_that_nobody_signed(judge: Judge) -> None:
    assert judge(PAYLOAD) == (1, ["attestation.signature"])


@pytest.mark.parametrize("signatures", [[], [{"sig": ""}], [{"keyid": signer("bob").keyid, "sig": ""}]])
def test_an_envelope_without_a_signature_in_it(judge: Judge, signatures: list[object]) -> None:
    assert judge(dumped({**json.loads(HONEST), "signatures": signatures})) == (1, ["attestation.key"])


def test_a_key_id_that_somebody_else_wrote_on_their_signature(judge: Judge) -> None:
    forged = json.loads(seal(statement(), signer("eve")))
    forged["signatures"][0]["keyid"] = signer("bob").keyid
    assert judge(dumped(forged)) == (1, ["attestation.key"])


def test_a_payload_that_was_changed_after_signing(judge: Judge) -> None:
    changed = PAYLOAD.replace(b"unit", b"nuit")
    assert judge(dumped({**json.loads(HONEST), "payload": base64.b64encode(changed).decode()})) == (
        1,
        ["attestation.key"],
    )


def test_a_signature_over_the_payload_without_its_type(judge: Judge) -> None:
    raw = {**json.loads(HONEST), "signatures": [{"sig": base64.b64encode(signer("bob").sign(PAYLOAD)).decode()}]}
    assert judge(dumped(raw)) == (1, ["attestation.key"])


def test_one_signer_counted_twice(judge: Judge) -> None:
    twice = json.loads(HONEST)
    twice["signatures"] = twice["signatures"] * 2 + [{**twice["signatures"][0], "keyid": signer("ann").keyid}]
    assert judge(dumped(twice), "--key", "ann.pub") == (1, ["attestation.key"])
    assert judge(seal(statement(), signer("bob"), signer("ann")), "--key", "ann.pub") == (0, [])


def test_one_key_given_twice_does_not_make_two(judge: Judge, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--key", "bob.pub", "--key", "bob.pub", "--threshold", "2"]
    assert main(["verify-attestation", "a.json", *words]) == 2
    assert "cannot be met" in capsys.readouterr().err


def test_no_key_at_all(judge: Judge, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify-attestation", "a.json", "--artifact", "app"]) == 2
    assert "nobody is named whose word counts" in capsys.readouterr().err


def test_a_revoked_key(judge: Judge) -> None:
    assert judge(HONEST, "--revoke", signer("bob").keyid) == (1, ["attestation.key"])


def test_a_revoked_person_is_nobody_here_and_said_to_be(judge: Judge, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify-attestation", "a.json", "--key", "bob.pub", "--revoke", "Bob"]) == 2
    assert "keys have no names" in capsys.readouterr().err


# --- about what ----------------------------------------------------------------------------------------------------


def test_the_right_signature_over_another_subject(judge: Judge) -> None:
    # Same name, other content: what a statement is about says its digest.
    assert judge(seal(statement(digests=hashed(b"app 2")), signer("bob"))) == (1, ["attestation.subject"])


@pytest.mark.parametrize("algorithm", ["sha1", "md5", "sha224"])
def test_a_subject_with_nothing_but_a_weak_digest(judge: Judge, algorithm: str) -> None:
    assert judge(seal(statement(digests=hashed(APP, algorithm)), signer("bob"))) == (1, ["attestation.subject"])


def test_a_shortened_digest(judge: Judge) -> None:
    short = {"sha256": hashed(APP)["sha256"][:12]}
    assert judge(seal(statement(digests=short), signer("bob"))) == (1, ["attestation.subject"])


@pytest.mark.parametrize("other", ["sha512", "sha1"])
def test_digests_that_disagree_about_one_subject(judge: Judge, other: str) -> None:
    lie = {**hashed(APP), **hashed(b"app 2", "sha512"), **hashed(b"app 2", other)}
    assert judge(seal(statement(digests=lie), signer("bob"))) == (1, ["attestation.subject"])


def test_a_digest_under_another_algorithms_name(judge: Judge) -> None:
    named = {"sha3_256": hashed(APP)["sha256"]}
    assert judge(seal(statement(digests=named), signer("bob"))) == (1, ["attestation.subject"])


@pytest.mark.parametrize("digest", ["sha1:" + "a" * 40, "md5:" + "a" * 32, "sha256:abc", "sha256", "app", ""])
def test_a_weak_or_shortened_digest_is_not_asked_for(judge: Judge, digest: str) -> None:
    assert main(["verify-attestation", "a.json", "--key", "bob.pub", "--digest", digest]) == 2


# --- of which type -------------------------------------------------------------------------------------------------


def test_a_valid_attestation_of_another_type_only(judge: Judge) -> None:
    assert judge(HONEST, "--type", "vulns") == (1, ["attestation.type"])
    assert judge(HONEST, "--type", "https://in-toto.io/attestation/test-result/v1") == (1, ["attestation.type"])


def test_a_predicate_type_that_nobody_knows(judge: Judge) -> None:
    raw = seal(statement({"good": True}, "https://example.com/good/v1"), signer("bob"))
    assert judge(raw) == (1, ["attestation.type"])


def test_a_predicate_under_another_types_name(judge: Judge) -> None:
    raw = seal(statement(type="https://in-toto.io/attestation/vulns/v0.2"), signer("bob"))
    assert judge(raw) == (1, ["attestation.predicate"])


@pytest.mark.parametrize("type", ["text/plain", "application/json", "application/vnd.in-toto", "", "APPLICATION/VND"])
def test_the_wrong_payload_type_around_a_statement(judge: Judge, type: str) -> None:
    assert judge(dumped(envelope(PAYLOAD, signer("bob"), type=type))) == (1, ["attestation.signature"])


@pytest.mark.parametrize("body", [Link("build"), Layout(LATER)])
def test_a_link_or_layout_for_an_attestation(judge: Judge, body: Link | Layout) -> None:
    assert judge(seal(body, signer("bob"))) == (1, ["attestation.statement"])


def test_an_empty_predicate_is_not_a_clean_scan(judge: Judge) -> None:
    raw = seal(statement({}, "https://in-toto.io/attestation/vulns/v0.2"), signer("bob"))
    assert judge(raw) == (1, ["attestation.predicate"])


# --- malformed -----------------------------------------------------------------------------------------------------

BODY = statement().to_json()
TWICE = PAYLOAD.replace(b'"result"', b'"result": "PASSED", "result"')


@pytest.mark.parametrize(
    "payload",
    [
        TWICE,
        PAYLOAD + b"{}",
        PAYLOAD[:-1],
        b"",
        b"[]",
        PAYLOAD.replace(b'"unit"', b"NaN"),
        PAYLOAD.replace(b"unit", b"\xff\xfe"),
        dumped({**BODY, "_type": "https://in-toto.io/Statement/v2"}),
        dumped({**BODY, "subject": []}),
        dumped({**BODY, "subject": [{"name": "app"}]}),
        dumped({**BODY, "predicateType": ""}),
        dumped({**BODY, "predicate": []}),
    ],
)
def test_a_signed_payload_that_is_no_statement(judge: Judge, payload: bytes) -> None:
    assert judge(dumped(envelope(payload, signer("bob")))) == (1, ["attestation.signature"])


@pytest.mark.parametrize(
    "raw",
    [b"", b"\n", b"{}", b"null", b"[]", b"\x1f\x8b\x08", b"[" * 100_000, HONEST[:-2], HONEST + b"x",
     HONEST.replace(b'"payload"', b'"payload": "", "payload"')],
)  # fmt: skip
def test_a_file_that_holds_nothing_that_can_be_judged(judge: Judge, raw: bytes) -> None:
    assert judge(raw) == (1, ["attestation.signature"])


# --- several -------------------------------------------------------------------------------------------------------


def test_a_bad_copy_hidden_behind_a_good_one_of_the_same_type(judge: Judge) -> None:
    bad = seal(statement({**PASSED, "result": "FAILED"}), signer("bob"))
    for lines in ([HONEST, bad], [bad, HONEST]):
        assert judge(b"\n".join(lines)) == (1, ["attestation.result"])


def test_strangers_can_neither_add_a_pass_nor_take_one_away(judge: Judge) -> None:
    stranger = seal(statement({**PASSED, "result": "FAILED"}), signer("eve"))
    praise = seal(statement(), signer("eve"))
    bad = seal(statement({**PASSED, "result": "FAILED"}), signer("bob"))
    assert judge(HONEST + b"\n" + stranger) == (0, [])
    assert judge(bad + b"\n" + praise) == (1, ["attestation.result"])
    assert judge(stranger + b"\n" + praise) == (1, ["attestation.none"])


def test_parts_of_several_documents_do_not_make_one_good_one(judge: Judge) -> None:
    # Bob signed about another file, and somebody else about this one.
    elsewhere = seal(statement(digests=hashed(b"app 2")), signer("bob"))
    stranger = seal(statement(), signer("eve"))
    assert judge(elsewhere + b"\n" + stranger) == (1, ["attestation.none"])


def test_lines_beyond_the_limit(judge: Judge, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.json").write_bytes(b"{}\n" * 65_537)
    assert main(["verify-attestation", "a.json", "--key", "bob.pub"]) == 2
    assert "evidence_files" in capsys.readouterr().err


# --- what must pass all the same -----------------------------------------------------------------------------------


def test_honest_attestations_in_every_legal_form(judge: Judge) -> None:
    document = json.loads(HONEST)
    url_safe = document["payload"].replace("+", "-").replace("/", "_")
    nameless = [{"sig": entry["sig"]} for entry in document["signatures"]]
    for raw in (
        dumped({**document, "payload": url_safe}),
        dumped({**document, "signatures": nameless, "more": 1}),
        json.dumps(document, indent=2).encode(),
        dumped(envelope(PAYLOAD, signer("bob"), type="application/vnd.in-toto.test-result+json")),
        dumped(envelope(PAYLOAD, signer("eve"), signer("bob"))),
        dumped(envelope(dumped({**BODY, "_type": "https://in-toto.io/Statement/v0.1"}), signer("bob"))),
        seal(statement(digests=hashed(APP, "sha512")), signer("bob")),
        seal(statement(digests={**hashed(APP), **hashed(b"x", "md5"), "gce_image_id": "image 7"}), signer("bob")),
    ):
        assert judge(raw) == (0, [])
    assert judge(HONEST, about=("--digest", f"sha256:{hashed(APP)['sha256'].upper()}")) == (0, [])
