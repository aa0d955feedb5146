"""Expressions of CEL mean what the language definition says, sentence by sentence.

Spec: google/cel-spec doc/langdef.md; each group names its section.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from navicert.errors import LimitExceeded, Malformed, Unavailable
from navicert.limits import Limits
from navicert.verify import cel
from navicert.verify.cel import read_expression
from navicert.verify.cel_machine import Answer, evaluate_expression

NOW = datetime(2026, 10, 1, 12, tzinfo=UTC)
PREDICATE = {
    "result": "PASSED",
    "none": None,
    "flag": True,
    "list": [1, 2, 3],
    "mixed": [1, "a", None, 2.5],
    "map": {"a": 1, "b": {"c": 2}},
    "text": "naïve ☃",
    "big": 2**63,
    "score": 9.8,
    "empty": [],
}


def ask(text: str, steps: int = 10_000, **more: object) -> Answer:
    variables = {"predicate": PREDICATE, "predicateType": "t", "subject": [], "parameters": {}, "now": NOW} | more
    return evaluate_expression(read_expression(text), variables, steps=steps)


VALUES = {
    # Values, "Numeric Values": 64-bit integers, doubles
    "1 + 2 * 3": 7,
    "(1 + 2) * 3": 9,
    "7 / 2": 3,
    "-7 / 2": -3,
    "7 % -3": 1,
    "-7 % 3": -1,
    "0x1F": 31,
    "-0x1F": -31,
    "1 - 1": 0,
    "1-1": 0,
    "- 9223372036854775807 - 1": -(2**63),
    "-9223372036854775808": -(2**63),
    "1.5 + 1.5": 3.0,
    "1.0 / 0.0": math.inf,
    "-1.0 / 0.0": -math.inf,
    "2.5 * 2.0": 5.0,
    "1e3": 1000.0,
    "-(-3)": 3,
    # "Equality" and "Ordering": numbers compare across kinds, other kinds are unequal
    "1 == 1.0": True,
    "1 == 1.5": False,
    "1 < 1.5": True,
    "2.0 >= 2": True,
    "'1' == 1": False,
    "'1' != 1": True,
    "true == 1": False,
    "false == 0": False,
    "null == null": True,
    "predicate.none == null": True,
    "predicate.none == false": False,
    "[1, 2] == [1, 2]": True,
    "[1, 2] == [2, 1]": False,
    "[1] == [1.0]": True,
    "[] == [[]]": False,
    "{'a': 1, 'b': 2} == {'b': 2, 'a': 1}": True,
    "{'a': 1} == {'a': '1'}": False,
    "{'a': 1} == {'b': 1}": False,
    "'a' < 'b'": True,
    "'Z' < 'a'": True,
    "false < true": True,
    "predicate.big == 9223372036854775807": False,
    # "Logical Operators": commutative, errors settle nothing that is settled without them
    "true || 1 / 0 == 1": True,
    "1 / 0 == 1 || true": True,
    "false && 1 / 0 == 1": False,
    "1 / 0 == 1 && false": False,
    "predicate.nope || true": True,
    "'text' || true": True,
    "1 && false": False,
    "true && true && true": True,
    "true || false && false": True,
    "!true || true": True,
    "!!true": True,
    "true ? 1 : 1 / 0": 1,
    "false ? 1 / 0 : 2": 2,
    "false ? 1 : true ? 2 : 3": 2,
    # "Macros"
    "has(predicate.result)": True,
    "has(predicate.none)": True,
    "has(predicate.nope)": False,
    "has(predicate.map.b.c)": True,
    "predicate.list.all(x, x > 0)": True,
    "predicate.list.all(x, x > 1)": False,
    "predicate.empty.all(x, x > 1)": True,
    "predicate.list.exists(x, x == 2)": True,
    "predicate.empty.exists(x, true)": False,
    "predicate.list.exists_one(x, x > 2)": True,
    "predicate.list.exists_one(x, x > 1)": False,
    "predicate.list.filter(x, x > 1)": [2, 3],
    "predicate.list.map(x, x * 2)": [2, 4, 6],
    "predicate.list.map(x, x > 1, x * 2)": [4, 6],
    "predicate.mixed.exists(x, x > 2.0)": True,
    "predicate.mixed.all(x, x > 1000)": False,
    "predicate.map.all(k, k < 'c')": True,
    "predicate.map.exists(k, k == 'b')": True,
    "predicate.map.map(k, k)": ["a", "b"],
    "[1].exists(predicate, predicate == 1)": True,
    "[[1, 2], [3]].exists(l, l.exists(x, x == 3))": True,
    "[1, 2].map(x, [x].map(x, x + 10)[0] + x)": [12, 14],
    # "Field Selection", indices
    "predicate.map.b.c": 2,
    "predicate['map']['a']": 1,
    "predicate.list[2]": 3,
    "{'a': {'b': 7}}.a.b": 7,
    "[[1], [2]][1][0]": 2,
    "{} == {}": True,
    "size({})": 0,
    # standard definitions
    "2 in predicate.list": True,
    "2.0 in predicate.list": True,
    "'x' in predicate.list": False,
    "'a' in predicate.map": True,
    "1 in predicate.map": False,
    "size(predicate.text)": 7,
    "predicate.text.size()": 7,
    "size(predicate.list)": 3,
    "size(predicate.map)": 2,
    "size('')": 0,
    "'abc'.contains('b')": True,
    "'abc'.startsWith('ab')": True,
    "'abc'.endsWith('ab')": False,
    "'abc'.matches('^a.c$')": True,
    "'xabcx'.matches('b')": True,
    "matches('abc', '[0-9]')": False,
    "'a' + 'b'": "ab",
    "[1] + [2]": [1, 2],
    "int('-12')": -12,
    "int(2.9)": 2,
    "int(-2.9)": -2,
    "int(timestamp('1970-01-01T00:01:00Z'))": 60,
    "double('1.5')": 1.5,
    "double(3)": 3.0,
    "string(12)": "12",
    "string(true)": "true",
    "string(1.5)": "1.5",
    "string(timestamp('2026-01-02T03:04:05Z'))": "2026-01-02T03:04:05Z",
    "bool('true')": True,
    "bool('FALSE')": False,
    "dyn(1) + 1": 2,
    # timestamps and durations
    "timestamp('2026-10-01T12:00:00Z') == now": True,
    "timestamp('2026-10-01T14:00:00+02:00') == now": True,
    "now - timestamp('2026-10-01T00:00:00Z')": timedelta(hours=12),
    "now - duration('1h30m') < now": True,
    "duration('90m') == duration('1h30m')": True,
    "duration('1.5s') + duration('500ms')": timedelta(seconds=2),
    "duration('-1h') < duration('0')": True,
    "string(duration('90s'))": "90s",
    # "String and Bytes Values": escapes, raw, triple quotes
    r"'\u0041\x42\103\n\t\"\\'": 'ABC\n\t"\\',
    r"r'\d+'": r"\d+",
    '"""a"b"""': 'a"b',
    "'''it's'''": "it's",
    r"'\U0001F600'": "\U0001f600",
    "predicate.text == 'naïve ☃'": True,
    # comments and space
    "1 + // one\n 2": 3,
}


@pytest.mark.parametrize(("text", "value"), VALUES.items(), ids=VALUES)
def test_value(text: str, value: object) -> None:
    answer = ask(text)
    assert answer.problem == ""
    assert answer.value == value
    assert type(answer.value) is type(value)


ERRORS = {
    # overflow and division
    "9223372036854775807 + 1": "64 bits",
    "-9223372036854775808 - 1": "64 bits",
    "-(-9223372036854775808)": "64 bits",
    "9223372036854775807 * 2": "64 bits",
    "-9223372036854775808 / -1": "64 bits",
    "predicate.big + 1": "64 bits",
    "1 / 0": "division by zero",
    "1 % 0": "division by zero",
    # no overload
    "1 + 1.0": "+ of a number and a number",
    "1 + 'a'": "+ of",
    "1.5 % 1.0": "% of",
    "'a' - 'b'": "- of",
    "-'a'": "- of text",
    "-true": "- of a truth value",
    "true + true": "+ of",
    "'a' < 1": "cannot be compared",
    "true < 1": "cannot be compared",
    "null < null": "cannot be compared",
    "[1] < [2]": "cannot be compared",
    "!1": "neither true nor false",
    "!null": "neither true nor false",
    "1 ? 2 : 3": "neither true nor false",
    "null ? 2 : 3": "neither true nor false",
    "1 && true": "neither true nor false",
    "false || 'x'": "neither true nor false",
    "size(1)": "size of a number",
    "size(null)": "size of null",
    "size(predicate.none) == 0": "size of null",
    "'a'.contains(1)": "contains of",
    "predicate.none.startsWith('a')": "startsWith of null",
    "'a'.matches('(')": "not a regular expression",
    "1 in 'abc'": "neither a list nor a map",
    "'a' in 'abc'": "neither a list nor a map",
    "1 in null": "neither a list nor a map",
    # macros take lists and maps, and truth values
    "'abc'.all(c, true)": "neither a list nor a map",
    "predicate.none.exists(x, true)": "neither a list nor a map",
    "[1, 2].filter(x, x)": "neither true nor false",
    "[1].exists_one(x, 'yes')": "neither true nor false",
    "[1].all(x, x)": "neither true nor false",
    "predicate.mixed.all(x, x < 1000)": "cannot be compared",
    "predicate.mixed.exists(x, x > 1000)": "cannot be compared",
    # errors in what is settled by nothing
    "1 / 0 == 1 || false": "division by zero",
    "1 / 0 == 1 && true": "division by zero",
    # selection
    "predicate.list.first": "has no fields",
    "predicate.none.x": "has no fields",
    "has(predicate.none.x)": "has no fields",
    "has(predicate.result.x)": "has no fields",
    "predicate.list[3]": "index 3 of a list of 3",
    "predicate.list[-1]": "index -1",
    "predicate.list['0']": "index text",
    "predicate.list[1.0]": "index a number",
    "predicate.list[true]": "index a truth value",
    "predicate.map[1]": "keys are strings",
    "{'a': 1, 'a': 2}": "twice",
    "{1: 2}": "key of a number",
    # conversions
    "int('x')": "int of text",
    "int('')": "int of text",
    "int('1_000')": "int of text",
    "int(1e300)": "64 bits",
    "int(null)": "int of null",
    "double('x')": "double of text",
    "double(' 1')": "double of text",
    "bool('yes')": "bool of text",
    "bool(1)": "bool of a number",
    "string(null)": "string of null",
    "timestamp('2026-01-01')": "timestamp of text",
    "timestamp('2026-02-30T00:00:00Z')": "timestamp of text",
    "duration('1 day')": "duration of text",
    "duration('')": "duration of text",
    "now + now": "+ of a time and a time",
    "now - 1": "- of",
    "now + duration('999999999h')": "ten thousand years",
}


@pytest.mark.parametrize(("text", "problem"), ERRORS.items(), ids=ERRORS)
def test_error(text: str, problem: str) -> None:
    answer = ask(text)
    assert problem in answer.problem
    assert answer.value is None
    assert not answer.absent


@pytest.mark.parametrize(
    "text",
    ["predicate.nope", "predicate.map.b.nope", "predicate['nope']", "has(predicate.nope.x)", "!has(predicate.nope.x)"],
)
def test_a_claim_that_is_absent_is_told_from_other_errors(text: str) -> None:
    answer = ask(text)
    assert answer.absent
    assert answer.problem.replace('"', "") == "there is no nope"


REFUSED = {
    "": "not an expression",
    "1 +": "not an expression",
    "a b": "not an expression",
    "nope": "no variable nope",
    "x > 1": "no variable x",
    "[1].all(x, y)": "no variable y",
    "[1].all(x, x > 0) && x": "no variable x",
    "nope(1)": "no function nope",
    "predicate.nope()": "no function nope",
    "now.getYear()": "no function getYear",
    "size(1, 2)": "size with 2",
    "size()": "size with 0",
    "contains('a', 'b')": "contains is a method",
    "'1'.int()": "int is no method",
    "has(1)": "has asks for a field",
    "has(predicate)": "has asks for a field",
    "has(predicate['a'])": "has asks for a field",
    "[1].all(x)": "takes a variable",
    "[1].all(1, true)": "name of a variable",
    "[1].map(a.b, true)": "no variable a",
    "predicate.list.reduce(now, now, 0, now)": "no function reduce",
    "predicate.list.min()": "no function min",
    "-1u": "unsigned integer below zero",
    "18446744073709551616u": "unsigned integer below zero or of more than 64 bits",
    r"b'\u00e9'": "a character by its number in bytes",
    r"b'\q'": "escapes nothing",
    "getFullYear(now)": "is a method",
    "uint.x": "no variable",
    "predicate{a: 1}": "messages are not known",
    ".predicate": "names of packages",
    "1 < 2 < 3": "two comparisons",
    "1 == 1 == true": "two comparisons",
    "9223372036854775808": "more than 64 bits",
    r"'\q'": "escapes nothing",
    r"'\ud800'": "lone surrogate",
    r"'\U00110000'": "no such character",
}


@pytest.mark.parametrize(("text", "problem"), REFUSED.items(), ids=REFUSED)
def test_refused_when_it_is_read(text: str, problem: str) -> None:
    with pytest.raises(Malformed, match=problem):
        read_expression(text)


class TestBounds:
    def test_bytes(self) -> None:
        assert ask("'" + "é" * 2000 + "' != ''").value
        with pytest.raises(LimitExceeded, match="cel_bytes"):
            read_expression("'" + "é" * 2100 + "' != ''")

    @pytest.mark.parametrize(
        "text", ["(" * 49 + "1" + ")" * 49, "[" * 49 + "]" * 49, "-" * 60 + "1", "!" * 3000 + "true"]
    )
    def test_depth(self, text: str) -> None:
        with pytest.raises(LimitExceeded, match="cel_depth"):
            read_expression(text)

    def test_a_chain_is_not_deep(self) -> None:
        assert ask("true" + " && true" * 400).value
        assert ask("1" + " + 1" * 900).value == 901
        assert ask("predicate" + ".a" * 900).absent

    def test_steps(self) -> None:
        answer = ask("predicate.list.all(x, x > 0)", steps=10)
        assert "limit cel_steps" in answer.problem
        assert answer.steps == 10
        assert ask("predicate.list.all(x, x > 0)", steps=20).value is True

    @pytest.mark.parametrize(
        "text",
        [
            "subject.all(a, subject.all(b, true))",
            "subject.map(a, subject).all(b, b == subject)",
            "subject.all(x, subject == subject)",
            "subject.exists(x, 9 in subject)",
            "subject.all(x, size(subject + subject) > 0)",
            "subject.exists(x, subject.filter(y, false) == [1])",
            "subject.exists(x, predicateType.contains('b'))",
            "subject.exists(x, predicateType < predicateType)",
            "subject.exists(x, predicateType != predicateType)",
            "subject.exists(x, predicateType + predicateType == '')",
            "subject.exists(x, predicateType.matches('b'))",
            "subject.exists(x, string(predicateType) == '')",
        ],
    )
    def test_all_work_is_counted(self, text: str) -> None:
        answer = ask(text, steps=5_000, subject=[0] * 1000, predicateType="a" * 100_000)
        assert "limit cel_steps" in answer.problem

    def test_running_out_is_settled_by_nothing(self) -> None:
        endless = "predicate.l.all(a, predicate.l.all(b, true))"
        for text in (f"{endless} || true", f"!{endless} && false", f"[1, 2].exists(x, {endless} || x == 2)"):
            answer = ask(text, steps=500, predicate={"l": [0] * 1000})
            assert "limit cel_steps" in answer.problem

    def test_a_macro_leaves_no_variable_behind(self) -> None:
        assert ask("predicate.list.exists(now, now > 1) && now > timestamp('2000-01-01T00:00:00Z')").value is True
        assert ask("([1].all(now, now / 0 == 1) || true) && now > timestamp('2000-01-01T00:00:00Z')").value is True


def test_without_cel_python_nothing_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "celpy.celparser", None)
    with pytest.raises(Unavailable, match="cel-python is not installed"):
        cel.read_expression("true")


def test_the_limits_of_the_caller_count() -> None:
    with pytest.raises(LimitExceeded):
        read_expression("1 + 1", Limits(cel_bytes=3))
    with pytest.raises(LimitExceeded):
        read_expression("((1))", Limits(cel_depth=1))
