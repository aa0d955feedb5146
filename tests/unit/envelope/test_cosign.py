"""What cosign attaches to images, read as bundles and judged as such."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from tests.cosign_layer import annotations_of

from navicert.crypto.trusted_root import TrustedRoot
from navicert.digest import Digest, DigestSet
from navicert.envelope.cosign import CERTIFICATE, CHAIN, LOGGED, SIGNATURE, TIMESTAMP, bundle_of_layer, signed_image
from navicert.errors import Malformed
from navicert.model.statement import ResourceDescriptor, Statement
from navicert.testing import NOW, signer
from navicert.testing.bundle import keyed, keyless
from navicert.testing.sigstore import SIGNED, Json, PrivateSigstore, b64, pem
from navicert.verify.bundle import judge_bundle

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
