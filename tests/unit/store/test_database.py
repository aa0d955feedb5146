"""Evidence in a database as it is read: every row is checked, and no row can say more than its document does."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from navicert.digest import sha256
from navicert.envelope.document import seal
from navicert.errors import Unavailable
from navicert.limits import LOCAL
from navicert.model.link import Link
from navicert.store import Filing, Piece
from navicert.store.database import BATCH, Interrupted, as_bytes, integer, listed
from navicert.store.query import Query
from navicert.store.sqlite import SqliteStore
from navicert.store.trait import Trait
from navicert.testing import artifacts, key, signer

KEYID = key("bob").id


def link(number: int, step: str = "build") -> bytes:
    return seal(Link(step, products=artifacts({"app": b"%d" % number})), signer("bob"))


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "ev.db")


@pytest.fixture
def store(path: str) -> Iterator[SqliteStore]:
    with closing(SqliteStore(path)) as opened:
        opened.put_many([Filing("build", KEYID, link(number)) for number in range(5)])
        yield opened


def change(path: str, statement: str, *parameters: object) -> None:
    """Changes the file behind the back of the store."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement, parameters)
        connection.commit()


def problems(pieces: Iterator[Piece]) -> list[str]:
    return [piece.problem for piece in pieces if piece.problem is not None]


def test_a_document_whose_bytes_were_changed_is_reported_and_the_others_are_read(store: SqliteStore, path: str) -> None:
    change(path, "UPDATE document SET raw = ? WHERE id = 2", link(99))
    found = list(store.pieces())
    assert len(found) == 5
    (bad,) = [piece for piece in found if piece.raw is None]
    assert "not what was put" in str(bad.problem)


@pytest.mark.parametrize("raw", ["text", 7, None])
def test_a_document_that_is_no_bytes_is_reported(store: SqliteStore, path: str, raw: object) -> None:
    if raw is None:
        change(path, "UPDATE document SET raw = zeroblob(0) WHERE id = 2")
    else:
        change(path, "UPDATE document SET raw = ? WHERE id = 2", raw)
    assert len(problems(store.pieces())) == 1


def test_a_document_that_is_filed_nowhere_is_not_passed_over(store: SqliteStore, path: str) -> None:
    change(path, "DELETE FROM filing WHERE document = 3")
    assert problems(store.pieces()) == ["damaged: it is filed nowhere"]
    assert len(list(store.pieces())) == 5


def test_a_document_larger_than_the_limit_never_leaves_the_database(path: str, store: SqliteStore) -> None:
    with closing(SqliteStore(path, replace(LOCAL, document_bytes=100))) as small:
        assert len(problems(small.pieces())) == 5
        assert all("limit document_bytes" in one for one in problems(small.pieces()))


def test_a_row_of_the_index_that_points_at_another_document_makes_nothing_of_it(store: SqliteStore, path: str) -> None:
    """The index is a hint: whoever searches by digest reads the document again."""
    from navicert.store.query import search

    product = f"sha256:{sha256(b'1').hex}"
    change(path, "UPDATE OR REPLACE mark SET document = 5 WHERE document = 2")
    assert [found.piece.raw for found in search([store], Query((product,)))] == []


@pytest.mark.parametrize("moment", ["yesterday", 10**18, -(10**18), 1.5])
def test_a_time_that_is_none_is_unknown_and_no_crash(store: SqliteStore, path: str, moment: object) -> None:
    change(path, "UPDATE filing SET filed_at = ?", moment)
    assert all(piece.raw is not None for piece in store.pieces())
    assert list(store.search(Query(since=datetime(2000, 1, 1, tzinfo=UTC)))) is not None


def test_pages_are_read_to_the_end_and_none_twice(path: str) -> None:
    count = BATCH + 3
    with closing(SqliteStore(path)) as store:
        store.put_many([Filing("build", KEYID, link(number)) for number in range(count)])
        found = [piece.raw for piece in store.pieces()]
        assert len(found) == len(set(found)) == count
        searched = [piece.raw for piece in store.search(Query(step="build"))]
        assert sorted(filter(None, searched)) == sorted(filter(None, found))
        store.put("build", KEYID, link(count))
        assert next(store.search(Query(step="build"))).raw == link(count)
        numbers = store.lookup(Trait.STEP, ["build"], most=2 * count)["build"]
        assert len(list(store.fetch(numbers))) == count + 1


def test_nothing_is_asked_for_where_nothing_is_named(store: SqliteStore) -> None:
    assert store.lookup(Trait.STEP, [], most=5) == {}
    assert store.ranked(Trait.MATERIAL, [], step="build", most=5) == []
    assert list(store.fetch([])) == []
    assert list(store.fetch([10**9])) == []


def test_a_name_that_looks_like_sql_is_a_name(store: SqliteStore) -> None:
    for hostile in ("'; DROP TABLE document; --", '" OR 1=1 --', "?", "??", "%s"):
        assert store.lookup(Trait.STEP, [hostile], most=5) == {hostile: []}
        assert list(store.search(Query(step=hostile, run_id=hostile, type=hostile))) == []
    store.put("'; DROP TABLE document; --", KEYID, link(7, "'; DROP TABLE document; --"))
    assert len(list(store.pieces())) == 6


def test_what_was_interrupted_is_done_once_more_and_not_for_ever(store: SqliteStore) -> None:
    tries = 0

    def fail() -> None:
        nonlocal tries
        tries += 1
        raise Interrupted("again")

    with pytest.raises(Unavailable):
        store.again(fail)
    assert tries == 2


def test_values_of_rows_are_what_they_should_be_or_nothing() -> None:
    assert (integer(7), integer("7"), integer(None), integer(b"7")) == (7, 0, 0, 0)
    assert (as_bytes(b"x"), as_bytes("x"), as_bytes(None)) == (b"x", b"", b"")
    assert listed("a IN (??) AND b = ?", [1, 2, 3]) == "a IN (?, ?, ?) AND b = ?"
