"""The programs that are measured, as users install them: each in an environment of its own, made the same way.

The environment that developers work in will not do: it looks for the sources through a path file, and development
tools hook into every start of its interpreter.
"""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench.contestant import Unmeasurable

ROOT: Final = Path(__file__).resolve().parent.parent
_LOCKS: Final = ROOT / "requirements"
_PIP: Final = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps")


def install_ours(folder: Path) -> Path:
    """Make an environment at `folder` with the wheel of this tree; the folder of its programs.

    Dependencies are links into the environment that runs this, which holds what the lock says: no index is needed.
    """
    wheels = folder.with_name(f"{folder.name}-wheel")
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels))
    programs = _environment(folder)
    (site,) = folder.glob("lib/python3*/site-packages")
    for path in _dependencies():
        (site / path.name).symlink_to(path)
    (wheel,) = wheels.glob("*.whl")
    _run(str(programs / "python"), *_PIP, "--no-index", str(wheel))
    return programs


def install_upstream(folder: Path) -> Path:
    """Make an environment at `folder` with in-toto 3.1.0, as locked; the folder of its programs. Needs an index."""
    programs = _environment(folder)
    _run(str(programs / "python"), *_PIP, "--require-hashes", "-r", str(_LOCKS / "oracle.txt"))
    return programs


def _environment(folder: Path) -> Path:
    _run(sys.executable, "-m", "venv", str(folder))
    return folder / "bin"


def _dependencies() -> Iterator[Path]:
    """Every file and folder that our dependencies have in `site-packages`."""
    found: set[Path] = set()
    for name in re.findall(r"^([A-Za-z0-9._-]+)==", (_LOCKS / "runtime.txt").read_text(), re.MULTILINE):
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # for another platform, or another Python
        for file in distribution.files or ():
            if file.parts[0] not in ("..", "__pycache__"):
                found.add(Path(str(distribution.locate_file(file.parts[0]))))
    yield from sorted(found)


def _run(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Unmeasurable(f"cannot be installed: {done.stderr.strip() or done.stdout.strip()}")
