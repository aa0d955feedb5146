"""Every check has its page, and every page its check."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from navicert.verify import catalogue
from navicert.verify.catalogue import CATALOGUE

VERIFY = Path(catalogue.__file__).parent
ID = re.compile(r"[a-z]+(?:\.[a-z-]+)?")


def literals() -> set[str]:
    """Every string in the modules that judge which looks like the id of a check."""
    found: set[str] = set()
    for path in VERIFY.glob("*.py"):
        if not path.name.startswith("catalogue"):
            tree = ast.parse(path.read_text())
            found |= {
                node.value
                for node in ast.walk(tree)
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and ID.fullmatch(node.value)
            }
    return found


def test_every_page_is_of_a_check_that_exists() -> None:
    built = {"step.materials", "step.products", "inspection.materials", "inspection.products"}
    assert set(CATALOGUE) - built <= literals()


def test_every_check_that_can_fail_has_a_page() -> None:
    prefixes = {id.partition(".")[0] for id in CATALOGUE if "." in id}
    ids = {text for text in literals() if "." in text and text.partition(".")[0] in prefixes}
    assert ids - {"rule.match"} <= set(CATALOGUE)


def test_every_page_is_filled_in() -> None:
    for id, entry in CATALOGUE.items():
        assert ID.fullmatch(id)
        for text in (entry.meaning, entry.spec, entry.cause, entry.remedy):
            assert text.strip()
