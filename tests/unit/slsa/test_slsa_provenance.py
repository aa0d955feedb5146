"""Where the source of a build is said, type by type, and parameters beside those that are expected."""

from __future__ import annotations

from typing import Any

import pytest

from navicert.model.identity import Identity
from navicert.model.predicate.provenance import V02, V1, Provenance
from navicert.slsa.provenance import contradictions, is_pinned, other_parameters, unsaid
from navicert.slsa.source import Source, entry_point_of, repository, source_of

COMMIT = "1f" * 20
GIT = {"uri": "git+https://github.com/acme/app@refs/heads/main", "digest": {"gitCommit": COMMIT}}


def made(build_type: str, external: dict[str, Any], *dependencies: dict[str, Any]) -> Provenance:
    definition = {
        "buildType": build_type,
        "externalParameters": external,
        "resolvedDependencies": list(dependencies or (GIT,)),
    }
    return Provenance.from_json({"buildDefinition": definition, "runDetails": {"builder": {"id": "b"}}}, "", V1)


WORKFLOW = {"repository": "https://github.com/acme/app", "ref": "refs/heads/main", "path": ".github/workflows/r.yml"}
EXPECTED = Source("https://github.com/acme/app", "refs/heads/main", frozenset({COMMIT}))


@pytest.mark.parametrize(
    ("build_type", "external"),
    [
        ("https://actions.github.io/buildtypes/workflow/v1", {"workflow": WORKFLOW}),
        ("https://cloud.google.com/build/gcb-buildtypes/triggered-build/v1", {"buildConfigSource": WORKFLOW}),
        ("https://cloud.google.com/build/gcb-buildtypes/triggered-build/v1", {"sourceToBuild": WORKFLOW}),
        ("https://other.example", {"source": "git+https://github.com/acme/app@refs/heads/main"}),
        ("https://other.example", {"configSource": {"uri": "https://github.com/acme/app.git#refs/heads/main"}}),
        ("https://other.example", {"source": {"uri": "https://github.com/acme/app", "ref": "refs/heads/main"}}),
        ("https://other.example", {}),
    ],
)
def test_the_source_is_where_the_type_of_build_has_it(build_type: str, external: dict[str, Any]) -> None:
    assert source_of(made(build_type, external)) == EXPECTED


def test_the_commit_of_another_repository_proves_nothing() -> None:
    other = {"uri": "git+https://github.com/acme/library", "digest": {"gitCommit": "2e" * 20}}
    found = source_of(made("https://other.example", {"source": "https://github.com/acme/app"}, other))
    assert found == Source("https://github.com/acme/app")
    assert source_of(made("https://other.example", {}, GIT, other)) == Source()


def test_v02_has_a_field_for_it_and_writes_commits_as_sha1() -> None:
    source = {"uri": "git+https://github.com/acme/app@refs/tags/v1", "digest": {"sha1": COMMIT}, "entryPoint": "r.yml"}
    old = {"builder": {"id": "b"}, "buildType": "t", "invocation": {"configSource": source}}
    found = Provenance.from_json(old, "", V02)
    assert source_of(found) == Source("https://github.com/acme/app", "refs/tags/v1", frozenset({COMMIT}))
    assert entry_point_of(found) == "r.yml"


def test_a_sha1_of_what_is_no_repository_is_no_commit() -> None:
    download = {"uri": "https://example.com/file.tar", "digest": {"sha1": COMMIT}}
    found = made("https://other.example", {"source": "https://example.com/file.tar"}, download)
    assert source_of(found).commits == frozenset()
    assert is_pinned(found) == ("https://example.com/file.tar",)


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("git+https://github.com/acme/app", "https://github.com/acme/app.git", True),
        ("HTTPS://GitHub.com/acme/app/", "https://github.com/acme/app", True),
        ("https://user@github.com/acme/app", "https://github.com/acme/app", True),
        ("https://github.com/acme/app", "https://github.com/acme/App", False),
        ("https://github.com/acme/app", "https://github.com/acme/app2", False),
        ("https://github.com/acme/app", "http://github.com/acme/app", False),
        ("https://github.com@evil.example/acme/app", "https://github.com/acme/app", False),
        ("https://github.com/acme/app", "ssh://github.com/acme/app", False),
    ],
)
def test_two_spellings_of_one_repository(left: str, right: str, same: bool) -> None:
    assert (repository(left)[0] == repository(right)[0]) is same


@pytest.mark.parametrize(
    ("actual", "expected", "says"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1, "b": 2}, {"a": 1}, ["external parameter b is not expected"]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}, ["external parameter a/c is not expected"]),
        ({"a": True}, {"a": 1}, ["external parameter a is another than expected"]),
        ({"a": [1, 2]}, {"a": [2, 1]}, ["external parameter a is another than expected"]),
        ({}, {"a": 1}, ["external parameter a is missing"]),
        ({}, {"a": {}}, []),
        ({}, {"a": None}, []),
        ({"b": None}, {}, ["external parameter b is not expected"]),
        ({"a": "x"}, {"a": {"$any": ["x", "y"]}}, []),
        ({"a": "z"}, {"a": {"$any": ["x", "y"]}}, ["external parameter a has a value that is not allowed"]),
        ({}, {"a": {"$any": ["x"]}}, ["external parameter a is missing"]),
        ({}, {"a": {"$any": ["x", None]}}, []),
        ({"a": "x"}, {"a": {"$any": []}}, ["external parameter a has a value that is not allowed"]),
        ({"a": {"$any": ["x"]}}, {"a": {"$any": ["x"]}}, ["external parameter a has a value that is not allowed"]),
    ],
)
def test_parameters_beside_those_that_are_expected(
    actual: dict[str, object], expected: dict[str, object], says: list[str]
) -> None:
    assert list(other_parameters(actual, expected)) == says


CLAIMS = {
    "sourceRepositoryURI": "https://github.com/acme/app",
    "sourceRepositoryDigest": COMMIT,
    "sourceRepositoryRef": "refs/heads/main",
}


@pytest.mark.parametrize("name", CLAIMS)
@pytest.mark.parametrize("value", ["", "another"])
def test_a_certificate_that_says_something_else_contradicts(name: str, value: str) -> None:
    found = made("https://actions.github.io/buildtypes/workflow/v1", {"workflow": WORKFLOW})
    assert list(contradictions(found, Identity("i", "s", CLAIMS))) == []
    changed = Identity("i", "s", {**CLAIMS, name: value})
    assert len(list(contradictions(found, changed))) == (1 if value else 0)
    assert bool(unsaid(changed)) is (not value)


def test_a_certificate_of_a_source_that_the_provenance_does_not_name_contradicts() -> None:
    found = made("https://other.example", {}, {"uri": "pkg:a", "digest": {"sha256": "ab" * 32}})
    assert list(contradictions(found, Identity("i", "s", CLAIMS))) == [
        f"the certificate is for commit {COMMIT}, the provenance is of another",
        "the certificate is for https://github.com/acme/app, the provenance is of (no source)",
        "the certificate is for refs/heads/main, the provenance is of (no ref)",
    ]


def test_dependencies_that_nothing_pins_are_named() -> None:
    loose: list[dict[str, Any]] = [
        {"uri": "pkg:a"},
        {"uri": "pkg:b", "digest": {"md5": "ab" * 16}},
        {"uri": "pkg:c", "digest": {"x": "1"}},
    ]
    assert is_pinned(made("t", {}, GIT, *loose)) == ("pkg:a", "pkg:b", "pkg:c")
