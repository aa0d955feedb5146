"""Evidence in a database: how it is read and looked up, for SQLite and PostgreSQL alike.

A document is kept once, under the SHA-256 of its bytes, and checked against it whenever it is read. One that was
damaged is reported as a piece with a problem.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import UTC, datetime
from functools import partial
from typing import Final

from navicert.digest import sha256
from navicert.errors import Unavailable
from navicert.interface import Protocol, TypeVar
from navicert.limits import LOCAL, Limits
from navicert.store import Piece
from navicert.store.query import Query
from navicert.store.schema import Mark, number, step_number
from navicert.store.trait import Trait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

T = TypeVar("T")

Row = tuple[object, ...]

BATCH: Final = 256
"""Documents that are read at once."""

_DOCUMENTS: Final = (
    "SELECT id, digest, length(raw), CASE WHEN length(raw) <= ? THEN raw END FROM document WHERE id IN (??)"
)
_FILINGS: Final = (
    "SELECT document, step, scope, keyid, filed_at FROM filing WHERE document IN (??) ORDER BY document, step, scope"
)

AFTER_ALL: Final = 2**63 - 1
"""No document has this number, or a larger one."""


class Damaged(Unavailable):
    """Some page of the database is not what it was: other documents may still be readable."""


class Interrupted(Unavailable):
    """The transaction came to nothing through no fault of its own: a connection was lost, or two waited for each
    other."""


class Session(Protocol):
    """One transaction. Statements have `?` for every parameter."""

    def rows(self, statement: str, parameters: Sequence[object] = ()) -> list[Row]:
        """What a statement gives."""

    def keep(self, documents: Mapping[bytes, bytes]) -> tuple[dict[bytes, int], list[bytes]]:
        """Insert the documents (digest → bytes) that are not there. Returns the numbers of all, and the digests of
        those that were there."""

    def file(self, filings: Sequence[Row]) -> None:
        """Insert these rows of `filing`, where they are not there."""

    def mark(self, marks: Sequence[Mark]) -> None:
        """Insert these marks, where they are not there."""

    def newest(self, trait: int, texts: Sequence[int], step: int | None, most: int) -> dict[int, list[int]]:
        """For each text the newest documents that have it."""


class Database(ABC):
    """The reading half of a store in a database. `label` names it in messages, without secrets."""

    def __init__(self, label: str, limits: Limits = LOCAL) -> None:
        self.label = label
        self.limits = limits

    # --- what each database does its own way -----------------------------------------------------------------------

    @abstractmethod
    def reading(self) -> AbstractContextManager[Session]:
        """A transaction that reads. Raises `Malformed` where there is no such store, and `Unavailable`."""

    @abstractmethod
    def close(self) -> None:
        """Let go of files and connections."""

    def salvage(self, after: int, below: int = AFTER_ALL) -> Iterator[Piece]:
        """The pieces of the documents with numbers between the two, one by one, as far as a damaged database lets them
        be read. Raises `Unavailable` where it cannot even tell how many there are."""
        raise Unavailable("damaged", path=self.label)

    def again(self, action: Callable[[], T]) -> T:
        """What `action` returns. Where it was interrupted it is done once more: all that a store does may be
        repeated."""
        try:
            return action()
        except Interrupted:
            return action()

    # --- documents -------------------------------------------------------------------------------------------------

    def pieces(self) -> Iterator[Piece]:
        """Every document wherever it is filed, in the order in which they were put. Raises `Malformed` where there is
        no such store, `Unavailable` where it cannot be read; a damaged document is a piece with a problem."""
        statement = "SELECT id FROM document WHERE id > ? ORDER BY id LIMIT ?"
        last = 0
        while True:
            try:
                numbers, found = self.again(partial(self._page, statement, [last, BATCH]))
            except Damaged:
                yield from self.salvage(last)
                return
            yield from found
            if len(numbers) < BATCH:
                return
            last = numbers[-1]

    def fetch(self, numbers: Iterable[int]) -> Iterator[Piece]:
        """The documents with these numbers, wherever they are filed. Raises as `pieces` does."""
        asked = list(numbers)
        for start in range(0, len(asked), BATCH):
            some = asked[start : start + BATCH]
            try:
                yield from self.again(partial(self._fetch, some))
            except Damaged:
                for one in some:
                    yield from self.fetch_damaged(one)

    def fetch_damaged(self, document: int) -> list[Piece]:
        """The pieces of one document, or one with a problem."""
        try:
            return self._fetch([document])
        except Damaged as error:
            return [Piece(f"{self.label}#{document}", None, f"damaged: {error.got or error.what}")]

    def _page(self, statement: str, parameters: Sequence[object]) -> tuple[list[int], list[Piece]]:
        """The numbers that a statement gives, and their pieces."""
        with self.reading() as session:
            numbers = [integer(row[0]) for row in session.rows(statement, parameters)]
            return numbers, self._read(session, numbers)

    def _fetch(self, numbers: Sequence[int]) -> list[Piece]:
        with self.reading() as session:
            return self._read(session, numbers)

    def _read(self, session: Session, numbers: Sequence[int]) -> list[Piece]:
        """The pieces of these documents, in this order. What is larger than the limit never leaves the database."""
        if not numbers:
            return []
        documents = session.rows(listed(_DOCUMENTS, numbers), [self.limits.document_bytes, *numbers])
        filings = session.rows(listed(_FILINGS, numbers), numbers)
        filed: dict[object, list[Row]] = {}
        for row in filings:
            filed.setdefault(row[0], []).append(row[1:])
        whole = {row[0]: row[1:] for row in documents}
        pieces: list[Piece] = []
        for one in numbers:
            if one in whole:
                pieces += self._pieces_of(one, whole[one], filed.get(one, []))
        return pieces

    def _pieces_of(self, document: int, row: Row, filed: list[Row]) -> Iterator[Piece]:
        digest, size, raw = row
        content, problem = _checked(digest, size, raw, self.limits.document_bytes)
        if not filed:
            # Nothing is put without a place: its filing is damaged.
            yield Piece(f"{self.label}#{document}", None, "damaged: it is filed nowhere")
        for step, scope, keyid, moment in filed:
            folders = tuple(str(scope).split("/")) if scope else ()
            origin = self.origin(as_bytes(digest), str(step), folders, str(keyid))
            yield Piece(origin, content, problem, str(step) or None, folders, moment_of(moment))

    def origin(self, digest: bytes, step: str, scope: Sequence[str], keyid: str) -> str:
        """Where a document is, for people: like a file name, with the digest, because many share one name."""
        name = ".".join(part for part in (step, keyid[:8]) if part)
        return f"{self.label}#{'/'.join((*scope, name))}@{digest.hex()[:12]}"

    # --- the index -------------------------------------------------------------------------------------------------

    def lookup(
        self, trait: Trait, texts: Sequence[str], *, step: str | None = None, most: int
    ) -> Mapping[str, Sequence[int]]:
        """For each of `texts` the newest documents with this trait. Spec: `Indexed`."""
        asked = {text: number(text) for text in texts}
        if not asked:
            return {}
        said = None if step is None else step_number(step)
        found = self.again(partial(self._newest, int(trait), list(set(asked.values())), said, most))
        return {text: found.get(one, []) for text, one in asked.items()}

    def _newest(self, trait: int, texts: Sequence[int], step: int | None, most: int) -> dict[int, list[int]]:
        with self.reading() as session:
            return session.newest(trait, texts, step, most)

    def ranked(self, trait: Trait, texts: Sequence[str], *, step: str, most: int) -> Sequence[int]:
        """The documents of `step` that have the most of `texts`. Spec: `Indexed`."""
        asked = sorted({number(text) for text in texts})
        if not asked:
            return []
        statement = listed(
            "SELECT document FROM mark WHERE trait = ? AND text IN (??) AND step = ? "
            "GROUP BY document ORDER BY count(*) DESC, document DESC LIMIT ?",
            asked,
        )
        return self.again(partial(self._numbers, statement, [int(trait), *asked, step_number(step), most]))

    def _numbers(self, statement: str, parameters: Sequence[object]) -> list[int]:
        with self.reading() as session:
            return [integer(row[0]) for row in session.rows(statement, parameters)]

    def search(self, query: Query) -> Iterator[Piece]:
        """What `query` may look for, the newest first; of a damaged database all that there is. Raises as `pieces`
        does."""
        last = AFTER_ALL
        while True:
            try:
                numbers, found = self.again(partial(self._page, *_statement(query, last)))
            except Damaged:
                yield from self.salvage(0, last)
                return
            yield from found
            if len(numbers) < BATCH:
                return
            last = numbers[-1]


def _statement(query: Query, below: int) -> tuple[str, list[object]]:
    """The statement that finds documents for `query` with smaller numbers than `below`, and its parameters."""
    tables: list[str] = []
    conditions: list[str] = []
    parameters: list[object] = []
    column = ""
    for place, (traits, texts) in enumerate(query.traits):
        name = f"m{place}"
        tables.append(f"mark {name}")
        conditions.append(listed(f"{name}.trait IN (??)", traits))
        conditions.append(listed(f"{name}.text IN (??)", texts))
        parameters += [*(int(trait) for trait in traits), *(number(text) for text in texts)]
        if column:
            conditions.append(f"{name}.step IN (m0.step, 0) AND {name}.document = m0.document")
        column = column or "m0.document"
    bounds = [(query.since, "f.filed_at >= ?"), (query.until, "f.filed_at <= ?")]
    times = [(int(moment.timestamp()), condition) for moment, condition in bounds if moment is not None]
    if times or not column:
        tables.append("filing f")
        conditions += [f"f.document = {column}"] if column else []
        column = column or "f.document"
        conditions += [condition for _, condition in times]
        parameters += [seconds for seconds, _ in times]
    words = ["SELECT DISTINCT", column, "FROM", ", ".join(tables)]
    words += ["WHERE", " AND ".join([*conditions, f"{column} < ?"]), "ORDER BY", column, "DESC LIMIT ?"]
    return " ".join(words), [*parameters, below, BATCH]


def listed(statement: str, values: Sequence[object]) -> str:
    """`statement` with as many `?` in the place of `??` as there are values."""
    return statement.replace("??", ", ".join("?" * len(values)))


def _checked(digest: object, size: object, raw: object, limit: int) -> tuple[bytes | None, str | None]:
    """The content of a row; or None, and why it cannot be used."""
    if isinstance(size, int) and size > limit:
        return None, f"larger than {limit} bytes (limit document_bytes)"
    if not isinstance(raw, bytes) or not isinstance(digest, bytes):
        return None, "damaged: it is not bytes"
    if bytes.fromhex(sha256(raw).hex) != digest:
        return None, "damaged: its content is not what was put, by its digest"
    return raw, None


def moment_of(seconds: object) -> datetime | None:
    """The time of a row; None where it is none."""
    try:
        return datetime.fromtimestamp(integer(seconds), UTC)
    except (OverflowError, ValueError, OSError):
        return None  # a date that is none


def integer(value: object) -> int:
    """A number from a row; 0, which no document has, for anything else."""
    return value if isinstance(value, int) else 0


def as_bytes(value: object) -> bytes:
    """Bytes from a row; none for anything else."""
    return value if isinstance(value, bytes) else b""
