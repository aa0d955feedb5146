"""Laws of what is left out and what a pattern matches."""

from __future__ import annotations

import glob
import os
import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from pathspec import GitIgnoreSpec

from navicert.errors import Malformed
from navicert.resolve import resolve_all
from navicert.resolve.artifact import ResolveOptions
from navicert.resolve.exclude import Excludes

segments = st.text("ab.*?~-_x\nü", min_size=1, max_size=6)
paths = (
    st.lists(st.text("ab.~-_x\nü", min_size=1, max_size=5), min_size=1, max_size=4).map("/".join).map(os.path.normpath)
)
simple = st.lists(segments, min_size=1, max_size=4)
any_pattern = st.lists(st.text("ab./*?![]\\# ~-", min_size=1, max_size=8), min_size=1, max_size=4)


def is_pattern(text: str) -> bool:
    """Whether pathspec takes `text` for one pattern."""
    try:
        GitIgnoreSpec.from_lines([text])
    except (ValueError, re.error):
        return False
    return "\n" not in text


@pytest.mark.filterwarnings("ignore::FutureWarning")  # what `re` thinks of pathspec's sets
class TestExcludesAreThoseOfPathspec:
    """Patterns have the meaning that pathspec's GitIgnoreSpec gives them, whichever way they are translated."""

    @given(simple | any_pattern, paths, st.booleans())
    @example(["*.link*", ".git", "*.pyc", "*~"], "a/b.links/c", False)
    @example(["*.c"], "x.c\n", False)
    @example(["*.c"], "a\nb/x.c", True)
    @settings(max_examples=1500)
    def test_same_answer(self, patterns, path, absolute):
        path = "/" + path if absolute else path
        try:
            excludes = Excludes(tuple(patterns))
        except Malformed:
            assert any(not is_pattern(pattern) for pattern in patterns)
            return
        assert excludes(path) == GitIgnoreSpec.from_lines(patterns).match_file(path)


@pytest.fixture(scope="module")
def forest():
    """A tree with every name out of two letters, two deep."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for top in ("a", "b", "ab", ".a", "[a]", "a-b"):
            (root / top).mkdir()
            for name in ("a", "b", "ab", ".b", "a]", "^"):
                (root / top / name).write_text("x")
            (root / top / "deep").mkdir()
            (root / top / "deep/a").write_text("x")
        yield root


pattern_segments = st.text("ab*?[]!.-", min_size=1, max_size=5)


class TestPatternsAreThoseOfAShell:
    """Without `**`, a pattern names what it names in a shell: Python's `glob` is the oracle."""

    @given(st.lists(pattern_segments, min_size=1, max_size=3))
    @settings(max_examples=600)
    def test_same_files(self, forest, parts):
        pattern = "/".join(parts)
        assume("**" not in pattern and ".." not in parts and "." not in parts)
        assume(not os.path.lexists(forest / pattern))
        options = ResolveOptions(cwd=str(forest), excludes=())
        expected = set()
        for match in glob.glob(pattern, root_dir=forest):
            full = forest / match
            below = [path for path in full.rglob("*") if path.is_file()] if full.is_dir() else [full]
            expected |= {os.path.relpath(path, forest) for path in below}
        try:
            found = resolve_all([pattern], options).artifacts
        except Malformed:
            # A bracket that does not end is itself for glob; for us it is an error, because somebody meant a set.
            assert "[" in pattern
            return
        assert set(found) == expected
