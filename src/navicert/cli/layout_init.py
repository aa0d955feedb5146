"""`navicert layout init`: writes a first layout."""

from __future__ import annotations

from navicert.cli.option import write_file
from navicert.cli.terminal import escape, say
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse


HELP = "write a first layout in YAML, to go on from"
DESCRIPTION = """Write a complete, commented layout in YAML. Its rules let each step use what the one
before it made; narrow them to what your steps really touch."""
EXAMPLE = "navicert layout init --step build --step scan --functionary ci=keys/ci.pub"

_STEPS = ("checkout", "build", "scan")
_FUNCTIONARIES = ("builder=keys/builder.pub", "scanner=keys/scanner.pub")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("file", nargs="?", default="layout.yaml", metavar="FILE", help="(default: layout.yaml)")
    parser.add_argument("--name", default="my-app", metavar="NAME", help="what the layout is for (default: my-app)")
    parser.add_argument(
        "--step", action="append", metavar="NAME", help=f"a step (repeatable; default: {', '.join(_STEPS)})"
    )
    parser.add_argument(
        "--functionary",
        action="append",
        metavar="NAME=PUB",
        help="who performs steps, and her public key, relative to FILE (repeatable; a name twice: several keys)",
    )
    parser.add_argument("--policy", action="store_true", help="a policy document, which can require attestations")
    parser.add_argument("--force", action="store_true", help="replace FILE if it exists")


def run(args: argparse.Namespace) -> int:
    """Write the file. Raises `Malformed` for bad names, `Refused` where the file exists."""
    from navicert.authoring.template import first_layout

    functionaries: dict[str, list[str]] = {}
    for given in args.functionary or _FUNCTIONARIES:
        name, equals, file = given.partition("=")
        if not (name.strip() and equals and file):
            raise Malformed("not a functionary", path="--functionary", expected="NAME=PUB", got=repr(given))
        functionaries.setdefault(name, []).append(file)
    text = first_layout(args.name, args.step or _STEPS, functionaries, policy=args.policy)
    write_file(args.file, text.encode(), force=args.force)
    if args.file != "-":
        say(f"{escape(args.file)}: written – go through its rules, then: navicert layout lint {escape(args.file)}")
    return 0
