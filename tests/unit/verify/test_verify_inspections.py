"""Inspections: run once everything else holds, in order, up to the first that fails; then their rules."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.checks import causes, checks, only, outcome

from navicert.model.layout import Inspection
from navicert.testing import Chain, MemoryInspector, chain, file_target
from navicert.verdict import Outcome
from navicert.verify.case import InspectionResult
from navicert.verify.evaluate import evaluate, verify
from navicert.verify.inspections import succeeded
from navicert.verify.profile import Profile

CLOSED = ["ALLOW *", "DISALLOW *"]
BASE = chain().step("build", by="bob", products=CLOSED).link("build", products={"app": b"elf"})
ONE = BASE.inspection("scan", run="scan .", materials=["MATCH app WITH PRODUCTS FROM build", "DISALLOW *"])


def ran(made: Chain, **fields) -> list[str]:
    inspector = made.inspector()
    verify(made.case(**fields), inspector)
    return inspector.ran


def test_a_judgement_waits_for_them() -> None:
    verdict = evaluate(ONE.case())
    assert verdict.outcome is Outcome.PENDING
    assert outcome(verdict, "inspection.run") is Outcome.PENDING
    assert not verdict.passed


def test_one_that_returns_0_and_whose_rules_hold_passes() -> None:
    verdict = ONE.finds("scan", materials={"app": b"elf"}, output="12 files\nall is well\n").verdict()
    assert verdict.passed
    check = only(verdict, "inspection.run")
    assert check.reason == "all is well"
    assert check.facts["return-value"] == 0
    assert check.facts["output"] == "12 files\nall is well\n"
    assert outcome(verdict, "inspection.materials") is Outcome.PASS


@pytest.mark.parametrize("value", [1, -1, 256, None, False, 0.0, "0"])
def test_one_that_does_not_return_0_fails(value) -> None:
    verdict = ONE.finds("scan", return_value=value, materials={"app": b"elf"}, output="found\nevil").verdict()
    assert causes(verdict) == ["inspection.run"]
    assert only(verdict, "inspection.run").reason == f"returned {value}: evil"
    assert not succeeded(InspectionResult(value))


def test_one_that_says_nothing_is_shown_by_its_return_value() -> None:
    assert only(ONE.finds("scan", materials={"app": b"elf"}).verdict(), "inspection.run").reason == "returned 0"
    failing = ONE.finds("scan", return_value=3, materials={"app": b"elf"})
    assert only(failing.verdict(), "inspection.run").reason == "returned 3"


def test_a_long_output_is_bounded() -> None:
    verdict = ONE.finds("scan", materials={"app": b"elf"}, output="x" * 10_000).verdict()
    check = only(verdict, "inspection.run")
    assert len(check.reason) == 200
    assert len(str(check.facts["output"])) == 2000
    verdict = ONE.finds("scan", return_value=1, output="x" * 10_000).verdict()
    assert len(only(verdict, "inspection.run").reason) < 250


@pytest.mark.parametrize("found", [{}, {"app": b"other"}, {"app": b"elf", "more": b""}])
def test_the_rules_are_judged_on_what_was_found(found: dict[str, bytes]) -> None:
    verdict = ONE.finds("scan", materials=found).verdict()
    assert verdict.passed is (found == {})
    strict = ONE.finds("scan", materials=found).verdict(strict=True)
    assert not strict.passed


def test_the_rules_on_what_is_left_are_judged_too() -> None:
    made = BASE.inspection("scan", products=["MATCH app WITH PRODUCTS FROM build", "DISALLOW *"])
    assert made.finds("scan", materials={"app": b"elf"}).verdict().passed
    assert not made.finds("scan", materials={"app": b"elf"}, products={"app": b"x"}).verdict().passed
    assert not made.finds("scan", materials={"app": b"elf"}, products={"app": b"elf", "new": b""}).verdict().passed


def test_one_that_could_not_be_run_is_an_error() -> None:
    verdict = ONE.finds("scan", problem="no such program").verdict()
    assert verdict.outcome is Outcome.ERROR
    assert only(verdict, "inspection.run").reason == "no such program"
    assert not succeeded(InspectionResult(0, problem="no such program"))


def test_without_anybody_to_run_them_they_are_an_error_with_the_remedy() -> None:
    verdict = verify(ONE.case())
    assert verdict.outcome is Outcome.ERROR
    assert "--inspect-from DIR" in only(verdict, "inspection.run").reason
    assert not verdict.passed


class TestOrder:
    three = ONE.inspection("two").inspection("three").finds("scan", materials={"app": b"elf"})
    good = three.finds("two").finds("three")

    def test_is_that_of_the_layout(self) -> None:
        assert ran(self.good) == ["scan", "two", "three"]
        assert self.good.verdict().passed

    @pytest.mark.parametrize("profile", Profile)
    def test_ends_with_the_first_that_fails(self, profile: Profile) -> None:
        made = self.good.finds("two", return_value=1)
        assert ran(made, profile=profile) == ["scan", "two"]
        verdict = made.verdict(profile=profile)
        first, second, third = checks(verdict, "inspection")
        assert [first.outcome, second.outcome, third.outcome] == [Outcome.PASS, Outcome.FAIL, Outcome.SKIP]
        assert third.cause == "verdict/inspection[two]"
        assert causes(verdict) == ["inspection.run"]

    @pytest.mark.parametrize("profile", Profile)
    def test_ends_with_the_first_that_cannot_be_run(self, profile: Profile) -> None:
        assert ran(self.good.finds("scan", problem="gone"), profile=profile) == ["scan"]

    def test_ends_in_strict_with_the_first_whose_rules_fail(self) -> None:
        made = self.good.finds("scan", materials={"app": b"evil"})
        assert ran(made) == ["scan"]

    def test_ends_in_strict_where_only_products_have_rules(self) -> None:
        made = BASE.inspection("made", products=["DISALLOW *"]).inspection("two")
        assert ran(made.finds("made", products={"core": b"dump"}).finds("two")) == ["made"]

    @pytest.mark.parametrize("profile", Profile)
    def test_ends_with_a_sublayout_before_any_of_the_layout_above(self, profile: Profile) -> None:
        inside = BASE.inspection("inside", materials=["DISALLOW *"]).inspection("inside too")
        made = chain().step("all", by="lead").sublayout("all", inside).inspection("above").finds("above")
        good = made.finds("inside").finds("inside too")
        assert ran(good, profile=profile) == ["inside", "inside too", "above"]
        bad = made.finds("inside", materials={"app": b"evil"}).finds("inside too")
        assert "above" not in ran(bad, profile=profile)

    def test_in_upstream_all_run_before_any_rule_is_judged(self) -> None:
        made = self.good.finds("scan", materials={"app": b"evil"})
        assert ran(made, profile=Profile.UPSTREAM) == ["scan", "two", "three"]
        assert not made.verdict(profile=Profile.UPSTREAM).passed

    def test_progress_is_told_before_each(self) -> None:
        told: list[str] = []
        verify(self.good.case(), self.good.inspector(), progress=told.append)
        assert told == ["scan", "two", "three"]


class TestNotRun:
    """No command runs on what is refused anyway."""

    @pytest.mark.parametrize(
        ("made", "fields"),
        [
            (ONE.without("build"), {}),
            (ONE.having(expires=chain().expires.replace(year=2020)), {}),
            (ONE.step("more", by="bob"), {}),
            (ONE, {"min_version": 3}),
            (ONE, {"target_step": "nowhere", "target": "app"}),
        ],
    )
    def test_when_something_else_fails(self, made: Chain, fields: dict[str, Any]) -> None:
        if "target" in fields:
            fields = {**fields, "target": file_target(b"elf")}
        made = made.finds("scan", materials={"app": b"elf"})
        assert ran(made, **fields) == []
        assert not made.verdict(**fields).passed

    def test_when_the_owner_did_not_sign(self) -> None:
        inspector = ONE.inspector()
        assert not verify(ONE.case(ONE.policy(signed_by="mallory")), inspector).passed
        assert inspector.ran == []

    def test_and_says_because_of_what(self) -> None:
        verdict = ONE.without("build").verdict()
        assert only(verdict, "inspection").cause == "verdict/step[build]"


class TestRules:
    def test_see_steps_and_other_inspections_and_themselves(self) -> None:
        made = (
            BASE.inspection("unpack", products=["ALLOW *", "DISALLOW *"])
            .inspection("same", materials=["MATCH * WITH PRODUCTS FROM unpack", "DISALLOW *"])
            .inspection("self", products=["MATCH * WITH MATERIALS FROM self", "DISALLOW *"])
            .finds("unpack", products={"x": b"1"})
            .finds("same", materials={"x": b"1"})
            .finds("self", materials={"y": b"2"})
        )
        assert made.verdict().passed
        assert not made.finds("same", materials={"x": b"2"}).verdict().passed
        assert not made.finds("self", materials={"y": b"2"}, products={"y": b"3"}).verdict().passed

    def test_of_steps_do_not_see_inspections(self) -> None:
        made = chain().step("build", by="bob", products=["MATCH * WITH PRODUCTS FROM scan", "DISALLOW *"])
        made = made.link("build", products={"app": b"1"}).inspection("scan").finds("scan", products={"app": b"1"})
        assert not made.verdict().passed

    def test_of_steps_do_not_see_what_was_found_before_either(self) -> None:
        made = chain().step("build", by="bob", products=["MATCH * WITH PRODUCTS FROM scan", "DISALLOW *"])
        made = made.link("build", products={"app": b"1"}).inspection("scan").finds("scan", products={"app": b"1"})
        case = replace(made.case(), inspected={"verdict/inspection[scan]": made.results["scan"]})
        assert causes(evaluate(case)) == ["rule.disallow"]

    def test_choose_among_links_that_disagree(self) -> None:
        two = BASE.link("build", products={"app": b"other"}).inspection(
            "look", materials=["MATCH app WITH PRODUCTS FROM build", "DISALLOW *"]
        )
        for content in (b"elf", b"other"):
            assert two.finds("look", materials={"app": content}).verdict().passed
        assert not two.finds("look", materials={"app": b"third"}).verdict().passed


def test_an_inspection_that_was_inspected_before_is_not_run_again() -> None:
    result = InspectionResult(0, {}, {})
    case = replace(BASE.inspection("scan").case(), inspected={"verdict/inspection[scan]": result})
    inspector = MemoryInspector({})
    assert verify(case, inspector).passed
    assert inspector.ran == []
    assert evaluate(case).passed


def test_a_result_for_another_inspection_is_no_result() -> None:
    case = replace(BASE.inspection("scan").case(), inspected={"verdict/inspection[other]": InspectionResult(0)})
    assert evaluate(case).outcome is Outcome.PENDING


def test_an_inspector_is_whatever_inspects() -> None:
    class Odd:
        def inspect(self, inspection: Inspection) -> InspectionResult:
            return InspectionResult(0)

    assert verify(BASE.inspection("scan").case(), Odd()).passed
