"""Putting evidence into a database and removing it, for SQLite and PostgreSQL alike.

Nothing that is there is ever replaced: the same bytes are kept once, other bytes of the same step and key beside them.
Whoever puts a document again whose stored copy was damaged makes it whole.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from functools import partial

from navicert.dataclass import dataclass
from navicert.digest import sha256
from navicert.errors import LimitExceeded
from navicert.store import Filing, Piece
from navicert.store.database import BATCH, Database, Session, as_bytes, integer, listed, moment_of
from navicert.store.hint import Hint, read_hint
from navicert.store.schema import Mark, document_marks, filing_marks
from navicert.store.sighting import MOST, Sighting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager


@dataclass(frozen=True, slots=True)
class _Entry:
    """A document on its way in."""

    filing: Filing
    digest: bytes
    hint: Hint

    @property
    def step(self) -> str:
        return self.filing.step or ""

    @property
    def scope(self) -> str:
        return "/".join(self.filing.scope)


class DatabaseStore(Database):
    """A store in a database, for reading and writing."""

    @abstractmethod
    def writing(self) -> AbstractContextManager[Session]:
        """A transaction that writes, kept for good when it ends. Makes the store if need be. Raises `Unavailable`."""

    def prepare(self) -> None:
        """Raise `Unavailable` unless something can be written now."""
        self.again(self._prepare)

    def _prepare(self) -> None:
        with self.writing():
            pass

    def put(self, step: str, keyid: str, raw: bytes) -> str:
        """Keep `raw` beside whatever else there is of `step`, and return where it is. Raises `Malformed` for a step or
        key id that could not be part of a file name, `Unavailable` where nothing can be written."""
        return self.put_many([Filing(step, keyid, raw)])[0]

    def put_many(self, filings: Sequence[Filing]) -> list[str]:
        """Keep every document, all or none, and return where each is. Raises as `put` does."""
        entries = [self._entry(filing) for filing in filings]
        origins = [self.origin(e.digest, e.step, e.filing.scope, e.filing.keyid) for e in entries]
        if entries:
            # In the order of their digests, so that two who put the same documents never wait for each other.
            self.again(partial(self._put, sorted(entries, key=lambda entry: entry.digest)))
        return origins

    def _entry(self, filing: Filing) -> _Entry:
        if len(filing.raw) > self.limits.document_bytes:
            raise LimitExceeded(
                "document too large (limit document_bytes)",
                path=self.label,
                expected=f"at most {self.limits.document_bytes} bytes",
                got=f"{len(filing.raw)} bytes",
            )
        return _Entry(filing, bytes.fromhex(sha256(filing.raw).hex), read_hint(filing.raw, self.limits))

    def _put(self, entries: Sequence[_Entry]) -> None:
        moment = int(time.time())
        documents = {entry.digest: entry.filing.raw for entry in entries}
        with self.writing() as session:
            numbers, known = session.keep(documents)
            _heal(session, {numbers[digest]: documents[digest] for digest in known})
            session.file([(numbers[e.digest], e.step, e.scope, e.filing.keyid, moment) for e in entries])
            session.mark([mark for entry in entries for mark in _marks(entry, numbers[entry.digest])])

    def remove(self, pieces: Iterable[Piece]) -> int:
        """Remove exactly these pieces, all or none, and return how many were there. A document goes with its last
        filing. Raises `Unavailable`."""
        # What cannot be read cannot be told apart from what is needed.
        whole = [(piece, piece.raw) for piece in pieces if piece.raw is not None]
        return self.again(partial(self._remove, whole))

    def _remove(self, pieces: Sequence[tuple[Piece, bytes]]) -> int:
        with self.writing() as session:
            return sum(self._remove_one(session, piece, raw) for piece, raw in pieces)

    def _remove_one(self, session: Session, piece: Piece, raw: bytes) -> int:
        digest = bytes.fromhex(sha256(raw).hex)
        found = session.rows("SELECT id FROM document WHERE digest = ?", [digest])
        if not found:
            return 0
        document, step = integer(found[0][0]), piece.step_hint or ""
        gone = session.rows(
            "DELETE FROM filing WHERE document = ? AND step = ? AND scope = ? RETURNING document",
            [document, step, "/".join(piece.scope)],
        )
        left = _filed(session, document)
        hint = read_hint(raw, self.limits)
        marks = set(filing_marks(hint, document, step)) - {m for one in left for m in filing_marks(hint, document, one)}
        if not left:
            marks |= set(document_marks(hint, document))
        for mark in sorted(marks):
            session.rows(
                "DELETE FROM mark WHERE trait = ? AND text = ? AND step = ? AND document = ? RETURNING document", mark
            )
        if not left:
            session.rows("DELETE FROM document WHERE id = ? RETURNING id", [document])
        return len(gone)

    # --- where evidence was seen -----------------------------------------------------------------------------------

    def remember(self, sightings: Sequence[Sighting]) -> None:
        """Keep these, in place of earlier ones of the same digest and place; the oldest of too many give way. Raises
        `Unavailable`."""
        rows = sorted({(one.digest, one.place): int(one.at.timestamp()) for one in sightings}.items())
        self.again(partial(self._remember, [(*key, moment) for key, moment in rows]))

    def _remember(self, rows: Sequence[tuple[str, str, int]]) -> None:
        keep = "INSERT INTO sighting VALUES (?, ?, ?) ON CONFLICT (digest, place) DO UPDATE SET seen_at = ?"
        with self.writing() as session:
            for row in rows:
                session.rows(keep, [*row, row[2]])
            surplus = integer(session.rows("SELECT count(*) FROM sighting")[0][0]) - MOST
            if surplus > 0:
                session.rows(
                    "DELETE FROM sighting WHERE (digest, place) IN "
                    "(SELECT digest, place FROM sighting ORDER BY seen_at, digest, place LIMIT ?)",
                    [surplus],
                )

    def sightings(self, digests: Sequence[str], most: int) -> list[Sighting]:
        """Up to `most` sightings of any of `digests`, the newest first. Raises as `pieces` does."""
        return self.again(partial(self._sightings, list(dict.fromkeys(digests)), most)) if digests else []

    def _sightings(self, digests: Sequence[str], most: int) -> list[Sighting]:
        statement = listed("SELECT digest, place, seen_at FROM sighting WHERE digest IN (??)", digests)
        with self.reading() as session:
            rows = session.rows(f"{statement} ORDER BY seen_at DESC, digest, place LIMIT ?", [*digests, most])
        dated = [(str(digest), str(place), moment_of(seconds)) for digest, place, seconds in rows]
        return [Sighting(digest, place, at) for digest, place, at in dated if at is not None]

    def index(self, session: Session) -> None:
        """Make the marks of every document, within a migration."""
        last = 0
        while True:
            rows = session.rows("SELECT id, raw FROM document WHERE id > ? ORDER BY id LIMIT ?", [last, BATCH])
            if not rows:
                return
            for document, raw in rows:
                last = integer(document)
                hint = read_hint(as_bytes(raw), self.limits)
                marks = list(document_marks(hint, last))
                for step in _filed(session, last):
                    marks += filing_marks(hint, last, step)
                session.mark(marks)


def _heal(session: Session, documents: Mapping[int, bytes]) -> None:
    """Put what is kept damaged in order again: it would otherwise be lost although its putting was confirmed."""
    numbers = list(documents)
    for start in range(0, len(numbers), BATCH):
        asked = numbers[start : start + BATCH]
        rows = session.rows(listed("SELECT id, raw FROM document WHERE id IN (??)", asked), asked)
        kept = {row[0]: row[1] for row in rows}
        for one in asked:
            if kept.get(one) != documents[one]:
                session.rows("UPDATE document SET raw = ? WHERE id = ? RETURNING id", [documents[one], one])


def _filed(session: Session, document: int) -> list[str]:
    """The steps that a document is filed under."""
    return [str(row[0]) for row in session.rows("SELECT step FROM filing WHERE document = ?", [document])]


def _marks(entry: _Entry, document: int) -> Iterator[Mark]:
    yield from document_marks(entry.hint, document)
    yield from filing_marks(entry.hint, document, entry.step)
