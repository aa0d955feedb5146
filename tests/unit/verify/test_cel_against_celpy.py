"""Expressions come to what cel-python makes of them, wherever that follows the language definition.

Where it does not, the difference is written down here: whoever raises the version sees which have gone.
"""

from __future__ import annotations

from typing import Any

import celpy
import pytest
from celpy.adapter import json_to_cel
from celpy.celparser import CELParseError
from celpy.evaluation import CELEvalError
from hypothesis import given, settings
from hypothesis import strategies as st

from navicert.verify.cel import read_expression
from navicert.verify.cel_machine import evaluate_expression

PREDICATE: dict[str, Any] = {"a": 1, "b": "text", "l": [3, 1, 2], "m": {"x": 5}, "t": True, "d": 2.5, "e": []}
ENVIRONMENT = celpy.Environment()


def theirs(text: str) -> object:
    """What cel-python makes of it; "error" where it has no value."""
    try:
        program = ENVIRONMENT.program(ENVIRONMENT.compile(text))
        value = program.evaluate({"predicate": json_to_cel(PREDICATE)})
    except (CELEvalError, CELParseError, ValueError):
        return "error"
    if isinstance(value, celpy.celtypes.BoolType):
        return bool(value)
    return value


def ours(text: str) -> object:
    answer = evaluate_expression(read_expression(text), {"predicate": PREDICATE}, steps=100_000)
    return "error" if answer.problem else answer.value


numbers = st.sampled_from(["0", "1", "2", "7", "predicate.a", "predicate.l[0]", "predicate.m.x", "size(predicate.l)"])
texts = st.sampled_from(["'text'", "'te'", "''", "predicate.b"])
sums = st.recursive(
    numbers,
    lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from(["+", "-", "*", "/", "%"]), inner),
    max_leaves=5,
)
tests = st.one_of(
    st.builds("{} {} {}".format, sums, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), sums),
    st.builds("{} {} {}".format, texts, st.sampled_from(["==", "!=", "<", ">="]), texts),
    st.builds("{}.{}({})".format, texts, st.sampled_from(["contains", "startsWith", "endsWith", "matches"]), texts),
    st.builds("predicate.l.{}(x, x {} {})".format, st.sampled_from(["all", "exists"]), st.sampled_from("<>"), sums),
    st.builds("size(predicate.l.filter(x, x > {})) == {}".format, numbers, numbers),
    st.builds("predicate.l.map(x, x * 2)[{}] == {}".format, numbers, numbers),
    st.builds("{} in predicate.l".format, sums),
    st.builds("has(predicate.{})".format, st.sampled_from("abz")),
    st.sampled_from(["true", "false", "predicate.t", "predicate.nope", "predicate.a / 0 == 1"]),
)
expressions = st.recursive(
    tests,
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["&&", "||"]), inner),
        st.builds("!({})".format, inner),
        st.builds("({} ? {} : {})".format, inner, inner, inner),
    ),
    max_leaves=4,
)


@settings(max_examples=300, deadline=None)
@given(expressions)
def test_the_same_value_or_none(text: str) -> None:
    assert ours(text) == theirs(text)


uints = st.sampled_from(
    ["0u", "1u", "7u", "0x1Fu", "18446744073709551615u", "uint(predicate.a)", "uint('12')", "uint(2.9)"]
)
unsigned = st.recursive(
    uints,
    lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from(["+", "-", "*", "/", "%"]), inner),
    max_leaves=4,
)
byted = st.sampled_from(
    ["b'abc'", "b''", r"b'\x41\101'", "bytes('é')", "bytes(predicate.b)", "b'é'", r"br'\n'", 'b"a"']
)
moments = st.builds(
    "timestamp('{}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z')".format,
    st.integers(1000, 9998),
    st.integers(1, 12),
    st.integers(1, 28),
    st.integers(0, 23),
    st.integers(0, 59),
    st.integers(0, 59),
    st.integers(0, 999),
)
spans = st.builds("duration('{}s')".format, st.integers(-100_000, 100_000))
zones = st.sampled_from(["", "'UTC'", "'+02:00'", "'-09:30'", "'+00:00'"])
parts = [
    *("getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear"),
    *("getHours", "getMinutes", "getSeconds", "getMilliseconds"),
]
extended = st.one_of(
    unsigned,
    st.builds("{} {} {}".format, unsigned, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), unsigned),
    st.builds("int({})".format, uints),
    st.builds("double({})".format, uints),
    st.builds("string({})".format, st.one_of(uints, byted)),
    st.builds("{} {} {}".format, byted, st.sampled_from(["==", "!=", "<", ">=", "+"]), byted),
    st.builds("size({})".format, byted),
    st.builds("{}.{}({})".format, moments, st.sampled_from(parts), zones),
    st.builds("{}.{}()".format, spans, st.sampled_from(parts[-4:])),
)


@settings(max_examples=300, deadline=None)
@given(extended)
def test_the_same_of_times_bytes_and_unsigned_numbers(text: str) -> None:
    assert ours(text) == theirs(text)


DIFFERENCES = {
    # What the language definition says, and what the library gives.
    "size(null)": ("error", 0),
    "has(predicate.nope.x)": ("error", False),
    "!has(predicate.nope.x)": ("error", True),
    "[1, 2].filter(x, x) == [1, 2]": ("error", True),
    "[1].exists_one(x, 'yes')": ("error", True),
    "'abc'.all(c, true)": ("error", True),
    "'a' == 1": (False, "error"),
    "1 in ['a']": (False, "error"),
    "1u == 1": (True, "error"),
    "1u + 1": ("error", 2),
    "uint(-0.5)": ("error", 0),
}


@pytest.mark.parametrize("text", DIFFERENCES)
def test_where_they_differ_ours_is_the_definition(text: str) -> None:
    assert (ours(text), theirs(text)) == DIFFERENCES[text]
