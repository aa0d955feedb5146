"""What cosign attaches to images (tags `.att` and `.sig`), as bundles.

The blob of a layer is what is signed; annotations of the layer hold the rest. All of it is anybody's word until it is
judged. Spec: sigstore/cosign, SIGNATURE_SPEC.md.
"""

from __future__ import annotations

import binascii

from navicert.crypto.certificate import MOST_CERTIFICATES, der_of_pem
from navicert.digest import Digest, sha256
from navicert.envelope.bundle import Bundle, MessageSignature, sealed_envelope
from navicert.envelope.document import Sealed
from navicert.envelope.dsse import decode_base64
from navicert.errors import Malformed
from navicert.limits import LOCAL, Limits
from navicert.model.field import as_integer, as_object, as_text, required
from navicert.model.log_entry import LogEntry
from navicert.strictjson import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

SIGNATURE: Final = "dev.cosignproject.cosign/signature"
CERTIFICATE: Final = "dev.sigstore.cosign/certificate"
CHAIN: Final = "dev.sigstore.cosign/chain"
LOGGED: Final = "dev.sigstore.cosign/bundle"
TIMESTAMP: Final = "dev.sigstore.cosign/rfc3161timestamp"

_PAYLOAD: Final = "cosign container image signature"


def bundle_of_layer(blob: bytes, annotations: Mapping[str, str], limits: Limits = LOCAL, *, path: str = "") -> Bundle:
    """The bundle that a layer is: a DSSE envelope where the annotation with the signature is empty or missing, else
    the signature of `blob` itself. Raises `Malformed`, naming `path` and the annotation."""
    try:
        signature = annotations.get(SIGNATURE, "")
        content: Sealed | MessageSignature
        if signature:
            content = MessageSignature(decode_base64(signature, SIGNATURE), sha256(blob), blob)
        else:
            content = sealed_envelope(as_object(loads(blob, limits), ""), blob, limits, path)
        certificates = der_of_pem(annotations[CERTIFICATE], CERTIFICATE) if annotations.get(CERTIFICATE) else ()
        if len(certificates) > 1:
            raise Malformed("several certificates", pointer=CERTIFICATE, expected="that of the signer")
        if certificates and annotations.get(CHAIN):
            certificates = (certificates + der_of_pem(annotations[CHAIN], CHAIN))[:MOST_CERTIFICATES]
        entries = (_entry(annotations[LOGGED], limits),) if annotations.get(LOGGED) else ()
        timestamps = (_timestamp(annotations[TIMESTAMP], limits),) if annotations.get(TIMESTAMP) else ()
        # cosign has an attestation stamped as a whole, and of a signature its bytes.
        stamped = content.signature if isinstance(content, MessageSignature) else blob
        return Bundle("cosign", content, certificates, None, entries, timestamps, stamped, path, sha256(blob))
    except Malformed as error:
        raise error.at(path) from error


def _entry(text: str, limits: Limits) -> LogEntry:
    document = _object(text.encode(), LOGGED, limits)
    promise = as_text(required(document, "SignedEntryTimestamp", LOGGED), f"{LOGGED}/SignedEntryTimestamp")
    where = f"{LOGGED}/Payload"
    payload = as_object(required(document, "Payload", LOGGED), where)
    body = decode_base64(as_text(required(payload, "body", where), f"{where}/body"), f"{where}/body")
    described = _object(body, f"{where}/body", limits)
    log_id = as_text(required(payload, "logID", where), f"{where}/logID")
    try:
        id = binascii.unhexlify(log_id)
    except ValueError as error:
        raise Malformed("bad id of a log", pointer=f"{where}/logID", expected="hexadecimal digits") from error
    integrated = as_integer(required(payload, "integratedTime", where), f"{where}/integratedTime")
    index = as_integer(required(payload, "logIndex", where), f"{where}/logIndex")
    if integrated < 0 or index < 0:
        raise Malformed("number out of range", pointer=where, expected="0 or more")
    return LogEntry(
        id,
        index,
        as_text(required(described, "kind", f"{where}/body"), f"{where}/body/kind"),
        as_text(required(described, "apiVersion", f"{where}/body"), f"{where}/body/apiVersion"),
        body,
        integrated,
        decode_base64(promise, f"{LOGGED}/SignedEntryTimestamp"),
    )


def _timestamp(text: str, limits: Limits) -> bytes:
    document = _object(text.encode(), TIMESTAMP, limits)
    where = f"{TIMESTAMP}/SignedRFC3161Timestamp"
    return decode_base64(as_text(required(document, "SignedRFC3161Timestamp", TIMESTAMP), where), where)


def _object(raw: bytes, where: str, limits: Limits) -> dict[str, object]:
    try:
        return as_object(loads(raw, limits), where)
    except Malformed as error:
        error.pointer = error.pointer if error.pointer.startswith(where) else f"{where}{error.pointer}"
        raise


def signed_image(payload: bytes, limits: Limits = LOCAL) -> Digest:
    """The image that a signature of cosign (a "simple signing" payload) is about: the digest of its manifest.

    Raises `Malformed` for any other payload. Spec: SIGNATURE_SPEC.md (Payloads); containers/image, signature formats.
    """
    critical = as_object(required(as_object(loads(payload, limits), ""), "critical", ""), "/critical")
    kind = as_text(required(critical, "type", "/critical"), "/critical/type")
    if kind != _PAYLOAD:
        raise Malformed(
            "not the signature of an image", pointer="/critical/type", expected=_PAYLOAD, got=repr(kind)[:60]
        )
    image = as_object(required(critical, "image", "/critical"), "/critical/image")
    return Digest.parse(as_text(required(image, "docker-manifest-digest", "/critical/image"), "/critical/image"))
