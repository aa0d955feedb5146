"""`NAME=from:DOCKERFILE`: base images as artifacts, from the builder's digests or from where builders look."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from navicert.errors import Malformed, Unavailable
from navicert.record.process import NOWHERE, Wires
from navicert.record.recorder import World, make_recording
from navicert.record.session import begin
from navicert.resolve import resolve, told_afterwards
from navicert.resolve.ancestry import Ancestry
from navicert.resolve.artifact import ResolveOptions
from navicert.resolve.buildkit import used_images
from navicert.testing.registry import LoopbackRegistry


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackRegistry]:
    """A registry with two bases, on a machine without docker and podman, and nobody's credentials."""
    (tmp_path / "auth.json").write_text("{}")
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "auth.json"))
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with LoopbackRegistry() as registry:
        registry.add_image("base", "1", {"a": b"base"})
        registry.add_image("tools", "1", {"a": b"tools"})
        yield registry


@pytest.fixture
def options(tmp_path: Path) -> ResolveOptions:
    return ResolveOptions(cwd=str(tmp_path), insecure=True)


def write(server: LoopbackRegistry, tmp_path: Path, text: str) -> None:
    (tmp_path / "Dockerfile").write_text(text.replace("REG", server.name))


def digest_of(server: LoopbackRegistry, repository: str, tag: str = "1") -> str:
    return server.contents[repository].tags[tag].removeprefix("sha256:")


def provenance(server: LoopbackRegistry, **images: str) -> dict[str, Any]:
    """What BuildKit writes of a build from these images (repository → digest), all tagged 1."""
    return {
        "buildType": "https://mobyproject.org/buildkit@v1",
        "materials": [
            {"uri": f"pkg:docker/{server.name}/{name}@1?platform=linux%2Famd64", "digest": {"sha256": digest}}
            for name, digest in images.items()
        ]
        + [{"uri": "https://git.example/app.git#main", "digest": {"sha1": "ab" * 20}}],
    }


MULTI = "FROM REG/tools:1 AS build\nFROM REG/base:1\nCOPY --from=build /a /b\n"


def test_the_last_base_has_the_name_and_others_have_their_references(
    server: LoopbackRegistry, tmp_path: Path, options: ResolveOptions
) -> None:
    write(server, tmp_path, MULTI)
    found = resolve("base=from:Dockerfile", options)
    alone = resolve(f"base=registry:{server.name}/base:1", options).artifacts
    tools = resolve(f"t=registry:{server.name}/tools:1", options).artifacts
    expected = dict(alone) | {
        name.replace("t/", f"base/image/{server.name}/tools:1/", 1): value for name, value in tools.items()
    }
    assert dict(found.artifacts) == expected
    assert "base/linux/amd64/layers" in found.artifacts
    assert any("looked up in its registry" in line for line in found.warnings)


def test_no_layer_of_a_base_is_fetched(server: LoopbackRegistry, tmp_path: Path, options: ResolveOptions) -> None:
    write(server, tmp_path, "FROM REG/base:1")
    resolve("base=from:Dockerfile", options)
    assert server.count("GET", "/blobs/") == 1  # the config


def test_scratch_is_no_base_and_where_that_is_not_enough_it_is_said(
    server: LoopbackRegistry, tmp_path: Path, options: ResolveOptions
) -> None:
    write(server, tmp_path, "FROM scratch")
    found = resolve("base=from:Dockerfile", options)
    assert not found.artifacts
    assert "built from scratch, so it has no base: Dockerfile" in found.warnings
    with pytest.raises(Malformed, match="records nothing"):
        resolve("base=from:Dockerfile", ResolveOptions(cwd=str(tmp_path), insecure=True, strict=True))


def test_the_digests_of_the_builder_are_recorded_not_those_of_the_moment(
    server: LoopbackRegistry, tmp_path: Path, options: ResolveOptions
) -> None:
    """A tag that moved between the build and the recording does not change what was built from."""
    write(server, tmp_path, MULTI)
    before = resolve("base=from:Dockerfile", options).artifacts
    metadata = {
        "buildx.build.provenance": provenance(server, base=digest_of(server, "base"), tools=digest_of(server, "tools"))
    }
    (tmp_path / "meta.json").write_text(json.dumps(metadata))
    server.add_image("base", "1", {"a": b"moved"})
    after = resolve("base=from:Dockerfile,metadata=meta.json", options).artifacts
    assert dict(after) == dict(before)
    assert dict(resolve("base=from:Dockerfile", options).artifacts) != dict(before)


def test_metadata_is_read_when_the_command_has_ended(
    server: LoopbackRegistry, tmp_path: Path, options: ResolveOptions
) -> None:
    write(server, tmp_path, "FROM REG/base:1")
    (tmp_path / "made.json").write_text(
        json.dumps({"buildx.build.provenance": provenance(server, base=digest_of(server, "base"))})
    )
    recording = make_recording(
        "build",
        ["/bin/mv", "made.json", "meta.json"],
        materials=["Dockerfile", "base=from:Dockerfile,metadata=meta.json"],
        world=World(options, wires=Wires(stdout=NOWHERE)),
    )
    names = list(recording.link.materials)
    assert "Dockerfile" in names
    assert "base/linux/amd64/layers" in names
    assert names == sorted(names)


def test_a_recording_that_begins_before_the_build_cannot_have_it(options: ResolveOptions) -> None:
    assert told_afterwards("base=from:Dockerfile,metadata=meta.json")
    assert not told_afterwards("base=from:Dockerfile")
    assert not told_afterwards("a,metadata=b")
    with pytest.raises(Malformed, match="only known when the build has ended"):
        begin("build", materials=["base=from:Dockerfile,metadata=meta.json"], world=World(options))


@pytest.mark.parametrize("lost", ["base", "tools"])
def test_a_builder_that_does_not_name_an_image_of_the_dockerfile_is_not_believed(
    server: LoopbackRegistry, tmp_path: Path, options: ResolveOptions, lost: str
) -> None:
    write(server, tmp_path, MULTI)
    images = {name: digest_of(server, name) for name in ("base", "tools") if name != lost}
    (tmp_path / "meta.json").write_text(json.dumps({"buildx.build.provenance": provenance(server, **images)}))
    with pytest.raises(Malformed, match="used another image, or none"):
        resolve("base=from:Dockerfile,metadata=meta.json", options)


def test_a_pin_that_the_builder_did_not_use_is_refused(
    server: LoopbackRegistry, tmp_path: Path, options: ResolveOptions
) -> None:
    write(server, tmp_path, f"FROM REG/base:1@sha256:{'ab' * 32}")
    used = provenance(server, base=digest_of(server, "base"))
    (tmp_path / "meta.json").write_text(json.dumps({"buildx.build.provenance": used}))
    with pytest.raises(Malformed, match="used another image") as caught:
        resolve("base=from:Dockerfile,metadata=meta.json", options)
    assert digest_of(server, "base") in str(caught.value)


def test_what_the_builder_used_beyond_the_dockerfile_is_recorded_too(
    server: LoopbackRegistry, tmp_path: Path, options: ResolveOptions
) -> None:
    write(server, tmp_path, "FROM REG/base:1")
    used = provenance(server, base=digest_of(server, "base"), tools=digest_of(server, "tools"))
    (tmp_path / "meta.json").write_text(json.dumps({"buildx.build.provenance/linux/amd64": used}))
    found = resolve("base=from:Dockerfile,metadata=meta.json", options).artifacts
    assert f"base/image/{server.name}/tools:1/linux/amd64/layers" in found


def test_a_base_that_is_nowhere_could_not_be_found_out(
    server: LoopbackRegistry, tmp_path: Path, options: ResolveOptions
) -> None:
    write(server, tmp_path, "FROM localhost/base")
    with pytest.raises(Unavailable, match="no container engine has the image"):
        resolve("base=from:Dockerfile", options)


@pytest.mark.parametrize(
    ("location", "what"),
    [
        ("from:", "no Dockerfile"),
        ("from:,stage=a", "no Dockerfile"),
        ("from:D,", "not an option"),
        ("from:D,stage=", "not an option"),
        ("from:D,stage=a,stage=b", "given twice"),
        ("from:D,arg=V", "not an option"),
        ("from:D,arg==V", "not an option"),
        ("from:D,arg=V=1,arg=V=2", "given twice"),
        ("from:D,target=a", "not an option"),
    ],
)
def test_what_is_no_location_is_refused(location: str, what: str) -> None:
    with pytest.raises(Malformed, match=what):
        Ancestry.parse(location)


def test_a_location_says_stage_arguments_and_metadata() -> None:
    parsed = Ancestry.parse("from:a/Dockerfile,arg=V=1=2,metadata=m.json,stage=run,arg=W=")
    assert parsed == Ancestry("a/Dockerfile", "run", {"V": "1=2", "W": ""}, "m.json")


@pytest.mark.parametrize("name", ["../x", "a*", "", "a//b"])
def test_the_name_is_checked_as_that_of_any_image(server: LoopbackRegistry, tmp_path: Path, name: str) -> None:
    write(server, tmp_path, "FROM REG/base:1")
    with pytest.raises(Malformed, match="not a usable name"):
        resolve(f"{name}=from:Dockerfile", ResolveOptions(cwd=str(tmp_path), insecure=True))


# --- what BuildKit writes ------------------------------------------------------------------------------------------


def used(document: object) -> dict[str, str]:
    return {str(k): v.hex for k, v in used_images(json.dumps(document).encode(), "meta.json").items()}


A, B = "ab" * 32, "cd" * 32


def entry(uri: str, digest: str = A) -> dict[str, object]:
    return {"uri": uri, "digest": {"sha256": digest}}


@pytest.mark.parametrize(
    ("uri", "reference"),
    [
        ("pkg:docker/alpine@3.19?platform=linux%2Famd64", "docker.io/library/alpine:3.19"),
        ("pkg:docker/alpine?platform=linux%2Famd64", "docker.io/library/alpine:latest"),
        (f"pkg:docker/alpine?digest=sha256:{A}&platform=linux%2Famd64", "docker.io/library/alpine"),
        (f"pkg:docker/alpine@3.19?digest=sha256:{A}", "docker.io/library/alpine:3.19"),
        ("pkg:docker/ghcr.io/a/b@v1", "ghcr.io/a/b:v1"),
        ("pkg:docker/localhost%3A5000/a@v1#sub", "localhost:5000/a:v1"),
    ],
)
def test_an_image_is_named_by_a_package_url(uri: str, reference: str) -> None:
    assert used({"buildx.build.provenance": {"materials": [entry(uri)]}}) == {reference: A}


def test_both_versions_of_provenance_are_read() -> None:
    later = {"buildDefinition": {"resolvedDependencies": [entry("pkg:docker/alpine@1")]}}
    assert used({"buildx.build.provenance": later}) == {"docker.io/library/alpine:1": A}


@pytest.mark.parametrize(
    ("document", "what"),
    [
        ([], "object"),
        ({}, "no image that was built from"),
        ({"buildx.build.provenance": {}}, "no image that was built from"),
        ({"buildx.build.provenance": {"materials": [entry("https://x")]}}, "no image that was built from"),
        ({"other": {"materials": [entry("pkg:docker/alpine@1")]}}, "no image that was built from"),
        ({"buildx.build.provenance": []}, "object"),
        ({"buildx.build.provenance": {"materials": {}}}, "array"),
        ({"buildx.build.provenance": {"materials": [1]}}, "object"),
        ({"buildx.build.provenance": {"materials": [{"uri": "pkg:docker/alpine@1"}]}}, "not a digest"),
        ({"buildx.build.provenance": {"materials": [entry("pkg:docker/alpine@1", "ab")]}}, "not a digest"),
        ({"buildx.build.provenance": {"materials": [entry("pkg:docker/Alpine@1")]}}, "not an image reference"),
        (
            {"buildx.build.provenance": {"materials": [entry("pkg:docker/a@1"), entry("pkg:docker/a@1", B)]}},
            "two digests",
        ),
    ],
)
def test_metadata_that_says_nothing_is_refused(document: object, what: str) -> None:
    with pytest.raises(Malformed, match=what) as caught:
        used(document)
    assert "meta.json" in str(caught.value)


def test_metadata_that_is_not_there_is_refused(
    server: LoopbackRegistry, tmp_path: Path, options: ResolveOptions
) -> None:
    write(server, tmp_path, "FROM REG/base:1")
    with pytest.raises(Malformed, match="no such file"):
        resolve("base=from:Dockerfile,metadata=meta.json", options)
    with pytest.raises(Malformed, match="no such file"):
        resolve("base=from:Missing", options)
