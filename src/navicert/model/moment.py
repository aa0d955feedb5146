"""Moments that somebody trusted vouches for: when a signature certainly existed."""

from __future__ import annotations

from navicert.dataclass import dataclass
from navicert.timestamp import format_timestamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class TrustedTime:
    """That a signature existed at the moment `at` (UTC). `source` is "log" (a transparency log entered it then) or
    "timestamp" (RFC 3161); `authority` names the one who says so, for people."""

    at: datetime
    source: str
    authority: str

    def __str__(self) -> str:
        return f"{format_timestamp(self.at)} by {self.authority}"
