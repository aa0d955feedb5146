"""SLSA provenance in all its versions as one value. Spec: SLSA build-provenance.md and its migration from v0.2."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from navicert.digest import DigestSet
from navicert.errors import Malformed
from navicert.model.predicate.provenance import PROVENANCE_TYPES, V01, V02, V1, Completeness, Provenance, is_provenance
from navicert.model.statement import ResourceDescriptor

COMMIT = "1f" * 20
SOURCE = {"uri": "git+https://example.com/app@refs/heads/main", "digest": {"sha1": COMMIT}}


def v1(**more: Any) -> dict[str, Any]:
    """A small predicate of v1."""
    return {
        "buildDefinition": {
            "buildType": "https://example.com/type",
            "externalParameters": {"source": "git+https://example.com/app", "target": "release"},
            "internalParameters": {"runner": "1"},
            "resolvedDependencies": [{"uri": "git+https://example.com/app", "digest": {"gitCommit": COMMIT}}],
        },
        "runDetails": {
            "builder": {"id": "https://example.com/builder", "version": {"agent": "3"}},
            "metadata": {"invocationId": "7", "startedOn": "2026-10-01T00:00:00Z"},
        },
        **more,
    }


def v02(**more: Any) -> dict[str, Any]:
    """A small predicate of v0.2."""
    return {
        "builder": {"id": "https://example.com/builder"},
        "buildType": "https://example.com/type",
        "invocation": {
            "configSource": {**SOURCE, "entryPoint": "build.yml"},
            "parameters": {"target": "release"},
            "environment": {"runner": "1"},
        },
        "metadata": {
            "buildInvocationId": "7",
            "buildStartedOn": "2026-10-01T02:00:00.5+02:00",
            "completeness": {"parameters": True, "environment": False, "materials": False},
            "reproducible": False,
        },
        "materials": [SOURCE, {"uri": "pkg:docker/base@1", "digest": {"sha256": "ab" * 32}}],
        **more,
    }


def v01(**more: Any) -> dict[str, Any]:
    """A small predicate of v0.1."""
    return {
        "builder": {"id": "https://example.com/builder"},
        "recipe": {
            "type": "https://example.com/type",
            "definedInMaterial": "0",
            "entryPoint": "build.yml",
            "arguments": {"target": "release"},
        },
        "metadata": {"completeness": {"arguments": True}},
        "materials": [SOURCE],
        **more,
    }


def test_v1_is_read() -> None:
    read = Provenance.from_json(v1(), "/predicate", V1)
    assert (read.version, read.builder_id, read.build_type) == (
        "v1",
        "https://example.com/builder",
        "https://example.com/type",
    )
    assert read.external_parameters == {"source": "git+https://example.com/app", "target": "release"}
    assert read.internal_parameters == {"runner": "1"}
    assert read.dependencies[0].digests == DigestSet.of({"gitCommit": COMMIT})
    assert read.started == datetime(2026, 10, 1, tzinfo=UTC)
    assert (read.invocation_id, read.builder_version, read.parameters) == ("7", {"agent": "3"}, None)
    assert read.original == v1()


def test_v02_is_read_in_the_terms_of_v1() -> None:
    read = Provenance.from_json(v02(), "/predicate", V02)
    assert read.version == "v0.2"
    assert read.external_parameters == {"target": "release", "entryPoint": "build.yml", "source": SOURCE["uri"]}
    assert read.internal_parameters == {"runner": "1"}
    assert [one.uri for one in read.dependencies] == [SOURCE["uri"], "pkg:docker/base@1"]
    assert read.config_source == ResourceDescriptor.from_json(SOURCE, "")
    assert (read.entry_point, read.parameters) == ("build.yml", {"target": "release"})
    assert read.completeness == Completeness(True, False, False)
    assert read.reproducible is False
    assert read.started == datetime(2026, 10, 1, 0, 0, 0, 500_000, tzinfo=UTC)


def test_v02_source_that_is_no_material_becomes_a_dependency() -> None:
    read = Provenance.from_json(v02(materials=[]), "/predicate", V02)
    assert [one.uri for one in read.dependencies] == [SOURCE["uri"]]


@pytest.mark.parametrize("predicate_type", [V01, "https://in-toto.io/Provenance/v0.1"])
def test_v01_is_read_in_the_terms_of_v1(predicate_type: str) -> None:
    read = Provenance.from_json(v01(), "/predicate", predicate_type)
    assert read.version == "v0.1"
    assert read.external_parameters == {"target": "release", "entryPoint": "build.yml", "source": SOURCE["uri"]}
    assert read.config_source is not None
    assert read.config_source.uri == SOURCE["uri"]
    assert read.completeness == Completeness(True, None, None)


def test_v01_arguments_that_are_no_object_are_parameters_all_the_same() -> None:
    read = Provenance.from_json(v01(recipe={"type": "t", "arguments": ["--evil"]}), "/predicate", V01)
    assert read.external_parameters == {"arguments": ["--evil"]}


@pytest.mark.parametrize("name", ["source", "entryPoint"])
def test_a_parameter_that_is_named_like_the_source_hides_nothing(name: str) -> None:
    invocation = {"configSource": {**SOURCE, "entryPoint": "build.yml"}, "parameters": {name: "evil"}}
    read = Provenance.from_json(v02(invocation=invocation), "/predicate", V02)
    assert read.external_parameters[f"parameters/{name}"] == "evil"
    assert read.external_parameters["source"] == SOURCE["uri"]
    assert read.external_parameters["entryPoint"] == "build.yml"


def test_buildkit_says_of_itself_what_it_has_recorded_in_v1() -> None:
    metadata = {
        "buildkit_completeness": {"request": True, "resolvedDependencies": True},
        "buildkit_hermetic": True,
        "buildkit_reproducible": False,
    }
    document = v1(runDetails={"builder": {"id": ""}, "metadata": metadata})
    read = Provenance.from_json(document, "/predicate", V1)
    assert (read.builder_id, read.hermetic, read.reproducible) == ("", True, False)
    assert read.completeness == Completeness(True, None, True)


def test_buildkit_says_of_itself_that_it_was_hermetic_in_v02() -> None:
    read = Provenance.from_json(v02(metadata={"https://mobyproject.org/buildkit@v1#hermetic": True}), "/predicate", V02)
    assert read.hermetic is True


@pytest.mark.parametrize(
    ("predicate_type", "document", "pointer"),
    [
        (V1, v1(buildDefinition=None), "/predicate"),
        (V1, v1(runDetails={}), "/predicate/runDetails"),
        (V1, v1(buildDefinition={"externalParameters": {}}), "/predicate/buildDefinition"),
        (V1, v1(buildDefinition={"buildType": "t"}), "/predicate/buildDefinition"),
        (
            V1,
            v1(buildDefinition={"buildType": "t", "externalParameters": []}),
            "/predicate/buildDefinition/externalParameters",
        ),
        (V02, v02(builder=None), "/predicate"),
        (V02, v02(buildType=""), "/predicate"),
        (V02, v02(metadata={"reproducible": "true"}), "/predicate/metadata/reproducible"),
        (V02, v02(metadata={"completeness": {"materials": 1}}), "/predicate/metadata/completeness/materials"),
        (V02, v02(materials=[{}]), "/predicate/materials/0"),
        (V01, v01(recipe={}), "/predicate/recipe"),
        (V01, v01(recipe={"type": "t", "definedInMaterial": 1}), "/predicate/recipe/definedInMaterial"),
        (V01, v01(recipe={"type": "t", "definedInMaterial": -1}), "/predicate/recipe/definedInMaterial"),
        ("https://slsa.dev/provenance/v9", v1(), "/predicateType"),
    ],
)
def test_what_is_missing_or_wrong_is_named(predicate_type: str, document: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Malformed) as caught:
        Provenance.from_json(document, "/predicate", predicate_type)
    assert caught.value.pointer == pointer


def test_fields_that_nobody_knows_are_ignored() -> None:
    document = v1(more=1)
    document["buildDefinition"]["more"] = 1
    assert Provenance.from_json(document, "/predicate", V1).build_type == "https://example.com/type"


def test_the_types_of_provenance_are_compared_as_they_are_written() -> None:
    assert all(is_provenance(one) for one in PROVENANCE_TYPES)
    assert not is_provenance("https://slsa.dev/provenance/v1.0")
    assert not is_provenance("https://SLSA.dev/provenance/v1")
