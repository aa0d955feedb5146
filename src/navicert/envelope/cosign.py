"""What cosign attaches to images (tags `.att` and `.sig`), as bundles.

The blob of a layer is what is signed; annotations of the layer hold the rest. All of it is anybody's word until it is
judged. Spec: sigstore/cosign, SIGNATURE_SPEC.md.
"""

from __future__ import annotations

import binascii

from navicert.crypto.certificate import MOST_CERTIFICATES, Certificate, der_of_pem
from navicert.digest import Digest, sha256
from navicert.envelope.bundle import Bundle, MessageSignature, sealed_envelope
from navicert.envelope.document import Sealed
from navicert.envelope.dsse import decode_base64, encode_base64
from navicert.envelope.log_body import names_envelope
from navicert.errors import Malformed, Refused
from navicert.jsontext import writer
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

_WRITTEN: Final = "application/vnd.dev.sigstore.bundle+json;version=0.1"
"""Of all versions of bundles the one for which the promise of a log is enough: cosign keeps no proof of inclusion."""

_write: Final = writer()


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


def bundle_bytes(
    blob: bytes, annotations: Mapping[str, str], limits: Limits = LOCAL, *, path: str = ""
) -> bytes | None:
    """The attestation in a layer as a Sigstore bundle: a file that proves by itself who signed it. None where it is no
    envelope, or no certificate stands beside it with what proves when it was used: then the envelope says all there is.

    Raises `Malformed` as `bundle_of_layer` does, and `Refused` where what proves it is over the envelope byte for byte,
    which a bundle holds as a part: the only timestamp (in bundles it is over the signature), or the entry of a log in
    its oldest form.
    """
    if not annotations.get(CERTIFICATE):
        return None
    bundle = bundle_of_layer(blob, annotations, limits, path=path)
    content = bundle.content
    if not isinstance(content, Sealed) or not (bundle.entries or bundle.timestamps):
        return None
    whole = ""
    if bundle.timestamps and not bundle.entries:
        whole = "timestamp"
    elif any(names_envelope(entry, limits) for entry in bundle.entries):
        whole = "entry of a log"
    if whole:
        problem = f"the {whole} is over the attestation byte for byte, and no bundle keeps it so"
        raise Refused(problem, path=path, remedy="verify it where it is attached")
    # Roots do not belong into a bundle: whoever trusts one has it. Spec: sigstore_common.proto, X509CertificateChain.
    leaf, *others = bundle.certificates
    chain = [leaf, *(raw for raw in others if not _is_root(raw))]
    material = {
        "x509CertificateChain": {"certificates": [{"rawBytes": encode_base64(raw)} for raw in chain]},
        "tlogEntries": [_written(entry) for entry in bundle.entries],
    }
    made = content.signatures[0]
    signature = {"sig": encode_base64(made.value)} | ({"keyid": made.keyid} if made.keyid else {})
    # Just what the specification knows: others refuse fields that they do not.
    envelope = {
        "payload": encode_base64(content.payload),
        "payloadType": content.payload_type,
        "signatures": [signature],
    }
    document = {"mediaType": _WRITTEN, "verificationMaterial": material, "dsseEnvelope": envelope}
    return _write(document).encode()


def _is_root(raw: bytes) -> bool:
    certificate = Certificate.read(raw, CHAIN)
    return certificate.loaded.subject == certificate.issuer


def _written(entry: LogEntry) -> dict[str, object]:
    """An entry of a log as bundles have it."""
    return {
        "logId": {"keyId": encode_base64(entry.log_id)},
        "logIndex": str(entry.index),
        "kindVersion": {"kind": entry.kind, "version": entry.version},
        "canonicalizedBody": encode_base64(entry.body),
        "integratedTime": str(entry.integrated or 0),
        "inclusionPromise": {"signedEntryTimestamp": encode_base64(entry.promise or b"")},
    }


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
