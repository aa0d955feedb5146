"""`in-toto-mock`: records a command with everything in the current folder, unsigned."""

from __future__ import annotations

import sys

from navicert.compat.shim.in_toto import __version__, argument
from navicert.compat.shim.message import Log, told

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Final

LOG: Final = Log("in_toto")


def create_parser() -> argparse.ArgumentParser:
    """The parser of the options of every release."""
    from navicert.compat.shim.in_toto.parser import Parser

    parser = Parser(
        description="Run a command, and write what is in the current folder before and after it, unsigned, to"
        "\n'<name>.link'.",
        epilog="example:\n  in-toto-mock --name build -- make app",
    )
    parser.usage = "%(prog)s [-h] --name <name> -- <command> [args]"
    configure(parser)
    return argument.finish(parser, __version__)


def configure(parser: argument.Options) -> None:
    """Add the options of every release."""
    named = parser.add_argument_group("required named arguments")
    named.add_argument("-n", "--name", type=str, required=True, metavar="<name>", help="name of the step")
    parser.add_argument(*argument.DSSE_ARGS, **argument.DSSE_KWARGS)
    parser.add_argument("link_cmd", nargs="+", metavar="<command>", help="the command and its arguments, after --")


def main() -> None:
    """Run the program. Exits with 0, 1 where recording failed, 2 for wrong usage."""
    args = argument.read(configure, create_parser)
    LOG.setLevel("INFO")
    try:
        from navicert.compat.shim.in_toto import runlib

        runlib.in_toto_mock(args.name, args.link_cmd, args.use_dsse)
    except Exception as error:  # noqa: BLE001  # the edge: whatever it is becomes one line
        LOG.error("(in-toto-mock) %s", told(error))
        sys.exit(1)
    sys.exit(0)
