"""Trust roots of Sigstore: whose certificates, logs and timestamps are believed, and for which time.

Spec: sigstore/protobuf-specs, sigstore_trustroot.proto.
"""

from __future__ import annotations

import binascii
import hashlib
import re

from navicert.crypto.certificate import MOST_CERTIFICATES, Certificate
from navicert.crypto.certification import CertificateAuthority, Window
from navicert.crypto.key import Key
from navicert.crypto.material import Material, describe
from navicert.dataclass import dataclass, field, replace
from navicert.digest import Digest, sha256
from navicert.errors import LimitExceeded, Malformed
from navicert.limits import LOCAL, Limits
from navicert.model.field import as_list, as_object, as_text, required
from navicert.strictjson import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from typing import Final, TypeVar

    T = TypeVar("T")

_MEDIA_TYPE: Final = re.compile(
    r"application/vnd\.dev\.sigstore\.trustedroot(\+json;version=0\.[12]|\.v0\.[12]\+json)", re.ASCII
)
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)
MOST_MEMBERS: Final = 256
"""Logs and authorities of each kind in one trust root; the public one has two."""
MOST_ROOTS: Final = 16
"""Trust roots in one file, each of which every bundle may be judged by; what GitHub's client prints has two."""

# What the field keyDetails says → the scheme that the key signs with.
_SCHEMES: Final[Mapping[str, str]] = {
    "PKIX_ECDSA_P256_SHA_256": "ecdsa-sha2-nistp256",
    "PKIX_ECDSA_P384_SHA_384": "ecdsa-sha2-nistp384",
    "PKIX_ECDSA_P521_SHA_512": "ecdsa-sha2-nistp521",
    "PKIX_ED25519": "ed25519",
    "PKCS1_RSA_PKCS1V5": "rsa-pkcs1v15-sha256",
    "PKIX_RSA_PKCS1V5": "rsa-pkcs1v15-sha256",
    "PKIX_RSA_PKCS1V15_2048_SHA256": "rsa-pkcs1v15-sha256",
    "PKIX_RSA_PKCS1V15_3072_SHA256": "rsa-pkcs1v15-sha256",
    "PKIX_RSA_PKCS1V15_4096_SHA256": "rsa-pkcs1v15-sha256",
    "PKIX_RSA_PSS_2048_SHA256": "rsassa-pss-sha256",
    "PKIX_RSA_PSS_3072_SHA256": "rsassa-pss-sha256",
    "PKIX_RSA_PSS_4096_SHA256": "rsassa-pss-sha256",
}


@dataclass(frozen=True, slots=True)
class TrustedLog:
    """One log: where it is, its id, its key, and when the key holds."""

    name: str
    id: bytes
    key: Key
    window: Window


@dataclass(frozen=True, slots=True)
class TrustedRoot:
    """All that is believed without proof. `digest` is that of the file; `unsupported` names members that nothing here
    can check, so that evidence by them is refused with that reason. `others` are the further roots of a file of JSON
    lines: each is enough by itself, and what one of them names is nothing to the others.

    Where a root names logs, evidence must have been entered by one of them: `wants_log`, and `wants_ctlog` for
    certificates. Both look at what the file names, also where nothing of it is supported.
    """

    digest: Digest
    logs: tuple[TrustedLog, ...] = ()
    ctlogs: tuple[TrustedLog, ...] = ()
    authorities: tuple[CertificateAuthority, ...] = ()
    timestamp_authorities: tuple[CertificateAuthority, ...] = ()
    unsupported: tuple[str, ...] = field(default=())
    wants_log: bool = True
    wants_ctlog: bool = True
    others: tuple[TrustedRoot, ...] = ()

    @property
    def each(self) -> tuple[TrustedRoot, ...]:
        """Every root of the file, this one first."""
        return (self, *self.others)

    @staticmethod
    def read(raw: bytes, limits: Limits = LOCAL, *, path: str = "") -> TrustedRoot:
        """The trust root in the JSON `raw`, or all of them where it is one a line. Raises `Malformed`, also for one
        that names nobody: a root that is passed over would be one that somebody relies on."""
        lines = _lines(raw)
        if len(lines) > MOST_ROOTS:
            raise LimitExceeded("too many trust roots", path=path, expected=f"at most {MOST_ROOTS}")
        found = []
        for number, line in lines:
            try:
                found.append(_read(as_object(loads(line, limits), ""), sha256(raw if len(lines) == 1 else line)))
            except Malformed as error:
                raise error.at(f"{path}:{number}" if number else path) from error
        first, *others = found
        return replace(first, digest=sha256(raw), others=tuple(others))


def _lines(raw: bytes) -> list[tuple[int, bytes]]:
    """Each line with its number, where every line is a JSON object of its own; else all of it, without a number."""
    lines = [(number, line) for number, line in enumerate(raw.splitlines(), 1) if line.strip()]
    if len(lines) > 1 and all(line.lstrip()[:1] == b"{" and line.rstrip()[-1:] == b"}" for _, line in lines):
        return lines
    return [(0, raw)]


def _read(document: dict[str, object], digest: Digest) -> TrustedRoot:
    kind = as_text(required(document, "mediaType", ""), "/mediaType")
    if not _MEDIA_TYPE.fullmatch(kind):
        raise Malformed(
            "unknown kind of trust root",
            pointer="/mediaType",
            expected="application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            got=repr(kind)[:80],
        )
    unsupported: list[str] = []
    root = TrustedRoot(
        digest,
        _members(document, "tlogs", _log, unsupported),
        _members(document, "ctlogs", _log, unsupported),
        _members(document, "certificateAuthorities", _authority, unsupported),
        _members(document, "timestampAuthorities", _authority, unsupported),
        tuple(unsupported),
        bool(document.get("tlogs")),
        bool(document.get("ctlogs")),
    )
    if not (root.logs or root.authorities or root.timestamp_authorities):
        raise Malformed("the trust root names nobody", expected="logs and authorities", got="; ".join(unsupported[:3]))
    return root


def _members(
    document: dict[str, object], name: str, read: Callable[[dict[str, object], str], T | str], unsupported: list[str]
) -> tuple[T, ...]:
    items = document.get(name)
    found: list[T] = []
    for i, item in enumerate(as_list([] if items is None else items, f"/{name}", most=MOST_MEMBERS)):
        member = read(as_object(item, f"/{name}/{i}"), f"/{name}/{i}")
        if isinstance(member, str):
            unsupported.append(member)
        else:
            found.append(member)
    return tuple(found)


def _log(document: dict[str, object], where: str) -> TrustedLog | str:
    name = _host(document.get("baseUrl"), f"{where}/baseUrl")
    described = as_object(required(document, "publicKey", where), f"{where}/publicKey")
    where_key = f"{where}/publicKey"
    details = as_text(required(described, "keyDetails", where_key), f"{where_key}/keyDetails")
    scheme = _SCHEMES.get(details)
    if scheme is None:
        return f"{name}: keys of the kind {details[:40]} are not supported"
    if document.get("hashAlgorithm") not in (None, "SHA2_256"):
        return f"{name}: trees of the hash {str(document['hashAlgorithm'])[:40]} are not supported"
    raw = _bytes(described, "rawBytes", where_key)
    try:
        key = Key.of(_material(raw, f"{where_key}/rawBytes"), scheme=scheme)
    except Malformed as error:
        error.pointer = error.pointer or where_key
        raise
    stated = document.get("logId", document.get("checkpointKeyId"))
    if stated is None:
        id = hashlib.sha256(raw).digest()
    else:
        id = _bytes(as_object(stated, f"{where}/logId"), "keyId", f"{where}/logId")
        if len(id) != 32:
            raise Malformed(
                "bad id of a log", pointer=f"{where}/logId/keyId", expected="32 bytes", got=f"{len(id)} bytes"
            )
    return TrustedLog(name, id, key, _window(described, where_key))


def _authority(document: dict[str, object], where: str) -> CertificateAuthority | str:
    chain = as_object(required(document, "certChain", where), f"{where}/certChain")
    where_chain = f"{where}/certChain/certificates"
    items = as_list(required(chain, "certificates", f"{where}/certChain"), where_chain, most=MOST_CERTIFICATES)
    if not items:
        raise Malformed("an authority without a certificate", pointer=where_chain)
    certificates = tuple(
        Certificate.read(
            _bytes(as_object(item, f"{where_chain}/{i}"), "rawBytes", f"{where_chain}/{i}"), f"{where_chain}/{i}"
        )
        for i, item in enumerate(items)
    )
    return CertificateAuthority(_host(document.get("uri"), f"{where}/uri"), certificates, _window(document, where))


def _material(raw: bytes, where: str) -> Material:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        return describe(load_der_public_key(raw))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Malformed("not a public key in DER", pointer=where) from error
    except Malformed as error:
        error.pointer = where
        raise


def _bytes(document: dict[str, object], name: str, where: str) -> bytes:
    text = as_text(required(document, name, where), f"{where}/{name}")
    try:
        return binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except ValueError as error:
        raise Malformed("not base64", pointer=f"{where}/{name}") from error


def _host(value: object, where: str) -> str:
    """The part of an address that people know it by."""
    text = "" if value is None else as_text(value, where)
    return text.removeprefix("https://").removeprefix("http://").rstrip("/") or "an authority without a name"


def _window(document: dict[str, object], where: str) -> Window:
    where = f"{where}/validFor"
    stated = as_object(required(document, "validFor", where.removesuffix("/validFor")), where)
    end = stated.get("end")
    return Window(
        _moment(required(stated, "start", where), f"{where}/start"),
        None if end is None else _moment(end, f"{where}/end"),
    )


def _moment(value: object, where: str) -> datetime:
    from datetime import UTC, datetime

    text = as_text(value, where)
    try:
        if not _MOMENT.fullmatch(text):
            raise ValueError(text)
        return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Malformed("not a moment", pointer=where, expected="RFC 3339", got=repr(text)[:40]) from error
