"""Bills of materials become predicates: documents as they are, syft's own form written anew."""

from __future__ import annotations

import json
from typing import Any

import pytest

from navicert.authoring.predicate.bill import bill_draft
from navicert.errors import Malformed
from navicert.model.predicate import read_predicate

NOW = "2026-01-01T00:00:00Z"
SYFT: dict[str, Any] = {
    "artifacts": [
        {
            "id": "1f",
            "name": "flask",
            "version": "3.0.3",
            "type": "python",
            "licenses": [{"value": "BSD-3-Clause", "spdxExpression": "BSD-3-Clause"}, {"spdxExpression": "MIT"}],
            "cpes": [{"cpe": "cpe:2.3:a:flask:flask:3.0.3:*:*:*:*:*:*:*"}, "cpe:2.3:a:x:x:1:*:*:*:*:*:*:*"],
            "purl": "pkg:pypi/flask@3.0.3",
        },
        {"id": "2/e", "name": "@scope/x", "version": "", "type": "npm", "licenses": [{"spdxExpression": ""}]},
    ],
    "artifactRelationships": [
        {"parent": "2/e", "child": "1f", "type": "dependency-of"},
        {"parent": "gone", "child": "1f", "type": "dependency-of"},
        {"parent": "1f", "child": "2/e", "type": "evident-by"},
    ],
    "source": {"name": "app", "type": "image", "metadata": {"manifestDigest": "sha256:" + "a" * 64}},
    "descriptor": {"name": "syft", "version": "1.18.1"},
}


def draft(document: object) -> Any:
    return bill_draft(json.dumps(document).encode(), NOW, path="sbom.json")


@pytest.mark.parametrize(
    ("document", "type"),
    [
        ({"spdxVersion": "SPDX-2.3", "packages": [{"name": "a"}], "more": 1}, "https://spdx.dev/Document"),
        ({"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [{}], "x": 1}, "https://cyclonedx.org/bom"),
    ],
)
def test_a_document_becomes_the_predicate_to_the_last_field(document: dict[str, Any], type: str) -> None:
    made = draft(document)
    assert (made.type, made.predicate, made.warnings) == (type, document, ())


def test_what_syft_writes_becomes_spdx() -> None:
    made = draft(SYFT)
    bill: Any = made.predicate
    read: Any = read_predicate(made.type, bill)
    assert (read.version, read.name, read.packages) == ("SPDX-2.3", "app", 3)
    root, flask, scoped = bill["packages"]
    assert root["checksums"] == [{"algorithm": "SHA256", "checksumValue": "a" * 64}]
    assert root["primaryPackagePurpose"] == "CONTAINER"
    assert (flask["name"], flask["versionInfo"]) == ("flask", "3.0.3")
    assert flask["licenseDeclared"] == "(BSD-3-Clause) AND (MIT)"
    assert [one["referenceType"] for one in flask["externalRefs"]] == ["purl", "cpe23Type", "cpe23Type"]
    assert scoped["licenseDeclared"] == "NOASSERTION"
    assert "versionInfo" not in scoped
    ids = [package["SPDXID"] for package in bill["packages"]]
    assert len(set(ids)) == 3
    assert all(set(id) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-") for id in ids)
    related = [
        (one["spdxElementId"], one["relationshipType"], one["relatedSpdxElement"]) for one in bill["relationships"]
    ]
    assert ("SPDXRef-DOCUMENT", "DESCRIBES", root["SPDXID"]) in related
    assert (scoped["SPDXID"], "DEPENDENCY_OF", flask["SPDXID"]) in related
    assert len(related) == 4


def test_the_same_report_gives_the_same_bill() -> None:
    assert draft(SYFT) == draft(SYFT)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({}, "no field"),
        ({"descriptor": {"name": "grype"}, "matches": []}, "not a bill of materials"),
        ({"bomFormat": "CycloneDX", "specVersion": "1.5", "components": []}, "lists nothing"),
        ({"spdxVersion": "SPDX-2.3", "packages": []}, "lists nothing"),
        ({**SYFT, "artifacts": [{"id": "1"}]}, "without name"),
        ({**SYFT, "artifacts": {}}, "wrong type"),
        ({key: value for key, value in SYFT.items() if key != "artifacts"}, "is missing"),
        ([], "wrong type"),
    ],
)
def test_what_is_no_bill_or_lists_nothing_is_refused(document: object, said: str) -> None:
    with pytest.raises(Malformed, match=said) as caught:
        draft(document)
    assert caught.value.path == "sbom.json"


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"SPDXVersion: SPDX-2.3\n", "tag-value"),
        (b'<?xml version="1.0"?><bom xmlns="http://cyclonedx.org/schema/bom/1.5"/>', "XML"),
        (b"", "not JSON"),
    ],
)
def test_other_forms_are_named(raw: bytes, said: str) -> None:
    with pytest.raises(Malformed, match=said):
        bill_draft(raw, NOW)


def test_a_scan_that_found_no_package_lists_what_was_looked_through_alone() -> None:
    made = draft({**SYFT, "artifacts": None, "artifactRelationships": None, "source": None})
    assert [package["name"] for package in made.predicate["packages"]] == ["unnamed"]
