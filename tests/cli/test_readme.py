"""What the README shows is run as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GIT = ["git", "-c", "user.name=someone", "-c", "user.email=someone@example.org"]


def blocks(language: str) -> list[str]:
    """The code blocks of one language, in order."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    """A folder with what the README takes for granted: a repository `upstream` to clone, `navicert` on the path."""
    upstream = tmp_path / "upstream"
    upstream.mkdir()
    (upstream / "main.c").write_text("int main(void) { return 0; }\n")
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*GIT, "-C", str(upstream), *words], check=True)
    return tmp_path


def run(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    programs = Path(sys.executable).parent
    environment = {"PATH": f"{programs}:/usr/bin:/bin", "HOME": str(folder), "LC_ALL": "C.UTF-8"}
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, env=environment)


def test_what_the_readme_shows_verifies_and_the_same_from_python(workplace: Path) -> None:
    (commands,) = [block for block in blocks("sh") if "navicert verify" in block]
    shell = run(["sh", "-euc", commands], workplace)
    assert shell.returncode == 0, shell.stdout + shell.stderr
    assert "PASS" in shell.stdout

    (program,) = blocks("python")
    python = run([sys.executable, "-W", "error", "-c", program], workplace)
    assert python.returncode == 0, python.stderr


def test_the_python_of_the_readme_notices_a_changed_target(workplace: Path) -> None:
    (commands,) = [block for block in blocks("sh") if "navicert verify" in block]
    assert run(["sh", "-euc", commands], workplace).returncode == 0
    (program,) = blocks("python")
    changed = program.replace("case =", 'Path("app.tar").write_bytes(b"other")\ncase =')
    python = run([sys.executable, "-c", changed], workplace)
    assert python.returncode != 0
    assert "VerificationFailed: target.bound" in python.stderr


def test_the_transcript_of_the_readme_is_what_the_demo_prints(tmp_path: Path) -> None:
    (transcript,) = blocks("text")
    done = run([sys.executable, "-m", "navicert", "demo"], tmp_path)
    assert done.returncode == 0, done.stderr
    assert transcript in done.stdout


def test_the_make_targets_of_the_readme_exist() -> None:
    named = set(re.findall(r"\bmake ([a-z]+)", "\n".join(blocks("sh"))))
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert named
    assert named <= targets


def test_recording_signing_and_verifying_take_ten_lines() -> None:
    (program,) = blocks("python")
    lines = [line for line in program.splitlines() if line and not line.startswith(("import", "from"))]
    assert len(lines) <= 10
