"""DER, read strictly: one encoding for each value, definite lengths, nothing left over.

Only what timestamps need and no parser of the library reads. Spec: ITU-T X.690 §10.
"""

from __future__ import annotations

from navicert.dataclass import dataclass, field
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Final

BOOLEAN: Final = 0x01
INTEGER: Final = 0x02
BIT_STRING: Final = 0x03
OCTET_STRING: Final = 0x04
OID: Final = 0x06
UTF8_STRING: Final = 0x0C
GENERALIZED_TIME: Final = 0x18
SEQUENCE: Final = 0x30
SET: Final = 0x31

_MOST_ARCS: Final = 32


def context(number: int, *, constructed: bool = True) -> int:
    """The tag `[number]` of a structure."""
    return (0xA0 if constructed else 0x80) | number


@dataclass(frozen=True, slots=True)
class Element:
    """One value: its tag, its content, and all of its bytes."""

    tag: int
    content: bytes = field(repr=False)
    raw: bytes = field(repr=False)

    def expect(self, tag: int, what: str) -> Element:
        """This element, if it has `tag`. Raises `Malformed` naming `what` it was meant to be."""
        if self.tag != tag:
            raise Malformed(f"bad {what}", expected=f"tag {tag:#04x}", got=f"tag {self.tag:#04x}")
        return self

    def elements(self, what: str) -> Reader:
        """A reader of what this element, a structure, holds."""
        return Reader(self.content, what)

    def integer(self, what: str) -> int:
        """The value of an INTEGER."""
        content = self.expect(INTEGER, what).content
        padded = len(content) > 1 and (
            (content[0] == 0 and content[1] < 0x80) or (content[0] == 0xFF and content[1] >= 0x80)
        )
        if not content or padded or len(content) > 64:
            raise Malformed(f"bad {what}", expected="an integer in its shortest form, of at most 64 bytes")
        return int.from_bytes(content, "big", signed=True)

    def oid(self, what: str) -> str:
        """The value of an OBJECT IDENTIFIER, in dotted form."""
        content = self.expect(OID, what).content
        if not content or content[-1] >= 0x80 or len(content) > 64:
            raise Malformed(f"bad {what}", expected="an object identifier")
        arcs: list[int] = []
        value = 0
        fresh = True
        for byte in content:
            if fresh and byte == 0x80:
                raise Malformed(f"bad {what}", expected="numbers of an object identifier in their shortest form")
            value = value << 7 | byte & 0x7F
            fresh = byte < 0x80
            if fresh:
                arcs.append(value)
                value = 0
        if len(arcs) > _MOST_ARCS:
            raise Malformed(f"bad {what}", expected=f"an object identifier of at most {_MOST_ARCS} numbers")
        first = min(arcs[0] // 40, 2)
        return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))

    def octets(self, what: str) -> bytes:
        """The value of an OCTET STRING."""
        return self.expect(OCTET_STRING, what).content

    def text(self, what: str) -> str:
        """The value of a UTF8String."""
        try:
            return self.expect(UTF8_STRING, what).content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Malformed(f"bad {what}", expected="UTF-8") from error

    def time(self, what: str) -> datetime:
        """The value of a GeneralizedTime: UTC, with or without a fraction. Spec: X.690 §11.7; RFC 3161 §2.4.2."""
        from datetime import UTC, datetime

        text = self.expect(GENERALIZED_TIME, what).content.decode("latin-1")
        whole, point, fraction = text[:-1].partition(".")
        wrong = (
            not text.endswith("Z")
            or len(whole) != 14
            or not (whole.isascii() and whole.isdigit())
            or (point and (not (fraction.isascii() and fraction.isdigit()) or fraction.endswith("0")))
        )
        if wrong or len(fraction) > 12:
            raise Malformed(f"bad {what}", expected="YYYYMMDDhhmmss[.f]Z", got=repr(text[:40]))
        parts = (whole[:4], whole[4:6], whole[6:8], whole[8:10], whole[10:12], whole[12:14])
        try:
            year, month, day, hour, minute, second = map(int, parts)
            return datetime(year, month, day, hour, minute, second, int(fraction.ljust(6, "0")[:6] or 0), tzinfo=UTC)
        except ValueError as error:
            raise Malformed(f"bad {what}", expected="a real date", got=repr(text[:40])) from error


class Reader:
    """Reads one value after the other. `what` names the structure in errors."""

    __slots__ = ("_at", "_raw", "_what")

    def __init__(self, raw: bytes, what: str) -> None:
        self._raw = raw
        self._at = 0
        self._what = what

    def __bool__(self) -> bool:
        return self._at < len(self._raw)

    def next(self) -> Element:
        """The next value. Raises `Malformed` where there is none, or where its encoding is not the one of DER."""
        raw, start = self._raw, self._at
        if len(raw) - start < 2:
            raise Malformed(f"bad {self._what}", expected="another value", got="its end")
        tag, length, at = raw[start], raw[start + 1], start + 2
        if tag & 0x1F == 0x1F:
            raise Malformed(f"bad {self._what}", expected="a tag of one byte")
        if length >= 0x80:
            size = length & 0x7F
            if not 1 <= size <= 4 or len(raw) - at < size:
                raise Malformed(f"bad {self._what}", expected="a definite length of at most 4 bytes")
            length = int.from_bytes(raw[at : at + size], "big")
            if length < 0x80 or length >> (8 * (size - 1)) == 0:
                raise Malformed(f"bad {self._what}", expected="a length in its shortest form")
            at += size
        if len(raw) - at < length:
            raise Malformed(f"bad {self._what}", expected=f"{length} bytes", got=f"{len(raw) - at} bytes")
        self._at = at + length
        return Element(tag, raw[at : self._at], raw[start : self._at])

    def optional(self, tag: int) -> Element | None:
        """The next value, if it has `tag`; None, and nothing is read, otherwise."""
        return self.next() if self and self._raw[self._at] == tag else None

    def end(self) -> None:
        """Raise `Malformed` unless all has been read."""
        if self:
            raise Malformed(f"bad {self._what}", expected="its end", got=f"{len(self._raw) - self._at} more bytes")


def read_one(raw: bytes, what: str) -> Element:
    """The one value that `raw` is. Raises `Malformed`."""
    reader = Reader(raw, what)
    element = reader.next()
    reader.end()
    return element
