"""OpenPGP's ASCII armour: a key as text. Spec: RFC 4880 §6.2."""

from __future__ import annotations

import binascii
import re

from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_BEGIN: Final = re.compile(r"-----BEGIN PGP (PUBLIC|PRIVATE) KEY BLOCK-----")
_HEADER: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]*: .*")
# First bytes of a public key packet: both formats, every way to write its length.
_KEY: Final = (0x98, 0x99, 0x9A, 0xC6)


def is_armoured(text: str) -> bool:
    """Whether `text` is or holds a key in armour."""
    return _BEGIN.search(text) is not None


def is_binary(raw: bytes) -> bool:
    """Whether `raw` begins as a public key does that was exported without armour."""
    return raw[:1] != b"" and raw[0] in _KEY


def unarmour(text: str) -> bytes:
    """What the one block in `text` holds. Raises `Malformed`, for a private key too."""
    lines = [line.strip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    begins = [index for index, line in enumerate(lines) if _BEGIN.fullmatch(line)]
    if len(begins) != 1:
        raise Malformed(
            "not one OpenPGP block", expected="one key", got=str(len(begins)), remedy="put each key into its own file"
        )
    if "PRIVATE" in lines[begins[0]]:
        raise Malformed(
            "a private key where a public one belongs",
            got="an OpenPGP private key",
            remedy="export the public one with: gpg --export --armor FINGERPRINT",
        )
    body = lines[begins[0] + 1 :]
    while body and _HEADER.fullmatch(body[0]):
        del body[0]
    end = "-----END PGP PUBLIC KEY BLOCK-----"
    if end not in body or body[0]:
        raise _damaged("cut off, or without the empty line that ends its headers")
    words = [line for line in body[1 : body.index(end)] if line]
    checksum = words.pop() if words and words[-1].startswith("=") and len(words[-1]) == 5 else ""
    try:
        data = binascii.a2b_base64("".join(words), strict_mode=True)
        stated = binascii.a2b_base64(checksum[1:], strict_mode=True)
    except ValueError as error:
        raise _damaged("not base64") from error
    # The checksum is no protection, and newer programs leave it out; a wrong one says that something got lost.
    if checksum and int.from_bytes(stated, "big") != _crc24(data):
        raise _damaged("its checksum does not fit")
    return data


def _damaged(why: str) -> Malformed:
    return Malformed(f"damaged OpenPGP block: {why}", remedy="export the key again with: gpg --export --armor")


def _crc24(data: bytes) -> int:
    """Spec: RFC 4880 §6.1."""
    crc = 0xB704CE
    for octet in data:
        crc ^= octet << 16
        for _ in range(8):
            crc <<= 1
            if crc & 0x1000000:
                crc ^= 0x1864CFB
    return crc
