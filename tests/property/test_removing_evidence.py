"""Removing evidence never turns a refusal into a pass.

Somebody who can delete files from a store, or keep them from arriving, gains nothing: whatever passes with less
evidence passes with more. Holds for STRICT, over chains with links that disagree, thresholds, persons with several
keys, sublayouts, inspections and a target. UPSTREAM does not promise it: there, links that disagree refuse.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from navicert.testing import Chain, Content, chain, file_target
from navicert.verify.case import Case
from navicert.verify.evaluate import verify

PEOPLE = ("ann", "bea", "cid")
PATHS = ("app", "lib/app")
BODIES = (b"one", b"two")


def _sha(algorithm: str, body: bytes) -> str:
    return hashlib.new(algorithm, body).hexdigest()


CONTENTS: tuple[Content, ...] = (
    *BODIES,
    {"sha512": _sha("sha512", b"one")},
    {"sha256": _sha("sha256", b"one").upper(), "sha512": _sha("sha512", b"one")},
    # Somebody's lie: the two digests are of different contents.
    {"sha256": _sha("sha256", b"one"), "sha512": _sha("sha512", b"two")},
    {},
)

AGREEING = (CONTENTS[0], CONTENTS[3])
OPEN: tuple[list[str], ...] = ([], ["DISALLOW lib/*"], ["ALLOW *"])

paths = st.sampled_from(PATHS)
files = st.dictionaries(paths, st.sampled_from(CONTENTS), max_size=2)
signers = st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=2, unique=True)


def rules(steps: list[str]) -> st.SearchStrategy[list[str]]:
    own = ["ALLOW *", "ALLOW app", "CREATE *", "MODIFY *", "DELETE *", "REQUIRE app", "DISALLOW lib/*"]
    own += [f"MATCH * WITH {side} FROM {step}" for step in steps for side in ("PRODUCTS", "MATERIALS")]
    own += [f"MATCH * IN lib WITH PRODUCTS FROM {step}" for step in steps]
    body = st.lists(st.sampled_from(own), max_size=2)
    return st.builds(lambda lines, end: [*lines, *end], body, st.sampled_from([[], ["DISALLOW *"]]))


@st.composite
def chains(draw: st.DrawFn, depth: int = 1) -> Chain:
    names = [f"s{depth}{number}" for number in range(draw(st.integers(1, 3 - (depth == 0))))]
    made = chain()
    for name in names:
        made = made.step(
            name,
            by=PEOPLE,
            threshold=draw(st.sampled_from([1, 1, 2, 3])),
            materials=draw(rules(names)),
            products=draw(rules(names)),
        )
    if draw(st.booleans()):
        name = f"i{depth}"
        made = made.inspection(name, materials=draw(rules([*names, name])), products=draw(rules(names)))
        made = made.finds(
            name, return_value=draw(st.sampled_from([0, 0, 0, 1])), materials=draw(files), products=draw(files)
        )
    for _ in range(draw(st.integers(1, 6))):
        by = draw(signers)
        made = made.link(draw(st.sampled_from(names)), by=by, materials=draw(files), products=draw(files))
    if depth and draw(st.booleans()):
        for _ in range(draw(st.integers(1, 2))):
            inner = draw(chains(depth=depth - 1))
            made = made.sublayout(draw(st.sampled_from(names)), inner, by=draw(signers))
    return made


@st.composite
def honest_chains(draw: st.DrawFn, depth: int = 1) -> Chain:
    """A chain that holds together: each step takes what the one before it made, and enough people saw the same."""
    made = chain()
    names = [f"s{depth}{number}" for number in range(draw(st.integers(1, 3)))]
    threshold = {name: draw(st.sampled_from([1, 2, 3])) for name in names}
    before = None
    for name in names:
        materials = [f"MATCH * WITH PRODUCTS FROM {before}", "DISALLOW *"] if before else draw(st.sampled_from(OPEN))
        made = made.step(name, by=PEOPLE, threshold=threshold[name], materials=materials, products=["ALLOW *"])
        before = name
    if draw(st.booleans()):
        name = f"i{depth}"
        made = made.inspection(name, materials=[f"MATCH * WITH PRODUCTS FROM {before}", *draw(st.sampled_from(OPEN))])
        made = made.finds(name, materials={"app": b"one"})
    flow: dict[str, Content] = {}
    for name in names:
        taken, flow = flow, {"app": b"one", **{path: draw(st.sampled_from(AGREEING)) for path in draw(st.sets(paths))}}
        if depth and threshold[name] == 1 and draw(st.booleans()):
            inner = draw(honest_chains(depth=0))
            made = made.sublayout(name, inner, by=draw(st.sampled_from(PEOPLE)))
            flow = {"app": b"one"}
        for person in PEOPLE[: threshold[name]]:
            made = made.link(name, by=person, materials=taken, products=flow)
    return made


@st.composite
def noisy_chains(draw: st.DrawFn) -> tuple[Chain, int]:
    """An honest chain with evidence that says something else, and how many documents are the honest ones."""
    honest = draw(honest_chains())
    made = honest
    names = [step.name for step in honest.steps]
    for _ in range(draw(st.integers(1, 6))):
        made = made.link(draw(st.sampled_from(names)), by=draw(signers), materials=draw(files), products=draw(files))
    if draw(st.booleans()):
        made = made.sublayout(draw(st.sampled_from(names)), draw(chains(depth=0)), by=draw(signers))
    # What an inspection finds is found, with noise or without.
    return made.having(results={**made.results, **honest.results}), len(honest.filed)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Case, Chain]:
    made = draw(chains())
    if draw(st.booleans()):
        made = made.release(persons={"ann and bea": ["ann", "bea"]})
    target = draw(st.sampled_from([None, *BODIES]))
    case = made.case(target=None if target is None else file_target(target), strict=draw(st.booleans()))
    return case, made


def passes(case: Case, made: Chain) -> bool:
    return verify(case, made.inspector()).passed


SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)


@settings(max_examples=300, suppress_health_check=SLOW)
@given(cases(), st.data())
def test_removing_evidence_never_turns_a_refusal_into_a_pass(given: tuple[Case, Chain], data: st.DataObject) -> None:
    case, made = given
    kept = data.draw(st.lists(st.booleans(), min_size=len(case.evidence), max_size=len(case.evidence)))
    less = replace(case, evidence=tuple(exhibit for exhibit, keep in zip(case.evidence, kept, strict=True) if keep))
    if passes(less, made):
        assert passes(case, made)


@settings(max_examples=300, suppress_health_check=SLOW)
@given(noisy_chains(), st.data())
def test_what_others_say_does_not_take_down_a_chain_that_holds(given: tuple[Chain, int], data: st.DataObject) -> None:
    made, honest = given
    target = data.draw(st.sampled_from([None, file_target(b"one")]))
    full = made.case(target=target)
    few = made.having(filed=made.filed[:honest]).case(target=target)
    if passes(few, made):
        assert passes(full, made)


@settings(max_examples=100, suppress_health_check=SLOW)
@given(cases())
def test_no_evidence_never_passes(given: tuple[Case, Chain]) -> None:
    case, made = given
    assert not passes(replace(case, evidence=()), made)
