"""The layers hold: imports go down only, what judges touches no world, and names say what a module is.

The sources are read, not imported, so an import inside a function counts like any other.
"""

from __future__ import annotations

import ast
import importlib.metadata
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "navicert"

# The first part below `navicert.` → its layer. What stands on a line may be imported by the lines above it.
LAYERS = {
    name: level
    for level, names in enumerate(
        [
            (
                "initializer valueclass dataclass interface cleanup datetime "
                "enumeration jsontext strictjson survey digest timestamp errors limits"
            ),
            "model verdict",
            "envelope crypto",
            "verify slsa authoring report",
            "record resolve store oci trust",
            "admission testing",
            "cli compat",
            "__main__",
        ]
    )
    for name in names.split()
}
JUDGING = 3
"""The highest layer of pure functions: documents and a clock in, values out."""
# In the layer of pure judgement these groups do not know of each other.
SEPARATE = {"verify": "judge", "slsa": "judge", "authoring": "author", "report": "report"}
# An exception carries the verdict that it was raised for: a name in an annotation, and nothing at run time.
TYPE_ONLY = {("errors", "verdict")}

VAGUE = {"util", "utils", "common", "helper", "helpers", "base", "manager", "misc", "core", "tool", "tools"}
MOST_LINES = 400

# What reaches outside the process. Reading a path's text apart (pathlib.PurePosixPath) is no I/O.
WORLD = {
    "asyncio", "ftplib", "getpass", "glob", "http", "logging", "multiprocessing", "os", "random", "select",
    "shutil", "signal", "socket", "sqlite3", "ssl", "subprocess", "tempfile", "threading", "time", "urllib",
}  # fmt: skip
CLOCKS = {"now", "utcnow", "today"}


class Import(NamedTuple):
    """One imported module, named in full, and whether only type checkers see it."""

    module: str
    line: int
    type_only: bool
    top_level: bool


class Source(NamedTuple):
    """One module of the package: its dotted name, file and syntax tree."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def part(self) -> str:
        """The first part of the name below the package; empty for the package itself."""
        return self.name.partition(".")[2].partition(".")[0]


@cache
def sources() -> tuple[Source, ...]:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = ("navicert", *path.relative_to(PACKAGE).with_suffix("").parts)
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found.append(Source(name, path, ast.parse(path.read_bytes(), filename=str(path))))
    return tuple(found)


@cache
def module_names() -> frozenset[str]:
    return frozenset(source.name for source in sources())


def imports(source: Source) -> Iterator[Import]:
    """Every import of a module, wherever it stands. `from package import module` names the module."""
    stack: list[tuple[ast.AST, bool, bool]] = [(source.tree, False, True)]
    while stack:
        node, type_only, top_level = stack.pop()
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, type_only, top_level)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{source.path}:{node.lineno}: a relative import hides which layer it is of"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield Import(whole if whole in module_names() else str(node.module), node.lineno, type_only, top_level)
        guarded = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        stack.extend((child, type_only or guarded, top_level and not inside) for child in ast.iter_child_nodes(node))


def own_imports(source: Source) -> Iterator[tuple[Import, str]]:
    """Imports of the package's own modules, each with the first part of its name."""
    for found in imports(source):
        first, _, rest = found.module.partition(".")
        if first == "navicert":
            yield found, rest.partition(".")[0]


def where(source: Source, line: int) -> str:
    return f"{source.path.relative_to(ROOT)}:{line}"


def judging() -> Iterator[Source]:
    return (source for source in sources() if LAYERS.get(source.part, JUDGING + 1) <= JUDGING)


def test_every_part_of_the_package_has_a_layer() -> None:
    assert {source.part for source in sources()} - {""} <= LAYERS.keys()


def test_imports_go_down_only() -> None:
    wrong = [
        f"{where(source, found.line)}: {source.part} imports {found.module}"
        for source in sources()
        if source.part
        for found, part in own_imports(source)
        if part and LAYERS[part] > LAYERS[source.part] and not (found.type_only and (source.part, part) in TYPE_ONLY)
    ]
    assert not wrong, "\n".join(wrong)


def test_judging_authoring_and_reporting_do_not_know_each_other() -> None:
    wrong = [
        f"{where(source, found.line)}: {source.part} imports {found.module}"
        for source in sources()
        if source.part in SEPARATE
        for found, part in own_imports(source)
        if part in SEPARATE and SEPARATE[part] != SEPARATE[source.part]
    ]
    assert not wrong, "\n".join(wrong)


def test_the_package_does_not_use_its_own_facade() -> None:
    # It would load by a detour what a module can name, and `navicert.verify` is a function there.
    wrong = []
    for source in sources():
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ImportFrom) and node.module == "navicert":
                known = {"__version__"} | {part for part in LAYERS if part not in ("record", "verify")}
                wrong += [where(source, node.lineno) for alias in node.names if alias.name not in known]
            elif isinstance(node, ast.Import) and any(alias.name.startswith("navicert") for alias in node.names):
                wrong.append(where(source, node.lineno))
    assert not wrong, f"write `from navicert.part.module import name`: {wrong}"


def test_modules_import_each_other_in_no_circle() -> None:
    graph: dict[str, set[str]] = {source.name: set() for source in sources()}
    for source in sources():
        graph[source.name] = {
            found.module
            for found, part in own_imports(source)
            if part and found.top_level and not found.type_only and found.module in graph
        }
    circle = _circle(graph)
    assert not circle, " → ".join(circle)


def test_packages_import_each_other_in_no_circle() -> None:
    graph: dict[str, set[str]] = {part: set() for part in LAYERS}
    for source in sources():
        for found, part in own_imports(source):
            if source.part and part and part != source.part and not found.type_only:
                graph[source.part].add(part)
    circle = _circle(graph)
    assert not circle, " → ".join(circle)


def _circle(graph: dict[str, set[str]]) -> list[str]:
    """Some circle in `graph`, from a node back to itself; empty where there is none."""
    done: set[str] = set()

    def visit(node: str, trail: list[str]) -> list[str]:
        if node in trail:
            return [*trail[trail.index(node) :], node]
        if node in done:
            return []
        for following in sorted(graph[node]):
            circle = visit(following, [*trail, node])
            if circle:
                return circle
        done.add(node)
        return []

    return next((circle for node in sorted(graph) if (circle := visit(node, []))), [])


def test_what_judges_touches_no_world() -> None:
    wrong = []
    for source in judging():
        wrong += [
            f"{where(source, found.line)}: imports {found.module}"
            for found in imports(source)
            if found.module.partition(".")[0] in WORLD and not found.type_only
        ]
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ImportFrom) and node.module == "pathlib":
                wrong += [where(source, node.lineno) for alias in node.names if not alias.name.startswith("Pure")]
            if isinstance(node, ast.ImportFrom) and node.module == "io":
                wrong += [where(source, node.lineno) for alias in node.names if alias.name != "BytesIO"]  # is memory
            if isinstance(node, ast.Import):
                wrong += [where(source, node.lineno) for alias in node.names if alias.name == "io"]
            if isinstance(node, ast.Call):
                called = node.func
                if isinstance(called, ast.Name) and called.id in ("open", "print", "input", "exec", "eval"):
                    wrong.append(f"{where(source, node.lineno)}: calls {called.id}")
                if isinstance(called, ast.Attribute) and called.attr in CLOCKS:
                    wrong.append(f"{where(source, node.lineno)}: asks the clock; the moment is an argument")
    assert not wrong, "\n".join(wrong)


def test_documents_and_verdicts_know_no_cryptography() -> None:
    wrong = [
        f"{where(source, found.line)}: imports {found.module}"
        for source in sources()
        if LAYERS.get(source.part, 9) <= 1
        for found in imports(source)
        if found.module.partition(".")[0] in ("cryptography", "hmac")
    ]
    assert not wrong, "\n".join(wrong)


def test_only_the_command_line_prints_asks_or_exits() -> None:
    wrong = []
    for source in sources():
        if source.part in ("cli", "compat", "__main__"):
            continue
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("print", "input"):
                wrong.append(f"{where(source, node.lineno)}: {node.func.id}")
            if isinstance(node, ast.Attribute) and ast.unparse(node) in ("sys.exit", "sys.stdout", "sys.stderr"):
                wrong.append(f"{where(source, node.lineno)}: {ast.unparse(node)}")
            if isinstance(node, ast.Name) and node.id in ("SystemExit", "exit", "quit"):
                wrong.append(f"{where(source, node.lineno)}: {node.id}")
        wrong += [f"{where(source, i.line)}: {i.module}" for i in imports(source) if i.module == "getpass"]
    assert not wrong, "\n".join(wrong)


def test_no_module_keeps_mutable_state_in_a_global_statement() -> None:
    wrong = [
        where(source, node.lineno)
        for source in sources()
        if source.part != "compat"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Global)
    ]
    assert not wrong, wrong


def test_what_is_imported_from_others_is_declared() -> None:
    declared = {
        re.split(r"[^A-Za-z0-9_.-]", requirement, maxsplit=1)[0].lower()
        for requirement in importlib.metadata.requires("navicert") or []
    }
    names = {
        "celpy": "cel-python",
        "pkcs11": "python-pkcs11",
        "prometheus_client": "prometheus-client",
        "re2": "google-re2",
        "yaml": "pyyaml",
    }
    wrong = [
        f"{where(source, found.line)}: {found.module}"
        for source in sources()
        for found in imports(source)
        if (first := found.module.partition(".")[0]) not in sys.stdlib_module_names
        and first != "navicert"
        and names.get(first, first) not in declared
    ]
    assert not wrong, "\n".join(wrong)


def test_what_is_declared_is_imported() -> None:
    imported = {found.module.partition(".")[0] for source in sources() for found in imports(source)}
    names = {"pyyaml": "yaml"}
    for requirement in importlib.metadata.requires("navicert") or []:
        if "extra ==" not in requirement:
            name = re.split(r"[^A-Za-z0-9_.-]", requirement, maxsplit=1)[0].lower()
            assert names.get(name, name) in imported, f"{name} is declared and never imported"


@pytest.mark.parametrize("source", sources(), ids=lambda source: source.name)
class TestModule:
    def test_says_what_it_is(self, source: Source) -> None:
        docstring = ast.get_docstring(source.tree)
        assert docstring, f"{source.path.relative_to(ROOT)} has no docstring"
        assert docstring.splitlines()[0].rstrip().endswith((".", ":", "?")), "its first line is no whole sentence"

    def test_is_named_after_a_thing(self, source: Source) -> None:
        words = set(re.split(r"[._]", source.name))
        assert not words & VAGUE, f"{source.name}: which noun is missing?"

    def test_fits_in_a_head(self, source: Source) -> None:
        lines = len(source.path.read_text(encoding="utf-8").splitlines())
        assert lines <= MOST_LINES, f"{source.path.relative_to(ROOT)} has {lines} lines: two jobs in one module?"


def test_every_folder_of_modules_is_a_package() -> None:
    folders = {source.path.parent for source in sources()}
    assert [str(f.relative_to(ROOT)) for f in sorted(folders) if not (f / "__init__.py").exists()] == []


def test_type_checkers_are_told_that_the_package_is_typed() -> None:
    assert (PACKAGE / "py.typed").exists()
