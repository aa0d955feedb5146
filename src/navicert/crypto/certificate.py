"""X.509 certificates: what is in one, read once, and who one of Sigstore says its holder is.

Parsed by the library; everything that could raise later is asked for at the edge. Spec: RFC 5280 §4; sigstore/fulcio,
oid-info.md (identities).
"""

from __future__ import annotations

import hashlib

from navicert.crypto import der
from navicert.crypto.key import Key
from navicert.crypto.material import describe
from navicert.crypto.pem import blocks
from navicert.dataclass import dataclass, field
from navicert.errors import Malformed
from navicert.model.identity import ARC, CLAIMS, Identity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Final

    from cryptography import x509

CODE_SIGNING: Final = "1.3.6.1.5.5.7.3.3"
TIME_STAMPING: Final = "1.3.6.1.5.5.7.3.8"
ANY_PURPOSE: Final = "2.5.29.37.0"

MOST_CERTIFICATES: Final = 16
"""Certificates of one chain; real ones have two to four."""

_BASIC_CONSTRAINTS: Final = "2.5.29.19"
_KEY_USAGE: Final = "2.5.29.15"
_PURPOSES: Final = "2.5.29.37"
_SAN: Final = "2.5.29.17"
_SCT_LIST: Final = "1.3.6.1.4.1.11129.2.4.2"
_OTHER_NAME: Final = ARC + "7"
# What is looked at, or says nothing that anybody must obey.
_KNOWN: Final = frozenset({_BASIC_CONSTRAINTS, _KEY_USAGE, _PURPOSES, _SAN, _SCT_LIST, "2.5.29.14", "2.5.29.35"})
_ECDSA: Final = "1.2.840.10045.4."
_ORDERS: Final = (
    0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
    int(
        "1FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFA51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47"
        "AEBB6FB71E91386409",
        16,
    ),
)
"""Of the curves P-256, P-384 and P-521. Spec: NIST SP 800-186 §3.2.1."""
_LAST_RAW: Final = 6
"""Claims up to this number are bare text; later ones are a UTF8String."""
_MOST_BYTES: Final = 64 * 1024
"""One certificate; those of Fulcio have about 1,500 bytes."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate, equal by its bytes. Dates are aware and in UTC, both inclusive."""

    der: bytes = field(repr=False)
    not_before: datetime = field(compare=False)
    not_after: datetime = field(compare=False)
    subject: str = field(compare=False)
    """The distinguished name, for people."""
    key: Key = field(compare=False, repr=False)
    """RSA keys sign with PKCS #1 v1.5 and SHA-256, as those of Sigstore do."""
    is_ca: bool = field(compare=False, repr=False)
    path_length: int | None = field(compare=False, repr=False)
    may_sign: bool = field(compare=False, repr=False)
    """Key usage digitalSignature."""
    may_stamp: bool = field(compare=False, repr=False)
    """Key usage digitalSignature or nonRepudiation, or no key usage: RFC 3161 §2.3 asks for no more."""
    may_certify: bool = field(compare=False, repr=False)
    """Key usage keyCertSign, or no key usage."""
    purposes: frozenset[str] | None = field(compare=False, repr=False)
    """Extended key usage; None where it is not limited."""
    purposes_critical: bool = field(compare=False, repr=False)
    unknown_critical: tuple[str, ...] = field(compare=False, repr=False)
    """Critical extensions that nothing here understands: such a certificate must not be relied on."""
    extensions: Mapping[str, bytes] = field(compare=False, repr=False)
    """Object identifier → value, of the extensions that the library does not know."""
    issuer: x509.Name = field(compare=False, repr=False)
    """Whose name stands as the issuer's; the library reads it when it is asked for, and then refuses a bad one."""
    loaded: x509.Certificate = field(compare=False, repr=False)

    @staticmethod
    def read(raw: bytes, where: str = "") -> Certificate:
        """The certificate in DER. Raises `Malformed`, also for kinds of keys that are not supported."""
        from cryptography import x509
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.serialization import Encoding

        if len(raw) > _MOST_BYTES:
            raise Malformed("certificate too large", pointer=where, expected=f"at most {_MOST_BYTES} bytes")
        try:
            loaded = x509.load_der_x509_certificate(raw)
            if loaded.public_bytes(Encoding.DER) != raw:
                raise Malformed("not a certificate", pointer=where, expected="nothing behind it")
            _signed_parts(raw)
            return _described(raw, loaded)
        except Malformed as error:
            error.pointer = error.pointer or where
            raise
        except (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension, UserWarning) as error:
            # The library warns of odd serial numbers and the like; where warnings are errors they come as such.
            raise Malformed("not a certificate", pointer=where, got=str(error)[:120]) from error
        except x509.UnsupportedGeneralNameType as error:
            raise Malformed("a certificate with a kind of name that is not supported", pointer=where) from error
        except x509.InvalidVersion as error:
            raise Malformed("a certificate of an unknown version", pointer=where) from error

    @staticmethod
    def read_pem(text: str, where: str = "") -> tuple[Certificate, ...]:
        """The certificates in PEM, in their order; at least one. Raises `Malformed`."""
        return tuple(Certificate.read(raw, where) for raw in der_of_pem(text, where))

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, in hex."""
        return hashlib.sha256(self.der).hexdigest()

    @property
    def fingerprints(self) -> frozenset[str]:
        """`fingerprint`, and those of what anybody can make of this certificate without a key: of an ECDSA signature
        (r, s) also (r, n - s) holds, n being the order of the issuer's curve. Whoever revokes one means all."""
        if not self.loaded.signature_algorithm_oid.dotted_string.startswith(_ECDSA):
            return frozenset({self.fingerprint})
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

        try:
            r, s = decode_dss_signature(self.loaded.signature)
        except ValueError:
            return frozenset({self.fingerprint})
        body, algorithm = _signed_parts(self.der)
        twins = [encode_dss_signature(r, order - s) for order in _ORDERS if 0 < s < order]
        made = [_sequence(body + algorithm + _encoded(der.BIT_STRING, b"\x00" + twin)) for twin in twins]
        return frozenset({self.fingerprint, *(hashlib.sha256(one).hexdigest() for one in made)})

    def valid_at(self, moment: datetime) -> bool:
        """Whether `moment` is within its dates."""
        return self.not_before <= moment <= self.not_after

    def issued_by(self, other: Certificate) -> bool:
        """Whether `other` is named as the issuer, and its key signed this with an algorithm that still holds."""
        from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

        try:
            algorithm = self.loaded.signature_hash_algorithm
            if algorithm is not None and algorithm.name not in ("sha256", "sha384", "sha512"):
                return False
            self.loaded.verify_directly_issued_by(other.loaded)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            return False
        return True


def _signed_parts(raw: bytes) -> tuple[bytes, bytes]:
    """What is signed in the certificate `raw`, and the algorithm, in DER. Raises `Malformed` for a signature that is
    not of whole bytes: the same certificate could be written in several ways. Spec: RFC 5280 §4.1."""
    parts = der.read_one(raw, "certificate").expect(der.SEQUENCE, "certificate").elements("certificate")
    body, algorithm = parts.next(), parts.next()
    signature = parts.next().expect(der.BIT_STRING, "signature of a certificate")
    parts.end()
    if signature.content[:1] != b"\x00":
        raise Malformed("bad signature of a certificate", expected="whole bytes")
    return body.raw, algorithm.raw


def _sequence(content: bytes) -> bytes:
    return _encoded(der.SEQUENCE, content)


def _encoded(tag: int, content: bytes) -> bytes:
    size = len(content)
    length = bytes([size]) if size < 0x80 else size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, *([] if size < 0x80 else [0x80 | len(length)])]) + length + content


def der_of_pem(text: str, where: str = "") -> tuple[bytes, ...]:
    """The certificates in PEM as DER; at least one. Raises `Malformed` for what is none, and for other things in it."""
    try:
        found = blocks(text)
        odd = sorted({block.label for block in found} - {"CERTIFICATE"})
        if odd or not 1 <= len(found) <= MOST_CERTIFICATES:
            raise Malformed(
                "not certificates in PEM",
                expected=f"1 to {MOST_CERTIFICATES} certificates",
                got=", ".join(odd) or f"{len(found)} certificates",
            )
        return tuple(block.der for block in found)
    except Malformed as error:
        error.pointer = error.pointer or where
        raise


def _described(raw: bytes, loaded: x509.Certificate) -> Certificate:
    from cryptography import x509

    material = describe(loaded.public_key())
    basic: x509.BasicConstraints | None = None
    usage: x509.KeyUsage | None = None
    purposes: frozenset[str] | None = None
    purposes_critical = False
    odd: list[str] = []
    others: dict[str, bytes] = {}
    for extension in loaded.extensions:
        oid = extension.oid.dotted_string
        value = extension.value
        if extension.critical and oid not in _KNOWN and not oid.startswith(ARC):
            odd.append(oid)
        if isinstance(value, x509.BasicConstraints):
            basic = value
        elif isinstance(value, x509.KeyUsage):
            usage = value
        elif isinstance(value, x509.ExtendedKeyUsage):
            purposes = frozenset(purpose.dotted_string for purpose in value)
            purposes_critical = extension.critical
        elif isinstance(value, x509.UnrecognizedExtension):
            others[oid] = value.value
    return Certificate(
        raw,
        loaded.not_valid_before_utc,
        loaded.not_valid_after_utc,
        loaded.subject.rfc4514_string()[:200],
        Key.of(material, scheme="rsa-pkcs1v15-sha256" if material.keytype == "rsa" else None),
        basic is not None and basic.ca,
        None if basic is None else basic.path_length,
        usage is not None and usage.digital_signature,
        usage is None or usage.digital_signature or usage.content_commitment,
        usage is None or usage.key_cert_sign,
        purposes,
        purposes_critical,
        tuple(odd),
        others,
        loaded.issuer,
        loaded,
    )


def identity_of(certificate: Certificate) -> Identity:
    """Who a certificate of Sigstore says its holder is. Raises `Malformed` where it names nobody, several, or two
    issuers: whom to count must be certain."""
    issuer = _issuer(certificate.extensions)
    claims = {
        name: _claim(certificate.extensions[ARC + number], number)
        for number, name in CLAIMS.items()
        if ARC + number in certificate.extensions
    }
    return Identity(issuer, _name(certificate.loaded), {name: value for name, value in claims.items() if value})


def _issuer(extensions: Mapping[str, bytes]) -> str:
    found = {_claim(extensions[ARC + number], number) for number in ("1", "8") if ARC + number in extensions}
    if len(found) != 1 or "" in found:
        raise Malformed(
            "the certificate does not say who vouches for its holder",
            expected=f"one issuer, in extension {ARC}8 or {ARC}1",
            got=f"{len(found)} issuers",
        )
    return found.pop()


def _claim(value: bytes, number: str) -> str:
    if int(number) > _LAST_RAW:
        return der.read_one(value, f"claim {ARC}{number}").text(f"claim {ARC}{number}")
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed(f"bad claim {ARC}{number}", expected="UTF-8") from error


def _name(loaded: x509.Certificate) -> str:
    from cryptography import x509

    names: list[x509.GeneralName] = []
    for extension in loaded.extensions:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            names += list(extension.value)
    if len(names) != 1:
        raise Malformed("the certificate does not name its holder", expected="one name", got=f"{len(names)} names")
    (name,) = names
    if isinstance(name, x509.RFC822Name | x509.UniformResourceIdentifier):
        return name.value
    if isinstance(name, x509.OtherName) and name.type_id.dotted_string == _OTHER_NAME:
        return der.read_one(name.value, "name of the holder").text("name of the holder")
    raise Malformed(
        "the certificate names its holder in a way that is no identity",
        expected="a URI, an e-mail address or a user name",
        got=type(name).__name__,
    )
