"""Dependencies, and theirs in turn; a summary ends the search. Spec: SLSA v1.2 verifying-artifacts.md, step 3."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
from tests.sample_build import BASE, BUILDER, SOURCE, VSA, SampleBuild, provenance, statement, summary

from navicert.digest import sha256
from navicert.limits import LOCAL
from navicert.slsa.assess import Assessment, assess
from navicert.verdict import Check, Outcome


def depending(need: int = 1) -> SampleBuild:
    build = SampleBuild()
    build.expected["dependencies"] = need
    return build


def check_of(found: Assessment) -> Check:
    return next(check for check in found.verdict.root.counted if check.id == "slsa.dependencies")


def summarised(build: SampleBuild, level: int = 3, *, uri: str = BASE["uri"], **more: Any) -> None:
    """A summary of the base image."""
    predicate = summary([f"SLSA_BUILD_LEVEL_{level}"], resource=uri, **more)
    build.add(statement(VSA, predicate, dict(BASE["digest"])), build.verifier)


def built(build: SampleBuild, digest: dict[str, str], *dependencies: dict[str, Any], builder: str = BUILDER) -> None:
    """Provenance of a dependency, which has dependencies of its own."""
    predicate = provenance()
    predicate["runDetails"]["builder"]["id"] = builder
    predicate["buildDefinition"]["resolvedDependencies"] = [{"uri": SOURCE, "digest": {"gitCommit": "1f" * 20}}]
    predicate["buildDefinition"]["resolvedDependencies"] += copy.deepcopy(list(dependencies))
    build.add(statement("https://slsa.dev/provenance/v1", predicate, digest), build.builder)


def digest(text: str) -> dict[str, str]:
    return {"sha256": sha256(text.encode()).hex}


def test_a_dependency_that_nobody_vouches_for_fails() -> None:
    found = depending().assess()
    assert not found.verdict.passed
    (cause,) = [check for _, check in found.verdict.causes()]
    assert cause.id == "slsa.dependency"
    assert "no summary and no provenance" in cause.reason


def test_a_summary_is_enough() -> None:
    build = depending(3)
    summarised(build)
    found = build.assess()
    assert found.verdict.passed
    assert found.dependencies == {"SLSA_BUILD_LEVEL_3": 1, "SLSA_SOURCE_LEVEL_3": 1}


@pytest.mark.parametrize(
    "more",
    [
        {"level": 2},
        {"uri": "pkg:oci/other@1"},
        {"verificationResult": "FAILED"},
        {"verifier": "https://other.example"},
    ],
)
def test_a_summary_that_does_not_hold_is_none(more: dict[str, Any]) -> None:
    build = depending(3)
    summarised(build, **more)
    assert check_of(build.assess()).outcome is Outcome.FAIL


def test_provenance_is_worth_build_level_2_and_asks_for_more() -> None:
    build = depending(2)
    built(build, dict(BASE["digest"]), {"uri": "pkg:deep", "digest": digest("deep")})
    found = check_of(build.assess())
    assert [(check.subject, check.outcome.passes) for check in found.children] == [
        (BASE["uri"], True),
        ("pkg:deep", False),
    ]
    built(build, digest("deep"))
    assert check_of(build.assess()).outcome is Outcome.PASS
    build.expected["dependencies"] = 3
    assert check_of(build.assess()).outcome is Outcome.FAIL


def test_a_summary_ends_the_search() -> None:
    build = depending(1)
    built(build, dict(BASE["digest"]), {"uri": "pkg:deep", "digest": digest("deep")})
    assert check_of(build.assess()).outcome is Outcome.FAIL
    summarised(build)
    assert check_of(build.assess()).outcome is Outcome.PASS


def test_a_circle_of_dependencies_ends() -> None:
    build = depending(1)
    built(build, dict(BASE["digest"]), {"uri": "pkg:a", "digest": digest("a")})
    built(build, digest("a"), {"uri": "pkg:b", "digest": digest("b")})
    built(build, digest("b"), {"uri": "pkg:a", "digest": digest("a")})
    found = check_of(build.assess())
    assert found.outcome is Outcome.PASS
    assert len(found.children) == 3


@pytest.mark.parametrize("name", ["dependencies", "dependency_depth"])
def test_a_limit_that_is_reached_fails_and_is_named(name: str) -> None:
    build = depending(1)
    built(build, dict(BASE["digest"]), {"uri": "pkg:a", "digest": digest("a")})
    built(build, digest("a"))
    bounded = replace(build.inquiry(), limits=replace(LOCAL, **{name: 1}))
    found = check_of(assess(bounded))
    assert found.outcome is Outcome.FAIL
    assert f"limit {name}" in found.children[-1].reason


def test_a_builder_that_somebody_else_signed_for_is_worth_nothing() -> None:
    build = depending(1)
    built(build, dict(BASE["digest"]))
    build.sign(len(build.documents) - 1, build.mallory)
    assert check_of(build.assess()).outcome is Outcome.FAIL


def test_a_dependency_without_a_digest_is_not_found_by_name() -> None:
    build = depending(1)
    summarised(build)
    build.dependencies[1]["digest"] = {}
    found = check_of(build.assess())
    assert found.outcome is Outcome.FAIL
    assert "no digest that decides" in found.children[0].reason


def test_only_source_went_in() -> None:
    build = depending(3)
    del build.dependencies[1]
    assert check_of(build.assess()).outcome is Outcome.PASS


def test_without_provenance_nothing_is_known_of_dependencies() -> None:
    build = depending(1)
    build.documents = build.documents[1:]
    assert check_of(build.assess()).outcome is Outcome.FAIL
