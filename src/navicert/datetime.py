"""`UTC`, `datetime`, `timedelta` and `timezone`: for type checkers those of `datetime`, at run time the same classes.

Before Python 3.12 the module of that name makes them all in Python, and throws these away for the compiled ones.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import UTC, datetime, timedelta, timezone
else:
    try:
        from _datetime import UTC, datetime, timedelta, timezone
    except ImportError:  # an interpreter without that part
        from datetime import UTC, datetime, timedelta, timezone

__all__ = ["UTC", "datetime", "timedelta", "timezone"]
