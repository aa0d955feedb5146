"""Ed25519 keys of the library, made without the modules that it loads around them.

`cryptography` keeps all algorithms in one compiled module. Its public module for Ed25519 only hands them on, and takes
more time to load (with `typing`, and what writes keys in other forms) than a signature takes. So the compiled module is
asked itself, and where a version of the library has nothing under that name, which it does not promise, the public one.
The objects are the same either way.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeGuard

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


def public_key(point: bytes) -> Ed25519PublicKey:
    """The public key of the 32 bytes `point`. Spec: RFC 8032 §5.1.5."""
    compiled = _compiled()
    if compiled is not None:
        key: Ed25519PublicKey = compiled.from_public_bytes(point)
        return key
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return Ed25519PublicKey.from_public_bytes(point)


def private_key(seed: bytes) -> Ed25519PrivateKey:
    """The private key of the 32 bytes `seed`."""
    compiled = _compiled()
    if compiled is not None:
        key: Ed25519PrivateKey = compiled.from_private_bytes(seed)
        return key
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(seed)


def is_public(key: object) -> TypeGuard[Ed25519PublicKey]:
    """Whether `key` is a public key of this type."""
    compiled = _compiled()
    if compiled is not None:
        return isinstance(key, compiled.Ed25519PublicKey)
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return isinstance(key, Ed25519PublicKey)


def is_private(key: object) -> TypeGuard[Ed25519PrivateKey]:
    """Whether `key` is a private key of this type."""
    compiled = _compiled()
    if compiled is not None:
        return isinstance(key, compiled.Ed25519PrivateKey)
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return isinstance(key, Ed25519PrivateKey)


def _compiled() -> Any | None:
    """The part of the compiled module that is about Ed25519; None where it has no such part."""
    try:
        from cryptography.hazmat.bindings._rust import openssl
    except ImportError:
        return None
    part = getattr(openssl, "ed25519", None)
    known = ("from_public_bytes", "from_private_bytes", "Ed25519PublicKey", "Ed25519PrivateKey")
    return part if all(hasattr(part, name) for name in known) else None
