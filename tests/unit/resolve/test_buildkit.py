"""What BuildKit says that it built from: names with digests, or nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from navicert.digest import Digest
from navicert.errors import Malformed
from navicert.oci.reference import Reference
from navicert.resolve.buildkit import used_images

HEX = "ab" * 32
IMAGE = {"uri": "pkg:docker/alpine@3.20?platform=linux%2Famd64", "digest": {"sha256": HEX}}


def used(*materials: object, name: str = "buildx.build.provenance", **more: Any) -> dict[Reference, Digest]:
    return used_images(json.dumps({name: {"materials": list(materials)}} | more).encode(), "meta.json")


def names(*materials: object, **more: Any) -> dict[str, str]:
    return {str(reference): digest.hex for reference, digest in used(*materials, **more).items()}


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("pkg:docker/alpine@3.20?platform=linux%2Famd64", "docker.io/library/alpine:3.20"),
        ("pkg:docker/team/app@v1", "docker.io/team/app:v1"),
        ("pkg:docker/r.example/team/app@v1#sub", "r.example/team/app:v1"),
        ("pkg:docker/127.0.0.1:5000/app@1", "127.0.0.1:5000/app:1"),
        ("pkg:docker/127.0.0.1%3A5000/app@1", "127.0.0.1:5000/app:1"),
        (f"pkg:docker/alpine?digest=sha256:{HEX}&platform=linux%2Famd64", "docker.io/library/alpine"),
        ("pkg:docker/alpine", "docker.io/library/alpine:latest"),
    ],
)
def test_a_package_url_names_an_image(uri: str, name: str) -> None:
    assert names({"uri": uri, "digest": {"sha256": HEX}}) == {name: HEX}


def test_both_forms_of_provenance_and_every_platform_are_read() -> None:
    other = IMAGE | {"uri": "pkg:docker/busybox@1", "digest": {"sha256": "cd" * 32}}
    v1 = {"buildDefinition": {"resolvedDependencies": [other]}}
    found = names(IMAGE, name="buildx.build.provenance/linux/amd64", **{"buildx.build.provenance/linux/arm64": v1})
    assert set(found) == {"docker.io/library/alpine:3.20", "docker.io/library/busybox:1"}


def test_what_is_no_image_is_passed_over() -> None:
    git = {"uri": "https://git.example/app.git#main", "digest": {"sha1": "ab" * 20}}
    assert len(used(git, IMAGE, {"uri": "pkg:npm/x@1", "digest": {}}, {})) == 1


def test_one_image_with_two_digests_is_refused() -> None:
    """Which of the two was built on, nobody could tell."""
    with pytest.raises(Malformed, match="two digests"):
        used(IMAGE, IMAGE | {"digest": {"sha256": "cd" * 32}})
    assert len(used(IMAGE, dict(IMAGE))) == 1


@pytest.mark.parametrize(
    "digest",
    [{}, {"sha1": "ab" * 20}, {"sha256": ""}, {"sha256": "xyz"}, {"sha256": 1}, None, [], {"sha512": "ab" * 64}],
)
def test_an_image_without_a_usable_digest_is_refused_not_passed_over(digest: object) -> None:
    with pytest.raises(Malformed) as caught:
        used(IMAGE, {"uri": "pkg:docker/evil@1", "digest": digest})
    assert caught.value.path == "meta.json"


@pytest.mark.parametrize(
    "uri", ["pkg:docker/", "pkg:docker/UPPER@1", "pkg:docker/a@b@c", "pkg:docker/..%2f..@1", "pkg:docker/a%00b", 7]
)
def test_a_name_that_is_none_is_refused(uri: object) -> None:
    with pytest.raises(Malformed):
        used({"uri": uri, "digest": {"sha256": HEX}})


@pytest.mark.parametrize(
    "raw",
    [
        b"{}",
        b"[]",
        b"",
        b'{"containerimage.digest": "sha256:00"}',
        b'{"buildx.build.provenance": {}}',
        b'{"buildx.build.provenance": []}',
        b'{"buildx.build.provenance": {"materials": {}}}',
        b'{"buildx.build.provenance": {"materials": ["x"]}}',
        b'{"buildx.build.provenance": {"buildDefinition": {"resolvedDependencies": 1}}}',
        b'{"xbuildx.build.provenance": {"materials": []}}',
        b'{"buildx.build.provenance": {"materials": []}, "buildx.build.provenance": {"materials": []}}',
    ],
)
def test_a_file_that_names_no_image_is_no_answer(raw: bytes) -> None:
    with pytest.raises(Malformed) as caught:
        used_images(raw, "meta.json")
    assert caught.value.path == "meta.json"
