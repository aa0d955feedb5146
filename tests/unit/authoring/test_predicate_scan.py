"""Scanners' reports become vulns v0.2, and what they lack is not made up."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from navicert.authoring.predicate.scan import Facts, database_moment, scan_draft
from navicert.errors import Malformed
from navicert.model.predicate import read_predicate
from navicert.model.predicate.vulns import VulnsPredicate

UPDATED = datetime(2026, 1, 1, tzinfo=UTC)
FLAW = {
    "VulnerabilityID": "CVE-2024-1",
    "PkgName": "jinja2",
    "InstalledVersion": "3.0.0",
    "FixedVersion": "3.0.1",
    "PkgIdentifier": {"PURL": "pkg:pypi/jinja2@3.0.0"},
    "SeveritySource": "nvd",
    "Severity": "HIGH",
    "CVSS": {"nvd": {"V3Score": 7.5, "V3Vector": "x", "V2Score": 5}, "ghsa": {"V40Score": 8.1}},
}
TRIVY: dict[str, Any] = {
    "SchemaVersion": 2,
    "CreatedAt": "2026-01-02T03:04:05.95293204Z",
    "ArtifactName": "project",
    "Results": [{"Target": "requirements.txt", "Vulnerabilities": [FLAW]}, {"Target": "b"}],
}
GRYPE: dict[str, Any] = {
    "matches": [
        {
            "vulnerability": {
                "id": "GHSA-1",
                "namespace": "github:language:python",
                "severity": "Medium",
                "cvss": [{"version": "3.1", "source": "nvd", "metrics": {"baseScore": 5.4}}, {"metrics": {}}],
                "fix": {"versions": ["2.11.3"], "state": "fixed"},
            },
            "artifact": {"name": "jinja2", "version": "2.0", "purl": "pkg:pypi/jinja2@2.0"},
        }
    ],
    "source": {"type": "image"},
    "descriptor": {
        "name": "grype",
        "version": "0.80.0",
        "timestamp": "2026-01-02T03:04:05+01:00",
        "db": {"built": "2026-01-01T01:02:03Z", "schemaVersion": 5, "location": "/db"},
    },
}
NEWER = {"status": {"built": "2026-01-01T01:02:03Z", "schemaVersion": "v6.0.2", "from": "https://grype.anchore.io/db"}}


def draft(report: object, facts: Facts = Facts(database_updated=UPDATED)) -> Any:  # noqa: B008
    return scan_draft(json.dumps(report).encode(), facts, path="r.json")


def read(report: object, facts: Facts = Facts(database_updated=UPDATED)) -> VulnsPredicate:  # noqa: B008
    made = draft(report, facts)
    predicate = read_predicate(made.type, made.predicate)
    assert isinstance(predicate, VulnsPredicate)
    return predicate


def test_a_report_of_trivy() -> None:
    scan = read(TRIVY)
    (flaw,) = scan.findings
    assert flaw.id == "CVE-2024-1"
    assert [(one.method, one.score) for one in flaw.severities] == [
        ("nvd", "HIGH"),
        ("cvss_v4/ghsa", "8.1"),
        ("cvss_v3/nvd", "7.5"),
        ("cvss_v2/nvd", "5"),
    ]
    assert (scan.scanner, scan.version) == ("pkg:github/aquasecurity/trivy", "")
    assert scan.database_updated == UPDATED
    assert scan.started == scan.finished == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert {"purl": "pkg:pypi/jinja2@3.0.0"} in draft(TRIVY).predicate["scanner"]["result"][0]["annotations"]


def test_the_version_of_trivy_is_reported_by_some_and_given_otherwise() -> None:
    assert read({**TRIVY, "Trivy": {"Version": "0.60.0"}}).scanner == "pkg:github/aquasecurity/trivy@0.60.0"
    assert read(TRIVY, Facts("0.58.1", UPDATED)).version == "0.58.1"


def test_a_clean_target_has_results_and_no_findings() -> None:
    assert read({**TRIVY, "Results": [{"Target": "a"}]}).findings == ()
    assert read({**GRYPE, "matches": []}).findings == ()


@pytest.mark.parametrize("db", [GRYPE["descriptor"]["db"], NEWER])
def test_a_report_of_grype_in_both_forms(db: object) -> None:
    scan = read({**GRYPE, "descriptor": {**GRYPE["descriptor"], "db": db}}, Facts())
    (flaw,) = scan.findings
    assert [(one.method, one.score) for one in flaw.severities] == [
        ("github:language:python", "Medium"),
        ("cvss_v3.1/nvd", "5.4"),
    ]
    assert scan.database_updated == datetime(2026, 1, 1, 1, 2, 3, tzinfo=UTC)
    assert scan.started == datetime(2026, 1, 2, 2, 4, 5, tzinfo=UTC)
    assert scan.scanner == "pkg:github/anchore/grype@0.80.0"


def test_times_may_be_told_apart() -> None:
    later = datetime(2026, 1, 2, 4, tzinfo=UTC)
    scan = read(TRIVY, Facts("", UPDATED, None, later))
    assert (scan.started, scan.finished) == (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), later)


@pytest.mark.parametrize(
    ("report", "facts", "said"),
    [
        (TRIVY, Facts(), "when the scanner's database was updated"),
        ({**TRIVY, "CreatedAt": "0001-01-01T00:00:00Z"}, Facts("", UPDATED), "when the scan ran"),
        ({**TRIVY, "CreatedAt": None}, Facts("", UPDATED), "when the scan ran"),
        ({**TRIVY, "Results": []}, Facts("", UPDATED), "nothing that it could scan"),
        ({**TRIVY, "Results": None}, Facts("", UPDATED), "is missing"),
        ({**TRIVY, "Results": [{"Vulnerabilities": [{}]}]}, Facts("", UPDATED), "is missing"),
        ({**TRIVY, "Results": [{"Vulnerabilities": [{**FLAW, "CVSS": {"nvd": 7}}]}]}, Facts("", UPDATED), "wrong type"),
        ({k: v for k, v in GRYPE.items() if k != "matches"}, Facts("", UPDATED), "is missing"),
        ({**GRYPE, "descriptor": {"name": "grype"}}, Facts("", UPDATED), "when the scan ran"),
        ({**GRYPE, "descriptor": {**GRYPE["descriptor"], "db": {"schemaVersion": []}}}, Facts(), "wrong type"),
        (TRIVY, Facts("", UPDATED, datetime(2026, 1, 3, tzinfo=UTC)), "ended before it began"),
        ({"descriptor": {"name": "syft"}}, Facts("", UPDATED), "not a scanner's report"),
        ({}, Facts("", UPDATED), "no field"),
        ([], Facts("", UPDATED), "wrong type"),
    ],
)
def test_what_a_report_lacks_is_said(report: object, facts: Facts, said: str) -> None:
    with pytest.raises(Malformed, match=said) as caught:
        draft(report, facts)
    assert caught.value.path == "r.json"


def test_what_was_suppressed_is_said() -> None:
    report = {**TRIVY, "Results": [{"ExperimentalModifiedFindings": [{}, {}], "Secrets": [{}]}]}
    assert len(draft(report).warnings) == 2
    assert "1 findings" in draft({**GRYPE, "ignoredMatches": [{}]}).warnings[0]


def test_the_age_of_trivys_database() -> None:
    assert database_moment(b'{"UpdatedAt": "2026-01-01T00:00:00.5Z"}') == datetime(2026, 1, 1, 0, 0, 0, 500000, UTC)
    for raw in (b"{}", b"[]", b'{"UpdatedAt": "new"}'):
        with pytest.raises(Malformed) as caught:
            database_moment(raw, path="metadata.json")
        assert caught.value.path == "metadata.json"
