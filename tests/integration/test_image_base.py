"""The base of an image, through real tools: recorded from a Dockerfile, and looked for below what buildah built."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Component
from tests.registry_server import docker_registry

from navicert.cli.main import main
from navicert.envelope.document import open_document
from navicert.model.link import Link
from navicert.trust.keyfile import open_public_key

LAYOUT = """
name: on-its-base
version: 1
expires: 6 months
functionaries:
  builder: builder.pub
steps:
  - name: build
    by: builder
    materials:
      - ALLOW src/*
      - ALLOW base/*
      - DISALLOW *
    products:
      - CREATE app/*
      - DISALLOW *
inspections:
  - name: base
    run: navicert inspect image-base target --base materials:build/base
"""

BUILD = """set -eu
buildah bud -q --isolation chroot --timestamp 0 $FLAGS -t localhost/app src
buildah push -q localhost/app oci:image:1.0
"""


def buildah(*words: str) -> None:
    subprocess.run(["buildah", *words], check=True, capture_output=True)


def make_base(folder: Path, content: str) -> None:
    """Builds `localhost/base` anew, of two layers."""
    folder.mkdir(exist_ok=True)
    (folder / "a").write_text(content)
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY a /a\nCOPY a /b\n")
    buildah("bud", "-q", "--isolation", "chroot", "--layers", "--timestamp", "0", "-t", "localhost/base", str(folder))


@pytest.fixture
def work(component: Component, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a source, keys and a layout; buildah and podman have a storage of their own."""
    for name in ("buildah", "podman", "skopeo"):
        component(name)
    storage = tmp_path / "storage.conf"
    storage.write_text(f'[storage]\ndriver = "vfs"\ngraphroot = "{tmp_path}/g"\nrunroot = "{tmp_path}/r"\n')
    monkeypatch.setenv("CONTAINERS_STORAGE_CONF", str(storage))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody")
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker/config.json").write_text("{}")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    monkeypatch.setenv("FLAGS", "")
    work = tmp_path / "work"
    (work / "src").mkdir(parents=True)
    monkeypatch.chdir(work)
    (work / "src/main.c").write_text("int main;")
    (work / "src/Dockerfile").write_text("ARG BASE=localhost/base\nFROM $BASE AS run\nCOPY main.c /main.c\n")
    (work / "build.sh").write_text(BUILD)
    (work / "layout.yaml").write_text(LAYOUT)
    assert main(["keygen", "builder"]) == 0
    assert main(["keygen", "owner"]) == 0
    assert main(["layout", "sign", "layout.yaml", "--key", "owner", "-o", "root.layout"]) == 0
    make_base(tmp_path / "base", "one")
    return work


def build(*materials: str) -> int:
    words = ["run", "build", "--key", "builder", "--store", "evidence", "-m", "src", *materials]
    return main([*words, "-p", "app=oci:image:1.0", "--", "sh", "build.sh"])


FROM = ("-m", "base=from:src/Dockerfile")
POLICY = ("--layout", "root.layout", "--owner", "owner.pub", "--store", "evidence", "--strict", "--json")


def verdict(capsys: pytest.CaptureFixture[str], target: str, *more: str) -> dict[str, Any]:
    capsys.readouterr()
    code = main(["verify", *POLICY, *more, target])
    read: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert read["passed"] is (code == 0)
    return read


def said(read: dict[str, Any]) -> str:
    return next(str(check["reason"]) for check in read["checks"] if check["id"] == "inspection.run")


def test_lint_has_nothing_to_say_about_it(work: Path) -> None:
    assert main(["layout", "lint", "--strict", "layout.yaml"]) == 0


def test_an_image_on_the_base_of_its_dockerfile_passes_wherever_it_goes(
    work: Path, capsys: pytest.CaptureFixture[str], component: Component, tmp_path: Path
) -> None:
    assert build(*FROM) == 0
    read = verdict(capsys, "oci:image:1.0")
    assert said(read) == "linux/amd64: the lowest 2 of 3 layers are materials:build/base"
    subprocess.run(["skopeo", "copy", "-q", "oci:image:1.0", "docker-archive:app.tar:app:1.0"], check=True)
    assert verdict(capsys, "docker-archive:app.tar")["passed"] is True
    with docker_registry(component("docker-registry"), tmp_path / "registry") as server:
        there = f"{server.name}/app:1.0"
        words = ["skopeo", "copy", "-q", "--dest-tls-verify=false", "oci:image:1.0", f"docker://{there}"]
        subprocess.run(words, check=True)
        assert verdict(capsys, there, "--insecure")["passed"] is True


def test_an_image_on_another_base_than_the_declared_one_fails(
    work: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The base was exchanged between the moment in which it was recorded and the build."""
    (work / "build.sh").write_text(
        f"set -eu\necho two > {tmp_path}/base/a\n"
        f"buildah bud -q --isolation chroot --layers --timestamp 0 -t localhost/base {tmp_path}/base\n{BUILD}"
    )
    assert build(*FROM) == 0
    read = verdict(capsys, "oci:image:1.0")
    assert read["passed"] is False
    assert said(read) == "returned 1: linux/amd64: its lowest layers are not materials:build/base"


def test_a_squashed_image_has_no_base_left(
    work: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLAGS", "--squash")
    assert build(*FROM) == 0
    assert verdict(capsys, "oci:image:1.0")["passed"] is False


def test_an_image_whose_base_nobody_recorded_fails(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build() == 0
    assert said(verdict(capsys, "oci:image:1.0")).endswith("materials:build/base has none for it")


def test_an_argument_of_the_builder_is_one_of_the_recording_too(
    work: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    buildah("tag", "localhost/base", "localhost/other:1")
    make_base(tmp_path / "base", "two")
    monkeypatch.setenv("FLAGS", "--build-arg BASE=localhost/other:1")
    assert build("-m", "base=from:src/Dockerfile,arg=BASE=localhost/other:1") == 0
    assert verdict(capsys, "oci:image:1.0")["passed"] is True
    assert build(*FROM) == 0
    assert verdict(capsys, "oci:image:1.0")["passed"] is False


def test_both_are_looked_at_in_files_by_whoever_runs_the_inspection(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build(*FROM) == 0
    buildah("push", "-q", "localhost/base", "oci-archive:base.tar")
    words = ["inspect", "image-base", "oci:image:1.0", "--base", "oci-archive:base.tar"]
    capsys.readouterr()
    assert main(words) == 0
    assert capsys.readouterr().out == "linux/amd64: the lowest 2 of 3 layers are oci-archive:base.tar\n"
    assert main(["inspect", "image-base", "oci-archive:base.tar", "--base", "oci:image:1.0"]) == 1
    assert main(["inspect", "image-base", "target", "--base", "materials:build/base"]) == 2


# --- what buildah writes into the image that it builds --------------------------------------------------------------
# BuildKit tells the same by --metadata-file. Debian has no buildx, without which no Docker writes that file, and the
# BuildKit inside dockerd 20.10 attests nothing: tests/unit/resolve/test_ancestry.py uses the documented form.

TOLD = ("-m", "base=from:src/Dockerfile,built=oci:image:1.0")


def recorded(work: Path) -> dict[str, dict[str, str]]:
    """The materials of the step."""
    (link,) = (work / "evidence").glob("build.*.link")
    verified = open_document(link.read_bytes()).verified_by([open_public_key("builder.pub")])
    assert verified is not None
    assert isinstance(verified.body, Link)
    return {name: {one.algorithm: one.hex for one in found.strong} for name, found in verified.body.materials.items()}


def output(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def digest_of(image: str) -> str:
    return output("podman", "image", "inspect", "--format", "{{.Digest}}", image)


def test_the_base_that_buildah_says_it_used_is_recorded(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build(*TOLD) == 0
    materials = recorded(work)
    assert materials["base/linux/amd64/manifest"] == {"sha256": digest_of("localhost/base").removeprefix("sha256:")}
    config = output("podman", "image", "inspect", "--format", "{{.Id}}", "localhost/base")
    assert materials["base/linux/amd64/config"] == {"sha256": config}
    read = verdict(capsys, "oci:image:1.0")
    assert said(read) == "linux/amd64: the lowest 2 of 3 layers are materials:build/base"


def test_a_tag_that_moves_before_the_build_does_not_change_what_is_recorded_of_it(
    work: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Looked up before the build it would be another base than the one used."""
    declared = digest_of("localhost/base")
    (work / "build.sh").write_text(
        f"set -eu\necho two > {tmp_path}/base/a\n"
        f"buildah bud -q --isolation chroot --layers --timestamp 0 -t localhost/base {tmp_path}/base\n{BUILD}"
    )
    assert build(*TOLD) == 0
    assert recorded(work)["base/linux/amd64/manifest"] != {"sha256": declared.removeprefix("sha256:")}
    assert verdict(capsys, "oci:image:1.0")["passed"] is True


def test_another_base_than_the_layout_pins_is_refused_although_it_was_told_truly(
    work: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert build(*TOLD) == 0
    pinned = recorded(work)["base/linux/amd64/layers"]["sha256"]
    (work / "layout.yaml").write_text(LAYOUT.replace("materials:build/base", f"sha256:{pinned}"))
    assert main(["layout", "sign", "layout.yaml", "--key", "owner", "-o", "root.layout", "--force"]) == 0
    assert verdict(capsys, "oci:image:1.0")["passed"] is True
    make_base(tmp_path / "base", "two")
    assert build(*TOLD) == 0
    assert verdict(capsys, "oci:image:1.0")["passed"] is False


def test_an_annotation_that_names_a_base_that_does_not_lie_below_is_refused(
    work: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A good base is stated, and another one is built on."""
    good = digest_of("localhost/base")
    buildah("tag", "localhost/base", "localhost/good")
    make_base(tmp_path / "base", "two")
    stated = f"--annotation org.opencontainers.image.base.digest={good}"
    monkeypatch.setenv("FLAGS", f"{stated} --annotation org.opencontainers.image.base.name=localhost/good:latest")
    (work / "src/Good").write_text("FROM localhost/good\nCOPY main.c /main.c\n")
    capsys.readouterr()
    assert build("-m", "base=from:src/Good,built=oci:image:1.0") == 0
    assert "its layers are not the lowest of the image" in capsys.readouterr().err
    assert recorded(work)["base/linux/amd64/manifest"] == {"sha256": good.removeprefix("sha256:")}
    assert verdict(capsys, "oci:image:1.0")["passed"] is False


def test_an_image_that_was_built_anew_from_the_files_of_its_base_is_refused(
    work: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Squashed: the annotation is true, and no layer of the base is left."""
    monkeypatch.setenv("FLAGS", "--squash")
    assert build(*TOLD) == 0
    assert "its layers are not the lowest of the image" in capsys.readouterr().err
    assert verdict(capsys, "oci:image:1.0")["passed"] is False


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (f"--annotation org.opencontainers.image.base.digest=sha256:{'a' * 64}", "no container engine has the image"),
        ("--annotation org.opencontainers.image.base.name=localhost/other", "built on another image, or none"),
        ("--annotation org.opencontainers.image.base.digest=", "does not say what it was built on"),
        ("--annotation org.opencontainers.image.base.digest=sha256:no", "not a digest"),
        ("--format docker", "does not say what it was built on"),
    ],
)
def test_an_annotation_that_names_what_is_not_there_records_nothing(
    work: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, flags: str, message: str
) -> None:
    monkeypatch.setenv("FLAGS", flags)
    capsys.readouterr()
    assert build(*TOLD) == 125
    assert message in capsys.readouterr().err
    assert not list((work / "evidence").glob("*.link"))
