"""Reading one field: the value in its type, or a refusal that names where it stands."""

from __future__ import annotations

import pytest

from navicert.errors import LimitExceeded, Malformed
from navicert.limits import LOCAL
from navicert.model.field import (
    as_integer,
    as_keyid,
    as_list,
    as_name,
    as_object,
    as_text,
    as_texts,
    required,
    unknown,
)


@pytest.mark.parametrize(
    ("read", "good", "bad"),
    [
        (as_object, {"a": 1}, [[], "a", None, 1, True]),
        (as_list, [1, 2], [{}, "ab", (1, 2), None]),
        (as_text, "text", [b"text", 1, None, ["a"]]),
        (as_integer, 7, [True, False, 7.0, "7", None]),
    ],
)
def test_a_value_has_its_type_or_is_refused_with_its_pointer(read, good, bad) -> None:
    assert read(good, "/here") == good
    for value in bad:
        with pytest.raises(Malformed, match="wrong type") as caught:
            read(value, "/here")
        assert caught.value.pointer == "/here"
        assert caught.value.expected
        assert caught.value.got


def test_the_root_has_a_pointer_too() -> None:
    with pytest.raises(Malformed) as caught:
        as_object([], "")
    assert caught.value.pointer == "/"


def test_an_array_has_at_most_as_many_elements_as_allowed() -> None:
    assert as_list([1, 2], "", most=2) == [1, 2]
    with pytest.raises(LimitExceeded):
        as_list([1, 2, 3], "", most=2)
    with pytest.raises(LimitExceeded):
        as_texts(["a", "b"], "", most=1)


def test_a_string_is_bounded() -> None:
    assert as_text("x" * LOCAL.string, "")
    with pytest.raises(LimitExceeded, match="limit string"):
        as_text("x" * (LOCAL.string + 1), "")


def test_an_array_of_strings_names_the_element_that_is_none() -> None:
    assert as_texts(["a", "b"], "/run") == ("a", "b")
    with pytest.raises(Malformed) as caught:
        as_texts(["a", 1], "/run")
    assert caught.value.pointer == "/run/1"


def test_a_missing_field_is_never_a_default() -> None:
    assert required({"a": None}, "a", "") is None
    with pytest.raises(Malformed, match='required field "a" is missing'):
        required({}, "a", "")


@pytest.mark.parametrize("name", ["build", "build image", "ünicode", "a.b", "x" * 200, "-", "[x]"])
def test_a_usable_name_is_taken(name: str) -> None:
    assert as_name(name, "/name") == name


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".hidden", "a/b", "../a", "/a", "a\\b", "a\x00b", "a\nb", "a\x7fb", "\x1b[31m", "x" * 201]
)
def test_a_name_that_would_leave_its_folder_or_its_line_is_refused(name: str) -> None:
    with pytest.raises(Malformed, match="not a usable name") as caught:
        as_name(name, "/name")
    assert caught.value.pointer == "/name"


@pytest.mark.parametrize("keyid", ["0123abcd", "0" * 64, "ABCDEF01"])
def test_a_key_id_is_hexadecimal(keyid: str) -> None:
    assert as_keyid(keyid, "") == keyid


@pytest.mark.parametrize("keyid", ["", "0123abc", "0123abcg", "../01234567", "0" * 257, "0123 abcd", "0123abcd\n"])
def test_anything_else_is_no_key_id(keyid: str) -> None:
    with pytest.raises(Malformed, match="not a key id"):
        as_keyid(keyid, "/keyid")


def test_unknown_fields_are_kept() -> None:
    assert unknown({"a": 1, "b": 2}, frozenset("a")) == {"b": 2}
    assert unknown({"a": 1}, frozenset("ab")) == {}
