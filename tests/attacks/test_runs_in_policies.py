"""Policies that tie links to one run: a link of another run, put in the place of this one's."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from tests.policy_chain import PolicyChain, cause, checks, digest

from navicert.dataclass import replace
from navicert.digest import DigestSet
from navicert.envelope.document import seal
from navicert.limits import LOCAL
from navicert.model.link import Link

STEPS = ("build", "pack", "ship")


def chain(run: str | None = None) -> PolicyChain:
    """Three steps of `bob` that hand on one file; `run` is what the policy says of runs."""
    made = PolicyChain()
    build = made.document["steps"][0]
    del build["predicates"]
    build |= {"expected_materials": [["DISALLOW", "*"]], "expected_products": [["ALLOW", "app"], ["DISALLOW", "*"]]}
    made.document["steps"] = [build]
    for before, name in pairwise(STEPS):
        rules = [["MATCH", "app", "WITH", "PRODUCTS", "FROM", before], ["DISALLOW", "*"]]
        made.document["steps"].append(
            {"name": name, "pubkeys": [made.bob.keyid], "expected_materials": rules, "expected_products": rules}
        )
    if run is not None:
        made.document["run"] = run
    return made


def links(made: PolicyChain, *runs: str | None, content: bytes = b"app") -> list[bytes]:
    """The link of each step, by the run that it says it belongs to; None where it says none."""
    return [link(made, name, run, content) for name, run in zip(STEPS, runs, strict=True)]


def link(made: PolicyChain, name: str, run: str | None, content: bytes = b"app") -> bytes:
    artifacts = {"app": DigestSet.of(digest(content))}
    environment: dict[str, Any] = {} if run is None else {"navicert": {"run-id": run}}
    materials = {} if name == "build" else artifacts
    return seal(Link(name, ("make",), materials, artifacts, environment=environment), made.bob)


@pytest.mark.parametrize("runs", [("r1", "r1", "r1"), ("r1", None, "r1"), (None, None, None), (None, "r1", None)])
def test_links_that_name_no_other_run_pass(runs: tuple[str | None, ...]) -> None:
    made = chain()
    verdict = made.judge_only(*links(made, *runs))
    assert verdict.passed
    said = [check.reason for check in checks(verdict, "chain.run")]
    assert said == (['all links belong to run "r1"'] if any(runs) else [])


@pytest.mark.parametrize("runs", [("r2", "r1", "r1"), ("r1", "r2", "r1"), ("r1", "r1", "r2"), ("r1", None, "r2")])
def test_a_link_of_another_run(runs: tuple[str | None, ...]) -> None:
    made = chain()
    verdict = made.judge_only(*links(made, *runs))
    found = cause(verdict)
    assert found.id == "chain.run"
    assert found.facts["runs"] == list(dict.fromkeys(run for run in runs if run))
    first = next(i for i, run in enumerate(runs) if run != runs[0] and run is not None)
    assert found.reason == f'step "build" belongs to run "{runs[0]}", step "{STEPS[first]}" to run "{runs[first]}"'


def test_links_of_several_runs_where_the_policy_asks_nothing_of_them() -> None:
    made = chain("any")
    verdict = made.judge_only(*links(made, "r1", "r2", "r3"))
    assert verdict.passed
    assert checks(verdict, "chain.run") == []


@pytest.mark.parametrize("runs", [("r1", None, "r1"), (None, None, None)])
def test_a_link_that_names_no_run_where_the_policy_requires_one(runs: tuple[str | None, ...]) -> None:
    made = chain("required")
    assert made.judge_only(*links(made, "r1", "r1", "r1")).passed
    verdict = made.judge_only(*links(made, *runs))
    assert cause(verdict).id == "step.threshold"
    misses = {check.reason for check in checks(verdict, "evidence.near-miss")}
    assert misses == {"carries no run id, and the policy requires one"}


def test_of_two_whole_runs_one_is_chosen_whatever_order_they_came_in() -> None:
    made = chain()
    evidence = [*links(made, "r1", "r1", "r1", content=b"one"), *links(made, "r2", "r2", "r2", content=b"two")]
    for documents in (evidence, evidence[::-1]):
        assert made.judge_only(*documents).passed


@pytest.mark.parametrize(("whole", "half"), [("r1", "r2"), ("r2", "r1")])
@pytest.mark.parametrize("missing", range(3))
def test_of_two_runs_that_made_the_same_only_links_of_one_are_taken_together(
    whole: str, half: str, missing: int
) -> None:
    made = chain()
    complete, partial = links(made, whole, whole, whole), links(made, half, half, half)
    del partial[missing]
    for documents in ([*partial, *complete], [*complete, *partial]):
        verdict = made.judge_only(*documents)
        assert verdict.passed
        assert [check.reason for check in checks(verdict, "chain.run")] == [f'all links belong to run "{whole}"']


def test_two_halves_of_two_runs_that_made_the_same_are_no_whole() -> None:
    made = chain()
    first, second = links(made, "r1", "r1", "r1"), links(made, "r2", "r2", "r2")
    verdict = made.judge_only(*first[:2], *second[2:])
    assert cause(verdict).id == "chain.run"


def test_more_runs_than_anybody_weighs_are_none() -> None:
    made = chain()
    evidence = [raw for number in range(4) for raw in links(made, *[f"r{number}"] * 3, content=b"%d" % number)]
    assert made.judge_only(*evidence, limits=replace(LOCAL, links_per_step=4)).passed
    # Each run alone is within the limit; together they say more than is looked at.
    twice = [link(made, name, "r1", b"%d other" % number) for name in STEPS for number in range(2)]
    verdict = made.judge_only(*evidence, *twice, limits=replace(LOCAL, links_per_step=5))
    assert cause(verdict).id == "step.threshold"
    assert any("limit links_per_step" in check.reason for check in checks(verdict, "evidence.near-miss"))


def test_signers_of_two_runs_do_not_add_up_to_a_threshold() -> None:
    made = chain()
    for step in made.document["steps"]:
        step |= {"threshold": 2, "pubkeys": [made.bob.keyid, made.tess.keyid]}
    evidence: list[bytes] = []
    for name in STEPS:
        artifacts = {"app": DigestSet.of(digest(b"app"))}
        materials = {} if name == "build" else artifacts
        for signer, run in ((made.bob, "r1"), (made.tess, "r2")):
            one = Link(name, ("make",), materials, artifacts, environment={"navicert": {"run-id": run}})
            evidence.append(seal(one, signer))
    found = cause(made.judge_only(*evidence))
    assert found.id == "step.threshold"
    assert "1 of 2 required signers" in found.reason
