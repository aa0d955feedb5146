"""`navicert evidence gc`: lets go of what no kept release needs."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

from navicert.cli import option
from navicert.cli.evidence_view import count, table
from navicert.cli.policy import add_policies, policies
from navicert.cli.terminal import complain, say
from navicert.timestamp import format_timestamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from navicert.store.retention import Retention

HELP = "remove what no kept release needs"
DESCRIPTION = """Say what of the layout's evidence in --store no kept release needs; with --delete, remove it. A release
is a link of the last step. Kept are the chains of the releases that are named by --keep-days or --keep-runs, whatever
is younger, and all that is not signed for a step of the layout."""
EXAMPLE = "navicert evidence gc --store sqlite:e --layout l --owner o.pub --keep-runs 9"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    option.add_store(parser, required=True)
    add_policies(parser)
    group = parser.add_mutually_exclusive_group(required=True)
    group.add_argument("--keep-days", type=count, metavar="N", help="keep the releases of the last N days")
    group.add_argument("--keep-runs", type=count, metavar="N", help="keep the last N releases of each layout")
    parser.add_argument("--delete", action="store_true", help="remove it (default: say what would be removed)")
    option.add_json(parser)
    option.add_limits(parser)


def run(args: argparse.Namespace) -> int:
    """Weigh, report, and remove if asked to."""
    from navicert.store.retention import Keep, sweep, weigh
    from navicert.store.uri import open_store

    bounds = option.limits(args)
    since = None if args.keep_days is None else datetime.now(UTC) - timedelta(days=args.keep_days)
    with closing(open_store(args.store, bounds)) as store:
        retention = weigh(store, policies(args), Keep(since, args.keep_runs), bounds)
        removed = sweep(store, retention) if args.delete else 0
    _report(args, retention, removed)
    return 0


def _report(args: argparse.Namespace, retention: Retention, removed: int) -> None:
    doomed = sorted(retention.doomed, key=lambda one: (one.filed_at, one.origin))
    size = sum(one.size for one in doomed)
    if args.json:
        from navicert.report.json import render_object

        entries = [
            {"where": one.origin, "step": one.step, "filed_at": format_timestamp(one.filed_at), "bytes": one.size}
            for one in doomed
        ]
        facts = {"releases": retention.releases, "kept": retention.kept, "other": retention.foreign, "removed": removed}
        say(render_object({"type": "navicert-gc/v1", "deleted": args.delete, **facts, "documents": entries}))
        return
    rows = [(f"{one.filed_at:%Y-%m-%d %H:%M}", one.step or "-", str(one.size), one.origin) for one in doomed]
    for line in table(rows, ("FILED", "STEP", "BYTES", "WHERE")):
        say(line)
    kept = f"{retention.kept} kept for {retention.releases} release{'s' * (retention.releases != 1)}"
    say(f"{len(doomed)} no longer needed ({size} bytes), {kept}, {retention.foreign} of others")
    if args.delete:
        say(f"{removed} removed")
    elif doomed:
        complain("nothing was removed; --delete does it")
