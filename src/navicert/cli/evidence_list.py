"""`navicert evidence list`: what stores hold."""

from __future__ import annotations

from contextlib import ExitStack

from navicert.cli import option
from navicert.cli.evidence_source import explain_asked
from navicert.cli.evidence_view import add_most, show
from navicert.cli.image import KINDS, Images, add_access
from navicert.cli.terminal import complain

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse


HELP = "list what stores hold"
DESCRIPTION = """List the documents in --store: a folder, sqlite:FILE, postgresql://HOST/DB or pack:FILE; or those
attached to IMAGE, and the places that were asked for them. What they say of themselves is shown, and nothing of it is
verified."""
EXAMPLE = "navicert evidence list --store sqlite:evidence.db"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("image", nargs="?", metavar="IMAGE", help=f"what is attached to it: {KINDS}")
    option.add_store(parser, repeat=True)
    add_most(parser)
    option.add_json(parser)
    option.add_limits(parser)
    add_access(parser)


def run(args: argparse.Namespace) -> int:
    """List them; 3 where one cannot be read."""
    from navicert.store.query import Query, search

    with ExitStack() as cleanup:
        beside = [] if args.image is None else [Images(args, cleanup).source(args.image)]
        stores = option.open_sources(args, cleanup) if args.store or not beside else []
        found, unread = show(args, search([*beside, *stores], Query(), option.limits(args)))
        if not found and beside:
            explain_asked(list(beside[0].asked()))
    if not found and not unread:
        complain("no evidence")
    # Beside an image lies much that is no evidence: that it is there is no failure to read it.
    return 3 if unread and not beside else 0
