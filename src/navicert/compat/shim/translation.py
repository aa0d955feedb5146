"""Navicert's errors, said in the exceptions that scripts for in-toto know how to catch."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from navicert.compat.shim.in_toto.exceptions import PrefixError
from navicert.compat.shim.securesystemslib.exceptions import CryptoError, Error, FormatError
from navicert.errors import Malformed, NavicertError


@contextmanager
def translated(kind: type[Exception] = FormatError) -> Iterator[None]:
    """Raises what `translate` makes of an error of Navicert's."""
    try:
        yield
    except NavicertError as error:
        raise translate(error, kind) from error


def translate(error: NavicertError, kind: type[Exception] = FormatError) -> Exception:
    """The exception that stands for `error`: what the system said, where it said something; else by what is wrong,
    `kind` for malformed input."""
    from navicert.record.process import CommandNotExecutable, CommandNotFound
    from navicert.resolve.artifact import NameConflict

    system = error.__cause__
    if isinstance(system, OSError) and system.errno is not None:
        return type(system)(system.errno, system.strerror, system.filename or error.path or None)
    if isinstance(error, CommandNotFound):
        return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), error.path)
    if isinstance(error, CommandNotExecutable):
        return PermissionError(errno.EACCES, os.strerror(errno.EACCES), error.path)
    if isinstance(error, NameConflict):
        return PrefixError(str(error))
    if isinstance(error, Malformed):
        if "password" in error.what:
            # The remedy is an option of another program.
            return CryptoError(f"{error.path}: {error.what}" if error.path else error.what)
        return kind(str(error))
    return Error(str(error))
