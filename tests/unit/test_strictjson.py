"""Strict reading of JSON: what two parsers could understand differently is refused, with the place where it stands."""

from __future__ import annotations

import json
from types import MappingProxyType

import pytest

from navicert.errors import LimitExceeded, Malformed
from navicert.limits import LOCAL, Limits
from navicert.strictjson import canonical, loads, pointer, type_name


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b'{"a": [1, -2, 0.5, true, false, null, "x"]}', {"a": [1, -2, 0.5, True, False, None, "x"]}),
        (b'  "\\ud83d\\ude00"  ', "\U0001f600"),
        ('"é\u2028"'.encode(), "é\u2028"),
        (b"1e3", 1000.0),
        (b"[]", []),
    ],
)
def test_json_is_read(raw: bytes, value: object) -> None:
    assert loads(raw) == value


@pytest.mark.parametrize(
    ("raw", "what", "where"),
    [
        (b'{"a": 1, "a": 2}', 'duplicate key "a"', "/"),
        (b'{"a": 1, "\\u0061": 2}', 'duplicate key "a"', "/"),
        (b'{"x": [{"y": {"a": 1, "b": 2, "a": 3}}]}', 'duplicate key "a"', "/x/0/y"),
        (b'{"a/b": {"~": {"k": 1, "k": 1}}}', 'duplicate key "k"', "/a~1b/~0"),
        (b'{"a": NaN}', "NaN is not JSON", "/a"),
        (b"[1, Infinity]", "Infinity is not JSON", "/1"),
        (b"-Infinity", "-Infinity is not JSON", "/"),
        (b'{"a": 1e999}', "number out of range", "/a"),
        (b"-1e999", "number out of range", "/"),
        (b'{"a": "\\ud800"}', "lone surrogate", "/a"),
        (b'{"a": "\\uDC00\\uD800"}', "lone surrogate", "/a"),
        (b'{"\\udfff": 1}', "lone surrogate in a key", "/"),
        (b'"\\ud800"', "lone surrogate", "/"),
        (b'{"b": {"\\ud800": 1}}', "lone surrogate in a key", "/b"),
        (b'["\\ud83d\\ude00", "\\ud83d"]', "lone surrogate", "/1"),
    ],
)
def test_what_is_ambiguous_is_refused_with_its_pointer(raw: bytes, what: str, where: str) -> None:
    with pytest.raises(Malformed) as caught:
        loads(raw, path="root.layout")
    assert caught.value.what == what
    assert caught.value.pointer == where
    assert caught.value.path == "root.layout"


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"{} {}", "not JSON"),
        (b"{'a': 1}", "not JSON"),
        (b"[1,]", "not JSON"),
        (b"01", "not JSON"),
        (b"\n\n  x", "line 3 column 3"),
        (b'"a\nb"', "not JSON"),
        (b"\xff\xfe{\x00}\x00", "not UTF-8 at byte 0"),
        (b'"abc\xc3"', "not UTF-8 at byte 4"),
        (b'"\xed\xa0\x80"', "not UTF-8"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b"1" * 5000, "number out of range"),
    ],
)
def test_what_is_no_json_is_refused_with_its_place(raw: bytes, what: str) -> None:
    with pytest.raises(Malformed, match=what) as caught:
        loads(raw, path="file")
    assert caught.value.path == "file"


def test_a_document_has_at_most_the_allowed_size() -> None:
    assert loads(b'"12345678"', Limits(document_bytes=10)) == "12345678"
    with pytest.raises(LimitExceeded, match="limit document_bytes") as caught:
        loads(b'"123456789"', Limits(document_bytes=10), path="file")
    assert caught.value.remedy
    assert caught.value.got == "11 bytes"


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'])
@pytest.mark.parametrize("depth", [1_000, 10_000, 100_000, 1_000_000])
def test_nesting_as_deep_as_anybody_likes_is_refused_without_harm(opening: bytes, depth: int) -> None:
    with pytest.raises(Malformed):
        loads(opening * depth)
    closing = {b"[": b"]", b'{"a":': b"}", b'[{"a":': b"}]"}[opening]
    with pytest.raises(LimitExceeded, match="limit json_depth"):
        loads(opening * depth + b"1" + closing * depth)


def test_nesting_up_to_the_limit_is_read() -> None:
    limit = LOCAL.json_depth
    loads(b"[" * limit + b"1" + b"]" * limit)
    with pytest.raises(LimitExceeded) as caught:
        loads(b'{"a":' * limit + b"{}" + b"}" * limit)
    assert caught.value.pointer == "/a" * limit
    assert str(limit) in caught.value.expected


def test_the_first_of_many_keys_that_came_twice_is_named_in_bounds() -> None:
    name = "n" * 100_000
    with pytest.raises(Malformed) as caught:
        loads(json.dumps({name: 1}).encode()[:-1] + b', "' + name.encode() + b'": 2}')
    assert len(caught.value.what) < 200


def test_a_pointer_escapes_what_it_is_made_of() -> None:
    assert pointer("", "a") == "/a"
    assert pointer("/a", 0) == "/a/0"
    assert pointer("/a", "b/~c") == "/a/b~1~0c"


@pytest.mark.parametrize(
    ("value", "name"),
    [({}, "object"), ([], "array"), ("", "string"), (1, "integer"), (1.5, "number"), (True, "boolean"),
     (None, "null"), (b"", "bytes")],
)  # fmt: skip
def test_types_have_the_names_that_json_gives_them(value: object, name: str) -> None:
    assert type_name(value) == name


def test_what_cannot_be_signed_is_named() -> None:
    with pytest.raises(Malformed, match="floats cannot be signed") as caught:
        canonical({"byproducts": {"seconds": 1.5}})
    assert caught.value.got == "1.5"
    with pytest.raises(Malformed, match="a key is not a string"):
        canonical({"a": {1: 2}})
    with pytest.raises(Malformed, match="no canonical JSON form"):
        canonical({"a": object()})
    with pytest.raises(Malformed, match="lone surrogate"):
        canonical(["\ud800"])


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        (1.5, ""),
        ([1, "x", 1.5], "/2"),
        ({"a": {"b": [{"c": 1}, {"c~/": 1.5}]}}, "/a/b/1/c~0~1"),
        ({"a": (1, MappingProxyType({"b": 1.5}))}, "/a/1/b"),
    ],
)
def test_where_a_float_stands_is_said(value: object, pointer: str) -> None:
    with pytest.raises(Malformed, match="floats cannot be signed") as caught:
        canonical(value)
    assert caught.value.pointer == pointer


def test_what_is_nested_beyond_the_stack_cannot_be_signed() -> None:
    value: object = 1
    for _ in range(100_000):
        value = [value]
    with pytest.raises(Malformed, match="no canonical JSON form"):
        canonical(value)
