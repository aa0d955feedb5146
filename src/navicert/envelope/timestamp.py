"""Timestamps beside a signature in a DSSE envelope: `"timestamps": [{"type": "tsp", "data": BASE64}]`.

The form is that of witness; other readers of DSSE pass over fields that they do not know. A timestamp is about the
bytes of the signature, so that it proves when that existed. Spec: RFC 3161; DSSE v1.0.2 (unknown fields).
"""

from __future__ import annotations

from navicert.envelope.dsse import decode_base64, encode_base64
from navicert.envelope.signature import Signature
from navicert.errors import Malformed
from navicert.interface import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

MOST: Final = 8
"""Timestamps of one signature that are looked at."""

_KIND: Final = "tsp"


def timestamp_fields(raw: bytes) -> dict[str, object]:
    """The fields of a signature that hold the timestamp `raw`, in DER."""
    return {"timestamps": [{"type": _KIND, "data": encode_base64(raw)}]}


def timestamps_of(signature: Signature) -> tuple[bytes, ...]:
    """The timestamps in DER that came with `signature`, as far as they can be read. Nobody has checked them."""
    given = signature.fields.get("timestamps")
    found = []
    for item in given[:MOST] if type(given) is list else ():
        data = item.get("data") if isinstance(item, Mapping) and item.get("type") == _KIND else None
        if type(data) is str:
            try:
                found.append(decode_base64(data, ""))
            except Malformed:
                continue  # what cannot be read proves nothing
    return tuple(found)
