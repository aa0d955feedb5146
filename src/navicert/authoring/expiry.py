"""When a layout expires, as an author says it: a moment, a day, or a span from the signing on.

Written as `2031-05-01T00:00:00Z`, as `2031-05-01` (the first second of that day, UTC), or as `90 days`, `2 weeks`,
`6 months`, `1 year`, `1 year 6 months`. Months and years follow the calendar. Spec: in-toto v1.0 §4.3.1 (`expires`).
"""

from __future__ import annotations

import re
from typing import Final

from navicert.dataclass import dataclass
from navicert.errors import Malformed
from navicert.timestamp import after, format_timestamp, parse_timestamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

_SPAN: Final = re.compile(r"([0-9]{1,5}) *(day|week|month|year)s?")
_SPANS: Final = re.compile(rf"{_SPAN.pattern}(?:,? +{_SPAN.pattern})*")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FORMS: Final = '"6 months", "90 days", "1 year", "2031-05-01" or "2031-05-01T00:00:00Z"'


@dataclass(frozen=True, slots=True)
class Expiry:
    """A moment, or where that is None a span of `months` and `days`."""

    moment: datetime | None = None
    months: int = 0
    days: int = 0

    @staticmethod
    def parse(text: str) -> Expiry:
        """What `text` says. Raises `Malformed` for any other form, an impossible date and a span of nothing."""
        text = text.strip()
        if _DAY.fullmatch(text):
            return Expiry(parse_timestamp(f"{text}T00:00:00Z"))
        if not _SPANS.fullmatch(text.lower()):
            if text[:4].isdigit() and text[4:5] == "-":
                return Expiry(parse_timestamp(text))
            raise Malformed("not a time of expiry", expected=_FORMS, got=repr(text[:40]))
        months = days = 0
        for number, unit in _SPAN.findall(text.lower()):
            months += int(number) * {"month": 1, "year": 12}.get(unit, 0)
            days += int(number) * {"day": 1, "week": 7}.get(unit, 0)
        if not months and not days:
            raise Malformed("expires at once", expected=_FORMS, got=repr(text[:40]))
        return Expiry(None, months, days)

    def at(self, now: datetime) -> datetime:
        """The moment meant, for a layout that is signed at `now`. Raises `Malformed` beyond the year 9999."""
        return self.moment or after(now.replace(microsecond=0), days=self.days, months=self.months)

    def __str__(self) -> str:
        if self.moment is not None:
            return format_timestamp(self.moment)
        years, months = divmod(self.months, 12)
        parts = [(years, "year"), (months, "month"), (self.days, "day")]
        return " ".join(f"{number} {unit}{'s' if number > 1 else ''}" for number, unit in parts if number)
