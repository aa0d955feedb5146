"""What CEL reads from times: parts in a time zone, units of durations, and what is no time or zone at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from navicert.verify.cel_time import part_of
from navicert.verify.cel_value import CelError

AT = datetime(2026, 11, 30, 23, 30, 5, 678_900, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "day", "hour", "minute"),
    [
        (None, 30, 23, 30),
        ("UTC", 30, 23, 30),
        ("Z", 30, 23, 30),
        ("+02:00", 1, 1, 30),
        ("02:00", 1, 1, 30),
        ("-9:45", 30, 13, 45),
        ("+23:59", 1, 23, 29),
    ],
)
def test_a_part_is_that_of_the_zone(zone: object, day: int, hour: int, minute: int) -> None:
    assert [part_of(name, AT, zone) for name in ("getDate", "getHours", "getMinutes")] == [day, hour, minute]


@pytest.mark.parametrize("zone", ["Europe/Paris", "", "+2", "+24:00", "+02:60", "+02:00 ", "++2:00", "+02:00:00"])
def test_what_is_no_zone_is_an_error_and_not_utc(zone: str) -> None:
    with pytest.raises(CelError, match="no time zone"):
        part_of("getHours", AT, zone)


@pytest.mark.parametrize("zone", [2, True, timedelta(hours=2), b"UTC", []])
def test_a_zone_is_text(zone: object) -> None:
    with pytest.raises(CelError, match=r"time zone of .*, where it is text"):
        part_of("getHours", AT, zone)


def test_a_duration_is_counted_in_whole_units_towards_zero() -> None:
    span = timedelta(hours=1, seconds=59, milliseconds=999)
    names = ("getHours", "getMinutes", "getSeconds", "getMilliseconds")
    assert [part_of(name, span) for name in names] == [1, 60, 3659, 3_659_999]
    assert [part_of(name, -span) for name in names] == [-1, -60, -3659, -3_659_999]


@pytest.mark.parametrize("value", ["2026-11-30T23:30:05Z", 5, None, {}])
def test_what_is_no_time_has_no_parts(value: object) -> None:
    with pytest.raises(CelError, match=r"^getHours of [a-z_ ]+$"):
        part_of("getHours", value)


def test_a_duration_has_no_zone_and_no_date() -> None:
    with pytest.raises(CelError, match="in a time zone"):
        part_of("getHours", timedelta(hours=1), "UTC")
    with pytest.raises(CelError, match=r"^getDate of "):
        part_of("getDate", timedelta(hours=1))


def test_a_time_beyond_all_calendars_is_an_error() -> None:
    with pytest.raises(CelError, match="beyond all calendars"):
        part_of("getFullYear", datetime.max.replace(tzinfo=UTC), "+23:59")
