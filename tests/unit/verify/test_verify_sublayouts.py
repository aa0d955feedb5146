"""Sublayouts: a layout that stands for a step, with its own keys, evidence, expiry and inspections."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.checks import causes, checks, misses, only

from navicert.envelope.document import seal
from navicert.limits import LOCAL
from navicert.model.layout import Layout
from navicert.testing import LATER, NOW, Chain, chain, file_target, key, signer
from navicert.verdict import Outcome
from navicert.verify.case import Revocations
from navicert.verify.evaluate import evaluate, verify
from navicert.verify.profile import Profile

ALL = ["ALLOW *", "DISALLOW *"]
INNER = (
    chain()
    .step("fetch", by="ann", materials=ALL)
    .step("compile", by="bob", materials=["MATCH * WITH PRODUCTS FROM fetch", "DISALLOW *"], products=ALL)
    .link("fetch", materials={"src": b"s"}, products={"lib": b"l"})
    .link("compile", materials={"lib": b"l"}, products={"app": b"elf"}, command="cc lib")
)
STEP = chain().step(
    "all", by=["lead", "deputy"], materials=["ALLOW src", "DISALLOW *"], products=["CREATE app", "DISALLOW *"]
)
OUTER = STEP.sublayout("all", INNER)


def test_counts_by_its_first_materials_and_last_products() -> None:
    verdict = OUTER.verdict(target=file_target(b"elf"))
    assert verdict.passed
    assert only(verdict, "sublayout").outcome is Outcome.PASS
    assert not OUTER.verdict(target=file_target(b"l")).passed


def test_must_satisfy_the_rules_of_the_step() -> None:
    tight = chain().step("all", by="lead", materials=["DISALLOW *"]).having(filed=OUTER.filed)
    assert causes(tight.verdict()) == ["rule.disallow"]


@pytest.mark.parametrize("profile", Profile)
def test_lax_rules_of_a_step_of_the_same_name_and_lists_are_not_those_of_the_step_above(profile: Profile) -> None:
    """What rules did is remembered; it must be known of which layout they are."""
    files = {"app": b"elf", "backdoor": b"x"}
    lax = chain().step("all", by="ann", products=["ALLOW *"]).link("all", products=files)
    strict = chain().step("all", by="lead", products=["CREATE app", "DISALLOW *"]).sublayout("all", lax)
    assert causes(strict.verdict(profile=profile)) == ["rule.disallow"]
    assert chain().step("all", by="lead", products=["ALLOW *"]).sublayout("all", lax).verdict(profile=profile).passed


@pytest.mark.parametrize("profile", Profile)
def test_counts_for_whoever_signed_it(profile: Profile) -> None:
    two = chain().step("all", by=["lead", "deputy"], threshold=2)
    assert two.sublayout("all", INNER, by=["lead", "deputy"]).verdict(profile=profile).passed
    assert not two.sublayout("all", INNER).verdict(profile=profile).passed
    assert two.sublayout("all", INNER).sublayout("all", INNER, by="deputy").verdict(profile=profile).passed


@pytest.mark.parametrize("by", [["lead", "deputy"], ["deputy", "lead"]])
def test_one_person_may_have_signed_it_with_several_keys(by: list[str]) -> None:
    """Its evidence is filed under one of them, whichever that is."""
    made = STEP.sublayout("all", INNER, by=by).release(persons={"both": ["lead", "deputy"]})
    assert made.verdict().passed


def test_and_a_link_may_meet_a_threshold_together() -> None:
    two = chain().step("all", by=["lead", "deputy"], threshold=2)
    made = two.sublayout("all", INNER)
    assert made.link("all", by="deputy", materials={"src": b"s"}, products={"app": b"elf"}).verdict().passed
    assert not made.link("all", by="deputy", materials={"src": b"x"}, products={"app": b"elf"}).verdict().passed
    assert not made.link("all", by="lead", materials={"src": b"s"}, products={"app": b"elf"}).verdict().passed


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize(
    ("inner", "cause"),
    [
        (INNER.without("compile"), "step.threshold"),
        (INNER.having(expires=NOW), "layout.expired"),
        (INNER.step("extra", by="x"), "step.threshold"),
        (INNER.without("fetch").link("fetch", products={"lib": b"x"}), "rule"),
    ],
)
def test_that_does_not_hold_is_no_evidence(inner: Chain, cause: str, profile: Profile) -> None:
    verdict = STEP.sublayout("all", inner).verdict(profile=profile)
    assert not verdict.passed
    assert causes(verdict)[0].startswith(cause)
    assert "is a layout that does not hold" in misses(verdict)


def test_that_does_not_hold_leaves_another_that_does() -> None:
    made = STEP.sublayout("all", INNER.without("compile"), by="deputy").sublayout("all", INNER)
    verdict = made.verdict()
    assert verdict.passed
    assert misses(verdict) == ["is a layout that does not hold"]
    assert len(checks(verdict, "sublayout")) == 1


def test_expires_by_itself() -> None:
    soon = NOW + timedelta(days=1)
    made = STEP.sublayout("all", INNER.having(expires=soon))
    assert made.verdict(at=soon - timedelta(seconds=1)).passed
    assert not made.verdict(at=soon).passed


def test_of_a_stranger_does_not_count() -> None:
    assert not STEP.sublayout("all", INNER, by="mallory").verdict().passed


def test_of_a_functionary_of_another_step_does_not_count() -> None:
    made = STEP.step("other", by="pat").link("other").sublayout("all", INNER, by="pat")
    assert not made.verdict().passed


def test_filed_under_another_step_does_not_count_for_this_one() -> None:
    sealed = OUTER.filed[0].raw or b""
    inner = OUTER.filed[1:]
    for hint, passes in (("all", True), (None, True), ("other", False)):
        made = STEP.file(sealed, hint, key("lead").id)
        assert made.having(filed=(*made.filed, *inner)).verdict().passed is passes


def test_without_steps_holds_nothing_together_in_strict() -> None:
    empty = chain().step("all", by="lead").sublayout("all", chain())
    assert causes(empty.verdict()) == ["layout.empty"]
    assert empty.verdict(profile=Profile.UPSTREAM).passed


def test_is_not_given_the_parameters_of_the_layout_above() -> None:
    inner = (
        chain().step("compile", by="bob", products=["REQUIRE {v}", "ALLOW *"]).link("compile", products={"{v}": b""})
    )
    outer = chain().step("all", by="lead", products=["REQUIRE {v}", "ALLOW *"]).sublayout("all", inner)
    assert not outer.verdict(parameters={"v": "1"}).passed
    other = chain().step("all", by="lead", products=["REQUIRE {{v}}"]).having(filed=outer.filed)
    assert other.verdict(parameters={"v": "1"}).passed


class TestFolder:
    """Evidence may lie in the folder that belongs to the sublayout, or above; that of another is not looked at."""

    def moved(self, *scope: str) -> Chain:
        return OUTER.having(filed=(OUTER.filed[0], *(replace(piece, scope=scope) for piece in OUTER.filed[1:])))

    def test_is_a_hint(self) -> None:
        assert self.moved().verdict().passed
        for name in (key("lead").id, key("lead").legacy_id):
            assert self.moved(f"all.{name[:8]}").verdict().passed

    @pytest.mark.parametrize(
        "scope", [("other.00000000",), (f"all.{key('deputy').id[:8]}",), (f"all.{key('lead').id[:8]}", "x.00000000")]
    )
    def test_of_another_is_not_looked_at(self, scope: tuple[str, ...]) -> None:
        assert not self.moved(*scope).verdict().passed

    def test_is_not_looked_at_for_the_layout_above(self) -> None:
        made = STEP.link("all", products={"app": b"1"})
        hidden = made.having(filed=(replace(made.filed[0], scope=("all.00000000",)),))
        assert made.verdict().passed
        assert not hidden.verdict().passed


class TestBounds:
    def nested(self, depth: int) -> Chain:
        made = chain().step("leaf", by="ann").link("leaf")
        for level in range(depth):
            made = chain().step(f"s{level}", by=f"p{level}").sublayout(f"s{level}", made)
        return made

    @pytest.mark.parametrize("profile", Profile)
    @pytest.mark.parametrize("depth", [1, 8, 16])
    def test_layouts_in_layouts_are_judged(self, depth: int, profile: Profile) -> None:
        assert self.nested(depth).verdict(profile=profile).passed

    @pytest.mark.parametrize("profile", Profile)
    @pytest.mark.parametrize("depth", [17, 40])
    def test_deeper_than_the_limit_they_are_refused(self, depth: int, profile: Profile) -> None:
        verdict = self.nested(depth).verdict(profile=profile)
        assert causes(verdict) == ["sublayout.depth"]
        assert "limit sublayout_depth" in only(verdict, "sublayout.depth").reason

    def test_depth_is_counted_from_the_policy(self) -> None:
        shallow = replace(LOCAL, sublayout_depth=3)
        assert self.nested(3).verdict(limits=shallow).passed
        assert not self.nested(4).verdict(limits=shallow).passed

    def test_more_than_the_limit_are_refused(self) -> None:
        made = chain()
        for number in range(4):
            made = made.step(f"s{number}", by=f"p{number}").sublayout(f"s{number}", INNER.having(readme=str(number)))
        assert made.verdict(limits=replace(LOCAL, sublayouts=4)).passed
        verdict = made.verdict(limits=replace(LOCAL, sublayouts=3))
        assert causes(verdict) == ["sublayout.depth"]
        assert "limit sublayouts" in only(verdict, "sublayout.depth").reason

    @pytest.mark.parametrize("profile", Profile)
    def test_a_layout_that_contains_itself_is_refused(self, profile: Profile) -> None:
        # Whoever owns the layout is her own functionary, and files the layout as the evidence of its step.
        made = chain().step("all", by="owner")
        raw = made.policy().sealed.raw
        verdict = made.file(raw, "all", key("owner").id).verdict(profile=profile)
        assert causes(verdict) == ["sublayout.repeated"]

    @pytest.mark.parametrize("indent", [None, 0, 1])
    def test_a_sublayout_that_contains_itself_is_refused_in_any_envelope(self, indent: int | None) -> None:
        keyid = key("lead").id
        raw = seal(chain().step("all", by="lead").layout(), signer("lead"))
        anew = json.dumps(json.loads(raw), indent=indent).encode()
        made = chain().step("all", by="lead").file(raw, "all", keyid)
        verdict = made.file(anew, "all", keyid, scope=(f"all.{keyid[:8]}",)).verdict()
        assert causes(verdict) == ["sublayout.repeated"]
        assert not made.verdict().passed

    def test_the_same_sublayout_for_two_steps_is_no_repetition(self) -> None:
        two = chain().step("one", by="lead").step("two", by="lead")
        assert two.sublayout("one", INNER).sublayout("two", INNER).verdict().passed


def test_with_a_bad_key_is_malformed_and_does_not_count() -> None:
    bad = Layout(LATER, keys={"ab" * 32: {"keytype": "odd"}})
    verdict = STEP.file(seal(bad, signer("lead")), "all", key("lead").id).verdict()
    assert causes(verdict) == ["sublayout.malformed"]


def test_with_a_bad_line_about_itself_is_malformed_and_does_not_count() -> None:
    verdict = STEP.sublayout("all", INNER.having(readme="navicert: {")).verdict()
    assert causes(verdict) == ["sublayout.malformed"]


class TestInspections:
    inner = INNER.inspection("scan", run="scan")
    outer = STEP.sublayout("all", inner)

    def test_are_waited_for(self) -> None:
        assert evaluate(self.outer.case()).outcome is Outcome.PENDING

    def test_are_run_before_those_above(self) -> None:
        made = self.outer.inspection("last").finds("scan").finds("last")
        inspector = made.inspector()
        assert verify(made.case(), inspector).passed
        assert inspector.ran == ["scan", "last"]

    def test_that_fail_make_it_no_evidence(self) -> None:
        verdict = self.outer.finds("scan", return_value=1).verdict()
        assert causes(verdict) == ["inspection.run"]
        assert not verdict.passed

    def test_that_nobody_can_run_make_it_no_evidence(self) -> None:
        assert not verify(self.outer.case()).passed

    def test_that_fail_leave_a_link_that_stands_by_itself(self) -> None:
        made = self.outer.link("all", by="deputy", materials={"src": b"s"}, products={"app": b"elf"})
        assert made.finds("scan", return_value=1).verdict().passed

    def test_of_a_sublayout_that_nobody_needs_are_not_run(self) -> None:
        made = STEP.sublayout("all", self.inner, by="deputy").sublayout("all", INNER)
        made = made.link("all", by="lead", materials={"src": b"s"}, products={"app": b"elf"})
        verdict = made.finds("scan", return_value=1).verdict()
        assert verdict.passed

    def test_of_two_alike_are_each_run(self) -> None:
        two = chain().step("all", by=["lead", "deputy"], threshold=2)
        made = two.sublayout("all", self.inner).sublayout("all", self.inner, by="deputy").finds("scan")
        inspector = made.inspector()
        assert verify(made.case(), inspector).passed
        assert inspector.ran == ["scan", "scan"]


def test_persons_that_the_verifier_knows_count_below_too() -> None:
    inner = chain().step("compile", by=["ann", "bea"], threshold=2).link("compile", by="ann").link("compile", by="bea")
    made = chain().step("all", by="lead").sublayout("all", inner)
    assert made.verdict().passed
    same = {key("ann").fingerprint: "Ann", key("bea").fingerprint: "Ann"}
    assert not made.verdict(principals=same).passed


def test_revocations_reach_below() -> None:
    assert not OUTER.verdict(revoked=Revocations(keys=frozenset({key("bob").id}))).passed
    (layout,) = [e.document for e in OUTER.case().evidence if isinstance(e.document.body, Layout)]
    assert not OUTER.verdict(revoked=Revocations(frozenset({str(layout.digest)}))).passed


def test_a_run_id_is_asked_of_the_links_below() -> None:
    assert not OUTER.verdict(run_id="7").passed
    inner = chain().step("compile", by="bob").link("compile", environment={"navicert": {"run-id": "7"}})
    made = chain().step("all", by="lead").sublayout("all", inner)
    assert made.verdict(run_id="7").passed
    assert not made.verdict(run_id="8").passed


class TestWays:
    """Links below may disagree: the layout above takes the way that it needs."""

    inner = (
        chain()
        .step("compile", by="bob")
        .link("compile", products={"app": b"one"})
        .link("compile", products={"app": b"two"})
    )

    @pytest.mark.parametrize("content", [b"one", b"two"])
    def test_are_all_offered(self, content: bytes) -> None:
        made = chain().step("all", by="lead").sublayout("all", self.inner)
        assert made.verdict(target=file_target(content)).passed

    def test_that_do_not_exist_are_not(self) -> None:
        made = chain().step("all", by="lead").sublayout("all", self.inner)
        assert not made.verdict(target=file_target(b"three")).passed

    def test_do_not_mix_what_does_not_belong_together(self) -> None:
        inner = (
            chain()
            .step("fetch", by="ann")
            .step("compile", by="bob", materials=["MATCH * WITH PRODUCTS FROM fetch", "DISALLOW *"])
        )
        for name in (b"one", b"two"):
            inner = inner.link("fetch", materials={"src": name}, products={"lib": name})
            inner = inner.link("compile", materials={"lib": name}, products={"app": name})
        for src, app, passes in ((b"one", b"one", True), (b"two", b"two", True), (b"one", b"two", False)):
            outer = (
                chain()
                .step("begin", by="zoe")
                .step("all", by="lead", materials=["MATCH * WITH PRODUCTS FROM begin", "DISALLOW *"])
                .link("begin", products={"src": src})
                .sublayout("all", inner)
            )
            assert outer.verdict(target=file_target(app)).passed is passes

    def test_are_bounded(self) -> None:
        inner = chain().step("fetch", by="ann").step("compile", by="bob")
        for number in range(5):
            inner = inner.link("fetch", materials={"src": b"%d" % number})
            inner = inner.link("compile", products={"app": b"%d" % number})
        made = chain().step("all", by="lead").sublayout("all", inner)
        assert made.verdict(limits=replace(LOCAL, links_per_step=5)).passed

    def test_are_searched_for_within_the_bound(self) -> None:
        closed = ["MATCH * WITH PRODUCTS FROM fetch", "DISALLOW *"]
        inner = chain().step("fetch", by="ann").step("compile", by="bob", materials=closed)
        for number in range(6):
            name = b"%d" % number
            inner = inner.link("fetch", products={"src": name})
            inner = inner.link("compile", materials={"src": name}, products={"app": name})
        made = chain().step("all", by="lead").sublayout("all", inner)
        found = [made.verdict(target=file_target(b"%d" % number)).passed for number in range(6)]
        assert all(found)
        tight = replace(LOCAL, selections=20)
        found = [made.verdict(target=file_target(b"%d" % number), limits=tight).passed for number in range(6)]
        assert any(found)
        assert not all(found)
