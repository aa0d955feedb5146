"""The survey by which a quick parser's result is checked."""

from __future__ import annotations

import pytest

from navicert.survey import Survey, strings_in, survey


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a", Survey(1, 0, False, False)),
        (1, Survey(0, 0, False, False)),
        ({}, Survey(0, 1, False, False)),
        ({"a": "b"}, Survey(2, 1, False, False)),
        ([{"a": "b"}, {"c": ["d", None, True]}], Survey(4, 3, False, False)),
        ([1.5, "a"], Survey(1, 1, True, False)),
        ({"a": 1.5, "b": {"c": 2.5}}, Survey(3, 2, True, False)),
        ([[["x"] * 40] * 40], Survey(1600, 3, False, False)),
        ({str(n): {"sha256": "0"} for n in range(40)}, Survey(120, 2, False, False)),
        ([*({str(n): "x"} for n in range(40)), "y", 1], Survey(81, 2, False, False)),
    ],
)
def test_strings_levels_and_floats_are_counted(value, expected):
    assert survey(value, 10) == expected


@pytest.mark.parametrize(
    "value", [2.0**63, -(2.0**63), float("nan"), float("inf"), b"a", (1,), {1: "a"}, {"a": {None: 1}}, [{"a": {1, 2}}]]
)
def test_what_no_json_text_stands_for_is_odd(value):
    assert survey(value, 10).odd
    assert survey([value, {"a": 1.5}], 10).odd


@pytest.mark.parametrize("levels", [3, 4, 50])
def test_what_is_nested_more_deeply_is_not_looked_at(levels):
    value: object = ["below"]
    for _ in range(levels - 1):
        value = [value]
    found = survey(value, 2)
    assert (found.depth, found.strings) == (3, 0)


@pytest.mark.parametrize(
    ("text", "count"), [(rb'{"a": "b"}', 2), (rb'["\""]', 1), (rb'["\\"]', 1), (rb'["\\\"", "\\\\"]', 2), (b"[]", 0)]
)
def test_quotes_that_nothing_escapes_are_counted(text, count):
    assert strings_in(text) == count
