"""`in-toto-match-products`: compares files with the products of a link."""

from __future__ import annotations

import sys

from navicert.compat.shim.in_toto import argument
from navicert.compat.shim.message import Log, told
from navicert.compat.shim.securesystemslib.exceptions import FormatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any, Final

LOG: Final = Log("in_toto.in_toto_match_products")


def create_parser() -> argparse.ArgumentParser:
    """The parser of the options of every release."""
    from navicert.compat.shim.in_toto.parser import Parser

    parser = Parser(
        description="Compare files with the products of a link. Its signature is not checked."
        "\nReturns 0 where they are the same, 1 where they differ, 2 where that could not be found out.",
        epilog="example:\n  in-toto-match-products -v --link build.776a00e2.link --paths dist",
    )
    configure(parser)
    return argument.finish(parser)


def configure(parser: argument.Options) -> None:
    """Add the options of every release."""
    named = parser.add_argument_group("required named arguments")
    named.add_argument("-l", "--link", type=str, required=True, metavar="<path>", help="link, signed or not")
    parser.add_argument("-p", "--paths", type=str, nargs="+", metavar="<path>", help="files and folders (default: .)")
    parser.add_argument(
        "-e", "--exclude", nargs="+", metavar="<pattern>", help="what not to compare, in the language of .gitignore"
    )
    parser.add_argument(*argument.LSTRIP_PATHS_ARGS, **argument.LSTRIP_PATHS_KWARGS)
    parser.add_argument(*argument.VERBOSE_ARGS, **argument.VERBOSE_KWARGS)


def match_products(*args: Any, **kwargs: Any) -> tuple[set[str], set[str], set[str]]:
    """As `runlib.in_toto_match_products`."""
    from navicert.compat.shim.in_toto.runlib import in_toto_match_products

    return in_toto_match_products(*args, **kwargs)


def main() -> None:
    """Run the program. Exits with 0 the same, 1 different, 2 for wrong usage and whatever went wrong."""
    args = argument.read(configure, create_parser)
    try:
        from navicert.compat.shim.in_toto.models.metadata import Metadata

        link = Metadata.load(args.link).get_payload()
        if link.type_ != "link":
            raise FormatError(f"'{args.link}' is a layout, not a link")
        found = match_products(link, paths=args.paths, exclude_patterns=args.exclude, lstrip_paths=args.lstrip_paths)
    except Exception as error:  # noqa: BLE001  # the edge: whatever it is becomes one line
        LOG.error("(in-toto-match-products) %s", told(error))
        sys.exit(2)
    differ = any(found)
    if args.verbose:
        from navicert.report.line import escape

        print(f"Local artifacts {'don' + chr(39) + 't match' if differ else 'match'} products in passed link.")
        for text, names in zip(("Only in products", "Not in products", "Hashes differ"), found, strict=True):
            for name in sorted(names):
                print(f"{text}: {escape(name)}")
    sys.exit(1 if differ else 0)
