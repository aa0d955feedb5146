"""The documents in pieces: each opened once, and verified by more keys as these turn up.

Mostly a piece is one document. It may also be a Sigstore bundle around an envelope, or JSON lines of any of these; then
every document in it counts by itself, and whatever stands around it says nothing. Spec: in-toto attestation framework,
spec/v1/bundle.md; Sigstore protobuf-specs, sigstore_bundle.proto.
"""

from __future__ import annotations

from navicert.crypto.key import Key
from navicert.dataclass import dataclass, field, replace
from navicert.envelope.body import Body
from navicert.envelope.document import Sealed, Verified, open_document
from navicert.errors import Malformed
from navicert.limits import LOCAL, Limits
from navicert.store import Piece
from navicert.strictjson import loads, type_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from typing import Final

    from navicert.crypto.certificate_key import CertificateRoots
    from navicert.model.passage import Pool
    from navicert.verify.bundle import Judged
    from navicert.verify.keyless import Keyless

NO_ENVELOPE: Final = "a Sigstore bundle without an envelope: it says nothing about a step"
_SIGSTORE: Final = (b"verificationMaterial", b"vnd.dev.sigstore.bundle")


@dataclass(slots=True)
class Document:
    """One document of the piece `whole`: `piece` is the document alone, and the same where it is all there is.

    Either it could be opened, and `sealed` is there; or `problem` says why not, or why it cannot be read although
    somebody signed it.
    """

    piece: Piece
    whole: Piece
    sealed: Sealed | None = None
    problem: str = ""
    verified: Verified[Body] | None = None
    """It, by those of its signers whose keys were known."""
    recalled: bool = False
    """Whether it is remembered from an earlier time: as it was then, by all its signers, and without its bytes."""
    _memo: dict[tuple[str, bytes, bytes], bool] = field(default_factory=dict)
    unproved: str = ""
    """Why the bundle that it lies in proves nobody's signature, where that was asked."""
    _tried: tuple[Collection[Key], int] | None = None
    _judged: bool = False
    _identified: Verified[Body] | None = None

    @property
    def is_complete(self) -> bool:
        """Whether it is verified by all its signers: no further key adds anything. Of certificates nobody can say that:
        a further layout may vouch for them."""
        if self.verified is None or self.sealed is None or any(one.certificate for one in self.sealed.signatures):
            return False
        return len(self.verified.signers) >= len(self.sealed.signatures)

    def verify(
        self, keys: Collection[Key], roots: Sequence[CertificateRoots] = (), *, pool: Pool | None = None
    ) -> Verified[Body] | None:
        """The document, if at least one of `keys` signed it, or the key of a certificate that one of `roots` vouches
        for. No signature is checked twice with one key, whoever asks; lists of artifacts that `pool` knows are not read
        again. Where what was signed cannot be read, `problem` says so."""
        if self.sealed is not None and not self.is_complete and (keys, len(roots)) != self._tried:
            self._tried = (keys, len(roots))
            try:
                certificates = _certified(self.sealed, roots) if roots else {}
                self.verified = self.sealed.verified_by(keys, certificates=certificates, memo=self._memo, pool=pool)
            except Malformed as error:
                self.problem = bare(error)
        return self.verified

    def verify_identity(self, keyless: Keyless, limits: Limits) -> Verified[Body] | None:
        """The document, if it lies in a bundle that proves by `keyless` who signed it. Where the bundle does not,
        `unproved` says why. It is judged once, however often it is asked for."""
        raw = self.piece.raw
        if self._identified is not None:
            self.verified = self._identified
            return self.verified
        if self._judged or self.sealed is None or raw is None:
            return None
        certified = self.certificate is not None
        if not certified and not any(word in raw for word in _SIGSTORE):
            return None
        self._judged = True
        judged = (_judge_layer if certified else _judge_bundle)(self.piece, raw, keyless, limits)
        if isinstance(judged, str):
            self.unproved = judged
            return None
        if judged.document is None:
            self.unproved = f"its bundle does not prove who signed it: {judged.problem}"
            return None
        self.verified = self._identified = judged.document.moved(self.piece.origin)
        return self.verified

    @property
    def proof(self) -> tuple[tuple[str, str], ...]:
        """What stands beside it, where a certificate does."""
        return () if self.certificate is None else tuple(sorted(self.piece.annotations.items()))

    @property
    def certificate(self) -> str | None:
        """The certificate that stands beside it, as cosign attaches it to images; None where there is none."""
        if not self.piece.annotations:
            return None
        from navicert.envelope.cosign import CERTIFICATE

        return self.piece.annotations.get(CERTIFICATE)

    def release(self) -> None:
        """Let go of the bytes of a document that has been verified by all its signers."""
        if self.verified is not None and self.is_complete:
            self.verified = self.verified.released()
            self.sealed = self.verified.sealed
            self.forget()

    def forget(self) -> None:
        """Let go of the bytes that it was read from."""
        self.piece = self.whole = replace(self.piece, raw=None)


def _judge_bundle(piece: Piece, raw: bytes, keyless: Keyless, limits: Limits) -> Judged:
    from navicert.verify.bundle import judge_bytes

    return judge_bytes(raw, keyless.root, keyless.at, wanted=None, limits=limits, path=piece.origin)


def _judge_layer(piece: Piece, raw: bytes, keyless: Keyless, limits: Limits) -> Judged | str:
    """What a layer of cosign proves, with what stands beside it; or why it is none."""
    from navicert.envelope.cosign import bundle_of_layer
    from navicert.verify.bundle import judge_bundle

    try:
        bundle = bundle_of_layer(raw, piece.annotations, limits, path=piece.origin)
    except Malformed as error:
        return f"what stands beside it proves nothing: {bare(error)}"
    return judge_bundle(bundle, keyless.root, keyless.at, wanted=None, limits=limits)


def _certified(sealed: Sealed, roots: Sequence[CertificateRoots]) -> Mapping[int, Key]:
    from navicert.envelope.attachment import certified_keys

    return certified_keys(sealed, roots)


def open_piece(
    piece: Piece, limits: Limits = LOCAL, *, bundles: bool = True, pool: Pool | None = None
) -> Iterator[Document]:
    """The documents in `piece`, at least one: what cannot be opened is one with a problem. Without `bundles` only what
    is one document itself can be. Lists of artifacts that `pool` knows are not read again."""
    if piece.raw is None:
        yield Document(piece, piece, problem=piece.problem or "unknown reason")
        return
    try:
        reader = open_sealed if bundles else open_document
        yield Document(piece, piece, reader(piece.raw, limits, path=piece.origin, pool=pool))
        return
    except Malformed as error:
        problem = bare(error)
    parts = list(documents(piece.raw, limits)) if bundles else []
    if not parts or not parts[0].origin:
        yield Document(piece, piece, problem=parts[0].problem or problem if parts else problem)
        return
    for part in parts:
        # What a file of many documents is filed under is a hint for none of them.
        inner = replace(part, origin=f"{piece.origin}{part.origin}", scope=piece.scope, filed_at=piece.filed_at)
        if inner.raw is None:
            yield Document(inner, piece, problem=inner.problem or problem)
            continue
        try:
            yield Document(inner, piece, open_sealed(inner.raw, limits, path=inner.origin))
        except Malformed as error:
            yield Document(inner, piece, problem=bare(error))


def open_sealed(raw: bytes, limits: Limits = LOCAL, *, path: str = "", pool: Pool | None = None) -> Sealed:
    """The signed document that `raw` is, or the one in the Sigstore bundle that `raw` is. What stands around that, a
    certificate and entries of a log, is not looked at: who signed is asked of keys. Raises `Malformed`."""
    try:
        return open_document(raw, limits, path=path, pool=pool)
    except Malformed:
        # Few files are bundles, and reading them takes modules that nothing else needs.
        if not any(word in raw for word in _SIGSTORE):
            raise
        value = loads(raw, limits, path=path)
        from navicert.envelope.bundle import is_bundle, open_bundle

        if not isinstance(value, dict) or not is_bundle(value):
            raise
    content = open_bundle(raw, limits, path=path).content
    if not isinstance(content, Sealed):
        raise Malformed(NO_ENVELOPE, path=path)
    return content


def documents(raw: bytes, limits: Limits = LOCAL) -> Iterator[Piece]:
    """The documents in `raw`: one envelope, link or Sigstore bundle, or JSON lines of these. Each has as origin what is
    to be written behind that of the whole: nothing, or its line. Of what is certainly none, the reason."""
    from navicert.envelope.jsonlines import members_of

    try:
        members = members_of(raw, limits)
    except Malformed as error:
        yield Piece("", None, str(error))
        return
    for member in members:
        origin = member.place("").replace(":", ": line ")
        try:
            problem = _problem(loads(member.raw, limits))
        except Malformed as error:
            problem = str(error)
        yield Piece(origin, None, problem) if problem else Piece(origin, member.raw)


def _problem(value: object) -> str:
    """Why a JSON value can be no evidence, as far as its outside tells."""
    if not isinstance(value, dict):
        return f"no document of in-toto (expected object, got {type_name(value)})"
    if value.get("messageSignature") is not None and value.get("dsseEnvelope") is None:
        return NO_ENVELOPE
    if "_type" in value and "payload" not in value and "signed" not in value:
        return "unsigned: nobody vouches for it"
    return ""


def bare(error: Malformed) -> str:
    """The error without the file name, which whoever reports it names already."""
    error.path = ""
    return str(error)
