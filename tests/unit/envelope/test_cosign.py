"""What cosign attaches to images, read as bundles and judged as such."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography import x509
from tests.cosign_layer import annotations_of

from navicert.crypto.trusted_root import TrustedRoot
from navicert.digest import Digest, DigestSet
from navicert.envelope.cosign import (
    CERTIFICATE,
    CHAIN,
    LOGGED,
    SIGNATURE,
    TIMESTAMP,
    bundle_bytes,
    bundle_of_layer,
    signed_image,
)
from navicert.errors import Malformed, Refused
from navicert.model.statement import ResourceDescriptor, Statement
from navicert.testing import NOW, signer
from navicert.testing.bundle import keyed, keyless
from navicert.testing.sigstore import SIGNED, Json, PrivateSigstore, b64, pem
from navicert.verify.bundle import judge_bundle, judge_bytes

OURS = PrivateSigstore()
ROOT = TrustedRoot.read(OURS.root_bytes())
IMAGE = "sha256:" + "ab" * 32
APP = Statement((ResourceDescriptor("app", None, DigestSet.of({"sha256": "ab" * 32})),), "https://example.com/tested")
SIMPLE = json.dumps(
    {
        "critical": {
            "identity": {"docker-reference": "registry.example/app"},
            "image": {"docker-manifest-digest": IMAGE},
            "type": "cosign container image signature",
        },
        "optional": None,
    }
).encode()


def notes_of(bundle: Json) -> dict[str, str]:
    return annotations_of(bundle, OURS)


def attestation(**more: Any) -> tuple[bytes, dict[str, str]]:
    bundle = keyless(OURS, APP, **more)
    return json.dumps(bundle["dsseEnvelope"]).encode(), notes_of(bundle)


def judged(blob: bytes, notes: dict[str, str], **more: Any):
    more = {"wanted": [OURS.policy], **more}
    return judge_bundle(bundle_of_layer(blob, notes, path="att"), ROOT, NOW, **more)


def logged(**changes: object) -> str:
    """The annotation about the log, with parts of what is promised changed."""
    document = json.loads(attestation()[1][LOGGED])
    document["Payload"] |= changes
    return json.dumps(document)


@pytest.mark.parametrize("kind", ["dsse/0.0.1", "intoto/0.0.1", "intoto/0.0.2"])
def test_an_attestation_passes_by_the_promise_of_the_log(kind) -> None:
    result = judged(*attestation(kind=kind))
    assert result.passed
    assert result.document is not None
    assert result.document.body == APP
    assert result.identity == OURS.identity


def test_the_signature_of_an_image_passes_and_names_the_image() -> None:
    result = judged(SIMPLE, notes_of(keyless(OURS, SIMPLE)))
    assert result.passed
    assert result.message == SIMPLE
    assert signed_image(SIMPLE) == Digest.parse(IMAGE)


def test_an_attestation_by_a_key_passes_with_that_key() -> None:
    bundle = keyed(OURS, APP, signer("bob"))
    blob = json.dumps(bundle["dsseEnvelope"]).encode()
    assert judged(blob, {}, keys=[signer("bob").key]).passed
    assert judged(blob, {SIGNATURE: ""}, keys=[signer("bob").key]).passed
    assert not judged(blob, {}, keys=[signer("eve").key]).passed


def test_an_attestation_is_stamped_as_a_whole() -> None:
    bundle = keyless(OURS, APP, kind=None)
    blob = json.dumps(bundle["dsseEnvelope"]).encode()
    root = TrustedRoot.read(OURS.root_bytes(logs=False))
    for stamped, passes in ((blob, True), (base64.b64decode(bundle["dsseEnvelope"]["signatures"][0]["sig"]), False)):
        token = b64(OURS.tsa.respond(stamped, SIGNED))
        notes = notes_of(bundle) | {TIMESTAMP: json.dumps({"SignedRFC3161Timestamp": token})}
        assert judge_bundle(bundle_of_layer(blob, notes), root, NOW, wanted=[OURS.policy]).passed == passes


def test_the_envelope_that_an_old_entry_names_is_compared_byte_for_byte() -> None:
    import hashlib

    bundle = keyless(OURS, APP)
    blob = json.dumps(bundle["dsseEnvelope"]).encode()

    def oldest(digest: str) -> Any:
        def change(body: Json) -> None:
            body["spec"]["content"] = {"hash": {"algorithm": "sha256", "value": digest}}

        return change

    # The signature differs from run to run, so the entry is made for the envelope that is there.
    for digest, passes in ((hashlib.sha256(blob).hexdigest(), True), ("0" * 64, False)):
        from navicert.testing.bundle import enter

        publickey = json.loads(base64.b64decode(bundle["verificationMaterial"]["tlogEntries"][0]["canonicalizedBody"]))
        body: Json = {"apiVersion": "0.0.1", "kind": "intoto", "spec": {}}
        body["spec"]["publicKey"] = publickey["spec"]["signatures"][0]["verifier"]
        oldest(digest)(body)
        entered = enter(OURS, body, SIGNED)
        logged = {**bundle, "verificationMaterial": {**bundle["verificationMaterial"], "tlogEntries": [entered]}}
        assert judged(blob, notes_of(logged)).passed == passes


@pytest.mark.parametrize("name", [CERTIFICATE, LOGGED])
def test_without_its_proofs_it_does_not_pass(name) -> None:
    blob, notes = attestation()
    del notes[name]
    assert not judged(blob, notes).passed


def test_the_proofs_of_another_attestation_are_not_borrowed() -> None:
    blob, notes = attestation()
    _, others = attestation()
    for name in (LOGGED, SIGNATURE):
        if notes[name] != others[name]:
            assert not judged(blob, notes | {name: others[name]}).passed


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (CERTIFICATE, "no PEM"),
        (CERTIFICATE, pem(OURS.ca) + pem(OURS.between)),
        (CHAIN, "-----BEGIN CERTIFICATE-----\nAAAA\n"),
        (LOGGED, "{"),
        (LOGGED, "{}"),
        (LOGGED, logged(integratedTime=-1)),
        (LOGGED, logged(logID="rekor")),
        (LOGGED, logged(body="e30=")),
        (LOGGED, logged(body="bm8=")),
        (TIMESTAMP, "[]"),
        (SIGNATURE, "%"),
    ],
)  # fmt: skip
def test_damaged_annotations_are_refused_by_name(name, value) -> None:
    blob, notes = attestation()
    with pytest.raises(Malformed) as caught:
        bundle_of_layer(blob, notes | {name: value}, path="sha256-ab.att")
    assert caught.value.pointer.startswith(name)
    assert caught.value.path == "sha256-ab.att"


def pem_of(raw: str) -> str:
    return pem(x509.load_der_x509_certificate(base64.b64decode(raw)))


class TestAsBundle:
    """What is attached, written as a file that proves as much alone."""

    @pytest.mark.parametrize("kind", ["dsse/0.0.1", "intoto/0.0.1", "intoto/0.0.2"])
    def test_it_proves_the_same(self, kind: str) -> None:
        blob, notes = attestation(kind=kind)
        raw = bundle_bytes(blob, notes)
        assert raw is not None
        result = judge_bytes(raw, ROOT, NOW, wanted=[OURS.policy])
        assert result.passed
        assert result.document is not None
        before = judged(blob, notes).document
        assert before is not None
        assert result.document.content == before.content
        assert (result.document.body, result.identity) == (APP, OURS.identity)
        # And nothing to anybody else.
        assert not judge_bytes(raw, TrustedRoot.read(PrivateSigstore("evil").root_bytes()), NOW, wanted=None).passed

    def test_what_others_do_not_know_is_left_out(self) -> None:
        blob, notes = attestation()
        odd = json.loads(blob) | {"note": 1.5}
        odd["signatures"][0] |= {"cert": "x", "keyid": "abc"}
        raw = bundle_bytes(json.dumps(odd).encode(), notes)
        assert raw is not None
        envelope = json.loads(raw)["dsseEnvelope"]
        assert envelope.keys() == {"payload", "payloadType", "signatures"}
        assert envelope["signatures"][0].keys() == {"sig", "keyid"}

    def test_the_root_stays_with_whoever_trusts_it(self) -> None:
        chain = json.loads(bundle_bytes(*attestation()) or b"")["verificationMaterial"]["x509CertificateChain"]
        # The signer's, and the one between it and the root.
        assert len(chain["certificates"]) == 2
        assert pem_of(chain["certificates"][1]["rawBytes"]) == pem(OURS.between)

    def test_what_is_no_attestation_with_a_certificate_is_none(self) -> None:
        blob, notes = attestation()
        assert bundle_bytes(blob, {}) is None
        assert bundle_bytes(blob, notes | {CERTIFICATE: ""}) is None
        # A key may have signed it all the same, which those who read no bundles can judge.
        assert bundle_bytes(blob, notes | {LOGGED: ""}) is None
        assert bundle_bytes(SIMPLE, notes_of(keyless(OURS, SIMPLE))) is None

    def test_proof_over_the_attached_bytes_is_refused_where_nothing_else_proves_it(self) -> None:
        blob, notes = attestation()
        token = b64(OURS.tsa.respond(blob, SIGNED))
        stamped = {TIMESTAMP: json.dumps({"SignedRFC3161Timestamp": token})}
        assert bundle_bytes(blob, notes | stamped) == bundle_bytes(blob, notes)
        with pytest.raises(Refused, match="timestamp"):
            bundle_bytes(blob, {name: text for name, text in notes.items() if name != LOGGED} | stamped)
        body = json.loads(base64.b64decode(json.loads(attestation(kind="intoto/0.0.1")[1][LOGGED])["Payload"]["body"]))
        del body["spec"]["content"]["payloadHash"]
        with pytest.raises(Refused, match="entry of a log"):
            bundle_bytes(blob, notes | {LOGGED: logged(body=b64(json.dumps(body).encode()))})

    @pytest.mark.parametrize("name", [CERTIFICATE, CHAIN, LOGGED, TIMESTAMP, SIGNATURE])
    def test_damaged_annotations_are_refused(self, name: str) -> None:
        blob, notes = attestation()
        with pytest.raises(Malformed):
            bundle_bytes(blob, notes | {name: "%"})


@pytest.mark.parametrize(
    "payload",
    [
        b"{}",
        SIMPLE.replace(b"cosign container image signature", b"atomic container signature"),
        SIMPLE.replace(IMAGE.encode(), b"latest"),
        SIMPLE.replace(b"docker-manifest-digest", b"digest"),
        b"[]",
    ],
)
def test_other_payloads_name_no_image(payload) -> None:
    with pytest.raises(Malformed):
        signed_image(payload)
