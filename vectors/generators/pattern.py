"""Patterns: what the wildcards of rules mean. Implementations have differed here, and an advisory was about it.

Spec: in-toto v1.0 §4.3.3 leaves the patterns to the shell's conventions; what stands here is what the reference
implementation does.
"""

from __future__ import annotations

from vectors.generators.step import judged
from vectors.generators.vector import PASS, Expected, Vector, fails

from navicert.testing import Files

SPEC = "in-toto v1.0 §4.3.3: patterns, as the reference implementation reads them"


def _matched(pattern: str, path: str, attack: str, *, holds: bool, control: str = "") -> Vector:
    """One material under `path`, allowed by `pattern` or by nothing."""
    files: Files = {path: b"content\n"}
    strict: Expected = PASS if holds else fails("rules", "rule.disallow", "no rule allows it")
    rules = [["ALLOW", pattern], ["DISALLOW", "*"]]
    return judged(attack, SPEC, strict, materials=rules, before=files, control=control)


def pattern_star_crosses_folders() -> Vector:
    """A star matches any run of characters, the slash included."""
    return _matched("src/*", "src/a/b.c", "none: src/* means everything below src", holds=True)


def pattern_star_crosses_folders_in_disallow() -> Vector:
    """So it does in a prohibition: DISALLOW *.key also means those in folders."""
    return judged(
        "a secret in a folder that a prohibition was thought not to reach",
        SPEC,
        fails("rules", "rule.disallow", '"deploy/id.key"'),
        materials=["DISALLOW *.key", "ALLOW *", "DISALLOW *"],
        before={"deploy/id.key": b"content\n"},
        control="pattern-star-crosses-folders",
    )


def pattern_star_matches_nothing_too() -> Vector:
    """A star may stand for no character at all."""
    return _matched("app*", "app", "none: a star is any run, the empty one included", holds=True)


def pattern_two_stars() -> Vector:
    """Two stars are two stars: no special meaning, and none needed."""
    return _matched("src/**", "src/a/b.c", "none: ** means the same as *", holds=True)


def pattern_hidden_files() -> Vector:
    """A leading dot is a character like any other."""
    return _matched("*", ".config/token", "none: a star that left out hidden files would let them by", holds=True)


def pattern_line_feed() -> Vector:
    """A star matches a line feed in a name."""
    return _matched("a*b", "a\nb", "none: a star that stopped at the end of a line would let names by", holds=True)


def pattern_question_mark() -> Vector:
    """A question mark is exactly one character."""
    return _matched("app?", "app1", "none: the control of pattern-question-mark-needs-one", holds=True)


def pattern_question_mark_needs_one() -> Vector:
    """None is not one."""
    return _matched(
        "app?", "app", "a wildcard that matches less than it says", holds=False, control="pattern-question-mark"
    )


def pattern_class() -> Vector:
    """One of the characters in brackets."""
    return _matched("app[12]", "app1", "none: the control of pattern-class-of-others", holds=True)


def pattern_class_of_others() -> Vector:
    """3 is not among them."""
    return _matched("app[12]", "app3", "a class that is taken for a wildcard", holds=False, control="pattern-class")


def pattern_class_negated() -> Vector:
    """An exclamation mark negates."""
    return _matched("app[!12]", "app3", "none: the control of pattern-class-with-caret", holds=True)


def pattern_class_with_caret() -> Vector:
    """A caret does not negate: the class holds it, 1 and 2. Another implementation read it as negation, so that one
    layout allowed different files."""
    return _matched(
        "app[^12]",
        "app3",
        "a rule that allows the opposite elsewhere (GHSA-pmwq-pjrm-6p5r)",
        holds=False,
        control="pattern-class-negated",
    )


def pattern_class_with_caret_matches_caret() -> Vector:
    """The same class matches the caret itself."""
    return _matched("app[^12]", "app^", "none: a caret in a class is a character", holds=True)


def pattern_class_never_closed() -> Vector:
    """A bracket without its counterpart is a character."""
    return _matched("app[", "app[", "none: what is no class is literal", holds=True)


def pattern_backslash() -> Vector:
    """A backslash is a character, and quotes nothing."""
    return _matched("a\\*", "a\\b", "none: nothing escapes", holds=True)


def pattern_backslash_escapes_nothing() -> Vector:
    """So a star behind it is still a wildcard, and does not stand for itself."""
    return _matched(
        "a\\*", "a*", "a rule that names one file in one implementation and many in another", holds=False,
        control="pattern-backslash",
    )  # fmt: skip


def pattern_of_another_case() -> Vector:
    """Letters are compared exactly."""
    return _matched(
        "SRC/*", "src/a.c", "a name that differs from the allowed one", holds=False, control="pattern-two-stars"
    )


def pattern_matches_the_whole_name() -> Vector:
    """The pattern is not searched for within the name."""
    return _matched(
        "main.c", "src/main.c", "a name that contains the allowed one", holds=False, control="pattern-two-stars"
    )


def pattern_is_not_put_in_normal_form() -> Vector:
    """The pattern ./src/* matches names that begin so, and no link that counts has one."""
    return _matched("./src/*", "src/a.c", "two spellings of one place", holds=False, control="pattern-two-stars")
