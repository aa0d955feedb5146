"""Ways to a level that the evidence does not carry, each tried once: none of them leads there."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
from tests.sample_build import BUILDER, RESOURCE, VERIFIER, VSA, SampleBuild, leaf, pem, statement, summary

from navicert import testing
from navicert.crypto.signer import generate
from navicert.digest import sha256
from navicert.slsa.attestation import Pool
from navicert.verdict import Outcome

APP = {"sha256": sha256(b"the application\n").hex}


def reached(build: SampleBuild) -> list[int]:
    return [ladder.reached for ladder in build.assess().ladders]


def test_a_good_builder_id_claimed_by_the_wrong_signer() -> None:
    build = SampleBuild()
    build.sign(0, build.mallory)
    found = build.assess()
    assert reached(build) == [0, 0, 0, 0]
    assert any("only key" in check.reason for check in found.verdict.root.children if check.is_note)


def test_unsigned_provenance_that_nothing_pins() -> None:
    build = SampleBuild()
    build.sign(0, None)
    assert reached(build) == [0, 0, 0, 0]


def test_a_right_signature_over_another_subject() -> None:
    build = SampleBuild()
    build.documents[0][0]["subject"][0]["digest"] = {"sha256": sha256(b"another").hex}
    assert reached(build) == [0, 0, 0, 0]


def test_a_subject_that_has_only_the_name_of_the_artifact() -> None:
    build = SampleBuild()
    build.documents[0][0]["subject"] = [{"name": "app", "digest": {"sha256": sha256(b"another").hex}}]
    assert build.assess().build.reached == 0


@pytest.mark.parametrize("weak", [{"sha1": "0" * 40}, {"md5": "0" * 32}, {"sha256": APP["sha256"][:32]}])
def test_a_subject_with_a_weak_digest_only(weak: dict[str, str]) -> None:
    build = SampleBuild()
    build.documents[0][0]["subject"][0]["digest"] = weak
    assert build.assess().build.reached == 0


def test_a_link_presented_as_provenance() -> None:
    build = SampleBuild()
    build.documents[0][0]["predicateType"] = "https://in-toto.io/attestation/link/v0.3"
    assert reached(build) == [0, 0, 0, 0]


def test_provenance_of_a_version_that_nobody_knows() -> None:
    build = SampleBuild()
    build.documents[0][0]["predicateType"] = "https://slsa.dev/provenance/v2"
    assert reached(build) == [0, 0, 0, 0]


def test_an_attestation_of_another_type_only() -> None:
    build = SampleBuild()
    del build.documents[0]
    assert reached(build) == [0, 0, 0, 0]
    assert not build.assess().verdict.passed


def test_nothing_at_all() -> None:
    build = SampleBuild()
    build.documents = []
    assert not build.assess().verdict.passed
    build.expectations["images"] = []
    assert not build.assess().verdict.passed


def test_a_bad_copy_cannot_hide_behind_a_good_one_and_lowers_nothing() -> None:
    build = SampleBuild()
    bad = copy.deepcopy(build.documents[0][0])
    bad["predicate"]["buildDefinition"]["externalParameters"]["source"] = "git+https://evil.example/app"
    build.add(bad, build.builder)
    found = build.assess()
    assert found.build.reached == 3
    notes = [check.reason for check in found.verdict.root.children if check.is_note]
    assert any("is not as expected" in reason for reason in notes)


def test_trusted_builders_that_disagree_about_the_source_are_said() -> None:
    build = SampleBuild()
    bad = copy.deepcopy(build.documents[0][0])
    definition = bad["predicate"]["buildDefinition"]
    definition["externalParameters"]["source"] = "git+https://git.example/fork@refs/heads/main"
    definition["resolvedDependencies"][0]["uri"] = "git+https://git.example/fork@refs/heads/main"
    build.add(bad, build.builder)
    build.expected["source"] = ["git+https://git.example/app", "git+https://git.example/fork"]
    del build.expected["parameters"]
    checks = [check for _, check in build.assess().verdict.root.walk() if check.id == "slsa.conflict"]
    assert [check.outcome for check in checks] == [Outcome.WARN]


def test_an_expectation_that_expects_nothing_is_said_to() -> None:
    build = SampleBuild()
    build.expectations["images"] = [{"image": "app"}]
    found = build.assess()
    checks = {check.id: check for check in found.verdict.root.counted}
    assert checks["slsa.expected"].outcome is Outcome.WARN
    assert leaf(found, "slsa.build-expected").outcome is Outcome.WARN
    assert found.build.reached == 2


def test_an_unknown_parameter_inside_one_that_is_known() -> None:
    build = SampleBuild()
    build.parameters["source"] = {"uri": build.parameters["source"], "patch": "evil"}
    assert build.assess().build.reached == 0


def test_a_look_alike_repository() -> None:
    for uri in ("git+https://git.example/app-evil", "git+https://git.example.evil/app", "git+https://git.example/App"):
        build = SampleBuild()
        build.parameters["source"] = f"{uri}@refs/heads/main"
        build.dependencies[0]["uri"] = f"{uri}@refs/heads/main"
        assert build.assess().build.reached == 0


def test_the_commit_of_another_dependency_does_not_stand_for_the_source() -> None:
    # The source has no digest, but a library of another repository that is well reviewed does.
    build = SampleBuild()
    build.dependencies[0]["digest"] = {}
    build.dependencies.append({"uri": "git+https://git.example/library", "digest": {"gitCommit": "1f" * 20}})
    found = build.assess()
    assert found.source.reached == 0
    assert found.build.reached == 0


def test_a_source_summary_of_another_commit_repository_or_branch() -> None:
    changes: list[Callable[[SampleBuild], object]] = [
        lambda b: b.documents[1][0]["subject"][0].update(digest={"gitCommit": "2e" * 20}),
        lambda b: b.source_summary.update(resourceUri="git+https://git.example/other"),
        lambda b: b.documents[1][0]["subject"][0]["annotations"].update(sourceRefs=["refs/heads/evil"]),
    ]
    for change in changes:
        build = SampleBuild()
        change(build)
        assert build.assess().source.reached == 0


def test_a_verifier_that_vouches_for_itself() -> None:
    # The builder's key is good for provenance, and signs a summary in the name of the verifier.
    build = SampleBuild()
    build.documents = [(statement(VSA, summary(["SLSA_BUILD_LEVEL_3"], resource=RESOURCE), dict(APP)), build.builder)]
    del build.expectations["images"]
    assert reached(build) == [0, 0, 0, 0]
    build.sign(0, build.verifier)
    assert build.assess().build.reached == 3


def test_a_summary_that_failed_or_was_not_evaluated() -> None:
    for more in (
        {"verificationResult": "FAILED"},
        {"verifiedLevels": ["SLSA_BUILD_LEVEL_UNEVALUATED", "NAVICERT_LAYOUT_VERIFIED"]},
        {"verifiedLevels": ["FAILED"]},
        {"verifiedLevels": ["SLSA_SOURCE_LEVEL_4"]},
    ):
        build = SampleBuild()
        predicate = summary(["SLSA_BUILD_LEVEL_3"], resource=RESOURCE) | more
        build.documents = [(statement(VSA, predicate, dict(APP)), build.verifier)]
        del build.expectations["images"]
        assert build.assess().build.reached == 0


def test_one_person_with_two_keys_reviews_once() -> None:
    build = SampleBuild()
    second = generate()
    build.bob = second
    build.sign(3, second)
    build.expectations["people"] = {"alice": [pem(build.alice), pem(second)], "bob": []}
    assert "only alice agreed" in leaf(build.assess(), "slsa.table-two-person").reason


def test_hermetic_by_saying_nothing() -> None:
    # No dependency at all: nothing is unpinned, and nothing is known either.
    build = SampleBuild()
    build.dependencies.clear()
    for name in ("source", "ref", "parameters"):
        build.expected.pop(name)
    assert leaf(build.assess(), "slsa.table-hermetic").outcome is Outcome.FAIL
    assert leaf(build.assess(), "slsa.table-dependencies").outcome is Outcome.FAIL


def test_hermetic_by_a_field_that_buildkit_leaves_out_where_there_was_a_network() -> None:
    build = SampleBuild()
    build.line["hermetic"] = False
    build.old()
    build.predicate["buildType"] = build.expected["build_type"] = "https://mobyproject.org/buildkit@v1"
    assert build.predicate["metadata"]["completeness"]["materials"] is True
    assert leaf(build.assess(), "slsa.table-hermetic").outcome is Outcome.FAIL
    build.predicate["metadata"]["https://mobyproject.org/buildkit@v1#hermetic"] = True
    assert leaf(build.assess(), "slsa.table-hermetic").outcome.passes


def test_declarations_never_become_evidence() -> None:
    build = SampleBuild()
    build.expectations["builders"] = []
    build.documents = build.documents[:1]
    names = ("service", "generated", "ephemeral", "isolated", "non-falsifiable", "history", "retained")
    build.expectations["declared"] = dict.fromkeys(names, "trust us")
    build.require = {"table": 3}
    found = build.assess()
    assert (found.table.reached, found.declared.reached) == (1, 3)
    assert not found.verdict.passed
    assert found.results == ("FAILED",)
    build.require = {}
    assert build.assess().results == ("SLSA_BUILD_LEVEL_1",)


def test_a_level_is_not_reached_over_a_gap() -> None:
    # Everything of level 3 is there, and something of level 2 is not.
    build = SampleBuild()
    del build.expected["source"]
    build.expected.pop("ref")
    found = build.assess()
    assert found.table.reached == 1
    level3 = found.table.check.children[2]
    assert level3.outcome is Outcome.SKIP
    assert all(check.outcome.passes for check in level3.counted if check.id != "slsa.below")


@pytest.mark.parametrize("key", ["builder", "verifier"])
def test_a_revoked_key_counts_for_nothing(key: str) -> None:
    from navicert.verify.case import Revocations

    build = SampleBuild()
    denied = Revocations(keys=frozenset({getattr(build, key).key.fingerprint}))
    pool = Pool.of(build.attestations(), revoked=denied)
    kept = {read.attestation.origin for read in (*pool.provenances, *pool.summaries)}
    assert {"builder": "0.intoto.json", "verifier": "1.intoto.json"}[key] not in kept
    assert len(pool.refused) == 1


def test_the_order_of_evidence_changes_nothing() -> None:
    build = SampleBuild()
    bad = copy.deepcopy(build.documents[0][0])
    bad["predicate"]["buildDefinition"]["buildType"] = "https://other.example"
    build.add(bad, build.builder)
    forward = build.assess()
    build.documents.reverse()
    backward = build.assess()
    assert [ladder.reached for ladder in forward.ladders] == [ladder.reached for ladder in backward.ladders]
    assert forward.verdict.inputs == backward.verdict.inputs


def test_a_layout_that_somebody_else_signed_documents_nothing() -> None:
    from navicert.slsa.chain import Chain
    from navicert.slsa.expectation import Steps
    from navicert.verify.evaluate import verify

    made = testing.chain().step("build", "service", materials=["DISALLOW *"], products=["CREATE app", "DISALLOW *"])
    made = made.link("build", products={"app": b"the application\n"}, command="make")
    case = made.case(target=testing.file_target(b"the application\n"), policy=made.policy(signed_by="mallory"))
    assert Chain.of(case, verify(case), Steps()) is None


def test_the_names_of_the_sample_are_what_the_tests_say() -> None:
    assert (BUILDER, VERIFIER) == ("https://ci.example/builder/v1", "https://verifier.example/v1")
