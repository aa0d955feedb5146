"""Every requirement of SLSA in both directions: met by the sample build, and not met for exactly one reason.

Spec: SLSA v1.2 build-requirements.md, source-requirements.md, verifying-artifacts.md; SLSA v0.1 requirements.md.
"""

from __future__ import annotations

from typing import Any

import pytest
from tests.sample_build import (
    BUILDER,
    COMMIT,
    REPOSITORY,
    SOURCE,
    TRACE,
    Change,
    SampleBuild,
    leaf,
    pem,
    statement,
    summary,
)

from navicert.digest import sha256
from navicert.errors import Malformed
from navicert.slsa.finding import climb
from navicert.slsa.levels import DECLARABLE, REQUIREMENTS
from navicert.slsa.vsa import REPRODUCED, TWO_PARTY
from navicert.verdict import Outcome

OTHER = "2e" * 20


def setting(name: str, value: object) -> Change:
    """Set one field of what is expected."""
    return lambda build: build.expected.__setitem__(name, value)


def without(name: str) -> Change:
    """Leave one field of what is expected out."""
    return lambda build: build.expected.pop(name)


def parameter(name: str, value: object) -> Change:
    """Give the build one more external parameter, or another value."""
    return lambda build: build.parameters.__setitem__(name, value)


def line(**fields: object) -> Change:
    """Change the builder's line of the table."""
    return lambda build: build.line.update(fields)


def no_line(build: SampleBuild) -> None:
    """Nobody knows the builder; the signature is checked all the same."""
    build.expectations["builders"] = []


def source(**fields: object) -> Change:
    """Change the source summary."""
    return lambda build: build.source_summary.update(fields)


def no_summary(build: SampleBuild) -> None:
    del build.documents[1]


def old(change: Change | None = None) -> Change:
    """Provenance of v0.2, changed; what is expected are its parameters in the terms of v1."""

    def make(build: SampleBuild) -> None:
        build.old()
        if change is not None:
            change(build)

    return make


def together(*changes: Change) -> Change:
    def make(build: SampleBuild) -> None:
        for change in changes:
            change(build)

    return make


def unsigned(build: SampleBuild) -> None:
    build.sign(0, None)


def level_four(build: SampleBuild) -> None:
    build.source_summary["verifiedLevels"] = ["SLSA_SOURCE_LEVEL_4"]


def dependency(number: int, **fields: object) -> Change:
    return lambda build: build.dependencies[number].update(fields)


def no_entry_point(build: SampleBuild) -> None:
    del build.parameters["entryPoint"]
    del build.expected["parameters"]


def no_builder_id(build: SampleBuild) -> None:
    build.predicate["runDetails"]["builder"]["id"] = ""
    del build.expected["builder"]


def no_source(build: SampleBuild) -> None:
    del build.dependencies[0]
    for name in ("source", "ref", "parameters"):
        del build.expected[name]


def no_dependency(build: SampleBuild) -> None:
    no_source(build)
    build.dependencies.clear()


def another_commit(build: SampleBuild) -> None:
    build.documents[3][0]["subject"][0]["digest"] = {"gitCommit": OTHER}


def on_a_condition(build: SampleBuild) -> None:
    build.documents[3][0]["predicate"]["attributes"][0]["conditions"] = {"if": 1}


def takes_a_parameter(build: SampleBuild) -> None:
    build.parameters["target"] = "release"
    build.expected["parameters"]["target"] = "release"


def trace(network: object = (), policy: object = "connect", signer: str = "monitor") -> Change:
    """A trace instead of a builder that is hermetic."""

    def make(build: SampleBuild) -> None:
        build.line["hermetic"] = False
        predicate = {
            "monitor": {"type": "https://monitor.example", "tracePolicy": {"calls": policy}},
            "monitoredProcess": {"hostID": "h", "type": "t", "event": "e"},
            "monitorLog": {"process": [], **({} if network is None else {"network": list(network)})},  # type: ignore[call-overload]
        }
        build.add(statement(TRACE, predicate, {"sha256": sha256(b"the application\n").hex}), getattr(build, signer))

    return make


# Requirement, what is changed, and what the reason says.
NOT_MET: list[tuple[str, Change, str]] = [
    ("build-provenance", lambda b: b.documents.pop(0), "no evidence"),
    ("build-provenance", lambda b: b.predicate["runDetails"]["builder"].update(id=""), "does not name its builder"),
    ("build-provenance", unsigned, "no evidence"),
    ("build-expected", setting("source", "git+https://git.example/other"), f"source is {REPOSITORY}"),
    ("build-expected", setting("ref", "refs/heads/release"), "ref is refs/heads/main"),
    ("build-expected", setting("builder", "https://other.example"), f"builder is {BUILDER}"),
    ("build-expected", setting("build_type", "https://other.example"), "build type is"),
    ("build-expected", parameter("debug", True), "external parameter debug is not expected"),
    ("build-expected", parameter("entryPoint", "evil.yaml"), "external parameter entryPoint is another"),
    ("build-expected", lambda b: b.parameters.pop("entryPoint"), "external parameter entryPoint is missing"),
    ("build-expected", setting("image", "another"), "no such image"),
    ("build-expected", lambda b: b.dependencies.pop(0), "no commit of it"),
    ("build-authentic", no_line, "is in no table"),
    ("build-authentic", line(level=1), "up to level 1"),
    ("build-authentic", line(build_types=["https://other.example"]), "makes no builds of type"),
    ("build-hosted", no_line, "is in no table"),
    ("build-unforgeable", line(level=2), "up to level 2"),
    ("build-isolated", line(level=2), "up to level 2"),
    ("build-parameters", without("parameters"), "nobody said which external parameters"),
    ("build-parameters", lambda b: b.expectations.pop("images"), "nobody said which external parameters"),
    ("source-controlled", no_summary, "no source summary of commit"),
    ("source-controlled", source(resourceUri="git+https://git.example/fork"), "it is about git+https://git.example/fork"),
    ("source-controlled", source(verificationResult="FAILED"), "its result is FAILED"),
    ("source-controlled", source(verifiedLevels=["SLSA_SOURCE_LEVEL_UNEVALUATED"]), "SLSA_SOURCE_LEVEL_UNEVALUATED"),
    ("source-controlled", source(verifiedLevels=["SLSA_BUILD_LEVEL_3"]), "not SLSA_SOURCE_LEVEL_1"),
    ("source-controlled", source(verifier={"id": "https://other.example"}), "not one that is trusted"),
    ("source-controlled", lambda b: b.sign(1, b.mallory), "is signed by"),
    ("source-controlled", lambda b: b.sign(1, None), "it is not signed"),
    ("source-controlled", lambda b: b.documents[1][0]["subject"][0].pop("annotations"), "it is for no ref"),
    ("source-history", source(verifiedLevels=["SLSA_SOURCE_LEVEL_1"]), "reaches Source L1 only"),
    ("source-controls", source(verifiedLevels=["SLSA_SOURCE_LEVEL_2"]), "reaches Source L2 only"),
    ("source-two-party", source(), "reaches Source L3 only"),
    ("table-documented", without("parameters"), "no layout, and no expectation"),
    ("table-scripted", no_entry_point, "no build definition"),
    ("table-provenance", unsigned, "no evidence"),
    ("table-builder", no_builder_id, "names no builder"),
    ("table-service", no_line, "is in no table"),
    ("table-authenticated", unsigned, "no evidence"),
    ("table-generated", no_line, "is in no table"),
    ("table-generated", lambda b: b.expectations["people"].update(carol=[pem(b.builder)]), "belongs to carol"),
    ("table-version-control", without("source"), "nothing says which source"),
    ("table-version-control", no_source, "no commit is recorded"),
    ("table-as-code", no_entry_point, "no build definition"),
    ("table-ephemeral", line(level=2), "up to level 2"),
    ("table-isolated", line(level=2), "up to level 2"),
    ("table-non-falsifiable", line(level=2), "up to level 2"),
    ("table-parameters", without("parameters"), "nobody said which external parameters"),
    ("table-parameters", old(lambda b: b.predicate["metadata"].update(completeness={})), "has recorded all parameters"),
    ("table-history", source(verifiedLevels=["SLSA_SOURCE_LEVEL_1"]), "reaches Source L1 only"),
    ("table-retained", source(verifiedLevels=["SLSA_SOURCE_LEVEL_1"]), "reaches Source L1 only"),
    ("table-two-person", lambda b: b.documents.pop(), "only alice agreed"),
    ("table-two-person", lambda b: b.sign(3, b.alice), "only alice agreed"),
    ("table-two-person", lambda b: b.sign(3, b.mallory), "who is no reviewer"),
    ("table-two-person", another_commit, "only alice agreed"),
    ("table-two-person", lambda b: b.expectations.update(reviewers=["alice"]), "who is no reviewer"),
    ("table-two-person", on_a_condition, "only alice agreed"),
    ("table-kept", source(verifiedLevels=["SLSA_SOURCE_LEVEL_2"]), "reaches Source L2 only"),
    ("table-parameterless", takes_a_parameter, "takes parameters: target"),
    ("table-parameterless", old(lambda b: b.predicate["invocation"].update(parameters={"x": "1"})), "no evidence"),
    ("table-hermetic", line(hermetic=False), "nothing says that the build had no network"),
    ("table-hermetic", dependency(1, digest={}), "no digest that decides pins pkg:oci/base@1"),
    ("table-hermetic", dependency(1, digest={"md5": "ab" * 16}), "no digest that decides pins"),
    ("table-hermetic", no_dependency, "no dependency is recorded"),
    ("table-hermetic", trace(network=[{"to": "192.0.2.1"}]), "saw 1 connections"),
    ("table-hermetic", trace(network=None), "did not watch connections"),
    ("table-hermetic", trace(policy="openat"), "did not watch connections"),
    ("table-hermetic", trace(signer="mallory"), "not signed by a monitor"),
    ("table-dependencies", line(hermetic=False), "recorded all dependencies"),
    ("table-dependencies", dependency(1, digest={}), "no digest that decides pins"),
    ("table-reproducible", source(), "only one builder made it"),
]  # fmt: skip

# Requirement, and what makes it met in another way than by the sample itself.
MET: list[tuple[str, Change]] = [
    ("source-two-party", level_four),
    ("table-two-person", together(level_four, lambda b: b.expectations.update(reviewers=[]))),
    (
        "table-two-person",
        together(
            source(verifiedLevels=["SLSA_SOURCE_LEVEL_3", TWO_PARTY]), lambda b: b.expectations.update(reviewers=[])
        ),
    ),
    ("table-hermetic", trace()),
    ("table-hermetic", together(line(hermetic=False), old())),
    ("table-dependencies", together(line(hermetic=False), old())),
    ("table-dependencies", trace()),
    ("table-parameters", old()),
    ("table-parameterless", old()),
    ("table-parameterless", together(parameter("inputs", {}), without("parameters"))),
    ("table-as-code", old()),
    ("build-parameters", old()),
    ("build-parameters", setting("parameters", {"source": SOURCE, "entryPoint": {"$any": ["ci/build.yaml", "x"]}})),
    ("build-expected", setting("source", [f"{REPOSITORY}.git", "https://git.example/other"])),
    ("build-expected", lambda b: b.expectations.pop("images")),
]

BEST_EFFORT = {"table-reproducible"}


def test_the_sample_reaches_what_it_is_said_to() -> None:
    found = SampleBuild().assess()
    assert [ladder.reached for ladder in found.ladders] == [3, 3, 4, 4]
    assert found.verdict.passed
    assert found.results == ("SLSA_BUILD_LEVEL_3",)


@pytest.mark.parametrize("one", REQUIREMENTS, ids=lambda one: one.id)
def test_the_sample_meets_every_requirement_that_can_be_met(one: Any) -> None:
    build = SampleBuild()
    if one.name == "two-party":
        level_four(build)
    check = leaf(build.assess(), one.id)
    assert check.spec == one.spec
    if one.declared_only:
        assert check.is_note
        return
    assert check.outcome is (Outcome.WARN if one.best_effort else Outcome.PASS)
    if not one.best_effort:
        assert check.facts["class"] in ("cryptographic", "builder trusted")
        assert check.facts["evidence"]


@pytest.mark.parametrize(("name", "change", "reason"), NOT_MET, ids=[f"{row[0]}-{row[2][:30]}" for row in NOT_MET])
def test_what_is_missing_is_not_met_for_that_reason(name: str, change: Change, reason: str) -> None:
    build = SampleBuild()
    change(build)
    found = build.assess()
    check = leaf(found, f"slsa.{name}")
    assert check.outcome is (Outcome.WARN if name in BEST_EFFORT else Outcome.FAIL), check.reason
    assert reason in check.reason
    assert check.facts["remedy"]
    requirement = next(one for one in REQUIREMENTS if one.id == f"slsa.{name}")
    ladder = {"build": found.build, "source": found.source, "table": found.table}[requirement.track]
    if name not in BEST_EFFORT:
        assert ladder.reached < requirement.level


@pytest.mark.parametrize(("name", "change"), MET, ids=[f"{row[0]}-{number}" for number, row in enumerate(MET)])
def test_each_way_to_meet_a_requirement(name: str, change: Change) -> None:
    build = SampleBuild()
    change(build)
    assert leaf(build.assess(), f"slsa.{name}").outcome.passes


def test_every_requirement_is_in_both_tables() -> None:
    names = {one.id.removeprefix("slsa.") for one in REQUIREMENTS if not one.declared_only}
    assert {name for name, *_ in NOT_MET} == names


# --- declared ------------------------------------------------------------------------------------------------------

LEVEL_3 = ("service", "generated", "version-control", "as-code", "ephemeral", "isolated", "non-falsifiable",
           "parameters", "history", "retained")  # fmt: skip


def declaring(*names: str) -> SampleBuild:
    """Signed provenance by a builder that nobody knows, without a summary, and declarations."""
    build = SampleBuild()
    no_line(build)
    build.documents = build.documents[:1]
    build.expectations["declared"] = dict.fromkeys(names, "by contract")
    return build


def test_what_is_declared_raises_the_declared_level_only() -> None:
    found = declaring(*LEVEL_3).assess()
    assert (found.table.reached, found.declared.reached) == (1, 3)
    assert leaf(found, "slsa.table-history", declared=True).facts["class"] == "declared"
    assert leaf(found, "slsa.table-history").outcome is Outcome.FAIL


@pytest.mark.parametrize(
    "missing", ["service", "generated", "ephemeral", "isolated", "non-falsifiable", "history", "retained"]
)
def test_a_level_is_declared_only_where_all_of_it_is(missing: str) -> None:
    found = declaring(*(name for name in LEVEL_3 if name != missing)).assess()
    assert found.declared.reached < 3


def test_what_nothing_can_prove_must_be_declared_for_level_4() -> None:
    rest = ("two-person", "kept", "parameterless", "hermetic", "dependencies")
    assert declaring(*LEVEL_3, *rest).assess().declared.reached == 3
    assert declaring(*LEVEL_3, *rest, "security", "access", "superusers").assess().declared.reached == 4


def test_what_evidence_has_reached_need_not_be_declared() -> None:
    found = SampleBuild().assess()
    assert (found.table.reached, found.declared.reached) == (4, 4)


def test_nothing_that_signatures_decide_can_be_declared() -> None:
    assert not {"documented", "scripted", "provenance", "builder", "authenticated", "authentic"} & DECLARABLE


# --- properties ----------------------------------------------------------------------------------------------------


def second_builder(build: SampleBuild, *, signer: str = "mallory", level: int = 3) -> None:
    """Provenance by another builder of the same artifact."""
    other = "https://other.example/builder"
    document = SampleBuild(builder=build.builder).documents[0][0]
    document["predicate"]["runDetails"]["builder"]["id"] = other
    key = {"key": pem(getattr(build, signer))}
    build.expectations["builders"].append({"id": other, "signer": key, "level": level, "hosted": True})
    build.expected["builder"] = [BUILDER, other]
    build.add(document, getattr(build, signer))


def test_two_builders_that_made_the_same_reproduced_it() -> None:
    build = SampleBuild()
    second_builder(build)
    found = build.assess()
    assert REPRODUCED in found.properties
    assert found.results == ("SLSA_BUILD_LEVEL_3", REPRODUCED)
    assert leaf(found, "slsa.table-reproducible").outcome is Outcome.PASS


@pytest.mark.parametrize("more", [{"signer": "builder"}, {"level": 1}])
def test_one_builder_under_two_names_reproduces_nothing(more: dict[str, Any]) -> None:
    build = SampleBuild()
    second_builder(build, **more)
    assert REPRODUCED not in build.assess().properties


def test_a_summary_may_vouch_for_the_artifact_instead_of_provenance() -> None:
    build = SampleBuild()
    app = {"sha256": sha256(b"the application\n").hex}
    document = statement(
        "https://slsa.dev/verification_summary/v1", summary(["SLSA_BUILD_LEVEL_2"], resource="pkg:generic/app"), app
    )
    build.documents = [(document, build.verifier)]
    del build.expectations["images"]
    found = build.assess()
    assert found.build.reached == 2
    assert leaf(found, "slsa.build-isolated").outcome is Outcome.FAIL
    assert COMMIT not in str(found.source.check.reason)


def test_a_track_is_judged_for_a_level() -> None:
    with pytest.raises(Malformed, match="level from 1"):
        climb("build", "SLSA v1.2 Build", {}, root="slsa", need=0)


def test_what_source_level_was_reached_instead_is_said() -> None:
    build = SampleBuild()
    source(verifiedLevels=["SLSA_SOURCE_LEVEL_1"])(build)
    assert leaf(build.assess(), "slsa.table-kept").reason.endswith("reaches Source L1 only")
    no_summary(build)
    assert leaf(build.assess(), "slsa.table-kept").reason == f"there is no source summary of commit {COMMIT[:12]}"


# --- a step that `navicert run` recorded ---------------------------------------------------------------------------


def recorded(build: SampleBuild, command: list[str] | None = None) -> None:
    """Provenance made of a link: the parameters are the step, its command, and the source that CI named."""
    definition = build.predicate["buildDefinition"]
    definition["buildType"] = build.expected["build_type"] = "urn:navicert:build:recorded-step:v1"
    definition["externalParameters"] = {"step": "build", "command": ["make"] if command is None else command}
    definition["externalParameters"]["source"] = SOURCE
    build.expected["parameters"] = {"step": "build", "command": ["make"], "source": SOURCE}


def test_a_recorded_step_that_is_expected_is_its_own_definition() -> None:
    build = SampleBuild()
    recorded(build)
    found = build.assess()
    assert [ladder.reached for ladder in found.ladders] == [3, 3, 4, 4]
    assert leaf(found, "slsa.table-as-code").reason == "make"


def test_a_recorded_command_that_nobody_expects_comes_from_anywhere() -> None:
    build = SampleBuild()
    recorded(build)
    del build.expected["parameters"]
    check = leaf(build.assess(), "slsa.table-as-code")
    assert check.outcome is Outcome.FAIL
    assert "not one that is expected" in check.reason
    recorded(build, [])
    assert leaf(build.assess(), "slsa.table-scripted").outcome is Outcome.FAIL


def test_only_of_a_recorded_step_is_the_command_no_parameter() -> None:
    build = SampleBuild()
    build.parameters["command"] = build.expected["parameters"]["command"] = ["make"]
    assert "takes parameters: command" in leaf(build.assess(), "slsa.table-parameterless").reason
