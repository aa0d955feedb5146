"""Which links count: a chain passes if and only if some choice among its links satisfies everything.

The real judge groups, searches and remembers; the naive one of `tests/naive_judge.py` tries every set of links for
every step. They agree on random chains, contradictory links, thresholds and lying digests included.
"""

from __future__ import annotations

import hashlib

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from tests import naive_judge

from navicert.model.link import Link
from navicert.testing import Chain, Content, artifacts, chain, file_target

PEOPLE = ("ann", "bea", "cid")
STEPS = ("one", "two")
PATHS = ("app", "lib/app")


def _sha(algorithm: str, body: bytes) -> str:
    return hashlib.new(algorithm, body).hexdigest()


CONTENTS: tuple[Content, ...] = (
    b"x",
    b"x",
    b"y",
    {"sha512": _sha("sha512", b"x")},
    {"sha256": _sha("sha256", b"x"), "sha512": _sha("sha512", b"x")},
    {"sha256": _sha("sha256", b"x"), "sha512": _sha("sha512", b"y")},
    {},
)

files = st.sampled_from(CONTENTS).map(lambda content: {"app": content}) | st.dictionaries(
    st.sampled_from(PATHS), st.sampled_from(CONTENTS), min_size=1, max_size=2
)
loose = st.sampled_from(
    [
        "ALLOW app",
        "MODIFY *",
        "CREATE *",
        "REQUIRE app",
        "MATCH * WITH MATERIALS FROM two",
        "MATCH * WITH PRODUCTS FROM one",
    ]
)
lines = st.sampled_from(
    [
        [],
        [],
        ["MATCH * WITH PRODUCTS FROM one", "DISALLOW *"],
        ["MATCH * WITH PRODUCTS FROM one"],
        ["MATCH * IN lib WITH PRODUCTS FROM one", "ALLOW app", "DISALLOW *"],
        ["ALLOW *"],
        ["DISALLOW lib/*"],
    ]
) | st.lists(loose, max_size=2)
Filed = tuple[str, tuple[str, ...], dict[str, Content], dict[str, Content]]
filed = st.tuples(
    st.sampled_from(STEPS),
    st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=2, unique=True).map(tuple),
    files,
    files,
)
thresholds = st.sampled_from([1, 1, 2, 2, 3])


@settings(max_examples=400, suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large))
@given(
    st.lists(filed, min_size=2, max_size=7),
    st.tuples(thresholds, thresholds),
    st.tuples(lines, lines, lines, lines),
    st.none() | st.sampled_from([b"x", b"y"]),
    st.booleans(),
)
def test_a_chain_passes_if_and_only_if_some_choice_of_links_satisfies_everything(
    evidence: list[Filed],
    need: tuple[int, int],
    rules: tuple[list[str], list[str], list[str], list[str]],
    target: bytes | None,
    one_person: bool,
) -> None:
    made = chain()
    tasks = []
    for name, threshold, materials, products in zip(STEPS, need, rules[:2], rules[2:], strict=True):
        made = made.step(name, by=PEOPLE, threshold=threshold, materials=materials, products=products)
        words = [[line.split() for line in one] for one in (materials, products)]
        tasks.append(naive_judge.Task(name, threshold, *words))
    made = _with_links(made, evidence)
    person = {name: name for name in PEOPLE}
    if one_person:
        made = made.release(persons={"both": ["ann", "bea"]})
        person |= {"ann": "both", "bea": "both"}
    links: dict[str, list[tuple[frozenset[str], Link]]] = {}
    for name, by, materials_of, products_of in evidence:
        link = Link(name, (), artifacts(materials_of), artifacts(products_of))
        links.setdefault(name, []).append((frozenset(person[one] for one in by), link))
    wanted = None if target is None else _sha("sha256", target)
    expected = naive_judge.passes(tasks, links, wanted)
    event("passes" if expected else "does not pass")
    verdict = made.verdict(target=None if target is None else file_target(target))
    assert verdict.passed == expected


def _with_links(made: Chain, evidence: list[Filed]) -> Chain:
    for name, by, materials, products in evidence:
        made = made.link(name, by=list(by), materials=materials, products=products)
    return made
