"""`navicert evidence unpack`: what is in a pack, into a store."""

from __future__ import annotations

from contextlib import closing

from navicert.cli import option
from navicert.cli.terminal import escape, say

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse


HELP = "put what is in a pack into a store"
DESCRIPTION = """Put the evidence in PACK into --store, once all of PACK has been checked. It is not verified by this:
whoever reads it from the store verifies it."""
EXAMPLE = "navicert evidence unpack app.pack --store sqlite:ev.db"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("pack", metavar="PACK", help="file made by navicert evidence pack")
    option.add_store(parser, required=True)
    parser.add_argument("--layout", metavar="OUT", help="write the layout in it here; - for stdout")
    parser.add_argument("--force", action="store_true", help="replace OUT if it exists")
    option.add_json(parser)
    option.add_limits(parser)


def run(args: argparse.Namespace) -> int:
    """Unpack, and say what went where."""
    from navicert.store.pack import read_pack
    from navicert.store.uri import open_store

    bounds = option.limits(args)
    pack = read_pack(args.pack, bounds)
    with closing(open_store(args.store, bounds)) as store:
        if args.layout is not None:
            option.write_file(args.layout, pack.layout, force=args.force)
        origins = store.put_many(pack.filings)
    if args.layout == "-":
        return 0
    if args.json:
        from navicert.report.json import render_object

        say(render_object({"type": "navicert-put/v1", "store": args.store, "documents": origins, "unread": []}))
    else:
        say(f"{escape(args.store)}: {len(origins)} document{'s' * (len(origins) != 1)} from {escape(args.pack)}")
    return 0
