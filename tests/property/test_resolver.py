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
slashed = st.lists(
    st.tuples(
        st.sampled_from(["", "/"]),
        st.lists(
            st.sampled_from(["**", "*", "a", "x", "a*", "*.c", "*a*", "a?", "ü", "a b", "(a|b)", "+", "***"])
            | segments,
            min_size=1, max_size=4,
        ).map("/".join),
        st.sampled_from(["", "/"]),
    ).map("".join),
    min_size=1,
    max_size=4,
)  # fmt: skip
steps = st.lists(
    st.sampled_from(["a", "x", "ab", "x.c", "a\n", "x.c\n", "a\nb", "ü", "a b", "(a|b)", "+", ".c", "~"]),
    min_size=1, max_size=4,
)  # fmt: skip
any_pattern = st.lists(st.text("ab./*?![]\\# ~-", min_size=1, max_size=8), min_size=1, max_size=4)
sets = st.sampled_from(
    ["[a]", "[ab]", "[a-b]", "[b-a]", "[a-bx]", "[ax-a]", "[A-Z_]", "[0-9]", "[!a]", "[^a]", "[a-]", "[]a]", "[.-0]",
     "[a", "[]", "[ü]", "[Z-a]", "[a-b-x]", "[[]", "[a/b]"]
)  # fmt: skip
with_sets = st.lists(
    st.lists(sets | st.sampled_from(["a", "*", "?", "/", "**/", "/**", "x", ".c"]), min_size=1, max_size=5).map(
        "".join
    ),
    min_size=1,
    max_size=3,
)
taken_back = st.tuples(slashed | simple | with_sets, slashed | simple | any_pattern, st.booleans()).map(
    lambda drawn: [*drawn[0], *(f"!{pattern}" for pattern in drawn[1]), *(drawn[0] if drawn[2] else ())]
)


def is_pattern(text: str) -> bool:
    """Whether pathspec takes `text` for one pattern."""
    try:
        GitIgnoreSpec.from_lines([text], backend="simple")
    except (ValueError, re.error):
        return False
    return "\n" not in text


def agree(patterns: list[str], path: str) -> None:
    """Our excludes and pathspec's give the same answer, or none where one of `patterns` is no pattern."""
    try:
        excludes = Excludes(tuple(patterns))
    except Malformed:
        assert any(not is_pattern(pattern) for pattern in patterns)
        return
    assert excludes(path) == GitIgnoreSpec.from_lines(patterns, backend="simple").match_file(path)


@pytest.mark.filterwarnings("ignore::FutureWarning")  # what `re` thinks of pathspec's sets
class TestExcludesAreThoseOfPathspec:
    """Patterns have the meaning that pathspec's GitIgnoreSpec gives them, whichever way they are translated."""

    @given(simple | any_pattern, paths, st.booleans())
    @example(["*.link*", ".git", "*.pyc", "*~"], "a/b.links/c", False)
    @example(["*.c"], "x.c\n", False)
    @example(["*.c"], "a\nb/x.c", True)
    @settings(max_examples=1500)
    def test_same_answer(self, patterns, path, absolute):
        agree(patterns, "/" + path if absolute else path)

    @given(slashed | simple, paths | steps.map("/".join), st.booleans())
    @example(["docs/**", "/build", "**/cache/**"], "a/cache/x", False)
    @example(["a/**/b"], "a/b\n", False)
    @example(["*/"], "a\nb/c", True)
    @example(["**"], "\n", False)
    @settings(max_examples=1500)
    def test_same_answer_for_patterns_of_folders(self, patterns, path, absolute):
        agree(patterns, "/" + path if absolute else path)

    @given(with_sets | taken_back, paths | steps.map("/".join), st.booleans())
    @example(["[Mm]akefile"], "a/Makefile", False)
    @example(["a[.-0]b"], "a/b", False)
    @example(["a[!x]b"], "a/b", False)
    @example(["a", "!a", "a"], "a/b", False)
    @example(["*.c", "[]x]", "!x.c"], "x.c", False)
    @settings(max_examples=2500)
    def test_same_answer_for_sets_and_negations(self, patterns, path, absolute):
        agree(patterns, "/" + path if absolute else path)

    @given(slashed | simple | any_pattern | with_sets | taken_back, steps, st.booleans())
    @example(["*[ab]/"], ["xa", "x"], False)
    @example(["a/", "!a/x"], ["a", "x"], False)
    @example(["*/**", "!**/"], ["a", "a"], False)
    @example(["*.c"], ["x.c\n"], False)
    @example(["a/"], ["a", "x"], False)
    @example(["a/**/x.c"], ["a", "b", "x.c"], True)
    @example(["a", "!a"], ["a", "x"], False)
    @example(["*/", "!a"], ["x", "a"], False)
    @settings(max_examples=1500)
    def test_a_walk_leaves_out_what_every_folder_on_the_way_would(self, patterns, steps, absolute):
        """The quick look at the last part of a name, and at a folder before it is read, decide nothing else."""
        try:
            excludes = Excludes(tuple(patterns))
        except Malformed:
            return
        top = "/" if absolute else ""
        names = [top + "/".join(steps[: i + 1]) for i in range(len(steps))]
        spec = GitIgnoreSpec.from_lines(patterns, backend="simple")
        expected = any(spec.match_file(name) for name in names)
        folder, walked = top, False
        for bare, name in zip(steps, names, strict=True):
            sieve = excludes.sieve(folder)
            if sieve(bare, name):
                walked = True
                assert sieve.doubts(["x", bare, "y"])
            if name != names[-1] and excludes.below(name, inside=True):
                walked = True
            if walked:
                break  # what is in a folder that is left out is not looked at
            folder = name
        assert walked == expected


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
