"""`in-toto-verify`: judges a chain by its layout."""

from __future__ import annotations

import sys

from navicert.compat.shim.in_toto import __version__, argument
from navicert.compat.shim.in_toto.settings import LINK_CMD_EXEC_TIMEOUT
from navicert.compat.shim.message import Log, told

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from datetime import datetime
    from typing import Any, Final

    from navicert.compat.shim.in_toto.policy import KeyFiles
    from navicert.verify.case import Policy

LOG: Final = Log("in_toto")

_OLD: Final = "layout gpg link-dir gpg-home verbose quiet version help"
EDITIONS: Final = (
    argument.long_options(_OLD, "verification-keys inspection-timeout"),
    argument.long_options(_OLD, "verification-keys inspection-timeout layout-keys key-types"),
    argument.long_options(_OLD, "layout-keys key-types"),
)
"""Long options of 3.1.0, 2.x and 1.3.1."""


def create_parser() -> argparse.ArgumentParser:
    """The parser of the options of every release."""
    from navicert.compat.shim.in_toto.parser import Parser

    parser = Parser(
        editions=EDITIONS,
        description="Judge a supply chain by its layout: who signed, which step consumed and produced what, and what"
        "\nthe inspections say. Says nothing and returns 0 where all is well, 1 where it is not.",
        epilog="example:\n  in-toto-verify --layout root.layout --verification-keys owner.pub --link-dir links",
    )
    parser.usage = f"%(prog)s <named arguments> [{argument.OPTS_TITLE.lower()}]"
    configure(parser)
    return argument.finish(parser, __version__)


def configure(parser: argument.Options) -> None:
    """Add the options of every release."""
    named = parser.add_argument_group("required named arguments")
    named.add_argument("-l", "--layout", type=str, required=True, metavar="<path>", help="signed layout")
    help = "public keys of the layout's owners, of any form; each of them must have signed"
    named.add_argument("--verification-keys", type=str, metavar="<path>", nargs="+", help=help)
    named.add_argument("-k", "--layout-keys", type=str, metavar="<path>", nargs="+", help="the same, as of old")
    named.add_argument("-g", "--gpg", nargs="+", metavar="<id>", help="gpg keys of owners; each must have signed")
    parser.add_argument(
        "-t",
        "--key-types",
        dest="key_types",
        nargs="+",
        choices=["rsa", "ed25519", "ecdsa"],
        help="types that the keys must be of, one for each or one for all; the files say themselves what they are",
    )
    parser.add_argument("--link-dir", type=str, metavar="<path>", default=".", help="folder of the links (default: .)")
    parser.add_argument(*argument.GPG_HOME_ARGS, **argument.GPG_HOME_KWARGS)
    parser.add_argument(
        "--inspection-timeout",
        dest="inspect_timeout",
        type=int,
        default=LINK_CMD_EXEC_TIMEOUT,
        metavar="<seconds>",
        help=f"seconds that each inspection may take (default: {LINK_CMD_EXEC_TIMEOUT})",
    )
    argument.add_verbosity(parser)


def main() -> None:
    """Run the program. Exits with 0 passed, 1 not passed, 2 for wrong usage."""
    args = argument.read(configure, create_parser)
    LOG.obey(args.verbose, args.quiet)
    paths = [*(args.verification_keys or ()), *(args.layout_keys or ())]
    if not (args.gpg or paths):
        parser = create_parser()
        parser.print_help()
        parser.error(
            "wrong arguments: specify at least one layout verification key: '--verification-keys path [path ...]'"
            " and/or '--gpg id [id ...]'."
        )
    try:
        _verify(args, paths)
    except Exception as error:  # noqa: BLE001  # the edge: whatever it is becomes one line
        LOG.error("(in-toto-verify) %s", told(error, f"for '{args.layout}'"))
        sys.exit(1)
    sys.exit(0)


def _verify(args: argparse.Namespace, paths: Sequence[str]) -> None:
    """As `in_toto_verify`, whose summary nobody wants here: a link of many artifacts takes long to make."""
    from datetime import UTC, datetime

    from navicert.compat.shim.in_toto.inspecting import Inspector
    from navicert.compat.shim.in_toto.policy import KeyFiles
    from navicert.compat.shim.in_toto.verification import judge, summary_of
    from navicert.errors import Malformed
    from navicert.model.artifact import Artifacts
    from navicert.model.link import Link

    LOG.info("Loading layout...")
    raw, files, now = _received(args.layout), KeyFiles(), datetime.now(UTC)
    try:
        policy = _plain_policy(raw, args, paths, files, now) or _policy(raw, args, paths, files, now)
        try:
            judgement = judge(policy, now, args.link_dir, None, Inspector(True, args.inspect_timeout))
        except Malformed as error:
            from navicert.compat.shim.in_toto.culprit import named
            from navicert.compat.shim.securesystemslib.exceptions import FormatError

            raise FormatError(named(error, _loaded(raw, args.layout))) from error
        found = summary_of(judgement)
    except Exception as error:
        from navicert.compat.shim.in_toto.exceptions import SignatureVerificationError

        if not isinstance(error, SignatureVerificationError):
            raise
        path = files.named_in(str(error))
        where = f"layout '{args.layout}'" + (f", key '{path}'" if path else "")
        raise SignatureVerificationError(f"{error} ({where})") from error
    if isinstance(found, Link) and not all(Artifacts.of(one).plain for one in (found.materials, found.products)):
        from navicert.compat.shim.in_toto import verifylib

        verifylib._summary(found, "")  # of other digests than SHA-256 upstream may have something to say


def _received(path: str) -> bytes:
    """What is in the file: read once, as it may be a pipe, and no more of it than is ever looked at."""
    from navicert.limits import LOCAL

    with open(path, "rb") as stream:
        return stream.read(LOCAL.document_bytes + 1)


def _plain_policy(
    raw: bytes, args: argparse.Namespace, paths: Sequence[str], files: KeyFiles, now: datetime
) -> Policy | None:
    """The policy in the layout `raw`, if it is plain, and so are the options about keys."""
    from navicert.compat.shim.in_toto.policy import plain_policy
    from navicert.errors import NavicertError

    if args.gpg or args.key_types:
        return None
    try:
        owners = [files.open(path) for path in paths]
    except NavicertError:
        return None
    policy = plain_policy(raw, args.layout, owners, now)
    if policy is not None:
        LOG.info("Verifying layout metadata signatures...")
        LOG.info("Extracting layout from metadata...")
        LOG.info("Verifying layout expiration...")
    return policy


def _policy(raw: bytes, args: argparse.Namespace, paths: Sequence[str], files: KeyFiles, now: datetime) -> Policy:
    """The policy in the layout `raw`, read as in-toto reads it. Raises what upstream raises where something is wrong
    with the layout, the keys, or the signatures."""
    from navicert.compat.shim.in_toto import keyring, verifylib

    layout = _loaded(raw, args.layout)
    owners: dict[str, dict[str, Any]] = {}
    if args.gpg:
        from navicert.compat.shim.securesystemslib._gpg import functions as gpg

        LOG.info("Loading layout gpg key(s)...")
        owners |= gpg.export_pubkeys(args.gpg, homedir=args.gpg_home)
    owners |= keyring.public_keys(paths, args.key_types, files.open)
    return verifylib._policy(layout, owners, None, now)


def _loaded(raw: bytes, path: str) -> Any:
    """The layout in `raw`, the file at `path`; what is wrong with it is said with the name of the file."""
    from navicert.compat.shim.in_toto.exceptions import InvalidMetadata
    from navicert.compat.shim.in_toto.models.metadata import Metadata
    from navicert.compat.shim.securesystemslib.exceptions import FormatError

    try:
        return Metadata._read(path, raw)
    except (FormatError, InvalidMetadata) as error:
        if path in str(error):
            raise
        raise type(error)(f"{error} ('{path}')") from error
