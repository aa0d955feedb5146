"""Where attestations about an artifact are found: files that are named, and every source that `navicert verify` asks.

Every signature is checked with the keys that were given; what nobody of these signed is a near miss. Stores with an
index are asked for the artifact, then for what went into it, and so on.
"""

from __future__ import annotations

from navicert.cli import option

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Collection, Iterable, Iterator
    from typing import Final

    from navicert.cli.evidence_source import EvidenceSources
    from navicert.crypto.key import Key
    from navicert.limits import Limits
    from navicert.slsa.attestation import Attestation
    from navicert.slsa.chain import Chain
    from navicert.store import Piece, Source
    from navicert.verify.case import Refusal

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
    from navicert.slsa.reader import StatementReader
    from navicert.store.statement import Claim, attached, read_piece, settle
    from navicert.trust.sigstore import open_trusted_root
    from navicert.verify.keyless import Keyless

    bounds = option.limits(args)
    claims: list[Claim] = []
    keyless = Keyless(lambda: open_trusted_root(args.trusted_root, bounds), option.at(args))
    reader = StatementReader(keys, keyless, bounds)
    for piece in _bounded(_pieces(args, evidence, digests, bounds), bounds):
        read_piece(reader, piece)
    for source in evidence.attached:
        documents, own = attached(source)
        claims += own
        for one in documents:
            read_piece(reader, one.piece, one.annotations)
    settle(claims, reader, chain)
    return reader.found, reader.refused


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


def _asked(source: Source, digests: Collection[str], bounds: Limits) -> Iterator[Piece]:
    """What an index has about the artifact, and about whatever the documents found name as gone into it."""
    from navicert.store import Indexed
    from navicert.store.hint import hint_of
    from navicert.store.trait import Trait

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
