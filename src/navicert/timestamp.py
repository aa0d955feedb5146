"""Times as in-toto writes them: UTC, whole seconds, `YYYY-MM-DDTHH:MM:SSZ`.

Spec: in-toto v1.0 §4.3.1 (`expires`).
"""

from __future__ import annotations

from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

_FORM = "YYYY-MM-DDTHH:MM:SSZ"
_ZEROS = str.maketrans("123456789", "0" * 9)
"""Makes one text of all that have the form."""


def parse_timestamp(text: str) -> datetime:
    """The moment that `text` names, in UTC. Raises `Malformed` for any other form, offset or impossible date."""
    from navicert.datetime import UTC, datetime

    if text.translate(_ZEROS) != "0000-00-00T00:00:00Z":
        raise Malformed("not a timestamp", expected=_FORM, got=repr(text[:40]))
    numbers = (text[:4], text[5:7], text[8:10], text[11:13], text[14:16], text[17:19])
    try:
        year, month, day, hour, minute, second = map(int, numbers)
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise Malformed(f"not a real date: {error}", expected=_FORM, got=repr(text)) from error


def parse_rfc3339(text: str) -> datetime:
    """The moment that `text` names, in UTC, to the microsecond. Raises `Malformed`.

    Attestations carry times as other programs write them: with parts of a second, and with offsets.
    Spec: RFC 3339 §5.6; attestation framework, field_types.md (Timestamp).
    """
    import re

    from navicert.datetime import UTC, datetime

    found = re.fullmatch(
        r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})",
        text,
    )
    if found is None:
        raise Malformed("not a timestamp", expected="RFC 3339, such as 2026-01-31T00:00:00Z", got=repr(text[:40]))
    day, clock, part, zone = found.groups()
    try:
        whole = f"{day}T{clock}{(part or '.0')[:7]:0<7}{'+00:00' if zone in 'Zz' else zone}"
        return datetime.fromisoformat(whole).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Malformed(f"not a real date: {error}", expected="RFC 3339", got=repr(text)) from error


def format_timestamp(moment: datetime) -> str:
    """`moment` (aware) in UTC, whole seconds, rounded down."""
    from navicert.datetime import UTC

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
    import calendar

    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def after(moment: datetime, *, days: int = 0, months: int = 0, years: int = 0) -> datetime:
    """`moment` plus a calendar-aware span."""
    from navicert.datetime import timedelta

    try:
        return add_months(moment, months + 12 * years) + timedelta(days=days)
    except OverflowError as error:
        raise Malformed("date out of range", got=f"{days} days") from error
