"""examples/source-workflow with the real tools: it runs as it is written, and what was tampered with is named.

With docker every command is the one that people find written down, and only its surroundings are made for it:

- the clone goes into an empty folder, so that the keys are beside it (`../keys/builder`) in the first step;
- `python`, which the inspection calls, is put on the path, as some systems have only `python3`;
- that trivy and syft ask no network is said in their environment, not on their command lines.

Without a daemon (buildah) an image is pushed to a folder, and the scanners are told where it is.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.docker_daemon import docker_daemon

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "source-workflow"
PROGRAMS = ("git", "buildah", "syft", "trivy")
OURS = ("run", "verify", "keygen", "sign")
VERIFY = (
    "in-toto-verify",
    "--layout",
    "root.layout",
    "--layout-key",
    "keys/owner.pub",
    "--link-dir",
    "./link-metadata/",
)
STRICT = ("navicert", "verify", "--layout", "root.layout", "--owner", "keys/owner.pub", "--store", "link-metadata",
          "--inspect-from", ".")  # fmt: skip


@pytest.fixture(scope="module")
def env(component, tmp_path_factory) -> dict[str, str]:
    """An environment with every program of the example on PATH, and with them those of this tree."""
    programs = tmp_path_factory.mktemp("programs")
    for name in PROGRAMS:
        (programs / name).symlink_to(component(name))
    scripts = {"navicert": "exec {python} -m navicert", "python": "exec {python}"}
    for name in OURS:
        scripts[f"in-toto-{name}"] = f"exec {{python}} -c 'from navicert.compat.program import {name}; {name}()'"
    for name, script in scripts.items():
        (programs / name).write_text(f'#!/bin/sh\n{script.format(python=sys.executable)} "$@"\n')
        (programs / name).chmod(0o755)
    return {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}


def run(env, cwd: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=300)


def _made(env, folder: Path, *form: str) -> Path:
    finished = run(env, folder.parent, EXAMPLE / "pipeline.sh", folder, *form)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert finished.stdout.endswith("verified: deploy\n")
    return folder


@pytest.fixture(scope="module")
def verbatim(env, tmp_path_factory) -> Path:
    """What the pipeline made whose rules end open."""
    return _made(env, tmp_path_factory.mktemp("verbatim") / "top")


@pytest.fixture(scope="module")
def closed(env, tmp_path_factory) -> Path:
    """What the pipeline made whose rules end in DISALLOW *."""
    return _made(env, tmp_path_factory.mktemp("closed") / "top", "--closed")


@pytest.fixture(scope="module")
def daemon(component) -> Iterator[str]:
    """The address of a docker daemon of this test's own."""
    with docker_daemon(component("dockerd")) as address:
        yield address


@pytest.fixture(scope="module")
def docker(env, daemon, tmp_path_factory) -> Path:
    """What the pipeline made with docker, by rules that end in DISALLOW *."""
    env = {**env, "DOCKER_HOST": daemon}
    return _made(env, tmp_path_factory.mktemp("docker") / "top", "--closed", "--docker")


@pytest.fixture(params=["verbatim", "closed", "docker"])
def either(request) -> Path:
    made: Path = request.getfixturevalue(request.param)
    return made


def copy(made: Path, to: Path) -> Path:
    """A folder to verify in, which may be tampered with."""
    shutil.copytree(made / "keys", to / "keys")
    return shutil.copytree(made / "work", to / "work", ignore=shutil.ignore_patterns(".git", "verify-*.link"))


def evidence(work: Path, step: str) -> Path:
    (found,) = (work / "link-metadata").glob(f"{step}.*.link")
    return found


def record(env, work: Path, step: str, key: str, materials: list[str], products: list[str], script: str) -> None:
    """Perform a step once more, honestly recorded by whoever may."""
    finished = run(
        env, work, "in-toto-run", "--step-name", step, "--key", f"../keys/{key}", "-d", "link-metadata",
        *(["--materials", *materials] if materials else []), "--products", *products, "--", "bash", "-c", script,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr


def test_untampered_it_passes_both_verifiers(env, either, tmp_path):
    work = copy(either, tmp_path)
    assert run(env, work, *VERIFY).returncode == 0
    finished = run(env, work, *STRICT)
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_with_docker_the_commands_are_those_that_people_find_written_down(env, daemon, docker):
    def command(step: str) -> str:
        found: list[str] = json.loads(evidence(docker / "work", step).read_bytes())["signed"]["command"]
        return " ".join(found[-1].split())

    build, scan = command("build"), command("scan")
    assert build.split(" && ") == [
        "docker build -t app:latest .", "docker inspect --format='{{.Id}}' app:latest > image-digest.txt",
    ]  # fmt: skip
    assert scan.split(" && ") == [
        "trivy image --format json app:latest > vulnerability-report.json", "syft app:latest -o json > sbom.json",
    ]  # fmt: skip
    listed = run({**env, "DOCKER_HOST": daemon}, docker, "docker", "images", "--no-trunc", "--quiet", "app:latest")
    assert (docker / "work" / "image-digest.txt").read_text() == listed.stdout
    report = json.loads((docker / "work" / "vulnerability-report.json").read_text())
    assert report["ArtifactName"] == "app:latest"
    assert report["Metadata"]["ImageID"] == listed.stdout.strip()


def test_what_the_shell_could_not_expand_is_recorded(verbatim):
    products = json.loads(evidence(verbatim / "work", "checkout").read_bytes())["signed"]["products"]
    assert sorted(products) == ["Dockerfile", "requirements.txt", "src/server.py", "src/tide.py"]


def source_changed(env, work: Path) -> None:
    (work / "src/server.py").write_text("print('pirates')\n")
    record(
        env,
        work,
        "build",
        "builder",
        ["Dockerfile", "src/server.py", "src/tide.py"],
        ["image-digest.txt"],
        "date > image-digest.txt",
    )
    digest_follows(env, work)


def digest_follows(env, work: Path) -> None:
    record(env, work, "scan", "scanner", ["image-digest.txt"], ["vulnerability-report.json", "sbom.json"], "true")


def source_added(env, work: Path) -> None:
    (work / "src/evil.py").write_text("")
    record(env, work, "build", "builder", ["Dockerfile", "src"], ["image-digest.txt"], "date > image-digest.txt")
    digest_follows(env, work)


def digest_replaced(env, work: Path) -> None:
    (work / "image-digest.txt").write_text("sha256:of another image")
    digest_follows(env, work)


def report_replaced(env, work: Path) -> None:
    (work / "vulnerability-report.json").write_text("{}")


def critical_flaw(env, work: Path) -> None:
    _with_report(env, work, {"Results": [{"Vulnerabilities": [{"Severity": "CRITICAL"}]}]})


def critical_flaw_in_a_plain_list(env, work: Path) -> None:
    _with_report(env, work, {"vulnerabilities": [{"severity": "CRITICAL"}]})


def _with_report(env, work: Path, found: dict[str, object]) -> None:
    report = json.dumps(found)
    record(env, work, "scan", "scanner", ["image-digest.txt"], ["vulnerability-report.json", "sbom.json"],
           f"echo '{report}' > vulnerability-report.json; date > sbom.json")  # fmt: skip


def step_skipped(env, work: Path) -> None:
    evidence(work, "scan").unlink()


def stranger(env, work: Path) -> None:
    path = evidence(work, "scan")
    finished = run(env, work, "in-toto-sign", "-f", path, "-k", "../keys/owner", "-o", path)
    assert finished.returncode == 0, finished.stderr


def link_edited(env, work: Path) -> None:
    path = evidence(work, "build")
    path.write_bytes(path.read_bytes().replace(b'"image-digest.txt"', b'"other-digest.txt"'))


def link_renamed(env, work: Path) -> None:
    shutil.copy(evidence(work, "checkout"), evidence(work, "build"))


def layout_by_another(env, work: Path) -> None:
    assert run(env, work, "in-toto-sign", "-f", "root.layout", "-k", "../keys/builder").returncode == 0


CULPRITS = {
    source_changed: ["src/server.py", "build"],
    source_added: ["src/evil.py", "build"],
    digest_replaced: ["image-digest.txt", "scan"],
    report_replaced: ["vulnerability-report.json", "verify-no-critical-vulns"],
    critical_flaw: ["verify-no-critical-vulns"],
    critical_flaw_in_a_plain_list: ["verify-no-critical-vulns"],
    step_skipped: ["scan"],
    stranger: ["scan", "no valid signature by a key of the layout"],
    link_edited: ["build", "no valid signature"],
    link_renamed: ["build", "is signed for another step"],
    layout_by_another: ["root.layout", "owner.pub"],
}


@pytest.mark.parametrize("tamper", CULPRITS, ids=lambda tamper: tamper.__name__)
def test_with_closed_rules_tampering_is_refused_and_the_culprit_named(env, closed, tmp_path, tamper):
    work = copy(closed, tmp_path)
    tamper(env, work)
    finished = run(env, work, *VERIFY)
    assert finished.returncode == 1
    assert "Traceback" not in finished.stderr
    for culprit in CULPRITS[tamper]:
        assert culprit in finished.stderr
    assert run(env, work, *STRICT).returncode == 1


@pytest.mark.parametrize("tamper", [source_changed, digest_replaced], ids=lambda tamper: tamper.__name__)
def test_with_open_rules_another_digest_is_a_warning_there_and_a_failure_here(env, verbatim, tmp_path, tamper):
    work = copy(verbatim, tmp_path)
    tamper(env, work)
    finished = run(env, work, *VERIFY)
    assert finished.returncode == 0
    assert CULPRITS[tamper][0] in finished.stderr
    assert "is not satisfied" in finished.stderr
    assert run(env, work, *STRICT).returncode == 1
