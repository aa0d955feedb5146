"""A question to a store: which documents say this of themselves?"""

from __future__ import annotations

from navicert.dataclass import dataclass
from navicert.interface import Protocol, runtime_checkable
from navicert.limits import LOCAL, Limits
from navicert.store import Piece, Source
from navicert.store.hint import Hint, hint_of, short
from navicert.store.trait import Trait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for: all that is given must hold. A digest is `alg:hex` of a product, subject or material."""

    digests: tuple[str, ...] = ()
    """Any one of them."""
    step: str | None = None
    signer: str | None = None
    """A key id, or its beginning of at least eight digits."""
    type: str | None = None
    run_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def traits(self) -> tuple[tuple[tuple[Trait, ...], tuple[str, ...]], ...]:
        """What an index is asked, the most telling first: any of these traits with any of these texts."""
        asked: list[tuple[tuple[Trait, ...], tuple[str, ...]]] = []
        if self.digests:
            asked.append(((Trait.PRODUCT, Trait.MATERIAL), self.digests))
        if self.run_id is not None:
            asked.append(((Trait.RUN,), (self.run_id,)))
        if self.signer is not None:
            asked.append(((Trait.SIGNER,), (short(self.signer),)))
        if self.type is not None:
            asked.append(((Trait.TYPE,), (self.type,)))
        if self.step is not None:
            asked.append(((Trait.STEP, Trait.FILED), (self.step,)))
        return tuple(asked)

    def meets(self, piece: Piece, hint: Hint) -> bool:
        """Whether `piece`, whose document says `hint`, is looked for."""
        return (
            (not self.digests or any(one in hint.products or one in hint.materials for one in self.digests))
            and (self.run_id is None or self.run_id in hint.runs)
            and (self.signer is None or any(id.lower().startswith(self.signer.lower()) for id in hint.signers))
            and (self.type is None or self.type in hint.types)
            and (self.step is None or self.step in hint.names or self.step == piece.step_hint)
            and self._in_time(piece.filed_at)
        )

    def _in_time(self, moment: datetime | None) -> bool:
        if moment is None:
            return self.since is None and self.until is None
        return (self.since is None or moment >= self.since) and (self.until is None or moment <= self.until)


@dataclass(frozen=True, slots=True)
class Found:
    """One piece and what its document says of itself."""

    piece: Piece
    hint: Hint


@runtime_checkable
class Searchable(Source, Protocol):
    """A source with an index that answers queries."""

    def search(self, query: Query) -> Iterator[Piece]:
        """What may be looked for, the newest first: all that is, and perhaps something else."""


def search(sources: Sequence[Source], query: Query, limits: Limits = LOCAL) -> Iterator[Found]:
    """What `query` looks for in `sources`, read again from the documents themselves. What cannot be read is found too,
    as a piece with a problem, where nothing rules it out.

    Raises `Malformed` and `Unavailable` as the sources do.
    """
    for source in sources:
        for piece in source.search(query) if isinstance(source, Searchable) else source.pieces():
            hint = hint_of(piece, limits)
            if piece.raw is None or query.meets(piece, hint):
                yield Found(piece, hint)
