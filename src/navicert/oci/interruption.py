"""The failure that another try may mend: a connection that could not be made, broke, or took too long."""

from __future__ import annotations

from navicert.errors import Unavailable


class Interrupted(Unavailable):
    """A connection that failed in a way that may pass. Stands apart from what opens connections, whose import costs."""
