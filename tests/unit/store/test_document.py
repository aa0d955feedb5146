"""The documents in pieces: bundles and JSON lines count like what is in them, in every store, and nothing twice."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.checks import misses

from navicert.crypto.key import Key
from navicert.digest import sha256
from navicert.envelope.body import read_body
from navicert.envelope.document import Sealed, seal
from navicert.limits import LOCAL
from navicert.store import Filing, Piece, Store
from navicert.store.directory import DirectoryStore
from navicert.store.document import documents, open_piece
from navicert.store.gather import gather
from navicert.store.query import Query, search
from navicert.store.retention import Keep, sweep, weigh
from navicert.store.sqlite import SqliteStore
from navicert.testing import NOW, Chain, MemoryStore, chain, file_target, key, signer
from navicert.verdict import Verdict
from navicert.verify.case import Case, Target
from navicert.verify.evaluate import verify

MEDIA = "application/vnd.dev.sigstore.bundle.v0.3+json"
CHAIN = (
    chain()
    .step("checkout", by="ann", products=["CREATE src"])
    .step("build", by="bob", materials=["MATCH src WITH PRODUCTS FROM checkout", "DISALLOW *"], products=["CREATE app"])
)
TARGET = file_target(b"app")


def run(number: int = 0, by: str = "ann") -> Chain:
    source = {"src": b"src %d" % number}
    product = b"app" if not number else b"app %d" % number
    return CHAIN.link("checkout", by=by, products=source).link("build", materials=source, products={"app": product})


def raws(made: Chain) -> list[bytes]:
    return [piece.raw for piece in made.filed if piece.raw is not None]


def sigstore(raw: bytes, **more: Any) -> bytes:
    """A bundle around the envelope `raw`, signed with a key."""
    material: dict[str, Any] = {"publicKey": {}, "tlogEntries": []}
    return json.dumps(
        {"mediaType": MEDIA, "verificationMaterial": material, "dsseEnvelope": json.loads(raw)} | more
    ).encode()


def lines(*parts: bytes) -> bytes:
    return b"\n".join(parts) + b"\n"


def judged(store: Store, target: Target | None = TARGET, made: Chain = CHAIN) -> Verdict:
    found = gather(made.policy(), [store], target=target)
    return verify(Case(made.policy(), NOW, found.exhibits, found.refused, target=target))


SHAPES = {
    "lines": lambda made: [lines(*raws(made))],
    "lines with others": lambda made: [lines(b'{"a": 1}', *raws(made), b"not json", b"")],
    "lines of bundles": lambda made: [lines(*map(sigstore, raws(made)))],
    "bundles": lambda made: [sigstore(raw) for raw in raws(made)],
    "one of each": lambda made: [sigstore(raws(made)[0]), lines(raws(made)[1], raws(made)[1])],
}


@pytest.fixture(params=["memory", "folder", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Every kind of store that needs no server."""
    if request.param == "memory":
        yield MemoryStore()
    elif request.param == "folder":
        yield DirectoryStore(str(tmp_path / "evidence"))
    else:
        with closing(SqliteStore(str(tmp_path / "evidence.db"))) as store:
            yield store


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("target", [TARGET, None], ids=["target", "everything"])
def test_what_is_in_a_bundle_counts_like_a_document_of_its_own(store: Store, shape: str, target: Target | None) -> None:
    store.put_many([Filing(None, "", raw) for raw in SHAPES[shape](run())])
    assert judged(store, target).passed


@pytest.mark.parametrize("shape", SHAPES)
def test_a_chain_among_others_is_found_by_what_each_document_says(store: Store, shape: str) -> None:
    """Also where a file holds several steps, which a database must not file under one of them."""
    tight = replace(LOCAL, few_links=1, unbound_links=1)
    for number in (1, 2, 0, 3, 4):
        store.put_many([Filing(None, "", raw) for raw in SHAPES[shape](run(number))])
    found = gather(CHAIN.policy(), [store], target=TARGET, limits=tight)
    assert verify(Case(CHAIN.policy(), NOW, found.exhibits, found.refused, target=TARGET)).passed
    if not isinstance(store, DirectoryStore):
        assert len(found.exhibits) < 10


def test_where_a_file_mixes_steps_of_several_runs_each_is_found_as_what_it_is(store: Store) -> None:
    tight = replace(LOCAL, few_links=1, unbound_links=1)
    numbers = (1, 2, 0, 3, 4)
    for number, other in zip(numbers, (*numbers[1:], numbers[0]), strict=True):
        put_lines(store, raws(run(number))[0], raws(run(other))[1])
    found = gather(CHAIN.policy(), [store], target=TARGET, limits=tight)
    assert verify(Case(CHAIN.policy(), NOW, found.exhibits, found.refused, target=TARGET)).passed


def test_a_layout_in_a_bundle_is_found_for_the_step_that_it_stands_for(store: Store) -> None:
    tight = replace(LOCAL, few_links=1, unbound_links=1)
    inner = chain().step("compile", by="bob", products=["ALLOW *"]).link("compile", products={"app": b"app"})
    outer = chain().step("make", by="alice", products=["ALLOW *"])
    store.put_many([Filing("make", "ab" * 32, sigstore(seal(inner.layout(), signer("alice"))))])
    store.put_many([Filing(None, "", raw) for raw in raws(inner)])
    for number in range(4):
        made = outer.link("make", by="eve", products={"x": b"%d" % number})
        store.put_many([Filing("make", f"{number}" * 8, sigstore(raw)) for raw in raws(made)])
    found = gather(outer.policy(), [store], target=TARGET, limits=tight)
    assert verify(Case(outer.policy(), NOW, found.exhibits, found.refused, target=TARGET)).passed


@pytest.mark.parametrize("shape", ["lines", "bundles"])
def test_a_bundle_by_a_stranger_counts_for_nothing_and_is_named(store: Store, shape: str) -> None:
    made = CHAIN.link("checkout", by="eve", products={"src": b"src 0"})
    made = made.link("build", by="eve", materials={"src": b"src 0"}, products={"app": b"app"})
    store.put_many([Filing(None, "", raw) for raw in SHAPES[shape](made)])
    found = gather(CHAIN.policy(), [store], target=TARGET)
    assert found.exhibits == ()
    assert all("no valid signature by a key of the layout" in one.reason for one in found.refused)
    assert ("line 1" in " ".join(one.origin for one in found.refused)) is (shape == "lines")
    assert not judged(store).passed


def test_who_is_named_around_an_envelope_decides_nothing() -> None:
    """The hint of a bundle, its certificate and its log entries are not what is verified here."""
    forged = json.loads(raws(run(by="eve"))[0])
    forged["signatures"][0]["keyid"] = key("ann").id
    bundle = sigstore(json.dumps(forged).encode(), verificationMaterial={"publicKey": {"hint": key("ann").id}})
    found = gather(CHAIN.policy(), [MemoryStore([Piece("b", bundle)])])
    assert found.exhibits == ()


def test_a_payload_that_was_changed_in_a_bundle_is_not_signed() -> None:
    forged = json.loads(raws(run())[0])
    payload = base64.b64decode(forged["payload"]).replace(b"checkout", b"checkoux")
    forged["payload"] = base64.b64encode(payload).decode()
    found = gather(CHAIN.policy(), [MemoryStore([Piece("b", sigstore(json.dumps(forged).encode()))])])
    assert found.exhibits == ()


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (sigstore(b"{}", dsseEnvelope=None, messageSignature={"signature": "YQ=="}), "without an envelope"),
        (sigstore(b"{}"), "/dsseEnvelope"),
        (sigstore(b"{}", dsseEnvelope=None), "does not hold one thing that is signed"),
        (sigstore(b"{}", verificationMaterial={}), "does not say who signed"),
        (json.dumps({"mediaType": MEDIA}).encode(), "verificationMaterial"),
        (json.dumps({"_type": "https://in-toto.io/Statement/v1"}).encode(), "unsigned: nobody vouches for it"),
        (lines(b'{"a": 1}', b"oops"), "not a signed document"),
        (b"{}", "not a signed document"),
        (b"", "cannot be read"),
        (b"\xff", "cannot be read"),
        (b"[]", "cannot be read"),
    ],
)
def test_what_holds_no_document_is_a_near_miss(raw: bytes, reason: str) -> None:
    found = gather(CHAIN.policy(), [MemoryStore([Piece("b", raw, step_hint="build")])])
    assert found.exhibits == ()
    assert reason in found.refused[0].reason
    assert all(one.reason.startswith("cannot be read: ") for one in found.refused)


def test_every_line_that_is_none_is_told_by_its_number() -> None:
    raw = lines(raws(run())[0], b"{broken", b"", sigstore(b"{}"), raws(run())[1])
    opened = list(open_piece(Piece("all.jsonl", raw, None, "build")))
    assert [one.piece.origin for one in opened] == [f"all.jsonl: line {number}" for number in (1, 2, 4, 5)]
    assert [one.sealed is None for one in opened] == [False, True, True, False]
    assert all(one.whole.raw is raw for one in opened)
    assert [one.piece.step_hint for one in opened] == [None] * 4  # what the file is filed under is no line's step


def test_a_bundle_of_one_document_keeps_where_it_was_filed() -> None:
    (opened,) = open_piece(Piece("b", sigstore(raws(run())[0]), None, "checkout", ("inner.01234567",)))
    assert (opened.piece.origin, opened.piece.step_hint, opened.piece.scope) == ("b", "checkout", ("inner.01234567",))


def test_more_lines_than_are_looked_at_are_refused_and_said_so() -> None:
    few = replace(LOCAL, evidence_files=3)
    (opened,) = open_piece(Piece("b", lines(*[b"{}"] * 4)), few)
    assert "limit evidence_files" in opened.problem
    found = gather(CHAIN.policy(), [MemoryStore([Piece(name, lines(b"{}", b"{}")) for name in "abc"])], limits=few)
    assert "limit evidence_files" in found.refused[-1].reason


def test_bundles_inside_bundles_are_not_followed() -> None:
    inner = sigstore(raws(run())[0])
    nested = json.dumps({"mediaType": MEDIA, "dsseEnvelope": json.loads(inner)}).encode()
    (opened,) = open_piece(Piece("b", nested))
    assert opened.sealed is None


def test_a_line_of_a_layout_stands_for_a_step_only_by_its_signature() -> None:
    inner = chain().step("compile", by="bob", products=["ALLOW *"]).link("compile", products={"app": b"app"})
    outer = chain().step("make", by="alice", products=["ALLOW *"])
    mine, theirs = seal(inner.layout(), signer("alice")), seal(inner.layout(), signer("eve"))
    for layout, passes in ((mine, True), (theirs, False)):
        store = MemoryStore([Piece("all.jsonl", lines(layout, *raws(inner)))])
        assert judged(store, None, outer).passed is passes


def test_the_names_of_bundles_in_a_folder_are_known_and_others_are_left_alone(tmp_path: Path) -> None:
    first, second = raws(run())
    (tmp_path / "app.intoto.jsonl").write_bytes(lines(first, b"{}"))
    (tmp_path / "app.sigstore.json").write_bytes(sigstore(second))
    (tmp_path / "package.json").write_bytes(b"{}")
    (tmp_path / ".hidden.intoto.jsonl").write_bytes(b"{}")
    store = DirectoryStore(str(tmp_path))
    assert [Path(piece.origin).name for piece in store.pieces()] == ["app.intoto.jsonl", "app.sigstore.json"]
    assert judged(store).passed
    assert list(DirectoryStore(str(tmp_path), bundles=False).pieces()) == []


def test_upstream_reads_no_bundles(tmp_path: Path) -> None:
    first, second = raws(run())
    (tmp_path / "checkout.01234567.link").write_bytes(sigstore(first))
    (tmp_path / "build.01234567.link").write_bytes(lines(second, second))
    store = DirectoryStore(str(tmp_path), bundles=False)
    found = gather(CHAIN.policy(), [store], bundles=False)
    assert (found.exhibits, len(found.refused)) == ((), 2)


def test_a_database_finds_a_file_by_what_each_of_its_documents_says(store: Store) -> None:
    store.put_many([Filing(None, "", lines(*raws(run()), *raws(run(1))))])
    source = f"sha256:{sha256(b'src 0').hex}"
    for query in (Query(step="build"), Query(step="checkout"), Query(digests=(source,)), Query(type="link")):
        assert len(list(search([store], query))) == 1
    assert list(search([store], Query(digests=(f"sha256:{'00' * 32}",)))) == []


# --- each once -----------------------------------------------------------------------------------------------------


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How often a signature was checked, and a signed body was read."""
    made = {"checks": 0, "bodies": 0, "attempts": 0}
    check, attempt, body = Key.verify, Sealed.verified_by, read_body

    def checking(self: Key, *args: Any) -> bool:
        made["checks"] += 1
        return check(self, *args)

    def reading(*args: Any) -> Any:
        made["bodies"] += 1
        return body(*args)

    def attempting(*args: Any, **more: Any) -> Any:
        made["attempts"] += 1
        return attempt(*args, **more)

    monkeypatch.setattr(Sealed, "verified_by", attempting)
    monkeypatch.setattr(Key, "verify", checking)
    monkeypatch.setattr("navicert.envelope.document.read_body", reading)
    return made


@pytest.mark.parametrize("shape", ["lines", "bundles"])
def test_whoever_looks_at_a_document_it_is_verified_and_read_once(
    counted: dict[str, int], tmp_path: Path, shape: str
) -> None:
    """The trail that finds documents and the gathering that hands them on share what they know."""
    policy = CHAIN.policy()
    with closing(SqliteStore(str(tmp_path / "e.db"))) as store:
        store.put_many([Filing(None, "", raw) for raw in SHAPES[shape](run())])
        counted.update(checks=0, bodies=0, attempts=0)
        found = gather(policy, [store], target=TARGET)
    assert len(found.exhibits) == 2
    assert counted == {"checks": 2, "bodies": 2, "attempts": 2}


def test_a_stranger_s_document_costs_one_check_with_each_key(counted: dict[str, int]) -> None:
    made = run().link("build", by="eve", products={"app": b"app"})
    policy, store = made.policy(), made.store()
    counted.update(checks=0, attempts=0)
    assert len(gather(policy, [store], target=TARGET).refused) == 1
    assert (counted["checks"], counted["attempts"]) == (4, 3)
    assert "no valid signature" in misses(judged(store))[0]


# --- letting go ----------------------------------------------------------------------------------------------------


def put_lines(store: Store, *parts: bytes) -> None:
    store.put_many([Filing(None, "", lines(*parts))])


def kept(store: Store) -> set[bytes]:
    return {piece.raw for piece in store.pieces() if piece.raw is not None}


def test_a_release_in_a_bundle_keeps_what_it_needs(tmp_path: Path) -> None:
    """Removing the source of a release because its link lies in a file with another would lose a chain."""
    with closing(SqliteStore(str(tmp_path / "e.db"))) as store:
        source, build = raws(run(1))
        store.put("checkout", key("ann").id, source)
        put_lines(store, build, build)
        retention = weigh(store, [CHAIN.policy()], Keep(runs=1))
        assert retention.doomed == []
        assert retention.releases == 1
        assert sweep(store, retention) == 0
        assert judged(store, file_target(b"app 1")).passed


def test_a_bundle_goes_with_the_last_release_that_needs_it_unless_it_holds_something_of_others(tmp_path: Path) -> None:
    with closing(SqliteStore(str(tmp_path / "e.db"))) as store:
        put_lines(store, *raws(run(1)))
        put_lines(store, *raws(run(2)), seal(chain().link("x", by="eve", name="x").layout(), signer("eve")))
        with store.writing() as session:
            session.rows("UPDATE filing SET filed_at = 1 RETURNING document", [])
        put_lines(store, *raws(run(3)))
        retention = weigh(store, [CHAIN.policy()], Keep(runs=1))
        assert len(retention.doomed) == 1
        assert sweep(store, retention) == 1
        assert kept(store) >= {lines(*raws(run(3)))}
        assert lines(*raws(run(1))) not in kept(store)


def test_documents_say_what_they_are_to_whoever_lists_them() -> None:
    found = list(documents(lines(sigstore(raws(run())[0]), b"[]")))
    assert [(one.origin, one.raw is None) for one in found] == [(": line 1", False), (": line 2", True)]
