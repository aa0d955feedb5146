"""Links under a signed layout as an account of the build: each requirement met, and not met for exactly one reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.sample_build import BUILDER, COMMIT, REPOSITORY, SCAI, STATEMENT, SampleBuild, leaf, pem

from navicert import testing
from navicert.digest import sha256
from navicert.envelope.document import seal
from navicert.model.statement import Statement
from navicert.slsa.assess import Assessment
from navicert.slsa.chain import Chain
from navicert.slsa.expectation import Steps
from navicert.verdict import Outcome
from navicert.verify.case import Revocations
from navicert.verify.evaluate import verify

APP = b"the application\n"
TREE = {"gitCommit": COMMIT, "sha256": "ab" * 32}
OTHER = {"gitCommit": "2e" * 20, "sha256": "cd" * 32}
FROM_CHECKOUT = ["MATCH * WITH PRODUCTS FROM checkout", "DISALLOW *"]
MADE = ["CREATE app", "DISALLOW *"]

Setting = dict[str, Any]


def chain(
    *,
    build_by: str = "service",
    source_by: str = "git-server",
    materials: list[str] = FROM_CHECKOUT,
    products: list[str] = MADE,
    command: str = "make app",
    ran: str = "make app",
    reviewers: tuple[str, ...] = ("ann", "bea"),
    threshold: int = 2,
    review_materials: list[str] = FROM_CHECKOUT,
    review: str = "review",
    reviewed: dict[str, str] = TREE,
    build_threshold: int = 1,
    build_also_by: str = "",
    app: bytes = APP,
) -> testing.Chain:
    """A commit is checked out, two persons review it, and a service builds it."""
    builders = [build_by, build_also_by] if build_also_by else [build_by]
    found = (
        testing.chain()
        .step("checkout", source_by, products=["CREATE source", "DISALLOW *"])
        .step(review, list(reviewers), threshold=threshold, materials=review_materials, products=["DISALLOW *"])
        .step("build", builders, threshold=build_threshold, materials=materials, products=products, command=command)
        .link("checkout", products={"source": TREE})
    )
    for person in reviewers:
        found = found.link(review, by=person, materials={"source": reviewed})
    for builder in builders:
        found = found.link("build", by=builder, materials={"source": TREE}, products={"app": app}, command=ran)
    return found


def assessed(made: testing.Chain, change: Callable[[SampleBuild], object] = lambda _: None) -> Assessment:
    """What comes out for the links alone, with a source summary and the service in the builder table."""
    build = SampleBuild()
    build.documents = build.documents[1:2]
    build.expectations["images"] = [{"image": "app", "source": f"git+{REPOSITORY}", "ref": "refs/heads/main"}]
    build.line["signer"] = {"key": testing.key("service").public_pem().decode()}
    case = made.case(target=testing.file_target(APP))
    build.chain = Chain.of(case, verify(case), Steps())
    change(build)
    return build.assess()


def test_links_reach_level_4_of_the_table_and_no_build_level() -> None:
    found = assessed(chain())
    assert (found.build.reached, found.source.reached, found.table.reached) == (0, 3, 4)
    assert leaf(found, "slsa.table-documented").facts["class"] == "cryptographic"
    assert found.verdict.root.outcome.passes


def line(**fields: object) -> Callable[[SampleBuild], object]:
    return lambda build: build.line.update(fields)


def no_line(build: SampleBuild) -> None:
    build.expectations["builders"] = []


NOT_MET: list[tuple[str, Setting, Callable[[SampleBuild], object], str]] = [
    ("documented", {"products": ["CREATE app"]}, lambda _: None, "do not end with DISALLOW *"),
    ("documented", {"materials": FROM_CHECKOUT[:1]}, lambda _: None, "do not end with DISALLOW *"),
    ("documented", {"app": b"another"}, lambda _: None, "no evidence"),
    ("scripted", {"ran": "", "command": ""}, lambda _: None, "no command was recorded"),
    ("provenance", {"app": b"another"}, lambda _: None, "no evidence"),
    ("service", {}, no_line, "no builder table names the key"),
    ("service", {}, line(level=1), "its key signed the step"),
    ("generated", {}, no_line, "no builder table names the key"),
    ("version-control", {"materials": ["ALLOW *", "DISALLOW *"]}, lambda _: None, "no commit is recorded"),
    ("as-code", {"materials": ["ALLOW *", "DISALLOW *"]}, lambda _: None, "need not take its definition"),
    ("as-code", {"command": ""}, lambda _: None, "does not name the command"),
    ("as-code", {"ran": "make evil"}, lambda _: None, "does not name the command"),
    ("ephemeral", {}, line(level=2), "up to level 2"),
    ("isolated", {}, line(level=2), "up to level 2"),
    ("non-falsifiable", {}, line(level=2), "up to level 2"),
    ("non-falsifiable", {"source_by": "service"}, lambda _: None, "may sign for checkout as well"),
    ("parameters", {"command": ""}, lambda _: None, "does not name the command"),
    ("parameters", {"ran": "make app evil=1"}, lambda _: None, "does not name the command"),
    ("two-person", {"review": "other"}, lambda _: None, 'has no step "review"'),
    ("two-person", {"threshold": 1}, lambda _: None, "has threshold 1"),
    ("two-person", {"review_materials": ["ALLOW *"]}, lambda _: None, 'step "review" need not take'),
    ("two-person", {"review_materials": ["ALLOW *", "DISALLOW *"], "reviewed": OTHER}, lambda _: None, "need not take"),
    ("two-person", {"source_by": "ann"}, lambda _: None, "does not count as a reviewer"),
    ("hermetic", {}, line(hermetic=False), "nothing says that the build had no network"),
]


@pytest.mark.parametrize(("name", "how", "change", "reason"), NOT_MET, ids=[f"{r[0]}-{r[3][:24]}" for r in NOT_MET])
def test_what_is_missing_is_not_met_for_that_reason(
    name: str, how: Setting, change: Callable[[SampleBuild], object], reason: str
) -> None:
    check = leaf(assessed(chain(**how), change), f"slsa.table-{name}")
    assert check.outcome is Outcome.FAIL
    assert reason in check.reason


def test_a_person_is_no_service() -> None:
    made = chain().release(persons={"Sam": "service", "Ann": "ann", "Bea": "bea"})
    check = leaf(assessed(made), "slsa.table-generated")
    assert check.outcome is Outcome.FAIL
    assert "not to a service" in check.reason


def test_two_keys_of_one_person_are_one_reviewer() -> None:
    made = chain(threshold=2).release(persons={"Ann": ["ann", "bea"]})
    found = assessed(made)
    # The layout's own threshold is missed already, so that nothing of the chain counts.
    assert found.table.reached == 0


def test_the_review_of_another_commit_is_none() -> None:
    # The layout lets the reviewers take anything that the checkout made; they took another file of it.
    made = (
        testing.chain()
        .step("checkout", "git-server", products=["ALLOW *"])
        .step("review", ["ann", "bea"], threshold=2, materials=FROM_CHECKOUT)
        .step("build", "service", materials=FROM_CHECKOUT, products=MADE, command="make app")
        .link("checkout", products={"source": TREE, "old": OTHER})
        .link("review", by="ann", materials={"old": OTHER})
        .link("review", by="bea", materials={"old": OTHER})
        .link("build", materials={"source": TREE}, products={"app": APP}, command="make app")
    )
    found = assessed(made)
    check = leaf(found, "slsa.table-two-person")
    assert found.table.reached == 3
    assert check.outcome is Outcome.FAIL
    assert "fewer than two persons reviewed what was built" in check.reason


def test_two_functionaries_that_made_the_same_reproduced_it() -> None:
    made = chain(build_threshold=2, build_also_by="other")
    check = leaf(assessed(made), "slsa.table-reproducible")
    assert check.outcome is Outcome.PASS
    assert leaf(assessed(chain()), "slsa.table-reproducible").outcome is Outcome.WARN


def test_links_alone_are_no_provenance_of_the_build_track() -> None:
    found = assessed(chain())
    assert found.build.reached == 0
    assert found.build.check.reason.endswith(": no provenance of it counts")


def test_a_review_of_a_layout_without_a_checkout_reviews_nothing() -> None:
    made = (
        testing.chain()
        .step("review", ["ann", "bea"], threshold=2, products=["DISALLOW *"])
        .step("build", "service", products=MADE, command="make app")
        .link("build", by="service", materials={"source": TREE}, products={"app": APP}, command="make app")
    )
    for person in ("ann", "bea"):
        made = made.link("review", by=person, materials={"source": TREE})
    case = made.case(target=testing.file_target(APP))
    found = Chain.of(case, verify(case), Steps())
    assert found is not None
    (build,) = found.builds(testing.file_target(APP))
    people, why = found.reviewers(build)
    assert not people
    assert why == 'the layout has no step "checkout" that review and build could start from'


def test_a_chain_that_does_not_hold_is_worth_nothing() -> None:
    found = assessed(chain(reviewed=OTHER))
    assert found.table.reached == 0


def test_a_chain_beside_provenance_documents_it_and_binds_its_source() -> None:
    build = SampleBuild()
    made = chain()
    case = made.case(target=testing.file_target(APP))
    build.chain = Chain.of(case, verify(case), Steps())
    for name in ("source", "builder", "build_type"):
        del build.expected[name]
    found = build.assess()
    assert found.table.reached == 4
    assert "layout" in leaf(found, "slsa.table-documented").reason
    assert 'what step "checkout" made' in leaf(found, "slsa.table-version-control").reason


def test_the_key_of_the_provenance_signs_no_other_step() -> None:
    build = SampleBuild()
    made = chain(source_by="service")
    build.builder = testing.signer("service")
    build.line["signer"] = {"key": pem(build.builder)}
    build.sign(0, build.builder)
    case = made.case(target=testing.file_target(APP))
    build.chain = Chain.of(case, verify(case), Steps())
    assert "may sign for checkout as well" in leaf(build.assess(), "slsa.table-non-falsifiable").reason


def test_a_layout_that_no_owner_signed_is_no_chain() -> None:
    case = chain().case(policy=chain().policy(signed_by="mallory"))
    assert Chain.of(case, verify(case), Steps()) is None


def test_an_expected_builder_is_expected_of_links_too() -> None:
    def other(build: SampleBuild) -> None:
        build.expected["builder"] = "https://other.example"

    def same(build: SampleBuild) -> None:
        build.expected["builder"] = BUILDER

    assert assessed(chain(), same).table.reached == 4
    found = assessed(chain(), other)
    assert found.table.reached == 0
    assert not found.verdict.passed


def test_what_is_no_link_of_a_step_is_no_account_of_it() -> None:
    made = chain().link("build", by="service", name="another", products={"app": APP}, command="make evil")
    review = {"_type": STATEMENT, "subject": [{"digest": TREE}], "predicateType": SCAI, "predicate": {"attributes": []}}
    made = made.file(seal(Statement.from_json(review), testing.signer("service")), None)
    case = made.case(target=testing.file_target(APP))
    found = Chain.of(case, verify(case), Steps())
    assert found is not None
    assert {one.claim.name for one in found.recorded} == {"checkout", "review", "build"}


@pytest.mark.parametrize("how", ["document", "key"])
def test_a_link_that_is_revoked_is_no_account(how: str) -> None:
    made = chain(build_threshold=1, build_also_by="other")
    case = made.case(target=testing.file_target(APP))
    (link,) = [
        exhibit.document
        for exhibit in case.evidence
        if exhibit.step == "build" and testing.key("other") in exhibit.document.signers
    ]
    digests = frozenset({str(link.digest)}) if how == "document" else frozenset()
    keys = frozenset({testing.key("other").fingerprint}) if how == "key" else frozenset()
    case = replace(case, revoked=Revocations(digests, keys))
    found = Chain.of(case, verify(case), Steps())
    assert found is not None
    assert found.passed
    assert {key for one in found.of_step(found.build) for key in one.keys} == {testing.key("service")}


def test_an_index_that_the_last_step_made_is_pinned_by_the_chain() -> None:
    case = chain().case(target=testing.file_target(APP))
    found = Chain.of(case, verify(case), Steps())
    assert found is not None
    assert found.made(sha256(APP))
    assert not found.made(sha256(b"another"))
    broken = chain(reviewed=OTHER).case(target=testing.file_target(APP))
    unheld = Chain.of(broken, verify(broken), Steps())
    assert unheld is not None
    assert not unheld.made(sha256(APP))
