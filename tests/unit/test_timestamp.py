"""Times as in-toto writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from navicert.errors import Malformed
from navicert.timestamp import add_months, after, format_timestamp, parse_rfc3339, parse_timestamp


def moment(*numbers: int) -> datetime:
    return datetime(*numbers, tzinfo=UTC)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-31T23:59:59Z", moment(2026, 1, 31, 23, 59, 59)),
        ("2024-02-29T00:00:00Z", moment(2024, 2, 29)),
        ("0999-12-01T00:00:00Z", moment(999, 12, 1)),
        ("9999-12-31T23:59:59Z", moment(9999, 12, 31, 23, 59, 59)),
    ],
)
def test_a_moment_is_read_and_written(text: str, expected: datetime) -> None:
    assert parse_timestamp(text) == expected
    assert format_timestamp(expected) == text


@pytest.mark.parametrize(
    "text",
    ["", "2026-01-31", "2026-01-31T23:59:59", "2026-01-31t23:59:59z", "2026-01-31 23:59:59Z", "2026-1-31T23:59:59Z",
     "2026-01-31T23:59:59.5Z", "2026-01-31T23:59:59+00:00", "2026-01-31T23:59:59Z ", "2026-01-31T23:59:59Z\n",
     "12026-01-31T23:59:59Z", "２026-01-31T23:59:59Z"],
)  # fmt: skip
def test_any_other_form_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match="not a timestamp"):
        parse_timestamp(text)


@pytest.mark.parametrize(
    "text",
    ["2026-02-29T00:00:00Z", "2026-00-01T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-00T00:00:00Z",
     "2026-04-31T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z",
     "0000-01-01T00:00:00Z"],
)  # fmt: skip
def test_an_impossible_date_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match="not a real date"):
        parse_timestamp(text)


def test_a_moment_elsewhere_is_written_in_utc_and_rounded_down() -> None:
    east = datetime(2026, 1, 1, 1, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=2)))
    assert format_timestamp(east) == "2025-12-31T23:00:00Z"


def test_a_time_without_a_zone_is_no_moment() -> None:
    with pytest.raises(ValueError, match="time zone"):
        format_timestamp(datetime(2026, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        (moment(2026, 1, 31), 1, moment(2026, 2, 28)),
        (moment(2024, 1, 31), 1, moment(2024, 2, 29)),
        (moment(2026, 11, 30), 3, moment(2027, 2, 28)),
        (moment(2026, 12, 1), 1, moment(2027, 1, 1)),
        (moment(2026, 1, 1), -1, moment(2025, 12, 1)),
        (moment(2026, 5, 5, 6, 7, 8), 0, moment(2026, 5, 5, 6, 7, 8)),
    ],
)
def test_months_are_those_of_the_calendar(start: datetime, months: int, end: datetime) -> None:
    assert add_months(start, months) == end


def test_a_span_adds_days_months_and_years() -> None:
    assert after(moment(2024, 2, 29), years=1) == moment(2025, 2, 28)
    assert after(moment(2026, 1, 31), days=1, months=1) == moment(2026, 3, 1)
    assert after(moment(2026, 1, 1)) == moment(2026, 1, 1)


@pytest.mark.parametrize("span", [{"years": 9000}, {"months": -12 * 2027}, {"days": 10**7}, {"days": -(10**7)}])
def test_a_date_that_the_calendar_does_not_have_is_refused(span: dict[str, int]) -> None:
    with pytest.raises(Malformed, match="date out of range"):
        after(moment(2026, 1, 1), **span)


def test_a_number_of_days_beyond_all_bounds_is_refused() -> None:
    with pytest.raises(Malformed, match="date out of range"):
        after(moment(2026, 1, 1), days=10**12)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2021-08-06T17:45:50Z", moment(2021, 8, 6, 17, 45, 50)),
        ("2021-08-06T17:45:50.52Z", moment(2021, 8, 6, 17, 45, 50, 520000)),
        ("2021-08-06T17:45:50.123456789Z", moment(2021, 8, 6, 17, 45, 50, 123456)),
        ("2021-08-06t17:45:50z", moment(2021, 8, 6, 17, 45, 50)),
        ("2021-08-06 17:45:50+00:00", moment(2021, 8, 6, 17, 45, 50)),
        ("2021-08-06T17:45:50.5+02:30", moment(2021, 8, 6, 15, 15, 50, 500000)),
        ("2021-12-31T23:45:50-01:00", moment(2022, 1, 1, 0, 45, 50)),
    ],
)
def test_a_moment_of_another_program_is_read(text: str, expected: datetime) -> None:
    assert parse_rfc3339(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "2021-08-06", "2021-08-06T17:45:50", "2021-08-06T17:45Z", "2021-08-06T17:45:50.Z", "2021-08-06T17:45:50+0100",
     "2021-08-06T17:45:50Z\n", "2021-02-30T00:00:00Z", "2021-08-06T24:00:00Z", "2021-08-06T17:45:50+25:00",
     "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+23:00", "20２1-08-06T17:45:50Z", "20210806T174550Z"],
)  # fmt: skip
def test_what_is_no_moment_of_rfc_3339_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        parse_rfc3339(text)
