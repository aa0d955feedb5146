"""What cosign would attach to an image in place of a Sigstore bundle: an envelope, and annotations beside it."""

from __future__ import annotations

import base64
import json

from cryptography import x509

from navicert.digest import Digest
from navicert.envelope.cosign import CERTIFICATE, CHAIN, LOGGED, SIGNATURE
from navicert.oci import media
from navicert.testing.registry import LoopbackRegistry
from navicert.testing.sigstore import Json, PrivateSigstore, pem

DSSE = "application/vnd.dsse.envelope.v1+json"


def annotations_of(bundle: Json, sigstore: PrivateSigstore) -> dict[str, str]:
    """The annotations that cosign would write for what `bundle` holds."""
    material = bundle["verificationMaterial"]
    found = {SIGNATURE: bundle.get("messageSignature", {}).get("signature", "")}
    if "certificate" in material:
        leaf = x509.load_der_x509_certificate(base64.b64decode(material["certificate"]["rawBytes"]))
        found |= {CERTIFICATE: pem(leaf), CHAIN: pem(sigstore.between) + pem(sigstore.ca)}
    for entry in material.get("tlogEntries", []):
        payload = {
            "body": entry["canonicalizedBody"],
            "integratedTime": int(entry["integratedTime"]),
            "logIndex": int(entry["logIndex"]),
            "logID": base64.b64decode(entry["logId"]["keyId"]).hex(),
        }
        promise = entry["inclusionPromise"]["signedEntryTimestamp"]
        found[LOGGED] = json.dumps({"SignedEntryTimestamp": promise, "Payload": payload})
    return found


def envelope_of(bundle: Json) -> bytes:
    """The envelope in `bundle`, alone."""
    return json.dumps(bundle["dsseEnvelope"]).encode()


def attach_layers(
    server: LoopbackRegistry,
    subject: Digest,
    *layers: tuple[bytes, dict[str, str]],
    ending: str = ".att",
    media_type: str = DSSE,
) -> None:
    """Attach `layers`, each with its annotations, to the image `subject` of the repository `app` as cosign 2 does: one
    tag, an image config."""
    config = server.add_blob("app", b'{"rootfs":{"type":"layers","diff_ids":[]}}', media.OCI_CONFIG)
    entries = [server.add_blob("app", raw, media_type).to_json() | {"annotations": beside} for raw, beside in layers]
    body = {"schemaVersion": 2, "mediaType": media.OCI_MANIFEST, "config": config.to_json(), "layers": entries}
    server.add_manifest("app", body, tag=f"sha256-{subject.hex}{ending}")
