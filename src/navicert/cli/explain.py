"""`navicert explain`: what a check means, why it usually fails and what to do; or a verdict that was kept as JSON."""

from __future__ import annotations

import os
import sys
import textwrap

from navicert.cli import option
from navicert.cli.parser import suggestion
from navicert.cli.terminal import colour_wanted, escape, say, width
from navicert.dataclass import replace
from navicert.errors import Malformed
from navicert.slsa.catalogue import CHECKS
from navicert.strictjson import loads
from navicert.verify.catalogue import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from navicert.verdict import Verdict

HELP = "say what a check means and what to do about it"
DESCRIPTION = """Say what the check ID means, which sentence asks for it, why it usually fails and what
to do. With a verdict from `verify --json`: show it, and explain every cause."""
EXAMPLE = "navicert explain rule.disallow"

_PARTS = (("asked for by", "spec"), ("likely cause", "cause"), ("what to do", "remedy"))


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument(
        "what", nargs="?", metavar="ID|VERDICT", help="check id or verdict file (default: list all ids)"
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="of a verdict show the whole tree")
    option.add_json(parser)
    option.add_limits(parser)


def run(args: argparse.Namespace) -> int:
    """Explain one check, all checks, or a verdict."""
    if args.what is None:
        _print(args, dict(CHECKS), brief=True)
    elif args.what in CHECKS:
        _print(args, {args.what: CHECKS[args.what]})
    elif args.what == "-" or os.path.exists(args.what):
        _explain_verdict(args)
    else:
        raise Malformed(
            f"no such check, and no such file: {args.what}",
            path="explain",
            remedy=suggestion(args.what, list(CHECKS)) or "navicert explain lists all checks",
        )
    return 0


def _print(args: argparse.Namespace, entries: dict[str, Entry], *, brief: bool = False) -> None:
    if args.json:
        from navicert.report.json import render_object

        say(render_object([{"id": id, **_fields(entry)} for id, entry in entries.items()]))
        return
    columns = width(sys.stdout)
    if brief:
        longest = max(len(id) for id in entries)
        for id, entry in entries.items():
            line = f"{id:<{longest}}  {entry.meaning}"
            say(line if len(line) <= columns else f"{line[: columns - 1]}…")
        return
    say("\n\n".join(_paragraph(id, entry, columns) for id, entry in entries.items()))


def _fields(entry: Entry) -> dict[str, str]:
    return {"meaning": entry.meaning, "spec": entry.spec, "cause": entry.cause, "remedy": entry.remedy}


def _paragraph(id: str, entry: Entry, columns: int) -> str:
    lines = [id, *textwrap.wrap(entry.meaning, columns - 2, initial_indent="  ", subsequent_indent="  ")]
    for label, name in _PARTS:
        lines += textwrap.wrap(
            f"{label:<13} {_fields(entry)[name]}", columns - 2, initial_indent="  ", subsequent_indent=" " * 16
        )
    return "\n".join(lines)


def _explain_verdict(args: argparse.Namespace) -> None:
    from navicert.report.finding import findings
    from navicert.report.text import render_text

    verdict = _read(args)
    ids = list(dict.fromkeys(finding.check.id for finding in findings(verdict)))
    if args.json:
        _print(args, {id: CHECKS[id] for id in ids if id in CHECKS})
        return
    out = sys.stdout
    say(render_text(verdict, colour=colour_wanted(out), width=width(out), verbose=args.verbose))
    for id in ids:
        # Nobody signed the file: an id may be anything.
        entry = CHECKS.get(id)
        say("\n" + (_paragraph(id, entry, width(out)) if entry else f"{escape(id)}\n  not a check of this version"))


def _read(args: argparse.Namespace) -> Verdict:
    from navicert.report.json import from_json

    bounds = option.limits(args)
    raw = option.read_file(args.what, bounds.document_bytes)
    try:
        return from_json(loads(raw, replace(bounds, json_depth=max(bounds.json_depth, 256))))
    except Malformed as error:
        raise error.at(args.what) from None
