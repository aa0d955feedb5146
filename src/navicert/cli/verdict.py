"""A verdict on the command line: how it is printed, and the exit code that it gives."""

from __future__ import annotations

import sys

from navicert.cli.terminal import colour_wanted, say, width
from navicert.verdict import Outcome, Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse


def exit_code(verdict: Verdict) -> int:
    """0 passed, 1 judged and not passed, 3 could not find out."""
    if verdict.passed:
        return 0
    return 3 if verdict.outcome in (Outcome.ERROR, Outcome.PENDING) else 1


def report(verdict: Verdict, args: argparse.Namespace) -> None:
    """Print `verdict` as `--json`, `--quiet` and `--verbose` ask for."""
    if args.json:
        from navicert.report.json import render_json

        say(render_json(verdict))
    elif not args.quiet:
        from navicert.report.text import render_text

        out = sys.stdout
        say(render_text(verdict, colour=colour_wanted(out), width=width(out), verbose=args.verbose))
