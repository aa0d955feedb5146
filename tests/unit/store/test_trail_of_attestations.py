"""Attestations are found in a store with an index: by what they are about, among those of many runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.policy_chain import AT, PROVENANCE, TEST_RESULT, PolicyChain, digest, report, statement

from navicert.digest import DigestSet
from navicert.envelope.document import seal
from navicert.limits import LOCAL, Limits
from navicert.model.link import Link
from navicert.store import Filing
from navicert.store.gather import gather
from navicert.store.sqlite import SqliteStore
from navicert.verdict import Verdict
from navicert.verify.case import Case, Part, Target
from navicert.verify.evaluate import verify

RUNS = 40
ASKING = replace(LOCAL, few_links=2, unbound_links=2)
"""So low that no step has few documents, as if there were thousands."""


def app(run: int) -> bytes:
    return b"application %d" % run


def target(run: int) -> Target:
    (sha256,) = digest(app(run)).values()
    return Target("app", "file", (Part("app", frozenset({sha256})),))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    made = SqliteStore(str(tmp_path / "evidence.db"))
    yield made
    made.close()


def judged(chain: PolicyChain, store: SqliteStore, run: int, limits: Limits = ASKING) -> tuple[Verdict, int]:
    """The verdict on the target of one run, and how many documents were taken from the store for it."""
    policy = chain.policy()
    found = gather(policy, [store], target=target(run), limits=limits)
    verdict = verify(Case(policy, AT, found.exhibits, found.refused, target=target(run)))
    return verdict, len(found.exhibits)


def link(chain: PolicyChain, run: int) -> bytes:
    source = {"src/a": DigestSet.of(digest(b"source %d" % run))}
    return seal(Link("build", ("make",), source, {"app": DigestSet.of(digest(app(run)))}), chain.bob)


def about(content: bytes) -> dict[str, object]:
    return {"name": "_", "digest": digest(content)}


def test_a_report_about_what_was_made_is_found_among_many(store: SqliteStore) -> None:
    chain = PolicyChain().require(attributes=[{"rule": "predicate.result == 'PASSED'"}])
    filings = []
    for run in range(RUNS):
        filings.append(Filing("build", chain.bob.keyid, link(chain, run)))
        result = "FAILED" if run == 7 else "PASSED"
        filings.append(Filing(None, "", seal(report(result, about(app(run))), chain.tess)))
    store.put_many(filings)
    for run in (0, 20, RUNS - 1):
        verdict, taken = judged(chain, store, run)
        assert verdict.passed
        assert taken < 10
    assert not judged(chain, store, 7)[0].passed
    assert judged(chain, store, 3, LOCAL)[0].passed


def test_a_report_about_what_went_in_is_found_too(store: SqliteStore) -> None:
    chain = PolicyChain().require(subjects=[["MATCH", "src/*", "WITH", "MATERIALS", "FROM", "build"]])
    filings = []
    for run in range(RUNS):
        filings.append(Filing("build", chain.bob.keyid, link(chain, run)))
        filings.append(Filing(None, "", seal(report("PASSED", about(b"source %d" % run)), chain.tess)))
    store.put_many(filings)
    verdict, taken = judged(chain, store, 11)
    assert verdict.passed
    assert taken < 10


def test_a_chain_without_any_link(store: SqliteStore) -> None:
    chain = PolicyChain()
    made = {"name": "p", "types": [PROVENANCE], "role": "transform", "pubkeys": [chain.tess.keyid]}
    tested = {"name": "tests", "types": [TEST_RESULT], "role": "inform", "pubkeys": [chain.bob.keyid]}
    products = [["CREATE", "app"], ["DISALLOW", "*"]]
    chain.document["steps"] = [
        {"name": "build", "record": "p", "predicates": [made, tested], "expected_products": products}
    ]
    claim = {
        "buildDefinition": {"buildType": "https://b.example", "externalParameters": {}},
        "runDetails": {"builder": {"id": "https://ci.example"}},
    }
    for run in range(RUNS):
        subject = {"name": "app", "digest": digest(app(run))}
        documents = [
            seal(statement(PROVENANCE, claim, subject), chain.tess),
            seal(report("PASSED", about(app(run))), chain.bob),
        ]
        store.put_many([Filing(None, "", raw) for raw in documents])
    verdict, taken = judged(chain, store, 5)
    assert verdict.passed
    assert taken < 10


def test_what_nothing_ties_is_taken_newest_first(store: SqliteStore) -> None:
    """Without a target there is nothing to begin with: the newest are as good as any."""
    chain = PolicyChain().require()
    for run in range(RUNS):
        store.put("build", chain.bob.keyid, link(chain, run))
        store.put_many([Filing(None, "", seal(report("PASSED", about(app(run))), chain.tess))])
    policy = chain.policy()
    found = gather(policy, [store], run_id="some run", limits=ASKING)
    assert verify(Case(policy, AT, found.exhibits, found.refused)).passed


def test_a_stranger_leads_nobody_astray(store: SqliteStore) -> None:
    chain = PolicyChain().require()
    store.put("build", chain.bob.keyid, link(chain, 1))
    store.put_many([Filing(None, "", seal(report("PASSED", about(app(1)), n=n), chain.eve)) for n in range(RUNS)])
    store.put_many([Filing(None, "", seal(report("PASSED", about(app(1))), chain.tess))])
    assert judged(chain, store, 1)[0].passed
