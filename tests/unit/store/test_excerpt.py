"""The evidence by which one chain holds, and no more."""

from __future__ import annotations

from navicert.store.excerpt import excerpt, holds
from navicert.testing import NOW, Chain, MemoryStore, chain, file_target

BUILD = (
    chain()
    .step("build", by="bob", materials=["DISALLOW *"], products=["ALLOW *"])
    .step("ship", by="cid", materials=["MATCH app WITH PRODUCTS FROM build", "ALLOW notes"], products=["ALLOW *"])
)


def shipped(number: int, made: Chain = BUILD) -> Chain:
    app = {"app": b"app %d" % number}
    return made.link("build", products=app).link(
        "ship", materials={**app, "notes": b"notes"}, products={"image": b"image %d" % number}
    )


def test_of_many_runs_just_one_is_taken() -> None:
    made = shipped(2, shipped(1, shipped(0)))
    found, verdict = excerpt(made.policy(), [made.store()], at=NOW, target=file_target(b"image 1"))
    assert holds(verdict)
    assert {exhibit.document.sealed.raw for exhibit in found.exhibits} == {piece.raw for piece in shipped(1).filed}


def test_where_the_best_fit_does_not_hold_another_link_is_not_left_out() -> None:
    """Some other build fits better by its digests, and breaks a rule: the right one lies beside it."""
    made = shipped(0).link("build", materials={"odd": b"odd"}, products={"app": b"app 0", "notes": b"notes"})
    found, verdict = excerpt(made.policy(), [made.store()], at=NOW, target=file_target(b"image 0"))
    assert holds(verdict)
    assert len(found.exhibits) == 3


def test_without_a_target_everything_is_taken() -> None:
    made = shipped(1, shipped(0))
    found, verdict = excerpt(made.policy(), [made.store()], at=NOW)
    assert holds(verdict)
    assert len(found.exhibits) == 4


def test_a_chain_that_does_not_hold_says_why() -> None:
    made = shipped(0)
    _, verdict = excerpt(made.policy(), [made.store()], at=NOW, target=file_target(b"other"))
    assert not holds(verdict)
    assert [path.rpartition("/")[2][:12] for path, _ in verdict.causes()] == ["target.bound"]


def test_a_layout_that_its_owners_did_not_sign_holds_nothing() -> None:
    made = shipped(0)
    policy = made.policy(signed_by="mallory")
    found, verdict = excerpt(policy, [made.store()], at=NOW, target=file_target(b"image 0"))
    assert not holds(verdict)
    assert found.exhibits == ()


def test_an_empty_store_holds_nothing() -> None:
    assert not holds(excerpt(BUILD.policy(), [MemoryStore()], at=NOW, target=file_target(b"image 0"))[1])
