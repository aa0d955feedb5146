"""Verification summaries in all their versions. Spec: SLSA verification_summary.md."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from navicert.errors import Malformed
from navicert.model.predicate.vsa import VSA, VSA_TYPES, VerificationSummary


def summary(**more: Any) -> dict[str, Any]:
    """A small predicate of v1."""
    return {
        "verifier": {"id": "https://example.com/verifier", "version": {"navicert": "1"}},
        "timeVerified": "2026-10-01T00:00:00Z",
        "resourceUri": "pkg:oci/app",
        "policy": {"uri": "https://example.com/policy", "digest": {"sha256": "ab" * 32}},
        "inputAttestations": [{"uri": "https://example.com/1", "digest": {"sha256": "cd" * 32}}],
        "verificationResult": "PASSED",
        "verifiedLevels": ["SLSA_BUILD_LEVEL_3"],
        "dependencyLevels": {"SLSA_BUILD_LEVEL_0": 2},
        "slsaVersion": "1.2",
        **more,
    }


def read(**more: Any) -> VerificationSummary:
    return VerificationSummary.from_json(summary(**more), "/predicate", VSA)


def test_v1_is_read_and_written() -> None:
    assert read().time_verified == datetime(2026, 10, 1, tzinfo=UTC)
    assert read().levels == ("SLSA_BUILD_LEVEL_3",)
    assert read().to_json() == summary()


@pytest.mark.parametrize(
    "levels",
    [
        ["SLSA_BUILD_LEVEL_UNEVALUATED", "EXAMPLE_CHECKED"],
        ["SLSA_SOURCE_LEVEL_4", "SLSA_SOURCE_TWO_PARTY_REVIEWED", "ORG_SOURCE_SIGNED"],
        ["SLSA_BUILD_LEVEL_3", "SLSA_BUILD_REPRODUCED"],
        ["FAILED"],
    ],
)
def test_every_legal_level_is_read(levels: list[str]) -> None:
    assert read(verifiedLevels=levels).levels == tuple(levels)


@pytest.mark.parametrize("predicate_type", VSA_TYPES[1:])
def test_old_versions_are_read(predicate_type: str) -> None:
    old = {
        "verifier": {"id": "https://example.com/verifier"},
        "time_verified": "2022-10-01T00:00:00Z",
        "resource_uri": "pkg:oci/app",
        "policy": {"uri": "https://example.com/policy"},
        "verification_result": "PASSED",
        "policy_level": "SLSA_LEVEL_3",
        "dependency_levels": {"SLSA_LEVEL_1": "2"},
    }
    found = VerificationSummary.from_json(old, "/predicate", predicate_type)
    assert (found.resource_uri, found.levels, found.dependency_levels) == (
        "pkg:oci/app",
        ("SLSA_LEVEL_3",),
        {"SLSA_LEVEL_1": 2},
    )


def test_an_old_name_beside_the_new_one_is_refused() -> None:
    with pytest.raises(Malformed, match="two names"):
        VerificationSummary.from_json({**summary(), "resource_uri": "pkg:oci/other"}, "/predicate", VSA_TYPES[1])


def test_old_names_mean_nothing_in_v1() -> None:
    document = summary()
    document["resource_uri"] = document.pop("resourceUri")
    with pytest.raises(Malformed, match="resourceUri"):
        VerificationSummary.from_json(document, "/predicate", VSA)


def test_no_claim_about_dependencies_is_not_the_claim_that_there_are_none() -> None:
    assert read(dependencyLevels=None).dependency_levels is None
    assert read(dependencyLevels={}).dependency_levels == {}
    assert "dependencyLevels" not in read(dependencyLevels=None).to_json()
    assert read(dependencyLevels={}).to_json()["dependencyLevels"] == {}


def test_one_that_failed_need_not_name_a_level() -> None:
    assert read(verificationResult="FAILED", verifiedLevels=[]).levels == ()


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"verifier": {}}, "/predicate/verifier"),
        ({"verifier": None}, "/predicate"),
        ({"resourceUri": ""}, "/predicate"),
        ({"policy": None}, "/predicate"),
        ({"verificationResult": "passed"}, "/predicate/verificationResult"),
        ({"verificationResult": None}, "/predicate"),
        ({"verifiedLevels": []}, "/predicate"),
        ({"verifiedLevels": [""]}, "/predicate/verifiedLevels"),
        ({"verifiedLevels": "SLSA_BUILD_LEVEL_3"}, "/predicate/verifiedLevels"),
        ({"dependencyLevels": {"SLSA_BUILD_LEVEL_3": -1}}, "/predicate/dependencyLevels"),
        ({"dependencyLevels": {"SLSA_BUILD_LEVEL_3": True}}, "/predicate/dependencyLevels"),
        ({"timeVerified": "yesterday"}, "/predicate/timeVerified"),
    ],
)
def test_what_is_missing_or_wrong_is_named(change: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Malformed) as caught:
        read(**change)
    assert caught.value.pointer == pointer


def test_another_type_is_no_summary() -> None:
    with pytest.raises(Malformed, match="not a verification summary"):
        VerificationSummary.from_json(summary(), "/predicate", "https://example.com/vsa")
