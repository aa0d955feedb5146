"""Policies over attestations: every way to pass without the evidence that the policy demands."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.policy_chain import (
    APP,
    AT,
    PROVENANCE,
    TEST_RESULT,
    VULNS,
    PolicyChain,
    cause,
    checks,
    digest,
    report,
    statement,
)

from navicert.crypto.signer import generate
from navicert.digest import DigestSet
from navicert.envelope.document import seal
from navicert.errors import Malformed
from navicert.model.layout import Layout, Step
from navicert.model.link import Link
from navicert.model.policy import read_policy_document
from navicert.model.rule import Rule
from navicert.verdict import Outcome
from navicert.verify.attestations import span

PASSED = [{"rule": "predicate.result == 'PASSED'"}]


@pytest.fixture
def chain() -> PolicyChain:
    return PolicyChain().require(attributes=PASSED)


def test_the_honest_chain_passes(chain: PolicyChain) -> None:
    verdict = chain.judge(seal(report(), chain.tess))
    assert verdict.passed
    (attestation,) = checks(verdict, "attestation")
    assert attestation.facts["predicate"] == TEST_RESULT
    assert attestation.facts["class"] == "cryptographic"
    assert [check.id for check in attestation.children] == [
        "attestation.signature",
        "attestation.predicate",
        "attestation.attribute",
    ]


class TestVacuousSuccess:
    def test_no_attestation_at_all(self, chain: PolicyChain) -> None:
        found = cause(chain.judge())
        assert found.id == "step.threshold"
        assert found.subject == "build/tests"
        assert "no evidence found" in found.reason

    def test_an_attestation_of_another_type_only(self, chain: PolicyChain) -> None:
        verdict = chain.judge(seal(statement(VULNS, {"result": "PASSED"}), chain.tess))
        assert cause(verdict).subject == "build/tests"
        (miss,) = checks(verdict, "evidence.near-miss")
        assert miss.reason == f"is a {VULNS}, not a {TEST_RESULT}"

    def test_a_type_that_nobody_knows_counts_only_as_itself(self) -> None:
        chain = PolicyChain().require(types=["https://acme.example/review/v1"], attributes=[{"rule": "predicate.ok"}])
        assert chain.judge(seal(statement("https://acme.example/review/v1", {"ok": True}), chain.tess)).passed
        assert not chain.judge(seal(statement("https://acme.example/review/v2", {"ok": True}), chain.tess)).passed

    def test_a_policy_without_steps(self) -> None:
        chain = PolicyChain(document={"steps": []})
        assert cause(chain.judge()).id == "layout.empty"

    def test_a_step_that_requires_no_evidence(self, chain: PolicyChain) -> None:
        del chain.document["steps"][0]["pubkeys"]
        with pytest.raises(Malformed, match="rests on nothing"):
            chain.policy()

    def test_a_predicate_that_anybody_may_sign(self) -> None:
        with pytest.raises(Malformed, match="nobody may sign this predicate"):
            PolicyChain().require(pubkeys=[]).policy()

    def test_a_predicate_of_no_type(self) -> None:
        with pytest.raises(Malformed, match="no predicate type"):
            PolicyChain().require(types=[]).policy()

    def test_a_threshold_of_nobody(self) -> None:
        with pytest.raises(Malformed, match="threshold below 1"):
            PolicyChain().require(threshold=0).policy()

    def test_an_empty_attribute_rule(self) -> None:
        with pytest.raises(Malformed, match="an empty rule"):
            PolicyChain().require(attributes=[{"rule": " "}]).policy()

    def test_a_demand_that_this_version_does_not_know(self) -> None:
        with pytest.raises(Malformed, match="unknown field in a predicate"):
            PolicyChain().require(must_be_good=True).policy()

    def test_all_rules_skipped_because_the_claim_is_absent(self) -> None:
        chain = PolicyChain().require(attributes=[{"rule": "predicate.coverage > 80", "if_absent": "pass"}])
        assert chain.judge(seal(report(), chain.tess)).passed
        # Absent is one thing, anything else that goes wrong another.
        wrong: list[object] = ["none", None, [], 3]
        for bad in wrong:
            assert not chain.judge(seal(report(coverage=bad), chain.tess)).passed

    def test_without_the_flag_an_absent_claim_fails(self) -> None:
        chain = PolicyChain().require(attributes=[{"rule": "predicate.coverage > 80"}])
        found = cause(chain.judge(seal(report(), chain.tess)))
        assert found.id == "attestation.attribute"
        assert found.reason == "has no value: there is no coverage"


class TestSignatures:
    def test_an_unsigned_statement(self, chain: PolicyChain) -> None:
        bare = json.dumps(report().to_json()).encode()
        envelope = json.loads(seal(report(), chain.tess))
        envelope["signatures"] = []
        for raw in (bare, json.dumps(envelope).encode()):
            verdict = chain.judge(raw)
            assert cause(verdict).subject == "build/tests"

    def test_a_signature_by_somebody_else(self, chain: PolicyChain) -> None:
        verdict = chain.judge(seal(report(), chain.eve))
        assert cause(verdict).subject == "build/tests"
        (miss,) = checks(verdict, "evidence.near-miss")
        assert "no valid signature by a key of the layout" in miss.reason

    def test_a_signature_by_somebody_who_may_do_something_else(self, chain: PolicyChain) -> None:
        verdict = chain.judge(seal(report(), chain.bob))
        (miss,) = checks(verdict, "evidence.near-miss")
        assert miss.reason == "is signed by bob, who may not sign for this step"
        assert not verdict.passed

    def test_one_person_with_two_keys_counts_once(self) -> None:
        chain = PolicyChain()
        chain.document["keys"][chain.eve.keyid] = chain.eve.key.to_json()
        chain.document["persons"]["tess"].append(chain.eve.keyid)
        chain.require(threshold=2, pubkeys=[chain.tess.keyid, chain.eve.keyid])
        verdict = chain.judge(seal(report(), chain.tess), seal(report(), chain.eve))
        assert cause(verdict).reason.startswith("1 of 2 required signers")

    def test_one_key_under_two_ids_counts_once(self) -> None:
        chain = PolicyChain()
        other = "ab" * 32
        chain.document["keys"][other] = chain.tess.key.to_json() | {"keyid": other}
        chain.document["persons"] = {}
        chain.require(threshold=2, pubkeys=[chain.tess.keyid, other])
        verdict = chain.judge(seal(report(), chain.tess), seal(report(note="again"), chain.tess))
        assert cause(verdict).reason.startswith("1 of 2 required signers")

    def test_a_copy_adds_nothing(self) -> None:
        chain = PolicyChain()
        chain.document["keys"][chain.eve.keyid] = chain.eve.key.to_json()
        chain.require(threshold=2, pubkeys=[chain.tess.keyid, chain.eve.keyid])
        raw = seal(report(), chain.tess)
        assert not chain.judge(raw, json.dumps(json.loads(raw), indent=1).encode()).passed
        assert chain.judge(raw, seal(report(), chain.eve)).passed

    def test_a_revoked_key(self, chain: PolicyChain) -> None:
        from navicert.verify.case import Revocations

        revoked = Revocations(keys=frozenset({chain.tess.keyid}))
        assert not chain.judge(seal(report(), chain.tess), revoked=revoked).passed

    def test_the_policy_of_a_stranger(self, chain: PolicyChain) -> None:
        from navicert.verify.case import Case, Policy
        from navicert.verify.evaluate import evaluate

        raw = seal(read_policy_document(chain.document), chain.eve)
        policy = Policy.open(raw, [chain.owner.key])
        assert evaluate(Case(policy, AT)).first_cause.id == "layout.owner"  # type: ignore[union-attr]


class TestSubjects:
    def test_the_right_signature_over_another_subject(self, chain: PolicyChain) -> None:
        verdict = chain.judge(seal(report("PASSED", {"name": "app", "digest": digest(b"evil")}), chain.tess))
        found = cause(verdict)
        assert found.id == "attestation.subject"
        assert 'is about no artifact of step "build"' in found.reason

    def test_a_subject_that_agrees_by_a_weak_digest_only(self, chain: PolicyChain) -> None:
        chain = PolicyChain().require()
        link = Link("build", (), {}, {"app": DigestSet.of({"md5": "0" * 32, **digest(APP)})})
        weak = report("PASSED", {"name": "app", "digest": {"md5": "0" * 32}})
        assert not chain.judge_only(seal(link, chain.bob), seal(weak, chain.tess)).passed

    def test_a_subject_that_agrees_on_one_digest_and_not_on_another(self) -> None:
        chain = PolicyChain().require()
        link = Link("build", (), {}, {"app": DigestSet.of({"sha512": "1" * 128, **digest(APP)})})
        mixed = report("PASSED", {"name": "app", "digest": {"sha512": "2" * 128, **digest(APP)}})
        assert not chain.judge_only(seal(link, chain.bob), seal(mixed, chain.tess)).passed

    def test_rules_that_match_nothing_tie_nothing(self) -> None:
        """A MATCH that consumes nothing passes; what the statement is about must be asked all the same."""
        chain = PolicyChain().require(expected_materials=[["MATCH", "*", "WITH", "PRODUCTS", "FROM", "build"]])
        other = report("PASSED", {"name": "something", "digest": digest(b"else")})
        assert cause(chain.judge(seal(other, chain.tess))).id == "attestation.subject"

    def test_every_artifact_that_is_named_must_be_covered(self) -> None:
        chain = PolicyChain().require(subjects=[["MATCH", "*", "WITH", "PRODUCTS", "FROM", "build"]])
        chain.document["steps"][0]["expected_products"] = [["CREATE", "*"]]
        both = {"app": DigestSet.of(digest(APP)), "other": DigestSet.of(digest(b"other"))}
        link = seal(Link("build", (), {}, both), chain.bob)
        found = cause(chain.judge_only(link, seal(report(), chain.tess)))
        assert found.id == "attestation.subject"
        assert '"other" is not among its subjects' in found.reason
        whole = report("PASSED", *({"digest": digest(content)} for content in (APP, b"other")))
        assert chain.judge_only(link, seal(whole, chain.tess)).passed

    def test_a_pattern_that_names_no_artifact_is_no_tie(self) -> None:
        chain = PolicyChain().require(subjects=[["MATCH", "nothing-like-it", "WITH", "PRODUCTS", "FROM", "build"]])
        found = cause(chain.judge(seal(report(), chain.tess)))
        assert found.id == "attestation.subject"
        assert "names no artifact" in found.reason

    def test_an_informing_record_that_is_tied_to_nothing(self) -> None:
        chain = PolicyChain()
        tests = {"name": "r", "types": [TEST_RESULT], "role": "inform", "pubkeys": [chain.tess.keyid]}
        for rules in ([], [["ALLOW", "*"]], [["MATCH", "*", "WITH", "PRODUCTS", "FROM", "build"]]):
            step = {"name": "test", "record": "r", "predicates": [tests], "expected_materials": rules}
            chain.document["steps"] = [chain.document["steps"][0], step]
            with pytest.raises(Malformed, match="tied to nothing"):
                chain.policy()

    def test_two_subjects_of_one_name(self) -> None:
        chain = PolicyChain().require()
        double = report("PASSED", {"name": "app", "digest": digest(APP)}, {"name": "app", "digest": digest(b"evil")})
        verdict = chain.judge(seal(double, chain.tess))
        assert not verdict.passed
        assert "two subjects of one name" in checks(verdict, "evidence.near-miss")[0].reason

    @pytest.mark.parametrize("name", ["./app", "a//app", "a/../app"])
    def test_a_name_that_another_spelling_names_too(self, name: str) -> None:
        chain = PolicyChain().require()
        assert not chain.judge(seal(report("PASSED", {"name": name, "digest": digest(APP)}), chain.tess)).passed

    def test_an_informing_predicate_makes_no_target(self) -> None:
        """Its subject is what it looked at: a statement about an image is no evidence that it was built."""
        from navicert.verify.case import Part, Target

        chain = PolicyChain().require()
        other = {"name": "evil", "digest": digest(b"evil")}
        target = Target("evil", "file", (Part("evil", frozenset(digest(b"evil").values())),))
        both = report("PASSED", {"name": "app", "digest": digest(APP)}, other)
        verdict = chain.judge(seal(both, chain.tess), target=target)
        assert cause(verdict).id.startswith("target.")


class TestContradictions:
    def test_what_holds_stands_whatever_else_was_said(self, chain: PolicyChain) -> None:
        """Removing evidence never turns a refusal into a pass: the one that failed is told, and does not decide."""
        good, bad = seal(report(), chain.tess), seal(report("FAILED"), chain.tess)
        for documents in ((good, bad), (bad, good)):
            verdict = chain.judge(*documents)
            assert verdict.passed
            assert verdict.outcome is Outcome.WARN
            (warning,) = checks(verdict, "attestation.contradiction")
            assert "is false" in warning.reason

    def test_a_bad_copy_does_not_hide_behind_a_good_one_for_something_else(self, chain: PolicyChain) -> None:
        other = report("PASSED", {"name": "app", "digest": digest(b"another build")})
        verdict = chain.judge(seal(report("FAILED"), chain.tess), seal(other, chain.tess))
        assert not verdict.passed

    def test_the_builds_that_nobody_reported_on_stand_aside(self, chain: PolicyChain) -> None:
        """Of two builds the one that the report is about is chosen, whichever comes first."""
        for content in (b"one", b"two", b"three"):
            link = Link("build", ("make",), {}, {"app": DigestSet.of(digest(content))})
            about = report("PASSED", {"name": "_", "digest": digest(content)})
            verdict = chain.judge(seal(link, chain.bob), seal(about, chain.tess))
            assert verdict.passed
            assert checks(verdict, "step.disagreement")

    def test_file_order_decides_nothing(self, chain: PolicyChain) -> None:
        documents = [seal(report(note=note), chain.tess) for note in "abc"]
        verdicts = [chain.judge(*order).root for order in (documents, documents[::-1])]
        outcomes = [[(check.id, check.outcome) for _, check in root.walk() if not check.is_note] for root in verdicts]
        assert outcomes[0] == outcomes[1]

    def test_evidence_that_could_not_be_told_apart(self) -> None:
        chain = PolicyChain().require(name="unit").require(name="integration")
        with pytest.raises(Malformed, match="could not be told apart"):
            chain.policy()

    def test_a_rule_more_does_not_tell_it_apart(self) -> None:
        chain = PolicyChain().require(name="unit").require(name="strict", attributes=PASSED)
        with pytest.raises(Malformed, match="could not be told apart"):
            chain.policy()

    def test_rules_of_their_own_tell_two_apart(self) -> None:
        chain = PolicyChain()
        for kind in ("unit", "integration"):
            chain.require(name=kind, attributes=[{"rule": f"predicate.kind == '{kind}'"}])
        unit, integration = (seal(report(kind=kind), chain.tess) for kind in ("unit", "integration"))
        assert not chain.judge(unit).passed
        assert chain.judge(unit, integration).passed

    def test_the_same_key_under_another_id_does_not_tell_apart(self) -> None:
        chain = PolicyChain(document={"persons": {}})
        other = "ab" * 32
        chain.document["keys"][other] = chain.tess.key.to_json() | {"keyid": other}
        chain.require(name="unit").require(name="integration", pubkeys=[other])
        with pytest.raises(Malformed, match="could not be told apart"):
            chain.judge()


class TestFreshness:
    @pytest.fixture
    def fresh(self) -> PolicyChain:
        return PolicyChain().require(max_age=86400, time="predicate.finishedOn")

    @staticmethod
    def at(moment: datetime) -> str:
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    def test_young_enough(self, fresh: PolicyChain) -> None:
        assert fresh.judge(seal(report(finishedOn=self.at(AT - timedelta(hours=24))), fresh.tess)).passed

    def test_a_second_too_old(self, fresh: PolicyChain) -> None:
        old = report(finishedOn=self.at(AT - timedelta(hours=24, seconds=1)))
        found = cause(fresh.judge(seal(old, fresh.tess)))
        assert found.id == "attestation.age"
        assert found.facts["age"] == 86401

    def test_a_clock_that_runs_ahead_does_not_keep_it_young(self, fresh: PolicyChain) -> None:
        ahead = report(finishedOn=self.at(AT + timedelta(days=300)))
        assert "after the moment that is judged for" in cause(fresh.judge(seal(ahead, fresh.tess))).reason

    @pytest.mark.parametrize("time", [None, "", "yesterday", 1790000000, "2026-09-31T00:00:00Z", ["2026-09-30"]])
    def test_no_time_is_no_freshness(self, fresh: PolicyChain, time: object) -> None:
        assert cause(fresh.judge(seal(report(finishedOn=time), fresh.tess))).id == "attestation.age"

    def test_the_times_of_files_and_stores_do_not_count(self, fresh: PolicyChain) -> None:
        from navicert.store import Piece, PieceSource
        from navicert.store.gather import gather
        from navicert.verify.case import Case
        from navicert.verify.evaluate import verify

        old = seal(report(finishedOn="2020-01-01T00:00:00Z"), fresh.tess)
        policy = fresh.policy()
        pieces = [Piece("link", fresh.link()), Piece("tests", old, filed_at=AT)]
        found = gather(policy, [PieceSource(pieces)])
        assert cause(verify(Case(policy, AT, found.exhibits, found.refused))).id == "attestation.age"

    def test_an_unsigned_field_of_the_envelope_does_not_count(self, fresh: PolicyChain) -> None:
        envelope = json.loads(seal(report(finishedOn="2020-01-01T00:00:00Z"), fresh.tess))
        envelope["timestamp"] = envelope["signatures"][0]["timestamp"] = self.at(AT)
        assert not fresh.judge(json.dumps(envelope).encode()).passed

    def test_an_age_where_nobody_knows_the_time(self) -> None:
        with pytest.raises(Malformed, match="no telling how old"):
            PolicyChain().require(max_age=60).policy()


class TestKnownTimes:
    """Types whose time everybody knows: the policy need not say where it stands."""

    SCANNED = "2026-09-30T12:00:00Z"

    @pytest.mark.parametrize(
        ("type", "predicate"),
        [
            (VULNS, {"metadata": {"scanFinishedOn": SCANNED}}),
            ("https://slsa.dev/verification_summary/v1", {"timeVerified": SCANNED}),
            ("https://slsa.dev/verification_summary/v0.2", {"time_verified": SCANNED}),
            (PROVENANCE, {"runDetails": {"metadata": {"finishedOn": SCANNED}}}),
            ("https://slsa.dev/provenance/v0.2", {"metadata": {"buildFinishedOn": SCANNED}}),
        ],
    )
    def test_each_is_found_in_its_place(self, type: str, predicate: dict[str, Any]) -> None:
        young, old = (PolicyChain().require(types=[type], max_age=age) for age in (86400, 60))
        assert young.judge(seal(statement(type, predicate), young.tess)).passed
        found = cause(old.judge(seal(statement(type, predicate), old.tess)))
        assert found.reason == "12 hours old (2026-09-30T12:00:00Z), at most 1 minute allowed"

    @pytest.mark.parametrize(
        "metadata", [None, [], "text", 3, {}, {"scanFinishedOn": {}}, [{"scanFinishedOn": SCANNED}]]
    )
    def test_another_shape_is_no_time(self, metadata: object) -> None:
        chain = PolicyChain().require(types=[VULNS], max_age=86400)
        found = cause(chain.judge(seal(statement(VULNS, {"metadata": metadata}), chain.tess)))
        assert found.reason == (
            "says no time that could be judged: predicate.metadata.scanFinishedOn is missing or no timestamp"
        )

    @pytest.mark.parametrize("time", ["timestamp(predicate.at)", "timestamp(predicate.seconds)", "predicate.at"])
    def test_a_time_that_the_policy_works_out(self, time: str) -> None:
        chain = PolicyChain().require(max_age=86400, time=time)
        said = report(at="2026-09-30T12:00:00Z", seconds=1790769600)
        assert chain.judge(seal(said, chain.tess)).passed
        assert not chain.judge(seal(report(at="2026-09-29T12:00:00Z", seconds=1790683200), chain.tess)).passed

    @pytest.mark.parametrize("time", ["predicate.nope", "predicate.at == ''", "1 + 1"])
    def test_what_comes_to_no_time(self, time: str) -> None:
        chain = PolicyChain().require(max_age=86400, time=time)
        assert cause(chain.judge(seal(report(at="2026-09-30T12:00:00Z"), chain.tess))).id == "attestation.age"

    @pytest.mark.parametrize("field", ["attributes", "time"])
    def test_an_expression_that_is_none_is_a_fault_of_the_policy(self, field: str) -> None:
        chain = PolicyChain().require(attributes=[{"rule": "1 +"}] if field == "attributes" else [], max_age=60)
        chain.predicates[0]["time"] = "1 +" if field == "time" else "now"
        with pytest.raises(Malformed, match="not an expression of CEL") as caught:
            chain.judge()
        assert caught.value.pointer == "/steps (build/tests)"

    @pytest.mark.parametrize(
        ("seconds", "said"),
        [
            (0, "0 seconds"),
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "1 minute"),
            (61, "61 seconds"),
            (3599, "59 minutes"),
            (3600, "1 hour"),
            (2 * 3600, "2 hours"),
            (86400, "1 day"),
            (86401, "24 hours"),
            (47 * 3600, "47 hours"),
            (48 * 3600, "2 days"),
            (400 * 86400, "400 days"),
        ],
    )
    def test_a_length_of_time_in_words(self, seconds: int, said: str) -> None:
        assert span(seconds) == said


class TestStrict:
    def test_a_predicate_that_is_not_what_its_type_says(self) -> None:
        chain = PolicyChain().require()
        odd = seal(statement(TEST_RESULT, {"result": "SPLENDID"}), chain.tess)
        assert [check.outcome for check in checks(chain.judge(odd), "attestation.predicate")] == [Outcome.WARN]
        assert cause(chain.judge(odd, strict=True)).id == "attestation.predicate"


class TestSublayouts:
    def chain(self, rule: str) -> PolicyChain:
        chain = PolicyChain()
        build = chain.document["steps"][0]
        del build["predicates"]
        build |= {"attributes": [{"rule": rule}], "pubkeys": [chain.tess.keyid]}
        return chain

    def below(self, chain: PolicyChain) -> bytes:
        """A layout of `tess` in the place of the build, whose one step `bob` performs."""
        step = Step("build", 1, (chain.bob.keyid,), expected_products=(Rule.parse(["ALLOW", "*"]),))
        keys = {chain.bob.keyid: chain.bob.key.to_json()}
        return seal(Layout(datetime(2099, 1, 1, tzinfo=UTC), (step,), keys=keys), chain.tess)

    def test_a_sublayout_is_held_to_the_attribute_rules_of_its_step(self) -> None:
        good = self.chain("predicate.command == ['make']")
        assert good.judge(self.below(good)).passed
        bad = self.chain("predicate.command == ['make', 'check']")
        verdict = bad.judge(self.below(bad))
        assert cause(verdict).id == "step.threshold"
        assert "is false" in checks(verdict, "evidence.near-miss")[-1].reason

    def test_a_policy_below_whose_expressions_are_none_does_not_hold(self) -> None:
        chain = self.chain("true")
        below = PolicyChain(bob=chain.bob, tess=chain.tess)
        step = below.document["steps"][0]
        del step["predicates"]
        for rule, holds in (("true", True), ("1 +", False)):
            step["attributes"] = [{"rule": rule, "if_absent": "pass"}]
            verdict = chain.judge(seal(read_policy_document(below.document), chain.tess))
            assert verdict.passed is holds
        assert any("not an expression of CEL" in check.reason for _, check in verdict.root.walk())


class TestMaterials:
    def chain(self, type: str) -> PolicyChain:
        chain = PolicyChain()
        made = {"name": "p", "types": [type], "role": "transform", "pubkeys": [chain.tess.keyid]}
        rules = [["REQUIRE", "src"], ["ALLOW", "src"], ["DISALLOW", "*"]]
        chain.document["steps"] = [{"name": "build", "record": "p", "predicates": [made], "expected_materials": rules}]
        return chain

    def said(self, type: str, *sources: bytes) -> Any:
        materials = [{"name": "src", "uri": "src", "digest": digest(source)} for source in sources]
        predicate: dict[str, Any] = {"materials": materials, "builder": {"id": "https://b"}, "buildType": "https://t"}
        return statement(type, predicate, {"name": "app", "digest": digest(APP)})

    def test_what_provenance_names_is_what_went_in(self) -> None:
        type = "https://slsa.dev/provenance/v0.2"
        chain = self.chain(type)
        assert chain.judge_only(seal(self.said(type, b"1"), chain.tess)).passed

    def test_a_field_of_that_name_in_another_predicate_is_none(self) -> None:
        type = "https://acme.example/built/v1"
        chain = self.chain(type)
        assert cause(chain.judge_only(seal(self.said(type, b"1"), chain.tess))).id == "rule.require"

    def test_a_second_version_of_a_source_does_not_hide_behind_the_first(self) -> None:
        type = "https://slsa.dev/provenance/v0.2"
        chain = self.chain(type)
        assert chain.judge_only(seal(self.said(type, b"1", b"1"), chain.tess)).passed
        found = cause(chain.judge_only(seal(self.said(type, b"1", b"2"), chain.tess)))
        assert found.id == "rule.disallow"
        assert "src@sha256" in found.reason


class TestAttributeRules:
    def judged(self, rule: str, **claims: object) -> str:
        chain = PolicyChain().require(attributes=[{"rule": rule}])
        verdict = chain.judge(seal(report("PASSED", **claims), chain.tess))
        assert not verdict.passed
        return cause(verdict).reason

    @pytest.mark.parametrize("rule", ["predicate.result", "1", "'true'", "null", "[true]", "predicate.configuration"])
    def test_what_is_not_true_is_false(self, rule: str) -> None:
        assert self.judged(rule) == "is neither true nor false"

    @pytest.mark.parametrize(
        "rule",
        ["predicate.nope == 1", "1 / 0 == 1", "predicate.result > 3", "size(predicate.n) == 0", "!has(predicate.x.y)"],
    )
    def test_an_error_is_no_pass(self, rule: str) -> None:
        assert self.judged(rule, n=None).startswith("has no value: ")

    def test_a_runaway_expression_ends(self) -> None:
        rule = "predicate.l.all(a, predicate.l.all(b, predicate.l.all(c, a + b + c >= 0)))"
        assert "limit cel_steps" in self.judged(rule, l=list(range(2000)))

    def test_all_rules_on_a_statement_share_their_work(self) -> None:
        rule = "predicate.l.all(a, predicate.l.all(b, a + b >= {}))"
        chain = PolicyChain().require(attributes=[{"rule": rule.format(-number)} for number in range(100)])
        verdict = chain.judge(seal(report(l=list(range(150))), chain.tess))
        assert "limit cel_steps" in cause(verdict).reason

    def test_a_text_that_doubles_ends(self) -> None:
        rule = "'" + "a" * 64 + "'"
        for name in "bcdefghijklm":
            rule = f"[{rule}].map({name}, {name}+{name}+{name}+{name}+{name}+{name}+{name}+{name})[0]"
        assert "limit cel_steps" in self.judged(f"{rule} == ''")

    def test_a_regular_expression_that_is_slow_elsewhere(self) -> None:
        assert self.judged("predicate.t.matches('^(a+)+$')", t="a" * 5000 + "b") == "is false"

    @pytest.mark.parametrize("rule", ["(" * 400 + "true" + ")" * 400, "!" * 4000 + "true", "a" * 5000])
    def test_a_huge_expression_is_refused_when_the_policy_is_read(self, rule: str) -> None:
        chain = PolicyChain().require(attributes=[{"rule": rule}])
        with pytest.raises(Malformed, match=r"cel_depth|cel_bytes"):
            chain.judge(seal(report(), chain.tess))

    def test_a_parameter_is_no_part_of_the_rule(self) -> None:
        chain = PolicyChain().require(attributes=[{"rule": "predicate.commit == parameters.commit"}])
        raw = seal(report(commit="abc"), chain.tess)
        assert chain.judge(raw, parameters={"commit": "abc"}).passed
        for value in ("x' || true || 'x", "abc' || 'a' == 'a", "{commit}", "predicate.commit"):
            assert not chain.judge(raw, parameters={"commit": value}).passed

    def test_a_parameter_that_was_not_given(self) -> None:
        chain = PolicyChain().require(attributes=[{"rule": "predicate.commit == parameters.commit"}])
        assert not chain.judge(seal(report(commit="abc"), chain.tess)).passed


class TestReadersAndRoles:
    def test_a_signature_on_a_layout_is_none_on_a_policy(self, chain: PolicyChain) -> None:
        """The payload type is signed: who signed these bytes as something else did not sign a policy."""
        import base64

        from navicert.envelope.document import open_document
        from navicert.envelope.dsse import PAYLOAD_TYPE, pae

        envelope = json.loads(seal(read_policy_document(chain.document), chain.owner))
        payload = base64.b64decode(envelope["payload"])
        envelope["signatures"][0]["sig"] = base64.b64encode(chain.owner.sign(pae(PAYLOAD_TYPE, payload))).decode()
        assert open_document(json.dumps(envelope).encode()).verified_by([chain.owner.key]) is None
        envelope["payloadType"] = PAYLOAD_TYPE
        with pytest.raises(Malformed, match="wrong payload type for a policy"):
            open_document(json.dumps(envelope).encode()).verified_by([chain.owner.key])

    def test_a_policy_as_a_metablock(self, chain: PolicyChain) -> None:
        with pytest.raises(Malformed):
            seal(read_policy_document(chain.document), chain.owner, form="metablock")

    def test_provenance_that_informs_makes_nothing(self) -> None:
        chain = PolicyChain()
        made = {"name": "p", "types": [PROVENANCE], "role": "inform", "pubkeys": [chain.tess.keyid]}
        chain.document["steps"] = [
            {"name": "build", "record": "p", "predicates": [made], "expected_products": [["CREATE", "app"]]}
        ]
        with pytest.raises(Malformed, match="which has none"):
            chain.policy()

    def test_a_good_builder_id_claimed_by_the_wrong_signer(self) -> None:
        chain = PolicyChain()
        builder = {"runDetails": {"builder": {"id": "https://good.example"}}}
        claim = {"buildDefinition": {"buildType": "https://b", "externalParameters": {}}, **builder}
        rule = {"rule": "predicate.runDetails.builder.id == 'https://good.example'"}
        made = {"name": "p", "types": [PROVENANCE], "role": "transform", "pubkeys": [chain.tess.keyid]}
        chain.document["steps"] = [{"name": "build", "record": "p", "predicates": [made | {"attributes": [rule]}]}]
        subject = {"name": "app", "digest": digest(APP)}
        honest = statement(PROVENANCE, claim, subject)
        assert chain.judge_only(seal(honest, chain.tess)).passed
        for signer in (chain.bob, chain.eve, generate()):
            assert not chain.judge_only(seal(honest, signer)).passed


@pytest.mark.parametrize("digest", [{"sha256": "aa"}, {"sha256": digest(APP)["sha256"][:63]}, {"md5": "ab" * 16}])
def test_a_digest_that_is_none_decides_nothing_though_both_have_it(digest: dict[str, str]) -> None:
    chain = PolicyChain().require(attributes=PASSED, subjects=[["MATCH", "app", "WITH", "PRODUCTS", "FROM", "build"]])
    link = seal(Link("build", ("make",), {}, {"app": DigestSet.of(digest)}), chain.bob)
    signed = seal(report("PASSED", {"name": "app", "digest": digest}), chain.tess)
    assert cause(chain.judge_only(link, signed)).id == "attestation.subject"
