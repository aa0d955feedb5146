"""Predicates: each type with a document that its specification shows, and every field that it requires taken away."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from navicert.digest import DigestSet
from navicert.errors import Malformed
from navicert.model.predicate import KINDS, kind_named, kind_of, read_predicate, require_kind
from navicert.model.predicate.cosign_custom import CosignCustomPredicate
from navicert.model.predicate.cosign_vuln import CosignVulnPredicate
from navicert.model.predicate.cyclonedx import CycloneDxPredicate
from navicert.model.predicate.link import LinkPredicate
from navicert.model.predicate.openvex import OpenVexPredicate
from navicert.model.predicate.purl import PackageUrl
from navicert.model.predicate.reference import ReferencePredicate
from navicert.model.predicate.release import ReleasePredicate
from navicert.model.predicate.runtime_trace import RuntimeTracePredicate
from navicert.model.predicate.scai import ScaiPredicate
from navicert.model.predicate.spdx import SpdxPredicate
from navicert.model.predicate.svr import SvrPredicate
from navicert.model.predicate.test_result import ResultPredicate
from navicert.model.predicate.vulns import Severity, Vulnerability, VulnsPredicate

SHA = {"sha256": "ab" * 32}
MISSING = object()

LINK = {"name": "build", "command": ["make"], "materials": [{"name": "src", "digest": SHA}], "byproducts": {"rc": 0}}
SCAI = {
    "attributes": [
        {
            "attribute": "WITH_STACK_PROTECTION",
            "target": {"name": "lib", "digest": SHA},
            "conditions": {"flags": "-fstack-protector"},
            "evidence": {"uri": "https://example.com/e", "mediaType": "application/json"},
        }
    ],
    "producer": {"uri": "file:///usr/bin/gcc"},
}
TESTED = {
    "result": "PASSED",
    "configuration": [{"name": "ci.yml", "digest": {"gitBlob": "e" * 40}}],
    "url": "https://example.com/runs/1",
    "passedTests": ["a", "b"],
    "warnedTests": [],
    "failedTests": None,
}
VULNS = {
    "scanner": {
        "uri": "pkg:github/aquasecurity/trivy@v1",
        "version": "0.19.2",
        "db": {"uri": "pkg:github/db", "version": "v1", "lastUpdate": "2021-08-06T17:45:50.52Z"},
        "result": [
            {"id": "CVE-123", "severity": [{"method": "nvd", "score": "medium"}, {"method": "c", "score": 5.2}]}
        ],
    },
    "metadata": {"scanStartedOn": "2021-08-06T17:45:50.52Z", "scanFinishedOn": "2021-08-06T17:50:50.52Z"},
}
RELEASE = {"purl": "pkg:npm/%40angular/http@7.2.16", "packageId": "1234567890"}
TRACE = {
    "monitor": {"type": "https://example.com/tetragon", "configSource": {}, "tracePolicy": {"policies": []}},
    "monitoredProcess": {"hostID": "https://tekton.dev", "type": "https://tekton.dev/a", "event": "run-1"},
    "monitorLog": {"process": [{"eventType": "exit"}], "network": [], "fileAccess": [{"name": "/a", "digest": SHA}]},
    "metadata": {"buildStartedOn": "2022-10-13T22:55:50Z"},
}
SPDX = {
    "spdxVersion": "SPDX-2.3",
    "name": "app",
    "creationInfo": {"created": "2026-01-01T00:00:00Z", "creators": ["Tool: syft-1.18.1"]},
    "packages": [{"name": "musl"}],
    "relationships": [{}],
}
SPDX3 = {
    "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld",
    "@graph": [
        {"type": "CreationInfo", "specVersion": "3.0.1", "created": "2026-01-01T00:00:00Z"},
        {"type": "SpdxDocument", "name": "app"},
        {"type": "software_Package", "name": "musl"},
        {"type": "Relationship"},
    ],
}
CYCLONEDX = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "serialNumber": "urn:uuid:1",
    "metadata": {"timestamp": "2026-01-01T00:00:00+01:00", "component": {"name": "app"}},
    "components": [{"name": "musl"}],
}
REFERENCE = {
    "attester": {"id": "https://example.com/v1"},
    "references": [{"downloadLocation": "https://example.com/s", "digest": SHA, "mediaType": "application/spdx+json"}],
}
SVR = {
    "verifier": {"id": "https://example.com/v", "policies": [{"uri": "https://example.com/p"}]},
    "timeCreated": "1985-04-12T23:20:50.52Z",
    "properties": ["SLSA_BUILD_LEVEL_3"],
}
CUSTOM = {"Data": '{"foo": 1}\n', "Timestamp": "2021-08-06T17:45:50Z"}
VULN = {
    "invocation": {"parameters": None, "uri": "https://example.com/1", "event_id": "1", "builder.id": "GitHub"},
    "scanner": {"uri": "pkg:trivy", "version": "0.19.2", "db": {"uri": "", "version": ""}, "result": {"Results": []}},
    "metadata": {"scanStartedOn": "2021-08-06T17:45:50.52Z", "scanFinishedOn": "2021-08-06T17:50:50.52Z"},
}
VEX = {
    "@context": "https://openvex.dev/ns/v0.2.0",
    "@id": "https://example.com/vex-1",
    "author": "Wolfi",
    "timestamp": "2023-01-08T18:02:03.647787998-06:00",
    "version": 1,
    "statements": [
        {
            "vulnerability": {"name": "CVE-2014-123456"},
            "products": [{"@id": "pkg:apk/git@2.39"}],
            "status": "not_affected",
            "justification": "inline_mitigations_already_exist",
        }
    ],
}
NPM = {"name": "semver", "version": "7.5.4", "registry": "https://registry.npmjs.org"}

# Kind → a predicate of it, and the fields (with / between the levels) without which it is refused.
GOOD: dict[str, tuple[dict[str, Any], list[str]]] = {
    "link": (LINK, ["name", "materials/0/name", "materials/0/digest"]),
    "scai": (SCAI, ["attributes", "attributes/0", "attributes/0/attribute"]),
    "test-result": (TESTED, ["result", "configuration"]),
    "vulns": (
        VULNS,
        [
            "scanner", "scanner/uri", "scanner/db", "scanner/db/lastUpdate", "scanner/result", "metadata",
            "scanner/result/0/id", "scanner/result/0/severity", "scanner/result/0/severity/0/method",
            "scanner/result/0/severity/0/score", "metadata/scanStartedOn", "metadata/scanFinishedOn",
        ],
    ),
    "release": (RELEASE, ["purl"]),
    "runtime-trace": (
        TRACE,
        [
            "monitor", "monitor/type", "monitoredProcess", "monitoredProcess/hostID", "monitoredProcess/type",
            "monitoredProcess/event", "monitorLog",
        ],
    ),
    "spdx": (SPDX, ["spdxVersion", "packages"]),
    "cyclonedx": (CYCLONEDX, ["bomFormat", "specVersion"]),
    "reference": (
        REFERENCE,
        [
            "attester", "attester/id", "references", "references/0", "references/0/downloadLocation",
            "references/0/mediaType",
        ],
    ),
    "svr": (SVR, ["verifier", "verifier/id", "timeCreated", "properties", "properties/0"]),
    "custom": (CUSTOM, ["Data"]),
    "vuln": (VULN, ["scanner", "scanner/result"]),
    "sign": ({}, []),
    "openvex": (
        VEX,
        [
            "@context", "@id", "author", "timestamp", "statements", "statements/0", "statements/0/vulnerability",
            "statements/0/vulnerability/name", "statements/0/status", "statements/0/justification",
        ],
    ),
    "npm-publish": (NPM, ["name", "version", "registry"]),
}  # fmt: skip
REQUIRED = [(name, path) for name, (_, paths) in GOOD.items() for path in paths]


def changed(document: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """A copy of `document` with `value` at `path`, or without what is there."""
    whole = copy.deepcopy(document)
    node: Any = whole
    *parents, last = [int(part) if part.isdigit() else part for part in path.split("/")]
    for part in parents:
        node = node[part]
    if value is MISSING:
        del node[last]
    else:
        node[last] = value
    return whole


def read(name: str, predicate: dict[str, Any]) -> Any:
    kind = kind_named(name)
    assert kind is not None
    return read_predicate(kind.type, predicate)


@pytest.mark.parametrize("name", GOOD)
def test_what_the_specification_shows_is_read(name: str) -> None:
    kind = kind_named(name)
    assert kind is not None
    for type in kind.types:
        assert type_name(read_predicate(type, GOOD[name][0])) == kind.reader


def type_name(value: object) -> str:
    return type(value).__name__


@pytest.mark.parametrize("name", GOOD)
def test_fields_that_nobody_knows_are_ignored(name: str) -> None:
    assert type_name(read(name, {**GOOD[name][0], "x-new": {"a": [1]}})) == type_name(read(name, GOOD[name][0]))


@pytest.mark.parametrize(("name", "path"), REQUIRED)
def test_a_required_field_that_is_missing_is_refused(name: str, path: str) -> None:
    with pytest.raises(Malformed) as caught:
        read(name, changed(GOOD[name][0], path, MISSING))
    assert caught.value.pointer.startswith("/predicate")


@pytest.mark.parametrize(("name", "path"), REQUIRED)
def test_a_required_field_of_another_type_is_refused(name: str, path: str) -> None:
    odd = True if path != "Data" else None
    with pytest.raises(Malformed):
        read(name, changed(GOOD[name][0], path, odd))


# The kind and the path, and a value that must not be there.
ODD = [
    ("link", "command", [1]),
    ("link", "command", {}),
    ("link", "materials", [{"name": "a", "digest": SHA}, {"name": "a", "digest": SHA}]),
    ("link", "materials", {"a": {"sha256": "x"}}),
    ("link", "environment", []),
    ("scai", "attributes", []),
    ("scai", "attributes/0/target", {"name": "only a name"}),
    ("scai", "attributes/0/conditions", "always"),
    ("scai", "producer", "gcc"),
    ("test-result", "result", "passed"),
    ("test-result", "result", "OK"),
    ("test-result", "failedTests", "none"),
    ("test-result", "passedTests", [1]),
    ("test-result", "configuration", [{}]),
    ("vulns", "scanner/result", None),
    ("vulns", "scanner/result", {}),
    ("vulns", "scanner/result/0/severity", []),
    ("vulns", "scanner/result/0/severity/0/score", True),
    ("vulns", "scanner/result/0/severity/0/score", ""),
    ("vulns", "scanner/db/lastUpdate", "yesterday"),
    ("vulns", "metadata/scanFinishedOn", "2021-08-06T17:45:50.51Z"),
    ("release", "purl", "pkg:npm/semver"),
    ("release", "purl", "npm/semver@1"),
    ("release", "packageId", 7),
    ("runtime-trace", "monitorLog", {}),
    ("runtime-trace", "monitorLog", {"process": None}),
    ("runtime-trace", "monitorLog/network", {}),
    ("runtime-trace", "monitorLog/fileAccess", [{"name": "/etc/passwd"}]),
    ("runtime-trace", "metadata/buildStartedOn", "2022"),
    ("spdx", "spdxVersion", "SPDX-1.2"),
    ("spdx", "packages", []),
    ("spdx", "packages", {}),
    ("cyclonedx", "bomFormat", "SPDX"),
    ("cyclonedx", "specVersion", "2.0"),
    ("cyclonedx", "specVersion", "1"),
    ("cyclonedx", "components", {}),
    ("reference", "references", []),
    ("reference", "references/0/downloadLocation", ""),
    ("svr", "properties", []),
    ("svr", "properties", [""]),
    ("svr", "verifier/policies", [{}]),
    ("custom", "Timestamp", "now"),
    ("vuln", "scanner/result", []),
    ("vuln", "scanner/result", {}),
    ("vuln", "metadata/scanStartedOn", "now"),
    ("openvex", "@context", "https://openvex.dev/nsx"),
    ("openvex", "statements", []),
    ("openvex", "statements/0/status", "harmless"),
    ("openvex", "statements/0/products", "all"),
    ("openvex", "statements/0/products", [7]),
]


@pytest.mark.parametrize(("name", "path", "value"), ODD)
def test_anything_odd_is_refused(name: str, path: str, value: object) -> None:
    with pytest.raises(Malformed):
        read(name, changed(GOOD[name][0], path, value))


# --- the table -----------------------------------------------------------------------------------------------------


def test_every_kind_is_tested_here() -> None:
    # Those of SLSA have tests of their own.
    assert {kind.name for kind in KINDS} - {"provenance", "vsa"} == GOOD.keys()


def test_no_type_belongs_to_two_kinds() -> None:
    types = [type for kind in KINDS for type in kind.types]
    assert len(types) == len(set(types))
    assert len({kind.name for kind in KINDS}) == len(KINDS)
    for type in types:
        assert [kind.name for kind in KINDS if kind.covers(type)] == [kind_of(type).name]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("type", "name"),
    [
        ("https://spdx.dev/Document/v2.3", "spdx"),
        ("https://spdx.dev/Document/v3", "spdx"),
        ("https://cyclonedx.org/bom/v1.4", "cyclonedx"),
        ("https://openvex.dev/ns/v0.0.1", "openvex"),
        ("https://spdx.dev/Document/", None),
        ("https://spdx.dev/Document/v", None),
        ("https://spdx.dev/Document/v2.x", None),
        ("https://spdx.dev/Document/v2/v3", None),
        ("https://spdx.dev/Documentv2", None),
        ("HTTPS://spdx.dev/Document", None),
        ("https://spdx.dev/document", None),
        ("https://in-toto.io/attestation/scai/v0.4", None),
        ("https://in-toto.io/attestation/test-result/v0.1/", None),
        ("https://in-toto.io/attestation/test-result/v1", None),
        ("", None),
    ],
)
def test_a_type_is_its_uri_as_it_is_written(type: str, name: str | None) -> None:
    kind = kind_of(type)
    assert (kind and kind.name) == name
    if name is None:
        assert read_predicate(type, {}) is None


def test_a_kind_is_found_by_short_name_and_by_type() -> None:
    assert require_kind("spdxjson") is require_kind("spdx") is require_kind("https://spdx.dev/Document/v2.3")
    with pytest.raises(Malformed, match="no such predicate type"):
        require_kind("sbom")


# --- what is read --------------------------------------------------------------------------------------------------


def test_a_link() -> None:
    link = read("link", LINK)
    expected = LinkPredicate("build", ("make",), {"src": DigestSet.of(SHA)}, {"rc": 0}, {})
    assert link == expected
    older = {"name": "build", "command": "make all", "materials": {"src": SHA}}
    assert read("link", older).materials == {"src": DigestSet.of(SHA)}
    assert read("link", older).command == ("make all",)


def test_attributes() -> None:
    report = read("scai", SCAI)
    assert isinstance(report, ScaiPredicate)
    (one,) = report.attributes
    assert (one.attribute, one.conditions) == ("WITH_STACK_PROTECTION", {"flags": "-fstack-protector"})
    assert one.target is not None
    assert one.target.name == "lib"
    assert one.evidence is not None
    assert one.evidence.media_type == "application/json"
    assert report.producer is not None


def test_a_test_result() -> None:
    result = read("test-result", TESTED)
    assert isinstance(result, ResultPredicate)
    assert (result.result, result.passed, result.warned, result.failed) == ("PASSED", ("a", "b"), (), ())
    assert read("test-result", {"result": "FAILED", "configuration": []}).configuration == ()


def test_a_scan_in_both_forms() -> None:
    scan = read("vulns", VULNS)
    assert isinstance(scan, VulnsPredicate)
    assert scan.findings == (Vulnerability("CVE-123", (Severity("nvd", "medium"), Severity("c", "5.2"))),)
    assert scan.database_updated == datetime(2021, 8, 6, 17, 45, 50, 520000, tzinfo=UTC)
    nested = changed(VULNS, "scanner/result/0", {"vulnerability": VULNS["scanner"]["result"][0]})  # type: ignore[index]
    assert read_predicate("https://in-toto.io/attestation/vulns/v0.1", nested) == scan
    assert read("vulns", changed(VULNS, "scanner/result", [])).findings == ()


def test_a_release() -> None:
    release = read("release", RELEASE)
    assert isinstance(release, ReleasePredicate)
    assert release.package == PackageUrl("npm", "@angular", "http", "7.2.16")
    assert release.package_id == "1234567890"
    assert read("release", {"purl": "pkg:npm/a@1", "releaseId": "7"}).package_id == "7"


def test_a_trace_without_a_network_log_is_not_one_of_a_silent_network() -> None:
    trace = read("runtime-trace", TRACE)
    assert isinstance(trace, RuntimeTracePredicate)
    assert trace.network == ()
    assert trace.monitor_config is None
    assert read("runtime-trace", changed(TRACE, "monitorLog/network", MISSING)).network is None


def test_bills_of_materials_of_every_version() -> None:
    bill = read("spdx", SPDX)
    assert isinstance(bill, SpdxPredicate)
    assert (bill.version, bill.packages, bill.relationships) == ("SPDX-2.3", 1, 1)
    graph = read("spdx", SPDX3)
    assert (graph.version, graph.name, graph.packages, graph.relationships) == ("SPDX-3.0.1", "app", 1, 1)
    cyclone = read("cyclonedx", CYCLONEDX)
    assert isinstance(cyclone, CycloneDxPredicate)
    assert (cyclone.version, cyclone.name, cyclone.components) == ("1.6", "app", 1)
    assert read("cyclonedx", {"Data": CYCLONEDX}) == cyclone


@pytest.mark.parametrize(
    ("type", "predicate"),
    [
        ("https://spdx.dev/Document/v2.2", SPDX),
        ("https://spdx.dev/Document/v3", SPDX),
        ("https://spdx.dev/Document/v2.3", SPDX3),
        ("https://cyclonedx.org/bom/v1.4", CYCLONEDX),
        ("https://cyclonedx.org/bom/v1.60", CYCLONEDX),
        ("https://spdx.dev/Document", {key: value for key, value in SPDX3.items() if key != "@context"}),
        ("https://spdx.dev/Document", {**SPDX3, "@graph": []}),
        ("https://spdx.dev/Document", {**SPDX3, "@graph": SPDX3["@graph"][:2]}),
        ("https://spdx.dev/Document", CYCLONEDX),
        ("https://cyclonedx.org/bom", SPDX),
        ("https://cyclonedx.org/bom", {"bomFormat": "CycloneDX", "specVersion": "1.5"}),
    ],
)
def test_a_bill_of_another_version_or_kind_or_of_nothing_is_refused(type: str, predicate: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        read_predicate(type, predicate)


@pytest.mark.parametrize(
    ("type", "predicate"),
    [
        ("https://spdx.dev/Document/v2.3", SPDX),
        ("https://spdx.dev/Document/v2", SPDX),
        ("https://spdx.dev/Document/v3.0", SPDX3),
        ("https://cyclonedx.org/bom/v1.6", CYCLONEDX),
    ],
)
def test_a_type_with_a_version_is_read_where_the_document_has_it(type: str, predicate: dict[str, Any]) -> None:
    assert read_predicate(type, predicate) is not None


def test_a_reference_may_have_no_digest() -> None:
    found = read("reference", changed(REFERENCE, "references/0/digest", MISSING))
    assert isinstance(found, ReferencePredicate)
    assert found.references[0].digests == DigestSet()
    assert found.references[0].uri == "https://example.com/s"


def test_a_verification_result() -> None:
    result = read("svr", SVR)
    assert isinstance(result, SvrPredicate)
    assert result.policies[0].uri == "https://example.com/p"
    assert read("svr", changed(SVR, "verifier/policies", [])).policies == ()


def test_data_of_ones_own_is_text_or_json() -> None:
    custom = read("custom", CUSTOM)
    assert isinstance(custom, CosignCustomPredicate)
    assert (custom.data, custom.json) == ('{"foo": 1}\n', {"foo": 1})
    assert read("custom", {"Data": "text"}).json is None
    assert read("custom", {"Data": {"a": 1}}).json == {"a": 1}


def test_a_scanners_report() -> None:
    scan = read("vuln", VULN)
    assert isinstance(scan, CosignVulnPredicate)
    assert scan.report == {"Results": []}
    assert scan.invocation == "https://example.com/1"


def test_vex_in_both_versions() -> None:
    document = read("openvex", VEX)
    assert isinstance(document, OpenVexPredicate)
    (one,) = document.statements
    assert (one.vulnerability, one.status, one.products) == ("CVE-2014-123456", "not_affected", ("pkg:apk/git@2.39",))
    old = {"vulnerability": "CVE-1", "products": ["pkg:a"], "status": "fixed"}
    older = {**VEX, "@context": "https://openvex.dev/ns", "version": "1", "statements": [old]}
    assert read("openvex", older).statements[0].vulnerability == "CVE-1"
    identified = {**old, "products": [{"identifiers": {"purl": "pkg:b"}}, {"@id": ""}]}
    assert read("openvex", {**VEX, "statements": [identified]}).statements[0].products == ("pkg:b", "")


# --- package URLs --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pkg:pypi/urllib3@2.1.0", PackageUrl("pypi", "", "urllib3", "2.1.0")),
        ("pkg:npm/@angular/http@7.2.16", PackageUrl("npm", "@angular", "http", "7.2.16")),
        ("PKG://GitHub//a/b/c@v1#x/../y", PackageUrl("github", "a/b", "c", "v1", {}, "x/y")),
        (
            "pkg:oci/app@sha256%3Aab?repository_url=r.example/app&tag=v1&empty=",
            PackageUrl("oci", "", "app", "sha256:ab", {"repository_url": "r.example/app", "tag": "v1"}),
        ),
        ("pkg:deb/debian/attr", PackageUrl("deb", "debian", "attr", "")),
    ],
)
def test_a_package_url_is_taken_apart(text: str, expected: PackageUrl) -> None:
    assert PackageUrl.parse(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "pkg:", "pkg:npm", "pkg:npm/", "npm/a@1", "pkg:1npm/a@1", "pkg:n_m/a@1", "pkg:npm/a%2@1", "pkg:npm/a%zz@1",
     "pkg:npm/a@%ff", "pkg:npm/a@1?x=1&X=2", "pkg:npm/a@1?=2", "purl:npm/a@1"],
)  # fmt: skip
def test_anything_else_is_no_package_url(text: str) -> None:
    with pytest.raises(Malformed, match="not a package URL"):
        PackageUrl.parse(text)
