"""`navicert layout lint`: says what is wrong with a layout, or weaker than it looks."""

from __future__ import annotations

from collections import Counter

from navicert.cli.layout_source import finding_line, findings_about, load_policy
from navicert.cli.option import add_at, add_json, add_limits, at
from navicert.cli.terminal import escape, say

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse


HELP = "say what is wrong with a layout, or weaker than it looks"
DESCRIPTION = """Look for what the author of a layout probably did not mean. Exit code 1 where there is an
error, with --strict also for a warning; each [id] is explained in docs/reference/lint.md."""
EXAMPLE = "navicert layout lint layout.yaml --strict"

_PLURAL = {"error": "errors", "warning": "warnings", "info": "notes"}
_SINGULAR = {"error": "error", "warning": "warning", "info": "note"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("file", metavar="FILE", help="layout: YAML, JSON, or signed; - for standard input")
    parser.add_argument("--strict", action="store_true", help="exit code 1 for warnings as well")
    add_at(parser)
    add_json(parser)
    add_limits(parser)


def run(args: argparse.Namespace) -> int:
    """Print the findings; 1 where they should stop somebody."""
    from navicert.authoring.lint import worst

    moment = at(args)
    findings = findings_about(load_policy(args, moment), moment)
    counts = Counter(finding.severity.value for finding in findings)
    if args.json:
        from navicert.report.json import render_object

        report = {
            "type": "navicert-lint/v1",
            "file": args.file,
            "counts": {severity: counts[severity] for severity in _PLURAL},
            "findings": [finding.to_json() for finding in findings],
        }
        say(render_object(report))
    else:
        for finding in findings:
            say(finding_line(args.file, finding))
        told = [
            f"{counts[severity]} {(_SINGULAR if counts[severity] == 1 else _PLURAL)[severity]}"
            for severity in _PLURAL
            if counts[severity]
        ]
        say(f"{escape(args.file)}: {', '.join(told) or 'nothing to say'}")
    return int(worst(findings, strict=args.strict))
