"""DSSE envelopes that can be changed (`securesystemslib.dsse`)."""

from __future__ import annotations

from navicert.compat.shim.securesystemslib.exceptions import FormatError, UnverifiedSignatureError, VerificationError
from navicert.compat.shim.securesystemslib.signer import Key, Signature
from navicert.envelope.dsse import decode_base64, encode_base64, pae
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self


class Envelope:
    """A payload with its type, and signatures over both, by key id."""

    def __init__(self, payload: bytes, payload_type: str, signatures: dict[str, Signature]) -> None:
        self.payload = payload
        self.payload_type = payload_type
        self.signatures = signatures

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Envelope) and (self.payload, self.payload_type, self.signatures) == (
            other.payload,
            other.payload_type,
            other.signatures,
        )

    def __hash__(self) -> int:
        return hash((self.payload, self.payload_type))

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The envelope of a dictionary. A signature without `keyid` gets a place of its own. Raises `KeyError`,
        `ValueError` for two signatures under one id, `FormatError`."""
        signatures: dict[str, Signature] = {}
        entries = data["signatures"]
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise FormatError("the signatures of an envelope are a list of objects")
        try:
            for number, entry in enumerate(entries):
                fields = dict(entry)
                keyid = fields.pop("keyid", None) or ""
                value = decode_base64(_text(fields.pop("sig"), "sig"), f"/signatures/{number}/sig").hex()
                if keyid in signatures:
                    raise ValueError(f"Multiple signatures found for keyid {keyid}")
                signatures[keyid or f"#{number}"] = Signature(keyid, value, fields)
            payload = decode_base64(_text(data["payload"], "payload"), "/payload")
        except Malformed as error:
            raise FormatError(str(error)) from error
        return cls(payload, _text(data["payloadType"], "payloadType"), signatures)

    def to_dict(self) -> dict[str, Any]:
        """The dictionary of this envelope."""
        return {
            "payload": encode_base64(self.payload),
            "payloadType": self.payload_type,
            "signatures": self._entries(),
        }

    def _entries(self) -> list[dict[str, Any]]:
        """The signatures, as they stand in the file."""
        entries = []
        for signature in self.signatures.values():
            entry = signature.to_dict()
            entry["sig"] = encode_base64(bytes.fromhex(entry["sig"]))
            entries.append({name: value for name, value in entry.items() if name != "keyid" or value})
        return entries

    def pae(self) -> bytes:
        """What signatures are over."""
        return pae(self.payload_type, self.payload)

    def sign(self, signer: Any) -> Signature:
        """Sign, and return the signature; one by the same id is replaced."""
        signature: Signature = signer.sign(self.pae())
        self.signatures[signature.keyid] = signature
        return signature

    def verify(self, keys: list[Key], threshold: int) -> dict[str, Key]:
        """The keys of `keys` that signed, by id. Raises `VerificationError` for fewer than `threshold`."""
        if threshold <= 0:
            raise ValueError("Threshold must be greater than 0")
        if len(keys) < threshold:
            raise ValueError("Number of keys can't be less than threshold")
        accepted: dict[str, Key] = {}
        for signature in self.signatures.values():
            for key in keys:
                if key.keyid == signature.keyid and _signed(key, signature, self.pae()):
                    accepted[key.keyid] = key
        if len(accepted) < threshold:
            raise VerificationError(
                f"Accepted signatures do not match threshold, Found: {len(accepted)}, Expected {threshold}"
            )
        return accepted


def _signed(key: Key, signature: Signature, message: bytes) -> bool:
    try:
        key.verify_signature(signature, message)
    except UnverifiedSignatureError:
        return False
    return True


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise FormatError(f"the {name} of an envelope is a string, not {type(value).__name__}")
    return value
