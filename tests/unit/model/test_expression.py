"""Expressions: anchored, without surprises, and never slow."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navicert.errors import Malformed
from navicert.model.expression import MOST_CHARACTERS, Expression

WORKFLOW = r"https://github\.com/acme/[^/]+/\.github/workflows/(build|release)\.yml@refs/(heads/main|tags/v\d+)"


def test_the_whole_text_must_match() -> None:
    expression = Expression.of(WORKFLOW)
    good = "https://github.com/acme/app/.github/workflows/build.yml@refs/heads/main"
    assert expression.matches(good)
    for text in (good + "x", "x" + good, good[1:], good[:-1], good + "\n", "", good.upper()):
        assert not expression.matches(text), text


def test_a_look_alike_is_not_matched_by_an_escaped_dot() -> None:
    assert not Expression.of(r"https://github\.com/acme/.+").matches("https://githubXcom/acme/app")
    assert not Expression.of(r"https://github\.com/acme/.+").matches("https://evil.example/https://github.com/acme/app")


@pytest.mark.parametrize("text", [WORKFLOW, f"^{WORKFLOW}", f"{WORKFLOW}$", f"^{WORKFLOW}$"])
def test_anchors_may_be_written_and_change_nothing(text: str) -> None:
    good = "https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v12"
    assert Expression.of(text).matches(good)
    assert not Expression.of(text).matches(good + "-evil")


@pytest.mark.parametrize("text", [".*", "a*", "a?", "(a|)", "|a", "()", "a{0,3}", "(b*)?"])
def test_an_expression_that_matches_nothing_at_all_is_a_slip(text: str) -> None:
    with pytest.raises(Malformed, match=r"matches the empty text.*\.\+"):
        Expression.of(text)


@pytest.mark.parametrize(
    "text",
    ["", "a" * (MOST_CHARACTERS + 1), "(", ")", "(a", "a)", "*", "+a", "a**", "a+?", "{2}", "a{", "a{x}", "a{3,2}", "}",
     "[", "[]", "[a", "[z-a]", r"[\d-z]", "[a[b]", "]", "a^b", "a$b", r"\1", r"(a)\1", r"\bword", "\\", r"(?i)a",
     "(?=a)", "(?P<n>a)", "((((a{1000}){1000}))){9}", "(" * 40 + "a" + ")" * 40],
)  # fmt: skip
def test_what_is_no_expression_or_cannot_be_followed_in_one_pass_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match="not a usable expression"):
        Expression.of(text)


@pytest.mark.parametrize("text", ["(a+)+b", "(a|a)+b", "(a|aa)+b", "(.+.+.+.+)+b", "(a?){64}a{64}b"])
def test_no_name_makes_an_expression_slow(text: str) -> None:
    # With one attempt after the other each of these would outlast the universe.
    assert not Expression.of(text).matches("a" * 2000)


_ATOMS = st.sampled_from(
    ["a", "b", "/", r"\.", ".", "[ab]", "[^a]", "[a-c/]", r"\d", r"\w", r"\S", r"[\d_]", "1", "[^-]"]
)
_EXPRESSIONS = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda two: f"({two[0]}|{two[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,}", "{0,2}"])).map(
            lambda two: f"(?:{two[0]}){two[1]}"
        ),
    ),
    max_leaves=8,
)


@given(_EXPRESSIONS, st.text("ab/.1c_-\n", max_size=8))
def test_it_means_what_python_means_by_it(text: str, name: str) -> None:
    wanted = re.compile(text, re.ASCII)
    if wanted.fullmatch(""):
        return
    assert Expression.of(text).matches(name) == (wanted.fullmatch(name) is not None)


@given(st.text("ab(|)[]{}*+?.^$\\,-12", max_size=20))
def test_whatever_is_written_is_an_expression_or_refused_as_malformed(text: str) -> None:
    try:
        expression = Expression.of(text)
    except Malformed:
        return
    wanted = re.compile(text, re.ASCII)
    for name in ("a", "b", "ab", "1", "2,", "a-b", "(", "^", "$"):
        assert expression.matches(name) == (wanted.fullmatch(name) is not None), name
