"""Gathering backwards from a target through an index, and reading everything, come to the same.

What a store with an index leaves out is evidence of other runs. So whatever passes by what it gives out passes by all
that it holds; a chain that is alone in the store is found whole; and a chain among many is found as if it were alone.
The limits are set so low that the index is always asked, as if there were thousands of documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property.test_removing_evidence import BODIES, PEOPLE, SLOW, chains, files, honest_chains

from navicert.limits import LOCAL, Limits
from navicert.store import Piece
from navicert.store.gather import gather
from navicert.store.hint import of_body
from navicert.testing import NOW, By, Chain, MemoryStore, chain, file_target
from navicert.verdict import Verdict
from navicert.verify.case import Case, Target
from navicert.verify.evaluate import verify

ASKING = replace(LOCAL, few_links=0)
"""No step has so few documents that all are taken."""

TIGHT = replace(LOCAL, few_links=1, unbound_links=4)


def judged(
    made: Chain, pieces: Sequence[Piece], target: Target | None, *, asked: Target | None, limits: Limits
) -> Verdict:
    """The verdict on what is gathered of `pieces` for `asked`; for None, all of it."""
    policy = made.policy()
    gathered = gather(policy, [MemoryStore(pieces)], target=asked, limits=limits)
    return verify(Case(policy, NOW, gathered.exhibits, gathered.refused, target=target), made.inspector())


targets = st.sampled_from([file_target(body) for body in BODIES])


@settings(max_examples=100, suppress_health_check=SLOW)
@given(chains(), targets, st.sampled_from([ASKING, TIGHT]))
def test_what_passes_by_what_the_index_gives_passes_by_all_there_is(
    made: Chain, target: Target, limits: Limits
) -> None:
    if judged(made, made.filed, target, asked=target, limits=limits).passed:
        assert judged(made, made.filed, target, asked=None, limits=LOCAL).passed


@settings(max_examples=100, suppress_health_check=SLOW)
@given(honest_chains(), targets)
def test_a_chain_that_is_alone_gets_the_same_verdict_both_ways(made: Chain, target: Target) -> None:
    whole = judged(made, made.filed, target, asked=None, limits=LOCAL)
    assert judged(made, made.filed, target, asked=target, limits=ASKING).passed == whole.passed


@settings(max_examples=100, suppress_health_check=SLOW)
@given(chains(), targets)
def test_few_documents_are_all_taken(made: Chain, target: Target) -> None:
    """Whatever they say: then both ways give the same tree."""
    whole = judged(made, made.filed, target, asked=None, limits=LOCAL)
    asked = judged(made, made.filed, target, asked=target, limits=LOCAL)
    assert asked.passed == whole.passed


def run(number: int, shared: int, by: By) -> Chain:
    """One run of a layout of four steps. Of its sources `shared` are those of every run, one is its own."""
    sources = {f"src/{n}": b"shared %d" % n for n in range(shared)} | {"src/own": b"own %d" % number}
    app = {"app": b"app %d" % number}
    taken = ["MATCH src/* WITH PRODUCTS FROM checkout", "DISALLOW *"]
    scanned = ["MATCH app WITH PRODUCTS FROM build", "ALLOW rules", "DISALLOW *"]
    return (
        chain()
        .step("checkout", by=by, products=["CREATE src/*", "DISALLOW *"])
        .step("build", by=by, materials=taken, products=["CREATE app", "DISALLOW *"])
        .step("lint", by=by, materials=taken, products=["ALLOW *"])
        .step("scan", by=by, materials=scanned, products=["CREATE report"])
        .link("checkout", products=sources)
        .link("build", materials=sources, products=app)
        .link("lint", materials=sources, products={"lint.txt": b"clean"})
        .link("scan", materials={**app, "rules": b"the same rules"}, products={"report": b"clean"})
    )


@settings(max_examples=40, suppress_health_check=SLOW)
@given(st.integers(2, 12), st.integers(0, 4), st.data())
def test_a_chain_among_many_is_found_as_if_it_were_alone(runs: int, shared: int, data: st.DataObject) -> None:
    made = [run(number, shared, "bob") for number in range(runs)]
    wanted = data.draw(st.integers(0, runs - 1))
    pieces = data.draw(st.permutations([piece for one in made for piece in one.filed]))
    target = file_target(b"app %d" % wanted)
    found = gather(made[0].policy(), [MemoryStore(pieces)], target=target, limits=TIGHT)
    own = {piece.raw for piece in made[wanted].filed}
    assert own <= {exhibit.document.sealed.raw for exhibit in found.exhibits}
    case = Case(made[0].policy(), NOW, found.exhibits, found.refused, target=target, target_step="build")
    assert verify(case).passed
    if shared == 0:
        # Every run shares something with the others here but the rules of the scanner, which nobody matches.
        assert len(found.exhibits) == 4


@settings(max_examples=30, suppress_health_check=SLOW)
@given(st.integers(3, 8), st.data())
def test_a_run_is_found_by_its_id_alone(runs: int, data: st.DataObject) -> None:
    made = run(0, 0, "bob").having(filed=())
    for number in range(runs):
        for step in ("checkout", "build", "lint", "scan"):
            made = made.link(step, environment={"navicert": {"run-id": f"r{number}"}})
    wanted = data.draw(st.integers(0, runs - 1))
    found = gather(made.policy(), [made.store()], run_id=f"r{wanted}", limits=TIGHT)
    assert [of_body(exhibit.document.body).runs for exhibit in found.exhibits] == [(f"r{wanted}",)] * 4


@settings(max_examples=100, suppress_health_check=SLOW)
@given(st.lists(st.sampled_from(PEOPLE), min_size=1, unique=True), st.data())
def test_nobody_without_a_key_leads_it_astray(strangers: list[str], data: st.DataObject) -> None:
    """Links by others that claim the target, or what is known to have gone into it, are near misses and no more."""
    made = run(0, 2, "bob")
    noise = made
    for stranger in strangers:
        for step in data.draw(st.lists(st.sampled_from(["checkout", "build", "lint", "scan"]), max_size=4)):
            noise = noise.link(
                step, by=stranger, materials=data.draw(files), products={**data.draw(files), "app": b"app 0"}
            )
    target = file_target(b"app 0")
    verdicts = [
        judged(made, noise.filed, target, asked=asked, limits=limits)
        for asked, limits in ((None, LOCAL), (target, ASKING), (target, TIGHT))
    ]
    case = [verdict.passed for verdict in verdicts]
    assert len(set(case)) == 1
