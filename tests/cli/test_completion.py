"""Completions as a shell gives them: written by the program, and asked in a real bash."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

NAVICERT = Path(sys.executable).with_name("navicert")

ASK = """
source "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
COMPREPLY=()
_shtab_navicert
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("completion") / "navicert"
    done = subprocess.run([NAVICERT, "completion", "bash"], capture_output=True, text=True, check=True)
    path.write_text(done.stdout)
    return path


def offered(script: Path, *words: str) -> set[str]:
    """What bash offers after `words`, the last of which is being typed."""
    done = subprocess.run(
        ["bash", "-c", ASK, "bash", str(script), *words], capture_output=True, text=True, check=False, cwd=script.parent
    )
    assert done.stderr == ""
    return set(done.stdout.split())


def test_commands_are_offered(script: Path) -> None:
    assert {"verify", "show", "layout"} <= offered(script, "navicert", "")
    assert offered(script, "navicert", "ver") == {"verify", "verify-attestation"}


def test_commands_of_a_group_are_offered(script: Path) -> None:
    assert offered(script, "navicert", "layout", "li") == {"lint"}


def test_options_of_a_command_are_offered(script: Path) -> None:
    assert {"--layout", "--layout-key"} & offered(script, "navicert", "verify", "--lay") == {"--layout"}


def test_files_are_offered_where_a_file_is_expected(script: Path) -> None:
    (script.parent / "root.layout").touch()
    assert "root.layout" in offered(script, "navicert", "show", "ro")


@pytest.mark.parametrize("shell", ["zsh", "tcsh"])
def test_other_shells_get_theirs(shell: str) -> None:
    done = subprocess.run([NAVICERT, "completion", shell], capture_output=True, text=True, check=True)
    assert "navicert" in done.stdout


def test_an_unknown_shell_is_wrong_usage() -> None:
    done = subprocess.run([NAVICERT, "completion", "dos"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "bash" in done.stderr
