"""Signature schemes by the names that in-toto gives them.

Spec: in-toto v1.0 §4.2; PKCS #1 (RFC 8017) for RSA, FIPS 186-5 for ECDSA, RFC 8032 for Ed25519. RSA-PSS is signed with
a salt as long as the digest and verified with any; an ECDSA signature is the DER form of (r, s).
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from navicert.crypto.material import PrivateKey, PublicKey

_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "ecdsa-sha2-nistp256": hashes.SHA256(),
    "ecdsa-sha2-nistp384": hashes.SHA384(),
    "ecdsa-sha2-nistp521": hashes.SHA512(),
    "rsassa-pss-sha256": hashes.SHA256(),
    "rsassa-pss-sha384": hashes.SHA384(),
    "rsassa-pss-sha512": hashes.SHA512(),
    "rsa-pkcs1v15-sha256": hashes.SHA256(),
    "rsa-pkcs1v15-sha384": hashes.SHA384(),
    "rsa-pkcs1v15-sha512": hashes.SHA512(),
}


def sign(private: PrivateKey, scheme: str, message: bytes) -> bytes:
    """The signature of `private` over `message` under `scheme`, which must suit the type of key."""
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return private.sign(message)
    hash = _HASHES[scheme]
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return private.sign(message, ec.ECDSA(hash))
    if scheme.startswith("rsa-pkcs1v15-"):
        return private.sign(message, padding.PKCS1v15(), hash)
    return private.sign(message, padding.PSS(padding.MGF1(hash), padding.PSS.DIGEST_LENGTH), hash)


def verify(public: PublicKey, scheme: str, signature: bytes, message: bytes) -> bool:
    """Whether `signature` is one of `public` over `message` under `scheme`. Any bytes may come as a signature."""
    try:
        if isinstance(public, ed25519.Ed25519PublicKey):
            public.verify(signature, message)
            return True
        hash = _HASHES[scheme]
        if isinstance(public, ec.EllipticCurvePublicKey):
            public.verify(signature, message, ec.ECDSA(hash))
            return True
        return _verify_rsa(public, scheme, signature, message, hash)
    except (InvalidSignature, ValueError):
        return False


def _verify_rsa(
    public: rsa.RSAPublicKey, scheme: str, signature: bytes, message: bytes, hash: hashes.HashAlgorithm
) -> bool:
    # One length only, so that a signature has one form. Spec: RFC 8017 §8.1.2 and §8.2.2, step 1.
    if len(signature) != (public.key_size + 7) // 8:
        return False
    if scheme.startswith("rsa-pkcs1v15-"):
        public.verify(signature, message, padding.PKCS1v15(), hash)
    else:
        public.verify(signature, message, padding.PSS(padding.MGF1(hash), padding.PSS.AUTO), hash)
    return True
