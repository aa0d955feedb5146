"""Which links count: a chain passes if and only if some choice among its links satisfies everything.

The real judge groups, searches and remembers; the naive one of `tests/naive_judge.py` tries every set of links for
every step. They agree on random chains, contradictory links, thresholds and lying digests included.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from tests import naive_judge

from navicert.digest import DigestSet
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
people = st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=2, unique=True)
filed = st.tuples(st.sampled_from(STEPS), people, files, files)
thresholds = st.sampled_from([1, 1, 2, 2, 3])


@dataclass
class Both:
    """A chain for the real judge, and the same for the naive one."""

    chain: Chain
    tasks: list[naive_judge.Task]
    links: dict[str, list[tuple[frozenset[str], Link]]]
    looks: list[naive_judge.Look]


@st.composite
def chains(draw: st.DrawFn, *, most: int, nested: bool) -> Both:
    # Below, steps have other names: evidence that lies in no folder would count for both of one name.
    below = "" if nested else "below-"
    rules_of = lines.map(lambda some: [line.replace("FROM ", f"FROM {below}") for line in some])
    made, tasks = chain(), []
    for name in (f"{below}{step}" for step in STEPS[: 2 if nested else draw(st.integers(1, 2))]):
        need, materials, products = draw(thresholds), draw(rules_of), draw(rules_of)
        made = made.step(name, by=PEOPLE, threshold=need, materials=materials, products=products)
        tasks.append(_task(name, materials, products, need))
    looks: list[naive_judge.Look] = []
    if draw(st.integers(0, 2)) == 0:
        name = f"{below}look"
        rules, found, code = draw(rules_of), draw(files), draw(st.sampled_from([0, 0, 0, 1]))
        made = made.inspection(name, materials=rules).finds(name, materials=found, return_value=code)
        report = _report(found, found)
        looks.append(naive_judge.Look(_task(name, rules, [], 1), report, code == 0))
    links: dict[str, list[tuple[frozenset[str], Link]]] = {}
    for name, by, materials_of, products_of in draw(st.lists(filed, min_size=nested, max_size=most)):
        name = f"{below}{name}"
        if name in {task.name for task in tasks}:
            made = made.link(name, by=by, materials=materials_of, products=products_of)
            link = Link(name, (), artifacts(materials_of), artifacts(products_of))
            links.setdefault(name, []).append((frozenset(by), link))
    if nested and draw(st.booleans()):
        inner, name, by = draw(chains(most=4, nested=False)), draw(st.sampled_from(STEPS)), draw(people)
        made = made.sublayout(name, inner.chain, by=by)
        for report in naive_judge.summaries(inner.tasks, inner.links, inner.looks):
            link = Link(name, (), _files(report.materials), _files(report.products))
            links.setdefault(name, []).append((frozenset(by), link))
    return Both(made, tasks, links, looks)


def _task(name: str, materials: list[str], products: list[str], need: int) -> naive_judge.Task:
    return naive_judge.Task(name, need, [line.split() for line in materials], [line.split() for line in products])


def _report(materials: dict[str, Content], products: dict[str, Content]) -> naive_judge.Report:
    sides = ({path: dict(digests) for path, digests in artifacts(one).items()} for one in (materials, products))
    return naive_judge.Report(*sides)


def _files(files: naive_judge.Files) -> dict[str, DigestSet]:
    return {path: DigestSet.of(digests) for path, digests in files.items()}


@settings(max_examples=400, suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large))
@given(chains(most=7, nested=True), st.none() | st.sampled_from([b"x", b"y"]), st.booleans())
def test_a_chain_passes_if_and_only_if_some_choice_of_links_satisfies_everything(
    both: Both, target: bytes | None, one_person: bool
) -> None:
    made, links = both.chain, both.links
    if one_person:
        # Of the layout itself: a sublayout says for itself whose keys are whose.
        made = made.release(persons={"both": ["ann", "bea"]})
        person = {"ann": "both", "bea": "both"}
        links = {
            step: [(frozenset(person.get(one, one) for one in by), link) for by, link in some]
            for step, some in links.items()
        }
    wanted = None if target is None else _sha("sha256", target)
    expected = naive_judge.passes(both.tasks, links, wanted, both.looks)
    event("passes" if expected else "does not pass")
    verdict = made.verdict(target=None if target is None else file_target(target))
    assert verdict.passed == expected
