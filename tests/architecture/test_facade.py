"""The public surface: flat, sorted, lazy, documented, and the same whatever was imported before."""

from __future__ import annotations

import ast
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import navicert

INIT = Path(navicert.__file__)


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_all_is_sorted_and_without_doubles() -> None:
    assert navicert.__all__ == sorted(set(navicert.__all__))


def test_all_is_flat() -> None:
    assert [name for name in navicert.__all__ if not name.isidentifier() or name.startswith("_")] == []


def test_every_public_name_has_a_home_and_every_home_a_public_name() -> None:
    assert sorted(navicert._HOME) == navicert.__all__


def test_type_checkers_see_what_the_program_gets() -> None:
    tree = ast.parse(INIT.read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    seen = {}
    for node in block.body:
        assert isinstance(node, ast.ImportFrom)
        for alias in node.names:
            public = alias.asname or alias.name
            seen[public] = f"{node.module}" if alias.name == public else f"{node.module}:{alias.name}"
    assert seen == navicert._HOME


@pytest.mark.parametrize("name", navicert.__all__)
def test_every_public_name_resolves_and_is_documented(name: str) -> None:
    value = getattr(navicert, name)
    assert not inspect.ismodule(value)
    docstring = vars(value).get("__doc__") if inspect.isclass(value) else value.__doc__
    assert docstring, f"{name} has no docstring of its own"
    # Dataclasses and enumerations make one up where there is none.
    assert not docstring.startswith(f"{name}("), f"{name} has no docstring of its own"
    first = docstring.split("\n\n")[0].strip()
    assert first.endswith((".", ":")), f"{name}: its first line is no whole sentence"


@pytest.mark.parametrize("name", navicert.__all__)
def test_every_public_name_is_named_in_the_documentation(name: str) -> None:
    page = INIT.parents[2] / "docs" / "reference" / "api.md"
    assert re.search(rf"`{re.escape(name)}\b", page.read_text(encoding="utf-8"))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        navicert.nonsense  # noqa: B018


def test_dir_lists_every_public_name() -> None:
    assert set(navicert.__all__) <= set(dir(navicert))


def test_importing_the_package_loads_none_of_its_modules() -> None:
    loaded = run("import sys, navicert, json; print(json.dumps([m for m in sys.modules if m.startswith('navicert.')]))")
    assert json.loads(loaded) == []


@pytest.mark.parametrize("name", ["record", "verify"])
@pytest.mark.parametrize(
    "before",
    ["", "import navicert.{name}", "from navicert.{name} import __name__ as _", "import navicert; navicert.{name}"],
)
def test_a_package_of_the_same_name_never_hides_a_function(name: str, before: str) -> None:
    code = f"""
{before.format(name=name)}
import navicert
first = navicert.{name}
import navicert.{name}
import importlib
importlib.import_module("navicert.{name}")
assert navicert.{name} is first
assert callable(first), first
from navicert import {name}
assert {name} is first
"""
    run(code)


def test_the_version_is_the_installed_one_and_has_notes() -> None:
    from importlib.metadata import version

    assert version("navicert") == navicert.__version__
    changelog = (INIT.parents[2] / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## {re.escape(navicert.__version__)}\b", changelog, re.MULTILINE)
