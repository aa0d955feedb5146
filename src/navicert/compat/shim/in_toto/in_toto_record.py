"""`in-toto-record`: records a step that is no single command, in two halves."""

from __future__ import annotations

import sys

from navicert.compat.shim.in_toto import __version__, argument
from navicert.compat.shim.in_toto.argument import getpass
from navicert.compat.shim.in_toto.in_toto_run import add_keys
from navicert.compat.shim.message import Log, told

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Final

LOG: Final = Log("in_toto")

_OLD: Final = "step-name materials products key key-type password gpg gpg-home exclude base-path lstrip-paths"
_REST: Final = "metadata-directory verbose quiet help"
EDITIONS: Final = (
    argument.long_options(_OLD.replace(" key key-type", ""), _REST, "signing-key use-dsse"),
    argument.long_options(_OLD, _REST, "signing-key use-dsse"),
    argument.long_options(_OLD, _REST),
)
"""Long options of 3.1.0, 2.x and 1.3.1."""


def create_parser() -> argparse.ArgumentParser:
    """The parser of the options of every release."""
    from navicert.compat.shim.in_toto.parser import Parser

    parser = Parser(
        description="Record a step that is no single command: its materials when it begins (start), its products when"
        "\nit ends (stop).",
        epilog="example:\n  in-toto-record start -n edit --signing-key keys/bob -m src\n"
        "  in-toto-record stop -n edit --signing-key keys/bob -p src",
    )
    parser.add_argument("--version", action="version", version=f"{parser.prog} {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, parser_class=Parser)
    start = commands.add_parser("start", help="record materials", editions=EDITIONS)
    stop = commands.add_parser("stop", help="record products", editions=EDITIONS)
    for half in (start, stop):
        named = half.add_argument_group("required named arguments")
        named.add_argument("-n", "--step-name", type=str, required=True, metavar="<name>", help="name of the step")
        add_keys(half, named)
        argument.add_verbosity(half)
    text = "files, folders and patterns to record"
    start.add_argument("-m", "--materials", type=str, nargs="+", metavar="<path>", help=text)
    stop.add_argument("-p", "--products", type=str, nargs="+", metavar="<path>", help=text)
    stop.add_argument(*argument.METADATA_DIRECTORY_ARGS, **argument.METADATA_DIRECTORY_KWARGS)
    argument.title_case_action_groups(parser)
    argument.sort_action_groups(parser, ["Positional Arguments", argument.OPTS_TITLE])
    for half in (start, stop):
        argument.title_case_action_groups(half)
        argument.sort_action_groups(half)
    return parser


def main() -> None:
    """Run the program. Exits with 0, 1 where recording failed, 2 for wrong usage."""
    parser = create_parser()
    args = parser.parse_args()
    LOG.obey(args.verbose, args.quiet)
    if sum(map(bool, (args.gpg, args.signing_key, args.key))) != 1:
        parser.print_usage()
        parser.error("Specify either '--signing-key <path>', '--key <path>' or '--gpg [<keyid>]'")
    try:
        from navicert.compat.shim.in_toto import keyring, runlib

        password, prompt = argument.parse_password_and_prompt_args(args)
        if prompt and not args.gpg:
            password = getpass()
        secret = None if password is None else password.encode()
        same = {
            "exclude_patterns": args.exclude_patterns,
            "base_path": args.base_path,
            "lstrip_paths": args.lstrip_paths,
            **keyring.chosen(args, secret),
        }
        if args.command == "start":
            runlib.in_toto_record_start(args.step_name, args.materials, use_dsse=args.use_dsse, **same)
        else:
            runlib.in_toto_record_stop(
                args.step_name, args.products, metadata_directory=args.metadata_directory, **same
            )
    except Exception as error:  # noqa: BLE001  # the edge: whatever it is becomes one line
        LOG.error("(in-toto-record %s) %s", args.command, told(error))
        sys.exit(1)
    sys.exit(0)
