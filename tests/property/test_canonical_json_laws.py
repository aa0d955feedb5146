"""Canonical JSON is one form for one value, and strict reading takes one meaning or none.

Spec: in-toto v1.0 §4.1 (OLPC canonical JSON).
"""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from navicert.errors import LimitExceeded, Malformed
from navicert.limits import Limits
from navicert.strictjson import canonical, indented, loads, pointer

# What canonical JSON is made of; text is any Unicode but surrogates, control characters included.
texts = st.text(max_size=6) | st.text(st.sampled_from('\\"/\n\r\t\b\f\x00\x1f\x7f\u2028é\U0001f600u0'), max_size=6)
scalars = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | texts
values = st.recursive(scalars, lambda v: st.lists(v, max_size=4) | st.dictionaries(texts, v, max_size=4), max_leaves=12)


def naive(value: object) -> str:
    """Canonical JSON by the words of its definition, one character at a time."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return '"' + "".join("\\" + c if c in '\\"' else c for c in value) + '"'
    if isinstance(value, list):
        return "[" + ",".join(map(naive, value)) + "]"
    assert isinstance(value, dict)
    # By code points, not by UTF-16 units.
    names = sorted(value, key=lambda name: [ord(c) for c in name])
    return "{" + ",".join(f"{naive(name)}:{naive(value[name])}" for name in names) + "}"


class TestIndented:
    @given(values)
    @example({"a": {"sha256": "ab"}, "b": {"x": 1}, "c": {}, "d": [], "e": [{"f": {"g": "h"}}]})
    def test_is_what_the_standard_library_writes(self, value: object) -> None:
        assert indented(value) == json.dumps(value, indent=1, separators=(",", ": "), sort_keys=True)


class TestCanonical:
    @given(values)
    @example({"\uffff": 1, "\U0001f600": 2})
    @example('\\u0041 \\n "quoted" \\\\')
    def test_is_what_its_definition_says(self, value: object) -> None:
        assert canonical(value) == naive(value).encode()

    @given(values)
    def test_does_not_depend_on_how_the_value_was_written(self, value: object) -> None:
        for written in (json.dumps(value), json.dumps(value, indent=3, ensure_ascii=False), json.dumps(value)[::1]):
            assert canonical(loads(written.encode())) == canonical(value)

    @given(values, values)
    def test_is_the_same_for_the_same_value_only(self, one: object, other: object) -> None:
        # 1 == True in Python and not in JSON.
        same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
        assert (canonical(one) == canonical(other)) == same

    @given(st.dictionaries(texts, scalars, max_size=5), st.randoms(use_true_random=False))
    def test_does_not_depend_on_the_order_of_keys(self, value: dict[str, object], random: object) -> None:
        items = sorted(value.items(), key=lambda _: random.random())  # type: ignore[attr-defined]
        assert canonical(dict(items)) == canonical(value)

    @given(values, st.floats())
    def test_there_is_none_for_a_float_anywhere(self, value: object, number: float) -> None:
        for holder in (number, [value, number], {"a": [number]}, [[{"b": number}]]):
            with pytest.raises(Malformed, match="float"):
                canonical(holder)

    @pytest.mark.parametrize("value", [{1: "a"}, {None: 1}, {"a": {2: 3}}, b"raw", {"a": {1, 2}}, object(), "\ud800"])
    def test_there_is_none_for_what_is_no_json(self, value: object) -> None:
        with pytest.raises(Malformed):
            canonical(value)

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ({"b": 1, "a": 2}, b'{"a":2,"b":1}'),
            ([1, True, None, "é"], '[1,true,null,"é"]'.encode()),
            ("line\nfeed\ttab\x00\x1f", b'"line\nfeed\ttab\x00\x1f"'),
            ('back\\slash "quote"', b'"back\\\\slash \\"quote\\""'),
            ({"\U0001f600": 1, "\uffff": 2}, '{"\uffff":2,"\U0001f600":1}'.encode()),
            ({}, b"{}"),
            ([], b"[]"),
            (-0, b"0"),
            (10**400, b"1" + b"0" * 400),
        ],
    )
    def test_known_answers(self, value: object, expected: bytes) -> None:
        assert canonical(value) == expected

    def test_of_tuples_and_other_mappings_is_that_of_arrays_and_objects(self) -> None:
        from types import MappingProxyType

        assert canonical(MappingProxyType({"a": (1, 2)})) == b'{"a":[1,2]}'


class TestStrictReading:
    @given(values)
    def test_gives_back_what_was_written(self, value: object) -> None:
        assert loads(json.dumps(value).encode()) == value

    @given(st.binary(max_size=40))
    def test_takes_any_bytes_for_json_or_says_that_they_are_none(self, raw: bytes) -> None:
        try:
            value = loads(raw)
        except Malformed:
            return
        assert json.loads(raw) == value

    @given(st.dictionaries(texts, values, min_size=1, max_size=3), st.data())
    def test_refuses_a_key_twice_wherever_it_stands(self, value: dict[str, object], data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(value)))
        twice = json.dumps(value)[:-1] + f", {json.dumps(name)}: 0}}"
        for text in (twice, f"[{twice}]", f'{{"outer": [1, {twice}]}}'):
            with pytest.raises(Malformed, match="duplicate key"):
                loads(text.encode())

    @given(st.integers(1, 40), st.integers(1, 40))
    def test_refuses_nesting_beyond_the_limit_and_no_earlier(self, depth: int, limit: int) -> None:
        raw = b"[" * depth + b"]" * depth
        if depth <= limit:
            loads(raw, Limits(json_depth=limit))
        else:
            with pytest.raises(LimitExceeded, match="json_depth"):
                loads(raw, Limits(json_depth=limit))

    @given(st.lists(texts | st.integers(0, 9), max_size=4))
    def test_a_pointer_names_one_place(self, tokens: list[str | int]) -> None:
        where = ""
        for token in tokens:
            where = pointer(where, token)
        read = [part.replace("~1", "/").replace("~0", "~") for part in where.split("/")[1:]]
        assert read == [str(token) for token in tokens]
