"""Rules as checks: what failed, why, and what merely follows."""

from __future__ import annotations

from typing import Any

import pytest
from tests.checks import causes, checks, only

from navicert.testing import Chain, chain, file_target, key
from navicert.verdict import Check, Outcome
from navicert.verify import rulings
from navicert.verify.profile import Profile
from navicert.verify.rules import apply_rules

BOB, CARL = key("bob").short, key("carl").short
BASE = (
    chain()
    .step("fetch", by="bob", products=["ALLOW *", "DISALLOW *"])
    .step("build", by="carl", materials=["MATCH * WITH PRODUCTS FROM fetch", "DISALLOW *"], products=["ALLOW *"])
    .link("fetch", products={"a": b"1", "b": b"2"})
)


def build(**materials: bytes) -> Chain:
    return BASE.link("build", materials=materials)


def artifact(check: Check, index: int = 0) -> dict[str, Any]:
    listed = check.facts["artifacts"]
    assert isinstance(listed, list)
    found: dict[str, Any] = listed[index]
    return found


def test_rules_that_hold_say_how_much_they_consumed() -> None:
    verdict = build(a=b"1", b=b"2").verdict()
    assert verdict.passed
    (match,) = checks(verdict, "rule.match")
    assert (match.subject, match.reason) == ("1 MATCH * WITH PRODUCTS FROM fetch", "2 artifacts")
    assert {check.subject for check in checks(verdict, "rule.disallow")} == {"2 DISALLOW *"}
    assert only(verdict, "step.materials").reason == "2 rules on 2 artifacts"


def test_the_same_rule_in_several_steps_is_told_of_each_by_what_it_did_there() -> None:
    """Rules that hold share their checks where place and number are the same, and nowhere else."""
    made = (
        chain()
        .step("one", by="bob", products=["ALLOW *"])
        .step("two", by="bob", products=["ALLOW *"])
        .step("three", by="bob", products=["CREATE lib/*", "ALLOW *"])
        .link("one", products={"a": b"1"})
        .link("two", products={"a": b"1", "b": b"2"})
        .link("three", products={"lib/a": b"1", "b": b"2"})
    )
    told = [(check.subject, check.reason) for check in checks(made.verdict(), "rule.allow")]
    assert told == [("1 ALLOW *", "1 artifact"), ("1 ALLOW *", "2 artifacts"), ("2 ALLOW *", "1 artifact")]


class TestMismatch:
    verdict = build(a=b"1", b=b"x").verdict()

    def test_is_the_one_cause(self) -> None:
        assert causes(self.verdict) == ["rule.match-unsatisfied"]

    def test_names_both_digests_who_last_agreed_and_where_it_changed(self) -> None:
        check = only(self.verdict, "rule.match-unsatisfied")
        assert check.reason == '"b" differs from the products of step "fetch"'
        found = artifact(check)
        assert found["path"] == "b"
        assert found["actual"] != found["expected"]
        assert BOB in found["agreed"]
        assert CARL in found["changed"]

    def test_makes_the_disallow_behind_it_a_consequence(self) -> None:
        check = [c for c in checks(self.verdict, "rule.disallow") if c.outcome is Outcome.FAIL]
        assert len(check) == 1
        assert check[0].cause in [path for path, _ in self.verdict.root.walk()]

    def test_of_several_is_counted(self) -> None:
        check = only(build(a=b"x", b=b"x").verdict(), "rule.match-unsatisfied")
        assert check.reason == '"a", "b" differ from the products of step "fetch"'

    def test_of_very_many_is_summed_up(self) -> None:
        many = {f"f{number:03}": b"1" for number in range(50)}
        made = BASE.without("fetch").link("fetch", products=many).link("build", materials=dict.fromkeys(many, b"2"))
        check = only(made.verdict(), "rule.match-unsatisfied")
        assert '"f000", "f001", "f002" and 47 more differ' in check.reason
        listed = check.facts["artifacts"]
        assert isinstance(listed, list)
        assert (len(listed), check.facts["more"]) == (20, 30)

    def test_that_was_reported_is_not_new_in_the_steps_that_inherit_it(self) -> None:
        made = (
            BASE.step("pack", by="bob", materials=["MATCH * WITH PRODUCTS FROM fetch", "ALLOW *"])
            .link("build", materials={"b": b"x"})
            .link("pack", materials={"b": b"x"})
        )
        tight = BASE.step("pack", by="bob", materials=["MATCH * WITH PRODUCTS FROM fetch", "DISALLOW *"])
        verdict = tight.having(filed=made.filed).verdict()
        first, second = checks(verdict, "rule.match-unsatisfied")
        assert first.cause is None
        assert second.cause in [path for path, _ in verdict.root.walk()]
        assert causes(verdict) == ["rule.match-unsatisfied"]

    def test_beside_one_that_is_new_is_a_cause(self) -> None:
        tight = BASE.step("pack", by="bob", materials=["MATCH * WITH PRODUCTS FROM fetch", "DISALLOW *"])
        made = tight.link("build", materials={"b": b"x"}).link("pack", materials={"a": b"y", "b": b"x"})
        assert causes(made.verdict()) == ["rule.match-unsatisfied", "rule.match-unsatisfied"]

    def test_to_yet_another_digest_is_new(self) -> None:
        tight = BASE.step("pack", by="bob", materials=["MATCH * WITH PRODUCTS FROM fetch", "DISALLOW *"])
        verdict = tight.link("build", materials={"b": b"x"}).link("pack", materials={"b": b"y"}).verdict()
        assert causes(verdict) == ["rule.match-unsatisfied", "rule.match-unsatisfied"]

    def test_in_upstream_is_a_warning(self) -> None:
        loose = chain().step("fetch", by="bob").step("build", by="carl", materials=["MATCH * WITH PRODUCTS FROM fetch"])
        made = loose.having(filed=BASE.filed).link("build", materials={"b": b"x"})
        assert causes(made.verdict()) == ["rule.match-unsatisfied"]
        verdict = made.verdict(profile=Profile.UPSTREAM)
        assert verdict.passed
        assert only(verdict, "rule.match-unsatisfied").outcome is Outcome.WARN


class TestDisallow:
    def test_names_what_no_rule_allows(self) -> None:
        verdict = build(a=b"1", c=b"3").verdict()
        check = (
            only(verdict, "rule.disallow")
            if len(checks(verdict, "rule.disallow")) == 1
            else checks(verdict, "rule.disallow")[1]
        )
        assert causes(verdict) == ["rule.disallow"]
        assert check.reason == '"c": no rule allows it'
        assert check.facts["side"] == "materials"

    def test_of_several_says_so(self) -> None:
        verdict = build(c=b"3", d=b"4", e=b"5", f=b"6").verdict()
        assert any(
            c.reason == '"c", "d", "e" and 1 more: no rule allows them' for c in checks(verdict, "rule.disallow")
        )

    @pytest.mark.parametrize(
        ("path", "content", "near"),
        [
            ("renamed", b"1", 'step fetch has the same content as "a"'),
            ("src/a", b"9", 'step fetch has "a"'),
            ("A", b"9", 'step fetch has "a"'),
            ("other", b"9", None),
        ],
    )  # fmt: skip
    def test_says_what_is_nearly_the_same(self, path: str, content: bytes, near: str | None) -> None:
        verdict = BASE.link("build", materials={path: content}).verdict()
        (check,) = [c for c in checks(verdict, "rule.disallow") if c.outcome is Outcome.FAIL]
        assert artifact(check).get("near") == near

    def test_follows_from_a_step_without_evidence_that_would_have_matched(self) -> None:
        verdict = build(a=b"1").without("fetch").verdict()
        assert causes(verdict) == ["step.threshold"]
        (match,) = checks(verdict, "rule.match")
        assert match.outcome is Outcome.SKIP
        (left,) = [c for c in checks(verdict, "rule.disallow") if c.outcome is Outcome.FAIL]
        assert left.cause == match.cause == "verdict/step[fetch]/step.threshold[fetch]"

    def test_does_not_follow_from_it_where_no_match_looks_at_the_path(self) -> None:
        lines = ["MATCH a WITH PRODUCTS FROM fetch", "DISALLOW *"]
        made = chain().step("fetch", by="bob").step("build", by="carl", materials=lines)
        verdict = made.link("build", materials={"c": b"1"}).verdict()
        assert causes(verdict) == ["step.threshold", "rule.disallow"]

    def test_follows_from_it_only_if_all_it_found_does(self) -> None:
        lines = ["MATCH a WITH PRODUCTS FROM fetch", "DISALLOW *"]
        made = chain().step("fetch", by="bob").step("build", by="carl", materials=lines)
        verdict = made.link("build", materials={"a": b"1", "c": b"1"}).verdict()
        assert causes(verdict) == ["step.threshold", "rule.disallow"]


class TestChoice:
    """Among links that disagree, rules decide: whichever comes first, the one that holds is found."""

    @pytest.mark.parametrize("number", range(6))
    def test_disallow_decides(self, number: int) -> None:
        step = chain().step("build", by="bob", products=["ALLOW app", "DISALLOW *"])
        name = b"%d" % number
        made = step.link("build", products={"app": name}).link("build", products={"app": name, "extra": name})
        assert made.verdict().passed

    @pytest.mark.parametrize("number", range(6))
    def test_require_decides(self, number: int) -> None:
        step = chain().step("build", by="bob", products=["REQUIRE app", "ALLOW *", "DISALLOW *"])
        name = b"%d" % number
        assert step.link("build", products={"app": name}).link("build", products={"x": name}).verdict().passed

    @pytest.mark.parametrize("number", range(6))
    def test_an_idle_match_decides_only_with_the_option(self, number: int) -> None:
        lines = ["MATCH lib WITH PRODUCTS FROM fetch", "ALLOW *", "DISALLOW *"]
        step = (
            chain().step("fetch", by="ann", products=["ALLOW *", "DISALLOW *"]).step("build", by="bob", products=lines)
        )
        name = b"%d" % number
        made = step.link("fetch", products={"lib": name})
        made = made.link("build", products={"app": name}).link("build", products={"lib": name})
        assert made.verdict(target=file_target(name)).passed
        assert made.verdict(target=file_target(name), strict=True).passed
        only_idle = step.link("fetch", products={"lib": b"l"}).link("build", products={"app": name})
        only_idle = only_idle.link("build", products={"lib": b"l"})
        assert only_idle.verdict(target=file_target(name)).passed
        assert not only_idle.verdict(target=file_target(name), strict=True).passed


class TestRequire:
    def judged(self, lines: list[str], **products: bytes) -> Check:
        made = chain().step("build", by="bob", products=lines).link("build", products=products)
        return only(made.verdict(), "rule.require")

    def test_says_that_it_is_not_there(self) -> None:
        check = self.judged(["REQUIRE app", "ALLOW *"], other=b"1")
        assert check.outcome is Outcome.FAIL
        assert check.reason == '"app": is not there'
        assert "near" not in artifact(check)

    def test_says_what_is_there_instead(self) -> None:
        assert artifact(self.judged(["REQUIRE app", "ALLOW *"], App=b"1"))["near"] == '"App" is there'

    def test_says_that_an_earlier_rule_took_it(self) -> None:
        check = self.judged(["ALLOW *", "REQUIRE app"], app=b"1")
        assert check.reason == '"app": an earlier rule consumed it: put REQUIRE first'

    def test_passes_where_it_is_there(self) -> None:
        assert self.judged(["REQUIRE app"], app=b"1").outcome is Outcome.PASS


class TestIdleMatch:
    lines = ("MATCH x WITH PRODUCTS FROM fetch", "ALLOW *", "DISALLOW *")
    made = chain().step("fetch", by="bob", products=["ALLOW *", "DISALLOW *"]).step("build", by="carl", materials=lines)
    made = made.having(filed=BASE.filed).link("build", materials={"a": b"1"})

    def test_is_a_warning_in_strict(self) -> None:
        verdict = self.made.verdict()
        assert verdict.passed
        assert only(verdict, "rule.match-nothing").outcome is Outcome.WARN

    def test_fails_with_the_option(self) -> None:
        assert causes(self.made.verdict(strict=True)) == ["rule.match-nothing"]

    @pytest.mark.parametrize("strict", [True, False])
    def test_is_nothing_in_upstream(self, strict: bool) -> None:
        verdict = self.made.verdict(profile=Profile.UPSTREAM, strict=strict)
        assert verdict.passed
        assert checks(verdict, "rule.match-nothing") == []

    def test_decides_among_links_with_the_option(self) -> None:
        made = self.made.link("build", materials={"x": b"1"})
        fetched = made.link("fetch", products={"x": b"1"})
        assert fetched.verdict(strict=True).passed

    def test_from_a_step_that_does_not_exist_is_one_too(self) -> None:
        typo = chain().step("build", by="bob", materials=["MATCH * WITH PRODUCTS FROM fecth", "ALLOW *"])
        verdict = typo.link("build", materials={"a": b"1"}).verdict()
        assert only(verdict, "rule.match-nothing").outcome is Outcome.WARN


def test_rules_judged_once_are_not_judged_again(monkeypatch: pytest.MonkeyPatch) -> None:
    applied: list[object] = []

    def listening(rules: Any, side: Any, record: Any, lookup: Any, **more: Any) -> Any:
        if rules:
            applied.append((rules, side))
        return apply_rules(rules, side, record, lookup, **more)

    monkeypatch.setattr(rulings, "apply_rules", listening)
    made = build(a=b"1", b=b"2").inspection("scan", materials=["ALLOW *"]).inspection("look", materials=["ALLOW x"])
    # Three rounds: nothing inspected, one inspection done, both.
    assert made.finds("scan").finds("look").verdict().passed
    assert len(applied) == len(set(applied)) == 5
