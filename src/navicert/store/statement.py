"""Statements beside an image, as they came: those in envelopes and bundles, and those that its index holds unsigned.

What an image's own index holds unsigned (BuildKit writes its provenance so) is a claim, and counts as one only where
something that is signed, or a chain, pins that index. Spec: BuildKit, attestation-storage.md.
"""

from __future__ import annotations

from navicert.dataclass import dataclass
from navicert.envelope.bare import bare_statement
from navicert.errors import Malformed
from navicert.limits import NETWORK
from navicert.oci.attachment import PACK
from navicert.slsa.attestation import Attestation, pinned_by
from navicert.store import Piece
from navicert.store.attachment import ENTRY, SIMPLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from navicert.digest import Digest
    from navicert.model.statement import Statement
    from navicert.slsa.chain import Chain
    from navicert.slsa.reader import StatementReader
    from navicert.store.attachment import AttachmentSource


@dataclass(frozen=True, slots=True)
class Claim:
    """An unsigned statement that the image index `index` holds."""

    raw: bytes
    statement: Statement
    origin: str
    index: Digest


@dataclass(frozen=True, slots=True)
class Attached:
    """A document beside an image; `annotations` are those of its layer, in which cosign keeps certificates."""

    piece: Piece
    annotations: Mapping[str, str]


def attached(source: AttachmentSource) -> tuple[list[Attached], list[Claim]]:
    """What lies beside an image, and the claims of its own index. Raises as `source.found` does."""
    documents: list[Attached] = []
    claims: list[Claim] = []
    for attachment, pack in source.packs():
        for filing in pack.filings:
            piece = Piece(source.origin(attachment), filing.raw, None, filing.step, filing.scope)
            documents.append(Attached(piece, {}))
    for attachment in source.found.attachments:
        origin = source.origin(attachment)
        if attachment.raw is None:
            documents.append(Attached(Piece(origin, None, attachment.problem.removeprefix("not read: ")), {}))
            continue
        statement = _unsigned(attachment.raw) if attachment.place == ENTRY else None
        if statement is not None:
            claims.append(Claim(attachment.raw, statement, origin, source.root))
        elif attachment.media_type != PACK and attachment.media_type != SIMPLE:
            documents.append(Attached(Piece(origin, attachment.raw), attachment.annotations))
    return documents, claims


def read_piece(reader: StatementReader, piece: Piece, annotations: Mapping[str, str] | None = None) -> None:
    """Have `reader` take in a piece; one that could not be read is a near miss."""
    if piece.raw is None:
        reader.refuse(piece.origin, f"cannot be used: {piece.problem}")
    else:
        reader.read(piece.raw, piece.origin, annotations)


def settle(claims: Iterable[Claim], reader: StatementReader, chain: Chain | None) -> None:
    """Take in the claims whose index is pinned, by what `reader` has found or by `chain`; the others are near
    misses."""
    for claim in claims:
        why = pinned_by(claim.index, reader.found)
        if not why and chain is not None and chain.made(claim.index):
            why = f"a product of step {chain.last}"
        if why:
            reason = f"pinned with its index by {why}"
            reader.found.append(Attestation.unsigned(claim.raw, claim.statement, claim.origin, reason))
        else:
            reader.refuse(claim.origin, "is unsigned, and nothing that is signed pins the index it stands in")


def _unsigned(raw: bytes) -> Statement | None:
    """The statement that stands there without an envelope; None for everything else."""
    try:
        return bare_statement(raw, NETWORK)
    except Malformed:
        return None  # read again, and refused with the reason, as what it says it is
