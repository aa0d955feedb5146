"""One step: how its threshold is explained, and what a person should know about it."""

from __future__ import annotations

import pytest
from tests.checks import causes, checks, only, outcome, warnings

from navicert.digest import sha256
from navicert.testing import Chain, chain, key
from navicert.verdict import Outcome
from navicert.verify.case import Revocations
from navicert.verify.profile import Profile

BOB, CARL = key("bob").short, key("carl").short
STEP = chain().step("build", by=["bob", "carl"], products=["ALLOW *", "DISALLOW *"])


class TestThreshold:
    two = chain().step("build", by=["bob", "carl"], threshold=2)

    @pytest.mark.parametrize(
        ("made", "reason"),
        [
            (two, f"expected from {', '.join(sorted([BOB, CARL]))}"),
            (two.link("build"), f"1 of 2 required signers; allowed are {', '.join(sorted([BOB, CARL]))}"),
            (
                two.link("build", products={"a": b"1"}).link("build", by="carl", products={"a": b"2"}),
                "1 of 2 required signers: 2 links disagree about the artifacts",
            ),
            (
                chain().step("build", by="bob", threshold=2).link("build"),
                "1 of 2 required signers; only 1 may sign for it, so this can never pass",
            ),
            (
                chain().step("build", by=["bob", "bob's"], threshold=2).release(persons={"Bob": ["bob", "bob's"]}),
                "0 of 2 required signers; only 1 may sign for it, so this can never pass",
            ),
            (two.link("build", by="x").link("build", by="y"), "2 near misses"),
        ],
    )
    def test_says_why_there_are_too_few(self, made: Chain, reason: str) -> None:
        verdict = made.verdict()
        check = only(verdict, "step.threshold")
        assert check.outcome is Outcome.FAIL
        assert reason in check.reason
        assert causes(verdict) == ["step.threshold"]

    def test_says_who_signed(self) -> None:
        verdict = self.two.link("build").link("build", by="carl").verdict()
        check = only(verdict, "step.threshold")
        assert check.reason == "2 of 2 required signers"
        assert check.facts == {"required": 2, "found": 2, "authorised": sorted([BOB, CARL])}
        assert only(verdict, "step").reason == f"performed by {', '.join(sorted([BOB, CARL]))}"

    def test_rules_are_not_judged_without_evidence(self) -> None:
        verdict = STEP.verdict()
        check = only(verdict, "step.rules")
        assert check.outcome is Outcome.SKIP
        assert check.cause == "verdict/step[build]/step.threshold[build]"
        assert check.cause in [path for path, _ in verdict.root.walk()]

    def test_near_misses_stand_beside_what_counts(self) -> None:
        verdict = STEP.link("build").link("build", by="mallory").verdict()
        assert verdict.passed
        assert len(checks(verdict, "evidence.near-miss")) == 1


class TestCommand:
    made = chain().step("build", by="bob", command="make all", products=["ALLOW *", "DISALLOW *"])

    def test_that_was_expected_is_not_mentioned(self) -> None:
        assert checks(self.made.link("build", command="make all").verdict(), "step.command") == []

    @pytest.mark.parametrize("profile", Profile)
    def test_another_one_is_a_warning(self, profile: Profile) -> None:
        verdict = self.made.link("build", command="make evil").verdict(profile=profile)
        assert verdict.passed
        assert only(verdict, "step.command").reason == "ran make evil, expected make all"
        verdict = self.made.link("build").verdict(profile=profile)
        assert only(verdict, "step.command").reason == "ran (no command), expected make all"

    def test_words_are_compared_and_not_their_sum(self) -> None:
        assert warnings(self.made.link("build", command="'make all'").verdict()) == ["step.command"]

    def test_where_none_is_expected_any_will_do_in_strict_only(self) -> None:
        made = STEP.link("build", command="make")
        assert checks(made.verdict(), "step.command") == []
        assert outcome(made.verdict(profile=Profile.UPSTREAM), "step.command") is Outcome.WARN


@pytest.mark.parametrize("value", [1, -9, "0", None, 0.5, True, False])
def test_a_command_that_did_not_return_0_is_shown(value: object) -> None:
    verdict = STEP.link("build", byproducts={"return-value": value}).verdict()
    assert verdict.passed
    assert len(checks(verdict, "link.return-value")) == (0 if value is None else 1)


def test_a_command_that_returned_0_is_not_mentioned() -> None:
    assert warnings(STEP.link("build", byproducts={"return-value": 0}).verdict()) == []
    assert warnings(STEP.link("build", byproducts={"stdout": "x"}).verdict()) == []


class TestDisagreement:
    made = STEP.link("build", products={"a": b"1"}).link("build", by="carl", products={"a": b"2"})

    def test_in_strict_is_a_warning_that_names_what_is_not_used(self) -> None:
        verdict = self.made.verdict()
        assert verdict.passed
        check = only(verdict, "step.disagreement")
        assert check.outcome is Outcome.WARN
        assert check.reason.endswith("reports other artifacts and is not used")

    def test_in_upstream_is_a_warning_at_threshold_1(self) -> None:
        verdict = self.made.verdict(profile=Profile.UPSTREAM)
        assert verdict.passed
        assert only(verdict, "step.disagreement").outcome is Outcome.WARN

    def test_in_upstream_refuses_above_threshold_1(self) -> None:
        step = chain().step("build", by=["bob", "carl", "dan"], threshold=2)
        made = step.link("build").link("build", by="carl").link("build", by="dan", products={"a": b"x"})
        assert made.verdict().passed
        verdict = made.verdict(profile=Profile.UPSTREAM)
        assert causes(verdict) == ["step.disagreement"]

    def test_of_a_weaker_group_is_shown_too(self) -> None:
        step = chain().step("build", by=["bob", "carl", "dan"], threshold=2)
        made = step.link("build").link("build", by="carl").link("build", by="dan", products={"a": b"x"})
        assert only(made.verdict(), "step.disagreement").reason.startswith(f"build.{key('dan').short}.link")

    def test_about_how_many_digests_there_are_is_none(self) -> None:
        short = {"sha256": "1" * 64}
        made = STEP.link("build", products={"a": short})
        made = made.link("build", by="carl", products={"a": {**short, "sha512": "1" * 128}})
        assert checks(made.verdict(), "step.disagreement") == []


class TestNames:
    @pytest.mark.parametrize(
        ("one", "other"), [("Makefile", "makefile"), ("é", "e\u0301"), ("a/B", "A/b"), ("ß", "ss")]
    )
    def test_that_look_the_same_are_shown(self, one: str, other: str) -> None:
        for side in ("materials", "products"):
            made = STEP.link("build", **{side: {one: b"1", other: b"2"}})  # type: ignore[arg-type]
            check = only(made.verdict(), "artifact.twins")
            assert check.outcome is Outcome.WARN
            assert one in check.reason
            assert other in check.reason

    def test_that_differ_are_not(self) -> None:
        assert checks(STEP.link("build", products={"a": b"", "b": b"", "a/b": b""}).verdict(), "artifact.twins") == []

    @pytest.mark.parametrize("path", ["../x", "/etc/x", ".."])
    def test_that_lead_outside_are_noted(self, path: str) -> None:
        verdict = STEP.link("build", materials={path: b"", "in/side": b""}).verdict()
        notes = checks(verdict, "artifact.outside")
        assert len(notes) == (path != "..")
        assert all(note.is_note for note in notes)

    def test_that_lead_outside_are_counted(self) -> None:
        verdict = STEP.link("build", materials={"../x": b"", "../y": b"", "/z": b""}).verdict()
        assert only(verdict, "artifact.outside").reason == 'materials outside the folder: "../x" and 2 more'


class TestNoRules:
    made = chain().step("build", by="bob").link("build")

    def test_are_a_warning_in_strict(self) -> None:
        assert only(self.made.verdict(), "step.no-rules").outcome is Outcome.WARN

    def test_fail_with_the_option(self) -> None:
        assert causes(self.made.verdict(strict=True)) == ["step.no-rules"]

    def test_are_nothing_in_upstream(self) -> None:
        assert checks(self.made.verdict(profile=Profile.UPSTREAM, strict=True), "step.no-rules") == []


class TestRevokedArtifact:
    made = STEP.link("build", materials={"in": b"bad"}, products={"out": b"worse"})

    @pytest.mark.parametrize("content", [b"bad", b"worse"])
    def test_refuses_the_step(self, content: bytes) -> None:
        denied = Revocations(frozenset({str(sha256(content))}))
        verdict = self.made.verdict(revoked=denied)
        assert causes(verdict) == ["artifact.revoked"]

    def test_is_not_chosen_where_another_link_stands(self) -> None:
        denied = Revocations(frozenset({str(sha256(b"bad")), "sha256:" + "0" * 64}))
        assert self.made.link("build", by="carl", materials={"in": b"good"}).verdict(revoked=denied).passed
        assert self.made.verdict(revoked=Revocations(frozenset({"sha256:" + "0" * 64}))).passed
