"""Times as in-toto writes them: UTC, whole seconds, `YYYY-MM-DDTHH:MM:SSZ`.

Spec: in-toto v1.0 §4.3.1 (`expires`).
"""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta

from navicert.errors import Malformed

_FORM = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})Z")


def parse_timestamp(text: str) -> datetime:
    """The moment that `text` names, in UTC. Raises `Malformed` for any other form, offset or impossible date."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise Malformed("not a timestamp", expected="YYYY-MM-DDTHH:MM:SSZ", got=repr(text[:40]))
    try:
        year, month, day, hour, minute, second = map(int, match.groups())
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise Malformed(f"not a real date: {error}", expected="YYYY-MM-DDTHH:MM:SSZ", got=repr(text)) from error


def format_timestamp(moment: datetime) -> str:
    """`moment` (aware) in UTC, whole seconds, rounded down."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone is not a point in time")
    moment = moment.astimezone(UTC)
    # strftime's %Y does not pad years below 1000 on every C library.
    return f"{moment.year:04d}-{moment:%m-%dT%H:%M:%S}Z"


def add_months(moment: datetime, months: int) -> datetime:
    """`moment` moved by calendar months; a day that the month lacks becomes its last (31 January + 1 = 28 February)."""
    index = moment.year * 12 + (moment.month - 1) + months
    year, month = divmod(index, 12)
    if not 1 <= year <= 9999:
        raise Malformed("date out of range", got=f"year {year}")
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def after(moment: datetime, *, days: int = 0, months: int = 0, years: int = 0) -> datetime:
    """`moment` plus a calendar-aware span."""
    try:
        return add_months(moment, months + 12 * years) + timedelta(days=days)
    except OverflowError as error:
        raise Malformed("date out of range", got=f"{days} days") from error
