"""The trail from a target through an index, one turn at a time. tests/property holds what it all adds up to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from navicert.limits import LOCAL, Limits
from navicert.model.layout import Layout
from navicert.store import Piece
from navicert.store.gather import gather
from navicert.store.trail import Trail, digests_of
from navicert.store.trait import Trait
from navicert.testing import NOW, Chain, MemoryStore, chain, digests, file_target
from navicert.verify.case import Case, Part, Target
from navicert.verify.evaluate import verify

TIGHT = replace(LOCAL, few_links=1, unbound_links=4)
CLOSED = "DISALLOW *"

CHAIN = (
    chain()
    .step("checkout", by="ann", products=["CREATE *"])
    .step("build", by="bob", materials=["MATCH * WITH PRODUCTS FROM checkout", CLOSED], products=["CREATE app", CLOSED])
)


def run(number: int, made: Chain = CHAIN) -> Chain:
    sources = {"src": b"src %d" % number}
    return made.link("checkout", products=sources).link(
        "build", materials=sources, products={"app": b"app %d" % number}
    )


def runs(*numbers: int) -> Chain:
    made = CHAIN
    for number in numbers:
        made = run(number, made)
    return made


def layout_of(made: Chain) -> Layout:
    verified = made.policy().verified
    assert verified is not None
    assert isinstance(verified.body, Layout)
    return verified.body


def trail(made: Chain, target: Target | None, pieces: Sequence[Piece] | None = None, limits: Limits = TIGHT) -> Trail:
    """The trail of `target` through `pieces` (those of the chain, if left out), walked to its end."""
    seeds = () if target is None else digests_of(target)
    walked = Trail(layout_of(made), [MemoryStore(made.filed if pieces is None else pieces)], seeds=seeds, limits=limits)
    met = {document.piece.origin for document in walked.documents()}
    assert {document.piece.origin for document in walked.followed} <= met
    return walked


def passes(made: Chain, target: Target, limits: Limits = TIGHT) -> bool:
    found = gather(made.policy(), [made.store()], target=target, limits=limits)
    return verify(Case(made.policy(), NOW, found.exhibits, found.refused, target=target)).passed


def test_the_chain_of_the_target_and_nothing_else_is_followed() -> None:
    made = runs(*range(6))
    followed = trail(made, file_target(b"app 2")).followed
    assert {document.piece.raw for document in followed} == {piece.raw for piece in run(2).filed}
    found = gather(made.policy(), [made.store()], target=file_target(b"app 2"), limits=TIGHT)
    assert len(found.exhibits) == 2


def test_what_nobody_signed_is_met_and_not_followed() -> None:
    """A stranger claims to have made the target from the sources of another run."""
    made = runs(*range(6)).link("build", by="mallory", materials={"src": b"src 4"}, products={"app": b"app 2"})
    followed = trail(made, file_target(b"app 2")).followed
    assert {document.piece.raw for document in followed} == {piece.raw for piece in run(2).filed}
    found = gather(made.policy(), [made.store()], target=file_target(b"app 2"), limits=TIGHT)
    assert len(found.exhibits) == 2
    assert ["no valid signature" in refusal.reason for refusal in found.refused] == [True]


def test_a_signature_for_another_step_is_not_followed_for_this_one() -> None:
    made = runs(*range(6)).link("build", name="deploy", products={"app": b"app 2"}, materials={"src": b"src 4"})
    for limits in (TIGHT, LOCAL):
        followed = trail(made, file_target(b"app 2"), limits=limits).followed
        assert {document.piece.raw for document in followed} == {piece.raw for piece in run(2).filed}


def test_where_every_digest_is_common_the_best_fit_is_taken_however_old() -> None:
    """Nothing that went into the target is its own: only the combination is."""
    made = CHAIN
    for first in (b"a1", b"a2", b"a3"):
        for second in (b"b1", b"b2", b"b3"):
            made = made.link("checkout", products={"a": first, "b": second})
    for number in range(9):
        made = made.link("checkout", products={"a": b"a1", "c": b"%d" % number})
    made = made.link("build", materials={"a": b"a1", "b": b"b1"}, products={"app": b"app"})
    made = made.link("build", materials={"a": b"a2", "b": b"b2"}, products={"app": b"other"})
    assert passes(made, file_target(b"app"))


def test_a_link_that_fits_better_than_a_rare_one_is_looked_for() -> None:
    """A file that only one other checkout has, and that came from elsewhere here, does not hide the right one."""
    made = CHAIN.having(
        steps=(
            CHAIN.steps[0],
            chain()
            .step("build", by="bob", materials=["MATCH src/* WITH PRODUCTS FROM checkout", "ALLOW tool", CLOSED])
            .steps[0],
        )
    )
    made = made.link("checkout", products={"tool": b"tool"})
    for number in range(6):
        made = made.link("checkout", products={"src/a": b"a", "src/b": b"b", "own": b"%d" % number})
    materials = {"src/a": b"a", "src/b": b"b", "tool": b"tool"}
    made = made.link("build", materials=materials, products={"app": b"app"})
    made = made.link("build", materials={}, products={"app": b"x"}).link("build", products={"app": b"y"})
    assert passes(made, file_target(b"app"))


def test_of_a_step_that_nothing_ties_the_newest_are_taken() -> None:
    made = runs(*range(6)).step("review", by="cid")
    for number in range(9):
        made = made.link("review", products={"notes": b"%d" % number})
    found = gather(made.policy(), [made.store()], target=file_target(b"app 2"), limits=TIGHT)
    notes = [exhibit for exhibit in found.exhibits if exhibit.step == "review"]
    assert len(notes) == TIGHT.unbound_links
    case = Case(made.policy(), NOW, found.exhibits, found.refused, target=file_target(b"app 2"), target_step="build")
    assert verify(case).passed


def test_who_agrees_with_the_newest_is_found_with_it() -> None:
    made = runs(*range(6)).step("review", by=["cid", "dan"], threshold=2)
    for who in ("dan", "cid"):
        for number in range(9):
            made = made.link("review", by=who, products={"notes": b"%d" % number})
    found = gather(made.policy(), [made.store()], target=file_target(b"app 2"), limits=TIGHT)
    case = Case(made.policy(), NOW, found.exhibits, found.refused, target=file_target(b"app 2"), target_step="build")
    assert verify(case).passed


def test_a_link_without_artifacts_is_found() -> None:
    made = runs(*range(6)).step("approve", by="cid").link("approve").link("approve", by="eve")
    assert passes(made, file_target(b"app 2")) is False  # the last step is not the one that made it
    found = gather(made.policy(), [made.store()], target=file_target(b"app 2"), limits=TIGHT)
    assert "approve" in {exhibit.step for exhibit in found.exhibits}


def test_a_target_that_nobody_made_gets_the_newest_chain_for_comparison() -> None:
    made = runs(*range(6))
    found = gather(made.policy(), [made.store()], target=file_target(b"tampered"), limits=TIGHT)
    case = Case(made.policy(), NOW, found.exhibits, found.refused, target=file_target(b"tampered"))
    verdict = verify(case)
    assert not verdict.passed
    assert [check.id for _, check in verdict.causes()] == ["target.bound"]
    newest = {piece.raw for piece in run(5).filed}
    assert newest <= {exhibit.document.sealed.raw for exhibit in found.exhibits}


def test_a_target_known_by_a_text_file_with_its_id_is_found() -> None:
    text = "sha256:abc\n"
    made = CHAIN
    for number in range(6):
        made = made.link("checkout", products={"src": b"%d" % number})
        made = made.link(
            "build", materials={"src": b"%d" % number}, products={"app": text.encode() if number == 2 else b"x"}
        )
    hexadecimal = dict(digests(text.encode()))["sha256"]
    target = Target("image", "image", (Part("linux/amd64", frozenset({"ab" * 32}), {hexadecimal: "sha256:abc"}),))
    assert passes(made, target)


class TestSublayouts:
    """A layout stands for a step: its ends are tied to what that step is tied to."""

    inner = (
        chain()
        .step("fetch", by="ann", products=["CREATE *"])
        .step("compile", by="cid", materials=["MATCH * WITH PRODUCTS FROM fetch", CLOSED], products=["CREATE app"])
    )
    outer = (
        chain()
        .step("make", by="lead", products=["ALLOW *"])
        .step("ship", by="bob", materials=["MATCH app WITH PRODUCTS FROM make", CLOSED], products=["ALLOW *"])
    )

    def filled(self) -> Chain:
        inner, made = self.inner, self.outer
        for number in range(6):
            files = {"src": b"src %d" % number}
            inner = inner.link("fetch", products=files)
            inner = inner.link("compile", materials=files, products={"app": b"app %d" % number})
            product = {"app": b"app %d" % number}
            made = made.link("ship", materials=product, products={"image": b"image %d" % number})
        made = made.sublayout("make", inner)
        # In a database nothing lies in folders.
        return made.having(filed=tuple(replace(piece, scope=()) for piece in made.filed))

    def test_are_followed_to_where_it_began(self) -> None:
        made = self.filled()
        assert passes(made, file_target(b"image 2"))
        raws = {document.piece.raw for document in trail(made, file_target(b"image 2")).followed}
        assert len(raws) == 4

    def test_by_strangers_are_not(self) -> None:
        made = self.filled().sublayout("make", self.inner.step("more", by="eve").link("more"), by="mallory")
        followed = trail(made, file_target(b"image 2")).followed
        assert "more" not in {document.piece.step_hint for document in followed}
        assert passes(made, file_target(b"image 2"))

    def test_beside_a_folder_of_evidence_are_followed_too(self) -> None:
        """The sublayout lies in a folder, its links in a database; and the other way round."""

        class Folder:
            def __init__(self, pieces: Sequence[Piece]) -> None:
                self._pieces = pieces

            def pieces(self) -> Sequence[Piece]:
                return self._pieces

        made = self.filled()
        for apart in ({"make"}, {"ship"}, {"fetch"}, {"compile", "ship"}):
            folder = Folder([piece for piece in made.filed if piece.step_hint in apart])
            database = MemoryStore(piece for piece in made.filed if piece.step_hint not in apart)
            target = file_target(b"image 2")
            found = gather(made.policy(), [folder, database], target=target, limits=TIGHT)
            assert verify(Case(made.policy(), NOW, found.exhibits, found.refused, target=target)).passed, apart


def test_two_databases_are_one_to_it() -> None:
    made = runs(*range(6))
    stores = [MemoryStore(piece for piece in made.filed if piece.step_hint == step) for step in ("checkout", "build")]
    target = file_target(b"app 2")
    found = gather(made.policy(), stores, target=target, limits=TIGHT)
    assert verify(Case(made.policy(), NOW, found.exhibits, found.refused, target=target)).passed


def test_documents_without_end_that_claim_the_target_are_cut_off_and_said_so() -> None:
    """Somebody floods the store: the verification ends, and does not pass without saying what was left out."""
    made = runs(1, 2, 3)
    for number in range(40):
        made = made.link("build", by="mallory", products={"app": b"app 2", "noise": b"%d" % number})
    tight = replace(LOCAL, few_links=45, links_per_step=8)
    found = gather(made.policy(), [made.store()], target=file_target(b"app 2"), limits=tight)
    assert any("limit links_per_step" in refusal.reason for refusal in found.refused)
    assert len(found.refused) < 20


def test_what_is_said_about_the_target_is_gathered() -> None:
    from navicert.envelope.document import seal
    from navicert.model.statement import ResourceDescriptor, Statement
    from navicert.testing import signer

    scan = Statement((ResourceDescriptor("app", None, digests(b"app 2")),), "https://example.com/scan")
    made = runs(*range(6)).file(seal(scan, signer("bob")), "scan")
    found = gather(made.policy(), [made.store()], target=file_target(b"app 2"), limits=TIGHT)
    assert scan in [exhibit.document.body for exhibit in found.exhibits]


@pytest.mark.parametrize("target", [None, file_target(b"app 2")])
def test_it_asks_a_constant_number_of_questions(target: Target | None) -> None:
    """However many runs there are."""

    class Counting(MemoryStore):
        asked = 0

        def lookup(
            self, trait: Trait, texts: Sequence[str], *, step: str | None = None, most: int
        ) -> dict[str, list[int]]:
            self.asked += 1
            return super().lookup(trait, texts, step=step, most=most)

    counts = []
    for number in (10, 40):
        store = Counting(runs(*range(number)).filed)
        seeds = () if target is None else digests_of(target)
        list(Trail(layout_of(CHAIN), [store], seeds=seeds, limits=TIGHT).documents())
        counts.append(store.asked)
    assert counts[0] == counts[1]
