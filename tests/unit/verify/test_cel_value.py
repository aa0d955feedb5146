"""What CEL does with values of each kind, at the places where kinds are easily taken for one another."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from navicert.verify.cel import read_expression
from navicert.verify.cel_machine import Answer, evaluate_expression
from navicert.verify.cel_value import CelError, arithmetic, converted, negated

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def ask(text: str, **variables: object) -> Answer:
    return evaluate_expression(read_expression(text), variables, steps=10_000)


def test_a_number_is_negated_as_what_it_is() -> None:
    assert negated(2.5) == -2.5
    assert negated(3) == -3
    for other in (True, "3", None, HOUR):
        with pytest.raises(CelError):
            negated(other)


@pytest.mark.parametrize(
    ("sign", "left", "right", "expected"),
    [
        ("-", 5.5, 2.5, 3.0),
        ("+", 5.5, 2.5, 8.0),
        ("/", 5.0, 2.0, 2.5),
        ("+", "a", "b", "ab"),
        ("+", [1], [2], [1, 2]),
        ("-", NOON, NOON - HOUR, HOUR),
        ("+", NOON, HOUR, NOON + HOUR),
        ("-", NOON, HOUR, NOON - HOUR),
        ("+", HOUR, NOON, NOON + HOUR),
        ("+", HOUR, HOUR, 2 * HOUR),
        ("-", HOUR, HOUR, timedelta(0)),
    ],
)
def test_what_has_a_sum_or_a_difference(sign: str, left: object, right: object, expected: object) -> None:
    assert arithmetic(sign, left, right) == expected


@pytest.mark.parametrize(
    ("sign", "left", "right"),
    [
        ("-", HOUR, NOON),
        ("+", NOON, NOON),
        ("*", HOUR, HOUR),
        ("-", "a", "b"),
        ("-", [1], [1]),
        ("+", 1, 1.0),
        ("+", True, True),
        ("%", 5.0, 2.0),
        ("+", "a", 1),
    ],
)
def test_what_has_none(sign: str, left: object, right: object) -> None:
    with pytest.raises(CelError):
        arithmetic(sign, left, right)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("int", 7, 7),
        ("int", -7.9, -7),
        ("int", "+42", 42),
        ("int", NOON, 1790856000),
        ("double", 7, 7.0),
        ("double", "2.5", 2.5),
        ("double", "1e3", 1000.0),
        ("string", "text", "text"),
        ("string", True, "true"),
        ("string", False, "false"),
        ("string", 7, "7"),
        ("string", 7.0, "7"),
        ("string", 1.5, "1.5"),
        ("string", 2.0**60, repr(2.0**60)),
        ("string", NOON, "2026-10-01T12:00:00Z"),
        ("string", HOUR, "3600s"),
        ("bool", True, True),
        ("bool", "true", True),
        ("bool", "false", False),
        ("timestamp", NOON, NOON),
        ("timestamp", 1790856000, NOON),
        ("timestamp", "2026-10-01T12:00:00Z", NOON),
        ("duration", HOUR, HOUR),
        ("duration", "1h", HOUR),
        ("duration", "-1.5s", timedelta(seconds=-1.5)),
    ],
)
def test_what_a_type_makes_of_a_value(name: str, value: object, expected: object) -> None:
    made = converted(name, value)
    assert made == expected
    assert type(made) is type(expected)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("int", math.inf),
        ("int", math.nan),
        ("int", "4 2"),
        ("int", True),
        ("int", None),
        ("double", "1_0"),
        ("double", " 1"),
        ("double", True),
        ("double", NOON),
        ("string", None),
        ("string", [1]),
        ("bool", 1),
        ("bool", "yes"),
        ("timestamp", 10**17),
        ("timestamp", True),
        ("timestamp", 1.5),
        ("timestamp", "yesterday"),
        ("duration", 3600),
        ("duration", "1 h"),
    ],
)
def test_what_it_makes_nothing_of(name: str, value: object) -> None:
    with pytest.raises(CelError):
        converted(name, value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Text functions take their argument as it is, `matches` alone as an expression.
        ("'abc'.contains('a.c')", False),
        ("'a.c'.contains('.')", True),
        ("'abc'.startsWith('a.')", False),
        ("'abc'.startsWith('bc')", False),
        ("'abc'.startsWith('ab')", True),
        ("'abc'.endsWith('b.')", False),
        ("'abc'.endsWith('ab')", False),
        ("'abc'.endsWith('bc')", True),
        ("'abc'.matches('a.c')", True),
        # Maps are equal where all of their entries are.
        ("{'a': 1} == {'a': 1, 'b': 2}", False),
        ("{'a': 1, 'b': 2} == {'a': 1}", False),
        ("{'a': [1]} == {'a': [1.0]}", True),
        ("{'a': true} == {'a': 1}", False),
        ("[true] == [1]", False),
        ("{'a': 1} == ['a']", False),
        ("['a'] == {'a': 1}", False),
        ("{'a': 1} == 1", False),
        # One operand that decides is enough, and only that one.
        ("false || true", True),
        ("false || false", False),
        ("true && false", False),
    ],
)
def test_texts_maps_and_logic(text: str, expected: bool) -> None:
    answer = ask(text)
    assert answer.problem == ""
    assert answer.value is expected


def test_long_texts_cost_what_their_length_is() -> None:
    short, long = (
        ask("predicate + predicateType", predicate="x", predicateType="y"),
        ask("predicate + predicateType", predicate="x" * 100_000, predicateType="y"),
    )
    assert long.steps > short.steps


def test_brackets_one_after_another_are_not_nested() -> None:
    text = " && ".join(["([1][0] == 1)"] * 150)
    assert ask(text).value is True
