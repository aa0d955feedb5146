"""The verdict on a whole case: owners, version, expiry, target, and what several policies come to."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tests.checks import causes, checks, only, outcome

from navicert.digest import sha256
from navicert.envelope.document import seal
from navicert.errors import Malformed
from navicert.limits import LOCAL
from navicert.model.link import Link
from navicert.testing import LATER, NOW, Chain, artifacts, chain, file_target, key, signer
from navicert.verdict import Outcome
from navicert.verify.case import Asked, Policy, Refusal, Revocations
from navicert.verify.evaluate import evaluate, verify, verify_any
from navicert.verify.profile import Profile

CLOSED = ["ALLOW *", "DISALLOW *"]
GOOD = (
    chain()
    .step("fetch", by="ann", products=CLOSED)
    .step("build", by="bob", materials=["MATCH * WITH PRODUCTS FROM fetch", "DISALLOW *"], products=CLOSED)
    .link("fetch", materials={"url": b"u"}, products={"src": b"s"})
    .link("build", materials={"src": b"s"}, products={"app": b"elf"}, command="make", byproducts={"return-value": 0})
)


def test_a_chain_that_holds_passes_and_is_summed_up() -> None:
    case = GOOD.case()
    verdict = evaluate(case)
    assert verdict.outcome is Outcome.PASS
    first, last = artifacts({"url": b"u"}), artifacts({"app": b"elf"})
    assert verdict.summary == Link("", ("make",), first, last, {"return-value": 0})
    assert verdict.at == NOW
    assert verdict.policy == case.policy_digest
    assert set(verdict.inputs) == {e.document.digest for e in case.evidence}


def test_one_that_does_not_hold_is_not_summed_up() -> None:
    assert GOOD.without("build").verdict().summary is None
    assert GOOD.verdict(target=file_target(b"other")).summary is None


class TestOwners:
    two = GOOD.having(owners=("olga", "oscar"))

    @pytest.mark.parametrize(
        ("signed_by", "owners", "need", "passes"),
        [
            (["ann", "bea"], ["ann", "bea"], None, True),
            (["ann"], ["ann", "bea"], None, False),
            (["ann"], ["ann", "bea"], 1, True),
            (["ann"], ["ann", "bea"], 2, False),
            (["ann", "bea"], ["ann", "bea", "cid"], 2, True),
            (["ann", "mallory"], ["ann", "bea", "cid"], 2, False),
            (["mallory"], ["ann"], None, False),
            (["ann"], [], None, False),
            (["ann"], ["ann"], 2, False),
            (["ann", "ann"], ["ann", "bea"], 2, False),
        ],
    )
    @pytest.mark.parametrize("profile", Profile)
    def test_all_or_as_many_as_were_asked_for_must_have_signed(
        self, signed_by: list[str], owners: list[str], need: int | None, passes: bool, profile: Profile
    ) -> None:
        policy = GOOD.policy(signed_by=signed_by, owners=owners, need=need)
        verdict = GOOD.verdict(policy, profile=profile)
        assert verdict.passed is passes
        assert only(verdict, "layout.signature").outcome.passes is passes
        if not passes:
            assert all(cause.startswith("layout.") for cause in causes(verdict))
            assert checks(verdict, "step") == []

    def test_without_owners_nothing_is_verified(self) -> None:
        verdict = GOOD.verdict(GOOD.policy(owners=[]))
        assert only(verdict, "layout.signature").reason == "no owner was given"

    def test_who_did_not_sign_is_told_who_did(self) -> None:
        verdict = GOOD.verdict(GOOD.policy(signed_by="mallory"))
        check = only(verdict, "layout.owner")
        assert check.subject == key("owner").short
        assert key("mallory").short in check.reason

    def test_a_layout_without_signatures_says_so(self) -> None:
        raw = json.dumps({**json.loads(GOOD.policy().sealed.raw), "signatures": []}).encode()
        verdict = GOOD.verdict(Policy.open(raw, [key("owner")]))
        assert only(verdict, "layout.owner").reason == "the layout carries no signature"

    def test_a_person_counts_once_towards_a_number_of_owners(self) -> None:
        same = {key("olga").fingerprint: "Olga", key("oscar").fingerprint: "Olga"}
        policy = self.two.policy(need=2)
        assert GOOD.verdict(policy).passed
        verdict = GOOD.verdict(policy, principals=same)
        assert causes(verdict) == ["layout.signature"]
        assert GOOD.verdict(self.two.policy(), principals=same).passed

    @pytest.mark.parametrize(
        "revoked",
        [
            Revocations(keys=frozenset({key("olga").id})),
            Revocations(keys=frozenset({key("olga").legacy_id})),
            Revocations(identities=frozenset({key("olga").fingerprint})),
        ],
    )
    def test_a_revoked_owner_has_not_signed(self, revoked: Revocations) -> None:
        assert not GOOD.verdict(self.two.policy(), revoked=revoked).passed
        assert GOOD.verdict(self.two.policy(need=1), revoked=revoked).passed

    def test_a_revoked_person_has_not_signed(self) -> None:
        people = {key("olga").fingerprint: "Olga"}
        revoked = Revocations(identities=frozenset({"Olga"}))
        assert not GOOD.verdict(self.two.policy(), revoked=revoked, principals=people).passed

    def test_a_revoked_layout_is_refused(self) -> None:
        policy = GOOD.policy()
        revoked = Revocations(frozenset({str(policy.sealed.digest)}))
        assert causes(GOOD.verdict(policy, revoked=revoked)) == ["layout.signature"]


class TestExpiry:
    @pytest.mark.parametrize("profile", Profile)
    @pytest.mark.parametrize(
        ("at", "passes"),
        [(LATER - timedelta(seconds=1), True), (LATER, False), (LATER + timedelta(seconds=1), False)],
    )
    def test_a_layout_is_valid_before_it_expires_and_not_at_that_moment(
        self, at: datetime, passes: bool, profile: Profile
    ) -> None:
        verdict = GOOD.verdict(at=at, profile=profile)
        assert verdict.passed is passes
        assert only(verdict, "layout.expired").outcome.passes is passes

    def test_everything_else_is_judged_all_the_same(self) -> None:
        verdict = GOOD.without("build").verdict(at=LATER)
        assert causes(verdict) == ["layout.expired", "step.threshold"]


class TestVersion:
    @pytest.mark.parametrize(
        ("version", "wanted", "passes"),
        [
            (None, None, True),
            (3, None, True),
            (3, 3, True),
            (4, 3, True),
            (2, 3, False),
            (None, 1, False),
            (0, 1, False),
        ],
    )
    def test_is_not_below_the_one_that_was_seen(self, version: int | None, wanted: int | None, passes: bool) -> None:
        verdict = GOOD.release(version=version).verdict(min_version=wanted)
        assert verdict.passed is passes
        if not passes:
            assert causes(verdict) == ["layout.version"]

    def test_of_a_layout_that_nobody_signed_is_not_looked_at(self) -> None:
        made = GOOD.release(version=9)
        verdict = made.verdict(made.policy(signed_by="mallory"), min_version=3)
        assert checks(verdict, "layout.version") == []
        assert not verdict.passed


class TestMalformedPolicy:
    """Nobody's evidence: whoever asked must know."""

    @pytest.mark.parametrize("readme", ["navicert: {", 'navicert: {"version": "1"}'])
    def test_is_an_error_of_who_asked(self, readme: str) -> None:
        with pytest.raises(Malformed):
            GOOD.having(readme=readme).verdict()

    def test_parameters_without_a_value_too(self) -> None:
        made = chain().step("build", by="bob", products=["REQUIRE {v}"]).link("build", products={"1": b""})
        assert made.verdict(parameters={"v": "1"}).passed
        with pytest.raises(Malformed, match='"v" has no value'):
            made.verdict(parameters={})

    def test_is_not_even_read_before_the_owner_s_signature(self) -> None:
        made = GOOD.having(readme="navicert: {")
        assert not made.verdict(made.policy(signed_by="mallory")).passed


class TestTarget:
    def test_is_what_the_last_step_made(self) -> None:
        assert GOOD.verdict(target=file_target(b"elf")).passed
        verdict = GOOD.verdict(target=file_target(b"s"))
        assert causes(verdict) == ["target.bound"]
        assert "it is a product of step fetch" in only(verdict, "target.bound").reason

    def test_is_what_the_named_step_made(self) -> None:
        assert GOOD.verdict(target=file_target(b"s"), target_step="fetch").passed
        assert not GOOD.verdict(target=file_target(b"elf"), target_step="fetch").passed

    @pytest.mark.parametrize("profile", Profile)
    def test_of_an_unknown_step_is_bound_by_nothing(self, profile: Profile) -> None:
        verdict = GOOD.verdict(target=file_target(b"elf"), target_step="nowhere", profile=profile)
        assert causes(verdict) == ["target.bound"]

    def test_is_not_bound_by_materials(self) -> None:
        assert not GOOD.verdict(target=file_target(b"u"), target_step="fetch").passed

    def test_of_a_step_without_evidence_follows_from_that(self) -> None:
        verdict = GOOD.without("build").verdict(target=file_target(b"elf"))
        assert causes(verdict) == ["step.threshold"]
        bound = only(verdict, "target.bound")
        assert bound.outcome is Outcome.FAIL
        assert bound.cause in [path for path, _ in verdict.root.walk()]

    def test_without_one_the_chain_is_judged_and_that_is_said(self) -> None:
        check = only(GOOD.verdict(), "target.none")
        assert check.is_note

    def test_that_is_revoked_is_refused(self) -> None:
        target = file_target(b"elf")
        (digest,) = target.parts[0].digests
        verdict = GOOD.verdict(target=target, revoked=Revocations(frozenset({f"sha256:{digest}"})))
        assert causes(verdict)[-1] == "target.revoked"
        assert not verdict.passed

    def test_of_an_inspection_that_does_not_tie_it_names_no_step_as_cause(self) -> None:
        made = GOOD.inspection("look", materials=["ALLOW *"]).finds("look", materials={"app": b"elf"})
        verdict = made.verdict(target=file_target(b"elf"), target_step="look")
        assert causes(verdict) == ["target.bound"]

    def test_decides_among_links_that_disagree(self) -> None:
        two = GOOD.link("build", materials={"src": b"s"}, products={"app": b"other"})
        for content in (b"elf", b"other"):
            assert two.verdict(target=file_target(content)).passed
        assert not two.verdict(target=file_target(b"third")).passed
        assert two.verdict().passed


class TestChoice:
    def rounds(self, count: int) -> Chain:
        """Pairs of fetch and build that belong together, and none that could be mixed."""
        made = GOOD.without("fetch").without("build")
        for number in range(count):
            name = b"%d" % number
            made = made.link("fetch", products={"src": name})
            made = made.link("build", materials={"src": name}, products={"app": name})
        return made

    def test_takes_links_that_belong_together(self) -> None:
        for number in range(6):
            assert self.rounds(6).verdict(target=file_target(b"%d" % number)).passed

    def test_never_mixes_runs(self) -> None:
        made = GOOD.without("fetch").link("fetch", products={"src": b"other"})
        assert not made.verdict(target=file_target(b"elf")).passed

    def test_beyond_the_bound_is_refused_and_said(self) -> None:
        hard = (
            chain()
            .step("a", by="ann")
            .step("b", by="bob")
            .step("c", by="cid", materials=["MATCH * WITH PRODUCTS FROM a", "DISALLOW *"])
        )
        for number in range(12):
            hard = hard.link("a", products={"x": b"%d" % number}).link("b", products={"x": b"%d" % number})
            hard = hard.link("c", materials={"x": b"c%d" % number})
        assert not hard.verdict().passed
        verdict = hard.verdict(limits=replace(LOCAL, selections=20))
        assert "chain.selection" in [check.id for _, check in verdict.root.walk()]
        assert not verdict.passed

    def test_beyond_the_bound_is_refused_even_where_the_first_links_would_do(self) -> None:
        made = self.rounds(6)
        assert made.verdict().passed
        verdict = made.verdict(limits=replace(LOCAL, selections=1))
        assert not verdict.passed
        assert outcome(verdict, "chain.selection") is Outcome.FAIL


class TestChoiceWithTarget:
    """Contradictory links beside something else that is missing, revoked or inspected: in whichever order they come."""

    @pytest.mark.parametrize("number", range(6))
    def test_what_is_missing_is_the_cause(self, number: int) -> None:
        made = GOOD.without("build").link("fetch", products={"src": b"%d" % number})
        verdict = made.verdict(target=file_target(b"elf"))
        assert causes(verdict) == ["step.threshold"]

    @pytest.mark.parametrize("number", range(6))
    def test_an_inspection_that_matches_no_step_decides_nothing(self, number: int) -> None:
        made = GOOD.link("build", materials={"src": b"s"}, products={"app": b"%d" % number})
        made = made.inspection("look", materials=["ALLOW *", "DISALLOW *"]).finds("look", materials={"x": b""})
        assert made.verdict(target=file_target(b"elf")).passed
        assert made.verdict(target=file_target(b"%d" % number)).passed

    @pytest.mark.parametrize("number", range(6))
    def test_the_link_that_an_inspection_ties_the_target_to_is_found(self, number: int) -> None:
        content, other = b"%d" % number, b"other %d" % number
        made = (
            chain()
            .step("make", by="ann")
            .step("note", by="ann")
            .inspection("look", materials=["MATCH * WITH PRODUCTS FROM make", "ALLOW *"])
            .inspection("empty", materials=["MATCH * WITH PRODUCTS FROM make"])
            .link("make", products={"app": content})
            .link("make", products={"app": other})
            .link("note")
            .finds("look", materials={"app": content})
            .finds("empty")
        )
        assert made.verdict(target=file_target(content)).passed
        assert not made.verdict(target=file_target(other)).passed
        assert made.verdict(target=file_target(content), target_step="look").passed
        assert not made.verdict(target=file_target(content), target_step="empty").passed
        assert not made.verdict(target=file_target(content), target_step="note").passed

    @pytest.mark.parametrize("number", range(6))
    def test_a_revoked_artifact_is_not_chosen(self, number: int) -> None:
        content = b"%d" % number
        made = GOOD.link("build", materials={"src": b"s"}, products={"app": content})
        for denied, left in ((b"elf", content), (content, b"elf")):
            revoked = Revocations(frozenset({str(sha256(denied))}))
            assert made.verdict(revoked=revoked).passed
            assert made.verdict(revoked=revoked, target=file_target(left)).passed

    @pytest.mark.parametrize("number", range(6))
    def test_rules_on_products_decide_among_the_links_of_two_steps(self, number: int) -> None:
        lines = ["MATCH * WITH PRODUCTS FROM fetch", "DISALLOW *"]
        steps = chain().step("fetch", by="ann").step("build", by="bob", products=lines)
        one, two, odd = (b"%d %d" % (number, n) for n in range(3))
        made = steps.link("fetch", products={"x": one}).link("fetch", products={"x": two})
        made = made.link("build", products={"x": odd}).link("build", products={"x": two})
        assert made.verdict().passed
        assert not made.verdict(target=file_target(odd)).passed


class TestLayoutItself:
    def test_unknown_fields_are_said_and_fail_with_the_option(self) -> None:
        layout = GOOD.layout()
        for odd in (
            replace(layout, extra={"rootcas": {}}),
            replace(layout, steps=(replace(layout.steps[0], extra={"cert_constraints": []}), layout.steps[1])),
        ):
            policy = Policy.open(seal(odd, signer("owner")), [key("owner")])
            verdict = GOOD.verdict(policy)
            assert verdict.passed
            assert only(verdict, "layout.unknown-field").outcome is Outcome.WARN
            assert causes(GOOD.verdict(policy, strict=True)) == ["layout.unknown-field"]
            assert checks(GOOD.verdict(policy, profile=Profile.UPSTREAM), "layout.unknown-field") == []

    def test_open_ends_are_said_and_fail_with_the_option(self) -> None:
        made = chain().step("build", by="bob", materials=["ALLOW a"], products=["ALLOW *", "DISALLOW *"])
        for number in range(6):
            made = made.inspection(f"i{number}", products=["ALLOW a"]).finds(f"i{number}")
        made = made.link("build")
        check = only(made.verdict(), "layout.open-ended")
        assert check.outcome is Outcome.WARN
        assert "build materials, i0 products" in check.reason
        assert "and 2 more" in check.reason
        assert causes(made.verdict(strict=True))[0] == "layout.open-ended"
        assert checks(made.verdict(profile=Profile.UPSTREAM), "layout.open-ended") == []

    def test_a_layout_without_steps_verifies_nothing(self) -> None:
        empty = chain()
        assert causes(empty.verdict()) == ["layout.empty"]
        verdict = empty.verdict(profile=Profile.UPSTREAM)
        assert only(verdict, "layout.empty").outcome is Outcome.WARN
        assert verdict.passed
        assert verdict.summary == Link("")
        for profile in Profile:
            assert not empty.verdict(target=file_target(b"x"), profile=profile).passed


class TestSeveralPolicies:
    good, bad = GOOD.case(), GOOD.without("build").case()

    def test_any_that_passes_is_enough(self) -> None:
        for cases in ([self.good], [self.good, self.bad], [self.bad, self.good]):
            verdict = verify_any(cases)
            assert verdict.passed
            assert verdict.root.id == "verdict"

    def test_the_only_one_is_the_verdict(self) -> None:
        assert verify_any([self.bad]) == verify(self.bad)

    def test_none_that_passes_shows_them_all(self) -> None:
        verdict = verify_any([self.bad, self.bad])
        assert not verdict.passed
        assert verdict.root.id == "policy.any"
        assert [child.subject for child in verdict.root.children] == ["root.layout", "root.layout"]
        assert set(verdict.inputs) == {e.document.digest for e in self.bad.evidence}

    def test_no_policy_passes_nothing(self) -> None:
        with pytest.raises(ValueError, match="no policy"):
            verify_any([])

    def test_an_error_in_one_does_not_become_a_pass(self) -> None:
        waiting = GOOD.inspection("scan").case()
        verdict = verify_any([waiting, self.bad])
        assert not verdict.passed
        assert verify_any([waiting, self.good]).passed


class TestPlaces:
    """What the places that were asked came to: nothing found is a failure of its own, with every place named."""

    asked = (Asked("the registry", "2 found"), Asked("a folder", "none"))

    def test_that_gave_evidence_are_told(self) -> None:
        check = only(GOOD.verdict(asked=self.asked), "evidence.found")
        assert check.outcome is Outcome.PASS
        assert check.reason == "2 documents verify; 2 places asked"
        one = GOOD.without("build").verdict(asked=self.asked[:1])
        assert only(one, "evidence.found").reason == "1 document verifies; 1 place asked"

    def test_that_gave_none_fail(self) -> None:
        verdict = GOOD.having(filed=()).verdict(asked=self.asked, target=file_target(b"app"))
        check = only(verdict, "evidence.found")
        assert check.outcome is Outcome.FAIL
        assert check.subject == file_target(b"app").name
        assert check.reason == "no evidence: none was found; 2 places asked"
        assert [one.subject for one in checks(verdict, "evidence.asked")] == ["the registry", "a folder"]

    def test_that_gave_only_what_does_not_verify_fail_and_name_what_belongs_to_no_step(self) -> None:
        stray = Refusal("x.link", "signed by nobody known", "other")
        mine = Refusal("build.link", "signed by nobody known", "build")
        verdict = GOOD.having(filed=()).verdict(asked=self.asked, refused=(stray, mine))
        assert only(verdict, "evidence.found").reason == "no evidence: 2 found, and none verifies; 2 places asked"
        (found,) = (check for check in checks(verdict, "evidence") if check.subject == "")
        assert [one.subject for one in found.children if one.id == "evidence.near-miss"] == ["x.link"]


def test_attack_the_materials_of_one_link_with_the_products_of_another() -> None:
    """Of a layout of one step whose links disagree, each is a way of its own: what one took in and another made is
    none."""
    inner = (
        chain()
        .step("make", by=["ann", "bob"], materials=["ALLOW *", "DISALLOW *"], products=["ALLOW *", "DISALLOW *"])
        .link("make", by="ann", materials={"good": b"g"}, products={"bad": b"b"})
        .link("make", by="bob", materials={"evil": b"e"}, products={"app": b"a"})
    )
    rules = ["REQUIRE good", "ALLOW good", "DISALLOW *"]
    for products, passes in ((["REQUIRE bad", "ALLOW *"], True), (["REQUIRE app", "ALLOW *"], False)):
        outer = chain().step("all", by="lead", materials=rules, products=products).sublayout("all", inner)
        assert outer.verdict().passed is passes
