"""DSSE: the message that is signed, and its two base64 alphabets.

Spec: DSSE protocol v1.0.2.
"""

from __future__ import annotations

import binascii
from typing import Final

from navicert.errors import Malformed

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
"""The payload type of layouts, links and statements."""

_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")


def pae(payload_type: str, payload: bytes) -> bytes:
    """The pre-authentication encoding: what a DSSE signature is over. Both lengths count bytes, not characters."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def decode_base64(text: str, where: str) -> bytes:
    """The bytes of `text` in standard or URL-safe base64, padded. Raises `Malformed` for anything else."""
    try:
        raw = text.encode("ascii")
        if b"-" in raw or b"_" in raw:
            if b"+" in raw or b"/" in raw:
                raise ValueError("two alphabets")
            raw = raw.translate(_URL_SAFE)
        return binascii.a2b_base64(raw, strict_mode=True)
    except ValueError as error:  # binascii.Error and UnicodeEncodeError are both of this kind
        raise Malformed("not base64", pointer=where, expected="standard or URL-safe base64 with padding") from error


def encode_base64(raw: bytes) -> str:
    """`raw` in standard base64 with padding."""
    return binascii.b2a_base64(raw, newline=False).decode("ascii")
