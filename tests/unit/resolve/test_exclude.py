"""Excludes: what patterns leave out."""

from __future__ import annotations

import subprocess
import sys

import pytest

from navicert.errors import Malformed
from navicert.resolve.artifact import DEFAULT_EXCLUDES
from navicert.resolve.exclude import Excludes


@pytest.mark.parametrize(
    ("pattern", "name", "left_out"),
    [
        ("*.pyc", "a.pyc", True),
        ("*.pyc", "d/a.pyc", True),
        ("*.pyc", "/d/a.pyc", True),
        ("*.pyc", "/a.pyc", True),
        ("*.pyc", "a.pyc/b", True),
        ("*.pyc", "a.pyco", False),
        ("*.link*", "foo.linked.c", True),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        (".git", "x/.git/HEAD", True),
        (".git", ".github/x", False),
        ("/top", "top/a", True),
        ("/top", "d/top", False),
        ("d/x", "d/x", True),
        ("d/x", "e/d/x", False),
        ("sub/", "sub/a", True),
        ("sub/", "sub", False),
        ("**/b", "a/b", True),
        ("*", "anything", True),
        ("# no", "# no", False),
        ("[Mm]akefile", "a/Makefile", True),
        ("[Mm]akefile", "wakefile", False),
        ("v[0-9].txt", "v7.txt", True),
        ("a[!x]b", "a-b", True),
    ],
)
def test_patterns_are_those_of_gitignore(pattern, name, left_out):
    assert Excludes((pattern,))(name) is left_out


def test_a_later_negation_takes_back():
    excludes = Excludes(("*.c", "!keep.c"))
    assert excludes("a.c")
    assert not excludes("keep.c")


def test_no_pattern_leaves_nothing_out():
    assert not Excludes(())("a.pyc")


def test_the_pattern_that_leaves_a_name_out_is_named():
    excludes = Excludes(("*.c", "a*"))
    assert excludes.pattern_for("a.c") == "a*"
    assert excludes.pattern_for("b.c") == "*.c"
    assert excludes.pattern_for("b") == ""


@pytest.mark.parametrize("pattern", ["a\nb", "a\0/b", "!", "[?-.]", "[z-a]"])
def test_what_is_no_pattern_is_refused(pattern):
    with pytest.raises(Malformed, match="not an exclude pattern"):
        Excludes((pattern,))


def test_what_an_unusual_pattern_leaves_out_is_not_forgotten_beside_plain_ones():
    """Each of the two ways to match decides only its own part of one list: none may hide the other's."""
    excludes = Excludes(("*.c", "a[!x]b", "#b", "\\#b"))
    assert [name for name in ("d.c", "a-b", "#b", "axb") if excludes(name)] == ["d.c", "a-b", "#b"]


@pytest.mark.parametrize("patterns", [DEFAULT_EXCLUDES, ("[Mm]akefile", "*.[ch]", "lib/[a-z]*/")])
def test_usual_patterns_do_not_import_pathspec(patterns):
    code = (
        "import sys; from navicert.resolve.exclude import Excludes; "
        f"Excludes({patterns!r})('a'); sys.exit('pathspec' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
