"""What the shim says, through Python's `logging`, which is loaded when somebody may listen to it.

Information is dropped where nobody has loaded `logging` yet: then nobody can have asked for it either. Then too, a
program that is alone in its process writes warnings and errors itself: loading `logging` takes longer than judging a
small chain.
"""

from __future__ import annotations

import sys

from navicert.compat.program import ALONE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

_OBEYED: Final = r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"


class Log:
    """The logger called `name`, with all that it has."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        if not _somebody_listens():
            if attribute in ("debug", "info"):
                return _say_nothing
            if attribute in ("warning", "error") and ALONE.get():
                return _say
        return getattr(self._logger(), attribute)

    @property
    def informs(self) -> bool:
        """Whether information is asked for."""
        return _somebody_listens() and bool(self._logger().isEnabledFor(20))

    def obey(self, verbose: bool, quiet: bool) -> None:
        """Say more, or nothing at all, as `--verbose` and `--quiet` ask."""
        if verbose or quiet:
            self._logger().setLevelVerboseOrQuiet(verbose, quiet)

    def _logger(self) -> Any:
        # Sets up the logger of in-toto, which is above all others.
        import logging

        from navicert.compat.shim.in_toto import log  # noqa: F401

        return logging.getLogger(self._name)


def told(error: Exception, about: str = "") -> str:
    """The kind of `error` and what it says; where it says nothing, why that is, and what it was `about`."""
    # getpass and input say nothing where nobody is there to answer.
    silent = "standard input has ended" if isinstance(error, EOFError) else "no reason given"
    return f"{type(error).__name__}: {str(error) or ' '.join((silent, about)).strip()}"


def _somebody_listens() -> bool:
    return "logging" in sys.modules


def harmless(text: str) -> str:
    """`text` with nothing in it that a terminal obeys: names come from documents that anyone may have written."""
    if text.isascii() and text.replace("\n", "").replace("\t", "").isprintable():
        return text
    import re

    return re.sub(_OBEYED, lambda match: f"\\x{ord(match[0]):02x}", text)


def write(text: str) -> None:
    """Write a line to standard error as it is now, which may have been replaced. What it cannot encode is written as
    escapes; where it is gone, nothing is."""
    stream = sys.stderr
    try:
        encoding = getattr(stream, "encoding", None) or "utf-8"
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        stream.flush()
    except OSError:
        return


def _say(message: str, *values: object) -> None:
    write(harmless(message % values if values else message))


def _say_nothing(*_: object, **__: object) -> None:
    """Takes a message and drops it."""
