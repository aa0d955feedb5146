"""What is remembered of documents that verified, and what never is."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from navicert.crypto.key import Key
from navicert.digest import sha256
from navicert.store import Piece, PieceSource
from navicert.store.gather import Gathered, gather
from navicert.store.recall import Recall, signers_of
from navicert.testing import NOW, Chain, MemoryStore, chain, file_target
from navicert.verify.case import Case, Policy, Revocations
from navicert.verify.evaluate import verify

GOOD = (
    chain()
    .step("checkout", by="ann", products=["CREATE *"])
    .step("build", by="bob", materials=["MATCH * WITH PRODUCTS FROM checkout", "DISALLOW *"], products=["ALLOW *"])
    .link("checkout", products={"src": b"1"})
    .link("build", materials={"src": b"1"}, products={"app": b"2"})
)


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The key ids of all signature checks that are made."""
    made: list[str] = []
    real = Key.verify

    def counting(self: Key, signature: bytes, message: bytes, headers: bytes | None = None) -> bool:
        made.append(self.id)
        return real(self, signature, message, headers)

    monkeypatch.setattr(Key, "verify", counting)
    return made


def found(recall: Recall | None, made: Chain = GOOD, policy: Policy | None = None) -> Gathered:
    return gather(policy or made.policy(), [made.store()], recall=recall)


def passes(found: Gathered, made: Chain = GOOD, **fields: object) -> bool:
    case = Case(made.policy(), NOW, found.exhibits, found.refused)
    return verify(replace(case, **fields)).passed  # type: ignore[arg-type]


def test_what_is_remembered_is_not_remembered_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """But for what could not be: it is met again as if for the first time."""
    recall = Recall()
    remembered = []
    before = recall.remember

    def remember(keys: Any, size: int, document: Any) -> None:
        remembered.append(size)
        before(keys, size, document)

    monkeypatch.setattr(recall, "remember", remember)
    for _ in range(3):
        assert passes(found(recall))
    assert len(remembered) == len(recall) == 2
    assert all(remembered)


def test_a_document_is_verified_once(checks: list[str]) -> None:
    recall = Recall()
    policy = GOOD.policy()
    checks.clear()
    first = found(recall, policy=policy)
    assert len(checks) == 2
    second = found(recall, policy=policy)
    assert len(checks) == 2
    assert [e.document.content for e in first.exhibits] == [e.document.content for e in second.exhibits]
    assert passes(first)
    assert passes(second)


def test_expiry_is_judged_anew() -> None:
    recall = Recall()
    assert passes(found(recall))
    assert not passes(found(recall), at=GOOD.layout().expires + timedelta(seconds=1))


def test_a_revocation_is_heeded_at_once() -> None:
    recall = Recall()
    exhibit = found(recall).exhibits[0]
    denied = Revocations(keys=frozenset({exhibit.document.signers[0].id}))
    assert not passes(found(recall), revoked=denied)


def test_what_another_key_signed_is_not_taken_for_ours() -> None:
    """The same bytes held against other keys are another question."""
    recall = Recall()
    assert len(found(recall).exhibits) == 2
    strangers = chain().step("checkout", by="eve").step("build", by="mallory")
    assert gather(strangers.policy(), [GOOD.store()], recall=recall).exhibits == ()


def test_what_did_not_verify_is_not_remembered() -> None:
    recall = Recall()
    strangers = chain().step("checkout", by="eve").step("build", by="mallory")
    assert len(gather(strangers.policy(), [GOOD.store()], recall=recall).refused) == 2
    assert len(recall) == 0


def test_other_bytes_are_another_document(checks: list[str]) -> None:
    recall = Recall()
    found(recall)
    pieces = [replace(piece, raw=(piece.raw or b"").replace(b'"sig": "', b'"sig": "AAAA')) for piece in GOOD.filed]
    assert gather(GOOD.policy(), [MemoryStore(pieces)], recall=recall).exhibits == ()


def test_where_it_came_from_is_where_it_came_from_now() -> None:
    recall = Recall()
    policy = GOOD.policy()
    found(recall, policy=policy)
    moved = MemoryStore([replace(piece, origin=f"elsewhere/{piece.origin}") for piece in GOOD.filed])
    again = gather(policy, [moved], recall=recall)
    assert all(exhibit.document.origin.startswith("elsewhere/") for exhibit in again.exhibits)


def test_a_document_that_not_all_its_signers_are_known_of_is_verified_again(checks: list[str]) -> None:
    """Later keys, of a sublayout say, may know the others; what is remembered has no bytes to check them by."""
    made = chain().step("build", by="bob", products=["ALLOW *"]).link("build", by=("bob", "eve"), products={"a": b"1"})
    recall = Recall()
    found(recall, made)
    checks.clear()
    assert passes(found(recall, made), made)
    assert checks


def test_what_the_key_of_a_sublayout_signed_is_not_taken_for_ours_without_it() -> None:
    """The trail knows the keys of sublayouts before those who gather do."""
    inner = chain().step("compile", by="bob", products=["ALLOW *"]).link("compile", products={"app": b"2"})
    outer = chain().step("make", by="ann", products=["ALLOW *"])
    policy, target, recall = outer.policy(), file_target(b"2"), Recall()
    whole = outer.sublayout("make", inner)
    flat = [replace(piece, scope=()) for piece in whole.filed]
    assert len(gather(policy, [MemoryStore(flat)], target=target, recall=recall).exhibits) == 2
    alone = gather(policy, [PieceSource(flat[1:])], recall=recall)
    assert alone.exhibits == ()


def test_the_least_used_is_forgotten_first() -> None:
    sizes = [len(piece.raw or b"") for piece in GOOD.filed]
    recall = Recall(most=max(sizes))
    found(recall)
    assert len(recall) == 1
    assert len(Recall(most=0)) == 0
    small = Recall(most=1)
    found(small)
    assert len(small) == 0


def test_remembering_again_does_not_count_twice() -> None:
    piece: Piece = GOOD.filed[0]
    assert piece.raw is not None
    exhibit = next(e for e in found(None).exhibits if e.document.digest == sha256(piece.raw or b""))
    keys = signers_of(exhibit.document.signers)
    recall = Recall(most=2 * len(piece.raw))
    for _ in range(5):
        recall.remember(keys, len(piece.raw), exhibit.document)
    assert len(recall) == 1
    assert recall.find(exhibit.document.digest, keys, "here") is not None
    assert recall.find(exhibit.document.digest, (), "here") is None


def test_many_threads_may_use_it() -> None:
    recall = Recall(most=sum(len(piece.raw or b"") for piece in GOOD.filed))
    policy = GOOD.policy()
    wrong: list[int] = []

    def work() -> None:
        for _ in range(30):
            count = len(found(recall, policy=policy).exhibits)
            if count != 2:
                wrong.append(count)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(recall) == 2
