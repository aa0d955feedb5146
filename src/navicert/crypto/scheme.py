"""Signature schemes by the names that in-toto gives them.

Spec: in-toto v1.0 §4.2; PKCS #1 (RFC 8017) for RSA, FIPS 186-5 for ECDSA, RFC 8032 for Ed25519. RSA-PSS is signed with
a salt as long as the digest and verified with any; an ECDSA signature is the DER form of (r, s).

The scheme alone decides what is done: `Key` sees to it that it suits the key.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from cryptography.hazmat.primitives.hashes import HashAlgorithm

    from navicert.crypto.material import PrivateKey, PublicKey


def hash_of(scheme: str) -> HashAlgorithm:
    """The hash that `scheme` signs, by the end of its name; curve P-521 goes with SHA-512."""
    from cryptography.hazmat.primitives import hashes

    known: dict[str, HashAlgorithm] = {
        "256": hashes.SHA256(),
        "384": hashes.SHA384(),
        "512": hashes.SHA512(),
        "521": hashes.SHA512(),
    }
    return known[scheme[-3:]]


def sign(private: PrivateKey, scheme: str, message: bytes) -> bytes:
    """The signature of `private` over `message` under `scheme`."""
    signature: bytes = private.sign(message, *_parameters(scheme, verifying=False))
    return signature


def verify(public: PublicKey, scheme: str, signature: bytes, message: bytes) -> bool:
    """Whether `signature` is one of `public` over `message` under `scheme`. Any bytes may come as a signature."""
    # One length only, so that a signature has one form: OpenSSL takes PSS ones without their leading zeros.
    # Spec: RFC 8017 §8.1.2 and §8.2.2, step 1.
    if scheme.startswith("rsa") and len(signature) != (_bits(public) + 7) // 8:
        return False
    try:
        public.verify(signature, message, *_parameters(scheme, verifying=True))
    except _refusals():  # looked up only when there is something to catch
        return False
    return True


def verify_digest(public: PublicKey, scheme: str, signature: bytes, digest: bytes) -> bool:
    """Whether `signature` is one of `public` under `scheme` over a message whose digest, by the hash of the scheme, is
    `digest`. Ed25519 signs messages and no digests, so there it never is."""
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    if scheme == "ed25519" or len(digest) != hash_of(scheme).digest_size:
        return False
    known = utils.Prehashed(hash_of(scheme))
    if scheme.startswith("ecdsa-"):
        parameters: tuple[Any, ...] = (ec.ECDSA(known),)
    else:
        parameters = (_parameters(scheme, verifying=True)[0], known)
    if scheme.startswith("rsa") and len(signature) != (_bits(public) + 7) // 8:
        return False
    try:
        public.verify(signature, digest, *parameters)
    except _refusals():
        return False
    return True


def _refusals() -> tuple[type[Exception], ...]:
    from cryptography.exceptions import InvalidSignature

    return InvalidSignature, ValueError


def _bits(public: Any) -> int:
    size: int = public.key_size
    return size


def _parameters(scheme: str, *, verifying: bool) -> tuple[Any, ...]:
    """What the library's `sign` and `verify` want to know besides signature and message."""
    if scheme == "ed25519":
        return ()
    hash = hash_of(scheme)
    if scheme.startswith("ecdsa-"):
        from cryptography.hazmat.primitives.asymmetric import ec

        return (ec.ECDSA(hash),)
    from cryptography.hazmat.primitives.asymmetric import padding

    if scheme.startswith("rsa-pkcs1v15-"):
        return padding.PKCS1v15(), hash
    salt = padding.PSS.AUTO if verifying else padding.PSS.DIGEST_LENGTH
    return padding.PSS(padding.MGF1(hash), salt), hash
