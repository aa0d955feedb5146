"""Write the pages of docs/reference that follow from the program: cli.md and checks.md.

.venv/bin/python scripts/reference.py            # writes them
.venv/bin/python scripts/reference.py --check    # exit code 1 where one of them is out of date
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path

from navicert.cli.main import COMMANDS, build_parser
from navicert.slsa.catalogue import CHECKS as CATALOGUE

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "reference"

CLI = """# The command line

Results go to standard output, everything else to standard error. Exit codes: **0** passed · **1** judged and not passed
(no evidence found included) · **2** wrong usage, a named path that does not exist, a malformed layout or option · **3**
could not find out. `navicert run` passes on the code of the command that it runs. Every command takes `--debug`, which
shows where an error came from. Options are never abbreviated, and nothing is read from configuration files.

Written from the program by `scripts/reference.py`.
"""

CHECKS = """# Checks

Every node of a verdict has an id. The ids below are stable: programs may compare them. `navicert explain ID` prints the
same on a terminal. `[§…]` in a report is the section of the in-toto specification 1.0.

Written from the program by `scripts/reference.py`.
"""


def commands(table: Mapping[str, tuple[str, str]], prog: str) -> Iterator[tuple[str, str]]:
    """Name and text of the section of every command, those of groups too."""
    for word, (name, _) in table.items():
        module = importlib.import_module(name)
        group = getattr(module, "COMMANDS", None)
        if group is not None:
            yield from commands(group, f"{prog} {word}")
        if not hasattr(module, "configure"):
            continue
        parser = build_parser(module, f"{prog} {word}")
        yield f"{prog} {word}", section(parser, getattr(module, "EXAMPLE", ""))


def section(parser: argparse.ArgumentParser, example: str) -> str:
    """The section of one command: what it does, its arguments and options, an example."""
    usage = parser.format_usage().strip().removeprefix("usage: ")
    lines = [*described(parser.description or ""), "", "```", usage, "```", "", "| | |", "|---|---|"]
    for action in parser._actions:
        if action.help == argparse.SUPPRESS or "--help" in action.option_strings:
            continue
        lines.append(f"| `{cell(invocation(parser, action))}` | {cell(explained(parser, action))} |")
    if example:
        lines += ["", "```bash", example.strip(), "```"]
    return "\n".join(lines)


def described(text: str) -> Iterator[str]:
    """A description as Markdown: one line, and lines that are indented as they are."""
    for fixed, group in groupby(text.splitlines(), lambda line: line.startswith("  ")):
        lines = list(group)
        if fixed:
            yield "\n".join(["", "```", *(line[2:] for line in lines), "```", ""])
        else:
            yield " ".join(" ".join(lines).split())


def invocation(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    """How an option or argument is written."""
    return parser._get_formatter()._format_action_invocation(action)


def explained(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    """What an option or argument is for."""
    return parser._get_formatter()._expand_help(action) if action.help else ""


def cell(text: str) -> str:
    """`text` in a cell of a table, where a line would end the row."""
    text = " ".join(text.split())
    return text.replace("|", "\\|").replace("*", "\\*" if "`" not in text else "*")


def cli_page() -> str:
    """The text of cli.md."""
    return CLI + "".join(f"\n## {name}\n\n{text}\n" for name, text in commands(COMMANDS, "navicert"))


def checks_page() -> str:
    """The text of checks.md."""
    text = CHECKS
    for id, entry in CATALOGUE.items():
        text += f"\n## {id}\n\n{entry.meaning}\n\n"
        text += f"- Asked for by: {entry.spec}\n- Likely cause: {entry.cause}\n- What to do: {entry.remedy}\n"
    return text


def main() -> int:
    """Write the pages, or check them."""
    stale = []
    for name, text in (("cli.md", cli_page()), ("checks.md", checks_page())):
        path = FOLDER / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if "--check" not in sys.argv[1:]:
            path.write_text(text, encoding="utf-8")
    for name in stale:
        sys.stderr.write(f"docs/reference/{name}: {'out of date' if '--check' in sys.argv[1:] else 'written'}\n")
    return 1 if stale and "--check" in sys.argv[1:] else 0


if __name__ == "__main__":
    raise SystemExit(main())
