"""The page on conformance is true: its tests exist, every row has some, and no difference is left out."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/reference/conformance.md").read_text(encoding="utf-8")
COLUMNS = ("tests/attacks/test_strict_column.py", "tests/attacks/test_upstream_column.py")

_TEST = re.compile(r"`(tests/[\w/]+\.py)((?:::\w+)*)`")
_CASE = re.compile(r"`([a-z0-9]+(?:-[a-z0-9]+)+)`")
_ROW = re.compile(r"^\| ([0-9]+) \|", re.MULTILINE)


def named() -> list[tuple[str, str]]:
    """The tests that the page names: (file, name in it)."""
    return [(file, name.removeprefix("::")) for file, name in _TEST.findall(PAGE)]


def defined_in(file: str) -> set[str]:
    """The tests that a file defines; in a class as `Class::test`."""
    found: set[str] = set()
    for node in ast.parse((ROOT / file).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{inner.name}" for inner in node.body if isinstance(inner, ast.FunctionDef)}
    return {name for name in found if name.rpartition("::")[2].startswith("test_")}


def section(title: str) -> str:
    """The text of one section of the page."""
    _, found, rest = PAGE.partition(f"\n## {title}\n")
    assert found, title
    return rest.partition("\n## ")[0]


def test_every_test_that_the_page_names_exists() -> None:
    assert named()
    lost = [f"{file}::{name}" for file, name in named() if not name or name not in defined_in(file)]
    assert lost == []


def test_every_test_of_the_columns_is_named() -> None:
    for column in COLUMNS:
        assert defined_in(column) - {name for file, name in named() if file == column} == set()


def test_every_row_names_its_tests_for_each_column_that_it_has() -> None:
    rows = re.split(r"^### Row ([0-9]+)\n", section("Tests"), flags=re.MULTILINE)[1:]
    tests = dict(zip(rows[::2], rows[1::2], strict=True))
    two, one = _ROW.findall(section("Two columns")), _ROW.findall(section("The same in both"))
    assert [str(number) for number in range(1, len(two) + len(one) + 1)] == [*two, *one] == list(tests)
    for row in two:
        assert all(column in tests[row] for column in COLUMNS), row
    for row in one:
        assert COLUMNS[0] in tests[row], row


def test_every_case_that_comes_out_otherwise_than_with_upstream_is_among_the_differences() -> None:
    differs = set()
    for path in sorted((ROOT / "vectors/cases").glob("*.json")):
        case = json.loads(path.read_text(encoding="utf-8"))
        passes = case["profiles"]["upstream"]["expect"] == "pass"
        if (case["upstream"]["result"] == "pass") != passes:
            differs.add(path.stem)
    listed = _CASE.findall(
        "\n".join(re.findall(r"^\|.*\|([^|]*)\|$", section("Intended differences from in-toto 3.1.0"), re.M))
    )
    assert len(listed) == len(set(listed))
    assert set(listed) == differs
