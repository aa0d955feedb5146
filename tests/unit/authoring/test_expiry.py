"""An expiry is a moment, a day, or a calendar span from the signing on."""

from datetime import UTC, datetime

import pytest

from navicert.authoring.expiry import Expiry
from navicert.errors import Malformed
from navicert.timestamp import format_timestamp

NOW = datetime(2027, 1, 31, 12, 0, 0, 999, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2031-05-01T01:02:03Z", "2031-05-01T01:02:03Z"),
        ("2031-05-01", "2031-05-01T00:00:00Z"),
        ("90 days", "2027-05-01T12:00:00Z"),
        ("1 day", "2027-02-01T12:00:00Z"),
        ("2 weeks", "2027-02-14T12:00:00Z"),
        ("1 month", "2027-02-28T12:00:00Z"),
        ("6 months", "2027-07-31T12:00:00Z"),
        ("6months", "2027-07-31T12:00:00Z"),
        ("1 Year", "2028-01-31T12:00:00Z"),
        ("1 year 6 months", "2028-07-31T12:00:00Z"),
        ("1 year, 6 months, 2 days", "2028-08-02T12:00:00Z"),
        (" 1 year ", "2028-01-31T12:00:00Z"),
    ],
)
def test_the_moment_that_is_meant(text, moment):
    assert format_timestamp(Expiry.parse(text).at(NOW)) == moment


@pytest.mark.parametrize(
    "text",
    [
        "", "soon", "6", "months", "-1 day", "1.5 years", "6 minutes", "1 year6 months", "6 months and 1 day",
        "٦ months", "2031-05", "2031-05-01 00:00", "2031-05-01T00:00:00+02:00", "2031-02-30",
        "2031-05-01T25:00:00Z", "999999 days",
    ],
)  # fmt: skip
def test_other_forms_and_impossible_dates_are_refused(text):
    with pytest.raises(Malformed):
        Expiry.parse(text)


@pytest.mark.parametrize("text", ["0 days", "0 years 0 months"])
def test_a_layout_that_expires_at_once_is_refused(text):
    with pytest.raises(Malformed, match="expires at once"):
        Expiry.parse(text)


def test_a_span_beyond_the_calendar_is_refused():
    with pytest.raises(Malformed, match="date out of range"):
        Expiry.parse("9000 years").at(NOW)
    with pytest.raises(Malformed, match="date out of range"):
        Expiry.parse("7970 years 99999 days").at(NOW)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("18 months", "1 year 6 months"),
        ("2 weeks", "14 days"),
        ("24 months 1 day", "2 years 1 day"),
        ("2031-05-01", "2031-05-01T00:00:00Z"),
    ],
)
def test_it_can_be_said(text, said):
    assert str(Expiry.parse(text)) == said
