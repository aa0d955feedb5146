"""Key material: what kind of key a loaded object is, and the one DER form by which it is known.

The same key arrives as PEM with or without a last newline, as PKCS#1 or SPKI, with a compressed or an uncompressed
point. Its material is always the same: SubjectPublicKeyInfo rebuilt from the numbers. Spec: RFC 5280 §4.1, RFC 5480.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa, x448, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from navicert.crypto import point
from navicert.errors import Malformed

PublicKey = ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey
PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

MIN_RSA_BITS: Final = 2048
"""Shorter moduli are within reach of an attacker with money. Spec: NIST SP 800-131A rev. 2 §3."""

MAX_RSA_BITS: Final = 16384
"""OpenSSL refuses to work with longer ones."""

_CURVES: Final = {
    "secp256r1": "ecdsa-sha2-nistp256",
    "secp384r1": "ecdsa-sha2-nistp384",
    "secp521r1": "ecdsa-sha2-nistp521",
}

_SUPPORTED: Final = "Ed25519, ECDSA on P-256, P-384 or P-521, or RSA"
_REMEDY: Final = "make one with: navicert keygen KEY"

# Both halves of the types that we can name but not use.
_FOREIGN: Final[tuple[tuple[str, tuple[type, ...]], ...]] = (
    ("DSA", (dsa.DSAPublicKey, dsa.DSAPrivateKey)),
    ("X25519, which agrees on keys and cannot sign", (x25519.X25519PublicKey, x25519.X25519PrivateKey)),
    ("X448, which agrees on keys and cannot sign", (x448.X448PublicKey, x448.X448PrivateKey)),
    ("Ed448", (ed448.Ed448PublicKey, ed448.Ed448PrivateKey)),
)


class Material(NamedTuple):
    """A public key, described."""

    keytype: str
    curve_scheme: str
    """The one scheme that the curve of an ECDSA key allows; empty for other types."""
    spki: bytes
    public: PublicKey


def describe(public: object) -> Material:
    """What kind of key the loaded object `public` is, and its material. Raises `Malformed` for types and curves that
    are not supported and for keys that anyone can, or an attacker could, sign for."""
    if isinstance(public, ed25519.Ed25519PublicKey):
        weakness = point.weakness(public.public_bytes(Encoding.Raw, PublicFormat.Raw))
        if weakness:
            raise Malformed(f"Ed25519 key refused: {weakness}", remedy=_REMEDY)
        return Material("ed25519", "", _spki(public), public)
    if isinstance(public, ec.EllipticCurvePublicKey):
        scheme = _CURVES.get(public.curve.name)
        if scheme is None:
            raise Malformed("unsupported curve", expected="P-256, P-384 or P-521", got=public.curve.name)
        # Rebuilt from its numbers, so that a compressed point does not survive in the material.
        return Material("ecdsa", scheme, _spki(public.public_numbers().public_key()), public)
    if isinstance(public, rsa.RSAPublicKey):
        return _describe_rsa(public)
    raise unsupported(public)


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
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def unsupported(key: object) -> Malformed:
    """The error for a key of a type that in-toto has no signature scheme for, or that we do not support."""
    kind = next((name for name, types in _FOREIGN if isinstance(key, types)), "another type")
    return Malformed("unsupported type of key", expected=_SUPPORTED, got=kind, remedy=_REMEDY)


def private(key: object) -> PrivateKey:
    """`key`, a loaded private key, if it is of a supported type. Raises `Malformed` otherwise."""
    if isinstance(key, ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        return key
    raise unsupported(key)


def load(spki: bytes) -> PublicKey:
    """The public key whose material `describe` gave as `spki`."""
    return describe(load_der_public_key(spki)).public
