"""examples/container-build with the real tools: it verifies, and every attack on it is caught."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "container-build"
TRIVYDB = EXAMPLE / "tools" / "trivydb.py"
PROGRAMS = ("git", "buildah", "skopeo", "busybox", "syft", "trivy")
STEPS = ("checkout", "base", "build", "sbom", "scan", "publish")

POLICY = ("--layout", "release/root.layout", "--owner", "keys/owner.pub", "--store", "release/evidence", "--strict")
VERIFY = (*POLICY, "--inspect-from", "release")
ARCHIVE = "oci-archive:release/app.tar"
OFFLINE = ("--cache-dir", "cache", "--skip-db-update", "--skip-java-db-update", "--offline-scan", "--quiet")

Env = dict[str, str]


def run(*command: str | Path, cwd: Path, env: Env | None = None, code: int = 0) -> str:
    """What `command` printed; it must end with exit code `code`."""
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == code, f"exit code {done.returncode}, expected {code}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def env(component: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Env:
    """An environment with every program of the example on PATH, and with them the navicert of this tree."""
    programs = tmp_path_factory.mktemp("programs")
    for name in PROGRAMS:
        (programs / name).symlink_to(component(name))
    navicert = programs / "navicert"
    navicert.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m navicert "$@"\n')
    navicert.chmod(0o755)
    return {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}


@pytest.fixture(scope="module")
def work(env: Env, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which build.sh has done all of its work."""
    work = tmp_path_factory.mktemp("container-build") / "work"
    run("sh", EXAMPLE / "build.sh", work, cwd=work.parent, env=env)
    return work


@pytest.fixture
def release(work: Path, tmp_path: Path) -> Path:
    """What a consumer gets, in a folder of its own: the release, and the owner's public key."""
    shutil.copytree(work / "release", tmp_path / "release")
    (tmp_path / "keys").mkdir()
    shutil.copy(work / "keys" / "owner.pub", tmp_path / "keys")
    return tmp_path


def verdict(cwd: Path, env: Env, code: int, target: str = ARCHIVE) -> dict[str, Any]:
    """The verdict on the release below `cwd`; the verification must end with exit code `code`."""
    read: dict[str, Any] = json.loads(run("navicert", "verify", *VERIFY, "--json", target, cwd=cwd, env=env, code=code))
    return read


# --- the build, and what was made of it ----------------------------------------------------------------------------


def test_the_build_verifies_and_every_step_is_named(release: Path, env: Env) -> None:
    read = verdict(release, env, 0)

    assert read["passed"] is True
    passed = {(check["id"], check["subject"]) for check in read["checks"] if check["outcome"] == "pass"}
    assert {("step", step) for step in STEPS} <= passed
    assert ("target.bound", ARCHIVE) in passed
    assert any(name == "inspection.run" for name, _ in passed)


def test_the_layout_leaves_nothing_for_lint_to_say(work: Path, env: Env) -> None:
    run("navicert", "layout", "lint", "--strict", "layout.yaml", cwd=work, env=env)


def test_the_scanner_really_found_the_made_up_flaw(work: Path) -> None:
    report = json.loads((work / "release" / "report.json").read_text())

    found = [flaw["VulnerabilityID"] for result in report["Results"] for flaw in result["Vulnerabilities"]]
    assert found == ["CVE-2099-10001"]


def test_the_list_of_contents_names_the_package_in_the_image(work: Path) -> None:
    sbom = json.loads((work / "release" / "sbom.cdx.json").read_text())

    assert "busybox-static" in {component["name"] for component in sbom["components"]}


def test_the_image_runs_what_the_source_says(work: Path, env: Env) -> None:
    config = json.loads(run("skopeo", "inspect", "--config", ARCHIVE, cwd=work, env=env))

    assert config["config"]["Entrypoint"] == ["/bin/busybox", "httpd", "-f", "-p", "8080", "-h", "/srv"]
    assert config["config"]["User"] == "65534"


def test_the_image_that_was_built_is_bound_like_the_archive_made_of_it(work: Path, env: Env) -> None:
    """The archive holds the layers packed anew, under another manifest: `content` is what binds both."""
    assert verdict(work, env, 0, "oci:image:1.0")["passed"] is True


def test_converting_the_image_to_a_docker_archive_keeps_it_bound(release: Path, env: Env) -> None:
    run("skopeo", "copy", "--quiet", ARCHIVE, "docker-archive:app-docker.tar:localhost/app:1.0", cwd=release, env=env)

    assert verdict(release, env, 0, "docker-archive:app-docker.tar")["passed"] is True


def test_a_second_build_of_the_same_source_is_the_same_image(work: Path, env: Env, tmp_path: Path) -> None:
    run("sh", EXAMPLE / "build.sh", tmp_path / "again", cwd=tmp_path, env=env)

    assert (tmp_path / "again" / "image" / "index.json").read_bytes() == (work / "image" / "index.json").read_bytes()


def test_build_refuses_a_folder_that_is_not_empty(work: Path, env: Env) -> None:
    run("sh", EXAMPLE / "build.sh", work, cwd=work, env=env, code=2)


# --- attacks -------------------------------------------------------------------------------------------------------

CAUSES = {
    "image-altered": "verdict/step[publish]/step.materials[publish]/rule.match-unsatisfied",
    "release-replaced": "verdict/target.bound",
    "source-changed": "verdict/step[build]/step.materials[build]/rule.match-unsatisfied",
    "critical-found": "verdict/inspection[no-critical-flaw]/inspection.run",
    "report-swapped": "verdict/step[publish]/step.materials[publish]/rule.match-unsatisfied",
    "step-skipped": "verdict/step[scan]/step.threshold",
    "foreign-key": "verdict/step[scan]/step.threshold",
}


@pytest.mark.parametrize("attack", CAUSES)
def test_attack_is_refused_and_its_cause_comes_first(attack: str, work: Path, env: Env) -> None:
    told = run("sh", EXAMPLE / "attack.sh", work, attack, cwd=work, env=env)

    assert "(exit code 1)" in told
    read = verdict(work / "attacks" / attack, env, 1)
    assert read["passed"] is False
    assert read["first_cause"].startswith(CAUSES[attack])


def test_attack_shows_file_digests_and_the_step_that_changed_it(work: Path, env: Env) -> None:
    told = run("sh", EXAMPLE / "attack.sh", work, "source-changed", cwd=work, env=env)

    assert "source/src/cgi-bin/berth" in told
    assert "last agreed: step checkout (builder)" in told
    assert "changed between step checkout (builder) and step build" in told


def test_the_readme_shows_an_attack_as_it_looks(work: Path, env: Env) -> None:
    shown = (EXAMPLE / "README.md").read_text().split("```text\n")[1].split("```")[0]
    name = "source-changed"
    assert shown.startswith(f"$ attack.sh /tmp/harbour {name}\n")

    told = masked(run("sh", EXAMPLE / "attack.sh", work, name, cwd=work, env=env))

    lines = [line for line in masked(shown).splitlines()[1:] if line.strip(" …")]
    assert [line for line in lines if line not in told.splitlines()] == []


def masked(text: str) -> str:
    """`text` without what differs from one run to the next."""
    return re.sub(r"sha256:[0-9a-f]{12}", "sha256:…", text)


def test_attack_of_a_stranger_names_the_evidence_that_does_not_count(work: Path, env: Env) -> None:
    told = run("sh", EXAMPLE / "attack.sh", work, "foreign-key", cwd=work, env=env)

    mallory = next((work / "attacks" / "foreign-key" / "release" / "evidence").glob("scan.*.link"))
    assert mallory.name in told


def test_attack_sbom_replaced_in_the_release(release: Path, env: Env) -> None:
    sbom = release / "release" / "sbom.cdx.json"
    sbom.write_text(sbom.read_text().replace("busybox-static", "busybox-nothing"))

    read = verdict(release, env, 1)

    assert read["first_cause"].startswith("verdict/inspection[no-critical-flaw]/inspection.materials")
    assert "sbom.cdx.json" in read["first_cause"] + json.dumps(read["checks"])


def test_attack_layout_signed_by_somebody_else(release: Path, work: Path, env: Env) -> None:
    run("navicert", "keygen", "keys/mallory", cwd=release, env=env)
    command = (
        "navicert",
        "layout",
        "sign",
        "release/root.layout",
        "--key",
        "keys/mallory",
        "-o",
        "release/root.layout",
    )
    run(*command, "--force", cwd=release, env=env)

    assert verdict(release, env, 1)["first_cause"].startswith("verdict/layout.signature")


def test_attack_names_that_do_not_exist_are_refused_not_passed_over(work: Path, env: Env) -> None:
    run("sh", EXAMPLE / "attack.sh", work, "no-such-attack", cwd=work, env=env, code=2)


# --- the database --------------------------------------------------------------------------------------------------


def advisory(**changed: object) -> dict[str, object]:
    source = {"id": "ghsa", "name": "Made up", "url": "https://example.org"}
    entry: dict[str, object] = {"id": "CVE-2099-1", "bucket": "pip::Made up", "source": source, "package": "jinja2"}
    return entry | {"fixed": "3.1.0", "severity": "CRITICAL", "title": "made up"} | changed


def write_database(folder: Path, advisories: object, code: int = 0) -> None:
    (folder / "advisories.json").write_text(json.dumps(advisories))
    run(sys.executable, TRIVYDB, "advisories.json", "cache", cwd=folder, code=code)


def flaws(folder: Path, env: Env) -> set[str]:
    """What trivy finds in the project in `folder` with the database in `folder`."""
    report = run("trivy", "fs", "--scanners", "vuln", *OFFLINE, "--format", "json", "project", cwd=folder, env=env)
    results = json.loads(report).get("Results", [])
    return {flaw["VulnerabilityID"] for result in results for flaw in result.get("Vulnerabilities", [])}


@pytest.fixture
def scanned(tmp_path: Path) -> Path:
    """A folder with a project that locks one package."""
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "requirements.txt").write_text("jinja2==3.0.0\n")
    return tmp_path


def test_trivy_ends_with_the_code_asked_for_when_the_severity_is_in_the_database(scanned: Path, env: Env) -> None:
    write_database(scanned, [advisory()])
    scan = ("trivy", "fs", "--scanners", "vuln", *OFFLINE, "--exit-code", "1")

    run(*scan, "--severity", "CRITICAL", "project", cwd=scanned, env=env, code=1)
    run(*scan, "--severity", "LOW", "project", cwd=scanned, env=env, code=0)


def test_trivy_finds_nothing_once_the_fixed_version_is_locked(scanned: Path, env: Env) -> None:
    write_database(scanned, [advisory(fixed="3.0.0")])

    assert flaws(scanned, env) == set()


def test_trivy_reads_a_database_of_many_pages(scanned: Path, env: Env) -> None:
    """One leaf over many pages, with every advisory for the locked package found again."""
    others = [advisory(id=f"CVE-2099-{n}", package="jinja2" if n % 3 == 0 else f"package{n}") for n in range(3000)]
    write_database(scanned, others)

    assert (scanned / "cache" / "db" / "trivy.db").stat().st_size > 100 * 4096
    assert flaws(scanned, env) == {f"CVE-2099-{n}" for n in range(0, 3000, 3)}


@pytest.mark.parametrize(
    "advisories",
    [
        {"not": "a list"},
        ["not an object"],
        [advisory(severity="TERRIBLE")],
        [advisory(fixed=None)],
        [advisory(package="")],
        [advisory(source="ghsa")],
        [advisory(source={"id": "ghsa"})],
        [advisory(bucket="data-source")],
        [advisory(bucket="vulnerability")],
    ],
)
def test_database_of_malformed_advisories_is_not_written(advisories: object, tmp_path: Path) -> None:
    write_database(tmp_path, advisories, code=1)

    assert not (tmp_path / "cache").exists()


# --- the scripts ---------------------------------------------------------------------------------------------------


def test_scripts_of_this_repository_pass_shellcheck(component: Callable[[str], Path]) -> None:
    folders = ("examples", "scripts", "tests", ".ci")
    scripts = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.sh"))

    assert EXAMPLE / "build.sh" in scripts
    run(component("shellcheck"), *scripts, cwd=ROOT)


# --- levels of SLSA ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def levels(work: Path, env: Env) -> str:
    """What levels.sh said; its files are then in `work/levels`."""
    return run("sh", EXAMPLE / "levels.sh", work, cwd=work.parent, env=env)


SLSA = ("slsa", ARCHIVE, "--layout", "release/root.layout", "--owner", "keys/owner.pub", "--store", "release/evidence",
        "--inspect-from", "release", "--name", "harbour-notices", "--json")  # fmt: skip
TRUSTED = ("--expect", "levels/trusted.signed", "--expect-key", "keys/owner.pub")


def reached(work: Path, env: Env, *words: str, without: str = "", code: int = 0) -> dict[str, tuple[int, list[str]]]:
    """Track → the level that is reached, and what the next one lacks; `without` one attestation of levels.sh."""
    files = sorted(path.name for path in (work / "levels").glob("*.intoto.json") if path.name != without)
    given = [word for name in files for word in ("--attestation", f"levels/{name}")]
    read = json.loads(run("navicert", *SLSA, *given, *words, cwd=work, env=env, code=code))
    return {track["track"]: (track["level"], track["missing"]) for track in read["tracks"]}


def test_the_release_reaches_one_level_after_the_other(levels: str) -> None:
    stages = levels.split("\n== ")[1:]
    found = [re.findall(r"^  SLSA v0.1, as (?:evidenced|declared) +level ([0-9])", stage, re.M) for stage in stages]
    assert found == [["1", "1"], ["1", "3"], ["3", "3"], ["4", "4"]]
    before = stages[2]
    for missing in ("two-person review", "build is hermetic", "dependencies are complete"):
        assert f"- {missing}: " in before


def test_all_of_it_together_is_level_4(levels: str, work: Path, env: Env) -> None:
    found = reached(work, env, *TRUSTED)
    assert {track: level for track, (level, _) in found.items()} == {"build": 3, "source": 3, "table": 4, "declared": 4}


@pytest.mark.parametrize(
    ("without", "level", "lacks"),
    [
        ("provenance.intoto.json", 0, ["slsa.table-provenance"]),
        ("source.intoto.json", 2, ["slsa.table-history", "slsa.table-retained"]),
        ("review-bob.intoto.json", 3, ["slsa.table-two-person"]),
        ("trace.intoto.json", 3, ["slsa.table-dependencies", "slsa.table-hermetic"]),
    ],
)
def test_without_one_attestation_the_level_that_asks_for_it_is_not_reached(
    levels: str, work: Path, env: Env, without: str, level: int, lacks: list[str]
) -> None:
    table = reached(work, env, *TRUSTED, without=without, code=1 if level == 0 else 0)["table"]
    assert table[0] == level
    assert set(lacks) <= set(table[1])


def test_a_builder_entry_that_nobody_signed_is_refused(levels: str, work: Path, env: Env) -> None:
    run("navicert", *SLSA, "--expect", "levels/trusted.json", cwd=work, env=env, code=2)
    run(
        "navicert",
        *SLSA,
        "--expect",
        "levels/trusted.json",
        "--expect-key",
        "keys/owner.pub",
        cwd=work,
        env=env,
        code=1,
    )


@pytest.mark.parametrize(("change", "level"), [("parameters", 1), ("builders", 1)])
def test_level_3_needs_the_builder_entry_and_complete_parameters(
    levels: str, work: Path, env: Env, tmp_path: Path, change: str, level: int
) -> None:
    document = json.loads((work / "levels" / "trusted.json").read_text())
    if change == "builders":
        document["builders"] = []
    else:
        del document["images"][0]["parameters"]["command"]
    file = tmp_path / "expect.json"
    file.write_text(json.dumps(document))
    pin = f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"
    words = ("--expect", str(file), "--expect-digest", pin, "--key", "levels/ci.pub")
    found = reached(work, env, *words, code=1 if change == "parameters" else 0)
    assert found["table"][0] <= level
    assert found["build"][0] <= 1
