"""What predicates say and do not say, for people: every type, and what is wrong with one."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.model.test_predicate import GOOD, MISSING, changed

from navicert.digest import DigestSet
from navicert.model.predicate import KINDS, kind_named
from navicert.model.statement import ResourceDescriptor, Statement
from navicert.report.predicate import said_by

PROVENANCE = {
    "buildDefinition": {
        "buildType": "https://example.com/t",
        "externalParameters": {"ref": "main", "inputs": {"a": 1}},
        "resolvedDependencies": [{"uri": "git+https://example.com", "digest": {"gitCommit": "a" * 40}}],
    },
    "runDetails": {"builder": {"id": "https://example.com/b"}, "metadata": {"startedOn": "2026-01-01T00:00:00Z"}},
}
SUMMARY = {
    "verifier": {"id": "https://example.com/v"},
    "resourceUri": "pkg:app",
    "policy": {"uri": "https://example.com/p"},
    "verificationResult": "PASSED",
    "verifiedLevels": ["SLSA_BUILD_LEVEL_2"],
}
ALL: dict[str, dict[str, Any]] = {name: predicate for name, (predicate, _) in GOOD.items()} | {
    "provenance": PROVENANCE,
    "vsa": SUMMARY,
}


def statement(name: str, predicate: dict[str, Any] | None = None, digest: str = "sha256") -> Statement:
    kind = kind_named(name)
    assert kind is not None
    subject = ResourceDescriptor("app", digests=DigestSet.of({digest: "ab" * 32}))
    return Statement((subject,), kind.type, ALL[name] if predicate is None else predicate)


def lines(name: str, predicate: dict[str, Any] | None = None) -> dict[str, list[str]]:
    return {label: list(items) for label, items in said_by(statement(name, predicate)).lines}


def test_every_type_is_shown() -> None:
    assert ALL.keys() == {kind.name for kind in KINDS}
    for kind in KINDS:
        said = said_by(statement(kind.name))
        assert said.title == kind.title
        assert not said.problem
        assert said.lines or kind.name == "sign"
        for label, items in said.lines:
            assert label
            assert all(isinstance(item, str) for item in items)


@pytest.mark.parametrize(
    ("name", "label", "items"),
    [
        ("link", "command", ["make"]),
        ("scai", "producer", ["file:///usr/bin/gcc"]),
        ("test-result", "passed (2)", ["a", "b"]),
        ("vulns", "findings", ["1: 1 MEDIUM"]),
        ("vulns", "database", ["pkg:github/db, updated 2021-08-06T17:45:50Z"]),
        ("release", "release", ["pkg:npm/%40angular/http@7.2.16"]),
        ("runtime-trace", "network", ["none was used"]),
        ("spdx", "document", ["app, SPDX-2.3"]),
        ("cyclonedx", "components", ["musl"]),
        ("svr", "properties", ["SLSA_BUILD_LEVEL_3"]),
        ("custom", "data", ['{"foo": 1}\n']),
        (
            "openvex",
            "statements",
            ["CVE-2014-123456 not_affected (inline_mitigations_already_exist) in pkg:apk/git@2.39"],
        ),
        ("npm-publish", "package", ["semver 7.5.4"]),
        ("provenance", "parameters", ["ref: main", 'inputs: {"a": 1}']),
        ("vsa", "levels", ["SLSA_BUILD_LEVEL_2"]),
    ],
)
def test_what_it_says(name: str, label: str, items: list[str]) -> None:
    assert lines(name)[label] == items


@pytest.mark.parametrize(
    ("name", "path", "value", "silence"),
    [
        ("scai", "attributes/0/evidence", MISSING, "what its word rests on"),
        ("test-result", "passedTests", [], "which tests ran"),
        ("test-result", "configuration", [], "what the tests were configured by"),
        ("vulns", "scanner/result", [], "that there is no flaw"),
        ("runtime-trace", "monitorLog/network", MISSING, "whether the network was used"),
        ("runtime-trace", "monitorLog/fileAccess", MISSING, "which files were used"),
        ("spdx", "creationInfo", MISSING, "when it was made"),
        ("reference", "references/0/digest", MISSING, "which document was meant"),
        ("provenance", "buildDefinition/resolvedDependencies", [], "what went into it"),
        ("vsa", "verifier", {"id": "x"}, "when it was verified"),
        ("vsa", "verifier", {"id": "x"}, "anything about dependencies"),
    ],
)
def test_what_it_does_not_say(name: str, path: str, value: object, silence: str) -> None:
    said = said_by(statement(name, changed(ALL[name], path, value)))
    assert [text for text in said.silences if text.startswith(silence)]


def test_a_signature_of_cosign_says_nothing_else() -> None:
    assert said_by(statement("sign")).silences == ("anything but that somebody signed it",)


def test_subjects_with_weak_digests_alone_are_named() -> None:
    said = said_by(statement("scai", digest="sha1"))
    assert "which artifact is meant (no strong digest): app" in said.silences


def test_a_predicate_that_is_not_what_its_type_asks_for_is_named_so() -> None:
    said = said_by(statement("spdx", {"spdxVersion": "SPDX-2.3"}))
    assert "lists nothing" in said.problem
    assert (said.lines, said.title) == ((), "a bill of materials (SPDX)")


def test_a_type_that_is_not_known_has_no_title() -> None:
    subject = ResourceDescriptor("app", digests=DigestSet.of({"sha256": "ab" * 32}))
    said = said_by(Statement((subject,), "https://example.com/x", {}))
    assert said.title == ""
    assert said.silences == ("anything about its subjects: the predicate is empty",)
