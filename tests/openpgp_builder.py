"""Makes OpenPGP keys and signatures for tests, packet by packet, so that each part can be made wrong on purpose."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature

from navicert.crypto.gpg import GpgKey
from navicert.crypto.gpg_bundle import read_bundle

RSA, DSA, EDDSA = 1, 17, 22
SIGNATURE, MASTER, NAME, SUBKEY = 2, 6, 13, 14
DOCUMENT, CERTIFICATION, BINDING, BACK, DIRECT = 0x00, 0x13, 0x18, 0x19, 0x1F
SHA1, SHA256, SHA512 = 2, 8, 10
HASHES = {1: "md5", SHA1: "sha1", SHA256: "sha256", 9: "sha384", SHA512: "sha512"}
CREATED, EXPIRES, ISSUER, PRIMARY, FLAGS, EMBEDDED, FINGERPRINT = 2, 9, 16, 25, 27, 32, 33
MADE = 1_700_000_000
"""When keys and signatures are made unless something else is said."""

Private = rsa.RSAPrivateKey | dsa.DSAPrivateKey | ed25519.Ed25519PrivateKey


class Part(NamedTuple):
    """One subpacket."""

    type: int
    content: bytes


def number(value: int, size: int = 4) -> bytes:
    """`value` in `size` bytes."""
    return value.to_bytes(size, "big")


def mpi(value: int | bytes) -> bytes:
    """A multiprecision integer."""
    value = int.from_bytes(value, "big") if isinstance(value, bytes) else value
    return number(value.bit_length(), 2) + number(value, (value.bit_length() + 7) // 8)


def packet(tag: int, body: bytes) -> bytes:
    """A packet in the old format, or in the new one where its tag needs it; with a length of four bytes."""
    if tag > 15:
        return bytes([0xC0 | tag, 0xFF]) + number(len(body)) + body
    return bytes([0x80 | tag << 2 | 2]) + number(len(body)) + body


def part(type: int, content: bytes) -> bytes:
    """A subpacket, with a length of five bytes."""
    return b"\xff" + number(len(content) + 1) + bytes([type]) + content


def framed(body: bytes) -> bytes:
    """A key packet's body as it is hashed."""
    return b"\x99" + number(len(body), 2) + body


@dataclass(frozen=True)
class Pgp:
    """A private OpenPGP key: what is in its packet, and how it signs."""

    private: Private
    created: int = MADE
    version: int = 4

    @property
    def octet(self) -> int:
        """Its algorithm."""
        if isinstance(self.private, rsa.RSAPrivateKey):
            return RSA
        return DSA if isinstance(self.private, dsa.DSAPrivateKey) else EDDSA

    @property
    def body(self) -> bytes:
        """The body of its public key packet."""
        if isinstance(self.private, rsa.RSAPrivateKey):
            numbers = self.private.public_key().public_numbers()
            values = mpi(numbers.n) + mpi(numbers.e)
        elif isinstance(self.private, dsa.DSAPrivateKey):
            key = self.private.public_key().public_numbers()
            known = key.parameter_numbers
            values = b"".join(map(mpi, (known.p, known.q, known.g, key.y)))
        else:
            curve = bytes.fromhex("092b06010401da470f01")
            values = curve + mpi(b"\x40" + self.private.public_key().public_bytes_raw())
        return bytes([self.version]) + number(self.created) + bytes([self.octet]) + values

    @property
    def fingerprint(self) -> str:
        """Its fingerprint, in hex."""
        return hashlib.sha1(framed(self.body)).hexdigest()

    def sign(
        self,
        content: bytes,
        kind: int = DOCUMENT,
        *,
        hash: int = SHA256,
        created: int = MADE,
        hashed: Iterable[Part] = (),
        unhashed: Iterable[Part] = (),
        names: bool = True,
        version: int = 4,
    ) -> bytes:
        """The body of a signature packet over `content`; `names` says by whom it is."""
        named = [Part(FINGERPRINT, b"\x04" + bytes.fromhex(self.fingerprint))] if names else []
        inside = b"".join(part(*one) for one in (*named, Part(CREATED, number(created)), *hashed))
        outside = b"".join(part(*one) for one in unhashed)
        headers = bytes([version, kind, self.octet, hash]) + number(len(inside), 2) + inside
        digest = hashlib.new(HASHES[hash], content + headers + b"\x04\xff" + number(len(headers))).digest()
        return headers + number(len(outside), 2) + outside + digest[:2] + self._value(digest, hash)

    def _value(self, digest: bytes, hash: int) -> bytes:
        algorithm: hashes.HashAlgorithm = getattr(hashes, HASHES[hash].upper())()
        if isinstance(self.private, rsa.RSAPrivateKey):
            return mpi(self.private.sign(digest, padding.PKCS1v15(), Prehashed(algorithm)))
        if isinstance(self.private, dsa.DSAPrivateKey):
            return b"".join(map(mpi, decode_dss_signature(self.private.sign(digest, Prehashed(algorithm)))))
        value = self.private.sign(digest)
        return mpi(value[:32]) + mpi(value[32:])


@cache
def pgp(name: str) -> Pgp:
    """A key that is made once for each name: "rsa…", "dsa…", or another name for Ed25519."""
    if name.startswith("rsa"):
        return Pgp(rsa.generate_private_key(65537, 2048))
    if name.startswith("dsa"):
        return Pgp(dsa.generate_private_key(2048))
    return Pgp(ed25519.Ed25519PrivateKey.generate())


def name_packet(master: Pgp, name: bytes = b"Alice", **signed: object) -> bytes:
    """A name, and the master's certification of it."""
    content = framed(master.body) + b"\xb4" + number(len(name)) + name
    return packet(NAME, name) + packet(SIGNATURE, master.sign(content, CERTIFICATION, **signed))  # type: ignore[arg-type]


def back_signature(master: Pgp, subkey: Pgp, *, by: Pgp | None = None, kind: int = BACK) -> Part:
    """The subpacket with which a subkey agrees to be bound."""
    return Part(EMBEDDED, (by or subkey).sign(framed(master.body) + framed(subkey.body), kind))


def subkey_packet(
    master: Pgp, subkey: Pgp, *, by: Pgp | None = None, parts: Iterable[Part] | None = None, **signed: object
) -> bytes:
    """A subkey that may sign, and what binds it: signed by `by` in place of the master, with `parts` in place of the
    usual subpackets."""
    content = framed(master.body) + framed(subkey.body)
    if parts is None:
        parts = [Part(FLAGS, b"\x02"), back_signature(master, subkey)]
    binding = (by or master).sign(content, BINDING, hashed=parts, **signed)  # type: ignore[arg-type]
    return packet(SUBKEY, subkey.body) + packet(SIGNATURE, binding)


def bundle(master: Pgp, *subkeys: Pgp) -> bytes:
    """An exported key with one name and these subkeys."""
    return packet(MASTER, master.body) + name_packet(master) + b"".join(subkey_packet(master, one) for one in subkeys)


def public(master: Pgp, *subkeys: Pgp) -> GpgKey:
    """The public key of a master with subkeys."""
    return read_bundle(bundle(master, *subkeys))


@dataclass(frozen=True)
class PgpSigner:
    """Signs documents as gpg would, with `pgp`, for the key `key` that it is a part of."""

    pgp: Pgp
    key: GpgKey
    more: dict[str, object] = field(default_factory=dict)

    @property
    def keyid(self) -> str:
        """The fingerprint of the key that signs."""
        return self.pgp.fingerprint

    def sign(self, message: bytes) -> bytes:
        """The signature packet over `message`."""
        return packet(SIGNATURE, self.pgp.sign(message, **self.more))  # type: ignore[arg-type]
