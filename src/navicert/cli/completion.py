"""`navicert completion`: what a shell needs to complete commands, options and file names.

The parsers of all commands are built here, when the completions are written; completing itself starts nothing.
"""

from __future__ import annotations

import argparse
import importlib

from navicert.cli.terminal import say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from navicert.cli.main import Table

HELP = "print completions for bash or zsh"
DESCRIPTION = "Print what SHELL needs to complete commands, options and file names."
EXAMPLE = "navicert completion bash > ~/.local/share/bash-completion/completions/navicert"

_DIRECTORIES = frozenset({"DIR", "STORE", "FOLDER"})
_FILES = frozenset({"FILE", "KEY", "PUB", "OUT", "LAYOUT", "LINK", "PATH", "TARGET", "YAML"})


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("shell", choices=("bash", "zsh", "tcsh"), metavar="SHELL", help="bash, zsh or tcsh")


def run(args: argparse.Namespace) -> int:
    """Print the completions."""
    import shtab

    from navicert.cli.main import COMMANDS

    parser = argparse.ArgumentParser(prog="navicert", allow_abbrev=False)
    parser.add_argument("--version", action="store_true", help="print the version")
    _add(parser, COMMANDS)
    say(shtab.complete(parser, args.shell))
    return 0


def _add(parser: argparse.ArgumentParser, table: Table) -> None:
    """Add the commands of `table` below `parser`, and those of groups below them."""
    commands = parser.add_subparsers()
    for word, (name, help) in table.items():
        module = importlib.import_module(name)
        command = commands.add_parser(word, help=help, allow_abbrev=False)
        group: Table | None = getattr(module, "COMMANDS", None)
        if group is not None:
            _add(command, group)
        if not hasattr(module, "configure"):
            continue
        module.configure(command)
        _complete_paths(command)


def _complete_paths(parser: argparse.ArgumentParser) -> None:
    """Say which arguments are files and which are directories, by what the help calls them."""
    import shtab

    for action in parser._actions:
        words = set(action.metavar if isinstance(action.metavar, tuple) else (action.metavar,))
        if words & _DIRECTORIES:
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
        elif words & _FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
