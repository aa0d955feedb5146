"""What is said about patterns agrees with what fnmatch does with paths."""

from fnmatch import fnmatchcase

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navicert.authoring.pattern import Effort, Glob, covers, meet

PIECES = ["*", "?", "a", "b", "/", "[ab]", "[!a]", "[z-a]", "[^a]", "[", "]", "!", "[]a]", "[!]]", "[a-c/]", "\\"]
patterns = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)
paths = st.text("ab/c[]!^\\-", max_size=5)


def covered(wide, narrow):
    return covers([Glob.of(text) for text in wide], Glob.of(narrow), Effort())


def meeting(one, other):
    return meet(Glob.of(one), Glob.of(other), Effort())


@given(patterns, paths)
@settings(max_examples=600)
def test_a_glob_matches_exactly_what_fnmatch_matches(pattern, path):
    assert Glob.of(pattern).matches(path) == fnmatchcase(path, pattern)


@given(st.lists(patterns, min_size=1, max_size=3), patterns, st.lists(paths, max_size=20))
@settings(max_examples=600)
def test_what_covers_a_pattern_matches_every_path_of_it(wide, narrow, some):
    if covered(wide, narrow):
        for path in some:
            assert not fnmatchcase(path, narrow) or any(fnmatchcase(path, text) for text in wide)


@given(patterns, patterns, st.lists(paths, max_size=20))
@settings(max_examples=600)
def test_patterns_that_do_not_meet_share_no_path(one, other, some):
    assert meeting(one, other) == meeting(other, one)
    if not meeting(one, other):
        assert not any(fnmatchcase(path, one) and fnmatchcase(path, other) for path in some)


@given(patterns)
def test_a_pattern_covers_itself_unless_it_matches_nothing(pattern):
    assert covered([pattern], pattern) or Glob.of(pattern).empty


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        (["*"], "src/*"),
        (["**"], "*"),
        (["src/*"], "src/a.py"),
        (["src/*"], "src/*.py"),
        (["src/*"], "src/**/*.py"),
        (["a?"], "a[bc]"),
        (["a*", "[!a]*"], "?*"),
        (["*a*"], "*a"),
        (["[a-f]*"], "[b-d]x"),
        (["?*"], "*?"),
    ],
)
def test_covering_is_recognised(wide, narrow):
    assert covered(wide, narrow)


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        (["src/*"], "*"),
        (["src/*"], "src*"),
        (["src/*.py"], "src/*"),
        (["a*", "[!a]*"], "*"),  # the empty path
        (["[!a-z]"], "?"),
        (["a"], "?"),
        (["ab*"], "a*"),
        (["*[!a]*"], "??"),
        (["b", "c"], "[bc]"),  # true, and not looked for: the careful answer
        ([], "a"),
        ([], "*a"),
    ],
)
def test_what_is_not_covered_is_not_called_so(wide, narrow):
    assert not covered(wide, narrow)


@pytest.mark.parametrize(
    ("one", "other", "answer"),
    [
        ("src/*", "*.py", True),
        ("src/*", "docs/*", False),
        ("src/*", "src", False),
        ("a[bc]", "a[cd]", True),
        ("a[bc]", "a[de]", False),
        ("*x", "*y", False),
        ("x*", "*y", True),
        ("?", "??", False),
        ("Dockerfile", "Docker*", True),
        ("Dockerfile", "docker*", False),
        ("a", "a", True),
    ],
)
def test_meeting(one, other, answer):
    assert meeting(one, other) is answer


def test_a_prefix_is_literal_whatever_it_holds():
    glob = Glob.of("*.py", "s[r]c/")
    assert glob.matches("s[r]c/a.py")
    assert not glob.matches("src/a.py")
    assert Glob.of("a", "?").literal == "?a"


def test_a_placeholder_may_become_anything_where_that_is_the_careful_reading():
    assert Glob.of("{version}/a", open_braces=True).matches("1.2/a")
    assert Glob.of("a", "{dir}/", open_braces=True).matches("x/y/a")
    assert Glob.of("a", "{dir", open_braces=True).matches("anythingdira")
    assert Glob.of("{version}").matches("{version}")


def test_a_class_without_members_makes_a_pattern_that_matches_nothing():
    assert Glob.of("a[z-a]").empty
    assert not Glob.of("a[!z-a]").empty
    assert not Glob.of("a[").empty


def test_only_stars_match_everything():
    assert Glob.of("*").universal
    assert Glob.of("***").universal
    assert not Glob.of("").universal
    assert not Glob.of("?*").universal


def test_spent_effort_gives_the_careful_answer():
    effort = Effort(steps=30)
    wide, narrow = Glob.of("*a" + "?" * 5), Glob.of("*a" + "?" * 4 + "b")
    assert covers([wide], narrow, Effort())
    assert not covers([wide], narrow, effort)
    assert effort.spent
    assert not covers([Glob.of("*x")], Glob.of("*x"), effort)
    assert not covers([Glob.of("*x")], Glob.of("*x"), Effort(steps=3))
    assert meet(Glob.of("*x"), Glob.of("*y"), effort)


def test_a_pattern_that_would_take_for_ever_does_not():
    effort = Effort()
    assert not covers([Glob.of("*a" + "?" * 60)], Glob.of("*b" + "?" * 30 + "*a" + "?" * 59), effort)
    assert meet(Glob.of("*" + "a*" * 90), Glob.of("*" + "b*" * 90), Effort())


def test_very_long_patterns_are_not_compared():
    long = "*" + "a" * 300
    assert not covered([long], long)
    assert meeting(long, "*b")
    assert covered([long, "*"], long)
