"""Where attestations about an artifact are found: files that are named, and every source that `navicert verify` asks.

Every signature is checked with the keys that were given; what nobody of these signed is a near miss. Stores with an
index are asked for the artifact, then for what went into it, and so on.
"""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterable, Iterator, Mapping

from navicert.cli import option
from navicert.dataclass import dataclass
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from navicert.cli.evidence_source import EvidenceSources
    from navicert.crypto.key import Key
    from navicert.crypto.trusted_root import TrustedRoot
    from navicert.digest import Digest
    from navicert.envelope.body import Body
    from navicert.envelope.bundle import Bundle
    from navicert.envelope.document import Verified
    from navicert.limits import Limits
    from navicert.model.statement import Statement
    from navicert.slsa.attestation import Attestation
    from navicert.slsa.chain import Chain
    from navicert.store import Piece, Source
    from navicert.store.attachment import AttachmentSource
    from navicert.verify.case import Refusal

SIMPLE: Final = "application/vnd.dev.cosign.simplesigning.v1+json"
"""A signature of cosign on an image, which says nothing about how it was built."""
_ROUNDS: Final = 16
"""How often an index is asked anew for what the documents found before name."""


def read_attestations(
    args: argparse.Namespace,
    evidence: EvidenceSources,
    digests: Collection[str],
    keys: tuple[Key, ...],
    chain: Chain | None = None,
) -> tuple[list[Attestation], list[Refusal]]:
    """Every statement in the files of `--attestation` and in the sources of `evidence` that one of `keys` signed, and
    near misses. `digests` (`alg:hex`) are those of the artifact, for stores with an index.

    What an image's own index holds unsigned is a claim, where something signed, or `chain`, pins that index. Raises as
    the sources do.
    """
    from navicert.slsa.attestation import Attestation, pinned_by
    from navicert.verify.case import Refusal

    bounds = option.limits(args)
    found: list[Attestation] = []
    refused: list[Refusal] = []
    claims: list[_Claim] = []
    reader = _Reader(args, keys, bounds, found, refused)
    for piece in _bounded(_pieces(args, evidence, digests, bounds), bounds):
        reader.read(piece)
    for source in evidence.attached:
        for attached in _attached(source, claims):
            reader.read(attached.piece, attached.annotations)
    for claim in claims:
        why = pinned_by(claim.index, found)
        if not why and chain is not None and chain.made(claim.index):
            why = f"a product of step {chain.last}"
        if why:
            reason = f"pinned with its index by {why}"
            found.append(Attestation.unsigned(claim.raw, claim.statement, claim.origin, reason))
        else:
            refused.append(Refusal(claim.origin, "is unsigned, and nothing that is signed pins the index it stands in"))
    return found, refused


@dataclass(frozen=True, slots=True)
class _Claim:
    """An unsigned statement that an image index holds. Spec: BuildKit, attestation-storage.md."""

    raw: bytes
    statement: Statement
    origin: str
    index: Digest


def _bounded(pieces: Iterable[Piece], bounds: Limits) -> Iterator[Piece]:
    from navicert.store import Piece

    for number, piece in enumerate(pieces):
        if number >= bounds.evidence_files:
            limit = f"more than {bounds.evidence_files} files (limit evidence_files)"
            yield Piece(piece.origin, None, f"not looked at: {limit}")
            return
        yield piece


def _pieces(
    args: argparse.Namespace, evidence: EvidenceSources, digests: Collection[str], bounds: Limits
) -> Iterator[Piece]:
    from navicert.store import Indexed, Piece

    for path in dict.fromkeys(args.attestation):
        yield Piece(path, option.read_file(path, bounds.document_bytes))
    for source in evidence.sources:
        if source in evidence.attached:
            continue  # read as it is, below
        if isinstance(source, Indexed):
            yield from _asked(source, digests, bounds)
        else:
            yield from source.pieces()


@dataclass(frozen=True, slots=True)
class _Attached:
    """A document beside an image; `annotations` are those of its layer, in which cosign keeps certificates."""

    piece: Piece
    annotations: Mapping[str, str]


def _attached(source: AttachmentSource, claims: list[_Claim]) -> Iterator[_Attached]:
    """What lies beside an image, as it came; unsigned statements of its own index go to `claims`."""
    from navicert.oci.attachment import PACK
    from navicert.store import Piece
    from navicert.store.attachment import ENTRY

    for attachment, pack in source.packs():
        for filing in pack.filings:
            yield _Attached(Piece(source.origin(attachment), filing.raw, None, filing.step, filing.scope), {})
    for attachment in source.found.attachments:
        origin = source.origin(attachment)
        if attachment.raw is None:
            yield _Attached(Piece(origin, None, attachment.problem.removeprefix("not read: ")), {})
            continue
        statement = _unsigned(attachment.raw) if attachment.place == ENTRY else None
        if statement is not None:
            claims.append(_Claim(attachment.raw, statement, origin, source.root))
        elif attachment.media_type != PACK and attachment.media_type != SIMPLE:
            yield _Attached(Piece(origin, attachment.raw), attachment.annotations)


def _unsigned(raw: bytes) -> Statement | None:
    """The statement that stands there without an envelope; None for everything else."""
    from navicert.envelope.bare import bare_statement
    from navicert.limits import NETWORK

    try:
        return bare_statement(raw, NETWORK)
    except Malformed:
        return None  # read again, and refused with the reason, as what it says it is


def _asked(source: Source, digests: Collection[str], bounds: Limits) -> Iterator[Piece]:
    """What an index has about the artifact, and about whatever the documents found name as gone into it."""
    from navicert.store import Indexed, Trait
    from navicert.store.hint import hint_of

    if not isinstance(source, Indexed):
        return
    known: set[int] = set()
    asked: set[str] = set()
    waiting = sorted(digests)
    for _ in range(_ROUNDS):
        asked.update(waiting)
        answers = source.lookup(Trait.PRODUCT, waiting, most=bounds.evidence_files) if waiting else {}
        numbers = sorted({number for some in answers.values() for number in some} - known)
        if not numbers:
            return
        known.update(numbers)
        further: set[str] = set()
        for piece in source.fetch(numbers):
            further |= hint_of(piece, bounds).materials
            yield piece
        waiting = sorted(further - asked)


class _Reader:
    """Opens documents one after the other: envelopes by keys, bundles of Sigstore by keys and its roots."""

    def __init__(
        self,
        args: argparse.Namespace,
        keys: tuple[Key, ...],
        bounds: Limits,
        found: list[Attestation],
        refused: list[Refusal],
    ) -> None:
        self._args = args
        self._keys = keys
        self._bounds = bounds
        self._found = found
        self._refused = refused
        self._root: TrustedRoot | None = None

    def read(self, piece: Piece, annotations: Mapping[str, str] | None = None) -> None:
        """The documents in a piece, which may be JSON lines; what is no statement, such as a link, is left to who
        judges chains."""
        from navicert.envelope.cosign import CERTIFICATE
        from navicert.envelope.jsonlines import members_of

        if piece.raw is None:
            self._refuse(piece.origin, f"cannot be used: {piece.problem}")
            return
        try:
            members = members_of(piece.raw, self._bounds)
        except Malformed as error:
            self._refuse(piece.origin, f"cannot be read: {error}")
            return
        for member in members:
            origin = member.place(piece.origin)
            try:
                if annotations is not None and annotations.get(CERTIFICATE):
                    self._layer(member.raw, annotations, origin)
                else:
                    self._document(member.raw, origin)
            except Malformed as error:
                error.path = ""
                self._refuse(origin, f"cannot be read: {error}")

    def _refuse(self, origin: str, reason: str) -> None:
        from navicert.verify.case import Refusal

        self._refused.append(Refusal(origin, reason))

    def _document(self, raw: bytes, origin: str) -> None:
        from navicert.envelope.bundle import is_bundle, open_bundle
        from navicert.envelope.document import open_document, peek
        from navicert.model.statement import Statement
        from navicert.strictjson import loads

        value = loads(raw, self._bounds)
        if isinstance(value, dict) and is_bundle(value):
            self._bundle(open_bundle(raw, self._bounds, path=origin))
            return
        if isinstance(value, dict) and "_type" in value and "payload" not in value and "signed" not in value:
            self._refuse(origin, "unsigned: nobody vouches for it")
            return
        sealed = open_document(raw, self._bounds, path=origin)
        body = peek(sealed).body
        if not isinstance(body, Statement):
            return
        verified = sealed.verified_by(self._keys) if self._keys else None
        if verified is None:
            named = sorted({one.keyid[:8] if one.keyid else "(no id)" for one in sealed.signatures})
            who = f"it names {', '.join(named[:5])}" if named else "it is not signed"
            given = "it is signed by none of the keys that were given" if self._keys else "no key was given"
            self._refuse(origin, f"{body.predicate_type}: {given}; {who}")
            return
        self._take(verified)

    def _layer(self, raw: bytes, annotations: Mapping[str, str], origin: str) -> None:
        from navicert.envelope.cosign import bundle_of_layer

        self._bundle(bundle_of_layer(raw, annotations, self._bounds, path=origin))

    def _bundle(self, bundle: Bundle) -> None:
        """Judge a bundle by its proofs. Whom its identity may speak for is asked later, of the tables."""
        from navicert.envelope.bundle import MessageSignature
        from navicert.trust.sigstore import open_trusted_root
        from navicert.verify.bundle import judge_bundle

        if isinstance(bundle.content, MessageSignature):
            self._refuse(bundle.origin, "a signature on a file: it says nothing about how that was built")
            return
        verified = bundle.content.verified_by(self._keys) if self._keys else None
        if verified is not None:
            # Whoever has one of these keys signed it: what else stands in the bundle adds nothing.
            self._take(verified)
            return
        if self._root is None:
            self._root = open_trusted_root(self._args.trusted_root, self._bounds)
        moment = option.at(self._args)
        judged = judge_bundle(bundle, self._root, moment, wanted=None, keys=self._keys, limits=self._bounds)
        if judged.document is not None:
            self._take(judged.document)
            return
        self._refuse(bundle.origin, judged.problem)

    def _take(self, verified: Verified[Body]) -> None:
        from navicert.slsa.attestation import Attestation

        attestation = Attestation.of(verified)
        if attestation is not None:
            self._found.append(attestation)
