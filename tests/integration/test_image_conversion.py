"""What real tools make of an image: `content` survives every conversion, and nothing else may replace it."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.conftest import Component

from navicert.digest import DigestSet
from navicert.errors import Malformed
from navicert.resolve.artifact import ResolveOptions
from navicert.resolve.image import resolve_image

DOCKERFILE = """
FROM scratch
COPY app /app
COPY data /srv/data
ENV MODE=production QUOTED="a b"
ENTRYPOINT ["/app"]
CMD ["serve", "--port=8080"]
USER 1000:1000
WORKDIR /srv
EXPOSE 8080 8443/udp
VOLUME /srv/state
LABEL team=payments empty=""
STOPSIGNAL SIGINT
HEALTHCHECK CMD ["/app", "health"]
"""


class Tools:
    """buildah and skopeo at work in one folder; every state of theirs is inside it."""

    def __init__(self, folder: Path, buildah: Path, skopeo: Path) -> None:
        self.folder = folder
        self._buildah = (buildah, "--storage-driver", "vfs", "--root", folder / "root", "--runroot", folder / "runroot")
        self._skopeo = skopeo

    def _run(self, *command: object) -> None:
        subprocess.run([str(word) for word in command], cwd=self.folder, check=True, capture_output=True)

    def build(self, tag: str, *, form: str = "oci") -> None:
        """Builds the folder `context` as an image of this tag."""
        options = ("--format", form, "--isolation", "chroot", "--layers", "--timestamp", "0")
        self._run(*self._buildah, "bud", *options, "-t", f"localhost/{tag}", "context")

    def push(self, tag: str, to: str) -> None:
        """Writes the built image to a layout or archive."""
        self._run(*self._buildah, "push", f"localhost/{tag}", to)

    def copy(self, source: str, to: str, *options: str) -> None:
        """Converts an image."""
        self._run(self._skopeo, "copy", *options, source, to)

    def artifacts(self, location: str) -> dict[str, DigestSet]:
        """What recording gives for an image, names without the image's and platform's."""
        found = resolve_image("app", location, ResolveOptions(cwd=str(self.folder)))
        return {name.rpartition("/")[2]: digests for name, digests in found.items()}


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory, component: Component) -> Tools:
    folder = tmp_path_factory.mktemp("images")
    context = folder / "context"
    context.mkdir()
    (context / "app").write_bytes(b"#!/bin/true\n")
    (context / "data").write_bytes(bytes(range(256)) * 2000)
    (context / "Dockerfile").write_text(DOCKERFILE)
    tools = Tools(folder, component("buildah"), component("skopeo"))
    tools.build("app")
    tools.push("app", "oci:built:v1")
    return tools


CONVERSIONS = {
    "oci archive": ["oci-archive:app.oci.tar"],
    "docker archive": ["docker-archive:app.docker.tar:app:latest"],
    "recompressed": ["dir:plain --dest-decompress", "oci:recompressed --dest-compress --dest-compress-level 1"],
    "docker manifest and back": ["dir:v2s2 --format v2s2", "oci:from-v2s2:v1"],
    "docker archive and back to oci": ["docker-archive:there.tar:app:v1", "oci:back:v1"],
    "docker archive, oci archive, docker archive": [
        "docker-archive:one.tar:app:v1",
        "oci-archive:two.tar:v1",
        "docker-archive:three.tar:app:v1",
    ],
}


@pytest.mark.parametrize("steps", CONVERSIONS.values(), ids=CONVERSIONS.keys())
def test_content_survives_conversion(tools, steps):
    before = tools.artifacts("oci:built:v1")
    source = "oci:built:v1"
    for step in steps:
        target, *options = step.split()
        tools.copy(source, target, *options)
        source = target
    after = tools.artifacts(source)
    assert after["content"] == before["content"]
    assert after["layers"] == before["layers"]
    assert ("manifest" in after) != source.startswith("docker-archive:")


def test_recompression_changes_the_manifest_and_nothing_else(tools):
    tools.copy("oci:built:v1", "dir:loose", "--dest-decompress")
    tools.copy("dir:loose", "oci:packed-again", "--dest-compress", "--dest-compress-level", "9")
    before, after = tools.artifacts("oci:built:v1"), tools.artifacts("oci:packed-again")
    assert {name for name in before if before[name] != after[name]} <= {"manifest"}


def test_a_docker_build_and_its_oci_form_have_one_content_and_two_configs(tools):
    tools.build("app-docker", form="docker")
    tools.push("app-docker", "docker-archive:app-docker.tar:app:latest")
    tools.copy("docker-archive:app-docker.tar", "oci:app-docker-oci:v1")
    before = tools.artifacts("docker-archive:app-docker.tar:app:latest")
    after = tools.artifacts("oci:app-docker-oci:v1")
    assert before["content"] == after["content"]
    assert before["config"] != after["config"]


def test_a_packed_archive_gives_the_same_artifacts(tools):
    tools.push("app", "docker-archive:loose.tar")
    archive = tools.folder / "loose.tar"
    (tools.folder / "packed.tar.gz").write_bytes(gzip.compress(archive.read_bytes()))
    assert tools.artifacts("docker-archive:packed.tar.gz") == tools.artifacts("docker-archive:loose.tar")


@pytest.mark.parametrize(
    ("line", "other"),
    [
        ('ENTRYPOINT ["/app"]', 'ENTRYPOINT ["/srv/data"]'),
        ("MODE=production", "MODE=debug"),
        ("USER 1000:1000", "USER 0"),
    ],
)
def test_another_entry_point_variable_or_user_gives_another_content_over_the_same_layers(tools, line, other):
    dockerfile = tools.folder / "context" / "Dockerfile"
    assert line in DOCKERFILE
    try:
        dockerfile.write_text(DOCKERFILE.replace(line, other))
        tools.build("changed")
    finally:
        dockerfile.write_text(DOCKERFILE)
    shutil.rmtree(tools.folder / "changed", ignore_errors=True)
    tools.push("changed", "oci:changed:v1")
    before, after = tools.artifacts("oci:built:v1"), tools.artifacts("oci:changed:v1")
    assert before["layers"] == after["layers"]
    assert before["content"] != after["content"]


def test_an_image_changed_on_disk_is_refused(tools):
    shutil.copytree(tools.folder / "built", tools.folder / "altered")
    largest = max((tools.folder / "altered" / "blobs" / "sha256").iterdir(), key=lambda blob: blob.stat().st_size)
    data = bytearray(largest.read_bytes())
    data[len(data) // 2] ^= 1
    largest.write_bytes(data)
    with pytest.raises(Malformed, match=f"{largest.name}: blob has another digest"):
        tools.artifacts("oci:altered:v1")
