"""Checks of what scripts pass in: what no key id, digest or parameter can be is refused, nothing among it."""

from __future__ import annotations

import pytest

from navicert.compat.shim.in_toto import formats
from navicert.compat.shim.securesystemslib.exceptions import FormatError


@pytest.mark.parametrize("text", ["0", "0123456789abcdefABCDEF"])
def test_digits_are_hexadecimal_in_both_cases(text: str) -> None:
    formats._check_hex(text)
    formats._check_hash_dict({"sha256": text})
    formats._check_hex_list([text, text])


@pytest.mark.parametrize("text", ["", "abg", "ab ", "ab\n", "\uff11", "0x1", None, 1, b"ab", ["a", "b"]])
def test_what_is_not_hexadecimal_is_refused(text: object) -> None:
    for check, value in (
        (formats._check_hex, text),
        (formats._check_hash_dict, {"sha256": text}),
        (formats._check_hex_list, ["ab", text]),
    ):
        with pytest.raises(FormatError):
            check(value)


def test_parameters_have_names_of_letters_digits_and_two_signs() -> None:
    formats._check_parameter_dict({"NAME_of-1": "any value\n", "n": ""})


@pytest.mark.parametrize("name", ["", "a b", "a\n", "{a}", "ä", "a.b", 1, None])
def test_what_no_parameter_is_called_is_refused(name: object) -> None:
    with pytest.raises(FormatError):
        formats._check_parameter_dict({"good": "x", name: "x"})
