"""What CEL does with single values: arithmetic, comparison, conversion. Whatever has no overload is an error.

Spec: google/cel-spec doc/langdef.md, "Numeric Values", "Abstract Types" and "List of Standard Definitions".
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta

from navicert.errors import Malformed
from navicert.timestamp import parse_rfc3339

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_INT64: Final = 2**63
_SPAN: Final = timedelta(days=3_652_500)
_DURATION: Final = re.compile(r"([+-]?)((?:[0-9]{1,12}(?:\.[0-9]{1,9})?(?:h|ms|us|ns|m|s))+|0)")
_PART: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(h|ms|us|ns|m|s)")
_UNITS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_NAMES: Final = {
    bool: "a truth value",
    int: "a number",
    float: "a number",
    str: "text",
    bytes: "bytes",
    list: "a list",
    dict: "a map",
    datetime: "a time",
    timedelta: "a duration",
    type(None): "null",
}


class CelError(Exception):
    """The expression has no value."""


class Unsigned(int):
    """An unsigned number of 64 bits: another kind than `int`, equal to it where the values are."""

    __slots__ = ()

    @staticmethod
    def of(number: int) -> Unsigned:
        """This number. Raises `CelError` where it is negative or has more than 64 bits."""
        if not 0 <= number < 2 * _INT64:
            raise CelError("an unsigned number below zero or of more than 64 bits")
        return Unsigned(number)


NUMBERS: Final = (int, float, Unsigned)
"""The kinds that are equal to each other, and ordered, by value."""


def kind_of(value: object) -> str:
    """What `value` is, for people."""
    return "an unsigned number" if isinstance(value, Unsigned) else _NAMES.get(type(value), "something else")


def _checked(number: int) -> int:
    if not -_INT64 <= number < _INT64:
        raise CelError("a number of more than 64 bits")
    return number


def negated(value: object) -> object:
    """`-value`."""
    if type(value) is int:
        return _checked(-value)
    if type(value) is float:
        return -value
    raise CelError(f"- of {kind_of(value)}")


def arithmetic(sign: str, left: object, right: object) -> object:
    """`left sign right`, where sign is one of + - * / %."""
    if type(left) is int and type(right) is int:
        return _integers(sign, _checked(left), _checked(right))
    if isinstance(left, Unsigned) and isinstance(right, Unsigned):
        return _unsigned(sign, left, right)
    if type(left) is float and type(right) is float and sign != "%":
        return _doubles(sign, left, right)
    if sign == "+":
        if isinstance(left, str) and isinstance(right, str):
            return left + right
        if isinstance(left, bytes) and isinstance(right, bytes):
            return left + right
        if isinstance(left, list) and isinstance(right, list):
            return left + right
    if isinstance(left, datetime | timedelta) and isinstance(right, datetime | timedelta) and sign in "+-":
        return _times(sign, left, right)
    raise CelError(f"{sign} of {kind_of(left)} and {kind_of(right)}")


def _integers(sign: str, left: int, right: int) -> int:
    if sign == "+":
        return _checked(left + right)
    if sign == "-":
        return _checked(left - right)
    if sign == "*":
        return _checked(left * right)
    if right == 0:
        raise CelError("division by zero")
    quotient = abs(left) // abs(right)
    quotient = quotient if (left < 0) == (right < 0) else -quotient
    return _checked(quotient if sign == "/" else left - quotient * right)


def _unsigned(sign: str, left: int, right: int) -> Unsigned:
    left, right = int(left), int(right)
    if sign in "/%":
        if right == 0:
            raise CelError("division by zero")
        return Unsigned.of(left // right if sign == "/" else left % right)
    return Unsigned.of({"+": left + right, "-": left - right, "*": left * right}[sign])


def _doubles(sign: str, left: float, right: float) -> float:
    if sign == "+":
        return left + right
    if sign == "-":
        return left - right
    if sign == "*":
        return left * right
    if right == 0:
        return math.nan if left == 0 or math.isnan(left) else math.copysign(math.inf, left) * math.copysign(1, right)
    return left / right


def _times(sign: str, left: datetime | timedelta, right: datetime | timedelta) -> datetime | timedelta:
    try:
        if isinstance(left, datetime) and isinstance(right, datetime):
            if sign == "-":
                return left - right
        elif isinstance(right, timedelta):
            return left + right if sign == "+" else left - right
        elif isinstance(left, timedelta) and sign == "+":
            return right + left
    except OverflowError as error:
        raise CelError("a time beyond all calendars") from error
    raise CelError(f"{sign} of {kind_of(left)} and {kind_of(right)}")


def compared(operator: str, left: object, right: object) -> bool:
    """`left operator right`, where operator is one of lt le gt ge. Numbers of all kinds compare with each other."""
    numbers = type(left) in NUMBERS and type(right) in NUMBERS
    if not numbers and (
        type(left) is not type(right) or not isinstance(left, bool | str | bytes | datetime | timedelta)
    ):
        raise CelError(f"{kind_of(left)} cannot be compared with {kind_of(right)}")
    if operator == "lt":
        return left < right  # type: ignore[no-any-return, operator]
    if operator == "le":
        return left <= right  # type: ignore[no-any-return, operator]
    if operator == "gt":
        return left > right  # type: ignore[no-any-return, operator]
    return left >= right  # type: ignore[no-any-return, operator]


def converted(name: str, value: object) -> object:
    """`name(value)`, where name is a type."""
    made = _CONVERSIONS[name](value)
    if made is None:
        shown = f" {value[:40]!r}" if isinstance(value, str) else ""
        raise CelError(f"{name} of {kind_of(value)}{shown}")
    return made


def _int(value: object) -> int | None:
    if type(value) in (int, Unsigned):
        return _checked(int(value))  # type: ignore[call-overload]
    if type(value) is float and math.isfinite(value):
        return _checked(int(value))
    if isinstance(value, str) and re.fullmatch(r"[+-]?[0-9]{1,20}", value):
        return _checked(int(value))
    if isinstance(value, datetime):
        return math.floor(value.timestamp())
    return None


def _uint(value: object) -> Unsigned | None:
    if type(value) in (int, Unsigned) or (type(value) is float and math.isfinite(value)):
        # A fraction is cut off; what is below zero before that has no place here.
        return Unsigned.of(int(value) if value >= 0 else -1)  # type: ignore[call-overload, operator]
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,20}", value):
        return Unsigned.of(int(value))
    return None


def _bytes(value: object) -> bytes | None:
    return value.encode() if isinstance(value, str) else value if isinstance(value, bytes) else None


def _double(value: object) -> float | None:
    if type(value) in NUMBERS:
        return float(value)  # type: ignore[arg-type]
    if isinstance(value, str) and len(value) <= 400 and value.isascii() and not re.search(r"[\s_]", value):
        try:
            return float(value)
        except ValueError:
            return None
    return None


def _string(value: object) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Unsigned):
        return str(int(value))
    if isinstance(value, int):
        return str(_checked(value))
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return None
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    if isinstance(value, datetime):
        fraction = f".{value.microsecond:06}".rstrip("0") if value.microsecond else ""
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S}{fraction}Z"
    if isinstance(value, timedelta):
        seconds = f"{value.total_seconds():.6f}".rstrip("0").rstrip(".")
        return f"{seconds}s"
    return None


def _bool(value: object) -> bool | None:
    if type(value) is bool:
        return value
    if isinstance(value, str):
        if value in ("1", "t", "true", "TRUE", "True"):
            return True
        if value in ("0", "f", "false", "FALSE", "False"):
            return False
    return None


def _timestamp(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value
    if type(value) is int:
        try:
            return datetime.fromtimestamp(value, UTC)
        except (ValueError, OverflowError, OSError):
            return None
    try:
        return parse_rfc3339(value) if isinstance(value, str) else None
    except Malformed:
        return None


def _duration(value: object) -> timedelta | None:
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    seconds = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(match[2]))
    span = timedelta(seconds=min(seconds, 1e12))
    if span > _SPAN:
        raise CelError("a duration of more than ten thousand years")
    return -span if match[1] == "-" else span


_CONVERSIONS: Final = {
    "int": _int,
    "uint": _uint,
    "bytes": _bytes,
    "double": _double,
    "string": _string,
    "bool": _bool,
    "timestamp": _timestamp,
    "duration": _duration,
}
