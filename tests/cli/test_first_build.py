"""tests/cli/first_build.sh: from `pip install` into an empty environment to a verified build of one's own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("first_build.sh")
PROJECT_BUILD = """\
git clone --quiet "$PWD/repository" source
tar -C source --exclude .git -cf app.tar .
"""

pytestmark = pytest.mark.slow


def sh(*command: str | Path, cwd: Path, env: dict[str, str] | None = None, code: int = 0) -> str:
    """What `command` printed on both streams; it must end with exit code `code`."""
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == code, f"exit code {done.returncode}, expected {code}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree, built without an index."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check")
    sh(*pip, "--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT, cwd=folder)
    (built,) = folder.glob("navicert-*.whl")
    return built


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with nothing in it but pip."""
    folder = tmp_path_factory.mktemp("empty") / "venv"
    sh(sys.executable, "-m", "venv", folder, cwd=folder.parent)
    return folder


@pytest.fixture
def project(component: Callable[[str], Path], tmp_path: Path) -> Path:
    """A folder with a repository and a build that knows nothing of Navicert."""
    git = str(component("git"))
    repository = tmp_path / "repository"
    repository.mkdir()
    (repository / "main.c").write_text("int main(void) { return 0; }\n")
    sh(git, "init", "--quiet", cwd=repository)
    sh(git, "add", "--all", cwd=repository)
    identity = ("-c", "user.name=Example", "-c", "user.email=example@example.org", "-c", "commit.gpgsign=false")
    sh(git, *identity, "commit", "--quiet", "--message", "First", cwd=repository)
    (tmp_path / "build.sh").write_text(PROJECT_BUILD)
    return tmp_path


def test_the_way_takes_no_more_than_six_commands() -> None:
    lines = SCRIPT.read_text().replace("\\\n", " ").splitlines()
    commands = [line for line in lines if line and not line.startswith(("#", "set "))]

    assert len(commands) <= 6
    assert not any(re.search(r"[;&|]", command) for command in commands)


def test_from_pip_install_to_a_verified_build_and_a_changed_file_is_refused(
    component: Callable[[str], Path], wheel: Path, empty: Path, project: Path
) -> None:
    wheels = component("wheels")
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
    env |= {
        "PATH": f"{empty / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheels),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }

    told = sh("sh", SCRIPT, wheel, cwd=project, env=env)

    assert "PASS" in told
    assert (project / "app.tar").exists()
    with (project / "app.tar").open("ab") as archive:
        archive.write(b"one byte more")
    verify = ("navicert", "verify", "--layout", "root.layout", "--owner", "keys/me.pub", "app.tar")
    told = sh(*verify, cwd=project, env=env, code=1)
    assert "target.bound" in told.splitlines()[0]
