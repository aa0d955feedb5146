"""Provenance out of a recorded step, and reviews: what they say and what they do not make up."""

from __future__ import annotations

from typing import Any

import pytest

from navicert.authoring.predicate.build import BUILD_TYPE, Recorded, build_draft, facts_of
from navicert.authoring.predicate.review import REVIEWED, review_draft
from navicert.digest import DigestSet
from navicert.errors import Malformed
from navicert.model.predicate import read_predicate
from navicert.model.predicate.provenance import Provenance
from navicert.model.predicate.scai import ScaiPredicate

SRC = DigestSet.of({"sha256": "a" * 64})
FACTS = {
    "service": "github-actions",
    "repository": "example/app",
    "commit": "b" * 40,
    "ref": "refs/heads/main",
    "workflow": "example/app/.github/workflows/ci.yml@refs/heads/main",
    "run": "17",
    "attempt": "2",
    "server": "https://github.com",
}


def made(recorded: Recorded, builder: str = "https://ci.example/b", build_type: str = "") -> Any:
    return build_draft(recorded, builder, build_type).predicate


def test_a_recorded_step_becomes_provenance() -> None:
    recorded = Recorded("build", ("make", "all"), {"src": SRC}, {"workdir": "/x", "navicert": {"run-id": "7"}})
    draft = build_draft(recorded, "https://ci.example/b")
    assert isinstance(read_predicate(draft.type, draft.predicate), Provenance)
    assert draft.predicate == {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": {"step": "build", "command": ["make", "all"]},
            "resolvedDependencies": [{"name": "src", "digest": {"sha256": "a" * 64}}],
            "internalParameters": {"environment": {"workdir": "/x", "navicert": {"run-id": "7"}}},
        },
        "runDetails": {"builder": {"id": "https://ci.example/b"}, "metadata": {"invocationId": "7"}},
    }
    assert made(recorded, build_type="https://example.com/t")["buildDefinition"]["buildType"] == "https://example.com/t"


def test_a_github_job_names_builder_source_and_run_by_itself() -> None:
    draft = build_draft(Recorded("build", ("make",), {}, {}, FACTS))
    definition: Any = draft.predicate["buildDefinition"]
    source = "git+https://github.com/example/app@refs/heads/main"
    assert definition["externalParameters"]["source"] == source
    assert definition["resolvedDependencies"] == [{"uri": source, "digest": {"gitCommit": "b" * 40}}]
    assert draft.predicate["runDetails"] == {
        "builder": {"id": "https://github.com/example/app/.github/workflows/ci.yml@refs/heads/main"},
        "metadata": {"invocationId": "https://github.com/example/app/actions/runs/17/attempts/2"},
    }


@pytest.mark.parametrize(
    ("facts", "source"),
    [
        ({}, None),
        ({"service": "jenkins", "repository": "https://git.example/a.git"}, "git+https://git.example/a.git"),
        (
            {"service": "gitlab", "repository": "a/b", "server": "https://gitlab.example"},
            "git+https://gitlab.example/a/b",
        ),
        ({"service": "tekton", "repository": "a/b", "server": "namespace"}, None),
        ({"service": "jenkins", "repository": "git@host:a/b"}, None),
    ],
)
def test_a_source_is_named_where_ci_names_one(facts: dict[str, str], source: str | None) -> None:
    made_up = made(Recorded("build", ("make",), {}, {}, facts))
    assert made_up["buildDefinition"]["externalParameters"].get("source") == source


@pytest.mark.parametrize("facts", [{}, {"service": "gitlab", "server": "https://x", "workflow": "ci.yml"}])
def test_without_a_builder_there_is_no_provenance(facts: dict[str, str]) -> None:
    with pytest.raises(Malformed, match="who the builder is"):
        build_draft(Recorded("build", ("make",), {}, {}, facts))


def test_what_it_cannot_say_is_said() -> None:
    weak = {"a": DigestSet.of({"sha1": "a" * 40}), "b": DigestSet()}
    draft = build_draft(Recorded("build", (), weak), "https://ci.example/b")
    assert len(draft.warnings) == 2
    definition: Any = draft.predicate["buildDefinition"]
    assert [one["name"] for one in definition["resolvedDependencies"]] == ["a"]


@pytest.mark.parametrize(
    ("environment", "facts"),
    [
        ({"navicert": {"ci": {"service": "gitlab", "run": 7}}}, {"service": "gitlab"}),
        ({"navicert": {"ci": "x"}}, {}),
        ({"navicert": "x"}, {}),
        ({}, {}),
    ],
)
def test_the_facts_of_a_ci_job_are_read_from_the_link(environment: dict[str, Any], facts: dict[str, str]) -> None:
    assert facts_of(environment) == facts


def test_a_review_has_no_conditions_and_names_nobody() -> None:
    draft = review_draft("https://example.com/pull/1")
    report = read_predicate(draft.type, draft.predicate)
    assert isinstance(report, ScaiPredicate)
    (one,) = report.attributes
    assert (one.attribute, one.conditions, one.target) == (REVIEWED, {}, None)
    assert one.evidence is not None
    assert one.evidence.uri == "https://example.com/pull/1"
    assert review_draft().predicate == {"attributes": [{"attribute": REVIEWED}]}
