"""Where something is proven: tests and vector cases by name, and whether they exist."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def defined_in(path: Path) -> set[str]:
    """The functions that a file defines, in a class as `Class::name`."""
    found: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{inner.name}" for inner in node.body if isinstance(inner, ast.FunctionDef)}
    return found


def missing(proofs: Iterable[str]) -> list[str]:
    """Those of `proofs` (`file`, `file::test` or `file::Class::test`, from the root of the repository) that do not
    exist."""
    found = []
    for proof in proofs:
        file, _, test = proof.partition("::")
        path = ROOT / file
        if not path.is_file() or (test and test not in defined_in(path)):
            found.append(proof)
    return found
