"""Key material: what kind of key a loaded object is, and the one DER form by which it is known.

The same key arrives as PEM with or without a last newline, as PKCS#1 or SPKI, with a compressed or an uncompressed
point. Its material is always the same: SubjectPublicKeyInfo rebuilt from the numbers. Spec: RFC 5280 §4.1, RFC 5480.

Ed25519 keys have structures of one fixed shape (RFC 8410), so for them the parsers of the library, which take longer to
import than anything else here, are not needed.
"""

from __future__ import annotations

from navicert.crypto import ed25519, point
from navicert.dataclass import dataclass
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

    PublicKey = Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey
    PrivateKey = Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

MIN_RSA_BITS: Final = 2048
"""Shorter moduli are within reach of an attacker with money. Spec: NIST SP 800-131A rev. 2 §3."""

MAX_RSA_BITS: Final = 16384
"""OpenSSL refuses to work with longer ones."""

_CURVES: Final = {
    "secp256r1": "ecdsa-sha2-nistp256",
    "secp384r1": "ecdsa-sha2-nistp384",
    "secp521r1": "ecdsa-sha2-nistp521",
}

SUPPORTED: Final = "Ed25519, ECDSA on P-256, P-384 or P-521, or RSA"
"""The types of keys, for people."""

_REMEDY: Final = "make one with: navicert keygen KEY"


@dataclass(frozen=True, slots=True)
class Material:
    """A public key, described."""

    keytype: str
    curve_scheme: str
    """The one scheme that the curve of an ECDSA key allows; empty for other types."""
    spki: bytes
    public: PublicKey


def of_point(raw: bytes) -> Material:
    """The material of the Ed25519 public key in the 32 bytes `raw`. Raises `Malformed` for one that anyone can sign
    for."""
    weakness = point.weakness(raw)
    if weakness:
        raise Malformed(f"Ed25519 key refused: {weakness}", remedy=_REMEDY)
    return Material("ed25519", "", point.SPKI + raw, ed25519.public_key(raw))


def describe(public: object) -> Material:
    """What kind of key the loaded object `public` is, and its material. Raises `Malformed` for types and curves that
    are not supported and for keys that anyone can, or an attacker could, sign for."""
    if ed25519.is_public(public):
        return of_point(public.public_bytes_raw())
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    if isinstance(public, ec.EllipticCurvePublicKey):
        scheme = _CURVES.get(public.curve.name)
        if scheme is None:
            raise Malformed("unsupported curve", expected="P-256, P-384 or P-521", got=public.curve.name)
        # Rebuilt from its numbers, so that a compressed point does not survive in the material.
        return Material("ecdsa", scheme, _spki(public.public_numbers().public_key()), public)
    if isinstance(public, rsa.RSAPublicKey):
        return _describe_rsa(public)
    raise _unsupported(public)


def _describe_rsa(public: rsa.RSAPublicKey) -> Material:
    if public.key_size < MIN_RSA_BITS:
        raise Malformed(
            "RSA key too weak to sign or verify with",
            expected=f"at least {MIN_RSA_BITS} bits",
            got=f"{public.key_size} bits",
            remedy="such keys can be broken: make a new one with navicert keygen --type rsa, and sign again",
        )
    if public.key_size > MAX_RSA_BITS:
        raise Malformed("RSA key too long", expected=f"at most {MAX_RSA_BITS} bits", got=f"{public.key_size} bits")
    numbers = public.public_numbers()
    try:
        # Checks the exponent: with e = 1 every padded message is its own signature.
        rebuilt = numbers.public_key()
    except ValueError as error:
        raise Malformed(f"not a usable RSA key: {str(error).rstrip('.')}", remedy=_REMEDY) from error
    return Material("rsa", "", _spki(rebuilt), rebuilt)


def _spki(public: PublicKey) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _unsupported(key: object) -> Malformed:
    from cryptography.hazmat.primitives.asymmetric import dsa, ed448, x448, x25519

    foreign: tuple[tuple[str, tuple[type, ...]], ...] = (
        ("DSA", (dsa.DSAPublicKey, dsa.DSAPrivateKey)),
        ("X25519, which agrees on keys and cannot sign", (x25519.X25519PublicKey, x25519.X25519PrivateKey)),
        ("X448, which agrees on keys and cannot sign", (x448.X448PublicKey, x448.X448PrivateKey)),
        ("Ed448", (ed448.Ed448PublicKey, ed448.Ed448PrivateKey)),
    )
    kind = next((name for name, types in foreign if isinstance(key, types)), "another type")
    return Malformed("unsupported type of key", expected=SUPPORTED, got=kind, remedy=_REMEDY)


def private(key: object) -> PrivateKey:
    """`key`, a loaded private key, if it is of a supported type. Raises `Malformed` otherwise."""
    if ed25519.is_private(key):
        return key
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    if isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        return key
    raise _unsupported(key)


def load(spki: bytes) -> PublicKey:
    """The public key whose material was found to be `spki`."""
    if spki.startswith(point.SPKI):
        return of_point(spki[len(point.SPKI) :]).public
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    return describe(load_der_public_key(spki)).public
