"""Links below a sublayout as an account of the build: of a sublayout that holds, by who may sign there."""

from __future__ import annotations

from typing import Any

from tests.sample_build import SampleBuild, leaf

from navicert import testing
from navicert.slsa.chain import Chain
from navicert.slsa.expectation import Steps
from navicert.slsa.recorded import Recorded
from navicert.verdict import Outcome
from navicert.verify.case import Revocations
from navicert.verify.evaluate import verify

APP = b"the application\n"
MADE = ["CREATE app", "DISALLOW *"]


def inner(*, by: str = "service", test_by: str = "tester", linked: bool = True) -> testing.Chain:
    """How the build is done: tests, then the step that makes the product."""
    found = (
        testing.chain()
        .step("test", test_by, products=["DISALLOW *"])
        .step("compile", by, products=MADE, command="make app")
        .link("test")
    )
    return found.link("compile", products={"app": APP}, command="make app") if linked else found


def outer(below: testing.Chain, *, by: str = "manager") -> testing.Chain:
    return testing.chain().step("build", "manager", products=MADE).sublayout("build", below, by=by)


def chain_of(made: testing.Chain, **more: Any) -> Chain:
    case = made.case(target=testing.file_target(APP), **more)
    chain = Chain.of(case, verify(case), Steps())
    assert chain is not None
    return chain


def builds(made: testing.Chain, **more: Any) -> tuple[Recorded, ...]:
    return chain_of(made, **more).builds(testing.file_target(APP))


def test_the_link_that_made_the_product_is_the_account() -> None:
    (link,) = builds(outer(inner()))
    assert link.keys == (testing.key("service"),)
    assert (link.claim.name, link.claim.command, link.beside) == ("build", ("make", "app"), ())


def test_a_sublayout_that_does_not_hold_is_none() -> None:
    assert builds(outer(inner(linked=False))) == ()


def test_a_sublayout_that_does_not_hold_is_none_beside_a_link_that_does() -> None:
    broken = (
        testing.chain()
        .step("test", "tester", products=["DISALLOW *"])
        .step("compile", "service", products=MADE)
        .link("compile", products={"app": APP}, command="make app")
    )
    made = testing.chain().step("build", ["manager", "other"], products=MADE).sublayout("build", broken, by="manager")
    made = made.link("build", by="other", products={"app": APP}, command="make app")
    assert chain_of(made).passed
    (link,) = builds(made)
    assert link.keys == (testing.key("other"),)


def test_a_step_below_that_does_not_make_the_product_is_none() -> None:
    below = (
        testing.chain()
        .step("draft", "drafter", products=MADE)
        .step("compile", "service", materials=["ALLOW app", "DISALLOW *"], products=["ALLOW app", "DISALLOW *"])
        .link("draft", products={"app": APP})
        .link("compile", materials={"app": APP}, products={"app": APP})
    )
    (link,) = builds(outer(below))
    assert link.keys == (testing.key("service"),)


def test_a_sublayout_that_a_stranger_signed_is_none() -> None:
    assert builds(outer(inner(), by="mallory")) == ()
    assert chain_of(outer(inner(), by="mallory")).recorded == ()


def test_a_link_by_who_may_not_sign_below_is_none() -> None:
    made = outer(inner().link("compile", by="mallory", products={"app": APP}, command="make evil"))
    (link,) = builds(made)
    assert link.keys == (testing.key("service"),)


def test_a_link_for_a_step_below_is_none_where_no_sublayout_stands() -> None:
    made = testing.chain().step("build", "manager", products=MADE).link("build", products={"app": APP})
    (link,) = builds(made.link("compile", by="service", products={"app": APP}))
    assert link.keys == (testing.key("manager"),)


def test_a_key_that_is_revoked_made_nothing() -> None:
    denied = Revocations(keys=frozenset({testing.key("service").fingerprint}))
    assert builds(outer(inner()), revoked=denied) == ()


def test_two_levels_below() -> None:
    deep = testing.chain().step("compile", "manager", products=MADE).sublayout("compile", inner())
    (link,) = builds(outer(deep))
    assert (link.claim.name, link.keys) == ("build", (testing.key("service"),))


def test_who_signs_another_step_below_can_falsify_it() -> None:
    (link,) = builds(outer(inner(test_by="service")))
    assert link.beside == ("test",)
    build = SampleBuild()
    build.documents = build.documents[:1]
    build.expectations["images"] = [{"image": "app"}]
    build.line["signer"] = {"key": testing.key("service").public_pem().decode()}
    build.chain = chain_of(outer(inner(test_by="service")))
    build.documents = []
    check = leaf(build.assess(), "slsa.table-non-falsifiable")
    assert "may sign for test as well" in check.reason
    build.chain = chain_of(outer(inner()))
    assert leaf(build.assess(), "slsa.table-non-falsifiable").outcome.passes
    assert leaf(build.assess(), "slsa.table-service").outcome is Outcome.PASS


def test_a_person_below_is_no_service() -> None:
    persons = inner().release(name="build", version=1, persons={"carol": "service"})
    build = SampleBuild()
    build.documents = []
    build.line["signer"] = {"key": testing.key("service").public_pem().decode()}
    build.chain = chain_of(outer(persons))
    assert "belongs to carol" in leaf(build.assess(), "slsa.table-generated").reason
