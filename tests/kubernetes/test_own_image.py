"""Navicert's own image, built by deploy/image/build.sh with the real tools: it runs, and its chain verifies."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.registry_server import docker_registry

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "deploy" / "image" / "build.sh"
PROGRAMS = ("git", "buildah", "skopeo", "syft")

Component = Callable[[str], Path]
Env = dict[str, str]


def run(*command: Any, cwd: Path, env: Env, code: int = 0) -> str:
    """What `command` printed; it must end with exit code `code`."""
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == code, f"exit code {done.returncode}, expected {code}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def work(component: Component, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("own-image")


@pytest.fixture(scope="module")
def env(component: Component, work: Path) -> Env:
    """The tools on PATH, with storage of their own, and the navicert of this tree."""
    programs = work / "programs"
    programs.mkdir()
    for name in PROGRAMS:
        (programs / name).symlink_to(component(name))
    navicert = programs / "navicert"
    navicert.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m navicert "$@"\n')
    navicert.chmod(0o755)
    home = str(work / "home")
    found = {
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHON": sys.executable,
        "INSECURE": "1",
        "CONTAINERS_STORAGE_CONF": str(work / "storage.conf"),
        "XDG_CACHE_HOME": home,
        "XDG_CONFIG_HOME": home,
        "SYFT_CHECK_FOR_APP_UPDATE": "false",
    }
    for driver in ("overlay", "vfs"):
        root = work / "storage"
        (work / "storage.conf").write_text(
            f'[storage]\ndriver = "{driver}"\ngraphroot = "{root}/root"\nrunroot = "{root}/run"\n'
        )
        if subprocess.run(["buildah", "info"], env=found, capture_output=True, check=False).returncode == 0:
            return found
        shutil.rmtree(root, ignore_errors=True)
    raise AssertionError("buildah has no storage here")


@pytest.fixture(scope="module")
def base(component: Component, env: Env, work: Path) -> str:
    """An image with Debian's Python and nothing else, not even a shell."""
    tree = component("python-base")
    container = run("buildah", "from", "scratch", cwd=work, env=env).strip()
    run("buildah", "add", "--quiet", container, tree, "/", cwd=work, env=env)
    run("buildah", "commit", "--quiet", "--rm", container, "oci:base:python", cwd=work, env=env)
    return f"oci:{work / 'base'}:python"


@pytest.fixture(scope="module")
def keys(env: Env, work: Path) -> Path:
    for name in ("owner", "builder", "scanner", "publisher"):
        run("navicert", "keygen", f"keys/{name}", cwd=work, env=env)
    return work / "keys"


@pytest.fixture(scope="module")
def image(component: Component, base: str, keys: Path, env: Env, work: Path) -> Iterator[str]:
    """The name of the image in a registry, built and published."""
    with docker_registry(component("docker-registry"), work / "registry") as server:
        name = f"{server.name}/navicert:0.1.0"
        run("sh", BUILD, base, name, keys, "work", cwd=work, env=env)
        yield name


def test_its_whole_chain_verifies_by_name(image: str, keys: Path, env: Env, work: Path) -> None:
    words = ["verify", image, "--owner", keys / "owner.pub", "--insecure", "--strict", "--json"]
    verdict: dict[str, Any] = json.loads(run("navicert", *words, cwd=work, env=env))
    passed = {(check["id"], check["subject"]) for check in verdict["checks"] if check["outcome"] == "pass"}
    assert {("step", step) for step in ("checkout", "collect", "build", "sbom", "publish")} <= passed


def test_another_image_under_its_name_does_not(image: str, keys: Path, env: Env, work: Path, base: str) -> None:
    other = image.replace(":0.1.0", ":evil")
    run("skopeo", "copy", "--quiet", "--dest-tls-verify=false", base, f"docker://{other}", cwd=work, env=env)
    run("navicert", "verify", other, "--owner", keys / "owner.pub", "--insecure", cwd=work, env=env, code=1)


def test_its_contents_are_listed(image: str, work: Path) -> None:
    bill = json.loads((work / "work" / "sbom.syft.json").read_text())
    named = {one["name"] for one in bill["artifacts"]}
    assert {"navicert", "cryptography", "starlette", "uvicorn", "lightkube"} <= named


def test_the_list_is_attached_and_signed(image: str, keys: Path, env: Env, work: Path) -> None:
    found = json.loads(run("navicert", "evidence", "list", image, "--insecure", "--json", cwd=work, env=env))
    (bill,) = [one for one in found["documents"] if "https://spdx.dev/Document" in one["types"]]
    shown = json.loads(run("navicert", "key", "show", keys / "scanner.pub", "--json", cwd=work, env=env))
    assert bill["signers"] == [shown["keyid"]]


def test_it_runs_without_root_and_with_a_file_system_that_cannot_be_written(
    image: str, component: Component, env: Env, work: Path
) -> None:
    config = json.loads(
        run("skopeo", "inspect", "--config", "--tls-verify=false", f"docker://{image}", cwd=work, env=env)
    )
    assert config["config"]["User"] == "65532:65532"
    words = [component("podman"), "--runtime", component("runc"), "--cgroup-manager", "cgroupfs", "run", "--rm"]
    words += ["--read-only", "--read-only-tmpfs=false", "--network", "none", "--cap-drop", "all"]
    words += ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000", f"oci:{work / 'work' / 'image'}:latest"]
    assert "admission" in run(*words, "--help", cwd=work, env=env)
    for command in ("serve", "keep"):
        assert f"navicert admission {command}" in run(*words, "admission", command, "--help", cwd=work, env=env)
