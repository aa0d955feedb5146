"""DSSE: the envelope, the message that is signed, and its two base64 alphabets.

Spec: DSSE protocol v1.0.2.
"""

from __future__ import annotations

import binascii
import sys
from io import BytesIO

from navicert.envelope.signature import Signature, entries, others
from navicert.errors import Malformed
from navicert.jsontext import writer
from navicert.limits import Limits
from navicert.model.field import as_object, as_text, required
from navicert.model.section import LEAST
from navicert.strictjson import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from navicert.crypto.signer import Signer

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
"""The payload type of layouts, links and statements."""

POLICY_PAYLOAD_TYPE: Final = "application/vnd.navicert.policy+json"
"""The payload type of our own policy documents, which is signed with them: no other implementation takes one for a
layout, and no signature on a layout is one on a policy."""

_write: Final = writer()
_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")


def pae(payload_type: str, payload: bytes) -> bytes:
    """The pre-authentication encoding: what a DSSE signature is over. Both lengths count bytes, not characters."""
    kind = payload_type.encode("utf-8")
    # Put together by `join`, which copies a large payload once.
    return b"".join((b"DSSEv1 %d %b %d " % (len(kind), kind, len(payload)), payload))


def decode_base64(text: str | bytes | memoryview, where: str) -> bytes:
    """The bytes of `text` in standard or URL-safe base64, padded. Raises `Malformed` for anything else."""
    try:
        raw = text.encode("ascii") if isinstance(text, str) else text
        decoded = _decode(raw)
        if decoded is None and b"+" not in (raw := bytes(raw)) and b"/" not in raw:
            decoded = _decode(raw.translate(_URL_SAFE))
        if decoded is None:
            raise ValueError("other characters, two alphabets, or padding that is missing or misplaced")
        return decoded
    except ValueError as error:  # UnicodeEncodeError is of this kind
        raise Malformed("not base64", pointer=where, expected="standard or URL-safe base64 with padding") from error


_LARGE: Final = 256 * 1024
"""From this size on, if not for one document then for a chain of them, `pybase64` pays for its import: it reads and
writes ten times faster than the standard library."""

_SOME: Final = 1024
"""From this size on it is quicker where it has been loaded anyway."""


def _decode(raw: bytes | memoryview) -> bytes | None:
    """The bytes of `raw` in standard base64, padded; None for anything else.

    The decoder drops every character that does not belong there, and what follows padding. So it gave all bytes that so
    many characters stand for only if it dropped none. (Its strict mode takes a pad too many.)
    """
    if len(raw) % 4:
        return None
    try:
        decoded = _decode_quickly(raw) if _is_for_quick(len(raw)) else binascii.a2b_base64(raw)
    except binascii.Error:
        return None
    end = bytes(raw[-2:])
    pads = len(end) - len(end.rstrip(b"="))
    return decoded if len(decoded) == len(raw) // 4 * 3 - pads else None


def _is_for_quick(size: int) -> bool:
    return size >= _LARGE or (size >= _SOME and "pybase64" in sys.modules)


def _decode_quickly(raw: bytes | memoryview) -> bytes:
    import pybase64

    return pybase64.b64decode(raw, validate=True)


def encode_base64(raw: bytes) -> str:
    """`raw` in standard base64 with padding."""
    return _encoder(len(raw))(raw).decode("ascii")


def _encoder(size: int) -> Callable[[bytes | memoryview], bytes]:
    """The function that encodes bytes, where there are `size` of them in all."""
    if not _is_for_quick(size):
        return _encode
    import pybase64

    return pybase64.b64encode


def _encode(raw: bytes | memoryview) -> bytes:
    return binascii.b2a_base64(raw, newline=False)


_PLACE: Final = 7396452018839206743
"""Stands in the place of a payload that was cut out: see `navicert.model.section`."""


_EARLY: Final = 64 * 1024
"""Before here an envelope's payload begins, or nothing is looked for: a large Metablock has none."""


def cut_payload(raw: bytes, limits: Limits) -> dict[str, object] | None:
    """The large envelope in `raw`, its payload already decoded, as bytes: base64 need not be read as JSON, as nothing
    can be wrong with it there. None for everything else."""
    if not LEAST <= len(raw) <= limits.document_bytes:
        return None
    place = b"%d" % _PLACE
    for key in (b'"payload": "', b'"payload":"'):
        at = raw.find(key, 0, _EARLY)
        if at < 0:
            continue
        start = at + len(key)
        end = raw.find(b'"', start)
        rest = b"".join((raw[: start - 1], place, raw[end + 1 :]))
        if end < 0 or rest.count(place) != 1:
            return None
        try:
            document = loads(rest, limits)
            if isinstance(document, dict) and document.get("payload") == _PLACE:
                document["payload"] = decode_base64(memoryview(raw)[start:end], "/payload")
                return document
        except Malformed:
            return None
        return None
    return None


def read_dsse(document: dict[str, object], limits: Limits) -> tuple[str, bytes, tuple[Signature, ...]]:
    """Payload type, payload and signatures of an envelope. Raises `Malformed`."""
    kind = as_text(required(document, "payloadType", ""), "/payloadType")
    if kind not in (PAYLOAD_TYPE, POLICY_PAYLOAD_TYPE) and not (
        kind.startswith("application/vnd.in-toto.") and kind.endswith("+json")
    ):
        raise Malformed("unknown payload type", pointer="/payloadType", expected=PAYLOAD_TYPE, got=repr(kind)[:80])
    payload = document["payload"]
    if not isinstance(payload, str | bytes):
        raise Malformed("wrong type", pointer="/payload", expected="string")
    signatures = []
    for i, item in enumerate(entries(document, limits)):
        entry = as_object(item, f"/signatures/{i}")
        keyid = entry.get("keyid")
        if keyid is not None:
            keyid = as_text(keyid, f"/signatures/{i}/keyid")
        value = as_text(required(entry, "sig", f"/signatures/{i}"), f"/signatures/{i}/sig")
        signatures.append(Signature(keyid or None, decode_base64(value, f"/signatures/{i}/sig"), entry))
    decoded = payload if isinstance(payload, bytes) else decode_base64(payload, "/payload")
    return kind, decoded, tuple(signatures)


def write_dsse(payload_type: str, payload: bytes, kept: list[dict[str, object]], signers: tuple[Signer, ...]) -> bytes:
    """The file of an envelope: `payload` with the entries `kept` and signatures by `signers`."""
    from navicert.crypto.signer import AttachingSigner

    message = pae(payload_type, payload)
    entries = others(kept, signers)
    for signer in signers:
        signature = signer.sign(message)
        beside = signer.attach(signature) if isinstance(signer, AttachingSigner) else {}
        entries.append({"keyid": signer.keyid, "sig": encode_base64(signature), **signer.key.attached, **beside})
    del message  # as long as the payload: its memory is for the file
    return write_envelope(payload_type, payload, entries)


_BEFORE, _BEHIND = b'{"payload": "', b'", '
_PART: Final = 96 * 1024
"""Bytes of a payload that are encoded at a time: a multiple of three, so that nothing is padded but the end."""


def write_envelope(payload_type: str, payload: bytes, signatures: list[dict[str, object]]) -> bytes:
    """The JSON of an envelope, its fields in order. Nothing in base64 has to be escaped, so what is mostly all of it is
    not looked at again."""
    rest = _write({"payloadType": payload_type, "signatures": signatures}).encode()
    # Of a large payload there is no second copy this way, and what is encoded is still in the cache of the processor.
    file = BytesIO(bytes(len(_BEFORE) + -(-len(payload) // 3) * 4 + len(_BEHIND) + len(rest) - 1))  # room for all of it
    file.write(_BEFORE)
    encode, view = _encoder(len(payload)), memoryview(payload)
    for start in range(0, len(payload), _PART):
        file.write(encode(view[start : start + _PART]))
    file.write(_BEHIND)
    file.write(memoryview(rest)[1:])
    file.truncate()
    return file.getvalue()
