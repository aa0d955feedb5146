"""The grammar of artifact rules. Spec: in-toto v1.0 §4.3.3."""

from __future__ import annotations

import pytest

from navicert.errors import Malformed
from navicert.model.rule import Rule, RuleKind, Side


@pytest.mark.parametrize("kind", ["CREATE", "DELETE", "MODIFY", "ALLOW", "DISALLOW", "REQUIRE"])
def test_a_plain_rule_is_a_keyword_and_a_pattern(kind: str) -> None:
    assert Rule.parse([kind, "a b"]) == Rule(RuleKind(kind), "a b")
    assert Rule.parse([kind.lower(), "A"]) == Rule(RuleKind(kind), "A")
    assert Rule.parse([kind, "x"]).pack() == [kind, "x"]


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ("MATCH p WITH PRODUCTS FROM s", Rule(RuleKind.MATCH, "p", None, None, Side.PRODUCTS, "s")),
        ("match p with materials from S", Rule(RuleKind.MATCH, "p", None, None, Side.MATERIALS, "S")),
        ("MATCH p IN a WITH PRODUCTS FROM s", Rule(RuleKind.MATCH, "p", "a", None, Side.PRODUCTS, "s")),
        ("MATCH p WITH PRODUCTS IN b FROM s", Rule(RuleKind.MATCH, "p", None, "b", Side.PRODUCTS, "s")),
        ("MATCH p in a WITH PRODUCTS in b FROM s", Rule(RuleKind.MATCH, "p", "a", "b", Side.PRODUCTS, "s")),
        # Keywords count where they stand: here they are pattern, prefixes and step.
        (
            "MATCH IN IN WITH WITH PRODUCTS IN FROM FROM FROM",
            Rule(RuleKind.MATCH, "IN", "WITH", "FROM", Side.PRODUCTS, "FROM"),
        ),
    ],
)
def test_a_match_names_pattern_prefixes_side_and_step(words: str, rule: Rule) -> None:
    assert Rule.parse(words.split()) == rule
    assert Rule.parse(rule.pack()) == rule
    assert str(rule) == " ".join(rule.pack())


@pytest.mark.parametrize(
    "words",
    [
        "",
        "CREATE",
        "CREATE a b",
        "ALOW a",
        "MATCH p",
        "MATCH p WITH PRODUCTS FROM",
        "MATCH p WITH PRODUCTS FROM s more",
        "MATCH p WITH PRODUCT FROM s",
        "MATCH p WITH LINKS FROM s",
        "MATCH p AND PRODUCTS FROM s",
        "MATCH p WITH PRODUCTS OF s",
        "MATCH p IN a WITH PRODUCTS OF s",
        "MATCH p ON a WITH PRODUCTS FROM s",
        "MATCH p WITH PRODUCTS ON a FROM s",
        "MATCH p IN a IN b PRODUCTS FROM s",
        "MATCH p IN a AND PRODUCTS FROM s",
        "MATCH p IN a WITH PRODUCTS AND b FROM s",
        "MATCH p IN a WITH PRODUCTS IN b OF s",
        "MATCH p IN a WITH PRODUCTS IN b FROM s t",
        "MATCH p IN a WITH PRODUCTS IN b FROM s t u",
    ],
)
def test_anything_else_is_no_rule(words: str) -> None:
    with pytest.raises(Malformed) as caught:
        Rule.parse(words.split(), "/steps/0/expected_materials/1")
    assert caught.value.pointer == "/steps/0/expected_materials/1"


@pytest.mark.parametrize("value", ["ALLOW *", {"ALLOW": "*"}, None, ["ALLOW", 1], [["ALLOW"], "*"], [None, "*"]])
def test_a_rule_is_an_array_of_strings(value: object) -> None:
    with pytest.raises(Malformed):
        Rule.parse(value)
