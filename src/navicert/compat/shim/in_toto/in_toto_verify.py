"""`in-toto-verify`: judges a chain by its layout."""

from __future__ import annotations

import argparse
import sys

from navicert.compat.shim.in_toto import __version__, argument
from navicert.compat.shim.in_toto.exceptions import InvalidMetadata, RuleVerificationError, SignatureVerificationError
from navicert.compat.shim.in_toto.settings import LINK_CMD_EXEC_TIMEOUT
from navicert.compat.shim.message import Log, told
from navicert.compat.shim.securesystemslib.exceptions import FormatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

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
    parser = argument.Parser(
        editions=EDITIONS,
        description="Judge a supply chain by its layout: who signed, which step consumed and produced what, and what"
        "\nthe inspections say. Says nothing and returns 0 where all is well, 1 where it is not.",
        epilog="example:\n  in-toto-verify --layout root.layout --verification-keys owner.pub --link-dir links",
    )
    parser.usage = f"%(prog)s <named arguments> [{argument.OPTS_TITLE.lower()}]"
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
    return argument.finish(parser, __version__)


def main() -> None:
    """Run the program. Exits with 0 passed, 1 not passed, 2 for wrong usage."""
    parser = create_parser()
    args = parser.parse_args()
    LOG.obey(args.verbose, args.quiet)
    paths = [*(args.verification_keys or ()), *(args.layout_keys or ())]
    if not (args.gpg or paths):
        parser.print_help()
        parser.error(
            "wrong arguments: specify at least one layout verification key: '--verification-keys path [path ...]'"
            " and/or '--gpg id [id ...]'."
        )
    try:
        from navicert.compat.shim.in_toto import keyring

        LOG.info("Loading layout...")
        layout = _load(args.layout)
        owners: dict[str, dict[str, Any]] = {}
        if args.gpg:
            from navicert.compat.shim.securesystemslib._gpg import functions as gpg

            LOG.info("Loading layout gpg key(s)...")
            owners |= gpg.export_pubkeys(args.gpg, homedir=args.gpg_home)
        files = {key["keyid"]: (path, key) for path, key in keyring.public_keys(paths, args.key_types)}
        owners |= {keyid: key for keyid, (_, key) in files.items()}
        try:
            _verify(layout, owners, args.link_dir, args.inspect_timeout)
        except SignatureVerificationError as error:
            named = next((f", key '{path}'" for keyid, (path, _) in files.items() if keyid in str(error)), "")
            raise SignatureVerificationError(f"{error} (layout '{args.layout}'{named})") from error
    except RuleVerificationError as error:
        LOG.error("(in-toto-verify) %s", told(error))
        sys.exit(1)
    except Exception as error:  # noqa: BLE001  # the edge: whatever it is becomes one line
        LOG.error("(in-toto-verify) %s", told(error, f"for '{args.layout}'"))
        sys.exit(1)
    sys.exit(0)


def _verify(layout: Any, owners: dict[str, dict[str, Any]], folder: str, timeout: float | None) -> None:
    """As `in_toto_verify`, whose summary nobody wants here: a link of many artifacts takes long to make."""
    from navicert.compat.shim.in_toto import verifylib
    from navicert.compat.shim.in_toto.inspecting import Inspector
    from navicert.model.artifact import Artifacts
    from navicert.model.link import Link

    found = verifylib._passing(layout, owners, folder, None, Inspector(True, timeout))
    if not isinstance(found, Link) or not all(Artifacts.of(one).plain for one in (found.materials, found.products)):
        verifylib._summary(found, "")  # of other digests than SHA-256 upstream may have something to say


def _load(path: str) -> Any:
    """The layout in the file; what is wrong with it is said with the name of the file."""
    from navicert.compat.shim.in_toto.models.metadata import Metadata

    try:
        return Metadata.load(path)
    except (FormatError, InvalidMetadata) as error:
        if path in str(error):
            raise
        raise type(error)(f"{error} ('{path}')") from error
