"""Scans for vulnerabilities as predicates: the JSON reports of trivy and grype, as vulns v0.2.

A report that lacks what a scan is made of is refused: no list of results is not a clean one.
Spec: in-toto attestation framework, spec/predicates/vulns_02.md.
"""

from __future__ import annotations

from navicert.authoring.predicate.about import about_anchore, about_trivy
from navicert.authoring.predicate.draft import Draft, known_kind
from navicert.dataclass import dataclass
from navicert.errors import Malformed
from navicert.limits import LOCAL, Limits
from navicert.model.field import as_object
from navicert.model.predicate.reader import Reader
from navicert.strictjson import loads, type_name
from navicert.timestamp import format_timestamp, parse_rfc3339

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from typing import Final

_TRIVY: Final = "pkg:github/aquasecurity/trivy"
_GRYPE: Final = "pkg:github/anchore/grype"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a report may leave out and its maker knows: the scanner's version, when its database was last updated, and
    when the scan began and ended."""

    version: str = ""
    database_updated: datetime | None = None
    started: datetime | None = None
    finished: datetime | None = None


def scan_draft(raw: bytes, facts: Facts, limits: Limits = LOCAL, *, path: str = "") -> Draft:
    """The predicate for the report in `raw`. Raises `Malformed` for what is no report, and for one that lacks
    something which `facts` do not say either."""
    try:
        document = as_object(loads(raw, limits), "")
        reader = Reader(document, "")
        descriptor = document.get("descriptor")
        if isinstance(descriptor, dict) and descriptor.get("name") == "grype":
            return _grype(reader, facts).checked()
        if "SchemaVersion" in document and "ArtifactName" in document:
            return _trivy(reader, facts).checked()
        fields = ", ".join(sorted(document)[:6]) or "no field"
        raise Malformed(
            "not a scanner's report",
            expected="what trivy --format json or grype -o json writes",
            got=f"an object with {fields}",
        )
    except Malformed as error:
        raise error.at(path) from None


def _predicate(
    uri: str,
    version: str,
    database: Mapping[str, str],
    updated: datetime | None,
    found: list[dict[str, object]],
    times: _Times,
) -> dict[str, object]:
    if updated is None:
        raise Malformed(
            "the report does not say when the scanner's database was updated",
            remedy="say it with --db-updated TIME, or --db FILE, the metadata.json of trivy's cache",
        )
    scanner: dict[str, object] = {"uri": f"{uri}@{version}" if version else uri}
    if version:
        scanner["version"] = version
    scanner["db"] = {**database, "lastUpdate": format_timestamp(updated)}
    scanner["result"] = found
    return {
        "scanner": scanner,
        "metadata": {
            "scanStartedOn": format_timestamp(times.started),
            "scanFinishedOn": format_timestamp(times.finished),
        },
    }


@dataclass(frozen=True, slots=True)
class _Times:
    started: datetime
    finished: datetime


def _times(reported: datetime | None, facts: Facts) -> _Times:
    """When the scan ran: what its maker says, else what the report says, which knows one moment only."""
    started, finished = facts.started or reported, facts.finished or reported
    if started is None or finished is None:
        raise Malformed(
            "the report does not say when the scan ran", remedy="say it with --started TIME and --finished TIME"
        )
    return _Times(started, finished)


def _severity(method: str, score: object) -> dict[str, object]:
    return {"method": method, "score": str(score)}


def _annotations(facts: Mapping[str, str]) -> list[object]:
    return [{name: value} for name, value in facts.items() if value]


# --- trivy ---------------------------------------------------------------------------------------------------------


def _trivy(report: Reader, facts: Facts) -> Draft:
    # A report without Results scanned nothing that it knows; a clean target has Results without Vulnerabilities.
    results = report.array("Results")
    if not results:
        raise Malformed(
            "the scanner found nothing that it could scan", pointer=report.at("Results"), expected="at least one result"
        )
    found = [entry for result in report.children("Results") for entry in _trivy_findings(result)]
    version = facts.version or report.maybe_child("Trivy").maybe_text("Version")
    warnings = []
    ignored = sum(len(result.maybe_array("ExperimentalModifiedFindings")) for result in report.children("Results"))
    if ignored:
        warnings.append(f"suppressed when trivy ran, and not in the attestation: {ignored} findings")
    secrets = sum(
        len(result.maybe_array(name))
        for result in report.children("Results")
        for name in ("Secrets", "Misconfigurations")
    )
    if secrets:
        warnings.append(f"no vulnerabilities, and not in the attestation: {secrets} secrets and misconfigurations")
    times = _times(_moment(report, "CreatedAt"), facts)
    predicate = _predicate(_TRIVY, version, {}, facts.database_updated, found, times)
    return Draft(known_kind("vulns").type, predicate, tuple(warnings), about_trivy(report.fields))


def _trivy_findings(result: Reader) -> Iterator[dict[str, object]]:
    for one in result.children("Vulnerabilities"):
        severities = [_severity(one.maybe_text("SeveritySource") or "trivy", one.maybe_text("Severity") or "UNKNOWN")]
        for source, scores in sorted(one.mapping("CVSS").items()):
            given = as_object(scores, f"{one.at('CVSS')}/{source}")
            for name, method in (("V40Score", "cvss_v4"), ("V3Score", "cvss_v3"), ("V2Score", "cvss_v2")):
                if _is_number(given.get(name)):
                    severities.append(_severity(f"{method}/{source}", given[name]))
        identifier = one.maybe_child("PkgIdentifier")
        yield {
            "id": one.text("VulnerabilityID"),
            "severity": severities,
            "annotations": _annotations(
                {
                    "package": one.maybe_text("PkgName"),
                    "version": one.maybe_text("InstalledVersion"),
                    "fixedVersion": one.maybe_text("FixedVersion"),
                    "purl": identifier.maybe_text("PURL"),
                    "target": result.maybe_text("Target"),
                }
            ),
        }


# --- grype ---------------------------------------------------------------------------------------------------------


def _grype(report: Reader, facts: Facts) -> Draft:
    report.array("matches")
    found = [_grype_finding(match) for match in report.children("matches")]
    descriptor = report.child("descriptor")
    database = descriptor.maybe_child("db")
    # Since version 0.88 what was directly in `db` is in `db.status`.
    status = database.maybe_child("status") if database.has("status") else database
    version = facts.version or descriptor.maybe_text("version")
    described = {"uri": status.maybe_text("from") or status.maybe_text("location"), "version": _schema(status)}
    warnings = []
    ignored = len(report.maybe_array("ignoredMatches"))
    if ignored:
        warnings.append(f"ignored when grype ran, and not in the attestation: {ignored} findings")
    times = _times(_moment(descriptor, "timestamp"), facts)
    updated = facts.database_updated or _moment(status, "built")
    predicate = _predicate(_GRYPE, version, {k: v for k, v in described.items() if v}, updated, found, times)
    return Draft(known_kind("vulns").type, predicate, tuple(warnings), about_anchore(report.fields))


def _grype_finding(match: Reader) -> dict[str, object]:
    one, artifact = match.child("vulnerability"), match.maybe_child("artifact")
    severities = [_severity(one.maybe_text("namespace") or "grype", one.maybe_text("severity") or "Unknown")]
    for cvss in one.children("cvss"):
        score = cvss.maybe_child("metrics").fields.get("baseScore")
        if _is_number(score):
            source = cvss.maybe_text("source") or "unknown"
            severities.append(_severity(f"cvss_v{cvss.maybe_text('version') or '?'}/{source}", score))
    fixed = one.maybe_child("fix").texts("versions")
    return {
        "id": one.text("id"),
        "severity": severities,
        "annotations": _annotations(
            {
                "package": artifact.maybe_text("name"),
                "version": artifact.maybe_text("version"),
                "fixedVersion": ", ".join(fixed),
                "purl": artifact.maybe_text("purl"),
            }
        ),
    }


def _schema(status: Reader) -> str:
    value = status.fields.get("schemaVersion")
    if value is not None and not isinstance(value, str | int):
        raise Malformed("wrong type", pointer=status.at("schemaVersion"), expected="string", got=type_name(value))
    return "" if value is None else str(value)


def _moment(reader: Reader, name: str) -> datetime | None:
    moment = reader.maybe_moment(name)
    # Go's zero time stands for none.
    return None if moment is None or moment.year < 1970 else moment


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def database_moment(raw: bytes, limits: Limits = LOCAL, *, path: str = "") -> datetime:
    """When trivy's database was last updated, from the metadata.json in its cache. Raises `Malformed`."""
    try:
        return parse_rfc3339(Reader.of(loads(raw, limits), "").text("UpdatedAt"))
    except Malformed as error:
        raise error.at(path) from None
