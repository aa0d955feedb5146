"""What the shim says, through Python's `logging`, which is loaded when there is something to say.

Information is dropped where nobody has loaded `logging` yet: then nobody can have asked for it either.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Log:
    """The logger called `name`, with all that it has."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        if attribute in ("debug", "info") and not _somebody_listens():
            return _say_nothing
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


def _say_nothing(*_: object, **__: object) -> None:
    """Takes a message and drops it."""
