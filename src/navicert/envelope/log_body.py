"""Whether what a log entered is what a bundle holds: the same content, signature and signer.

A log proves only that it has seen its own entry. Without this comparison the entry of anything else would do, as it
once did (CVE-2022-36056, CVE-2026-22703). Spec: sigstore/rekor, pkg/types (version 0.0.1 and 0.0.2 of each kind);
rekor-tiles, API version 2.
"""

from __future__ import annotations

import hashlib

from navicert.crypto.certificate import der_of_pem
from navicert.crypto.key import Key
from navicert.crypto.pem import load_public
from navicert.dataclass import dataclass, field
from navicert.envelope.bundle import Bundle, MessageSignature, signed_message
from navicert.envelope.document import Sealed
from navicert.envelope.dsse import decode_base64
from navicert.errors import Malformed
from navicert.limits import LOCAL, Limits
from navicert.model.field import as_list, as_object, as_text, required
from navicert.model.log_entry import LogEntry
from navicert.strictjson import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Final

_V2_ALGORITHMS: Final = {"SHA2_256": "sha256", "SHA2_384": "sha384", "SHA2_512": "sha512"}


@dataclass(frozen=True, slots=True)
class Claimed:
    """What an entry must be about: the bundle's content, and who signed it.

    `certificate` is the signer's, in DER; None where `key` signed without one. `digests` are those of the signed file
    by algorithm, where a file is signed.
    """

    bundle: Bundle
    key: Key
    certificate: bytes | None
    digests: Mapping[str, str] = field(default_factory=dict)

    @property
    def envelope(self) -> Sealed:
        """The envelope. Raises `Malformed` where a file is signed."""
        content = self.bundle.content
        if isinstance(content, MessageSignature):
            raise Malformed("the entry is about an attestation, and the bundle holds the signature of a file")
        return content

    def digest(self, algorithm: str) -> str:
        """The digest of what the signature is over, in hex."""
        content = self.bundle.content
        if isinstance(content, Sealed):
            return _hex(algorithm, signed_message(content))
        if algorithm not in self.digests:
            raise Malformed(f"the file's {algorithm} is not known, which the entry names")
        return self.digests[algorithm]


def objection(entry: LogEntry, claimed: Claimed, limits: Limits = LOCAL) -> str:
    """Why `entry` is about something else than is `claimed`; empty where it is about exactly this. Never raises."""
    try:
        body = as_object(loads(entry.body, limits), "")
        kind = as_text(required(body, "kind", ""), "/kind")
        version = as_text(required(body, "apiVersion", ""), "/apiVersion")
        if (kind, version) != (entry.kind, entry.version):
            return f"it is of kind {kind} {version}, and the bundle calls it {entry.kind} {entry.version}"
        compare = _KINDS.get((kind, version))
        if compare is None:
            return f"entries of kind {kind} {version} are not known"
        compare(as_object(required(body, "spec", ""), "/spec"), claimed)
    except Malformed as error:
        return str(error)
    return ""


def names_envelope(entry: LogEntry, limits: Limits = LOCAL) -> bool:
    """Whether `entry` is about an envelope byte for byte, as the oldest are. Raises `Malformed` for a body that cannot
    be read."""
    if (entry.kind, entry.version) != ("intoto", "0.0.1"):
        return False
    spec = _object(as_object(loads(entry.body, limits), ""), "spec", "")
    return _object(spec, "content", "/spec").get("payloadHash") is None


def _hashedrekord_1(spec: dict[str, object], claimed: Claimed) -> None:
    data = _object(spec, "data", "/spec")
    _same_digest(_object(data, "hash", "/spec/data"), "/spec/data/hash", claimed.digest)
    signature = _object(spec, "signature", "/spec")
    where = "/spec/signature"
    _same_signature(_bytes(signature, "content", where), claimed)
    _same_signer(_bytes(_object(signature, "publicKey", where), "content", f"{where}/publicKey"), claimed)


def _dsse_1(spec: dict[str, object], claimed: Claimed) -> None:
    payload = claimed.envelope.payload
    hash = _object(spec, "payloadHash", "/spec")
    _same_digest(hash, "/spec/payloadHash", lambda algorithm: _hex(algorithm, payload))
    signature = _one(spec, "signatures", "/spec")
    _same_signature(_bytes(signature, "signature", "/spec/signatures/0"), claimed)
    _same_signer(_bytes(signature, "verifier", "/spec/signatures/0"), claimed)


def _intoto_1(spec: dict[str, object], claimed: Claimed) -> None:
    # This kind does not record the signature: it is bound by the key, which must have signed this very payload.
    envelope = claimed.envelope
    content = _object(spec, "content", "/spec")
    if content.get("payloadHash") is not None:
        payload = envelope.payload
        hash = _object(content, "payloadHash", "/spec/content")
        _same_digest(hash, "/spec/content/payloadHash", lambda algorithm: _hex(algorithm, payload))
    else:
        # The oldest entries name the envelope as a whole, so it must be there byte for byte.
        hash = _object(content, "hash", "/spec/content")
        _same_digest(hash, "/spec/content/hash", lambda algorithm: _hex(algorithm, envelope.raw))
    _same_signer(_bytes(spec, "publicKey", "/spec"), claimed)


def _intoto_2(spec: dict[str, object], claimed: Claimed) -> None:
    envelope = claimed.envelope
    payload = envelope.payload
    content = _object(spec, "content", "/spec")
    hash = _object(content, "payloadHash", "/spec/content")
    _same_digest(hash, "/spec/content/payloadHash", lambda algorithm: _hex(algorithm, payload))
    where = "/spec/content/envelope"
    logged = _object(content, "envelope", "/spec/content")
    kind = as_text(required(logged, "payloadType", where), f"{where}/payloadType")
    if kind != envelope.payload_type:
        raise _other("payload type", f"{where}/payloadType")
    signature = _one(logged, "signatures", where)
    where = f"{where}/signatures/0"
    # Rekor keeps the text of the signature, and that is base64 already.
    inner = _bytes(signature, "sig", where)
    _same_signature(decode_base64(inner, f"{where}/sig"), claimed)
    _same_signer(_bytes(signature, "publicKey", where), claimed)


def _hashedrekord_2(spec: dict[str, object], claimed: Claimed) -> None:
    where = "/spec/hashedRekordV002"
    record = _object(spec, "hashedRekordV002", "/spec")
    _same_digest_2(_object(record, "data", where), f"{where}/data", claimed.digest)
    _same_signature_2(_object(record, "signature", where), f"{where}/signature", claimed)


def _dsse_2(spec: dict[str, object], claimed: Claimed) -> None:
    payload = claimed.envelope.payload
    where = "/spec/dsseV002"
    record = _object(spec, "dsseV002", "/spec")
    hash = _object(record, "payloadHash", where)
    _same_digest_2(hash, f"{where}/payloadHash", lambda algorithm: _hex(algorithm, payload))
    _same_signature_2(_one(record, "signatures", where), f"{where}/signatures/0", claimed)


_KINDS: Final[Mapping[tuple[str, str], Callable[[dict[str, object], Claimed], None]]] = {
    ("hashedrekord", "0.0.1"): _hashedrekord_1,
    ("hashedrekord", "0.0.2"): _hashedrekord_2,
    ("dsse", "0.0.1"): _dsse_1,
    ("dsse", "0.0.2"): _dsse_2,
    ("intoto", "0.0.1"): _intoto_1,
    ("intoto", "0.0.2"): _intoto_2,
}


# --- what is compared ----------------------------------------------------------------------------------------------


def _same_digest(hash: dict[str, object], where: str, digest_of: Callable[[str], str]) -> None:
    algorithm = as_text(required(hash, "algorithm", where), f"{where}/algorithm")
    if algorithm not in _V2_ALGORITHMS.values():
        raise Malformed("unknown hash", pointer=f"{where}/algorithm", got=repr(algorithm)[:40])
    if as_text(required(hash, "value", where), f"{where}/value") != digest_of(algorithm):
        raise _other("content", where)


def _same_digest_2(hash: dict[str, object], where: str, digest_of: Callable[[str], str]) -> None:
    name = as_text(required(hash, "algorithm", where), f"{where}/algorithm")
    if name not in _V2_ALGORITHMS:
        raise Malformed("unknown hash", pointer=f"{where}/algorithm", got=repr(name)[:40])
    if _bytes(hash, "digest", where).hex() != digest_of(_V2_ALGORITHMS[name]):
        raise _other("content", where)


def _same_signature(signature: bytes, claimed: Claimed) -> None:
    if signature != claimed.bundle.signature:
        raise _other("signature", "/spec")


def _same_signature_2(signature: dict[str, object], where: str, claimed: Claimed) -> None:
    _same_signature(_bytes(signature, "content", where), claimed)
    verifier = _object(signature, "verifier", where)
    where = f"{where}/verifier"
    forms = [name for name in ("x509Certificate", "publicKey") if verifier.get(name) is not None]
    if len(forms) != 1:
        raise Malformed("the entry does not name one signer", pointer=where)
    raw = _bytes(_object(verifier, forms[0], where), "rawBytes", f"{where}/{forms[0]}")
    wanted = (
        claimed.certificate if forms == ["x509Certificate"] else None if claimed.certificate else claimed.key.material
    )
    if raw != wanted:
        raise _other("signer", where)


def _same_signer(pem: bytes, claimed: Claimed) -> None:
    """The PEM in an entry is the certificate that signed, or the key where there is no certificate."""
    try:
        text = pem.decode("ascii")
    except UnicodeDecodeError as error:
        raise Malformed("not PEM", pointer="/spec") from error
    if claimed.certificate is not None:
        same = der_of_pem(text, "/spec") == (claimed.certificate,)
    else:
        same = load_public(text).spki == claimed.key.material
    if not same:
        raise _other("signer", "/spec")


def _other(what: str, where: str) -> Malformed:
    return Malformed(f"it is about another {what} than the bundle holds", pointer=where)


def _hex(algorithm: str, data: bytes) -> str:
    return hashlib.new(algorithm, data).hexdigest()


def _object(document: dict[str, object], name: str, where: str) -> dict[str, object]:
    return as_object(required(document, name, where), f"{where}/{name}")


def _one(document: dict[str, object], name: str, where: str) -> dict[str, object]:
    items = as_list(required(document, name, where), f"{where}/{name}")
    if len(items) != 1:
        raise Malformed("not one signature", pointer=f"{where}/{name}", expected="1", got=str(len(items)))
    return as_object(items[0], f"{where}/{name}/0")


def _bytes(document: dict[str, object], name: str, where: str) -> bytes:
    return decode_base64(as_text(required(document, name, where), f"{where}/{name}"), f"{where}/{name}")
