"""Opening and sealing signed documents, Metablock and DSSE.

A signature is checked over what was received: PAE over the payload bytes, or canonical JSON of the received `signed`
object with every field it has. For Metablock a second form is tried, in which upstream's defaults stand for missing
fields, because upstream signs that; it adds fields and never drops one. The body is read from exactly the form that
verified.

Spec: in-toto v1.0 §4.2 (Metablock); ITE-5 and DSSE v1.0.2 (envelope).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, MutableMapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Generic, TypeVar

from navicert.crypto.key import Key
from navicert.crypto.signer import Signer
from navicert.digest import Digest, sha256
from navicert.envelope.body import Body, read_body
from navicert.envelope.dsse import PAYLOAD_TYPE, decode_base64, encode_base64, pae
from navicert.errors import LimitExceeded, Malformed, Refused
from navicert.limits import LOCAL, Limits
from navicert.model.field import as_list, as_object, as_text, required
from navicert.model.layout import Layout, complete_layout
from navicert.model.link import Link, complete_link
from navicert.strictjson import canonical, loads

T = TypeVar("T", bound=Body, covariant=True)

_COMPLETE: Final = {"layout": complete_layout, "link": complete_link}


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature as received. `keyid` is a hint and may be missing; `fields` is the whole JSON object.

    `headers` is what makes a signature one of OpenPGP: the hashed part of its packet, which it is over too.
    """

    keyid: str | None
    value: bytes
    fields: dict[str, object] = field(default_factory=dict, compare=False)
    headers: bytes | None = None

    @property
    def proof(self) -> bytes:
        """All that a key checks of this signature, in one value."""
        return self.value if self.headers is None else b"%d:%b%b" % (len(self.headers), self.headers, self.value)

    def made_by(self, key: Key, message: bytes) -> bool:
        """Whether `key`, or a subkey of it, made this signature over `message`."""
        return any(member.verify(self.value, message, self.headers) for member in key.members)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A signed document as received: bytes and signatures, no body. `verified_by` is the way to the body.

    `form` is "metablock" or "dsse"; `digest` is the SHA-256 of the file; `origin` says where it came from.
    """

    raw: bytes = field(repr=False)
    form: str
    payload_type: str
    signatures: tuple[Signature, ...]
    origin: str
    digest: Digest
    limits: Limits = field(repr=False)
    _payload: bytes = field(default=b"", repr=False)
    """DSSE: the bytes that are signed with their type."""
    _signed: dict[str, object] = field(default_factory=dict, repr=False)
    """Metablock: the `signed` object as received."""

    def candidates(self) -> Iterator[tuple[bytes, object]]:
        """The messages that a signature may be over, each with what its body is read from."""
        if self.form == "dsse":
            yield pae(self.payload_type, self._payload), self._payload
            return
        received = self._signed
        yield self._canonical(received), received
        complete = _COMPLETE.get(str(received.get("_type")))
        if complete is not None:
            completed = complete(received)
            if completed != received:
                yield self._canonical(completed), completed

    def _canonical(self, signed: dict[str, object]) -> bytes:
        try:
            return canonical(signed)
        except Malformed as error:
            error.pointer = self.pointer(error.pointer)
            raise error.at(self.origin) from error

    def pointer(self, inside: str) -> str:
        """The JSON pointer in the file of what stands at `inside` in the signed document. For DSSE the part after `#`
        points into the decoded payload."""
        return f"/signed{inside}" if self.form == "metablock" else f"/payload#{inside}"

    def verified_by(
        self, keys: Collection[Key], *, memo: MutableMapping[tuple[str, bytes, bytes], bool] | None = None
    ) -> Verified[Body] | None:
        """The document, if at least one of `keys` or their subkeys signed it; None where none did.

        Every signature is tried with the keys that its id hints at, then with all others: an id decides nothing. Only
        OpenPGP signatures are tried with nothing but the key that they name, as their id follows from the key.
        `memo` remembers answers by (key, signature, message digest), so that trying more keys later repeats nothing.
        Raises `Malformed` where the signed bytes are no document, `LimitExceeded` for too many attempts.
        """
        best: Verified[Body] | None = None
        keys = tuple(dict.fromkeys(member for key in keys for member in key.members))
        for message, source in self.candidates():
            content = sha256(message)
            signers = self._signers(message, content, keys, {} if memo is None else memo)
            if signers and (best is None or len(signers) > len(best.signers)):
                best = Verified(self._body(source), signers, content, self, _TOKEN)
            if best is not None and len(best.signers) == len(keys):
                break
        return best

    def _signers(
        self,
        message: bytes,
        content: Digest,
        keys: Collection[Key],
        memo: MutableMapping[tuple[str, bytes, bytes], bool],
    ) -> tuple[Key, ...]:
        fingerprint = content.hex.encode()
        found: dict[Key, None] = {}
        attempts = 0
        for signature in self.signatures:
            guesses = 0
            for key, hinted in _hinted_first(signature, keys):
                guesses += not hinted
                if guesses > self.limits.key_guesses:
                    break
                if key in found:
                    continue
                attempts += 1
                if attempts > self.limits.signature_attempts:
                    raise LimitExceeded(
                        "too many signature checks (limit signature_attempts)",
                        path=self.origin,
                        expected=f"at most {self.limits.signature_attempts}",
                        got=f"{len(self.signatures)} signatures for {len(keys)} keys",
                    )
                question = (f"{key.scheme} {key.fingerprint}", signature.proof, fingerprint)
                good = memo.get(question)
                if good is None:
                    good = memo[question] = key.verify(signature.value, message, signature.headers)
                if good:
                    found[key] = None
                    break
        return tuple(found)

    def _body(self, source: object) -> Body:
        try:
            if isinstance(source, bytes):
                source = loads(source, self.limits)
            body = read_body(source, self.limits)
            if self.form == "metablock" and not isinstance(body, Layout | Link):
                raise Malformed("a Metablock holds a layout or a link", pointer="/_type")
            if self.form == "dsse" and self.payload_type != PAYLOAD_TYPE and isinstance(body, Layout | Link):
                raise Malformed(
                    "wrong payload type for a layout or link", expected=PAYLOAD_TYPE, got=repr(self.payload_type)[:80]
                )
        except Malformed as error:
            error.pointer = self.pointer(error.pointer)
            raise error.at(self.origin) from error
        return body


def _hinted_first(signature: Signature, keys: Collection[Key]) -> Iterator[tuple[Key, bool]]:
    """`keys` in the order to try, each with whether the id hints at it: the exact id, then whoever answers to it, then
    all others. A signature of OpenPGP and a key that is none have nothing to do with each other."""
    keyid, openpgp = signature.keyid, signature.headers is not None
    keys = [key for key in keys if key.openpgp == openpgp]
    if not keyid:
        yield from ((key, False) for key in keys)
        return
    yield from ((key, True) for key in keys if key.id == keyid)
    # Working out the other ids of a key is not free: only where the exact id did not do.
    others = [key for key in keys if key.id != keyid]
    yield from ((key, True) for key in others if keyid in key.ids)
    if not openpgp:
        yield from ((key, False) for key in others if keyid not in key.ids)


class _Token:
    """Only this module holds one, so only `Sealed.verified_by` makes a `Verified`."""


_TOKEN: Final = _Token()


@dataclass(frozen=True, slots=True)
class Verified(Generic[T]):
    """A document whose signature was checked: `body` is read from the bytes that `signers` (at least one) signed.

    `content` is the SHA-256 of the message that they signed: the same whatever the envelope looks like, so it is what
    tells documents apart; `digest` is that of the file.
    """

    body: T
    signers: tuple[Key, ...]
    content: Digest
    sealed: Sealed = field(repr=False)
    _token: _Token = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        if self._token is not _TOKEN or not self.signers:
            raise TypeError("a Verified comes from Sealed.verified_by only")

    def is_signed_by(self, key: Key, at: datetime) -> bool:
        """Whether `key` or a subkey of it is among the signers, and neither had expired at that moment."""
        valid = () if key.expired(at) else (member for member in key.members if not member.expired(at))
        return any(member in self.signers for member in valid)

    @property
    def digest(self) -> Digest:
        """The SHA-256 of the file."""
        return self.sealed.digest

    @property
    def origin(self) -> str:
        """Where the file came from."""
        return self.sealed.origin


@dataclass(frozen=True, slots=True)
class Unverified(Generic[T]):
    """A document that nobody vouches for: to be shown, signed or compared. No function of `verify` takes it."""

    body: T
    sealed: Sealed = field(repr=False)


def open_document(raw: bytes, limits: Limits = LOCAL, *, path: str = "") -> Sealed:
    """The signed document that `raw` holds, DSSE or Metablock. Raises `Malformed` or `LimitExceeded`, naming `path`."""
    try:
        document = as_object(loads(raw, limits), "")
        if "payload" in document and "signed" in document:
            raise Malformed("both a DSSE envelope and a Metablock", expected="one of payload and signed")
        if "payload" in document:
            return _open_dsse(raw, document, limits, path)
        if "signed" in document:
            return _open_metablock(raw, document, limits, path)
        raise Malformed(
            "not a signed document",
            expected='a DSSE envelope ("payload") or a Metablock ("signed")',
            got=f"an object with {', '.join(sorted(document)[:5]) or 'no field'}",
        )
    except Malformed as error:
        raise error.at(path) from error


def _open_dsse(raw: bytes, document: dict[str, object], limits: Limits, path: str) -> Sealed:
    kind = as_text(required(document, "payloadType", ""), "/payloadType")
    if kind != PAYLOAD_TYPE and not (kind.startswith("application/vnd.in-toto.") and kind.endswith("+json")):
        raise Malformed("unknown payload type", pointer="/payloadType", expected=PAYLOAD_TYPE, got=repr(kind)[:80])
    payload = document["payload"]
    if type(payload) is not str:
        raise Malformed("wrong type", pointer="/payload", expected="string")
    signatures = []
    for i, item in enumerate(_entries(document, limits)):
        entry = as_object(item, f"/signatures/{i}")
        keyid = entry.get("keyid")
        if keyid is not None:
            keyid = as_text(keyid, f"/signatures/{i}/keyid")
        value = as_text(required(entry, "sig", f"/signatures/{i}"), f"/signatures/{i}/sig")
        signatures.append(Signature(keyid or None, decode_base64(value, f"/signatures/{i}/sig"), entry))
    content = decode_base64(payload, "/payload")
    return Sealed(raw, "dsse", kind, tuple(signatures), path, sha256(raw), limits, content)


def _open_metablock(raw: bytes, document: dict[str, object], limits: Limits, path: str) -> Sealed:
    signed = as_object(document["signed"], "/signed")
    kind = signed.get("_type")
    if type(kind) is not str or kind not in _COMPLETE:
        raise Malformed(
            "unknown document type",
            pointer="/signed/_type",
            expected='"layout" or "link"',
            got=repr(kind)[:60],
        )
    signatures = []
    for i, item in enumerate(_entries(document, limits)):
        entry = as_object(item, f"/signatures/{i}")
        keyid = as_text(required(entry, "keyid", f"/signatures/{i}"), f"/signatures/{i}/keyid")
        if "signature" in entry and "other_headers" in entry:
            value, headers = _hex(entry, "signature", i), _hex(entry, "other_headers", i)
            signatures.append(Signature(keyid, value, entry, headers))
        else:
            signatures.append(Signature(keyid, _hex(entry, "sig", i), entry))
    return Sealed(raw, "metablock", "", tuple(signatures), path, sha256(raw), limits, _signed=signed)


def _hex(entry: dict[str, object], name: str, index: int) -> bytes:
    where = f"/signatures/{index}"
    text = as_text(required(entry, name, where), f"{where}/{name}")
    where = f"{where}/{name}"
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise Malformed("signature is not hexadecimal", pointer=where, expected="hexadecimal digits") from error


def _entries(document: dict[str, object], limits: Limits) -> list[object]:
    return as_list(required(document, "signatures", ""), "/signatures", most=limits.signatures)


def peek(sealed: Sealed) -> Unverified[Body]:
    """The body of `sealed` without any check of its signatures. Raises `Malformed` where it is no document."""
    _, source = next(sealed.candidates())
    return Unverified(sealed._body(source), sealed)


def form_for(*signers: Signer) -> str:
    """The form to write where none was asked for: "dsse", or "metablock" where a GPG key signs, which needs it."""
    return "metablock" if any(signer.key.openpgp for signer in signers) else "dsse"


def check_form(form: str, *signers: Signer) -> None:
    """Raise `Refused` where one of `signers` cannot sign documents of `form`."""
    for signer in signers:
        if form == "dsse" and signer.key.openpgp:
            raise Refused(
                "GPG keys cannot sign DSSE: it has no place for what belongs to an OpenPGP signature",
                path=signer.keyid,
                remedy="write a Metablock, or sign with another kind of key",
            )


def seal(body: Body, *signers: Signer, form: str = "dsse") -> bytes:
    """`body` signed by all `signers`, as the bytes of a file; `form` is "dsse" or "metablock".

    Layouts and links are written as in-toto 3.1.0 writes them. Raises `Refused` without a signer and for a GPG key
    that is to sign DSSE, `Malformed` for a body that cannot be signed.
    """
    document = body.to_json()
    if form == "dsse":
        return _write_dsse(PAYLOAD_TYPE, json.dumps(document, sort_keys=True).encode(), [], signers)
    if form != "metablock" or not isinstance(body, Layout | Link):
        raise Malformed("cannot be sealed so", expected="form dsse, or metablock for layouts and links", got=form)
    return _write_metablock(document, [], signers)


def add_signatures(sealed: Sealed, *signers: Signer, replace: bool = False) -> bytes:
    """`sealed` with signatures by `signers` added (one by the same key id is replaced), or in place of all others.

    What was signed is not touched, down to unknown fields and, for DSSE, every byte of the payload.
    """
    kept = [] if replace else [signature.fields for signature in sealed.signatures]
    if sealed.form == "dsse":
        return _write_dsse(sealed.payload_type, sealed._payload, kept, signers)
    return _write_metablock(sealed._signed, kept, signers)


def _others(kept: list[dict[str, object]], signers: tuple[Signer, ...]) -> list[dict[str, object]]:
    if not signers:
        raise Refused("nothing to sign with", remedy="name at least one key")
    ids = {signer.keyid for signer in signers}
    return [entry for entry in kept if entry.get("keyid") not in ids]


def _write_dsse(payload_type: str, payload: bytes, kept: list[dict[str, object]], signers: tuple[Signer, ...]) -> bytes:
    check_form("dsse", *signers)
    message = pae(payload_type, payload)
    entries = _others(kept, signers)
    entries += [{"keyid": signer.keyid, "sig": encode_base64(signer.sign(message))} for signer in signers]
    envelope = {"payload": encode_base64(payload), "payloadType": payload_type, "signatures": entries}
    return json.dumps(envelope, sort_keys=True).encode()


def _write_metablock(signed: dict[str, object], kept: list[dict[str, object]], signers: tuple[Signer, ...]) -> bytes:
    message = canonical(signed)
    entries = _others(kept, signers)
    entries += [signer.key.signature_entry(signer.keyid, signer.sign(message)) for signer in signers]
    block = {"signatures": entries, "signed": signed}
    return json.dumps(block, indent=1, separators=(",", ": "), sort_keys=True).encode()
