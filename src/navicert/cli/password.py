"""Where a password comes from: an option, or a prompt on a terminal. Never from anywhere that was not named."""

from __future__ import annotations

import os
import sys

from navicert.errors import LimitExceeded, Malformed
from navicert.limits import LOCAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from typing import BinaryIO

_REMEDY = "give --password-env NAME, --password-file FILE or --password-fd N"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where the password of a private key comes from; at most one may be given."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--password", metavar="TEXT", help="password of the key (others see it in the process list)")
    group.add_argument("--password-env", metavar="NAME", help="environment variable that holds the password")
    group.add_argument("--password-file", metavar="FILE", help="file whose first line is the password (- is stdin)")
    group.add_argument("--password-fd", metavar="N", type=int, help="file descriptor to read the password from")
    group.add_argument(
        "--password-prompt", action="store_true", help="ask for it on the terminal (done anyway where there is one)"
    )


def given(args: argparse.Namespace) -> bool:
    """Whether an option says where the password comes from."""
    return bool(args.password_prompt) or any(
        value is not None for value in (args.password, args.password_env, args.password_file, args.password_fd)
    )


def source(args: argparse.Namespace, what: str, *, confirm: bool = False) -> Callable[[], bytes]:
    """What gives the password of `what` (a path or URI) when it is called, and not before.

    `confirm` asks twice where it has to ask, for a new password. Calling it raises `Malformed`: no terminal and no
    option, an empty password, an unset variable, a file or descriptor that cannot be read, two different answers.
    """

    def password() -> bytes:
        secret = _ask(what, confirm=confirm) if _must_ask(args) else _once(args)
        if not secret:
            raise Malformed("the password is empty", path=what, remedy="give the password that the key has")
        if len(secret) > LOCAL.password_bytes:
            raise LimitExceeded(
                "password too long (limit password_bytes)", path=what, expected=f"at most {LOCAL.password_bytes} bytes"
            )
        return secret

    return password


def _must_ask(args: argparse.Namespace) -> bool:
    return bool(args.password_prompt) or not given(args)


def _once(args: argparse.Namespace) -> bytes:
    """The password that an option gives; read once, because a pipe gives it once and several keys may share it."""
    known: bytes | None = getattr(args, "password_read", None)
    if known is None:
        known = args.password_read = _from_option(args)
    return known


def _from_option(args: argparse.Namespace) -> bytes:
    if args.password is not None:
        return os.fsencode(args.password)
    if args.password_env is not None:
        value = os.environ.get(args.password_env)
        if value is None:
            raise Malformed("the environment variable is not set", path=f"--password-env {args.password_env}")
        return os.fsencode(value)
    if args.password_fd is not None:
        return _from_descriptor(args.password_fd)
    if args.password_file == "-":
        return _first_line(sys.stdin.buffer)
    return _from_file(args.password_file)


def _from_descriptor(number: int) -> bytes:
    try:
        with os.fdopen(os.dup(number), "rb") as stream:
            return _first_line(stream)
    except (OSError, OverflowError, ValueError) as error:
        raise Malformed(
            "cannot be read from", path=f"--password-fd {number}", remedy=f"open it, as in: {number}< FILE"
        ) from error


def _from_file(path: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            return _first_line(stream)
    except (OSError, ValueError) as error:
        why = (getattr(error, "strerror", None) or "not a file name").lower()
        raise Malformed(f"cannot be read: {why}", path=f"--password-file {path}") from error


def _first_line(stream: BinaryIO) -> bytes:
    line = stream.readline(LOCAL.password_bytes + 3)
    return line.removesuffix(b"\n").removesuffix(b"\r")


def _ask(what: str, *, confirm: bool) -> bytes:
    from navicert.cli.terminal import escape

    _require_terminal(what)
    secret = _prompt(f"{'new password' if confirm else 'password'} for {escape(what)}: ", what)
    if confirm and secret != _prompt("the same again: ", what):
        raise Malformed("the two passwords differ", path=what, remedy="try again; nothing was written")
    return secret


def _require_terminal(what: str) -> None:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError as error:
        raise Malformed(
            "a password is needed, and there is no terminal to ask on", path=what, remedy=_REMEDY
        ) from error


def _prompt(prompt: str, what: str) -> bytes:
    import getpass

    try:
        return os.fsencode(getpass.getpass(prompt))
    except EOFError as error:
        raise Malformed("no password was given", path=what, remedy=_REMEDY) from error
