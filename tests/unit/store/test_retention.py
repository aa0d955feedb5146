"""What may go: never what a kept chain needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from navicert.errors import Malformed, Refused
from navicert.store import Filing, Piece
from navicert.store.gather import gather
from navicert.store.retention import Keep, Retention, sweep, weigh
from navicert.store.sqlite import SqliteStore
from navicert.testing import NOW, Chain, MemoryStore, chain, file_target, key
from navicert.verify.case import Case
from navicert.verify.evaluate import verify

START = datetime(2026, 1, 1, tzinfo=UTC)
LAYOUT = (
    chain()
    .step("base", by="ann", products=["CREATE os"])
    .step("checkout", by="ann", products=["CREATE src"])
    .step(
        "build",
        by=["bob", "cid"],
        threshold=2,
        materials=["MATCH src WITH PRODUCTS FROM checkout", "MATCH os WITH PRODUCTS FROM base", "DISALLOW *"],
        products=["CREATE app", "DISALLOW *"],
    )
)
POLICY = LAYOUT.policy()


def release(number: int, *, base: int = 0) -> Chain:
    """One release, built on the operating system `base`, which is recorded once and used for long."""
    materials = {"src": b"src %d" % number, "os": b"os %d" % base}
    made = LAYOUT.link("checkout", products={"src": materials["src"]})
    for who in ("bob", "cid"):
        made = made.link("build", by=who, materials=materials, products={"app": b"app %d" % number})
    return made


def base(number: int) -> Chain:
    return LAYOUT.link("base", products={"os": b"os %d" % number})


def filled(*chains: Chain) -> MemoryStore:
    """Each chain was put a day after the one before."""
    return MemoryStore(
        replace(piece, origin=f"{day} {piece.origin}", filed_at=START + timedelta(days=day))
        for day, one in enumerate(chains)
        for piece in one.filed
    )


def passes(store: MemoryStore, number: int) -> bool:
    target = file_target(b"app %d" % number)
    found = gather(POLICY, [store], target=target)
    return verify(Case(POLICY, NOW, found.exhibits, found.refused, target=target)).passed


def swept(store: MemoryStore, keep: Keep) -> Retention:
    before = list(store.pieces())
    retention = weigh(store, [POLICY], keep)
    assert list(store.pieces()) == before  # weighing removes nothing
    assert sweep(store, retention) == len(retention.doomed)
    assert len(list(store.pieces())) == retention.kept + retention.foreign
    return retention


def test_the_newest_releases_stay_whole_and_the_others_go() -> None:
    store = filled(base(0), *(release(number) for number in range(6)))
    retention = swept(store, Keep(runs=2))  # two people record each release
    assert retention.releases == 2
    assert [passes(store, number) for number in range(6)] == [False] * 4 + [True] * 2
    assert len(retention.doomed) == 4 * 3


def test_what_a_kept_release_rests_on_stays_however_old_it_is() -> None:
    store = filled(base(0), base(1), *(release(number) for number in range(5)), release(9, base=1))
    swept(store, Keep(since=START + timedelta(days=6)))
    left = [piece.origin for piece in store.pieces()]
    assert passes(store, 4)
    assert passes(store, 9)
    assert not passes(store, 3)
    assert any(origin.startswith("0 base") for origin in left)
    assert any(origin.startswith("1 base") for origin in left)


def test_a_base_that_no_kept_release_uses_goes() -> None:
    store = filled(base(0), release(0), base(1), *(release(number, base=1) for number in range(1, 4)))
    swept(store, Keep(runs=1))
    assert passes(store, 3)
    assert not any(piece.origin.startswith("0 base") for piece in store.pieces())


def test_a_chain_that_is_not_complete_yet_stays() -> None:
    unfinished = LAYOUT.link("checkout", products={"src": b"tomorrow's"})
    store = filled(base(0), release(0), release(1), unfinished)
    swept(store, Keep(runs=1))
    assert any(piece.origin.startswith("3 checkout") for piece in store.pieces())


def test_a_store_without_any_release_is_left_alone() -> None:
    store = filled(base(0), base(1), LAYOUT.link("checkout", products={"src": b"x"}))
    assert swept(store, Keep(since=START + timedelta(days=300))).doomed == []


def test_what_others_signed_stays() -> None:
    """Another project with steps of the same names, a stranger's links, and what is no document."""
    other = chain().step("build", by="eve").link("build", products={"app": b"theirs"})
    junk = LAYOUT.file(b"junk", "build").link("build", by="mallory", products={"app": b"app 0"})
    store = filled(other, junk, base(0), *(release(number) for number in range(4)))
    retention = swept(store, Keep(runs=1))
    assert retention.foreign == 3
    left = [piece.origin for piece in store.pieces()]
    assert sum(origin.startswith(("0 ", "1 ")) for origin in left) == 3


def test_what_was_put_while_it_was_weighed_stays() -> None:
    store = filled(base(0), *(release(number) for number in range(3)))
    retention = weigh(store, [POLICY], Keep(runs=1))
    store.put_many([Filing("checkout", key("ann").id, release(7).filed[0].raw or b"")])
    sweep(store, retention)
    assert release(7).filed[0].raw in [piece.raw for piece in store.pieces()]


def test_the_releases_of_every_layout_that_is_named_stay() -> None:
    renewed = chain().step("build", by="dan", products=["CREATE app"])
    old, new = base(0), renewed.link("build", products={"app": b"new"})
    store = filled(old, release(0), release(1), release(2), new)
    both = weigh(store, [POLICY, renewed.policy()], Keep(runs=1))
    assert both.releases == 2
    sweep(store, both)
    assert passes(store, 2)
    assert new.filed[0].raw in [piece.raw for piece in store.pieces()]


class TestRefusals:
    """Where it cannot be told what is needed, nothing goes."""

    def test_a_layout_that_its_owners_did_not_sign(self) -> None:
        store = filled(base(0), release(0), release(1))
        with pytest.raises(Refused, match="not signed by its owners"):
            weigh(store, [LAYOUT.policy(signed_by="mallory")], Keep(runs=1))

    def test_a_layout_that_only_one_of_two_owners_signed(self) -> None:
        policy = LAYOUT.policy(signed_by="owner", owners=["owner", "second"])
        with pytest.raises(Refused, match="not signed by its owners"):
            weigh(filled(base(0), release(0)), [policy], Keep(runs=1))

    def test_a_sublayout_in_the_last_place(self) -> None:
        made = chain().step("build", by="bob").sublayout("build", chain().step("x", by="ann").link("x"))
        with pytest.raises(Refused, match="stands for the last step"):
            weigh(filled(made), [made.policy()], Keep(runs=1))

    def test_something_damaged_on_the_way(self) -> None:
        class Broken(MemoryStore):
            """One whose disk has lost a document since it was listed."""

            def fetch(self, numbers: Iterable[int]) -> Iterator[Piece]:
                return (replace(piece, raw=None, problem="damaged") for piece in super().fetch(numbers))

        with pytest.raises(Refused, match="nothing was removed"):
            weigh(Broken(filled(base(0), release(0), release(1)).pieces()), [POLICY], Keep(runs=1))

    def test_a_folder(self, tmp_path: Path) -> None:
        from navicert.store.directory import DirectoryStore

        with pytest.raises(Refused, match="nothing in it is left over"):
            weigh(DirectoryStore(str(tmp_path)), [POLICY], Keep(runs=1))

    @pytest.mark.parametrize("keep", [{}, {"runs": 0}, {"runs": -1}])
    def test_keeping_nothing(self, keep: dict[str, int]) -> None:
        with pytest.raises(Malformed):
            Keep(**keep)  # type: ignore[arg-type]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(str(tmp_path / "ev.db"))) as store:
        yield store


def test_in_a_database_documents_and_marks_go_and_the_rest_verifies(database: SqliteStore) -> None:
    for one in (base(0), *(release(number) for number in range(5))):
        database.put_many([Filing(p.step_hint, key("ann").id, p.raw or b"") for p in one.filed])
    with database.writing() as session:
        # One day apart, in the order in which they were put.
        session.rows("UPDATE filing SET filed_at = 1767225600 + 86400 * ((document + 1) / 3) RETURNING document")
    retention = weigh(database, [POLICY], Keep(runs=1))
    assert sweep(database, retention) == len(retention.doomed) == 12
    with database.reading() as session:
        assert session.rows("SELECT count(*) FROM document") == [(4,)]
        assert session.rows("SELECT count(*) FROM mark WHERE document NOT IN (SELECT id FROM document)") == [(0,)]
    target = file_target(b"app 4")
    found = gather(POLICY, [database], target=target)
    assert verify(Case(POLICY, NOW, found.exhibits, found.refused, target=target)).passed


def test_what_may_belong_to_a_kept_chain_that_does_not_hold_stays() -> None:
    """Somebody may still find out what is wrong with it."""
    checkouts = [LAYOUT.link("checkout", products={"src": b"src %d" % number}) for number in range(3)]
    wrong = LAYOUT
    for who in ("bob", "cid"):
        wrong = wrong.link("build", by=who, materials={"src": b"other", "os": b"os 0"}, products={"app": b"app 5"})
    assert weigh(filled(base(0), *checkouts, wrong), [POLICY], Keep(runs=1)).doomed == []
    right = release(2).without("checkout")
    assert len(weigh(filled(base(0), *checkouts, right), [POLICY], Keep(runs=1)).doomed) == 2


def test_what_somebody_signed_for_a_step_of_another_is_not_the_layout_s() -> None:
    """A key of the layout, and not one for this step: perhaps of another project."""
    odd = LAYOUT.link("build", by="ann", products={"app": b"theirs"})
    store = filled(base(0), odd, release(0), release(1))
    assert swept(store, Keep(runs=1)).foreign == 1
    assert any(piece.origin.startswith("1 build") for piece in store.pieces())


def test_a_kept_chain_that_does_not_hold_keeps_its_own_links() -> None:
    wrong = LAYOUT.link("checkout", products={"src": b"src 5"})
    for who in ("bob", "cid"):
        wrong = wrong.link("build", by=who, materials={"src": b"other", "os": b"os 0"}, products={"app": b"app 5"})
    store = filled(base(0), release(0), release(1), wrong)
    retention = weigh(store, [POLICY], Keep(runs=1))
    assert all(not fate.origin.startswith("3 ") for fate in retention.doomed)
