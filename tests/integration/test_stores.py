"""What every store promises, whatever it is made of: memory, a folder, SQLite, PostgreSQL."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from navicert.digest import sha256
from navicert.envelope.document import seal
from navicert.errors import LimitExceeded, Malformed
from navicert.limits import LOCAL, Limits
from navicert.model.link import Link
from navicert.model.statement import ResourceDescriptor, Statement
from navicert.store import Filing, Indexed, Store
from navicert.store.gather import gather
from navicert.store.query import Query, search
from navicert.store.trait import Trait
from navicert.store.uri import open_store
from navicert.testing import NOW, MemoryStore, artifacts, chain, digests, file_target, key, signer
from navicert.verify.case import Case
from navicert.verify.evaluate import verify

KEYID = key("bob").id
OTHER = key("ann").id
DATABASES = ("sqlite", "postgres")
INDEXED = ("memory", *DATABASES)

Open = Callable[..., Store]


def link(step: str = "build", *, by: str = "bob", run: str = "", **files) -> bytes:
    body = Link(
        step,
        (),
        artifacts(files.get("materials", {})),
        artifacts(files.get("products", {})),
        environment={"navicert": {"run-id": run}} if run else {},
    )
    return seal(body, signer(by))


def of(content: bytes) -> str:
    return f"sha256:{sha256(content).hex}"


@pytest.fixture(params=["memory", "directory", "sqlite", "postgres"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def opened(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Open]:
    """Opens the store of this test, the same one every time it is called."""
    stores: list[Store] = []
    if kind == "postgres":
        server = request.getfixturevalue("postgres")
        uri = server.database(f"d{os.urandom(8).hex()}")
    else:
        uri = {"directory": str(tmp_path / "evidence"), "sqlite": f"sqlite:{tmp_path}/evidence.db"}.get(kind, "")
    memory = MemoryStore()

    def open(limits: Limits = LOCAL) -> Store:
        store: Store = memory if kind == "memory" else open_store(uri, limits)
        stores.append(store)
        return store

    yield open
    for store in stores:
        store.close()


def contents(store: Store) -> list[tuple]:
    return [(piece.step_hint, piece.raw, piece.scope, piece.problem) for piece in store.pieces()]


def test_what_was_put_comes_out_as_the_same_bytes_from_a_store_opened_anew(opened: Open) -> None:
    raw = link()
    opened().put("build", KEYID, raw)
    assert contents(opened()) == [("build", raw, (), None)]


def test_where_it_is_names_the_step_and_the_key(opened: Open) -> None:
    store = opened()
    origin = store.put("build", KEYID, link())
    assert f"build.{KEYID[:8]}" in origin
    assert [piece.origin for piece in store.pieces()] == [origin]


def test_putting_the_same_again_changes_nothing(opened: Open) -> None:
    store = opened()
    first, second = (store.put("build", KEYID, link()) for _ in range(2))
    assert first == second
    assert len(contents(store)) == 1


def test_evidence_of_other_steps_and_keys_stays(opened: Open) -> None:
    store = opened()
    for step, who in (("build", "bob"), ("build", "ann"), ("test", "bob")):
        store.put(step, key(who).id, link(step, by=who))
    assert len(contents(store)) == 3


def test_a_database_replaces_nothing_and_a_folder_the_earlier_link_of_the_same_key(opened: Open, kind: str) -> None:
    store = opened()
    store.put("build", KEYID, link(products={"app": b"1"}))
    store.put("build", KEYID, link(products={"app": b"2"}))
    assert len(contents(store)) == (2 if kind in DATABASES else 1)


def test_many_are_kept_together_and_none_is_lost_to_another_of_its_name(opened: Open) -> None:
    store = opened()
    raws = [link(products={"app": bytes([number])}) for number in range(5)]
    origins = store.put_many([Filing("build", KEYID, raw) for raw in raws])
    assert len(set(origins)) == 5
    assert {raw for _, raw, _, _ in contents(store)} == set(raws)
    store.put_many([Filing("build", KEYID, raw) for raw in raws])
    assert len(contents(store)) == 5


def test_sublayout_folders_are_kept(opened: Open) -> None:
    store = opened()
    folder = f"all.{KEYID[:8]}"
    store.put_many([Filing("build", KEYID, link(), (folder,)), Filing("build", KEYID, link())])
    assert sorted(contents(store)) == [("build", link(), (), None), ("build", link(), (folder,), None)]


def test_bytes_that_are_no_document_are_kept_too_and_judged_by_whoever_reads_them(opened: Open) -> None:
    store = opened()
    store.put("build", KEYID, b"\xff\x00 no document")
    assert [raw for _, raw, _, _ in contents(store)] == [b"\xff\x00 no document"]


def test_removing_takes_exactly_the_pieces_that_were_named(opened: Open) -> None:
    store = opened()
    store.put_many([Filing("build", KEYID, link()), Filing("test", KEYID, link("test"))])
    doomed = [piece for piece in store.pieces() if piece.step_hint == "build"]
    assert store.remove(doomed) == 1
    assert [step for step, *_ in contents(store)] == ["test"]
    assert store.remove(doomed) == 0


def test_a_document_that_is_filed_twice_is_removed_from_one_place_only(opened: Open) -> None:
    store = opened()
    store.put_many([Filing("build", KEYID, link()), Filing("release", KEYID, link())])
    store.remove([piece for piece in store.pieces() if piece.step_hint == "release"])
    assert [step for step, *_ in contents(store)] == ["build"]
    assert [found.piece.step_hint for found in search([store], Query(step="build"))] == ["build"]
    assert list(search([store], Query(step="release"))) == []


@pytest.mark.parametrize("step", ["", "a/b", "../a", ".hidden", "a\0b", "\udcff"])
def test_a_step_that_could_not_be_part_of_a_file_name_is_refused(opened: Open, step: str) -> None:
    with pytest.raises(Malformed, match="not a usable name"):
        opened().put_many([Filing(step, KEYID, link())])


@pytest.mark.parametrize("kind", DATABASES, indirect=True)
def test_none_of_many_is_kept_where_one_cannot_be(opened: Open) -> None:
    store = opened()
    store.prepare()
    small = opened(Limits(document_bytes=2000))
    with pytest.raises(LimitExceeded, match="limit document_bytes"):
        small.put_many([Filing("build", KEYID, link()), Filing("build", KEYID, b"x" * 2001)])
    assert contents(store) == []


@pytest.mark.parametrize("kind", ["directory", *DATABASES], indirect=True)
def test_what_is_larger_than_the_limit_is_reported_and_not_read(opened: Open) -> None:
    opened().put("build", KEYID, b"x" * 101)
    (piece,) = opened(Limits(document_bytes=100)).pieces()
    assert piece.raw is None
    assert "limit document_bytes" in str(piece.problem)


@pytest.mark.parametrize("kind", ["directory", *DATABASES], indirect=True)
def test_a_store_that_is_not_there_is_not_an_empty_one(opened: Open) -> None:
    with pytest.raises(Malformed, match=r"no such|no evidence store"):
        list(opened().pieces())


@pytest.mark.parametrize("kind", ["directory", *DATABASES], indirect=True)
def test_when_it_was_put_is_known(opened: Open) -> None:
    store = opened()
    store.put("build", KEYID, link())
    (piece,) = store.pieces()
    assert piece.filed_at is not None
    assert abs(piece.filed_at - datetime.now(UTC)) < timedelta(minutes=5)


def test_a_chain_verifies_from_it(opened: Open) -> None:
    made = (
        chain()
        .step("checkout", by="ann", products=["CREATE *"])
        .step("build", by="bob", materials=["MATCH * WITH PRODUCTS FROM checkout", "DISALLOW *"])
        .link("checkout", products={"src": b"source"})
        .link("build", materials={"src": b"source"}, products={"app": b"app"})
    )
    store = opened()
    for piece in made.filed:
        store.put(str(piece.step_hint), KEYID if piece.step_hint == "build" else OTHER, piece.raw or b"")
    target = file_target(b"app")
    for asked in (None, target):
        found = gather(made.policy(), [store], target=asked)
        assert len(found.exhibits) == 2
        assert verify(Case(made.policy(), NOW, found.exhibits, found.refused, target=target)).passed


class TestSearch:
    """By everything that a document says of itself."""

    @pytest.fixture
    def store(self, opened: Open) -> Store:
        store = opened()
        statement = Statement(
            (ResourceDescriptor("app", None, digests(b"app")),),
            "https://slsa.dev/provenance/v1",
            {"buildDefinition": {"resolvedDependencies": [{"uri": "git:x", "digest": {"gitCommit": "ab" * 20}}]}},
        )
        store.put("checkout", OTHER, link("checkout", by="ann", products={"src": b"source"}, run="r1"))
        store.put("build", KEYID, link(materials={"src": b"source"}, products={"app": b"app"}, run="r1"))
        store.put("attest", KEYID, seal(statement, signer("bob")))
        store.put("all", OTHER, seal(chain().step("x", by="ann").layout(), signer("ann")))
        bundle = {
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "dsseEnvelope": json.loads(seal(statement, signer("eve"))),
            "verificationMaterial": {"publicKey": {}},
        }
        store.put("bundle", OTHER, json.dumps(bundle).encode())
        store.put("lines", OTHER, seal(statement, signer("eve")) + b"\n" + link("deploy", by="eve") + b"\n")
        store.put("junk", OTHER, b"junk")
        return store

    @pytest.mark.parametrize(
        ("query", "steps"),
        [
            (Query(step="build"), ["build"]),
            (Query(step="deploy"), ["lines"]),
            (Query(digests=(of(b"source"),)), ["build", "checkout"]),
            (Query(digests=(of(b"app"),)), ["attest", "build", "bundle", "lines"]),
            (Query(digests=("gitCommit:" + "ab" * 20,)), ["attest", "bundle", "lines"]),
            (Query(digests=(of(b"source"),), step="build"), ["build"]),
            (Query(digests=(of(b"nothing"), of(b"app")), step="build"), ["build"]),
            (Query(signer=OTHER), ["all", "checkout"]),
            (Query(signer=OTHER[:8].upper()), ["all", "checkout"]),
            (Query(signer=OTHER[:8] + "0" * 8), []),
            (Query(type="link"), ["build", "checkout", "lines"]),
            (Query(type="layout"), ["all"]),
            (Query(type="https://slsa.dev/provenance/v1"), ["attest", "bundle", "lines"]),
            (Query(run_id="r1"), ["build", "checkout"]),
            (Query(run_id="r1", signer=OTHER), ["checkout"]),
            (Query(run_id="r2"), []),
            (Query(digests=(of(b"app"),), type="link", signer=KEYID, run_id="r1", step="build"), ["build"]),
            (Query(step="junk"), ["junk"]),
            (Query(), ["all", "attest", "build", "bundle", "checkout", "junk", "lines"]),
        ],
        ids=str,
    )
    def test_finds_what_says_so(self, store: Store, query: Query, steps: list[str]) -> None:
        found = list(search([store], query))
        assert sorted(str(one.piece.step_hint) for one in found) == steps

    @pytest.mark.parametrize("kind", ["directory", *DATABASES], indirect=True)
    def test_finds_by_time(self, store: Store) -> None:
        now = datetime.now(UTC)
        day = timedelta(days=1)
        assert len(list(search([store], Query(since=now - day, until=now + day)))) == 7
        assert list(search([store], Query(since=now + day))) == []
        assert list(search([store], Query(step="build", until=now - day))) == []
        assert len(list(search([store], Query(step="build", since=now - day)))) == 1

    @pytest.mark.parametrize("kind", INDEXED, indirect=True)
    def test_documents_are_looked_up_by_the_step_that_they_name(self, store: Store) -> None:
        assert isinstance(store, Indexed)

        def steps(trait: Trait, text: str, step: str | None = None) -> list[str]:
            numbers = store.lookup(trait, [text, "nonsense"], step=step, most=9)
            assert list(numbers["nonsense"]) == []
            return [str(piece.step_hint) for piece in store.fetch(numbers[text])]

        assert steps(Trait.PRODUCT, of(b"source")) == ["checkout"]
        assert steps(Trait.MATERIAL, of(b"source")) == ["build"]
        assert steps(Trait.MATERIAL, of(b"source"), "build") == ["build"]
        assert steps(Trait.MATERIAL, of(b"source"), "checkout") == []
        assert sorted(steps(Trait.PRODUCT, of(b"app"), "")) == ["attest", "bundle", "lines"]
        assert steps(Trait.STEP, "deploy", "deploy") == ["lines"]
        assert steps(Trait.SUBLAYOUT, "all") == ["all"]
        assert steps(Trait.SUBLAYOUT, "build") == []
        ranked = store.ranked(Trait.PRODUCT, [of(b"source"), of(b"app")], step="checkout", most=5)
        assert [piece.step_hint for piece in store.fetch(ranked)] == ["checkout"]

    @pytest.mark.parametrize("kind", INDEXED, indirect=True)
    def test_the_best_comes_first_and_the_newest_among_equals(self, opened: Open) -> None:
        store = opened()
        for number in range(4):
            files = {"a": b"a", "own": bytes([number])} | ({"b": b"b"} if number == 1 else {})
            store.put_many([Filing("build", KEYID, link(products=files))])
        assert isinstance(store, Indexed)
        best = store.ranked(Trait.PRODUCT, [of(b"a"), of(b"b")], step="build", most=3)
        first = store.lookup(Trait.PRODUCT, [of(bytes([n])) for n in range(4)], most=1)
        numbers = [first[of(bytes([n]))][0] for n in range(4)]
        assert list(best) == [numbers[1], numbers[3], numbers[2]]
        assert list(store.lookup(Trait.PRODUCT, [of(b"a")], most=2)[of(b"a")]) == [numbers[3], numbers[2]]
