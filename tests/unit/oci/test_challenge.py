"""What a 401 asks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navicert.oci.challenge import Challenge, parse_challenges

BEARER = {"realm": "https://auth.example/token", "service": "r.example", "scope": "repository:a:pull,push"}


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ('Bearer realm="https://auth.example/token",service="r.example",scope="repository:a:pull,push"',
         [Challenge("bearer", BEARER)]),
        ('Bearer realm = "https://auth.example/token" , service=r.example, scope="repository:a:pull,push"',
         [Challenge("bearer", BEARER)]),
        ('BEARER Realm="x"', [Challenge("bearer", {"realm": "x"})]),
        ('Basic realm="a \\"quoted\\" one"', [Challenge("basic", {"realm": 'a "quoted" one'})]),
        ("Basic", [Challenge("basic")]),
        ('Negotiate, Basic realm="x", Bearer realm="y"',
         [Challenge("negotiate"), Challenge("basic", {"realm": "x"}), Challenge("bearer", {"realm": "y"})]),
        ('Bearer realm="first",realm="second"', [Challenge("bearer", {"realm": "first"})]),
        ("", []),
        (",,,", []),
        ('Bearer realm="open', [Challenge("bearer")]),
        ('Bearer realm="line\nend"', [Challenge("bearer")]),
    ],
)  # fmt: skip
def test_challenges_are_read(header: str, found: list[Challenge]):
    assert parse_challenges(header)[: len(found)] == found
    assert bool(parse_challenges(header)) is bool(found)


@given(st.text(alphabet='Bear realm="\\,;x \t', max_size=200))
def test_any_header_is_read_to_an_end(header: str):
    assert len(parse_challenges(header)) <= len(header)


def test_a_long_header_is_cut():
    assert len(parse_challenges("Basic, " * 100_000)) < 5000
