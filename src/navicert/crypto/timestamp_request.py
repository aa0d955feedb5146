"""What a timestamp authority is asked: to say that some bytes exist now. Spec: RFC 3161 §2.4.1."""

from __future__ import annotations

import hashlib

from navicert.crypto.certificate import Certificate
from navicert.crypto.timestamp_token import TimestampToken
from navicert.errors import Malformed, Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

# TimeStampReq { version 1, messageImprint { sha256, digest }, certReq TRUE }, up to the digest. There is no nonce: an
# answer about the same bytes that was given earlier proves that they existed earlier.
_HEAD: Final = bytes.fromhex("3039020101") + bytes.fromhex("3031300d060960864801650304020105000420")
_TAIL: Final = bytes.fromhex("0101ff")

CONTENT_TYPE: Final = "application/timestamp-query"
"""What a request is sent as. Spec: RFC 3161 §3.4."""


def request_for(stamped: bytes) -> bytes:
    """The request for a timestamp of `stamped`, with the authority's certificate in the answer."""
    return _HEAD + hashlib.sha256(stamped).digest() + _TAIL


def check_answer(raw: bytes, stamped: bytes) -> TimestampToken:
    """The timestamp in an answer to `request_for`, if it is one of `stamped` and signed by the certificate that it
    carries. Whose that is nobody has checked. Raises `Malformed`, and `Refused` for one that would prove nothing."""
    token = TimestampToken.read(raw)
    if not token.stamps(stamped):
        raise Refused("the timestamp is about something else than the signature")
    carried = []
    for der in token.certificates:
        try:
            carried.append(Certificate.read(der))
        except Malformed:
            continue  # one of a kind that cannot have signed it
    if not any(token.signed_by(certificate) for certificate in carried):
        raise Refused("the timestamp is not signed by a certificate that came with it")
    return token
