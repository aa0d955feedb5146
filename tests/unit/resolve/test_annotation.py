"""What an image says that it was built on: believed as far as the Dockerfile and the bytes go along with it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from navicert.errors import Malformed, NavicertError, Unavailable
from navicert.oci import media
from navicert.oci.manifest import Descriptor, Platform
from navicert.resolve import resolve, told_afterwards
from navicert.resolve.ancestry import Ancestry
from navicert.resolve.annotation import BASE_DIGEST, BASE_NAME
from navicert.resolve.artifact import ResolveOptions
from navicert.testing.registry import LoopbackRegistry

AMD64, ARM64 = Platform("linux", "amd64"), Platform("linux", "arm64")


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackRegistry]:
    """A registry with a base, on a machine without docker and podman, and nobody's credentials."""
    (tmp_path / "auth.json").write_text("{}")
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "auth.json"))
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with LoopbackRegistry() as registry:
        registry.add_image("base", "1", {"a": b"base"})
        yield registry


@pytest.fixture
def options(tmp_path: Path) -> ResolveOptions:
    return ResolveOptions(cwd=str(tmp_path), insecure=True)


def root(server: LoopbackRegistry, repository: str, tag: str = "1") -> str:
    return server.contents[repository].tags[tag]


def layers(server: LoopbackRegistry, digest: str, repository: str = "base") -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = json.loads(server.contents[repository].manifests[digest][1])["layers"]
    return read


def annotated(
    server: LoopbackRegistry, below: str, annotations: Mapping[str, str] | None, platform: Platform = AMD64
) -> Descriptor:
    """An image on the layers of the manifest `below` of the repository base, with one of its own."""
    held = server.contents["base"]
    lower = layers(server, below)
    for layer in lower:
        server.add_blob("app", held.blobs[layer["digest"]])
    own = server.add_image("app", files={"own": str(platform).encode()}, platform=platform)
    upper = layers(server, str(own.digest), "app")
    config = {
        "architecture": platform.architecture,
        "os": platform.os,
        "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in (*lower, *upper)]},
    }
    body: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": media.OCI_MANIFEST,
        "config": server.add_blob("app", json.dumps(config).encode(), media.OCI_CONFIG).to_json(),
        "layers": [*lower, *upper],
    }
    return server.add_manifest("app", body | ({} if annotations is None else {"annotations": annotations}), tag="1")


def stated(server: LoopbackRegistry, digest: str, name: str = "base:1") -> dict[str, str]:
    return {BASE_NAME: f"{server.name}/{name}", BASE_DIGEST: digest}


def record(
    server: LoopbackRegistry, options: ResolveOptions, text: str, *, tag: str = "1"
) -> tuple[dict[str, Any], tuple[str, ...]]:
    (Path(options.cwd) / "Dockerfile").write_text(text.replace("REG", server.name))
    found = resolve(f"base=from:Dockerfile,built=registry:{server.name}/app:{tag}", options)
    return dict(found.artifacts), tuple(found.warnings)


def test_the_base_that_was_used_is_recorded_and_not_the_one_of_the_moment(
    server: LoopbackRegistry, options: ResolveOptions
) -> None:
    before = resolve(f"base=registry:{server.name}/base:1", options).artifacts
    annotated(server, root(server, "base"), stated(server, root(server, "base")))
    server.add_image("base", "1", {"a": b"moved"})
    artifacts, warnings = record(server, options, "FROM REG/base:1\n")
    assert artifacts == dict(before)
    assert not any("lowest" in line for line in warnings)


def test_it_is_read_when_the_build_has_ended() -> None:
    assert told_afterwards("base=from:Dockerfile,built=oci:image:1")
    assert not told_afterwards("base=from:Dockerfile")
    with pytest.raises(Malformed, match="two builders"):
        Ancestry.parse("from:Dockerfile,built=oci:image,metadata=meta.json")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (None, "does not say what it was built on"),
        ({}, "does not say what it was built on"),
        ({BASE_NAME: ""}, "does not say"),
        ({BASE_DIGEST: ""}, "does not say"),
        ({BASE_NAME: "", BASE_DIGEST: ""}, "another image, or none"),
        ({BASE_NAME: "UPPER case"}, "not an image reference"),
        ({BASE_DIGEST: "sha256:../../etc/passwd"}, "not a digest"),
        ({BASE_DIGEST: "md5:" + "a" * 32}, "not a digest"),
        ({BASE_NAME: "r.example/base:1"}, "another image, or none"),
        ({BASE_NAME: "NAME/base:2"}, "another image, or none"),
        ({BASE_NAME: "NAME/evil/base:1"}, "another image, or none"),
    ],
)
def test_annotations_that_say_nothing_or_something_else_are_refused(
    server: LoopbackRegistry, options: ResolveOptions, change: dict[str, str] | None, message: str
) -> None:
    digest = root(server, "base")
    said = None if change is None else stated(server, digest) | change if change else {}
    if said:
        said = {name: text.replace("NAME", server.name) for name, text in said.items()}
    annotated(server, digest, said)
    with pytest.raises(Malformed, match=message):
        record(server, options, "FROM REG/base:1\n")


def test_a_digest_that_nobody_has_is_no_base(server: LoopbackRegistry, options: ResolveOptions) -> None:
    annotated(server, root(server, "base"), stated(server, "sha256:" + "a" * 64))
    with pytest.raises(NavicertError, match="a" * 64):
        record(server, options, "FROM REG/base:1\n")


def test_a_local_image_that_no_engine_has_is_not_looked_for_elsewhere(
    server: LoopbackRegistry, options: ResolveOptions
) -> None:
    annotated(server, root(server, "base"), {BASE_NAME: "localhost/base:1", BASE_DIGEST: root(server, "base")})
    with pytest.raises(Unavailable, match="no container engine"):
        record(server, options, "FROM localhost/base:1\n")


def test_a_base_that_does_not_lie_below_is_told_and_recorded_as_stated(
    server: LoopbackRegistry, options: ResolveOptions
) -> None:
    """The inspection image-base then finds other layers below the image than the recorded ones."""
    good = root(server, "base")
    evil = server.add_image("base", "evil", {"a": b"evil"})
    annotated(server, str(evil.digest), stated(server, good))
    artifacts, warnings = record(server, options, "FROM REG/base:1\n")
    assert artifacts["base/linux/amd64/manifest"].strong[0].hex == good.removeprefix("sha256:")
    assert any("its layers are not the lowest of the image" in line for line in warnings)


def test_an_image_from_scratch_has_no_base_and_one_that_has_is_not_from_scratch(
    server: LoopbackRegistry, options: ResolveOptions
) -> None:
    digest = root(server, "base")
    annotated(server, digest, {BASE_NAME: "", BASE_DIGEST: ""})
    assert record(server, options, "FROM scratch\n")[0] == {}
    annotated(server, digest, stated(server, digest))
    with pytest.raises(Malformed, match="expected none, as in the Dockerfile"):
        record(server, options, "FROM scratch\n")


def test_a_stage_between_makes_the_annotation_worthless(server: LoopbackRegistry, options: ResolveOptions) -> None:
    """buildah then gives the digest of the stage, which nobody has, under the name of the base."""
    annotated(server, root(server, "base"), stated(server, root(server, "base")))
    with pytest.raises(Malformed, match="FROM another stage"):
        record(server, options, "FROM REG/base:1 AS build\nFROM build\n")
    assert record(server, options, "FROM REG/base:1 AS other\nFROM REG/base:1\n")[0]


@pytest.mark.parametrize(("tag", "passes"), [("own", True), ("index", True), ("other", False)])
def test_what_the_dockerfile_pins_is_what_the_image_must_say(
    server: LoopbackRegistry, options: ResolveOptions, tag: str, passes: bool
) -> None:
    """The builder states the manifest of a platform where the Dockerfile pins an index of it."""
    own = Descriptor(media.OCI_MANIFEST, *_described(server, root(server, "base")))
    other = server.add_image("base", files={"a": b"other"}, platform=ARM64)
    pinned = {
        "own": own,
        "index": server.add_index("base", {AMD64: own, ARM64: other}),
        "other": server.add_image("base", files={"a": b"third"}),
    }[tag]
    annotated(server, str(own.digest), stated(server, str(own.digest)))
    text = f"FROM REG/base:1@{pinned.digest}\n"
    if passes:
        assert "base/linux/amd64/layers" in record(server, options, text)[0]
        return
    with pytest.raises(Malformed, match="another image than the Dockerfile pins"):
        record(server, options, text)


def _described(server: LoopbackRegistry, digest: str) -> tuple[Any, int]:
    from navicert.digest import Digest

    return Digest.parse(digest), len(server.contents["base"].manifests[digest][1])


def test_every_platform_of_an_index_has_its_base(server: LoopbackRegistry, options: ResolveOptions) -> None:
    bases = {AMD64: root(server, "base")}
    bases[ARM64] = str(server.add_image("base", files={"a": b"arm"}, platform=ARM64).digest)
    children = {one: annotated(server, bases[one], stated(server, bases[one]), one) for one in bases}
    server.add_index("app", children, tag="both")
    artifacts, _ = record(server, options, "FROM REG/base:1\n", tag="both")
    for one, digest in bases.items():
        assert artifacts[f"base/{one}/manifest"].strong[0].hex == digest.removeprefix("sha256:")
    children[ARM64] = annotated(server, bases[ARM64], {BASE_NAME: "", BASE_DIGEST: ""}, ARM64)
    server.add_index("app", children, tag="both")
    with pytest.raises(Malformed, match="another image, or none"):
        record(server, options, "FROM REG/base:1\n", tag="both")


def test_two_bases_for_one_platform_are_refused(server: LoopbackRegistry, options: ResolveOptions) -> None:
    """Two platforms of the image state bases that are both for amd64."""
    first, second = root(server, "base"), str(server.add_image("base", files={"a": b"second"}).digest)
    children = {
        AMD64: annotated(server, first, stated(server, first)),
        ARM64: annotated(server, second, stated(server, second), ARM64),
    }
    server.add_index("app", children, tag="both")
    with pytest.raises(Malformed, match="two bases for one platform"):
        record(server, options, "FROM REG/base:1\n", tag="both")


def unavailable(*_: object) -> None:
    """In place of asking registries that are not on this machine."""
    raise Unavailable("not asked")


@pytest.mark.parametrize(
    ("text", "name", "same"),
    [
        ("base", "localhost/base:latest", True),
        ("base:1", "quay.io/team/base:1", True),
        ("base:1", "quay.io/team/base:2", False),
        ("team/base", "quay.io/team/base:latest", True),
        ("base", "quay.io/debase:latest", False),
        ("quay.io/base", "localhost/quay.io/base:latest", False),
        ("localhost/base", "quay.io/localhost/base:latest", False),
        ("alpine", "docker.io/library/alpine:latest", True),
        ("docker.io/alpine", "docker.io/library/alpine:latest", True),
        ("r.example:5000/base:1", "r.example:5000/base:1", True),
        ("r.example:5000/base:1", "evil.example/r.example:5000/base:1", False),
    ],
)
def test_a_name_without_a_host_is_completed_by_the_builder_and_any_other_stands(
    server: LoopbackRegistry,
    options: ResolveOptions,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    name: str,
    same: bool,
) -> None:
    monkeypatch.setattr("navicert.resolve.annotation.held", unavailable)
    annotated(server, root(server, "base"), {BASE_NAME: name, BASE_DIGEST: "sha256:" + "a" * 64})
    with pytest.raises(NavicertError) as caught:
        record(server, options, f"FROM {text}\n")
    refused = "another image, or none" in str(caught.value) or "not an image reference" in str(caught.value)
    assert refused is not same
