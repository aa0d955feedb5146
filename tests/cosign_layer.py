"""What cosign would attach to an image in place of a Sigstore bundle: an envelope, and annotations beside it."""

from __future__ import annotations

import base64
import json

from cryptography import x509

from navicert.envelope.cosign import CERTIFICATE, CHAIN, LOGGED, SIGNATURE
from navicert.testing.sigstore import Json, PrivateSigstore, pem


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
