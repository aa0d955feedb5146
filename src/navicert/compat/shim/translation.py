"""Navicert's errors, said in the exceptions that scripts for in-toto know how to catch."""

from __future__ import annotations

import errno
import os

from navicert.compat.shim.in_toto.exceptions import PrefixError
from navicert.compat.shim.securesystemslib.exceptions import CryptoError, Error, FormatError
from navicert.errors import Malformed, NavicertError


class translated:  # noqa: N801  # it stands after `with`, as a call does
    """Raises what `translate` makes of an error of Navicert's. Written out, because every program passes here and none
    needs `contextlib` otherwise."""

    def __init__(self, kind: type[Exception] = FormatError) -> None:
        self._kind = kind

    def __enter__(self) -> None:
        """There is nothing to begin."""

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        """Raise the other exception in place of `error`, or let it pass."""
        if isinstance(error, NavicertError):
            raise translate(error, self._kind) from error


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
        return _about_password(error, kind) if "password" in error.what else kind(str(error))
    return Error(str(error))


def _about_password(error: Malformed, kind: type[Exception]) -> Exception:
    """The remedy of `error` is an option of another program: what releases before 1.0 say, or those after."""
    where = f" ('{error.path}')" if error.path else ""
    if kind is CryptoError:
        return CryptoError(f"{error.what}{where}")
    if "no password was given" in error.what:
        return TypeError(f"Password was not given but private key is encrypted{where}")
    return ValueError(f"Incorrect password, could not decrypt key{where}: {error.what}")
