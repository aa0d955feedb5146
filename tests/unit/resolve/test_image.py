"""`NAME=oci:DIR`: how an image is named, and what its artifacts are."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from tests.image_builder import LayoutBuilder, config_json, docker_entries, sha256, tagged, tar_of

from navicert.errors import Malformed
from navicert.resolve import resolve
from navicert.resolve.artifact import ResolveOptions
from navicert.resolve.image import (
    ImageLocation,
    ImageSpec,
    content_bytes,
    image_artifacts,
    image_identity,
    layers_bytes,
    open_image,
    parse_image_location,
    parse_image_spec,
    resolve_image,
)

DIGEST = "sha256:" + "ab" * 32


@pytest.fixture
def builder(tmp_path: Path) -> LayoutBuilder:
    return LayoutBuilder(tmp_path / "image")


def content(builder: LayoutBuilder, run, **fields) -> str:
    """The content digest of an image with this config, in a layout of its own."""
    layer, diff_id = builder.layer({"a": b"1"})
    path = builder.contents(builder.manifest(config_json([diff_id], run, **fields), [layer]))
    artifacts = image_artifacts("app", open_image(ImageLocation("oci", str(path))))
    return next(dict(digests)["sha256"] for name, digests in artifacts.items() if name.endswith("/content"))


@pytest.mark.parametrize(
    ("text", "location"),
    [
        ("oci:build/image", ImageLocation("oci", "build/image")),
        ("oci:build/image:v1", ImageLocation("oci", "build/image", "v1")),
        ("oci:build/image:app:v1", ImageLocation("oci", "build/image", "app:v1")),
        (f"oci:build/image@{DIGEST}", ImageLocation("oci", "build/image", DIGEST)),
        ("oci:/abs/p@x", ImageLocation("oci", "/abs/p@x")),
        ("oci-archive:a.tar:v1", ImageLocation("oci-archive", "a.tar", "v1")),
        ("docker-archive:a.tar", ImageLocation("docker-archive", "a.tar")),
    ],
)
def test_a_location_is_medium_path_and_reference(text, location):
    assert parse_image_location(text) == location
    assert str(location) == text
    assert parse_image_spec(f"team/app_1.x={text}") == ImageSpec("team/app_1.x", location)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "oci",
        "oci:",
        "oci::v1",
        "oci:dir:",
        "oci:@" + DIGEST,
        "oci:dir@sha256:abc",
        "dir:x",
        "registry:app",
        "OCI:dir",
        "oci:a\0b",
    ],
)
def test_anything_else_is_no_location(text):
    with pytest.raises(Malformed):
        parse_image_location(text)


@pytest.mark.parametrize("name", ["", "*", "a/../b", "../a", "/a", "a//b", "a b", "a[1]", "-a", ".", "a/", "ä", "a\n"])
def test_a_name_that_means_more_than_itself_is_refused(name):
    with pytest.raises(Malformed, match="not a usable name for an image"):
        parse_image_spec(f"{name}=oci:dir")


def test_an_image_without_a_name_is_refused():
    with pytest.raises(Malformed, match="image without a name"):
        parse_image_spec("oci:dir")


def test_a_manifest_gives_four_artifacts(builder):
    layer, diff_id = builder.layer({"app": b"hello"})
    descriptor = builder.manifest(config_json([diff_id], {"Env": ["A=1"], "Cmd": None}), [layer])
    artifacts = image_artifacts("app", open_image(ImageLocation("oci", str(builder.contents(descriptor)))))
    config = json.loads(builder.blob_path(descriptor["digest"]).read_bytes())["config"]["digest"]
    content = f'{{"architecture":"amd64","config":{{"Env":["A=1"]}},"diff_ids":["{diff_id}"],"os":"linux"}}'
    assert {name: f"sha256:{dict(digests)['sha256']}" for name, digests in artifacts.items()} == {
        "app/linux/amd64/config": config,
        "app/linux/amd64/content": sha256(content.encode()),
        "app/linux/amd64/layers": sha256(f'["{diff_id}"]'.encode()),
        "app/linux/amd64/manifest": descriptor["digest"],
    }
    assert list(artifacts) == sorted(artifacts)
    assert all(len(digests) == 1 for digests in artifacts.values())


def test_an_index_is_an_artifact_of_its_own_beside_every_platform(builder):
    children = [
        builder.image(platform={"os": "linux", "architecture": "amd64"}),
        builder.image(platform={"os": "linux", "architecture": "arm", "variant": "v7"}, config={"architecture": "arm"}),
    ]
    root = builder.index(children)
    artifacts = image_artifacts(
        "app", open_image(ImageLocation("oci", str(builder.contents(tagged(root, "v1"))), "v1"))
    )
    assert dict(artifacts["app/index"])["sha256"] == root["digest"].removeprefix("sha256:")
    kinds = ("config", "content", "layers", "manifest")
    platforms = ("linux/amd64", "linux/arm/v7")
    assert list(artifacts) == ["app/index", *(f"app/{p}/{kind}" for p in platforms for kind in kinds)]


def test_a_docker_archive_has_no_manifest_and_the_same_content(builder, tmp_path):
    archive = tar_of(docker_entries([{"a": b"1"}]), tmp_path / "image.tar")
    artifacts = image_artifacts("app", open_image(ImageLocation("docker-archive", str(archive))))
    assert list(artifacts) == [f"app/linux/amd64/{kind}" for kind in ("config", "content", "layers")]
    expected = content(builder, {"Entrypoint": ["/app"]})
    assert dict(artifacts["app/linux/amd64/content"])["sha256"] == expected


def test_the_layers_of_an_image_without_any_are_an_empty_list(builder):
    (entry,) = open_image(ImageLocation("oci", str(builder.contents(builder.manifest(config_json([]), []))))).platforms
    assert layers_bytes(entry) == b"[]"
    assert content_bytes(entry) == b'{"architecture":"amd64","config":{"Entrypoint":["/app"]},"os":"linux"}'


def test_the_identity_of_an_image_names_index_and_platforms(builder):
    root = builder.index([builder.image(platform={"os": "linux", "architecture": "amd64"})])
    image = open_image(ImageLocation("oci", str(builder.contents(root))))
    artifacts = image_artifacts("app", image)
    identity = image_identity(image)
    (platform,) = identity.platforms
    assert platform.manifest is not None
    named = {"manifest": platform.manifest, "config": platform.config, "content": platform.content}
    for kind, digest in named.items():
        assert digest.hex == dict(artifacts[f"app/linux/amd64/{kind}"])["sha256"]
    assert str(identity.index) == root["digest"]


EMPTY = [
    {},
    {"Env": None, "Labels": None, "Volumes": None, "User": None},
    {"Env": [], "Labels": {}, "User": "", "Cmd": []},
]


@pytest.mark.parametrize("run", EMPTY)
def test_absent_null_and_empty_are_one(tmp_path, run):
    assert content(LayoutBuilder(tmp_path / "a"), run) == content(LayoutBuilder(tmp_path / "b"), {})


def test_a_config_section_of_null_is_an_empty_one(tmp_path):
    absent = content(LayoutBuilder(tmp_path / "a"), {}, config=None, variant=None)
    assert absent == content(LayoutBuilder(tmp_path / "b"), {})


FULL = {
    "Env": ["A=1", "B=2"],
    "Entrypoint": ["/app"],
    "Cmd": ["run"],
    "User": "1000",
    "WorkingDir": "/srv",
    "ExposedPorts": {"80/tcp": {}, "443/tcp": {}},
    "Volumes": {"/data": {}},
    "StopSignal": "SIGINT",
    "Labels": {"a": "1", "b": ""},
}


@pytest.mark.parametrize(
    "change",
    [
        {"Env": ["B=2", "A=1"]},
        {"Env": ["A=1", "B=3"]},
        {"Entrypoint": ["/app", ""]},
        {"Entrypoint": None},
        {"Cmd": ["run", "--evil"]},
        {"User": "0"},
        {"User": None},
        {"WorkingDir": "/"},
        {"ExposedPorts": {"80/tcp": {}}},
        {"Volumes": {"/data": {}, "/etc": {}}},
        {"StopSignal": "SIGKILL"},
        {"Labels": {"a": "1"}},
        {"Labels": {"a": "2", "b": ""}},
    ],
    ids=str,
)
def test_content_changes_with_everything_that_decides_what_runs(tmp_path, change):
    assert content(LayoutBuilder(tmp_path / "a"), FULL) != content(LayoutBuilder(tmp_path / "b"), FULL | change)


@pytest.mark.parametrize("change", [{"architecture": "arm64"}, {"os": "windows"}, {"variant": "v2"}], ids=str)
def test_content_changes_with_the_platform(tmp_path, change):
    assert content(LayoutBuilder(tmp_path / "a"), FULL) != content(LayoutBuilder(tmp_path / "b"), FULL, **change)


@pytest.mark.parametrize(
    "change",
    [
        {"created": "2020-01-01T00:00:00Z"},
        {"author": "someone"},
        {"history": [{"created_by": "COPY a"}]},
        {"docker_version": "20.10", "container": "x"},
    ],
    ids=str,
)
def test_content_stays_with_times_history_and_author(tmp_path, change):
    assert content(LayoutBuilder(tmp_path / "a"), FULL) == content(LayoutBuilder(tmp_path / "b"), FULL, **change)


def test_content_stays_when_ports_and_labels_are_written_in_another_order(tmp_path):
    other = {key: dict(reversed(value.items())) if isinstance(value, dict) else value for key, value in FULL.items()}
    assert content(LayoutBuilder(tmp_path / "a"), FULL) == content(LayoutBuilder(tmp_path / "b"), other)


def test_content_is_hashed_over_the_documented_bytes(builder):
    layer, diff_id = builder.layer({"a": b"1"})
    path = builder.contents(builder.manifest(config_json([diff_id], FULL, variant="v2"), [layer]))
    (entry,) = open_image(ImageLocation("oci", str(path))).platforms
    expected = (
        '{"architecture":"amd64","config":{"Cmd":["run"],"Entrypoint":["/app"],"Env":["A=1","B=2"],'
        '"ExposedPorts":["443/tcp","80/tcp"],"Labels":{"a":"1","b":""},"StopSignal":"SIGINT","User":"1000",'
        f'"Volumes":["/data"],"WorkingDir":"/srv"}},"diff_ids":["{diff_id}"],"os":"linux","variant":"v2"}}'
    )
    assert content_bytes(entry).decode() == expected
    assert image_identity(open_image(ImageLocation("oci", str(path)))).platforms[0].content.hex == (
        hashlib.sha256(expected.encode()).hexdigest()
    )


def test_recording_resolves_images_relative_to_its_folder(builder, tmp_path):
    builder.contents(tagged(builder.image(), "v1"))
    options = ResolveOptions(cwd=str(tmp_path))
    resolved = resolve("app=oci:image:v1", options)
    assert resolved.artifacts == resolve_image("app", "oci:image:v1", options)
    assert len(resolved.artifacts) == 4
