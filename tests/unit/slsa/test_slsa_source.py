"""Provenance as the platforms write it: read without loss, and where it says that the build started from.

The examples are of our own making, in the shapes that GitHub's attestations, slsa-github-generator, Tekton Chains and
BuildKit publish.
"""

from __future__ import annotations

import base64
from typing import Any, ClassVar

import pytest

from navicert.model.predicate.provenance import V02, V1, Completeness, Provenance
from navicert.slsa.source import Source, entry_point_of, is_buildkit, source_of

COMMIT, CATALOG, OTHER = "1f" * 20, "2e" * 20, "3d" * 20
APP = "https://github.com/acme/app"
MAIN = Source(APP, "refs/heads/main", frozenset({COMMIT}))
IMAGE = {"uri": "oci://registry.example/git-init", "digest": {"sha256": "ab" * 32}}


def v1(kind: str, external: dict[str, Any], dependencies: list[dict[str, Any]], **details: Any) -> Provenance:
    document = {
        "buildDefinition": {
            "buildType": kind,
            "externalParameters": external,
            "internalParameters": {"github": {"event_name": "push", "runner_environment": "github-hosted"}},
            "resolvedDependencies": dependencies,
        },
        "runDetails": {"builder": {"id": "https://builder.example"}, **details},
    }
    return Provenance.from_json(document, "", V1)


def v02(kind: str, config: dict[str, Any], materials: list[dict[str, Any]], **more: Any) -> Provenance:
    document = {
        "builder": {"id": "https://builder.example"},
        "buildType": kind,
        "invocation": {"configSource": config, "parameters": {"image": "app"}, "environment": {"labels": {}}},
        "materials": materials,
        **more,
    }
    return Provenance.from_json(document, "", V02)


def git(repository: str = APP, commit: str = COMMIT, *, ref: str = "", **more: Any) -> dict[str, Any]:
    """A dependency on a commit as Chains and BuildKit write it."""
    return {"uri": f"git+{repository}.git{ref}", "digest": {"sha1": commit}, **more}


class TestGitHub:
    WORKFLOW: ClassVar[dict[str, Any]] = {
        "ref": "refs/heads/main",
        "repository": APP,
        "path": ".github/workflows/release.yml",
    }
    SOURCE: ClassVar[dict[str, Any]] = {"uri": f"git+{APP}@refs/heads/main", "digest": {"gitCommit": COMMIT}}

    @pytest.mark.parametrize(
        "kind",
        [
            "https://actions.github.io/buildtypes/workflow/v1",
            "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1",
            "https://github.com/slsa-framework/slsa-github-generator/delegator-generic@v0",
            "https://github.com/slsa-framework/slsa-github-generator/delegator-lowperms-generic@v0",
        ],
    )
    def test_the_workflow_names_the_repository(self, kind: str) -> None:
        tool = {"uri": "git+https://github.com/acme/tool@refs/tags/v1", "digest": {"gitCommit": OTHER}}
        external = {"workflow": self.WORKFLOW, "inputs": {"level": "1"}}
        run = {"invocationId": f"{APP}/actions/runs/7/attempts/1"}
        found = v1(kind, external, [self.SOURCE, tool], metadata=run)
        assert source_of(found) == MAIN
        assert entry_point_of(found) == ".github/workflows/release.yml"
        assert found.invocation_id == run["invocationId"]
        assert found.internal_parameters["github"] == {"event_name": "push", "runner_environment": "github-hosted"}

    def test_where_the_workflow_names_none_its_one_dependency_does(self) -> None:
        found = v1("https://actions.github.io/buildtypes/workflow/v1", {"workflow": {"path": "x"}}, [self.SOURCE])
        assert source_of(found) == MAIN

    def test_the_generator_of_v02(self) -> None:
        config = {"uri": f"git+{APP}@refs/heads/main", "digest": {"sha1": COMMIT}, "entryPoint": "release.yml"}
        runner = {"uri": "https://github.com/actions/virtual-environments/releases/tag/ubuntu20/1"}
        found = v02(
            "https://github.com/slsa-framework/slsa-github-generator/go@v1",
            config,
            [{"uri": config["uri"], "digest": config["digest"]}, runner],
            metadata={"buildInvocationID": "7-1", "completeness": {"parameters": True, "materials": False}},
            buildConfig={"version": 1, "steps": [{"command": ["go", "build"]}]},
        )
        assert source_of(found) == MAIN
        assert (found.invocation_id, entry_point_of(found)) == ("7-1", "release.yml")
        assert found.completeness == Completeness(True, None, False)
        assert found.original["buildConfig"]

    def test_v02_starts_from_its_config_source_whatever_else_went_in(self) -> None:
        config = {"uri": f"git+{APP}@refs/heads/main", "digest": {"sha1": COMMIT}}
        library = git("https://github.com/acme/library", OTHER)
        assert source_of(v02("https://other.example", config, [library])) == MAIN
        assert source_of(v02("https://other.example", {}, [library])).commits == {OTHER}
        assert source_of(v02("https://other.example", {}, [library, git()])) == Source()

    def test_the_container_based_generator_names_source_and_commit_in_its_parameters(self) -> None:
        external = {
            "source": {"uri": f"git+{APP}@refs/heads/main", "digest": {"sha1": COMMIT}},
            "builderImage": {"uri": "registry.example/go@sha256:ab", "digest": {"sha256": "ab" * 32}},
            "configPath": "build.toml",
            "buildConfig": {"ArtifactPath": "app", "Command": ["go", "build"]},
        }
        found = v1("https://slsa.dev/container-based-build/v0.1?draft", external, [], metadata={"invocationID": "7-1"})
        assert source_of(found) == MAIN
        assert (entry_point_of(found), found.invocation_id) == ("build.toml", "7-1")

    def test_a_commit_that_is_none_counts_for_nothing(self) -> None:
        for digest in ({"sha1": "1f"}, {"sha1": 7}, "1f", {"md5": "ab" * 16}):
            found = v1("https://other.example", {"source": {"uri": f"git+{APP}", "digest": digest}}, [])
            assert source_of(found) == Source(APP)


class TestTekton:
    @pytest.mark.parametrize("kind", ["https://tekton.dev/chains/v2/slsa", "https://tekton.dev/chains/v2/slsa-tekton"])
    def test_what_a_task_fetched_is_the_source_and_not_where_the_pipeline_is_from(self, kind: str) -> None:
        config = {"ref": f"sha1:{CATALOG}", "repository": "git+https://github.com/acme/catalog.git", "path": "ci.yaml"}
        external = {"runSpec": {"pipelineRef": {"resolver": "git"}}, "buildConfigSource": config}
        content = base64.b64encode(b'{"steps": []}').decode()
        dependencies = [
            git("https://github.com/acme/catalog", CATALOG, name="pipeline"),
            git("https://github.com/acme/tasks", OTHER, name="pipelineTask", content=content),
            IMAGE,
            git(name="inputs/result"),
        ]
        results = [
            {"name": "taskRunResults/build/IMAGE_DIGEST", "content": "InNoYTI1NiI=", "mediaType": "application/json"}
        ]
        found = v1(kind, external, dependencies, metadata={"invocationID": "u-7"}, byproducts=results)
        assert source_of(found) == Source(APP, "", frozenset({COMMIT}))
        assert entry_point_of(found) == "ci.yaml"
        assert found.invocation_id == "u-7"
        assert found.byproducts[0].content == b'"sha256"'
        assert found.dependencies[1].content == b'{"steps": []}'

    def test_two_repositories_that_tasks_fetched_are_no_source(self) -> None:
        fetched = [git(name="inputs/result"), git("https://github.com/acme/library", OTHER, name="inputs/result")]
        assert source_of(v1("https://tekton.dev/chains/v2/slsa", {"runSpec": {}}, fetched)) == Source()

    def test_a_pipeline_alone_is_no_source(self) -> None:
        pipeline = [git("https://github.com/acme/catalog", CATALOG, name="pipeline"), IMAGE]
        assert source_of(v1("https://tekton.dev/chains/v2/slsa", {"runSpec": {}}, pipeline)) == Source()

    @pytest.mark.parametrize(
        "kind",
        [
            "tekton.dev/v1beta1/TaskRun",
            "tekton.dev/v1/PipelineRun",
            "https://tekton.dev/attestations/chains@v2",
            "https://tekton.dev/attestations/chains/pipelinerun@v2",
        ],
    )
    def test_v02_names_the_pipeline_as_its_config(self, kind: str) -> None:
        config = {
            "uri": "git+https://github.com/acme/catalog.git",
            "digest": {"sha1": CATALOG},
            "entryPoint": "ci.yaml",
        }
        assert source_of(v02(kind, config, [IMAGE, git()])) == Source(APP, "", frozenset({COMMIT}))
        assert source_of(v02(kind, {}, [IMAGE, git()])) == Source(APP, "", frozenset({COMMIT}))
        assert source_of(v02(kind, {}, [git(), git("https://github.com/acme/library", OTHER)])) == Source()

    def test_v02_whose_pipeline_lies_beside_the_source(self) -> None:
        config = {"uri": f"git+{APP}.git", "digest": {"sha1": COMMIT}, "entryPoint": "ci.yaml"}
        found = v02("tekton.dev/v1beta1/PipelineRun", config, [git()], metadata={"completeness": {"materials": False}})
        assert source_of(found) == Source(APP, "", frozenset({COMMIT}))


BUILDKIT = "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md"
CONTEXT = {"uri": f"{APP}.git#refs/heads/main:src", "digest": {"sha1": COMMIT}}


class TestBuildKit:
    def test_v1(self) -> None:
        external = {
            "configSource": {**CONTEXT, "path": "Dockerfile"},
            "request": {"frontend": "dockerfile.v0", "args": {"build-arg:A": "1"}, "locals": []},
        }
        metadata = {
            "invocationID": "rpv7",
            "buildkit_hermetic": True,
            "buildkit_completeness": {"request": True, "resolvedDependencies": True},
            "buildkit_reproducible": False,
            "buildkit_metadata": {"vcs": {"source": "https://elsewhere.example/a"}},
        }
        base = {"uri": "pkg:docker/alpine@3.17?platform=linux%2Famd64", "digest": {"sha256": "ab" * 32}}
        found = v1(BUILDKIT, external, [base, CONTEXT], metadata=metadata)
        assert is_buildkit(found)
        assert source_of(found) == MAIN
        assert (entry_point_of(found), found.invocation_id) == ("Dockerfile", "rpv7")
        assert (found.hermetic, found.reproducible) == (True, False)
        assert found.completeness == Completeness(True, None, True)

    def test_v1_of_the_first_releases(self) -> None:
        own = "https://mobyproject.org/buildkit@v1#"
        metadata = {
            f"{own}hermetic": True,
            f"{own}completeness": {"parameters": True, "environment": True, "materials": True},
        }
        external = {"configSource": {**CONTEXT, "path": "Dockerfile"}, "parameters": {"frontend": "dockerfile.v0"}}
        found = v1("https://mobyproject.org/buildkit@v1", external, [], metadata=metadata)
        assert source_of(found) == MAIN
        assert (found.hermetic, found.completeness) == (True, Completeness(True, True, True))

    def test_two_answers_are_true_only_where_both_are(self) -> None:
        metadata = {"buildkit_hermetic": True, "https://mobyproject.org/buildkit@v1#hermetic": False}
        assert v1(BUILDKIT, {}, [], metadata=metadata).hermetic is False

    def test_v02(self) -> None:
        metadata = {
            "buildInvocationID": "rpv7",
            "completeness": {"parameters": True, "environment": True, "materials": True},
            "https://mobyproject.org/buildkit@v1#hermetic": True,
        }
        config = {**CONTEXT, "entryPoint": "Dockerfile"}
        found = v02("https://mobyproject.org/buildkit@v1", config, [CONTEXT], metadata=metadata)
        assert source_of(found) == MAIN
        assert (found.hermetic, found.invocation_id) == (True, "rpv7")

    def test_a_local_folder_is_of_no_repository_though_the_build_fetched_one(self) -> None:
        fetched = [git("https://github.com/acme/library", OTHER)]
        local = {"configSource": {"path": "Dockerfile"}, "request": {"locals": [{"name": "context"}]}}
        assert source_of(v1(BUILDKIT, local, fetched)) == Source()
        assert source_of(v02("https://mobyproject.org/buildkit@v1", {"entryPoint": "Dockerfile"}, fetched)) == Source()

    def test_a_builder_without_an_id(self) -> None:
        document = {
            "buildDefinition": {"buildType": BUILDKIT, "externalParameters": {}},
            "runDetails": {"builder": {"id": ""}, "metadata": {}},
        }
        assert Provenance.from_json(document, "", V1).builder_id == ""
