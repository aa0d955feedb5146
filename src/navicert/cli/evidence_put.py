"""`navicert evidence put`: documents, or all of another store, into a store."""

from __future__ import annotations

import os
from contextlib import closing

from navicert.cli import option
from navicert.cli.terminal import complain, escape, say
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from typing import Final

    from navicert.limits import Limits
    from navicert.store import Filing, Piece

HELP = "put documents, or all of another store, into a store"
DESCRIPTION = """Put documents into --store: files, all of a folder of evidence, or all of another store. What is there
already is left alone. A link is filed under the step that it names."""
EXAMPLE = "navicert evidence put evidence/ --store sqlite:evidence.db"

_BATCH: Final = 500
"""Documents that are kept together."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument(
        "source", nargs="+", metavar="FROM", help="document, folder, sqlite:FILE, postgresql://…, pack:FILE"
    )
    option.add_store(parser, required=True)
    parser.add_argument("--step", metavar="NAME", help="file documents under this step, as a layout needs it")
    option.add_json(parser)
    option.add_limits(parser)


def run(args: argparse.Namespace) -> int:
    """Put them; 3 where one could not be read."""
    from navicert.store.uri import open_store

    bounds = option.limits(args)
    origins: list[str] = []
    unread: list[Piece] = []
    with closing(open_store(args.store, bounds)) as store:
        store.prepare()
        batch: list[Filing] = []
        for filing in _filings(args, bounds, unread):
            batch.append(filing)
            if len(batch) == _BATCH:
                origins += store.put_many(batch)
                batch = []
        origins += store.put_many(batch)
    for piece in unread:
        complain(f"{piece.origin}: cannot be read, and not put: {piece.problem}")
    if args.json:
        from navicert.report.json import render_object

        problems = [{"where": piece.origin, "problem": piece.problem} for piece in unread]
        say(render_object({"type": "navicert-put/v1", "store": args.store, "documents": origins, "unread": problems}))
    else:
        say(f"{escape(args.store)}: {len(origins)} document{'s' * (len(origins) != 1)}")
    return 3 if unread else 0


def _filings(args: argparse.Namespace, bounds: Limits, unread: list[Piece]) -> Iterator[Filing]:
    from navicert.store.hint import filing_of, hint_of

    for spec in args.source:
        for piece in _pieces(args, spec, bounds):
            if piece.raw is None:
                unread.append(piece)
            else:
                yield filing_of(piece, piece.raw, hint_of(piece, bounds))


def _pieces(args: argparse.Namespace, spec: str, bounds: Limits) -> Iterator[Piece]:
    """The documents of `spec`: a file, which must be one, or a store."""
    from navicert.store import Piece
    from navicert.store.hint import LAYOUT, UNKNOWN, read_hint
    from navicert.store.uri import open_source

    if not os.path.isfile(spec):
        if args.step is not None:
            raise Malformed("--step is for single documents", path=spec, remedy="leave it out")
        with closing(open_source(spec, bounds)) as source:
            yield from source.pieces()
        return
    raw = option.read_file(spec, bounds.document_bytes)
    hint = read_hint(raw, bounds)
    if hint.kind == UNKNOWN:
        raise Malformed("not evidence", path=spec, expected="a signed link, layout or statement, or a bundle of them")
    if hint.kind == LAYOUT and args.step is None:
        raise Malformed("a layout is evidence for the step that it stands for", path=spec, remedy="name it with --step")
    yield Piece(spec, raw, None, args.step or hint.name or None)
