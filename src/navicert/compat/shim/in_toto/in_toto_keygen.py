"""`in-toto-keygen`: makes a pair of keys in the form of in-toto 1.x."""

from __future__ import annotations

import sys

from navicert.compat.shim.in_toto import SUPPORTED_KEY_TYPES, argument
from navicert.compat.shim.message import Log, told

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Final

LOG: Final = Log("in_toto")
_VERSION: Final = "1.3.1"
"""The release whose files are written; later ones have no such program."""


def create_parser() -> argparse.ArgumentParser:
    """The parser of the options of every release."""
    from navicert.compat.shim.in_toto.parser import Parser

    parser = Parser(
        description="Make a pair of keys: '<filename>', which is private, and '<filename>.pub'.",
        epilog="example:\n  in-toto-keygen -t ed25519 keys/bob",
    )
    parser.add_argument("-p", "--prompt", action="store_true", help="ask for a password to encrypt the private key")
    parser.add_argument(
        "-t", "--type", type=str, choices=SUPPORTED_KEY_TYPES, default="rsa", help="type of the keys (default: rsa)"
    )
    parser.add_argument("name", type=str, metavar="<filename>", help="file to write the private key to")
    parser.add_argument(
        "-b", "--bits", default=3072, type=int, metavar="<bits>", help="length of an RSA key (default: 3072)"
    )
    parser.add_argument("--version", action="version", version=f"{parser.prog} {_VERSION}")
    argument.title_case_action_groups(parser)
    return parser


def main() -> None:
    """Run the program. Exits with 0, 1 where it failed, 2 for wrong usage."""
    args = create_parser().parse_args()
    try:
        from navicert.compat.shim.securesystemslib.interface import write_keypair

        write_keypair(args.type, args.name, bits=args.bits, prompt=args.prompt)
    except Exception as error:  # noqa: BLE001  # the edge: whatever it is becomes one line
        LOG.error("(in-toto-keygen) %s", told(error))
        sys.exit(1)
    sys.exit(0)
