"""`in-toto-run`: records a step around one command."""

from __future__ import annotations

import sys

from navicert.compat.shim.in_toto import __version__, argument
from navicert.compat.shim.in_toto.argument import getpass
from navicert.compat.shim.message import Log, told

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Final

LOG: Final = Log("in_toto")

_OLD: Final = "step-name materials products record-streams no-command key key-type password gpg gpg-home exclude"
_PLACE: Final = "base-path lstrip-paths metadata-directory verbose quiet version help"
EDITIONS: Final = (
    argument.long_options(_OLD.replace(" key key-type", ""), _PLACE, "signing-key use-dsse run-timeout"),
    argument.long_options(_OLD, _PLACE, "signing-key use-dsse run-timeout"),
    argument.long_options(_OLD, _PLACE),
)
"""Long options of 3.1.0, 2.x and 1.3.1."""


def create_parser() -> argparse.ArgumentParser:
    """The parser of the options of every release."""
    from navicert.compat.shim.in_toto.parser import Parser

    parser = Parser(
        editions=EDITIONS,
        description="Run one step of a supply chain: record materials, run the command, record products, and write"
        "\nall of it, signed, to '<name>.<keyid prefix>.link'.",
        epilog="example:\n  in-toto-run -n build --signing-key keys/bob -m src -p app -- make app",
    )
    parser.usage = f"%(prog)s <named arguments> [{argument.OPTS_TITLE.lower()}] \\\n\t -- <command> [args]"
    configure(parser)
    return argument.finish(parser, __version__)


def configure(parser: argument.Options) -> None:
    """Add the options of every release."""
    named = parser.add_argument_group("required named arguments")
    named.add_argument("-n", "--step-name", type=str, required=True, metavar="<name>", help="name of the step")
    for flags, what in (("-m --materials", "before"), ("-p --products", "after")):
        text = f"files, folders and patterns to record {what} the command is run"
        parser.add_argument(*flags.split(), type=str, nargs="+", metavar="<path>", help=text)
    parser.add_argument("-s", "--record-streams", action="store_true", help="show and record the output of the command")
    parser.add_argument("-x", "--no-command", action="store_true", help="run nothing, only record")
    add_keys(parser, named)
    parser.add_argument(*argument.METADATA_DIRECTORY_ARGS, **argument.METADATA_DIRECTORY_KWARGS)
    parser.add_argument(*argument.RUN_TIMEOUT_ARGS, **argument.RUN_TIMEOUT_KWARGS)
    argument.add_verbosity(parser)
    parser.add_argument("link_cmd", nargs="*", metavar="<command>", help="the command and its arguments, after --")


def add_keys(parser: argument.Options, named: argument.Group) -> None:
    """The options that `in-toto-record` has too: who signs, and where files are."""
    parser.add_argument(*argument.KEY_PASSWORD_ARGS, **argument.KEY_PASSWORD_KWARGS)
    named.add_argument(*argument.GPG_ARGS, **argument.GPG_KWARGS)
    parser.add_argument(*argument.GPG_HOME_ARGS, **argument.GPG_HOME_KWARGS)
    named.add_argument(*argument.SIGNING_KEY_ARGS, **argument.SIGNING_KEY_KWARGS)
    named.add_argument(*argument.KEY_ARGS, **argument.KEY_KWARGS)
    parser.add_argument(*argument.KEY_TYPE_ARGS, **argument.KEY_TYPE_KWARGS)
    parser.add_argument(*argument.EXCLUDE_ARGS, **argument.EXCLUDE_KWARGS)
    parser.add_argument(*argument.BASE_PATH_ARGS, **argument.BASE_PATH_KWARGS)
    parser.add_argument(*argument.LSTRIP_PATHS_ARGS, **argument.LSTRIP_PATHS_KWARGS)
    parser.add_argument(*argument.DSSE_ARGS, **argument.DSSE_KWARGS)


def main() -> None:
    """Run the program. Exits with the code of the command, 1 where recording failed, 2 for wrong usage."""
    args = argument.read(configure, create_parser)
    LOG.obey(args.verbose, args.quiet)
    if sum(map(bool, (args.gpg, args.signing_key, args.key))) != 1:
        argument.refuse(create_parser(), "Specify either '--signing-key <path>', '--key <path>' or '--gpg [<keyid>]'")
    if args.no_command:
        args.link_cmd = []
    elif not args.link_cmd:
        argument.refuse(create_parser(), "No command specified. Please specify (or use the --no-command option)")
    try:
        from navicert.compat.shim.in_toto import keyring, runlib

        password, prompt = argument.parse_password_and_prompt_args(args)
        if prompt and not args.gpg:
            password = getpass()
        secret = None if password is None else password.encode()
        metadata = runlib.in_toto_run(
            args.step_name,
            args.materials,
            args.products,
            args.link_cmd,
            record_streams=args.record_streams,
            exclude_patterns=args.exclude_patterns,
            base_path=args.base_path,
            lstrip_paths=args.lstrip_paths,
            metadata_directory=args.metadata_directory,
            use_dsse=args.use_dsse,
            timeout=args.run_timeout,
            **keyring.chosen(args, secret),
        )
        code = metadata.get_payload().byproducts.get("return-value") or 0
    except Exception as error:  # noqa: BLE001  # the edge: whatever it is becomes one line
        LOG.error("(in-toto-run) %s", told(error))
        sys.exit(1)
    sys.exit(code)
