"""A failure as people and scripts see it: one line of text and an exit code."""

from __future__ import annotations

import os

from navicert.errors import Malformed, NavicertError, Refused, VerificationFailed

NOT_PASSED, USAGE, UNKNOWN = 1, 2, 3


def describe(error: BaseException) -> tuple[str, int]:
    """What went wrong, in one line (not escaped), and the exit code that stands for it.

    1: judged and not passed. 2: wrong usage, malformed input, a named path that does not exist. 3: could not find
    out, and whatever should not have happened.
    """
    if isinstance(error, VerificationFailed):
        return str(error), NOT_PASSED
    if isinstance(error, Malformed | Refused):
        return str(error), USAGE
    if isinstance(error, NavicertError):
        return str(error), UNKNOWN
    if isinstance(error, OSError) and error.errno is not None:
        named = isinstance(error.filename, str | bytes)
        where = f"{os.fsdecode(error.filename)}: " if named else ""
        wrong_path = named and isinstance(error, FileNotFoundError | NotADirectoryError | IsADirectoryError)
        return f"{where}{(error.strerror or 'failed').lower()}", USAGE if wrong_path else UNKNOWN
    first = (str(error).splitlines() or [""])[0]
    what = f"{type(error).__name__}: {first}" if first else type(error).__name__
    return f"internal error: {what} – run again with --debug, and report what it prints", UNKNOWN
