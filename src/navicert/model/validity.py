"""From when until when a key counts, and since when it is revoked, as a policy says.

What decides is when a signature existed: a timestamp of an authority that is believed says so, else only the moment
that is judged for is known.
"""

from __future__ import annotations

from navicert.dataclass import dataclass
from navicert.errors import Malformed
from navicert.model.field import as_object, as_text
from navicert.strictjson import pointer
from navicert.timestamp import format_timestamp, parse_timestamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Final

_FIELDS: Final = ("from", "until", "revoked")


@dataclass(frozen=True, slots=True)
class Validity:
    """The moments between which a key counts; None where there is no such bound. `since` and `until` belong to it;
    `revoked` does not: what was signed then may have been signed by whoever took the key."""

    since: datetime | None = None
    until: datetime | None = None
    revoked: datetime | None = None

    @staticmethod
    def from_json(value: object, where: str) -> Validity:
        """The validity of a JSON object. Raises `Malformed`; for one that bounds nothing too."""
        document = as_object(value, where)
        odd = sorted(document.keys() - set(_FIELDS))
        if odd or not document:
            raise Malformed(
                "not the validity of a key",
                pointer=pointer(where, odd[0]) if odd else where,
                expected="from, until or revoked",
                got=repr(odd[0])[:60] if odd else "nothing",
            )
        since, until, revoked = (_moment(document, name, where) for name in _FIELDS)
        return Validity.of(since, until, revoked, where)

    @staticmethod
    def of(since: datetime | None, until: datetime | None, revoked: datetime | None, where: str = "") -> Validity:
        """The validity between these moments. Raises `Malformed` where the end is not after the beginning."""
        if since is not None and until is not None and until <= since:
            raise Malformed(
                "a key that is never valid",
                pointer=where,
                expected=f"an end after {format_timestamp(since)}",
                got=format_timestamp(until),
            )
        return Validity(since, until, revoked)

    def to_json(self) -> dict[str, object]:
        """The JSON object, without the bounds that there are not."""
        moments = zip(_FIELDS, (self.since, self.until, self.revoked), strict=True)
        return {name: format_timestamp(moment) for name, moment in moments if moment is not None}

    def holds(self, moment: datetime) -> bool:
        """Whether a signature that existed at `moment` counts."""
        if self.since is not None and moment < self.since:
            return False
        if self.until is not None and moment > self.until:
            return False
        return self.revoked is None or moment < self.revoked

    def __str__(self) -> str:
        parts = [("valid from", self.since), ("until", self.until), ("revoked", self.revoked)]
        words = [f"{word} {format_timestamp(moment)}" for word, moment in parts if moment is not None]
        text = ", ".join(words)
        return f"valid {text}" if text.startswith("until") else text


def read_validities(value: object, where: str) -> dict[str, Validity]:
    """The validities of keys by their ids. Raises `Malformed`."""
    return {keyid: Validity.from_json(item, pointer(where, keyid)) for keyid, item in as_object(value, where).items()}


def _moment(document: Mapping[str, object], name: str, where: str) -> datetime | None:
    if name not in document:
        return None
    try:
        return parse_timestamp(as_text(document[name], f"{where}/{name}"))
    except Malformed as error:
        error.pointer = f"{where}/{name}"
        raise
