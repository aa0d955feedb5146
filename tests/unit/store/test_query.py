"""Questions to a store: all that is given must hold, and what cannot be read is found too."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from navicert.digest import DigestSet
from navicert.envelope.document import seal
from navicert.model.link import Link
from navicert.store import Piece, PieceSource
from navicert.store.query import Query, Searchable, search
from navicert.store.trait import Trait
from navicert.testing import key, signer

NOW = datetime(2026, 6, 1, tzinfo=UTC)
A, B = "ab" * 32, "cd" * 32
RAW = seal(
    Link(
        "build",
        materials={"src": DigestSet.of({"sha256": A})},
        products={"app": DigestSet.of({"sha256": B})},
        environment={"navicert": {"run-id": "r1"}},
    ),
    signer("bob"),
)
BOB = key("bob").id


def found(query: Query, *pieces: Piece) -> list[str]:
    every = pieces or (Piece("one", RAW, None, "build", (), NOW),)
    return [one.piece.origin for one in search([PieceSource(every)], query)]


GOOD: list[Query] = [
    Query(),
    Query(digests=(f"sha256:{A}",)),
    Query(digests=(f"sha256:{'00' * 32}", f"sha256:{B}")),
    Query(step="build"),
    Query(signer=BOB[:8]),
    Query(signer=BOB.upper()),
    Query(type="link"),
    Query(run_id="r1"),
    Query(since=NOW, until=NOW),
    Query((f"sha256:{B}",), "build", BOB, "link", "r1", NOW - timedelta(1), NOW + timedelta(1)),
]
BAD: list[Query] = [
    Query(digests=(f"sha256:{'00' * 32}",)),
    Query(digests=(f"sha256:{A[:-2]}",)),
    Query(digests=(f"sha512:{A}",)),
    Query(step="test"),
    Query(step=""),
    Query(signer=key("eve").id),
    Query(signer=BOB + "00"),
    Query(type="layout"),
    Query(run_id="r2"),
    Query(run_id=""),
    Query(since=NOW + timedelta(seconds=1)),
    Query(until=NOW - timedelta(seconds=1)),
]


@pytest.mark.parametrize("query", GOOD, ids=str)
def test_what_says_so_is_found(query: Query) -> None:
    assert found(query) == ["one"]


@pytest.mark.parametrize("query", BAD, ids=str)
def test_what_does_not_say_so_is_not(query: Query) -> None:
    assert found(query) == []


@pytest.mark.parametrize("good", GOOD[1:-1], ids=str)
@pytest.mark.parametrize("bad", [Query(step="test"), Query(run_id="r2")], ids=str)
def test_one_part_that_does_not_hold_is_enough(good: Query, bad: Query) -> None:
    parts = {
        name: getattr(good, name) or getattr(bad, name)
        for name in ("digests", "step", "signer", "type", "run_id", "since", "until")
    }
    both = Query(**parts)
    if both != good:
        assert found(both) == []


def test_where_it_is_filed_counts_as_a_step_too() -> None:
    assert found(Query(step="other"), Piece("one", RAW, None, "other")) == ["one"]


def test_what_nobody_knows_the_time_of_is_of_no_time() -> None:
    undated = Piece("one", RAW, None, "build")
    assert found(Query(), undated) == ["one"]
    assert found(Query(since=NOW - timedelta(9999)), undated) == []
    assert found(Query(until=NOW + timedelta(9999)), undated) == []


@pytest.mark.parametrize("query", [GOOD[0], BAD[0], BAD[3]], ids=str)
def test_what_cannot_be_read_is_never_passed_over(query: Query) -> None:
    assert found(query, Piece("damaged", None, "its bytes are not those of its digest")) == ["damaged"]


def test_an_index_is_asked_the_most_telling_thing_first() -> None:
    query = Query((f"sha256:{B}",), "build", BOB, "link", "r1")
    assert [traits[0] for traits, _ in query.traits] == [
        Trait.PRODUCT,
        Trait.RUN,
        Trait.SIGNER,
        Trait.TYPE,
        Trait.STEP,
    ]
    assert Query().traits == ()
    assert Query(signer=BOB).traits == (((Trait.SIGNER,), (BOB[:8],)),)


class Hasty:
    """An index that answers anything."""

    def pieces(self) -> Iterator[Piece]:
        raise AssertionError("was to be asked")

    def search(self, query: Query) -> Iterator[Piece]:
        yield Piece("right", RAW)
        yield Piece("wrong", seal(Link("other"), signer("eve")))


def test_what_an_index_answers_is_looked_at_again() -> None:
    assert isinstance(Hasty(), Searchable)
    assert [one.piece.origin for one in search([Hasty()], Query(step="build"))] == ["right"]
