"""The logger of the in-toto programs: messages to standard error, warnings and worse unless asked for more."""

from __future__ import annotations

import logging
import sys
from typing import Any, Final

from navicert.compat.shim.in_toto import settings
from navicert.compat.shim.message import harmless, write

FORMAT_MESSAGE: Final = "%(message)s"
FORMAT_DEBUG: Final = "%(name)s:%(lineno)d:%(levelname)s:%(message)s"


class InTotoLogger(logging.Logger):
    """A logger with the levels of the programs' `--verbose` and `--quiet`."""

    QUIET: Final = logging.CRITICAL + 1

    def error(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Log an error; at level DEBUG with where it came from."""
        kwargs.setdefault("exc_info", self.level == logging.DEBUG and sys.exc_info()[0] is not None)
        kwargs["stacklevel"] = kwargs.get("stacklevel", 1) + 1
        super().error(msg, *args, **kwargs)

    def setLevelVerboseOrQuiet(self, verbose: bool, quiet: bool) -> None:  # noqa: N802  # the name that scripts call
        """Log more, or nothing at all."""
        if verbose:
            self.setLevel(logging.INFO)
        elif quiet:
            self.setLevel(self.QUIET)


class _Formatter(logging.Formatter):
    """Leaves nothing in a message that a terminal obeys: names come from documents that anyone may have written."""

    def format(self, record: logging.LogRecord) -> str:
        """The text of `record`."""
        return harmless(super().format(record))


class _Handler(logging.StreamHandler[Any]):
    """Writes what the stream cannot encode as escapes, and does without where the stream is gone."""

    @property
    def stream(self) -> Any:
        """Standard error as it is now: it may have been replaced since this module was imported."""
        return sys.stderr

    @stream.setter
    def stream(self, value: object) -> None:
        """There is nothing to set."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write `record`."""
        write(self.format(record))


def _logger() -> InTotoLogger:
    before = logging.getLoggerClass()
    logging.setLoggerClass(InTotoLogger)
    try:
        found = logging.getLogger("in_toto")
    finally:
        logging.setLoggerClass(before)
    if not isinstance(found, InTotoLogger):
        # An upstream that was imported before, or a script that asked first, has made one of another class.
        made = InTotoLogger("in_toto")
        made.parent, made.manager = found.parent, found.manager
        logging.Logger.manager.loggerDict["in_toto"] = made
        for name, child in list(logging.Logger.manager.loggerDict.items()):
            if name.startswith("in_toto.") and isinstance(child, logging.Logger):
                child.parent = made
        found = made
    return found


LOGGER: Final = _logger()
LEVEL: Final = logging.DEBUG if settings.DEBUG else logging.WARNING
FORMAT_STRING: Final = FORMAT_DEBUG if settings.DEBUG else FORMAT_MESSAGE
FORMATTER: Final = _Formatter(FORMAT_STRING)
HANDLER: Final = _Handler()
HANDLER.setFormatter(FORMATTER)
LOGGER.handlers = [HANDLER]
LOGGER.setLevel(LEVEL)
