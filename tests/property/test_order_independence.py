"""The verdict depends on what is there, not on the order in which it came, nor on how many judge at once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from navicert.report.json import to_json
from navicert.testing import Chain, chain, file_target
from navicert.verdict import Verdict
from navicert.verify.case import Case
from navicert.verify.evaluate import verify
from navicert.verify.profile import Profile

PEOPLE = ("ann", "bea", "cid")
RULES: tuple[list[str], ...] = ([], ["ALLOW *"], ["MATCH * WITH PRODUCTS FROM one", "DISALLOW *"], ["DISALLOW app"])

files = st.dictionaries(st.sampled_from(["app", "lib"]), st.sampled_from([b"x", b"y"]), max_size=2)
people = st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=2, unique=True)
links = st.lists(st.tuples(st.sampled_from(["one", "two"]), people, files, files), max_size=6)
rules = st.sampled_from(RULES)


@st.composite
def chains(draw: st.DrawFn, *, nested: bool = True) -> Chain:
    made = chain()
    for name in ("one", "two"):
        made = made.step(name, by=PEOPLE, threshold=draw(st.integers(1, 2)), materials=draw(rules), products=[])
    made = made.inspection("look", materials=draw(rules)).finds("look", materials=draw(files))
    for name, by, materials, products in draw(links):
        made = made.link(name, by=by, materials=materials, products=products)
    if nested and draw(st.booleans()):
        made = made.sublayout(draw(st.sampled_from(["one", "two"])), draw(chains(nested=False)), by=draw(people))
    # Evidence that does not count is part of the verdict too.
    return made.link("one", by="mallory", products={"app": b"x"}).file(b"not JSON", "two")


def judge(case: Case, made: Chain) -> str:
    return text(verify(case, made.inspector()))


def text(verdict: Verdict) -> str:
    return json.dumps(to_json(verdict), sort_keys=True)


SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)


@settings(max_examples=100, suppress_health_check=SLOW)
@given(chains(), st.randoms(use_true_random=False), st.sampled_from(list(Profile)), st.booleans())
def test_the_whole_verdict_is_independent_of_the_order_of_evidence(
    made: Chain, random: Random, profile: Profile, bound: bool
) -> None:
    target = file_target(b"x") if bound else None
    case = made.case(profile=profile, target=target)
    evidence, refused = list(case.evidence), list(case.refused)
    random.shuffle(evidence)
    random.shuffle(refused)
    shuffled = replace(case, evidence=tuple(evidence), refused=tuple(refused))
    assert judge(shuffled, made) == judge(case, made)


@settings(max_examples=50, suppress_health_check=SLOW)
@given(chains(), st.randoms(use_true_random=False))
def test_gathering_is_independent_of_the_order_of_the_store(made: Chain, random: Random) -> None:
    filed = list(made.filed)
    random.shuffle(filed)
    shuffled = made.having(filed=tuple(filed))
    assert judge(shuffled.case(), made) == judge(made.case(), made)


@settings(max_examples=10, suppress_health_check=SLOW)
@given(chains(), st.sampled_from(list(Profile)))
def test_the_verdict_is_the_same_in_any_number_of_threads(made: Chain, profile: Profile) -> None:
    case = made.case(profile=profile, target=file_target(b"x"))
    alone = judge(case, made)
    with ThreadPoolExecutor(max_workers=8) as pool:
        together = list(pool.map(lambda _: judge(case, made), range(16)))
    assert together == [alone] * 16


@settings(max_examples=30, suppress_health_check=SLOW)
@given(chains())
def test_judging_twice_gives_the_same(made: Chain) -> None:
    case = made.case(target=file_target(b"x"))
    assert judge(case, made) == judge(case, made)
    assert case == made.case(target=file_target(b"x"))
