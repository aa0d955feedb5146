"""Sigstore bundles: a signed document or the signature of a file, with all that is needed to judge it offline.

Versions 0.1 to 0.3 are read; `navicert.envelope.cosign` makes the same value of what cosign attaches to images.
Nothing is checked here but the form. Spec: sigstore/protobuf-specs, sigstore_bundle.proto; cosign, BUNDLE_SPEC.md.
"""

from __future__ import annotations

import re

from navicert.crypto.certificate import MOST_CERTIFICATES
from navicert.dataclass import dataclass, field, replace
from navicert.digest import Digest, sha256
from navicert.envelope.document import Sealed
from navicert.envelope.dsse import decode_base64, pae, read_dsse
from navicert.errors import LimitExceeded, Malformed
from navicert.limits import LOCAL, Limits
from navicert.model.field import as_integer, as_list, as_object, as_text, required
from navicert.model.log_entry import InclusionProof, LogEntry
from navicert.strictjson import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

MEDIA_TYPE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
"""The media type that is written today."""

_MEDIA_TYPES: Final = re.compile(
    r"application/vnd\.dev\.sigstore\.bundle(\+json;version=|\.v)(?P<version>0\.[123])(\+json)?", re.ASCII
)
_ALGORITHMS: Final = {"SHA2_256": "sha256", "SHA2_384": "sha384", "SHA2_512": "sha512"}
_MOST_HASHES: Final = 64
"""Levels of a tree of 2^64 leaves."""
_LARGEST: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class MessageSignature:
    """A signature over a file. `digest` says which one, without proof; `message` is the file itself, where it came
    along."""

    signature: bytes = field(repr=False)
    digest: Digest | None
    message: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Bundle:
    """What was received. `content` is a DSSE envelope with one signature, or a message signature.

    `certificates` are DER, the signer's first; with none of them a key has signed, and `hint` may say which. `stamped`
    is what timestamps are over. `version` is "0.1" to "0.3", or "cosign". `digest` is that of the file.
    """

    version: str
    content: Sealed | MessageSignature
    certificates: tuple[bytes, ...] = field(repr=False)
    hint: str | None
    entries: tuple[LogEntry, ...]
    timestamps: tuple[bytes, ...] = field(repr=False)
    stamped: bytes = field(repr=False)
    origin: str
    digest: Digest

    @property
    def signature(self) -> bytes:
        """The signature itself."""
        content = self.content
        return content.signatures[0].value if isinstance(content, Sealed) else content.signature

    @property
    def needs_proof(self) -> bool:
        """Whether an entry of a log must prove its inclusion; older forms may do with the log's promise."""
        return self.version in ("0.2", "0.3")


def is_bundle(document: dict[str, object]) -> bool:
    """Whether a JSON object means to be a Sigstore bundle, whatever its file is called."""
    return "verificationMaterial" in document or str(document.get("mediaType", "")).startswith(
        "application/vnd.dev.sigstore.bundle"
    )


def open_bundle(raw: bytes, limits: Limits = LOCAL, *, path: str = "") -> Bundle:
    """The bundle in the JSON `raw`. Raises `Malformed` or `LimitExceeded`, naming `path`."""
    try:
        return _read(as_object(loads(raw, limits), ""), raw, limits, path)
    except Malformed as error:
        raise error.at(path) from error


def _read(document: dict[str, object], raw: bytes, limits: Limits, path: str) -> Bundle:
    kind = as_text(required(document, "mediaType", ""), "/mediaType")
    known = _MEDIA_TYPES.fullmatch(kind)
    if known is None or (known.group(3) is None) != known.group(1).startswith("+"):
        raise Malformed("unknown kind of bundle", pointer="/mediaType", expected=MEDIA_TYPE, got=repr(kind)[:80])
    version = known["version"]
    where = "/verificationMaterial"
    material = as_object(required(document, "verificationMaterial", ""), where)
    certificates, hint = _signatory(material, where, version)
    content = _content(document, raw, limits, path, keyed=not certificates)
    if isinstance(content, Sealed):
        keyid = content.signatures[0].keyid
        if hint and keyid and hint != keyid:
            raise Malformed(
                "the bundle names two keys", pointer=f"{where}/publicKey/hint", expected=keyid[:64], got=hint[:64]
            )
    entries = as_list(_given(material, "tlogEntries", []), f"{where}/tlogEntries", most=limits.log_entries)
    stamps = as_object(_given(material, "timestampVerificationData", {}), f"{where}/timestampVerificationData")
    timestamps = _timestamps(stamps, f"{where}/timestampVerificationData/rfc3161Timestamps", limits)
    return Bundle(
        version,
        content,
        certificates,
        hint,
        tuple(_entry(item, f"{where}/tlogEntries/{i}", limits) for i, item in enumerate(entries)),
        timestamps,
        content.signatures[0].value if isinstance(content, Sealed) else content.signature,
        path,
        sha256(raw),
    )


def _signatory(material: dict[str, object], where: str, version: str) -> tuple[tuple[bytes, ...], str | None]:
    """The certificates or the hint at a key: exactly one of three forms."""
    forms = [name for name in ("publicKey", "x509CertificateChain", "certificate") if material.get(name) is not None]
    if len(forms) != 1:
        raise Malformed(
            "the bundle does not say who signed, or says it twice",
            pointer=where,
            expected="one of publicKey, x509CertificateChain and certificate",
            got=" and ".join(forms) or "none of them",
        )
    (form,) = forms
    where = f"{where}/{form}"
    value = as_object(material[form], where)
    if form == "publicKey":
        hint = value.get("hint")
        return (), (as_text(hint, f"{where}/hint") or None) if hint is not None else None
    if form == "certificate":
        return (_bytes(value, "rawBytes", where),), None
    if version == "0.3":
        raise Malformed("a bundle of version 0.3 holds one certificate, no chain", pointer=where)
    where = f"{where}/certificates"
    chain = as_list(required(value, "certificates", where.removesuffix("/certificates")), where, most=MOST_CERTIFICATES)
    if not chain:
        raise Malformed("no certificate in the chain", pointer=where)
    return tuple(
        _bytes(as_object(item, f"{where}/{i}"), "rawBytes", f"{where}/{i}") for i, item in enumerate(chain)
    ), None


def _content(
    document: dict[str, object], raw: bytes, limits: Limits, path: str, *, keyed: bool
) -> Sealed | MessageSignature:
    envelope, message = document.get("dsseEnvelope"), document.get("messageSignature")
    if (envelope is None) == (message is None):
        raise Malformed(
            "the bundle does not hold one thing that is signed",
            expected="one of dsseEnvelope and messageSignature",
            got="neither" if envelope is None else "both",
        )
    if envelope is not None:
        try:
            return sealed_envelope(as_object(envelope, ""), raw, limits, path, keyed=keyed)
        except Malformed as error:
            error.pointer = f"/dsseEnvelope{error.pointer}".rstrip("/")
            raise
    where = "/messageSignature"
    signed = as_object(message, where)
    digest = signed.get("messageDigest")
    signature = _bytes(signed, "signature", where)
    if not signature:
        raise Malformed("the bundle is not signed", pointer=f"{where}/signature")
    return MessageSignature(signature, None if digest is None else _digest(digest, f"{where}/messageDigest"))


def sealed_envelope(
    envelope: dict[str, object], raw: bytes, limits: Limits, path: str, *, keyed: bool = False
) -> Sealed:
    """The DSSE envelope of a bundle, `keyed` where that is signed with a key, in the file `raw`. Raises `Malformed`
    where it has not exactly one signature."""
    required(envelope, "payload", "")
    kind, payload, signatures = read_dsse(envelope, limits)
    if len(signatures) != 1 or not signatures[0].value:
        raise Malformed(
            "an envelope in a bundle has one signature",
            pointer="/signatures",
            expected="1",
            got=f"{len(signatures)}" if len(signatures) != 1 else "an empty one",
            remedy="give each signer a bundle of its own",
        )
    made = (replace(signatures[0], bundled=keyed),)
    return Sealed(raw, "dsse", kind, made, path, sha256(raw), limits, payload)


def signed_message(sealed: Sealed) -> bytes:
    """What the signature of a DSSE envelope is over."""
    return pae(sealed.payload_type, sealed.payload)


def _digest(value: object, where: str) -> Digest:
    stated = as_object(value, where)
    name = as_text(required(stated, "algorithm", where), f"{where}/algorithm")
    if name not in _ALGORITHMS:
        raise Malformed(
            "unknown hash", pointer=f"{where}/algorithm", expected=", ".join(_ALGORITHMS), got=repr(name)[:40]
        )
    digest = f"{_ALGORITHMS[name]}:{_bytes(stated, 'digest', where).hex()}"
    try:
        return Digest.parse(digest)
    except Malformed as error:
        error.pointer = f"{where}/digest"
        raise


def _timestamps(data: dict[str, object], where: str, limits: Limits) -> tuple[bytes, ...]:
    items = as_list(_given(data, "rfc3161Timestamps", []), where, most=limits.log_entries)
    found = tuple(
        _bytes(as_object(item, f"{where}/{i}"), "signedTimestamp", f"{where}/{i}") for i, item in enumerate(items)
    )
    if len(set(found)) != len(found):
        raise Malformed("one timestamp comes twice", pointer=where)
    return found


def _entry(value: object, where: str, limits: Limits) -> LogEntry:
    entry = as_object(value, where)
    log = as_object(required(entry, "logId", where), f"{where}/logId")
    kind = as_object(required(entry, "kindVersion", where), f"{where}/kindVersion")
    promise = entry.get("inclusionPromise")
    proof = entry.get("inclusionProof")
    body = _bytes(entry, "canonicalizedBody", where)
    if len(body) > limits.log_body_bytes:
        raise LimitExceeded(
            "log entry too large (limit log_body_bytes)",
            pointer=where,
            expected=f"at most {limits.log_body_bytes} bytes",
        )
    integrated = _number(entry, "integratedTime", where)
    return LogEntry(
        _bytes(log, "keyId", f"{where}/logId"),
        _number(entry, "logIndex", where),
        as_text(required(kind, "kind", f"{where}/kindVersion"), f"{where}/kindVersion/kind"),
        as_text(required(kind, "version", f"{where}/kindVersion"), f"{where}/kindVersion/version"),
        body,
        integrated or None,
        None if promise is None else _promise(promise, f"{where}/inclusionPromise"),
        None if proof is None else _proof(proof, f"{where}/inclusionProof"),
    )


def _promise(value: object, where: str) -> bytes:
    promise = _bytes(as_object(value, where), "signedEntryTimestamp", where)
    if not promise:
        raise Malformed("empty promise of a log", pointer=where)
    return promise


def _proof(value: object, where: str) -> InclusionProof:
    proof = as_object(value, where)
    hashes = as_list(_given(proof, "hashes", []), f"{where}/hashes", most=_MOST_HASHES)
    checkpoint = proof.get("checkpoint")
    note = "" if checkpoint is None else _given(as_object(checkpoint, f"{where}/checkpoint"), "envelope", "")
    return InclusionProof(
        _number(proof, "logIndex", where),
        _number(proof, "treeSize", where),
        _bytes(proof, "rootHash", where),
        tuple(
            decode_base64(as_text(item, f"{where}/hashes/{i}"), f"{where}/hashes/{i}") for i, item in enumerate(hashes)
        ),
        as_text(note, f"{where}/checkpoint/envelope") or None,
    )


def _number(document: dict[str, object], name: str, where: str) -> int:
    """A 64-bit number, which JSON of protocol buffers writes as a string and leaves out where it is 0."""
    value = _given(document, name, 0)
    if isinstance(value, str):
        if not (value.isascii() and value.isdigit()) or len(value) > 19:
            raise Malformed("not a number", pointer=f"{where}/{name}", expected="decimal digits", got=repr(value)[:40])
        value = int(value)
    number = as_integer(value, f"{where}/{name}")
    if not 0 <= number <= _LARGEST:
        raise Malformed("number out of range", pointer=f"{where}/{name}", expected="0 to 2^63-1", got=str(number)[:40])
    return number


def _given(document: dict[str, object], name: str, default: object) -> object:
    """The field `name`; `default` where it is missing or null, which mean the same here."""
    value = document.get(name)
    return default if value is None else value


def _bytes(document: dict[str, object], name: str, where: str) -> bytes:
    return decode_base64(as_text(required(document, name, where), f"{where}/{name}"), f"{where}/{name}")
