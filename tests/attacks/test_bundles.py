"""Sigstore bundles: each proof is forged, left out or borrowed in turn, and each time just that check refuses.

The baseline passes; then one part is made wrong and everything else stays right: what is forged is entered by the log,
signed by the authority and so on, so that no other check could have caught it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from navicert.crypto.trusted_root import TrustedRoot
from navicert.digest import DigestSet
from navicert.model.identity import IdentityPolicy
from navicert.model.statement import ResourceDescriptor, Statement
from navicert.testing import NOW, signer
from navicert.testing.bundle import Kind, as_bytes, checkpoint, keyed, keyless
from navicert.testing.sigstore import ISSUER, SAN, SIGNED, PrivateSigstore, b64, der, ecdsa, private_key
from navicert.trust.sigstore import open_trusted_root
from navicert.verdict import Check
from navicert.verify.bundle import Judged, judge_bytes

OURS = PrivateSigstore()
THEIRS = PrivateSigstore("evil")
ROOT = OURS.root()
APP = Statement((ResourceDescriptor("app", None, DigestSet.of({"sha256": "ab" * 32})),), "https://example.com/tested")
EVIL = Statement((ResourceDescriptor("app", None, DigestSet.of({"sha256": "cd" * 32})),), "https://example.com/tested")
FILE = b"a released file"
BOB = signer("bob")
EPHEMERAL = private_key("private ephemeral P-256")


def judged(bundle: Any, root: Any = ROOT, at=NOW, **more: Any) -> Judged:
    raw = bundle if isinstance(bundle, bytes) else as_bytes(bundle)
    more = {"wanted": [OURS.policy], **more}
    return judge_bytes(raw, TrustedRoot.read(json.dumps(root).encode()), at, path="app.sigstore.json", **more)


def causes(check: Check) -> list[Check]:
    """What decided against, without what merely follows."""
    leaves = (leaf for _, leaf in check.walk() if leaf.leaf is not None and leaf.cause is None)
    return [leaf for leaf in leaves if not leaf.outcome.passes]


def refused(result: Judged) -> tuple[str, str]:
    """The one check that refused, and its reason."""
    assert not result.passed
    assert (result.document, result.digests, result.message, result.identity, result.key) == (None,) * 5
    assert result.times == ()
    (cause,) = causes(result.check)
    return cause.id, cause.reason


def changed(document: Any, *steps: str | int, to: Any) -> Any:
    """A copy of `document` in which what stands at `steps` is `to`, or what `to` makes of it; None takes it away."""
    document = json.loads(json.dumps(document))
    place = document
    for step in steps[:-1]:
        place = place[step]
    if to is None:
        del place[steps[-1]]
    else:
        place[steps[-1]] = to(place[steps[-1]]) if callable(to) else to
    return document


def flipped(text: str) -> str:
    """Base64 with one bit of what it says changed."""
    raw = bytearray(base64.b64decode(text))
    raw[len(raw) // 2] ^= 1
    return b64(bytes(raw))


MATERIAL = "verificationMaterial"
ENTRY = (MATERIAL, "tlogEntries", 0)
PROOF = (*ENTRY, "inclusionProof")
STAMP = (MATERIAL, "timestampVerificationData", "rfc3161Timestamps", 0, "signedTimestamp")
GOOD = keyless(OURS, APP)
TILES = keyless(OURS, APP, kind="hashedrekord/0.0.2")
UNLOGGED = keyless(OURS, APP, kind=None, certificate={"sct": False})
GITHUB_ROOT = OURS.root(logs=False, ctlogs=False)

KINDS: list[Kind] = [
    "dsse/0.0.1",
    "dsse/0.0.2",
    "intoto/0.0.1",
    "intoto/0.0.2",
    "hashedrekord/0.0.1",
    "hashedrekord/0.0.2",
]


class TestBaseline:
    @pytest.mark.parametrize("kind", KINDS)
    def test_every_kind_of_entry_passes(self, kind) -> None:
        result = judged(keyless(OURS, APP, kind=kind))
        assert result.passed, causes(result.check)
        assert result.document is not None
        assert result.document.body == APP
        assert result.document.identities == (OURS.identity,)
        assert result.document.signers == ()
        assert [time.at for time in result.times] == [SIGNED]

    @pytest.mark.parametrize("version", ["0.1", "0.2", "0.3"])
    def test_every_version_passes(self, version) -> None:
        assert judged(keyless(OURS, APP, version=version)).passed

    @pytest.mark.parametrize("kind", ["hashedrekord/0.0.1", "hashedrekord/0.0.2"])
    @pytest.mark.parametrize("curve", ["P-256", "P-384"])
    def test_signatures_of_files_pass_by_content_and_by_digest(self, kind, curve) -> None:
        bundle = keyless(OURS, FILE, kind=kind, curve=curve)
        result = judged(bundle, artifact=FILE)
        assert result.passed, causes(result.check)
        assert result.message == FILE
        assert result.digests is not None
        assert judged(bundle, artifact=result.digests).passed

    def test_an_instance_without_logs_passes_by_its_timestamp(self) -> None:
        result = judged(UNLOGGED, GITHUB_ROOT)
        assert result.passed, causes(result.check)
        assert [time.source for time in result.times] == ["timestamp"]

    def test_the_promise_of_a_log_suffices_for_the_first_version(self) -> None:
        assert judged(changed(keyless(OURS, APP, version="0.1"), *PROOF, to=None)).passed

    def test_a_timestamp_and_a_promise_both_count(self) -> None:
        result = judged(keyless(OURS, APP, stamped=True))
        assert {time.source for time in result.times} == {"log", "timestamp"}

    @pytest.mark.parametrize("kind", [None, *KINDS])
    @pytest.mark.parametrize("keytype", ["ed25519", "ecdsa"])
    def test_keys_sign_without_certificates(self, kind, keytype) -> None:
        bob = signer("bob", keytype)
        result = judged(keyed(OURS, APP, bob, kind=kind, stamped=None), wanted=(), keys=[bob.key])
        assert result.passed, causes(result.check)
        assert result.key == bob.key
        assert result.document is not None
        assert (result.document.signers, result.document.identities) == ((bob.key,), ())
        assert result.document.times == result.times


def v1(change: Callable[[dict[str, Any]], object], content: Any = APP, kind: Any = "dsse/0.0.1", **more: Any) -> Any:
    return keyless(OURS, content, kind=kind, body=change, **more)


def _relogged(bundle: Any, other: Any) -> Any:
    """`bundle` with the log entry of `other`, which is right in itself."""
    return changed(bundle, MATERIAL, "tlogEntries", to=other[MATERIAL]["tlogEntries"])


def _pem(certificate: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    raw: bytes = certificate.public_bytes(Encoding.PEM)
    return raw


def _spki(private: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    raw: bytes = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return raw


NO_CHAIN = "bundle.chain"
"""Without a chain it is not known who issued the certificate, so what a log of certificates saw is not judged."""

NO_TIME = "bundle.time"
"""Without a time there is no chain to judge."""

TREE = base64.b64decode(GOOD[MATERIAL]["tlogEntries"][0]["inclusionProof"]["rootHash"])


ATTACKS: dict[str, tuple[Any, str, str]] = {
    # -- the content and its signature
    "the content is exchanged": (
        changed(GOOD, "dsseEnvelope", "payload", to=keyless(OURS, EVIL)["dsseEnvelope"]["payload"]),
        "bundle.signature bundle.body",
        "not made with the key of its certificate over this content",
    ),
    "the signature is damaged": (
        changed(GOOD, "dsseEnvelope", "signatures", 0, "sig", to=flipped),
        "bundle.signature bundle.body",
        "not made with the key of its certificate",
    ),
    "a second signature is added": (
        changed(GOOD, "dsseEnvelope", "signatures", to=lambda found: found * 2),
        "bundle.form",
        "an envelope in a bundle has one signature",
    ),
    "the signature is left out": (
        changed(GOOD, "dsseEnvelope", "signatures", to=[]),
        "bundle.form",
        "an envelope in a bundle has one signature",
    ),
    "the signature is empty": (
        changed(GOOD, "dsseEnvelope", "signatures", 0, "sig", to=""),
        "bundle.form",
        "one signature",
    ),
    "two contents are in it": (
        GOOD | {"messageSignature": keyless(OURS, FILE)["messageSignature"]},
        "bundle.form",
        "one of dsseEnvelope",
    ),
    "no content is in it": (changed(GOOD, "dsseEnvelope", to=None), "bundle.form", "one of dsseEnvelope"),
    "the payload is of another type": (
        keyless(OURS, APP, payload_type="text/plain"),
        "bundle.form",
        "unknown payload type",
    ),
    # -- the certificate
    "no certificate is in it": (
        changed(GOOD, MATERIAL, "certificate", to=None),
        "bundle.form",
        "does not say who signed",
    ),
    "it names a certificate and a key": (
        changed(GOOD, MATERIAL, to=lambda found: found | {"publicKey": {"hint": "a"}}),
        "bundle.form",
        "says it twice",
    ),
    "the certificate is of another instance": (
        keyless(OURS, APP, certificate={"by": (THEIRS.between, THEIRS.between_key)}),
        NO_CHAIN,
        "no certificate authority of the trust root issued it",
    ),
    "the certificate is signed by nobody": (
        keyless(OURS, APP, certificate={"by": (OURS.between, THEIRS.between_key)}),
        NO_CHAIN,
        "no certificate authority of the trust root issued it",
    ),
    "the certificate had expired when it was used": (
        keyless(OURS, APP, certificate={"start": SIGNED - timedelta(hours=2)}),
        NO_CHAIN,
        "it was valid",
    ),
    "the certificate was used before it held": (
        keyless(OURS, APP, certificate={"start": SIGNED + timedelta(minutes=1)}),
        NO_CHAIN,
        "it was valid",
    ),
    "the certificate is for other purposes": (
        keyless(OURS, APP, certificate={"purposes": ["1.3.6.1.5.5.7.3.1"]}),
        NO_CHAIN,
        "for other purposes",
    ),
    "the certificate must not sign": (keyless(OURS, APP, certificate={"sign": False}), NO_CHAIN, "may not sign"),
    "the certificate is that of an authority": (
        keyless(OURS, APP, certificate={"ca": True}),
        NO_CHAIN,
        "certificate of an authority",
    ),
    "the certificate has a critical extension that nobody knows": (
        keyless(OURS, APP, certificate={"critical": True}),
        NO_CHAIN,
        "1.2.3.4.5",
    ),
    "the certificate states two issuers": (
        keyless(OURS, APP, certificate={"issuer_v1": "https://evil.example"}),
        "bundle.certificate",
        "2 issuers",
    ),
    "the certificate states no issuer": (
        keyless(OURS, APP, certificate={"issuer_v1": "", "issuer_v2": False}),
        "bundle.certificate",
        "0 issuers",
    ),
    "the certificate is damaged": (
        changed(GOOD, MATERIAL, "certificate", "rawBytes", to=b64(b"\x30\x03\x02\x01\x01")),
        "bundle.certificate",
        "not a certificate",
    ),
    # -- the log of certificates
    "no log has seen the certificate": (
        keyless(OURS, APP, certificate={"sct": False}),
        "bundle.sct",
        "no log of certificates has seen",
    ),
    "a stranger signed for the log of certificates": (
        keyless(OURS, APP, certificate={"sct_key": THEIRS.ct_key}),
        "bundle.sct",
        "is not about this certificate",
    ),
    "the log of certificates saw it from another authority": (
        keyless(OURS, APP, certificate={"sct_issuer": bytes(32)}),
        "bundle.sct",
        "is not about this certificate",
    ),
    "a log of certificates that nobody knows saw it": (
        keyless(OURS, APP, certificate={"sct_log": bytes(32)}),
        "bundle.sct",
        "no log of certificates that the trust root",
    ),
    "the log of certificates saw it before its time": (
        keyless(OURS, APP, certificate={"sct_at": OURS.start - timedelta(seconds=1)}),
        "bundle.sct",
        "held from",
    ),
    # -- who
    "another workflow signed": (
        keyless(OURS, APP, certificate={"san": SAN.replace("build", "evil")}),
        "bundle.identity",
        "identity is",
    ),
    "another issuer vouched": (
        keyless(OURS, APP, certificate={"issuer": "https://evil.example"}),
        "bundle.identity",
        "issuer is",
    ),
    # -- the entry of the log
    "no log has entered it": (
        changed(GOOD, MATERIAL, "tlogEntries", to=[]),
        f"bundle.log {NO_TIME}",
        "no entry of a log",
    ),
    "no log has entered it, though it is stamped": (
        keyless(OURS, APP, kind=None, stamped=True),
        "bundle.log",
        "no entry of a log",
    ),
    "only another log has entered it": (
        keyless(OURS, APP, log=THEIRS, stamped=True),
        "bundle.log",
        "no entry of a log that the trust root names",
    ),
    "a stranger promised for the log": (
        changed(GOOD, *ENTRY, "inclusionPromise", "signedEntryTimestamp", to=flipped),
        f"bundle.promise {NO_TIME}",
        "did not sign this entry",
    ),
    "the promise is moved to another time": (
        changed(GOOD, *ENTRY, "integratedTime", to=lambda time: str(int(time) + 1)),
        f"bundle.promise {NO_TIME}",
        "did not sign this entry",
    ),
    "the promise is moved to another place": (
        changed(GOOD, *ENTRY, "logIndex", to=lambda index: str(int(index) + 1)),
        f"bundle.promise {NO_TIME}",
        "did not sign this entry",
    ),
    "the promise has no time": (
        changed(GOOD, *ENTRY, "integratedTime", to=None),
        f"bundle.promise {NO_TIME}",
        "has no time",
    ),
    "the time of the log is stated and not promised": (
        changed(GOOD, *ENTRY, "inclusionPromise", to=None),
        NO_TIME,
        "nobody whom the trust root names says when",
    ),
    "the proof of inclusion is left out": (changed(GOOD, *PROOF, to=None), "bundle.inclusion", "no proof of inclusion"),
    "neither promise nor proof is there": (
        changed(
            changed(keyless(OURS, APP, version="0.1", stamped=True), *PROOF, to=None),
            *ENTRY,
            "inclusionPromise",
            to=None,
        ),
        "bundle.inclusion",
        "no proof of inclusion",
    ),
    "the checkpoint is left out": (
        changed(GOOD, *PROOF, "checkpoint", to=None),
        "bundle.inclusion",
        "nobody has signed the proof",
    ),
    "the checkpoint is signed by a stranger": (
        changed(
            GOOD,
            *PROOF,
            "checkpoint",
            "envelope",
            to=lambda note: note.replace(
                note.split()[-1],
                b64(OURS.rekor_id[:4] + ecdsa(THEIRS.rekor_key, note.partition("\n\n")[0].encode() + b"\n")),
            ),
        ),
        "bundle.inclusion",
        "did not sign the checkpoint",
    ),
    "the checkpoint is of another tree": (
        changed(GOOD, *PROOF, "checkpoint", "envelope", to=lambda _: checkpoint(OURS, 8, bytes(32))),
        "bundle.inclusion",
        "of another tree",
    ),
    "the checkpoint is of a larger tree": (
        changed(GOOD, *PROOF, "checkpoint", "envelope", to=lambda _: checkpoint(OURS, 9, TREE)),
        "bundle.inclusion",
        "of another tree",
    ),
    "the checkpoint is no note": (
        changed(GOOD, *PROOF, "checkpoint", "envelope", to="rekor says yes"),
        "bundle.inclusion",
        "bad checkpoint",
    ),
    "the proof is of another place": (
        changed(GOOD, *PROOF, "logIndex", to="2"),
        "bundle.inclusion",
        "does not lead from this entry",
    ),
    "the proof has another sibling": (
        changed(GOOD, *PROOF, "hashes", 0, to=flipped),
        "bundle.inclusion",
        "does not lead from this entry",
    ),
    "the proof lacks a sibling": (
        changed(GOOD, *PROOF, "hashes", to=lambda found: found[:-1]),
        "bundle.inclusion",
        "does not lead from this entry",
    ),
    "the proof has a sibling too many": (
        changed(GOOD, *PROOF, "hashes", to=lambda found: [*found, b64(bytes(32))]),
        "bundle.inclusion",
        "does not lead from this entry",
    ),
    # -- what the log entered (CVE-2022-36056, CVE-2022-23649, CVE-2026-22703)
    "the entry of another statement is borrowed": (
        _relogged(GOOD, keyless(OURS, EVIL)),
        "bundle.body",
        "another content",
    ),
    "the entry of another signature of the same statement is borrowed": (
        _relogged(GOOD, keyless(OURS, APP)),
        "bundle.body",
        "another signature",
    ),
    "the entry of another signer is borrowed": (
        v1(lambda body: body["spec"]["signatures"][0].update(verifier=b64(BOB.key.public_pem()))),
        "bundle.body",
        "not certificates in PEM",
    ),
    "the entry of another certificate of the same key is borrowed": (
        v1(
            lambda body: body["spec"]["signatures"][0].update(
                verifier=b64(_pem(OURS.certificate(EPHEMERAL, san="x@y.example")))
            )
        ),
        "bundle.body",
        "another signer",
    ),
    "the entry has two signatures": (
        v1(lambda body: body["spec"].update(signatures=body["spec"]["signatures"] * 2)),
        "bundle.body",
        "not one signature",
    ),
    "the entry has no signature": (
        v1(lambda body: body["spec"].update(signatures=[])),
        "bundle.body",
        "not one signature",
    ),
    "the entry is called something else": (
        changed(GOOD, *ENTRY, "kindVersion", "kind", to="intoto"),
        "bundle.body",
        "the bundle calls it intoto",
    ),
    "the entry is of an unknown kind": (
        changed(v1(lambda body: body.update(kind="helm")), *ENTRY, "kindVersion", "kind", to="helm"),
        "bundle.body",
        "entries of kind helm 0.0.1 are not known",
    ),
    "the entry says less than it must": (
        v1(lambda body: body["spec"].pop("payloadHash")),
        "bundle.body",
        "payloadHash",
    ),
    "the entry names a weak hash": (
        v1(lambda body: body["spec"].update(payloadHash={"algorithm": "sha1", "value": "a" * 40})),
        "bundle.body",
        "unknown hash",
    ),
    "the entry of a file stands for a statement": (
        _relogged(GOOD, keyless(OURS, FILE)),
        "bundle.body",
        "another content",
    ),
    "an old entry names another payload": (
        v1(lambda body: body["spec"]["content"]["payloadHash"].update(value="0" * 64), kind="intoto/0.0.1"),
        "bundle.body",
        "another content",
    ),
    "an old entry names another envelope": (
        v1(lambda body: body["spec"]["content"].pop("payloadHash"), kind="intoto/0.0.1"),
        "bundle.body",
        "another content",
    ),
    "an old entry names another key": (
        v1(
            lambda body: body["spec"].update(publicKey=b64(_pem(OURS.certificate(private_key("other"))))),
            kind="intoto/0.0.1",
        ),
        "bundle.body",
        "another signer",
    ),
    "an entry with the envelope names another type": (
        v1(lambda body: body["spec"]["content"]["envelope"].update(payloadType="text/plain"), kind="intoto/0.0.2"),
        "bundle.body",
        "another payload type",
    ),
    "an entry with the envelope has another signature": (
        v1(
            lambda body: body["spec"]["content"]["envelope"]["signatures"][0].update(sig=b64(b64(b"other").encode())),
            kind="intoto/0.0.2",
        ),
        "bundle.body",
        "another signature",
    ),
    "an entry of the new log names another digest": (
        v1(
            lambda body: body["spec"]["hashedRekordV002"]["data"].update(digest=b64(bytes(32))),
            kind="hashedrekord/0.0.2",
        ),
        "bundle.body",
        "another content",
    ),
    "an entry of the new log has another signature": (
        v1(
            lambda body: body["spec"]["hashedRekordV002"]["signature"].update(content=b64(b"x")),
            kind="hashedrekord/0.0.2",
        ),
        "bundle.body",
        "another signature",
    ),
    "an entry of the new log names another certificate": (
        v1(
            lambda body: body["spec"]["hashedRekordV002"]["signature"]["verifier"]["x509Certificate"].update(
                rawBytes=b64(der(OURS.certificate(EPHEMERAL, san="x@y.example")))
            ),
            kind="hashedrekord/0.0.2",
        ),
        "bundle.body",
        "another signer",
    ),
    "an entry of the new log names a key in place of the certificate": (
        v1(
            lambda body: body["spec"]["hashedRekordV002"]["signature"].update(
                verifier={"publicKey": {"rawBytes": b64(_spki(EPHEMERAL))}}
            ),
            kind="hashedrekord/0.0.2",
        ),
        "bundle.body",
        "another signer",
    ),
    "an entry of the new log names a hash that nobody knows": (
        v1(
            lambda body: body["spec"]["hashedRekordV002"]["data"].update(algorithm="SHA1"),
            kind="hashedrekord/0.0.2",
        ),
        "bundle.body",
        "unknown hash",
    ),
    "an entry of the new log names no signer": (
        v1(
            lambda body: body["spec"]["hashedRekordV002"]["signature"].update(verifier={"keyDetails": "x"}),
            kind="hashedrekord/0.0.2",
        ),
        "bundle.body",
        "does not name one signer",
    ),
    "an entry of the new log names two signers": (
        v1(
            lambda body: body["spec"]["hashedRekordV002"]["signature"]["verifier"].update(
                publicKey={"rawBytes": b64(_spki(EPHEMERAL))}
            ),
            kind="hashedrekord/0.0.2",
        ),
        "bundle.body",
        "does not name one signer",
    ),
    "an entry of an envelope stands beside the signature of a file": (
        _relogged(keyless(OURS, b"file", kind="hashedrekord/0.0.1"), keyless(OURS, APP, kind="dsse/0.0.1")),
        "bundle.signature bundle.body",
        "no file was given",
    ),
    "an entry of the new log carries no checkpoint": (
        changed(TILES, *PROOF, "checkpoint", to=None),
        "bundle.inclusion",
        "nobody has signed the proof",
    ),
    # -- when
    "the new log says no time, and nobody else does": (
        keyless(OURS, APP, kind="hashedrekord/0.0.2", stamped=False),
        NO_TIME,
        "says when",
    ),
    "the timestamp is of another signature": (
        keyless(OURS, APP, kind="hashedrekord/0.0.2", stamp={"message": b"another signature"}),
        f"bundle.timestamp {NO_TIME}",
        "about other bytes",
    ),
    "the timestamp is of another authority": (
        keyless(OURS, APP, kind="hashedrekord/0.0.2", tsa=THEIRS),
        NO_TIME,
        "says when",
    ),
    "the timestamp carries a stranger's certificate first": (
        changed(
            TILES,
            *STAMP,
            to=lambda _: b64(
                THEIRS.tsa.respond(
                    base64.b64decode(TILES["dsseEnvelope"]["signatures"][0]["sig"]),
                    SIGNED,
                    named=der(OURS.tsa.certificate),
                    carried=(der(THEIRS.tsa.certificate), der(OURS.tsa.certificate)),
                )
            ),
        ),
        f"bundle.timestamp {NO_TIME}",
        "did not sign it",
    ),
    "the timestamp does not name who signed": (
        keyless(OURS, APP, kind="hashedrekord/0.0.2", stamp={"name_it": False}),
        NO_TIME,
        "says when",
    ),
    "the timestamp states another digest than it signs": (
        keyless(OURS, APP, kind="hashedrekord/0.0.2", stamp={"stated_digest": bytes(32)}),
        f"bundle.timestamp {NO_TIME}",
        "did not sign it",
    ),
    "the timestamp was refused": (
        keyless(OURS, APP, kind="hashedrekord/0.0.2", stamp={"status": 2}),
        f"bundle.timestamp {NO_TIME}",
        "authority refused",
    ),
    "the timestamp is something else that the authority signed": (
        keyless(OURS, APP, kind="hashedrekord/0.0.2", stamp={"kind": "1.2.840.113549.1.7.1"}),
        f"bundle.timestamp {NO_TIME}",
        "unknown content of a timestamp",
    ),
    "the timestamp has two signers": (
        keyless(OURS, APP, kind="hashedrekord/0.0.2", stamp={"signers": 2}),
        f"bundle.timestamp {NO_TIME}",
        "signers of a timestamp",
    ),
    "the timestamp states two digests": (
        keyless(OURS, APP, kind="hashedrekord/0.0.2", stamp={"twice": True}),
        f"bundle.timestamp {NO_TIME}",
        "comes twice",
    ),
    "the timestamp comes twice": (
        changed(TILES, MATERIAL, "timestampVerificationData", "rfc3161Timestamps", to=lambda found: found * 2),
        "bundle.form",
        "one timestamp comes twice",
    ),
    "the timestamp is from after the certificate": (
        keyless(OURS, APP, kind="hashedrekord/0.0.2", stamp={"moment": SIGNED + timedelta(minutes=10, seconds=1)}),
        NO_CHAIN,
        "it was valid",
    ),
    "one of two times is from after the certificate": (
        keyless(OURS, APP, stamped=True, stamp={"moment": SIGNED + timedelta(days=1)}),
        NO_CHAIN,
        "it was valid",
    ),
    "it is from after the moment that is judged for": (
        keyless(OURS, APP, at=NOW + timedelta(hours=1)),
        "bundle.time",
        "which is after",
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_is_refused_for_its_own_reason(attack: str) -> None:
    bundle, ids, reason = ATTACKS[attack]
    result = judged(bundle)
    found = causes(result.check)
    # What merely follows (without a time no chain, without a chain no issuer) comes after.
    assert [cause.id for cause in found] == ids.split()
    assert reason in found[0].reason
    assert (result.document, result.digests, result.identity, result.key, result.times) == (None, None, None, None, ())


class TestTrustRoot:
    """Everything in a trust root holds for a time, both ends included, and what it names must be proved."""

    LATE = "2025-12-02T00:00:01Z"
    EARLY = "2025-12-01T23:59:59Z"
    JUST = "2025-12-02T00:00:00Z"

    @pytest.mark.parametrize(
        ("place", "ids"),
        [
            (("tlogs", 0, "publicKey"), ["bundle.log-key"]),
            (("ctlogs", 0, "publicKey"), ["bundle.sct"]),
            (("certificateAuthorities", 0), ["bundle.chain"]),
        ],
    )
    @pytest.mark.parametrize("window", [{"start": LATE}, {"start": "2020-01-01T00:00:00Z", "end": EARLY}])
    def test_a_key_outside_of_its_time_proves_nothing(self, place, ids, window) -> None:
        bundle = keyless(OURS, APP, certificate={"start": SIGNED})
        result = judged(bundle, changed(ROOT, *place, "validFor", to=window))
        assert [cause.id for cause in causes(result.check)] == ids
        for exact in ({"start": self.JUST}, {"start": "2020-01-01T00:00:00.000Z", "end": self.JUST}):
            assert judged(bundle, changed(ROOT, *place, "validFor", to=exact)).passed

    @pytest.mark.parametrize("window", [{"start": LATE}, {"start": "2020-01-01T00:00:00Z", "end": EARLY}])
    def test_a_timestamp_authority_outside_of_its_time_proves_nothing(self, window) -> None:
        result = judged(TILES, changed(ROOT, "timestampAuthorities", 0, "validFor", to=window))
        assert causes(result.check)[0].id == "bundle.timestamp"
        assert judged(TILES, changed(ROOT, "timestampAuthorities", 0, "validFor", to={"start": self.JUST})).passed

    @pytest.mark.parametrize("window", [{"start": LATE}, {"start": "2020-01-01T00:00:00Z", "end": EARLY}])
    def test_the_key_of_a_log_that_says_no_time_is_judged_at_the_timestamp(self, window) -> None:
        assert (
            refused(judged(TILES, changed(ROOT, "tlogs", 1, "publicKey", "validFor", to=window)))[0] == "bundle.log-key"
        )

    @pytest.mark.parametrize("name", ["tlogs", "ctlogs", "certificateAuthorities"])
    def test_of_another_instance_nothing_is_believed(self, name) -> None:
        result = judged(keyless(OURS, APP, stamped=True), ROOT | {name: THEIRS.root()[name]})
        assert not result.passed

    def test_a_root_that_names_logs_makes_them_necessary(self) -> None:
        assert refused(judged(UNLOGGED, OURS.root(ctlogs=False)))[0] == "bundle.log"
        assert refused(judged(UNLOGGED, OURS.root(logs=False)))[0] == "bundle.sct"

    def test_a_log_that_cannot_be_checked_is_not_taken_for_none(self) -> None:
        root = changed(ROOT, "ctlogs", 0, "publicKey", "keyDetails", to="PKIX_ML_DSA_65")
        root = changed(root, "tlogs", to=root["tlogs"][:1])
        root = changed(root, "tlogs", 0, "publicKey", "keyDetails", to="PKIX_ML_DSA_65")
        found = causes(judged(UNLOGGED, root).check)
        assert [cause.id for cause in found] == ["bundle.log", "bundle.sct"]
        assert "keys of the kind PKIX_ML_DSA_65 are not supported" in found[0].reason

    def test_a_root_without_timestamps_believes_none(self) -> None:
        assert causes(judged(TILES, OURS.root(timestamps=False)).check)[0].id == "bundle.time"

    def test_the_public_root_does_not_know_a_private_instance(self) -> None:
        root = open_trusted_root()
        result = judge_bytes(as_bytes(GOOD), root, NOW, wanted=[OURS.policy])
        assert causes(result.check)[0].id == "bundle.log"

    @pytest.mark.parametrize(
        ("authority", "problem"),
        [
            ({"ca": False}, "may not issue certificates"),
            ({"ca": False, "certify": True}, "may not issue certificates"),
            ({"ca": True, "certify": False}, "may not issue certificates"),
            ({"end": SIGNED - timedelta(days=1)}, "was not valid at"),
            ({"start": SIGNED + timedelta(days=1)}, "was not valid at"),
            ({"purpose": "1.3.6.1.5.5.7.3.8"}, "is for other purposes"),
            ({"critical": True}, "1.2.3.4.5"),
        ],
    )
    def test_an_authority_that_must_not_issue_does_not(self, authority, problem) -> None:
        between = OURS.authority("odd", OURS.between_key, by=(OURS.ca, OURS.ca_key), **authority)
        root = changed(
            ROOT, "certificateAuthorities", 0, "certChain", "certificates", 0, "rawBytes", to=b64(der(between))
        )
        found = causes(judged(keyless(OURS, APP, certificate={"by": (between, OURS.between_key)}), root).check)
        assert found[0].id == "bundle.chain"
        assert problem in found[0].reason

    def test_an_authority_stands_no_further_above_than_it_may(self) -> None:
        top = OURS.authority("top", OURS.ca_key, path_length=0)
        between = OURS.authority("odd", OURS.between_key, by=(top, OURS.ca_key))
        chain = [{"rawBytes": b64(der(one))} for one in (between, top)]
        root = changed(ROOT, "certificateAuthorities", 0, "certChain", "certificates", to=chain)
        found = causes(judged(keyless(OURS, APP, certificate={"by": (between, OURS.between_key)}), root).check)
        assert "may not stand so far above" in found[0].reason

    def test_an_intermediate_that_comes_along_helps_only_up_to_the_root(self) -> None:
        anchor_only = changed(
            ROOT, "certificateAuthorities", 0, "certChain", "certificates", to=[{"rawBytes": b64(der(OURS.ca))}]
        )
        assert judged(keyless(OURS, APP, version="0.2"), anchor_only).passed
        assert causes(judged(GOOD, anchor_only).check)[0].id == "bundle.chain"
        evil = changed(
            keyless(OURS, APP, version="0.2", certificate={"by": (THEIRS.between, THEIRS.between_key)}),
            MATERIAL, "x509CertificateChain", "certificates",
            to=lambda found: [found[0], *({"rawBytes": b64(der(one))} for one in (THEIRS.between, THEIRS.ca))],
        )  # fmt: skip
        assert causes(judged(evil).check)[0].id == "bundle.chain"

    @pytest.mark.parametrize(
        ("timestamps", "problem"),
        [
            ({"purposes": ["1.3.6.1.5.5.7.3.8", "1.3.6.1.5.5.7.3.3"]}, "not for timestamps alone"),
            ({"purposes": ["1.3.6.1.5.5.7.3.3"]}, "not for timestamps alone"),
            ({"critical": False}, "not for timestamps alone"),
            ({"end": SIGNED - timedelta(days=1)}, "it was valid"),
        ],
    )
    def test_a_timestamp_authority_needs_its_own_kind_of_certificate(self, timestamps, problem) -> None:
        odd = OURS.timestamps(**timestamps)
        chain = [{"rawBytes": b64(der(one))} for one in (odd.certificate, OURS.tsa_root)]
        root = changed(ROOT, "timestampAuthorities", 0, "certChain", "certificates", to=chain)
        token = odd.respond(base64.b64decode(TILES["dsseEnvelope"]["signatures"][0]["sig"]), SIGNED)
        found = causes(judged(changed(TILES, *STAMP, to=b64(token)), root).check)
        assert found[0].id == "bundle.timestamp"
        assert problem in found[0].reason

    def test_a_certificate_for_timestamps_that_came_along_is_judged_up_to_the_root(self) -> None:
        # Where the trust root names no certificate that signs, the token's own one will do, if the root issued it.
        root = changed(
            ROOT, "timestampAuthorities", 0, "certChain", "certificates", to=[{"rawBytes": b64(der(OURS.tsa_root))}]
        )
        assert judged(TILES, root).passed
        theirs = keyless(OURS, APP, kind="hashedrekord/0.0.2", tsa=THEIRS)
        assert causes(judged(theirs, root).check)[0].reason == (
            "the certificate of tsa.private.example does not hold: no certificate authority of the trust root issued it"
        )


class TestWho:
    def test_without_a_wanted_identity_nobody_is_meant(self) -> None:
        assert refused(judged(GOOD, wanted=())) == (
            "bundle.identity",
            f"signed by {SAN} ({ISSUER}), and no identity is wanted",
        )

    def test_a_key_that_was_asked_for_does_not_make_an_identity_right(self) -> None:
        assert refused(judged(GOOD, wanted=(), keys=[BOB.key]))[0] == "bundle.identity"

    def test_any_of_several_identities_will_do(self) -> None:
        other = IdentityPolicy.exactly("ann@example.com", "https://accounts.example.com")
        assert judged(GOOD, wanted=[other, OURS.policy]).passed
        assert refused(judged(GOOD, wanted=[other]))[0] == "bundle.identity"

    def test_claims_are_compared(self) -> None:
        claims = {"sourceRepositoryURI": "https://github.com/acme/app", "runnerEnvironment": "github-hosted"}
        bundle = keyless(OURS, APP, certificate={"claims": claims})
        assert judged(bundle, wanted=[IdentityPolicy.exactly(SAN, ISSUER, **claims)]).passed
        wrong = IdentityPolicy.exactly(SAN, ISSUER, **(claims | {"runnerEnvironment": "self-hosted"}))
        assert "runnerEnvironment is" in refused(judged(bundle, wanted=[wrong]))[1]
        assert "runnerEnvironment is missing" in refused(judged(GOOD, wanted=[wrong]))[1]

    def test_the_old_form_of_the_issuer_alone_and_the_new_one_alone_both_count(self) -> None:
        assert judged(keyless(OURS, APP, certificate={"issuer_v2": False})).passed
        assert judged(keyless(OURS, APP, certificate={"issuer_v1": ""})).passed

    def test_people_are_known_by_their_address(self) -> None:
        bundle = keyless(OURS, APP, certificate={"san": "ann@example.com"})
        result = judged(bundle, wanted=None)
        assert result.identity is not None
        assert result.identity.san == "ann@example.com"

    def test_two_names_in_one_certificate_are_nobody(self) -> None:
        from cryptography import x509

        names = [x509.UniformResourceIdentifier(SAN), x509.RFC822Name("ann@example.com")]
        assert refused(judged(keyless(OURS, APP, certificate={"san": names})))[0] == "bundle.certificate"
        assert refused(judged(keyless(OURS, APP, certificate={"san": [x509.DNSName("a.example")]})))[0] == (
            "bundle.certificate"
        )


class TestKeys:
    def test_a_key_that_was_not_given_proves_nothing(self) -> None:
        bundle = keyed(OURS, APP, BOB)
        assert refused(judged(bundle, keys=[])) == (
            "bundle.signature",
            "it is signed with a key, and no key was given to compare with",
        )
        assert refused(judged(bundle, keys=[signer("eve").key]))[0] == "bundle.signature"

    def test_a_hint_is_no_proof(self) -> None:
        eve = signer("eve")
        forged = changed(keyed(OURS, APP, eve), MATERIAL, "publicKey", "hint", to=BOB.keyid)
        forged = changed(forged, "dsseEnvelope", "signatures", 0, "keyid", to=BOB.keyid)
        assert refused(judged(forged, keys=[BOB.key]))[0] == "bundle.signature"

    def test_hint_and_key_id_must_agree(self) -> None:
        forged = changed(keyed(OURS, APP, BOB), MATERIAL, "publicKey", "hint", to="f" * 64)
        assert refused(judged(forged, keys=[BOB.key]))[0] == "bundle.form"

    def test_without_a_hint_every_key_is_tried(self) -> None:
        assert judged(keyed(OURS, APP, BOB, hint=""), keys=[signer("eve").key, BOB.key]).passed

    def test_the_entry_of_another_key_is_not_borrowed(self) -> None:
        eve = keyed(OURS, APP, signer("eve"), kind="dsse/0.0.1")
        assert (
            refused(judged(_relogged(keyed(OURS, APP, BOB, kind="dsse/0.0.1"), eve), keys=[BOB.key]))[0]
            == "bundle.body"
        )

    def test_what_comes_along_is_judged_though_nobody_asked_for_it(self) -> None:
        bundle = keyed(OURS, APP, BOB, kind="dsse/0.0.1")
        damaged = changed(bundle, *ENTRY, "inclusionPromise", "signedEntryTimestamp", to=flipped)
        assert causes(judged(damaged, keys=[BOB.key]).check)[0].id == "bundle.promise"

    def test_a_file_is_signed_by_a_key(self) -> None:
        for keytype in ("ed25519", "ecdsa"):
            bob = signer("bob", keytype)  # type: ignore[arg-type]
            assert judged(keyed(OURS, FILE, bob), keys=[bob.key], artifact=FILE).passed
            assert refused(judged(keyed(OURS, FILE, bob), keys=[bob.key], artifact=b"other"))[0] == "bundle.signature"


class TestFiles:
    BUNDLE = keyless(OURS, FILE)

    def test_nothing_is_proved_about_no_file(self) -> None:
        found = causes(judged(self.BUNDLE).check)
        assert (found[0].id, found[0].reason) == (
            "bundle.signature",
            "it is over a file, and no file was given to compare with",
        )

    def test_another_file_is_refused_by_content_and_by_digest(self) -> None:
        for artifact in (b"another file", {"sha256": "0" * 64}):
            found = causes(judged(self.BUNDLE, artifact=artifact).check)
            assert found[0].id == "bundle.signature"
            assert "another file" in found[0].reason

    def test_the_stated_digest_alone_is_no_proof(self) -> None:
        other = keyless(OURS, b"another file")["messageSignature"]["messageDigest"]
        forged = changed(self.BUNDLE, "messageSignature", "messageDigest", to=other)
        assert causes(judged(forged, artifact=b"another file").check)[0].id == "bundle.signature"

    def test_a_bundle_that_states_no_digest_is_judged_by_the_file(self) -> None:
        assert judged(changed(self.BUNDLE, "messageSignature", "messageDigest", to=None), artifact=FILE).passed

    def test_digests_by_other_algorithms_do_not_decide(self) -> None:
        assert causes(judged(self.BUNDLE, artifact={"sha512": "0" * 128}).check)[0].id == "bundle.signature"

    def test_a_file_of_a_statement_changes_nothing(self) -> None:
        assert judged(GOOD, artifact=b"whatever").passed
