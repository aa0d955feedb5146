"""Timestamps by an authority (RFC 3161): that some bytes existed at a moment.

The parts of CMS that such a token has are read here, strictly, and checked with the certificate that the trust root
names: what a token carries itself is anybody's word. Spec: RFC 3161 §2.4.2; RFC 5652 §5 (signed data); RFC 5816
(signing certificate, version 2).
"""

from __future__ import annotations

import hashlib

from navicert.crypto import der
from navicert.crypto.certificate import Certificate
from navicert.dataclass import dataclass, field
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Final

    from cryptography.hazmat.primitives.hashes import HashAlgorithm

MOST_BYTES: Final = 64 * 1024
"""One token, its certificates included; real ones take some 5 KiB."""

_SIGNED_DATA: Final = "1.2.840.113549.1.7.2"
_TST_INFO: Final = "1.2.840.113549.1.9.16.1.4"
_CONTENT_TYPE: Final = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST: Final = "1.2.840.113549.1.9.4"
_SIGNING_CERTIFICATE: Final = "1.2.840.113549.1.9.16.2.12"
_SIGNING_CERTIFICATE_V2: Final = "1.2.840.113549.1.9.16.2.47"

_HASHES: Final = {
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
_RSA: Final = "1.2.840.113549.1.1.1"
_ED25519: Final = "1.3.101.112"
# Signature algorithm → type of key and hash.
_SIGNATURES: Final = {
    "1.2.840.10045.4.3.2": ("ecdsa", "sha256"),
    "1.2.840.10045.4.3.3": ("ecdsa", "sha384"),
    "1.2.840.10045.4.3.4": ("ecdsa", "sha512"),
    "1.2.840.113549.1.1.11": ("rsa", "sha256"),
    "1.2.840.113549.1.1.12": ("rsa", "sha384"),
    "1.2.840.113549.1.1.13": ("rsa", "sha512"),
    _ED25519: ("ed25519", "sha512"),
}


@dataclass(frozen=True, slots=True)
class TimestampToken:
    """One token: that a message of digest `imprint` existed at `moment` (UTC), signed by somebody.

    `signed` are the bytes that the signature is over; `certificates` came along and prove nothing.
    """

    moment: datetime
    imprint: bytes
    algorithm: str
    """The hash of the imprint."""
    content: bytes = field(repr=False)
    """What the authority states, in DER."""
    signed: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    keytype: str
    hash: str
    stated_digest: bytes = field(repr=False)
    """The digest of `content` that the signature covers."""
    digest_algorithm: str
    signer: tuple[str, bytes] | None = field(repr=False)
    """Hash and value of the digest of the certificate that signed, as the signature covers it."""
    certificates: tuple[bytes, ...] = field(repr=False)

    @staticmethod
    def read(raw: bytes) -> TimestampToken:
        """The token in a response of an authority, or a bare one. Raises `Malformed`."""
        if len(raw) > MOST_BYTES:
            raise Malformed("timestamp too large", expected=f"at most {MOST_BYTES} bytes", got=str(len(raw)))
        outer = der.read_one(raw, "timestamp").expect(der.SEQUENCE, "timestamp")
        reader = outer.elements("timestamp")
        first = reader.next()
        if first.tag != der.SEQUENCE:
            return _token(outer)
        # Spec: RFC 3161 §2.4.2 (PKIStatusInfo): 0 granted, 1 granted with modifications.
        if first.elements("status of a timestamp").next().integer("status of a timestamp") not in (0, 1):
            raise Malformed("the timestamp authority refused", expected="a granted timestamp")
        token = reader.next()
        reader.end()
        return _token(token)

    def stamps(self, message: bytes) -> bool:
        """Whether this is about `message`."""
        return hashlib.new(self.algorithm, message).digest() == self.imprint

    def names(self, certificate: Certificate) -> bool:
        """Whether the signature covers that `certificate` made it."""
        return self.signer is not None and hashlib.new(self.signer[0], certificate.der).digest() == self.signer[1]

    def signed_by(self, certificate: Certificate) -> bool:
        """Whether `certificate`, which the token must name, signed what the token states."""
        return (
            self.names(certificate)
            and hashlib.new(self.digest_algorithm, self.content).digest() == self.stated_digest
            and self._verifies(certificate)
        )

    def _verifies(self, certificate: Certificate) -> bool:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

        public = certificate.loaded.public_key()
        try:
            if self.keytype == "ecdsa" and isinstance(public, ec.EllipticCurvePublicKey):
                public.verify(self.signature, self.signed, ec.ECDSA(_hash(self.hash)))
            elif self.keytype == "rsa" and isinstance(public, rsa.RSAPublicKey):
                public.verify(self.signature, self.signed, padding.PKCS1v15(), _hash(self.hash))
            elif self.keytype == "ed25519" and isinstance(public, ed25519.Ed25519PublicKey):
                public.verify(self.signature, self.signed)
            else:
                return False
        except (InvalidSignature, ValueError):
            return False
        return True


def _hash(name: str) -> HashAlgorithm:
    from cryptography.hazmat.primitives import hashes

    return {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}[name]


def _token(element: der.Element) -> TimestampToken:
    """Spec: RFC 5652 §3 (ContentInfo) and §5.1 (SignedData)."""
    info = element.expect(der.SEQUENCE, "timestamp").elements("timestamp")
    _require(info.next().oid("kind of a timestamp"), _SIGNED_DATA, "kind of a timestamp")
    data = _only(info.next().expect(der.context(0), "timestamp"), "timestamp").elements("signed data")
    info.end()
    data.next().integer("version of signed data")
    data.next().expect(der.SET, "digest algorithms")
    content = _content(data.next())
    certificates: list[bytes] = []
    bag = data.optional(der.context(0))
    if bag is not None:
        reader = bag.elements("certificates of a timestamp")
        while reader:
            certificates.append(reader.next().raw)
    data.optional(der.context(1))  # revocation lists: nothing relies on what comes along
    signers = data.next().expect(der.SET, "signers of a timestamp")
    data.end()
    moment, algorithm, imprint = _stated(content)
    return _signed(_only(signers, "signers of a timestamp"), content, moment, algorithm, imprint, tuple(certificates))


def _content(element: der.Element) -> bytes:
    reader = element.expect(der.SEQUENCE, "content of a timestamp").elements("content of a timestamp")
    _require(reader.next().oid("content of a timestamp"), _TST_INFO, "content of a timestamp")
    inner = _only(reader.next().expect(der.context(0), "content of a timestamp"), "content of a timestamp")
    reader.end()
    return inner.octets("content of a timestamp")


def _stated(content: bytes) -> tuple[datetime, str, bytes]:
    """Moment, hash and imprint. Spec: RFC 3161 §2.4.2 (TSTInfo)."""
    reader = der.read_one(content, "timestamp").expect(der.SEQUENCE, "timestamp").elements("timestamp")
    if reader.next().integer("version of a timestamp") != 1:
        raise Malformed("unknown version of a timestamp", expected="1")
    reader.next().oid("policy of a timestamp")
    imprint = reader.next().expect(der.SEQUENCE, "imprint").elements("imprint")
    algorithm = _digest_algorithm(imprint.next(), "hash of an imprint")
    value = imprint.next().octets("imprint")
    imprint.end()
    if len(value) != hashlib.new(algorithm).digest_size:
        raise Malformed("bad imprint", expected=f"the length of {algorithm}", got=f"{len(value)} bytes")
    reader.next().integer("serial number of a timestamp")
    moment = reader.next().time("moment of a timestamp")
    # Accuracy, ordering, nonce, the authority's name and extensions decide nothing here, but must be there in order.
    for tag in (der.SEQUENCE, der.BOOLEAN, der.INTEGER, der.context(0), der.context(1)):
        reader.optional(tag)
    reader.end()
    return moment, algorithm, value


def _signed(
    signer: der.Element,
    content: bytes,
    moment: datetime,
    algorithm: str,
    imprint: bytes,
    certificates: tuple[bytes, ...],
) -> TimestampToken:
    """Spec: RFC 5652 §5.3 (SignerInfo)."""
    reader = signer.expect(der.SEQUENCE, "signer of a timestamp").elements("signer of a timestamp")
    reader.next().integer("version of a signer")
    reader.next()  # names the certificate, without proof; the signed attribute says it with
    digest_algorithm = _digest_algorithm(reader.next(), "digest algorithm of a signer")
    attributes = reader.next().expect(der.context(0), "signed attributes")
    keytype, hash = _signature_algorithm(reader.next(), digest_algorithm)
    signature = reader.next().octets("signature of a timestamp")
    reader.optional(der.context(1))
    reader.end()
    values = _attributes(attributes)
    kind = values.get(_CONTENT_TYPE)
    stated = values.get(_MESSAGE_DIGEST)
    if kind is None or stated is None:
        raise Malformed("bad timestamp", expected="signed attributes for content type and digest")
    _require(kind.oid("signed content type"), _TST_INFO, "signed content type")
    # What is signed is the set itself; its tag in the structure stands for the place only. Spec: RFC 5652 §5.4.
    signed = bytes((der.SET,)) + attributes.raw[1:]
    return TimestampToken(
        moment,
        imprint,
        algorithm,
        content,
        signed,
        signature,
        keytype,
        hash,
        stated.octets("signed digest"),
        digest_algorithm,
        _signer(values),
        certificates,
    )


def _attributes(element: der.Element) -> dict[str, der.Element]:
    """Object identifier → the one value. Raises `Malformed` for an attribute that comes twice or has several."""
    values: dict[str, der.Element] = {}
    reader = element.elements("signed attributes")
    while reader:
        attribute = reader.next().expect(der.SEQUENCE, "signed attribute").elements("signed attribute")
        kind = attribute.next().oid("signed attribute")
        value = _only(attribute.next().expect(der.SET, "signed attribute"), "signed attribute")
        attribute.end()
        if kind in values:
            raise Malformed("a signed attribute comes twice", got=kind)
        values[kind] = value
    return values


def _signer(values: dict[str, der.Element]) -> tuple[str, bytes] | None:
    """Hash and digest of the certificate that signs: the first of those named. Spec: RFC 5035 §5.4; RFC 3161 §2.4.2."""
    newer = values.get(_SIGNING_CERTIFICATE_V2)
    value = newer if newer is not None else values.get(_SIGNING_CERTIFICATE)
    if value is None:
        return None
    what = "signing certificate"
    list_of = value.expect(der.SEQUENCE, what).elements(what).next().expect(der.SEQUENCE, what).elements(what)
    entry = list_of.next().expect(der.SEQUENCE, what).elements(what)
    algorithm = "sha1"
    if newer is not None:
        named = entry.optional(der.SEQUENCE)
        algorithm = "sha256" if named is None else _digest_algorithm(named, what)
    # SHA-1 names a certificate here that the trust root has chosen, and proves nothing by itself.
    return algorithm, entry.next().octets(what)


def _digest_algorithm(element: der.Element, what: str) -> str:
    oid = _algorithm(element, what)
    if oid not in _HASHES:
        raise Malformed(f"unsupported {what}", expected="SHA-256, SHA-384 or SHA-512", got=oid)
    return _HASHES[oid]


def _signature_algorithm(element: der.Element, digest_algorithm: str) -> tuple[str, str]:
    oid = _algorithm(element, "signature algorithm of a timestamp")
    if oid == _RSA:
        return "rsa", digest_algorithm
    if oid not in _SIGNATURES:
        raise Malformed("unsupported signature algorithm of a timestamp", got=oid)
    return _SIGNATURES[oid]


def _algorithm(element: der.Element, what: str) -> str:
    reader = element.expect(der.SEQUENCE, what).elements(what)
    oid = reader.next().oid(what)
    if reader:
        reader.next()  # parameters: NULL where there are any
    reader.end()
    return oid


def _only(element: der.Element, what: str) -> der.Element:
    reader = element.elements(what)
    inner = reader.next()
    reader.end()
    return inner


def _require(oid: str, wanted: str, what: str) -> None:
    if oid != wanted:
        raise Malformed(f"unknown {what}", expected=wanted, got=oid)
