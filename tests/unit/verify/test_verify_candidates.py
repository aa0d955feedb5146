"""Which evidence may count for a step, and why other evidence does not."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from tests.checks import checks, misses, only

from navicert.digest import DigestSet
from navicert.envelope.document import seal
from navicert.limits import LOCAL
from navicert.model.statement import ResourceDescriptor, Statement
from navicert.testing import Chain, chain, key, signer
from navicert.verify.case import Refusal, Revocations
from navicert.verify.evaluate import evaluate
from navicert.verify.profile import Profile

STEP = chain().step("build", by=["bob", "carl"])
GOOD = STEP.link("build", products={"app": b"elf"})
BOB = key("bob").short


def test_a_link_by_a_functionary_counts() -> None:
    verdict = GOOD.verdict()
    assert verdict.passed
    signature = only(verdict, "link.signature")
    assert signature.subject == BOB
    document = GOOD.case().evidence[0].document
    assert signature.facts == {
        "identity": key("bob").fingerprint,
        "digest": str(document.digest),
        "content": str(document.content),
        "origin": f"build.{BOB}.link",
    }


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (STEP.link("build", by="mallory"), "no valid signature by a key of the layout"),
        (STEP.link("build", name="test"), 'is signed for another step, "test"'),
        (STEP.file(b"x", "build"), "cannot be read"),
        (STEP.link("build", products={"./app": b""}), 'a path that is not in normal form: "./app"'),
    ],
)
def test_what_does_not_count_is_a_near_miss_of_its_step(made: Chain, reason: str) -> None:
    verdict = made.verdict()
    assert not verdict.passed
    assert len(misses(verdict)) == 1
    assert reason in misses(verdict)[0]
    assert "1 near miss" in only(verdict, "step.threshold").reason


def test_a_functionary_of_another_step_may_not_sign_for_this_one() -> None:
    made = STEP.step("test", by="tess").link("build", by="tess").link("test")
    verdict = made.verdict()
    assert not verdict.passed
    assert misses(verdict) == [f"is signed by {key('tess').short}, who may not sign for this step"]


def test_what_a_stranger_s_link_says_of_itself_files_it_as_a_near_miss() -> None:
    made = chain().step("build", by="bob").file(STEP.link("build", by="mallory").filed[0].raw or b"", None)
    assert len(misses(made.verdict())) == 1


def test_a_near_miss_of_no_step_of_the_layout_is_nobody_s() -> None:
    case = replace(GOOD.case(), refused=(Refusal("x", "unreadable", "elsewhere"), Refusal("y", "unreadable")))
    assert misses(evaluate(case)) == []


def test_the_signed_name_decides_and_the_file_name_does_not() -> None:
    raw = GOOD.filed[0].raw or b""
    for hint in (None, "test", "build"):
        assert STEP.file(raw, hint, BOB).verdict().passed


def test_one_link_signed_by_two_counts_for_both() -> None:
    two = chain().step("build", by=["bob", "carl"], threshold=2)
    assert two.link("build", by=["bob", "carl"]).verdict().passed
    assert not two.link("build", by="bob").verdict().passed
    assert not two.link("build", by=["bob", "mallory"]).verdict().passed
    assert not two.link("build", by=["bob", "bob"]).verdict().passed


def test_two_keys_of_one_person_count_once() -> None:
    two = (
        chain()
        .step("build", by=["bob", "bobs other"], threshold=2)
        .link("build", by="bob")
        .link("build", by="bobs other")
    )
    assert two.verdict().passed
    assert not two.release(persons={"Bob": ["bob", "bobs other"]}).verdict().passed
    fingerprints = {key("bob").fingerprint: "Bob", key("bobs other").fingerprint: "Bob"}
    assert not two.verdict(principals=fingerprints).passed


class TestWhoMayNotSign:
    """A document by a functionary of another step leaves no trace in this one but a near miss."""

    step = chain().step("build", by="bob", command="make").step("test", by="tess").link("test")

    def test_of_a_link_not_even_the_command_is_looked_at(self) -> None:
        made = self.step.link("build", command="make", products={"app": b""})
        made = made.link("build", by="tess", command="evil", products={"app": b""})
        verdict = made.verdict()
        assert verdict.passed
        assert checks(verdict, "step.command") == []
        assert len(misses(verdict)) == 1

    def test_a_sublayout_is_not_even_judged(self) -> None:
        inner = chain().step("compile", by="carl")
        verdict = self.step.link("build", command="make").sublayout("build", inner, by="tess").verdict()
        assert verdict.passed
        assert misses(verdict) == [f"is signed by {key('tess').short}, who may not sign for this step"]


def test_copies_of_a_sublayout_are_judged_once() -> None:
    inner = chain().step("compile", by="carl").link("compile")
    made = chain().step("all", by="bob").sublayout("all", inner)
    raw = made.filed[0].raw or b""
    for indent in range(5):
        made = made.file(json.dumps(json.loads(raw), indent=indent).encode(), "all", key("bob").id)
    assert made.verdict(limits=replace(LOCAL, sublayouts=1)).passed


def test_a_layout_that_stands_above_is_no_evidence_below_and_no_repetition() -> None:
    # It lies beside the evidence, in no folder, so that it is seen from below too.
    inner = chain().step("all", by="bob").having(readme="another layout")
    verdict = chain().step("all", by="bob").sublayout("all", inner).verdict()
    assert not verdict.passed
    assert "stands for a step above this one" in misses(verdict)
    assert checks(verdict, "sublayout.repeated") == []


class TestStatement:
    def sealed(self, predicate: dict[str, object], kind: str = "https://in-toto.io/attestation/link/v0.3") -> Chain:
        subject = ResourceDescriptor("app", None, DigestSet.of({"sha256": "ab" * 32}))
        return STEP.file(seal(Statement((subject,), kind, predicate), signer("bob")), "build", BOB)

    def test_with_a_link_predicate_counts_by_its_signed_name(self) -> None:
        assert self.sealed({"name": "build"}).verdict().passed
        assert not self.sealed({"name": "test"}).verdict().passed

    def test_with_a_bad_link_predicate_is_a_near_miss(self) -> None:
        verdict = self.sealed({"name": 7}).verdict()
        assert misses(verdict)[0].startswith("has a bad link predicate: /predicate/name")

    def test_of_another_kind_neither_counts_nor_is_missed(self) -> None:
        verdict = self.sealed({"name": "build"}, "https://slsa.dev/provenance/v1").verdict()
        assert not verdict.passed
        assert misses(verdict) == []


class TestRevoked:
    @pytest.mark.parametrize(
        ("revoked", "reason"),
        [
            (Revocations(keys=frozenset({key("bob").id})), f"is signed with a revoked key, {BOB}"),
            (Revocations(keys=frozenset({key("bob").legacy_id})), f"is signed with a revoked key, {BOB}"),
            (Revocations(identities=frozenset({key("bob").fingerprint})), f"is signed by {BOB}, who is revoked"),
            (
                Revocations(frozenset({str(GOOD.case().evidence[0].document.digest)})),
                f"is revoked by its digest {GOOD.case().evidence[0].document.digest}",
            ),
        ],
    )
    def test_evidence_does_not_count(self, revoked: Revocations, reason: str) -> None:
        verdict = GOOD.verdict(revoked=revoked)
        assert not verdict.passed
        assert misses(verdict) == [reason]

    def test_a_person_with_all_her_keys(self) -> None:
        made = GOOD.release(persons={"Bob": ["bob"]})
        assert made.verdict().passed
        verdict = made.verdict(revoked=Revocations(identities=frozenset({"Bob"})))
        assert misses(verdict) == ["is signed by Bob, who is revoked"]

    def test_one_signer_of_two_leaves_the_other(self) -> None:
        made = STEP.link("build", by=["bob", "carl"])
        verdict = made.verdict(revoked=Revocations(keys=frozenset({key("bob").id})))
        assert verdict.passed
        assert [check.subject for check in checks(verdict, "link.signature")] == [key("carl").short]

    def test_others_count_as_before(self) -> None:
        assert GOOD.verdict(revoked=Revocations(keys=frozenset({key("carl").id}))).passed


class TestRunId:
    def run(self, id: object) -> Chain:
        return STEP.link("build", environment={"navicert": {"run-id": id}})

    def test_of_the_wanted_run_counts(self) -> None:
        assert self.run("7").verdict(run_id="7").passed
        assert self.run("7").verdict().passed

    @pytest.mark.parametrize(("id", "shown"), [("6", "6"), (7, ""), (None, "")])
    def test_of_another_run_does_not(self, id: object, shown: str) -> None:
        verdict = self.run(id).verdict(run_id="7")
        assert misses(verdict) == [f'belongs to run "{shown}", not to run "7"']

    def test_a_link_without_one_does_not(self) -> None:
        assert not GOOD.verdict(run_id="7").passed


class TestLimit:
    made = GOOD.link("build", by="carl", products={"app": b"other"}).link("build", products={"app": b"third"})

    @pytest.mark.parametrize("profile", Profile)
    def test_more_links_than_allowed_count_for_nothing(self, profile: Profile) -> None:
        assert self.made.verdict(profile=profile).passed
        verdict = self.made.verdict(profile=profile, limits=replace(LOCAL, links_per_step=2))
        assert not verdict.passed
        assert "more than 2 links (limit links_per_step)" in misses(verdict)

    def test_more_reports_than_allowed_count_for_nothing(self) -> None:
        digests = {"sha256": "1" * 64, "sha384": "1" * 96, "sha512": "1" * 128}
        step = chain().step("build", by=["ann", "bea", "cid"], threshold=2)
        for who, name in zip(["ann", "bea", "cid"], digests, strict=True):
            step = step.link("build", by=who, products={"app": {n: v for n, v in digests.items() if n != name}})
        assert step.verdict().passed
        verdict = step.verdict(limits=replace(LOCAL, links_per_step=4))
        assert not verdict.passed
        assert "too many different reports (limit links_per_step)" in misses(verdict)[0]


class TestUpstream:
    def test_judges_by_the_link_of_the_first_key_of_the_step(self) -> None:
        step = chain().step("build", by=["carl", "bob"], products=["REQUIRE app"])
        made = step.link("build", by="bob", products={"app": b""}).link("build", by="carl", products={})
        assert not made.verdict(profile=Profile.UPSTREAM).passed
        swapped = chain().step("build", by=["bob", "carl"], products=["REQUIRE app"]).having(filed=made.filed)
        assert swapped.verdict(profile=Profile.UPSTREAM).passed
