"""Writes the test vectors: `python -m vectors.generate` from the root of the repository, or with `--check` compares.

The keys follow from names and Ed25519 signs deterministically, so the same bytes come out every time.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Final

from vectors.generators.vector import Vector, render

HERE: Final = Path(__file__).resolve().parent
CASES: Final = HERE / "cases"
LIST: Final = HERE / "CASES.md"

GROUPS: Final = (
    "json",
    "canonical",
    "envelope",
    "layout",
    "signature",
    "evidence",
    "sublayout",
    "rules",
    "match",
    "pattern",
    "path",
    "parameters",
    "inspection",
    "target",
    "revocation",
)
"""The modules of `vectors.generators` that hold cases, in the order in which documents are judged."""


def cases() -> Iterator[tuple[str, dict[str, object]]]:
    """Name and JSON object of every case, in the order of the modules."""
    seen: set[str] = set()
    for group in GROUPS:
        for function, vector, comment in _of(importlib.import_module(f"vectors.generators.{group}")):
            name = function.replace("_", "-")
            if name in seen:
                raise ValueError(f"two cases are called {name}")
            seen.add(name)
            yield name, vector.to_json(name, group, comment)


def _of(module: ModuleType) -> Iterator[tuple[str, Vector, str]]:
    """Every case of `module`: its functions that are its own and public, in the order of the file."""
    for name, function in vars(module).items():
        if not name.startswith("_") and inspect.isfunction(function) and function.__module__ == module.__name__:
            vector = function()
            if not isinstance(vector, Vector) or not function.__doc__:
                raise TypeError(f"{module.__name__}.{name} makes no case, or says nothing about it")
            yield name, vector, " ".join(function.__doc__.split())


def files() -> dict[Path, bytes]:
    """Every file that belongs here, with its content."""
    made = dict(cases())
    written = {CASES / f"{name}.json": render(document) for name, document in made.items()}
    return {**written, LIST: _list(made).encode()}


def _list(made: dict[str, dict[str, object]]) -> str:
    lines = [
        "# The cases",
        "",
        "Written by `python -m vectors.generate`. What each column means stands in the [README](README.md).",
    ]
    group = None
    for name, document in made.items():
        if document["group"] != group:
            group = document["group"]
            lines += [
                "",
                f"## {group}",
                "",
                "| case | expect | in-toto 3.1.0 | what it stands for |",
                "|---|---|---|---|",
            ]
        oracle = document["upstream"]
        says = oracle.get("error", oracle["result"]) if isinstance(oracle, dict) else ""
        attack = str(document["attack"]).replace("|", "\\|")
        lines.append(f"| [{name}](cases/{name}.json) | {document['expect']} | {says} | {attack} |")
    return "\n".join([*lines, ""])


def outdated() -> list[str]:
    """What differs from what would be written: the paths of files that are missing, other, or too many."""
    wanted = files()
    stray = {path for path in CASES.glob("*") if path not in wanted}
    wrong = {path for path, raw in wanted.items() if not path.is_file() or path.read_bytes() != raw}
    return sorted(str(path.relative_to(HERE)) for path in stray | wrong)


def main(arguments: list[str]) -> int:
    """Write or check; 1 where `--check` finds a difference."""
    if arguments == ["--check"]:
        found = outdated()
        for path in found:
            print(f"vectors/{path}: not what the generators make; run python -m vectors.generate")
        return 1 if found else 0
    wanted = files()
    CASES.mkdir(exist_ok=True)
    for stray in CASES.glob("*"):
        if stray not in wanted:
            stray.unlink()
    for place, raw in wanted.items():
        place.write_bytes(raw)
    print(f"{len(wanted) - 1} cases in {CASES}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
