"""Putting into a database and removing: all or nothing, nothing replaced, and what was confirmed is there."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from navicert.envelope.document import seal
from navicert.errors import LimitExceeded, Malformed
from navicert.limits import LOCAL
from navicert.model.link import Link
from navicert.store import Filing, Piece
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
        yield opened


def count(path: str, table: str) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def test_putting_again_changes_nothing(store: SqliteStore, path: str) -> None:
    first = store.put("build", KEYID, link(1))
    before = [count(path, table) for table in ("document", "filing", "mark")]
    assert store.put("build", KEYID, link(1)) == first
    assert [count(path, table) for table in ("document", "filing", "mark")] == before


def test_other_bytes_of_the_same_step_and_key_stand_beside(store: SqliteStore) -> None:
    store.put("build", KEYID, link(1))
    store.put("build", KEYID, link(2))
    assert {piece.raw for piece in store.pieces()} == {link(1), link(2)}


def test_one_document_under_two_steps_is_kept_once(store: SqliteStore, path: str) -> None:
    store.put_many([Filing("build", KEYID, link(1)), Filing("test", KEYID, link(1), ("sub.12345678",))])
    assert (count(path, "document"), count(path, "filing")) == (1, 2)
    assert {(piece.step_hint, piece.scope) for piece in store.pieces()} == {("build", ()), ("test", ("sub.12345678",))}


def test_one_document_that_is_too_large_keeps_all_of_them_out(path: str) -> None:
    with closing(SqliteStore(path, replace(LOCAL, document_bytes=len(link(1))))) as store:
        with pytest.raises(LimitExceeded, match="document_bytes"):
            store.put_many([Filing("build", KEYID, link(1)), Filing("build", KEYID, link(1) + b" " * 10)])
        store.put("build", KEYID, link(1))
        assert len(list(store.pieces())) == 1


@pytest.mark.parametrize("step", ["", "..", "a/b", "a\0b", ".", "a\nb"])
def test_a_step_that_could_be_no_file_name_is_not_kept(store: SqliteStore, step: str) -> None:
    with pytest.raises(Malformed):
        store.put(step, KEYID, link(1))


def test_a_damaged_copy_is_made_whole_by_whoever_puts_it_again(store: SqliteStore, path: str) -> None:
    store.put("build", KEYID, link(1))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE document SET raw = ?", (b"damaged",))
        connection.commit()
    assert [piece.raw for piece in store.pieces()] == [None]
    store.put("build", KEYID, link(1))
    assert [piece.raw for piece in store.pieces()] == [link(1)]


def test_what_is_no_document_is_kept_too_and_found_by_where_it_was_filed(store: SqliteStore) -> None:
    """Whether it is evidence is for whoever judges: a near miss that was never kept could not be named."""
    store.put("build", KEYID, b"not json")
    (found,) = store.lookup(Trait.FILED, ["build"], most=5)["build"]
    assert [piece.raw for piece in store.fetch([found])] == [b"not json"]


def test_a_document_goes_with_its_last_filing_and_its_marks_with_it(store: SqliteStore, path: str) -> None:
    store.put_many([Filing("build", KEYID, link(1)), Filing("other", KEYID, link(1)), Filing("build", KEYID, link(2))])
    first, other = [piece for piece in store.pieces() if piece.raw == link(1)]
    assert store.remove([other]) == 1
    assert store.lookup(Trait.STEP, ["build"], most=5)["build"] != []
    assert (count(path, "document"), len(list(store.pieces()))) == (2, 2)
    marks = count(path, "mark")
    assert store.remove([first]) == 1
    assert count(path, "document") == 1
    assert count(path, "mark") < marks
    assert store.remove([first]) == 0


def test_what_is_not_exactly_this_piece_stays(store: SqliteStore) -> None:
    store.put("build", KEYID, link(1))
    (piece,) = store.pieces()
    for other in (replace(piece, raw=link(2)), replace(piece, step_hint="test"), replace(piece, scope=("x",))):
        assert store.remove([other]) == 0
    assert store.remove([Piece(piece.origin, None, "damaged")]) == 0
    assert len(list(store.pieces())) == 1


def test_nothing_to_put_makes_no_store(store: SqliteStore, path: str) -> None:
    assert store.put_many([]) == []
    assert not Path(path).exists()
    store.prepare()
    assert Path(path).exists()
