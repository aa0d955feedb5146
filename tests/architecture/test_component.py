"""A test whose real component is not there never counts as passed, and is never passed over in silence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]


def run(folder: Path, lab: str | None, *options: str) -> subprocess.CompletedProcess[str]:
    """Run one test that needs a component which nobody has."""
    (folder / "test_needy.py").write_text("def test_needs_it(component):\n    component('no-such-program')\n")
    environment = {**os.environ, "PYTHONPATH": str(TESTS), "COLUMNS": "200"}
    environment.pop("NAVICERT_LAB", None)
    if lab is not None:
        environment["NAVICERT_LAB"] = lab
    words = [sys.executable, "-m", "pytest", "-p", "conftest", "-p", "no:cacheprovider", "--rootdir", str(folder)]
    return subprocess.run(
        [*words, *options, str(folder)], capture_output=True, text=True, check=False, env=environment, cwd=folder
    )


def test_a_component_that_should_be_there_fails_the_test(tmp_path: Path) -> None:
    done = run(tmp_path, "required")
    assert done.returncode == 1
    assert "no-such-program is not there" in done.stdout


def test_a_component_that_nobody_promised_skips_the_test_and_is_named_at_the_end(tmp_path: Path) -> None:
    done = run(tmp_path, None)
    assert done.returncode == 0
    assert "did not run: 1 test: needs no-such-program: not installed" in done.stdout


def test_what_did_not_run_is_named_with_parallel_workers_too(tmp_path: Path) -> None:
    assert "did not run: 1 test: needs no-such-program" in run(tmp_path, None, "-n", "1").stdout


def test_every_debian_package_says_what_it_is_for() -> None:
    lines = (TESTS / "debian-packages.txt").read_text(encoding="utf-8").splitlines()
    packages = [line for line in lines if line and not line.startswith("#")]
    assert packages
    assert [line for line in packages if "#" not in line or ":" not in line.partition("#")[2]] == []


@pytest.mark.parametrize("lock", sorted((TESTS.parent / "requirements").glob("*.txt")), ids=lambda lock: lock.name)
class TestLock:
    def test_it_names_no_place_to_get_things_from(self, lock: Path) -> None:
        lines = lock.read_text(encoding="utf-8").splitlines()
        wrong = [line for line in lines if "://" in line or line.startswith(("-i", "--"))]
        assert wrong == []

    def test_it_has_a_hash_for_everything(self, lock: Path) -> None:
        text = lock.read_text(encoding="utf-8").replace("\\\n", " ")
        pins = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
        assert pins
        assert [line for line in pins if "==" not in line or "--hash=sha256:" not in line] == []
