"""An Ed25519 public key as 32 bytes: which of them are keys that nobody else can sign for.

Spec: RFC 8032 §5.1.3 (decoding a point); FIPS 186-5 §7.2 (public key validation).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

SIZE: Final = 32
"""Bytes of an encoded point."""

SPKI: Final = bytes.fromhex("302a300506032b6570032100")
"""What comes before the point in a SubjectPublicKeyInfo. Spec: RFC 8410 §4."""

PKCS8: Final = bytes.fromhex("302e020100300506032b657004220420")
"""What comes before the private key (as long as a point) in the shortest PrivateKeyInfo. Spec: RFC 8410 §7."""

_P: Final = 2**255 - 19
_SIGN: Final = 1 << 255
_ORDER_8: Final = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7

# The y coordinates of the eight points whose order divides the cofactor: 1, 2, 4 and (two of them, each with both
# signs of x) 8. Under such a key a signature can be written down for any message without a private key.
_SMALL_ORDER: Final = frozenset(
    {
        1,
        _P - 1,
        0,
        _ORDER_8,
        _P - _ORDER_8,
    }
)


def weakness(point: bytes) -> str:
    """Why `point` (32 bytes) must not be trusted as a public key; empty where it may be.

    A non-canonical encoding is a second name for another key, so one key could be counted twice.
    """
    y = int.from_bytes(point, "little") & ~_SIGN
    if y >= _P:
        return "its encoding is not canonical"
    if y in _SMALL_ORDER:
        return "it is a point of small order, for which anyone can sign"
    return ""
