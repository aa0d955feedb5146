"""`navicert demo`, for real: it builds, verifies and attacks, and says who did what to which file."""

from __future__ import annotations

import gzip
import io
import json
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from tests.conftest import Component

from navicert.cli.demonstration import attack
from navicert.cli.demonstration.page import by_hand
from navicert.cli.demonstration.workshop import VERIFY, Workshop
from navicert.cli.main import main

CULPRITS = {
    "source-changed": ["source/harbour.txt", "step checkout (developer)", "step build (builder)"],
    "report-swapped": ["report.json", "inspection no-grave-flaw", "step scan (scanner)"],
    "step-skipped": ["step scan", "expected from scanner"],
    "stranger": ["step scan", "evidence/scan.", "no valid signature by a key of the layout"],
    "image-altered": ["image oci:image:1.0", "step build", "linux/amd64"],
    "links-replayed": ["image oci:image:1.0", "step build", "linux/amd64"],
    "layout-expired": ["layout.expired", "expired on"],
}


def navicert(*words: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """The program, as a user starts it."""
    command = [sys.executable, "-m", "navicert", *words]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=cwd, env={**os.environ, **environment}
    )


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `navicert demo --keep` left."""
    folder = tmp_path_factory.mktemp("demo") / "harbour"
    done = navicert("demo", "--keep", str(folder), "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_builds_verifies_attacks_and_leaves_nothing_behind(tmp_path):
    done = navicert("demo", TMPDIR=str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert "PASS  image oci:image:1.0 is what the chain produced" in done.stdout
    assert "7 of 7 attacks caught" in done.stdout
    assert "NOT CAUGHT" not in done.stdout
    assert "\x1b" not in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_each_attack_is_explained_in_a_few_lines_that_name_the_culprit():
    done = navicert("demo", "--json")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts["passed"] is True
    assert facts["folder"] is None
    assert facts["verdict"]["outcome"] == "pass"
    assert [step["step"] for step in facts["steps"]] == ["checkout", "build", "sbom", "scan"]
    assert [one["name"] for one in facts["attacks"]] == list(CULPRITS)
    for one in facts["attacks"]:
        assert one["caught"] is True
        assert 2 <= len(one["explanation"]) <= 5
        text = re.sub(r"\s+", " ", " ".join(one["explanation"]))
        assert [word for word in [one["check"], *CULPRITS[one["name"]]] if word not in text] == [], text


def test_the_stranger_is_named_by_the_key_that_she_used(kept):
    stranger = next((kept / "attacks" / "stranger" / "evidence").glob("scan.*.link"))
    done = judged(kept / "attacks" / "stranger")
    assert done.returncode == 1
    assert stranger.name in re.sub(r"\s+", " ", done.stdout)


def test_last_years_links_were_good_in_their_time(kept, tmp_path):
    past = shutil.copytree(kept / "last-year", tmp_path / "past")
    assert judged(past).returncode == 1  # the layout has expired since
    shutil.copyfile(kept / "root.layout", past / "root.layout")
    done = judged(past)
    assert done.returncode == 0, done.stdout


def judged(folder: Path) -> subprocess.CompletedProcess[str]:
    """The verification as the demo prints it, by hand, in a folder that it left."""
    return navicert(*shlex.split(" ".join(VERIFY))[1:], cwd=folder)


def test_what_it_keeps_verifies_by_hand(kept):
    assert judged(kept).returncode == 0
    names = sorted(path.name for path in (kept / "attacks").iterdir())
    assert names == sorted(CULPRITS)
    for name in names:
        assert judged(kept / "attacks" / name).returncode == 1, name


def test_it_says_what_to_try_in_what_it_keeps(tmp_path):
    done = navicert("demo", "--keep", str(tmp_path / "here"))
    assert done.returncode == 0
    lines = [line for _, commands in by_hand(tmp_path / "here") for command in commands for line in command.split("\n")]
    assert [line for line in lines if line not in done.stdout.split("\n")] == []


def test_the_commands_that_it_prints_work_as_printed(kept, tmp_path):
    folder = tmp_path / "a folder"
    shutil.copytree(kept, folder)
    (tmp_path / "navicert").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m navicert "$@"\n')
    (tmp_path / "navicert").chmod(0o755)
    script = "\n".join(["set -e", *(line for _, lines in by_hand(folder) for line in lines)])
    path = os.pathsep.join([str(tmp_path), str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["sh", "-c", script], capture_output=True, text=True, check=False, env={**os.environ, "PATH": path}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PASS  image oci:image:1.0" in done.stdout


def test_its_layout_is_one_that_lint_has_nothing_to_say_about(kept):
    done = navicert("layout", "lint", "layout.yaml", cwd=kept)
    assert done.returncode == 0
    assert "note" not in done.stdout + done.stderr
    assert "warning" not in done.stdout + done.stderr


def test_its_private_keys_are_for_nobody_else_to_read(kept):
    assert kept.stat().st_mode & 0o077 == 0
    assert {path.stat().st_mode & 0o777 for path in (kept / "keys").iterdir() if path.suffix != ".pub"} == {0o600}


def test_a_folder_that_is_not_empty_is_refused(tmp_path):
    (tmp_path / "mine").write_text("x")
    done = navicert("demo", "--keep", str(tmp_path))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "the folder is not empty – name a new one" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    done = navicert("demo", "--keep", str(tmp_path / "file"))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert (tmp_path / "file").read_text() == "x"


def test_it_needs_no_network_and_no_other_program(tmp_path):
    guard = """
import sys
def deny(event, arguments):
    foreign = event == "subprocess.Popen" and arguments[0] != sys.executable
    if foreign or event in ("socket.connect", "socket.bind", "socket.getaddrinfo", "os.system"):
        raise SystemExit(f"{event} {arguments}")
sys.addaudithook(deny)
from navicert.cli.main import main
sys.exit(main(["demo"]))
"""
    done = subprocess.run([sys.executable, "-c", guard], capture_output=True, text=True, check=False, env={"PATH": ""})
    assert done.returncode == 0, done.stdout[-500:] + done.stderr


# --- the demonstration does not fool itself --------------------------------------------------------------------------


def only(monkeypatch: pytest.MonkeyPatch, **changes: object) -> None:
    """Leave one attack, changed."""
    monkeypatch.setattr(attack, "ATTACKS", (replace(attack.ATTACKS[2], **changes),))  # type: ignore[arg-type]


def test_an_attack_that_is_not_caught_fails_the_demonstration(monkeypatch, capsys):
    only(monkeypatch, act=lambda copy, past: None)
    assert main(["demo"]) == 1
    out = capsys.readouterr().out
    assert "NOT CAUGHT: the verification passed" in out
    assert "0 of 1 attacks caught" in out


def test_an_attack_that_is_refused_for_another_reason_fails_the_demonstration(monkeypatch, capsys):
    only(monkeypatch, check="target.bound")
    assert main(["demo"]) == 1
    assert "NOT CAUGHT: refused by step.threshold, where target.bound was to refuse it" in capsys.readouterr().out


def test_no_attack_at_all_is_no_success(monkeypatch, capsys):
    monkeypatch.setattr(attack, "ATTACKS", ())
    assert main(["demo", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["passed"] is False


def test_an_honest_build_that_does_not_pass_fails_the_demonstration(monkeypatch, capsys):
    perform = Workshop.perform
    monkeypatch.setattr(Workshop, "perform", lambda shop, name, person="": perform(shop, name, person="owner"))
    assert main(["demo"]) == 1
    out = capsys.readouterr().out
    assert "FAIL  step.threshold" in out
    assert "attacks caught" not in out


# --- what it builds is real -------------------------------------------------------------------------------------------


def test_the_image_is_one_that_other_tools_take(kept, tmp_path, component: Component):
    skopeo = component("skopeo")
    subprocess.run([skopeo, "inspect", f"oci:{kept}/image:1.0"], check=True, capture_output=True)
    target = f"docker-archive:{tmp_path}/image.tar:harbour:1.0"
    subprocess.run([skopeo, "copy", f"oci:{kept}/image:1.0", target], check=True, capture_output=True)
    words = shlex.split(" ".join(VERIFY))[1:-1]
    done = navicert(*words, f"docker-archive:{tmp_path}/image.tar", cwd=kept)
    assert done.returncode == 0, done.stdout


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="the program is made for x86-64")
def test_the_program_in_the_image_runs(kept, tmp_path):
    blobs = kept / "image" / "blobs" / "sha256"
    manifest = json.loads((kept / "image" / "index.json").read_text())["manifests"][0]["digest"].removeprefix("sha256:")
    (layer,) = json.loads((blobs / manifest).read_text())["layers"]
    data = gzip.decompress((blobs / layer["digest"].removeprefix("sha256:")).read_bytes())
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        content = archive.extractfile("harbour")
        assert content is not None
        program = tmp_path / "harbour"
        program.write_bytes(content.read())
    program.chmod(0o755)
    done = subprocess.run([program], capture_output=True, text=True, check=True)
    assert done.stdout == (kept / "repository" / "harbour.txt").read_text()


def test_the_same_source_gives_the_same_image(kept, tmp_path):
    build = [sys.executable, str(kept / "step" / "build.py"), str(kept / "repository"), str(tmp_path / "image"), "1.0"]
    subprocess.run(build, check=True, capture_output=True)
    assert (tmp_path / "image" / "index.json").read_bytes() == (kept / "image" / "index.json").read_bytes()


def test_a_scan_of_nothing_is_no_clean_scan(kept, tmp_path):
    (tmp_path / "sbom.json").write_text('{"components": []}')
    scan = [str(kept / "step" / "scan.py"), str(tmp_path / "sbom.json"), str(kept / "advisories.json"), "report.json"]
    done = subprocess.run([sys.executable, *scan], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 1
    assert "the SBOM lists no package" in done.stderr
    assert not (tmp_path / "report.json").exists()
