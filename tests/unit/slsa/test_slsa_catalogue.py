"""Every check of SLSA has its page, and every page its check."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from navicert.slsa import catalogue
from navicert.slsa.catalogue import CHECKS, SLSA
from navicert.slsa.levels import REQUIREMENTS
from navicert.verify.catalogue import CATALOGUE

FOLDER = Path(catalogue.__file__).parent
ID = re.compile(r"slsa(?:\.[a-z-]+)?")


def literals() -> set[str]:
    """Every string in the modules that judge which looks like the id of a check."""
    found: set[str] = set()
    for path in (*FOLDER.glob("*.py"), FOLDER.parent / "cli" / "slsa.py"):
        if path.name != "catalogue.py":
            found |= {
                node.value
                for node in ast.walk(ast.parse(path.read_text()))
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and ID.fullmatch(node.value)
            }
    return found


def test_every_page_is_of_a_check_that_exists() -> None:
    steps = {f"slsa.summary-{name}" for name in "signature subject type verifier resource result level".split()}
    assert set(SLSA) == {one.id for one in REQUIREMENTS} | steps | (literals() - {"slsa.summary-"})


def test_all_that_can_be_explained_is_in_one_table() -> None:
    assert set(CHECKS) == set(CATALOGUE) | set(SLSA)


def test_every_page_is_filled_in() -> None:
    for id, entry in SLSA.items():
        assert ID.fullmatch(id)
        for text in (entry.meaning, entry.spec, entry.cause, entry.remedy):
            assert text.strip()
