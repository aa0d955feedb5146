"""The programs in `bin`: all that are installed, each as short as it can be."""

from __future__ import annotations

import ast
import importlib
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
INSTALLED = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-scripts"]
NAMES = sorted(path.name for path in (ROOT / "bin").iterdir())


def test_every_program_is_installed_under_its_name_and_no_other_is() -> None:
    assert {f"bin/{name}": name for name in NAMES} == INSTALLED
    assert "navicert" in NAMES
    assert {f"in-toto-{name}" for name in ("run", "record", "verify", "sign", "mock", "match-products", "keygen")} < {
        *NAMES
    }
    assert "scripts" not in PROJECT["project"], "pip would write launchers of its own over these"


@pytest.mark.parametrize("name", NAMES)
def test_a_program_imports_what_it_starts_and_nothing_else(name: str) -> None:
    path = ROOT / "bin" / name
    assert os.access(path, os.X_OK)
    text = path.read_text()
    assert text.startswith("#!/usr/bin/env python3\n"), "what an installer looks for, to put its interpreter there"
    imported, called = ast.parse(text).body[1:]
    assert isinstance(imported, ast.ImportFrom)
    assert isinstance(called, ast.Expr)
    assert isinstance(called.value, ast.Call)
    (function,) = imported.names
    assert ast.unparse(called) == f"{function.name}()"
    assert callable(getattr(importlib.import_module(str(imported.module)), function.name))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_installed_starts(name: str, tmp_path: Path) -> None:
    word = "--help" if name in ("in-toto-match-products", "in-toto-mock") else "--version"
    done = subprocess.run(
        [Path(sys.executable).with_name(name), word], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(("usage: ", f"{name} "))


def test_what_is_installed_loads_no_regular_expressions_to_start(tmp_path: Path) -> None:
    """As the launchers do that pip writes up to its release 24."""
    program = Path(sys.executable).with_name("navicert")
    done = subprocess.run(
        [sys.executable, "-X", "importtime", program, "--version"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "navicert.cli.main" in loaded
    assert loaded.isdisjoint({"re", "enum", "functools", "collections", "argparse"})
