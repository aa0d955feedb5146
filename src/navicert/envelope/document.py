"""Opening and sealing signed documents, Metablock and DSSE.

A signature is checked over what was received: PAE over the payload bytes, or canonical JSON of the received `signed`
object with every field it has. For Metablock a second form is tried, in which upstream's defaults stand for missing
fields, because upstream signs that; it adds fields and never drops one. The body is read from exactly the form that
verified.

Spec: in-toto v1.0 §4.2 (Metablock); ITE-5 and DSSE v1.0.2 (envelope).
"""

from __future__ import annotations

from navicert.crypto.key import Key
from navicert.dataclass import dataclass, field, replace
from navicert.digest import Digest, sha256
from navicert.envelope.body import Body, describe, read_body
from navicert.envelope.dsse import PAYLOAD_TYPE, POLICY_PAYLOAD_TYPE, cut_payload, pae, read_dsse, write_dsse
from navicert.envelope.metablock import read_metablock, write_metablock
from navicert.envelope.signature import Signature, hinted_first
from navicert.errors import LimitExceeded, Malformed, Refused
from navicert.interface import Generic, TypeVar
from navicert.limits import LOCAL, Limits
from navicert.model.field import as_object
from navicert.model.link import Link, complete_link
from navicert.model.section import CANONICAL, SPACED, read_sections, write_sections
from navicert.strictjson import Reading, canonical, loads, read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, MutableMapping
    from datetime import datetime
    from typing import Final

    from navicert.crypto.certification import Certified
    from navicert.crypto.signer import Signer
    from navicert.model.identity import Identity
    from navicert.model.moment import TrustedTime
    from navicert.model.passage import Pool

T = TypeVar("T", bound=Body, covariant=True)

_CLASSIC: Final = frozenset({"layout", "policy", "link"})
"""What is no statement."""


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
    _whole: bool = field(default=False, repr=False)
    """Whether `_signed` is known to hold no float, which nobody could have signed."""

    @property
    def payload(self) -> bytes:
        """DSSE: the bytes that are signed with their type; empty for a Metablock."""
        return self._payload

    def candidates(self, pool: Pool | None = None) -> Iterator[tuple[bytes, object]]:
        """The messages that a signature may be over, each with what its body is read from. What `pool` knows the text
        of is not written again."""
        if self.form == "dsse":
            yield pae(self.payload_type, self._payload), self._payload
            return
        received = self._signed
        yield self._canonical(received, pool), received
        complete = _completion(received.get("_type"))
        if complete is not None:
            completed = complete(received)
            if completed != received:
                yield self._canonical(completed, pool), completed

    def _canonical(self, signed: dict[str, object], pool: Pool | None) -> bytes:
        try:
            if self._whole:
                return canonical(signed, size=len(self.raw))
            return write_sections(signed, CANONICAL, pool=pool)
        except Malformed as error:
            error.pointer = self.pointer(error.pointer)
            raise error.at(self.origin) from error

    def pointer(self, inside: str) -> str:
        """The JSON pointer in the file of what stands at `inside` in the signed document. For DSSE the part after `#`
        points into the decoded payload."""
        return f"/signed{inside}" if self.form == "metablock" else f"/payload#{inside}"

    def verified_by(
        self,
        keys: Collection[Key],
        *,
        certificates: Mapping[int, Key] | None = None,
        memo: MutableMapping[tuple[str, bytes, bytes], bool] | None = None,
        pool: Pool | None = None,
    ) -> Verified[Body] | None:
        """The document, if at least one of `keys` or their subkeys signed it; None where none did.

        `certificates` are the keys of certificates that came with signatures, by the number of the signature: each is
        tried on this one signature, beside `keys`.

        Every signature is tried with the keys that its id hints at, then with all others: an id decides nothing. Only
        OpenPGP signatures are tried with nothing but the key that they name, as their id follows from the key.
        `memo` remembers answers by (key, signature, message digest), so that trying more keys later repeats nothing;
        `pool` remembers lists of artifacts, so that one that was read is not read again.
        Raises `Malformed` where the signed bytes are no document, `LimitExceeded` for too many attempts.
        """
        best: Verified[Body] | None = None
        if len(keys) == 1:
            (alone,) = keys
            keys = alone.members
        else:
            keys = tuple(dict.fromkeys([member for key in keys for member in key.members]))
        for message, source in self.candidates(pool):
            content = sha256(message)
            signers = self._signers(message, content, keys, certificates or {}, {} if memo is None else memo)
            del message  # before as much is taken to read the body
            if signers and (best is None or len(signers) > len(best.signers)):
                proofs = tuple(signers.values())
                best = Verified(self._body(source, pool), tuple(signers), content, self, _TOKEN, proofs=proofs)
            if best is not None and len(best.signers) >= min(len(keys), len(self.signatures)):
                break
        return best

    def verified_for(self, certified: Certified) -> Verified[Body] | None:
        """The document as one of whom a certificate names, if its key signed; None where it did not. Raises
        `Malformed` where the signed bytes are no document."""
        for message, source in self.candidates():
            if any(signature.made_by(certified.key, message) for signature in self.signatures):
                identities = (certified.identity,)
                return Verified(self._body(source), (), sha256(message), self, _TOKEN, identities, certified.times)
        return None

    def _signers(
        self,
        message: bytes,
        content: Digest,
        keys: Collection[Key],
        certificates: Mapping[int, Key],
        memo: MutableMapping[tuple[str, bytes, bytes], bool],
    ) -> dict[Key, Signature]:
        fingerprint = content.hex.encode()
        found: dict[Key, Signature] = {}
        attempts = 0
        for index, signature in enumerate(self.signatures):
            if index in certificates and signature.made_by(certificates[index], message):
                found[certificates[index]] = signature
            guesses = 0
            for key, hinted in hinted_first(signature, keys):
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
                question = (f"{key.scheme} {key.fingerprint} {signature.bundled}", signature.proof, fingerprint)
                good = memo.get(question)
                if good is None:
                    good = memo[question] = signature.made_by_member(key, message)
                if good:
                    found[key] = signature
                    break
        return found

    def _body(self, source: object, pool: Pool | None = None) -> Body:
        try:
            if isinstance(source, bytes):
                sections = read_sections(source, self.limits, pool=pool)
                source = loads(source, self.limits) if sections is None else sections
            body = read_body(source, self.limits)
            classic = describe(body) in _CLASSIC
            if self.form == "metablock" and not classic:
                raise Malformed("a Metablock holds a layout or a link", pointer="/_type")
            wanted = payload_type_of(body)
            if self.form == "metablock" and wanted != PAYLOAD_TYPE:
                raise Malformed("a policy is signed as a DSSE envelope", pointer="/_type")
            exact = classic or self.payload_type == POLICY_PAYLOAD_TYPE
            if self.form == "dsse" and self.payload_type != wanted and exact:
                what = describe(body) if wanted != PAYLOAD_TYPE or not classic else "layout or link"
                raise Malformed(f"wrong payload type for a {what}", expected=wanted, got=repr(self.payload_type)[:80])
        except Malformed as error:
            error.pointer = self.pointer(error.pointer)
            raise error.at(self.origin) from error
        return body


class _Token:
    """Only this module holds one, so only `Sealed.verified_by` makes a `Verified`."""


_TOKEN: Final = _Token()


@dataclass(frozen=True, slots=True)
class Verified(Generic[T]):
    """A document whose signature was checked: `body` is read from the bytes that `signers` or `identities` (at least
    one of either) signed.

    `content` is the SHA-256 of the message that they signed: the same whatever the envelope looks like, so it is what
    tells documents apart; `digest` is that of the file. `identities` are those of certificates that were valid when
    they signed: the keys behind them live for minutes, so they are nobody's and stand among no signers. `times` are
    moments at which the signature is proved to have existed.
    """

    body: T
    signers: tuple[Key, ...]
    content: Digest
    sealed: Sealed = field(repr=False)
    _token: _Token = field(repr=False, compare=False)
    identities: tuple[Identity, ...] = ()
    times: tuple[TrustedTime, ...] = ()
    proofs: tuple[Signature, ...] = field(default=(), repr=False, compare=False)
    """The signature by each of `signers`, in their order."""

    def __post_init__(self) -> None:
        if self._token is not _TOKEN or not (self.signers or self.identities):
            raise TypeError("a Verified comes from Sealed.verified_by or verified_for only")

    def is_signed_by(self, key: Key, at: datetime) -> bool:
        """Whether `key` or a subkey of it is among the signers, and neither had expired at that moment."""
        valid = () if key.expired(at) else (member for member in key.members if not member.expired(at))
        return any(member in self.signers for member in valid)

    def released(self) -> Verified[T]:
        """This document without its bytes, for who only judges it: of a large link they are most of the memory."""
        return replace(self, sealed=replace(self.sealed, raw=b"", _payload=b"", _signed={}))

    def stamped(self, times: Iterable[TrustedTime]) -> Verified[T]:
        """This document with moments that were proved for its one signature."""
        return replace(self, times=tuple(times))

    def joined(self, others: Iterable[Verified[Body]], whole: Sealed) -> Verified[T]:
        """This document as one of the file `whole`, signed by those of `others` too. All are over the payload of
        `whole`, or this raises `ValueError`. Moments are proved for one signature, so none are left."""
        every: list[Verified[Body]] = [self, *others]
        signed = {(one.content, one.sealed.payload_type, one.sealed.payload) for one in every}
        if signed != {(self.content, whole.payload_type, whole.payload)} or whole.form != "dsse":
            raise ValueError("signatures over different documents")
        made = {key: proof for one in every for key, proof in zip(one.signers, one.proofs, strict=True)}
        identities = tuple(identity for one in every for identity in one.identities)
        return replace(
            self, signers=tuple(made), proofs=tuple(made.values()), identities=identities, sealed=whole, times=()
        )

    def moved(self, origin: str) -> Verified[T]:
        """This document as one that came from `origin`."""
        return replace(self, sealed=replace(self.sealed, origin=origin))

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


def open_document(raw: bytes, limits: Limits = LOCAL, *, path: str = "", pool: Pool | None = None) -> Sealed:
    """The signed document that `raw` holds, DSSE or Metablock. Lists of artifacts that `pool` knows are not read again.
    Raises `Malformed` or `LimitExceeded`, naming `path`."""
    try:
        document = cut_payload(raw, limits) or read_sections(raw, limits, inside="signed", pool=pool)
        reading = Reading(document) if document is not None else read(raw, limits)
        document = as_object(reading.value, "")
        if "payload" in document and "signed" in document:
            raise Malformed("both a DSSE envelope and a Metablock", expected="one of payload and signed")
        if "payload" in document:
            kind, payload, signatures = read_dsse(document, limits)
            return Sealed(raw, "dsse", kind, signatures, path, sha256(raw), limits, payload)
        if "signed" in document:
            signed, signatures = read_metablock(document, limits)
            whole = not reading.floats
            return Sealed(raw, "metablock", "", signatures, path, sha256(raw), limits, _signed=signed, _whole=whole)
        raise Malformed(
            "not a signed document",
            expected='a DSSE envelope ("payload") or a Metablock ("signed")',
            got=f"an object with {', '.join(sorted(document)[:5]) or 'no field'}",
        )
    except Malformed as error:
        raise error.at(path) from error


def peek(sealed: Sealed) -> Unverified[Body]:
    """The body of `sealed` without any check of its signatures. Raises `Malformed` where it is no document."""
    _, source = next(sealed.candidates())
    return Unverified(sealed._body(source), sealed)


def _completion(kind: object) -> Callable[[dict[str, object]], dict[str, object]] | None:
    """What completes a document of this kind as upstream's classes do, where they do."""
    if kind == "link":
        return complete_link
    if kind == "layout":
        from navicert.model.layout import complete_layout

        return complete_layout
    return None


def payload_type_of(body: Body) -> str:
    """The payload type that `body` is signed under."""
    return POLICY_PAYLOAD_TYPE if describe(body) == "policy" else PAYLOAD_TYPE


def form_for(*signers: Signer) -> str:
    """The form to write where none was asked for: "dsse", or "metablock" where a GPG key signs, which needs it."""
    return "metablock" if any(signer.key.openpgp for signer in signers) else "dsse"


def check_form(form: str, *signers: Signer) -> None:
    """Raise `Refused` where one of `signers` cannot sign documents of `form`."""
    from navicert.crypto.signer import AttachingSigner

    for signer in signers:
        if form == "dsse" and signer.key.openpgp:
            raise Refused(
                "GPG keys cannot sign DSSE: it has no place for what belongs to an OpenPGP signature",
                path=signer.keyid,
                remedy="write a Metablock, or sign with another kind of key",
            )
        if form == "metablock" and isinstance(signer, AttachingSigner):
            raise Refused(
                "a Metablock has no place for timestamps: other readers refuse fields that they do not know",
                path=signer.keyid,
                remedy="write DSSE",
            )


def seal(body: Body, *signers: Signer, form: str = "dsse") -> bytes:
    """`body` signed by all `signers`, as the bytes of a file; `form` is "dsse" or "metablock".

    Layouts and links are written as in-toto 3.1.0 writes them; our own policies in a DSSE envelope only. Raises
    `Refused` without a signer and for a GPG key that is to sign DSSE, `Malformed` for a body that cannot be signed.
    """
    document = body.to_json() if not isinstance(body, Link) else body.described()
    if form == "dsse":
        check_form("dsse", *signers)
        return write_dsse(payload_type_of(body), write_sections(document, SPACED), [], signers)
    if form == "metablock":
        check_form("metablock", *signers)
    if form != "metablock" or describe(body) not in ("layout", "link"):
        raise Malformed("cannot be sealed so", expected="form dsse, or metablock for layouts and links", got=form)
    return write_metablock(document, [], signers)


def add_signatures(sealed: Sealed, *signers: Signer, replace: bool = False) -> bytes:
    """`sealed` with signatures by `signers` added (one by the same key id is replaced), or in place of all others.

    What was signed is not touched, down to unknown fields and, for DSSE, every byte of the payload.
    """
    kept = [] if replace else [signature.fields for signature in sealed.signatures]
    if sealed.form == "dsse":
        check_form("dsse", *signers)
        return write_dsse(sealed.payload_type, sealed._payload, kept, signers)
    check_form("metablock", *signers)
    return write_metablock(sealed._signed, kept, signers)
