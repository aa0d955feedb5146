"""DER: one encoding for each value, and nothing else is read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navicert.crypto import der
from navicert.errors import Malformed
from navicert.testing.timestamp_authority import integer, octets, oid, sequence, time, tlv


def test_values_are_read_one_after_the_other() -> None:
    reader = der.read_one(sequence(integer(5), octets(b"x"), oid("1.2.840.113549")), "test").elements("test")
    assert reader.next().integer("number") == 5
    assert reader.optional(der.SET) is None
    assert reader.next().octets("bytes") == b"x"
    assert reader.next().oid("name") == "1.2.840.113549"
    reader.end()


@given(st.integers(-(2**300), 2**300))
def test_integers_come_back(value: int) -> None:
    raw = value.to_bytes((value + (value < 0)).bit_length() // 8 + 1, "big", signed=True)
    assert der.read_one(tlv(der.INTEGER, raw), "test").integer("test") == value


@given(st.lists(st.integers(0, 2**40), max_size=10), st.integers(0, 2), st.integers(0, 39))
def test_object_identifiers_come_back(rest: list[int], first: int, second: int) -> None:
    text = ".".join(map(str, (first, second, *rest)))
    assert der.read_one(oid(text), "test").oid("test") == text


@pytest.mark.parametrize(
    "raw",
    ["", "02", "0201", "020500", "028101ff", "02820001ff", "0280ff0000", "0285010000000001", "1f0100", "02010100"],
)
def test_another_encoding_is_refused(raw: str) -> None:
    with pytest.raises(Malformed, match="bad test"):
        der.read_one(bytes.fromhex(raw), "test")


@pytest.mark.parametrize("raw", ["0200", "02020001", "0202ff80", "02" + "41" + "01" * 65, "0401ff"])
def test_integers_have_one_shortest_form(raw: str) -> None:
    with pytest.raises(Malformed, match="bad number"):
        der.read_one(bytes.fromhex(raw), "test").integer("number")


@pytest.mark.parametrize("raw", ["0600", "060180", "06022a80", "06032a8001", "0641" + "2a" * 65, "0621" + "01" * 33])
def test_object_identifiers_have_one_shortest_form(raw: str) -> None:
    with pytest.raises(Malformed, match="bad name"):
        der.read_one(bytes.fromhex(raw), "test").oid("name")


def test_times_are_in_utc_with_or_without_a_fraction() -> None:
    for moment in (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), datetime(2026, 1, 2, 3, 4, 5, 120000, tzinfo=UTC)):
        assert der.read_one(time(moment), "test").time("test") == moment


@pytest.mark.parametrize(
    "text",
    [
        "20260102030405",
        "20260102030405+0100",
        "202601020304Z",
        "20260102030405.Z",
        "20260102030405.10Z",
        "20261302030405Z",
        "20260102030460Z",
        "2026010203040٥Z",
        "",
        "Z",
        "20260102030405.1234567890123Z",
    ],
)
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(Malformed, match="bad moment"):
        der.read_one(tlv(der.GENERALIZED_TIME, text.encode()), "test").time("moment")


def test_text_is_utf8() -> None:
    assert der.read_one(tlv(der.UTF8_STRING, "é".encode()), "test").text("test") == "é"
    with pytest.raises(Malformed, match="UTF-8"):
        der.read_one(tlv(der.UTF8_STRING, b"\xff"), "test").text("test")


@given(st.binary(max_size=64))
def test_whatever_comes_is_read_or_refused_as_malformed(raw: bytes) -> None:
    try:
        element = der.read_one(raw, "test")
    except Malformed:
        return
    assert element.raw == raw
    assert tlv(element.tag, element.content) == raw
