"""The terminal: what may be shown on it, how wide it is, and whether it wants colour.

Names, paths and messages come from documents that an attacker may have written, so every one of them passes through
`escape` before it is shown: a control sequence could rewrite the line that says FAIL, a bidirectional override could
turn a file name around.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO


def escape(text: str) -> str:
    """`text` on one line with nothing left that a terminal obeys or a reader cannot see (as `\\x1b`, `\\u202e`)."""
    if text.isascii() and text.isprintable():
        return text
    from navicert.report.line import escape as escape_characters

    return escape_characters(text)


def say(text: str = "") -> None:
    """Print a result on standard output, as it is: the caller has escaped what came from outside. It is out before
    anything that is said later on standard error."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")
    sys.stdout.flush()


def complain(text: str) -> None:
    """Print one line for people on standard error; control characters are escaped."""
    sys.stderr.write(f"navicert: {escape(text)}\n")


def is_terminal(stream: IO[str]) -> bool:
    """Whether a person is looking at `stream`."""
    return not stream.closed and stream.isatty()


def colour_wanted(stream: IO[str]) -> bool:
    """Whether to colour what goes to `stream`: a terminal that can, and `NO_COLOR` is not set (no-color.org)."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def width(stream: IO[str]) -> int:
    """Columns to fill on `stream`: those of the terminal within 60 to 120, and 100 where nobody is looking."""
    if not is_terminal(stream):
        return 100
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        return 80
    return max(60, min(columns or 80, 120))
