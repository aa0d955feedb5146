"""Options that several commands share, what they mean, and the reading and writing of the files that they name.

For each there is `add_…(parser)`, which adds it, and a function of the parsed arguments, which gives its value.
Everything is an argument: nothing is taken from a configuration file or, unless an option names it, the environment.
"""

from __future__ import annotations

import errno
import os
import stat
import sys

from navicert.dataclass import replace
from navicert.errors import LimitExceeded, Malformed, Refused
from navicert.limits import LOCAL, Limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from argparse import ArgumentParser as Parser
    from collections.abc import Sequence
    from contextlib import ExitStack
    from datetime import datetime
    from typing import Final

    from navicert.crypto.key import IdForm, Key
    from navicert.crypto.signer import Signer
    from navicert.store import OpenSource

# --- options -------------------------------------------------------------------------------------------------------


def add_json(parser: Parser) -> None:
    """`--json`: `args.json`, a bool."""
    parser.add_argument("--json", action="store_true", help="print JSON for programs")


def add_verbosity(parser: Parser) -> None:
    """`-q` and `-v`: `args.quiet`, `args.verbose`, bools, not both."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument("-q", "--quiet", action="store_true", help="print nothing but errors")
    group.add_argument("-v", "--verbose", action="store_true", help="print more")


def add_key(parser: Parser, *, required: bool = True, help: str = "private key to sign with (repeatable)") -> None:
    """`-k KEY`, and how its password is given: `signers(args)`."""
    from navicert.cli.password import add_arguments

    parser.add_argument("-k", "--key", action="append", required=required, default=[], metavar="KEY", help=help)
    add_arguments(parser)


def add_certificate(parser: Parser) -> None:
    """`--cert CERT`: `signers(args)`."""
    parser.add_argument(
        "--cert", metavar="PEM", help="certificate for the key, for layouts that\nname holders of certificates"
    )


def add_timestamp(parser: Parser) -> None:
    """`--timestamp URL`: `signers(args)`."""
    parser.add_argument(
        "--timestamp", metavar="URL", help="have the authority at URL timestamp the signature (RFC 3161)"
    )


def add_store(parser: Parser, *, repeat: bool = False, required: bool = False) -> None:
    """`--store`: `args.store`, a store's URI, or with `repeat` the list of them; `.` where none is given."""
    if repeat:
        parser.add_argument(
            "--store", action="append", metavar="URI", help="where the evidence is (repeatable; default: .)"
        )
    elif required:
        parser.add_argument("--store", required=True, metavar="URI", help="DIR, sqlite:FILE or postgresql://HOST/DB")
    else:
        parser.add_argument("--store", default=".", metavar="URI", help="where evidence goes (default: .)")


def stores(args: argparse.Namespace) -> tuple[str, ...]:
    """The stores that were named, or the current directory."""
    given = args.store
    return (given,) if isinstance(given, str) else tuple(given or (".",))


def open_sources(args: argparse.Namespace, cleanup: ExitStack) -> list[OpenSource]:
    """The stores that were named, or the current directory, to be read from until `cleanup` closes them."""
    from navicert.store.uri import open_source

    found = [open_source(uri, limits(args)) for uri in dict.fromkeys(stores(args))]
    for source in found:
        cleanup.callback(source.close)
    return found


def add_limits(parser: Parser) -> None:
    """`--max-document-bytes`: `limits(args)`."""
    parser.add_argument("--max-document-bytes", type=size, metavar="N", help="size of documents that are read (128M)")


def limits(args: argparse.Namespace, preset: Limits = LOCAL) -> Limits:
    """`preset`, with the limits that were raised or lowered by option."""
    given: int | None = args.max_document_bytes
    return preset if given is None else replace(preset, document_bytes=given)


def add_at(parser: Parser) -> None:
    """`--at TIME`: `at(args)`."""
    parser.add_argument("--at", metavar="TIME", help="moment to judge for, as 2026-01-31T00:00:00Z")


def at(args: argparse.Namespace) -> datetime:
    """The moment given with `--at`, or now, in UTC. Raises `Malformed`."""
    from navicert.datetime import UTC, datetime

    if args.at is None:
        return datetime.now(UTC).replace(microsecond=0)
    from navicert.timestamp import parse_timestamp

    try:
        return parse_timestamp(args.at)
    except Malformed as error:
        raise error.at("--at") from None


MOST_BYTES: Final = 16 * 1024**3
"""The largest bound that may be set: a document is read into memory as a whole."""


def size(text: str) -> int:
    """A number of bytes such as `4096`, `512K`, `128M` or `2G` (powers of 1024); for argparse's `type=`."""
    unit = {"K": 1024, "M": 1024**2, "G": 1024**3}.get(text[-1:].upper(), 1)
    digits = text if unit == 1 else text[:-1]
    if not (digits.isascii() and digits.isdigit() and len(digits) < 16) or int(digits) < 1:
        raise wrong(f"not a size: {text[:40]!r} (such as 4096, 512K, 128M or 2G)")
    if int(digits) * unit > MOST_BYTES:
        raise wrong(f"more than can be read at once: {text[:40]!r} (at most 16G)")
    return int(digits) * unit


def wrong(text: str) -> Exception:
    """What a function for argparse's `type=` raises to have `text` shown."""
    from argparse import ArgumentTypeError

    return ArgumentTypeError(text)


# --- keys ----------------------------------------------------------------------------------------------------------


def signers(args: argparse.Namespace, *, id_form: IdForm | None = None) -> tuple[Signer, ...]:
    """The private keys given with `--key`, unlocked, and with the certificate given with `--cert`. Raises `Malformed`,
    `Unavailable`, and `Refused` for a certificate for another key."""
    from navicert.cli.password import source
    from navicert.trust.keyfile import open_signer

    certificate: str | None = getattr(args, "cert", None)
    if certificate is not None and len(args.key) > 1:
        raise Malformed("a certificate is for one key", path="--cert", got=f"{len(args.key)} keys")
    # Read before a password is asked for.
    text = None if certificate is None else read_file(certificate, LOCAL.key_bytes)
    opened: tuple[Signer, ...] = tuple(
        open_signer(name, password=source(args, name), id_form=id_form) for name in args.key
    )
    if text is not None and certificate is not None:
        from navicert.crypto.certificate_key import certified

        opened = (certified(opened[0], text.decode("ascii", "replace"), certificate),)
    url: str | None = getattr(args, "timestamp", None)
    if url is None:
        return opened
    from navicert.trust.timestamp_authority import TimestampedSigner

    return tuple(TimestampedSigner(signer, url) for signer in opened)


def public_keys(names: Sequence[str]) -> tuple[Key, ...]:
    """The public keys in the files (or variables) that are named. Raises `Malformed`, for private keys too, and
    `Unavailable`."""
    from navicert.trust.keyfile import open_public_key

    return tuple(open_public_key(name) for name in names)


# --- files ---------------------------------------------------------------------------------------------------------


def read_file(path: str, limit: int = LOCAL.document_bytes) -> bytes:
    """The bytes of the file at `path`; of standard input for `-`. Raises `LimitExceeded` beyond `limit` bytes,
    `OSError` where it cannot be read."""
    if path == "-":
        raw = sys.stdin.buffer.read(limit + 1)
    else:
        with open(path, "rb") as stream:
            raw = stream.read(limit + 1)
    if len(raw) > limit:
        raise LimitExceeded(
            "file too large", path=path, expected=f"at most {limit} bytes", remedy="see --max-document-bytes"
        )
    return raw


def write_file(path: str, data: bytes, *, force: bool = False, mode: int = 0o666) -> None:
    """Write `data` to `path` as a whole or not at all: a temporary file beside it, synced, then renamed.

    `-` is standard output; a device or pipe is written to directly. An existing file is refused without `force`
    (`Refused`), and a symbolic link is replaced, never followed. `mode` is subject to the umask.
    """
    if path == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    if _is_special(path):
        with open(path, "wb") as stream:
            stream.write(data)
        return
    directory = os.path.dirname(path) or "."
    # A name like path itself would be too long where path uses all that the file system allows.
    temporary = os.path.join(directory, f".navicert-{os.urandom(8).hex()}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
    except OSError as error:
        # Name what the user asked for, not a file that never was.
        raise type(error)(error.errno, error.strerror, path) from error
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        _place(temporary, path, force=force)
    finally:
        if os.path.lexists(temporary):
            os.unlink(temporary)
    _sync_directory(directory)


def _place(temporary: str, path: str, *, force: bool) -> None:
    if force:
        os.replace(temporary, path)
        return
    try:
        os.link(temporary, path)  # fails where path exists, in one step
    except FileExistsError as error:
        raise Refused("already exists", path=path, remedy="give --force to replace it") from error
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS):
            raise
        _place_without_links(temporary, path)


def _place_without_links(temporary: str, path: str) -> None:
    """The same on a file system without hard links: take the name first, then rename over it."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW))
    except FileExistsError as error:
        raise Refused("already exists", path=path, remedy="give --force to replace it") from error
    os.replace(temporary, path)


def _is_special(path: str) -> bool:
    try:
        kind = os.stat(path).st_mode
    except OSError:
        return False
    if stat.S_ISDIR(kind):
        raise IsADirectoryError(errno.EISDIR, "is a directory", path)
    return not stat.S_ISREG(kind)


def _sync_directory(directory: str) -> None:
    try:
        descriptor = os.open(directory, os.O_RDONLY)
    except OSError:
        return  # some systems do not open directories; the file itself is synced
    try:
        os.fsync(descriptor)
    except OSError:
        return  # nor do all file systems sync them
    finally:
        os.close(descriptor)
