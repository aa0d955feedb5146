"""What GitHub, slsa-github-generator, Tekton Chains and BuildKit write, judged: as expected, and changed in one place.

The predicates are of our own making, in the shapes that these platforms publish. Each is signed with a key that the
builder table names, as an operator would write it.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest
from tests.sample_build import COMMIT, SampleBuild, leaf

V1, V02 = "https://slsa.dev/provenance/v1", "https://slsa.dev/provenance/v0.2"
APP = "https://github.com/acme/app"
REF = "refs/heads/main"
OTHER = "2e" * 20
IMAGE = {"uri": "oci://registry.example/git-init", "digest": {"sha256": "ab" * 32}}
WORKFLOW = {"ref": REF, "repository": APP, "path": ".github/workflows/release.yml"}
GIT = {"uri": f"git+{APP}@{REF}", "digest": {"gitCommit": COMMIT}}
SHA1 = {"uri": f"git+{APP}.git", "digest": {"sha1": COMMIT}}
CATALOG = {"uri": "git+https://github.com/acme/catalog.git", "digest": {"sha1": OTHER}}
CONTEXT = {"uri": f"{APP}.git#{REF}", "digest": {"sha1": COMMIT}}
RUN = {"pipelineRef": {"name": "ci"}, "params": [{"name": "image", "value": "app"}]}
BUILDKIT = "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md"
REQUEST = {"frontend": "dockerfile.v0", "args": {"target": "release"}, "locals": []}


def v1(kind: str, external: dict[str, Any], *dependencies: dict[str, Any], **metadata: Any) -> tuple[str, Any]:
    definition = {"buildType": kind, "externalParameters": external, "resolvedDependencies": list(dependencies)}
    return V1, {"buildDefinition": definition, "runDetails": {"builder": {"id": "B"}, "metadata": metadata}}


def v02(kind: str, config: dict[str, Any], parameters: Any, *materials: dict[str, Any], **more: Any) -> tuple[str, Any]:
    invocation = {"configSource": config, "parameters": parameters, "environment": {"runner": "1"}}
    return V02, {
        "builder": {"id": "B"},
        "buildType": kind,
        "invocation": invocation,
        "metadata": {"completeness": {"parameters": True, "environment": False, "materials": False}, **more},
        "materials": list(materials),
    }


PLATFORMS: dict[str, tuple[tuple[str, Any], dict[str, Any], str]] = {
    # What is signed, the external parameters that it comes to, and the ref (empty where it says none).
    "GitHub": (
        v1("https://actions.github.io/buildtypes/workflow/v1", {"workflow": WORKFLOW}, GIT, invocationId="7"),
        {"workflow": WORKFLOW},
        REF,
    ),
    "generator, delegated": (
        v1(
            "https://github.com/slsa-framework/slsa-github-generator/delegator-generic@v0",
            {"workflow": WORKFLOW, "inputs": {"level": "1"}},
            GIT,
            invocationID="7-1",
        ),
        {"workflow": WORKFLOW, "inputs": {"level": "1"}},
        REF,
    ),
    "generator, container-based": (
        v1(
            "https://slsa.dev/container-based-build/v0.1?draft",
            {"source": {"uri": GIT["uri"], "digest": {"sha1": COMMIT}}, "configPath": "build.toml"},
            invocationID="7-1",
        ),
        {"source": {"uri": GIT["uri"], "digest": {"sha1": COMMIT}}, "configPath": "build.toml"},
        REF,
    ),
    "generator, v0.2": (
        v02(
            "https://github.com/slsa-framework/slsa-github-generator/go@v1",
            {"uri": GIT["uri"], "digest": {"sha1": COMMIT}, "entryPoint": "release.yml"},
            {"event_inputs": {}},
            {"uri": "https://github.com/actions/virtual-environments/releases/tag/ubuntu20/1"},
            buildInvocationID="7-1",
        ),
        {"event_inputs": {}, "entryPoint": "release.yml", "source": GIT["uri"]},
        REF,
    ),
    "Tekton": (
        v1(
            "https://tekton.dev/chains/v2/slsa-tekton",
            {"runSpec": RUN, "buildConfigSource": {"repository": CATALOG["uri"], "path": "ci.yaml"}},
            {**CATALOG, "name": "pipeline"},
            IMAGE,
            {**SHA1, "name": "inputs/result"},
            invocationID="u",
        ),
        {"runSpec": RUN, "buildConfigSource": {"repository": CATALOG["uri"], "path": "ci.yaml"}},
        "",
    ),
    "Tekton, v0.2": (
        v02("tekton.dev/v1beta1/PipelineRun", {**CATALOG, "entryPoint": "ci.yaml"}, {"image": "app"}, IMAGE, SHA1),
        {"image": "app", "entryPoint": "ci.yaml", "source": CATALOG["uri"]},
        "",
    ),
    "BuildKit": (
        v1(
            BUILDKIT, {"configSource": {**CONTEXT, "path": "Dockerfile"}, "request": REQUEST}, CONTEXT, invocationID="r"
        ),
        {"configSource": {**CONTEXT, "path": "Dockerfile"}, "request": REQUEST},
        REF,
    ),
    "BuildKit, v0.2": (
        v02("https://mobyproject.org/buildkit@v1", {**CONTEXT, "entryPoint": "Dockerfile"}, REQUEST, CONTEXT),
        {**REQUEST, "entryPoint": "Dockerfile", "source": CONTEXT["uri"]},
        REF,
    ),
}


def built(platform: str) -> SampleBuild:
    """The build as expected, and what the expectations say of it."""
    (kind, predicate), parameters, ref = copy.deepcopy(PLATFORMS[platform])
    build = SampleBuild()
    document = build.documents[0][0]
    document |= {"predicateType": kind, "predicate": predicate}
    build.documents = [(document, build.builder)]
    definition = predicate if kind == V02 else predicate["buildDefinition"]
    build.line["id"] = "B"
    build.expected.update(source=f"git+{APP}", ref=ref, builder="B", build_type=definition["buildType"])
    build.expected["parameters"] = parameters
    if not ref:
        del build.expected["ref"]
    return build


@pytest.mark.parametrize("platform", PLATFORMS)
class TestEach:
    def test_reaches_build_l3_where_the_operator_s_key_signed_it_and_all_is_expected(self, platform: str) -> None:
        found = built(platform).assess()
        assert found.build.reached == 3
        assert found.verdict.passed
        assert leaf(found, "slsa.table-scripted").outcome.passes

    def test_is_worth_nothing_by_another_signer(self, platform: str) -> None:
        build = built(platform)
        build.sign(0, build.mallory)
        assert build.assess().build.reached == 0

    def test_of_another_repository_is_not_expected(self, platform: str) -> None:
        build = built(platform)
        build.expected["source"] = "git+https://github.com/acme/other"
        found = build.assess()
        assert found.build.reached == 0
        assert f"source is {APP}" in leaf(found, "slsa.build-expected").reason

    def test_with_a_parameter_that_nobody_expects_is_not_expected(self, platform: str) -> None:
        build = built(platform)
        predicate = build.predicate
        given = predicate.get("invocation", {}).get("parameters")
        (predicate["buildDefinition"]["externalParameters"] if given is None else given)["debug"] = "1"
        found = build.assess()
        assert found.build.reached == 0
        assert "external parameter debug is not expected" in leaf(found, "slsa.build-expected").reason

    def test_is_hermetic_by_nothing_that_it_says(self, platform: str) -> None:
        build = built(platform)
        build.line["hermetic"] = False
        assert not leaf(build.assess(), "slsa.table-hermetic").outcome.passes
