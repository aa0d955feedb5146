"""What reports say that they are about, in the shapes that trivy, syft, grype and the formats of bills have for it."""

from __future__ import annotations

from typing import Any

import pytest

from navicert.authoring.predicate.about import About, about_anchore, about_cyclonedx, about_spdx, about_trivy

ONE, TWO, THREE = ("sha256:" + digit * 64 for digit in "abc")
HEX = "a" * 64


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        ({"ArtifactName": "app:1", "Metadata": {"ImageID": ONE, "RepoDigests": [f"r/app@{TWO}"]}}, {ONE, TWO}),
        ({"ArtifactName": ".", "ArtifactType": "filesystem"}, set()),
        ({"ArtifactName": "app", "Metadata": {"ImageID": 7, "RepoDigests": "x"}}, set()),
    ],
)
def test_trivy(report: dict[str, Any], expected: set[str]) -> None:
    assert about_trivy(report) == About(frozenset(expected), report["ArtifactName"])


@pytest.mark.parametrize(
    ("source", "expected", "name"),
    [
        (
            {
                "type": "image",
                "target": {
                    "userInput": "app:1",
                    "imageID": ONE,
                    "manifestDigest": TWO,
                    "repoDigests": [f"r/app@{THREE}"],
                },
            },
            {ONE, TWO, THREE},
            "app:1",
        ),
        ({"type": "image", "name": "app", "metadata": {"imageID": ONE, "manifestDigest": TWO}}, {ONE, TWO}, "app"),
        ({"name": "app", "metadata": {"digests": [{"algorithm": "sha-256", "value": HEX}]}}, {ONE}, "app"),
        ({"type": "directory", "target": "/src"}, set(), "/src"),
        ({}, set(), ""),
        (None, set(), ""),
    ],
)
def test_syft_and_grype(source: dict[str, Any], expected: set[str], name: str) -> None:
    assert about_anchore({"source": source}) == About(frozenset(expected), name)


@pytest.mark.parametrize(
    ("component", "expected"),
    [
        ({"version": ONE}, {ONE}),
        ({"version": "1.4"}, set()),
        ({"purl": "pkg:oci/app@sha256%3A" + HEX + "?arch=amd64"}, {ONE}),
        ({"purl": "pkg:docker/app@1.4?digest=sha256:" + HEX}, set()),
        ({"purl": "pkg:docker/app?digest=sha256:" + HEX}, {ONE}),
        ({"purl": "pkg:pypi/app@sha256:" + HEX}, set()),
        ({"purl": "pkg:oci"}, set()),
        ({"hashes": [{"alg": "SHA-256", "content": HEX.upper()}, {"alg": "MD5", "content": "ab" * 16}]}, {ONE}),
        ({"hashes": [{"alg": "SHA-256", "content": "abc"}]}, set()),
        (
            {
                "properties": [
                    {"name": "aquasecurity:trivy:ImageID", "value": ONE},
                    {"name": "aquasecurity:trivy:RepoDigest", "value": f"r/app@{TWO}"},
                    {"name": "aquasecurity:trivy:DiffID", "value": THREE},
                ]
            },
            {ONE, TWO},
        ),
    ],
)
def test_cyclonedx(component: dict[str, Any], expected: set[str]) -> None:
    document = {"bomFormat": "CycloneDX", "metadata": {"component": {"name": "app", **component}}}
    assert about_cyclonedx(document) == About(frozenset(expected), "app")


@pytest.mark.parametrize(
    ("package", "expected"),
    [
        ({"versionInfo": ONE}, {ONE}),
        ({"checksums": [{"algorithm": "SHA256", "checksumValue": HEX}, {"algorithm": "SHA1"}]}, {ONE}),
        ({"externalRefs": [{"referenceType": "purl", "referenceLocator": f"pkg:oci/app@{ONE}"}]}, {ONE}),
        ({"attributionTexts": [f"ImageID: {ONE}", f"RepoDigest: r/app@{TWO}", f"DiffID: {THREE}"]}, {ONE, TWO}),
        ({"annotations": [{"comment": f"ImageID: {ONE}"}, {"comment": "SchemaVersion: 2"}]}, {ONE}),
        ({}, set()),
    ],
)
@pytest.mark.parametrize("old", [False, True])
def test_spdx_2(package: dict[str, Any], expected: set[str], old: bool) -> None:
    root = {"name": "app", "SPDXID": "SPDXRef-Root", **package}
    # A digest of what is only contained says nothing about the whole.
    inner = {
        "name": "musl",
        "SPDXID": "SPDXRef-musl",
        "checksums": [{"algorithm": "SHA256", "checksumValue": "d" * 64}],
    }
    described = {
        "spdxElementId": "SPDXRef-DOCUMENT",
        "relationshipType": "DESCRIBES",
        "relatedSpdxElement": "SPDXRef-Root",
    }
    document = {"spdxVersion": "SPDX-2.3", "name": "bill", "packages": [inner, root]}
    document |= {"documentDescribes": ["SPDXRef-Root"]} if old else {"relationships": [described]}
    assert about_spdx(document) == About(frozenset(expected), "app")


def test_spdx_2_that_describes_nothing_is_called_by_its_own_name() -> None:
    assert about_spdx({"spdxVersion": "SPDX-2.3", "name": "bill", "packages": [{"name": "a"}]}) == About(name="bill")


def test_spdx_3() -> None:
    graph = [
        {"type": "SpdxDocument", "spdxId": "doc", "name": "bill", "rootElement": ["bom"]},
        {"type": "software_Sbom", "spdxId": "bom", "rootElement": ["root"]},
        {
            "type": "software_Package",
            "spdxId": "root",
            "name": "app",
            "software_packageUrl": f"pkg:oci/app@{TWO}",
            "verifiedUsing": [{"type": "Hash", "algorithm": "sha256", "hashValue": HEX}],
        },
        {
            "type": "software_Package",
            "spdxId": "other",
            "verifiedUsing": [{"algorithm": "sha256", "hashValue": "d" * 64}],
        },
    ]
    assert about_spdx({"@context": "x", "@graph": graph}) == About(frozenset({ONE, TWO}), "app")


def test_a_digest_that_syft_may_have_given_the_image_itself_is_known_as_such() -> None:
    root = {"SPDXID": "r", "name": "app.tar", "versionInfo": ONE, "primaryPackagePurpose": "CONTAINER"}
    spdx: dict[str, Any] = {
        "documentDescribes": ["r"],
        "packages": [root],
        "creationInfo": {"creators": ["Tool: syft-1.18.1"]},
    }
    assert about_spdx(spdx) == About(frozenset({ONE}), "app.tar", own=True)
    assert not about_spdx({**spdx, "creationInfo": {"creators": ["Tool: trivy-0.50"]}}).own
    component: dict[str, Any] = {"type": "container", "name": "app.tar", "version": ONE}
    made: tuple[Any, ...] = ({"components": [{"name": "syft"}]}, [{"name": "syft"}])
    for tools in made:
        assert about_cyclonedx({"metadata": {"component": component, "tools": tools}}).own
    assert not about_cyclonedx({"metadata": {"component": component, "tools": [{"name": "trivy"}]}}).own
    component["type"] = "file"
    assert not about_cyclonedx({"metadata": {"component": component, "tools": [{"name": "syft"}]}}).own


def test_what_is_said_to_people() -> None:
    assert str(About(frozenset({ONE}), "app")) == f"app {ONE}"
    assert str(About()) == "nothing that it names"
