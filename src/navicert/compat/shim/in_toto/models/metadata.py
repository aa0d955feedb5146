"""Signed documents that can be changed: Metablock and DSSE (`in_toto.models.metadata`).

Whatever is checked is checked by Navicert over bytes: those received while nothing was changed since, else what the
object says now.
"""

from __future__ import annotations

from os import PathLike, fspath

from navicert.compat.shim.in_toto.exceptions import InvalidMetadata, SignatureVerificationError
from navicert.compat.shim.in_toto.formats import _check_public_key, _check_signature
from navicert.compat.shim.in_toto.models._signer import GPGSigner
from navicert.compat.shim.in_toto.models.link import Link
from navicert.compat.shim.in_toto.models.signable import Signable, ValidationMixin, plain
from navicert.compat.shim.securesystemslib.dsse import Envelope as SSlibEnvelope
from navicert.compat.shim.securesystemslib.exceptions import FormatError
from navicert.compat.shim.securesystemslib.signer import Signature, signer_of
from navicert.envelope.dsse import PAYLOAD_TYPE, write_envelope
from navicert.errors import Malformed
from navicert.jsontext import writer
from navicert.model.section import INDENTED, SPACED, write_sections

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar, Final

    from navicert.compat.shim.in_toto.models.layout import Layout
    from navicert.crypto.key import Key
    from navicert.envelope.document import Sealed

ENVELOPE_PAYLOAD_TYPE: Final = PAYLOAD_TYPE

_write: Final = writer()


class Metadata:
    """A signed layout or link, in either of the two containers."""

    path: str = ""
    """The file that it was loaded from."""
    _received: tuple[bytes, Any] | None = None
    """The bytes that it was loaded from, and what the object said then."""

    @classmethod
    def from_dict(cls, data: Any) -> Any:
        """The document of a dictionary. Raises `InvalidMetadata`, `FormatError`."""
        if isinstance(data, dict) and "payload" in data:
            if data.get("payloadType") == ENVELOPE_PAYLOAD_TYPE:
                return Envelope.from_dict(data)
            raise InvalidMetadata(f"the payload type is {data.get('payloadType')!r}, not '{ENVELOPE_PAYLOAD_TYPE}'")
        if isinstance(data, dict) and "signed" in data:
            return Metablock.from_dict(data)
        raise InvalidMetadata("neither a DSSE envelope ('payload') nor a Metablock ('signed')")

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Any:
        """The document in a file. Raises `OSError`, `ValueError` for what is no JSON, `InvalidMetadata` and
        `FormatError` for what is no such document."""
        return cls._read(fspath(path))

    @classmethod
    def _read(cls, path: str, raw: bytes | None = None) -> Any:
        """As `load`; `raw` is what the file was found to hold, if it was read already."""
        from navicert.compat.shim.in_toto.reading import read_json

        raw, data = read_json(path, raw)
        document = cls.from_dict(data)
        document.path = path
        document._received = (raw, document.to_dict())
        return document

    def to_dict(self) -> dict[str, Any]:
        """The dictionary of this document."""
        raise NotImplementedError

    def dump(self, path: str | PathLike[str]) -> None:
        """Write this document to a file."""
        with open(path, "wb") as stream:
            stream.write(self._written())

    def _written(self) -> bytes:
        return _write(self.to_dict()).encode()

    def sealed(self) -> Sealed:
        """This document for Navicert: as it was received, or as it is now if it was changed since. Raises
        `Malformed`."""
        from navicert.envelope.document import open_document

        now = self.to_dict()
        if self._received is not None and self._received[1] == now:
            return open_document(self._received[0], path=self.path)
        import json

        return open_document(json.dumps(now).encode(), path=self.path)

    def verify_signature(self, verification_key: dict[str, Any]) -> None:
        """Raises `SignatureVerificationError` unless the document carries a valid signature of the key, under whichever
        of its ids."""
        from navicert.crypto.key import Key

        _check_public_key(verification_key)
        keyid = verification_key["keyid"]
        try:
            key = Key.from_json(plain(verification_key), id=keyid)
            sealed = self.sealed()
            ids = {keyid, *key.ids} | {id for member in key.members for id in member.ids}
            if all(signature.keyid not in (None, *ids) for signature in sealed.signatures):
                raise SignatureVerificationError(f"No signature found for key '{keyid}'")
            _refuse_expired(key, verification_key)
            if not _is_signed(sealed, key):
                raise SignatureVerificationError(f"Invalid signature for keyid '{keyid}'")
        except Malformed as error:
            raise SignatureVerificationError(f"Invalid signature for keyid '{keyid}': {error}") from error

    def create_signature(self, signer: Any) -> Any:
        """Sign, and return the signature; `signer` is anything that has `sign(bytes)`."""
        raise NotImplementedError

    def get_payload(self) -> Any:
        """The layout or link."""
        raise NotImplementedError


def _is_signed(sealed: Sealed, key: Key) -> bool:
    """Whether a signature of `key` verifies. What is signed is not looked at: it may be no document at all, which is
    said by whoever asks for it. Raises `Malformed` for what cannot be signed."""
    return any(
        signature.made_by(key, message)
        for message, _ in sealed.candidates()
        for signature in sealed.signatures
        if key.openpgp == (signature.headers is not None)
    )


def _refuse_expired(key: Key, described: dict[str, Any]) -> None:
    from datetime import UTC, datetime

    from navicert.compat.shim.securesystemslib._gpg.exceptions import KeyExpirationError

    if key.expires is not None and key.expires < datetime.now(UTC):
        raise KeyExpirationError(described)


class Envelope(SSlibEnvelope, Metadata):
    """A layout or link in a DSSE envelope."""

    @classmethod
    def from_signable(cls, signable: Signable) -> Envelope:
        """The envelope, not signed yet, around `signable` as it is now."""
        if isinstance(signable, Link):
            payload = write_sections(signable.sections(), SPACED)
        else:
            payload = _write(signable.to_dict()).encode()
        return cls(payload=payload, payload_type=ENVELOPE_PAYLOAD_TYPE, signatures={})

    def _written(self) -> bytes:
        return write_envelope(self.payload_type, self.payload, self._entries())

    def create_signature(self, signer: Any) -> Signature:
        """Sign, and return the signature; one by the same id is replaced."""
        if isinstance(signer, GPGSigner):
            raise NotImplementedError("GPG Signing is not implemented")
        return self.sign(signer)

    def verify_signature(self, verification_key: dict[str, Any]) -> None:
        """As `Metadata.verify_signature`. Raises `ValueError` for GPG keys, which no envelope can be signed with."""
        _check_public_key(verification_key)
        if "keytype" not in verification_key:
            raise ValueError(f"a DSSE envelope cannot be verified with GPG key '{verification_key['keyid']}'")
        super().verify_signature(verification_key)

    def get_payload(self) -> Link | Layout:
        """The layout or link, read anew at each call. Raises `InvalidMetadata`."""
        from navicert.compat.shim.in_toto.models.layout import Layout

        data = read_payload(self.payload, self.path)
        kind = data.get("_type")
        if kind == "link":
            return Link.read(data)
        if kind == "layout":
            return Layout.read(data)
        raise InvalidMetadata(f"the payload is neither a link nor a layout: '_type' is {kind!r}")


def read_payload(payload: bytes, path: str) -> dict[str, Any]:
    """The object in the payload of an envelope."""
    from navicert.compat.shim.in_toto.reading import read_json

    _, data = read_json(path, payload)
    if not isinstance(data, dict):
        raise InvalidMetadata("the payload is no JSON object")
    return data


class Metablock(Metadata, ValidationMixin):
    """A layout or link in the older container: `signed`, and `signatures` over its canonical JSON."""

    FIELDS: ClassVar = ("signatures", "signed")

    def __init__(self, **kwargs: Any) -> None:
        self.signatures: Any = kwargs.get("signatures", [])
        self.signed: Any = kwargs.get("signed")
        self.compact_json: bool = kwargs.get("compact_json", False)
        self.validate()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Metablock) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]  # what can change has no hash

    def __repr__(self) -> str:
        layout = (None, (",", ":")) if self.compact_json else (1, (",", ": "))
        import json

        return json.dumps(self.to_dict(), indent=layout[0], separators=layout[1], sort_keys=True)

    def _written(self) -> bytes:
        if isinstance(self.signed, Link) and not self.compact_json:
            block = {"signatures": plain(self.signatures), "signed": self.signed.sections()}
            try:
                return write_sections(block, INDENTED, inside="signed")
            except TypeError:  # for keys that are no text, which json writes as if they were
                return repr(self).encode()
        return repr(self).encode()

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Metablock:
        """The document of a dictionary. Raises `FormatError`."""
        import json
        from copy import deepcopy

        from navicert.compat.shim.in_toto.models.layout import Layout

        received = deepcopy(data)
        signed = data.get("signed", {})
        kinds: dict[Any, Any] = {"link": Link, "layout": Layout}
        kind = kinds.get(signed.get("_type")) if isinstance(signed, dict) else None
        if kind is None:
            raise FormatError("Invalid Metadata format")
        made = cls(signatures=data.get("signatures", []), signed=kind.read(signed))
        made._received = (json.dumps(received).encode(), made.to_dict())
        return made

    def to_dict(self) -> dict[str, Any]:
        """The dictionary of this document, as it is now."""
        return {"signatures": plain(self.signatures), "signed": self.signed.to_dict()}

    @property
    def type_(self) -> Any:
        """The type of what is signed: "layout" or "link"."""
        return self.signed.type_

    def create_signature(self, signer: Any) -> Any:
        """Sign what the object says now, add the signature to those that are there, and return it."""
        signature = signer.sign(self.signed.signable_bytes)
        self.signatures.append(signature.to_dict())
        return signature

    def sign(self, key: dict[str, Any]) -> dict[str, Any]:
        """As `create_signature`, with a private key in the dictionary of releases before 1.0."""
        signer = signer_of(key)
        signature = {"keyid": signer.keyid, "sig": signer.sign(self.signed.signable_bytes).hex()}
        self.signatures.append(signature)
        return signature

    def sign_gpg(self, gpg_keyid: str | None = None, gpg_home: str | None = None) -> dict[str, Any]:
        """As `create_signature`, through gpg."""
        signature = GPGSigner(gpg_keyid, gpg_home).sign(self.signed.signable_bytes).to_dict()
        self.signatures.append(signature)
        return signature

    def get_payload(self) -> Any:
        """The layout or link itself, not a copy."""
        return self.signed

    def _validate_signed(self) -> None:
        if not isinstance(self.signed, Signable):
            raise FormatError("The Metblock's 'signed' property has has to be of type 'Link' or 'Layout'.")
        self.signed.validate()

    def _validate_signatures(self) -> None:
        if not isinstance(self.signatures, list):
            raise FormatError("The Metablock's 'signatures' property has to be of type 'list'.")
        for signature in self.signatures:
            _check_signature(signature)
