"""Errors: one line that names the thing, where it stands, both sides, and the remedy."""

from __future__ import annotations

import pytest

from navicert.errors import LimitExceeded, Malformed, NavicertError, Refused, Unavailable, VerificationFailed


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "wrong"),
        ({"path": "a.link"}, "a.link: wrong"),
        ({"pointer": "/x"}, "/x: wrong"),
        ({"path": "a.link", "pointer": "/x"}, "a.link: /x: wrong"),
        ({"expected": "1"}, "wrong (expected 1)"),
        ({"got": "2"}, "wrong (got 2)"),
        ({"expected": "1", "got": "2"}, "wrong (expected 1, got 2)"),
        ({"remedy": "try again"}, "wrong – try again"),
        (
            {"path": "p", "pointer": "/x", "expected": "1", "got": "2", "remedy": "r"},
            "p: /x: wrong (expected 1, got 2) – r",
        ),
    ],
)
def test_an_error_says_it_in_one_line(fields: dict[str, str], text: str) -> None:
    error = NavicertError("wrong", **fields)
    assert str(error) == text
    assert error.what == "wrong"


def test_the_more_precise_place_stays() -> None:
    assert NavicertError("wrong").at("outer").path == "outer"
    assert NavicertError("wrong", path="inner").at("outer").path == "inner"


def test_errors_are_grouped_by_whose_fault_it_is() -> None:
    assert issubclass(LimitExceeded, Malformed)
    for kind in (Malformed, Unavailable, Refused, VerificationFailed):
        assert kind.__mro__[1] is NavicertError
