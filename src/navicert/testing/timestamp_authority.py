"""A timestamp authority for tests: real RFC 3161 responses, with any part of one made wrong on demand.

Spec: RFC 3161 §2.4.2; RFC 5652 §5; RFC 5816.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any, Final

from navicert.dataclass import dataclass

SHA256: Final = "2.16.840.1.101.3.4.2.1"
_HASHES: Final = {"sha256": SHA256, "sha384": "2.16.840.1.101.3.4.2.2", "sha512": "2.16.840.1.101.3.4.2.3"}
_ECDSA: Final = {"sha256": "1.2.840.10045.4.3.2", "sha384": "1.2.840.10045.4.3.3", "sha512": "1.2.840.10045.4.3.4"}
_TST_INFO: Final = "1.2.840.113549.1.9.16.1.4"


def tlv(tag: int, *parts: bytes) -> bytes:
    """One value in DER."""
    content = b"".join(parts)
    if len(content) < 0x80:
        return bytes((tag, len(content))) + content
    size = (len(content).bit_length() + 7) // 8
    return bytes((tag, 0x80 | size)) + len(content).to_bytes(size, "big") + content


def sequence(*parts: bytes) -> bytes:
    """A SEQUENCE."""
    return tlv(0x30, *parts)


def set_of(*parts: bytes) -> bytes:
    """A SET, in the order of DER."""
    return tlv(0x31, *sorted(parts))


def integer(value: int) -> bytes:
    """An INTEGER."""
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def oid(text: str) -> bytes:
    """An OBJECT IDENTIFIER."""
    first, second, *rest = map(int, text.split("."))
    encoded = bytearray()
    for arc in (40 * first + second, *rest):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(arc & 0x7F | 0x80)
        encoded += bytes(reversed(groups))
    return tlv(0x06, bytes(encoded))


def octets(value: bytes) -> bytes:
    """An OCTET STRING."""
    return tlv(0x04, value)


def time(moment: datetime) -> bytes:
    """A GeneralizedTime."""
    text = f"{moment.astimezone(UTC):%Y%m%d%H%M%S}"
    if moment.microsecond:
        text += f".{moment.microsecond:06d}".rstrip("0")
    return tlv(0x18, text.encode() + b"Z")


@dataclass(frozen=True, slots=True)
class TimestampAuthority:
    """Signs with `private` (an ECDSA, RSA or Ed25519 key) as `certificate` (of `cryptography`)."""

    certificate: Any
    private: Any

    def respond(
        self,
        message: bytes,
        moment: datetime,
        *,
        hash: str = "sha256",
        status: int = 0,
        kind: str = _TST_INFO,
        version: int = 1,
        imprint: bytes | None = None,
        stated_digest: bytes | None = None,
        named: bytes | None = None,
        name_it: bool = True,
        named_sha1: bool = False,
        carried: tuple[bytes, ...] | None = None,
        signers: int = 1,
        twice: bool = False,
    ) -> bytes:
        """The response to a request for `message`. All other arguments make it odd or wrong: `imprint` is the digest
        to state, `named` the certificate (DER) that the signature is to name, `carried` those that come along."""
        from cryptography.hazmat.primitives.serialization import Encoding

        own = self.certificate.public_bytes(Encoding.DER)
        stated = hashlib.new(hash, message).digest() if imprint is None else imprint
        content = sequence(
            integer(version),
            oid("1.3.6.1.4.1.57264.2"),
            sequence(sequence(oid(_HASHES[hash]), b"\x05\x00"), octets(stated)),
            integer(0x1234567890),
            time(moment),
            sequence(integer(1)),
            integer(42),
        )
        who = own if named is None else named
        attributes = [
            sequence(oid("1.2.840.113549.1.9.3"), set_of(oid(kind))),
            sequence(oid("1.2.840.113549.1.9.4"), set_of(octets(stated_digest or hashlib.new(hash, content).digest()))),
        ]
        if twice:
            attributes.append(sequence(oid("1.2.840.113549.1.9.4"), set_of(octets(b"\x00" * 32))))
        if name_it and named_sha1:
            digest = octets(hashlib.sha1(who, usedforsecurity=False).digest())
            attributes.append(sequence(oid("1.2.840.113549.1.9.16.2.12"), set_of(sequence(sequence(sequence(digest))))))
        elif name_it:
            digest = octets(hashlib.sha256(who).digest())
            attributes.append(sequence(oid("1.2.840.113549.1.9.16.2.47"), set_of(sequence(sequence(sequence(digest))))))
        signer = self._signer(set_of(*attributes), hash)
        token = sequence(
            oid("1.2.840.113549.1.7.2"),
            tlv(
                0xA0,
                sequence(
                    integer(3),
                    set_of(sequence(oid(_HASHES[hash]), b"\x05\x00")),
                    sequence(oid(kind), tlv(0xA0, octets(content))),
                    tlv(0xA0, *((own,) if carried is None else carried)),
                    set_of(*[signer] * signers),
                ),
            ),
        )
        return sequence(sequence(integer(status)), token)

    def _signer(self, attributes: bytes, hash: str) -> bytes:
        algorithm, signature = _signature(self.private, attributes, hash)
        return sequence(
            integer(1),
            sequence(self.certificate.issuer.public_bytes(), integer(self.certificate.serial_number)),
            sequence(oid(_HASHES[hash]), b"\x05\x00"),
            b"\xa0" + attributes[1:],
            sequence(oid(algorithm)),
            octets(signature),
        )


def _signature(private: Any, message: bytes, hash: str) -> tuple[str, bytes]:
    """Algorithm and signature of `private` over `message`."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

    algorithm = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}[hash]
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return "1.3.101.112", private.sign(message)
    if isinstance(private, rsa.RSAPrivateKey):
        return "1.2.840.113549.1.1.1", private.sign(message, padding.PKCS1v15(), algorithm)
    return _ECDSA[hash], private.sign(message, ec.ECDSA(algorithm))
