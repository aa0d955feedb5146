"""What CEL reads from times: the parts of a timestamp in a time zone, and a duration in other units.

A time zone is UTC or an offset from it. Names such as `Europe/Paris` are known to the language, but what they mean
stands in a data base of the machine, and a verdict must not depend on which one that is.

Spec: google/cel-spec doc/langdef.md, "List of Standard Definitions" (getDate to getSeconds).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from navicert.verify.cel_value import CelError, kind_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Final

_OFFSET: Final = re.compile(r"([+-]?)([0-9]{1,2}):([0-9]{2})")
_MILLISECOND: Final = timedelta(milliseconds=1)

_OF_TIMESTAMP: Final[Mapping[str, Callable[[datetime], int]]] = {
    "getFullYear": lambda at: at.year,
    "getMonth": lambda at: at.month - 1,
    "getDate": lambda at: at.day,
    "getDayOfMonth": lambda at: at.day - 1,
    "getDayOfWeek": lambda at: at.isoweekday() % 7,
    "getDayOfYear": lambda at: at.timetuple().tm_yday - 1,
    "getHours": lambda at: at.hour,
    "getMinutes": lambda at: at.minute,
    "getSeconds": lambda at: at.second,
    "getMilliseconds": lambda at: at.microsecond // 1000,
}
"""Months and days count from 0, but for `getDate`; Sunday is day 0."""
_OF_DURATION: Final[Mapping[str, timedelta]] = {
    "getHours": timedelta(hours=1),
    "getMinutes": timedelta(minutes=1),
    "getSeconds": timedelta(seconds=1),
    "getMilliseconds": _MILLISECOND,
}
"""The whole duration in this unit, cut off towards zero."""
GETTERS: Final = frozenset(_OF_TIMESTAMP)


def part_of(name: str, value: object, zone: object = None) -> int:
    """What the method `name` reads from `value`, a timestamp or duration; `zone` is its argument, None where there is
    none. Raises `CelError`."""
    if isinstance(value, timedelta) and name in _OF_DURATION and zone is None:
        whole = abs(value) // _OF_DURATION[name]
        return whole if value >= timedelta(0) else -whole
    if not isinstance(value, datetime):
        raise CelError(f"{name} of {kind_of(value)}{'' if zone is None else ' in a time zone'}")
    try:
        return _OF_TIMESTAMP[name](value.astimezone(UTC if zone is None else _zone(zone)))
    except OverflowError as error:
        raise CelError("a time beyond all calendars") from error


def _zone(value: object) -> timezone:
    if not isinstance(value, str):
        raise CelError(f"time zone of {kind_of(value)}, where it is text")
    if value in ("UTC", "Z"):
        return UTC
    match = _OFFSET.fullmatch(value)
    if match is None or int(match[2]) > 23 or int(match[3]) > 59:
        raise CelError(f"no time zone {value[:40]!r}: UTC, or an offset such as +02:00")
    offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return timezone(-offset if match[1] == "-" else offset)
