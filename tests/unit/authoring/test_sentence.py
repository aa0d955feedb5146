"""Rules and commands as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navicert.authoring.sentence import parse_command, parse_rule, rule_text
from navicert.errors import Malformed
from navicert.model.rule import Rule, RuleKind, Side


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ALLOW docs/*", ["ALLOW", "docs/*"]),
        ("  allow\tdocs/*  ", ["ALLOW", "docs/*"]),
        ("CREATE 'two words'", ["CREATE", "two words"]),
        ('CREATE "two words"', ["CREATE", "two words"]),
        ("""CREATE "it's" """, ["CREATE", "it's"]),
        ("CREATE it's", ["CREATE", "it's"]),
        ("CREATE a\\b", ["CREATE", "a\\b"]),
        ('CREATE ""', ["CREATE", ""]),
        (
            "match src/* in lib with products in out from build",
            ["MATCH", "src/*", "IN", "lib", "WITH", "PRODUCTS", "IN", "out", "FROM", "build"],
        ),
        (
            'MATCH * WITH MATERIALS FROM "my step"',
            ["MATCH", "*", "WITH", "MATERIALS", "FROM", "my step"],
        ),
    ],
)
def test_a_rule_is_its_words(text, words):
    assert parse_rule(text).pack() == words


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("ALLOW", "a rule of one word.*quote the rule if its pattern has a #"),
        ("", "not an artifact rule"),
        ("PERMIT a", "not an artifact rule"),
        ("ALLOW a b", "ALLOW rule has 3 words"),
        ("ALLOW 'a b", "quotation"),
        ("ALLOW 'a'b", "quotation"),
        ("MATCH a WITH PRODUCT FROM b", "not a MATCH rule"),
        ("MATCH a WITH PRODUCTS", "not a MATCH rule"),
    ],
)
def test_other_texts_are_refused_with_their_place(text, what):
    with pytest.raises(Malformed, match=what) as caught:
        parse_rule(text, "/steps/0")
    assert caught.value.pointer.startswith("/steps/0")


words = st.text("ab */'\"\\#\t[", max_size=6)


@given(words, words | st.none(), words | st.none())
def test_a_rule_written_as_text_is_read_back(pattern, source, dest):
    rule = Rule(RuleKind.MATCH, pattern, source, dest, Side.PRODUCTS, "a step")
    text = rule_text(rule)
    assert text.startswith("[") or parse_rule(text) == rule


def test_a_word_with_both_quotes_is_shown_as_a_list():
    assert rule_text(Rule(RuleKind.ALLOW, "a'\"b c")) == """["ALLOW", "a'\\"b c"]"""


def test_a_command_line_is_split_as_a_shell_splits_it():
    assert parse_command("""docker build -t 'my app' "$X" a\\ b""") == ("docker", "build", "-t", "my app", "$X", "a b")


def test_a_command_whose_quotation_does_not_end_is_refused():
    with pytest.raises(Malformed, match="a quotation in this command does not end"):
        parse_command("echo 'a", "/run")
