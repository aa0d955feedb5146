"""`navicert evidence pull`: what is attached to an image, into a store or a pack."""

from __future__ import annotations

from contextlib import ExitStack, closing

from navicert.cli import option
from navicert.cli.evidence_source import explain_asked
from navicert.cli.image import KINDS, Images, add_access
from navicert.cli.sighting import remember
from navicert.cli.terminal import complain, escape, say
from navicert.errors import Malformed, Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from navicert.limits import Limits
    from navicert.oci.shelf import Placed
    from navicert.store import Filing, Piece
    from navicert.store.attachment import AttachmentSource

HELP = "fetch what is attached to an image"
DESCRIPTION = """Put the documents attached to IMAGE into --store, or write its pack (the layout and the chain, as
pushed) to a file. Nothing is verified by this: whoever reads it verifies it. Nothing attached: exit code 1."""
EXAMPLE = "navicert evidence pull registry.example/app:1.4 --store sqlite:evidence.db"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    add = parser.add_argument
    add("image", metavar="IMAGE", help=KINDS)
    group = parser.add_mutually_exclusive_group(required=True)
    group.add_argument("-o", "--output", metavar="FILE", help="write the pack here; - for stdout")
    group.add_argument("--store", metavar="URI", help="put the documents here")
    add("--attached", metavar="DIGEST", help="of several packs the one in this manifest")
    add("--force", action="store_true", help="replace FILE if it exists")
    option.add_json(parser)
    option.add_limits(parser)
    add_access(parser)


def run(args: argparse.Namespace) -> int:
    """Fetch; 1 where nothing is attached."""
    with ExitStack() as cleanup:
        images = Images(args, cleanup)
        source = images.source(args.image)
        return _write_pack(args, source) if args.output is not None else _put(args, images.need(args.image), source)


def _write_pack(args: argparse.Namespace, source: AttachmentSource) -> int:
    packs = {
        str(attachment.manifest): attachment.raw
        for attachment, _ in source.packs()
        if args.attached in (None, str(attachment.manifest)) and attachment.raw is not None
    }
    if not packs:
        return _nothing(source)
    if len(set(packs.values())) > 1:
        raise Malformed(
            "several packs are attached",
            path=args.image,
            expected=f"one of {', '.join(packs)}",
            remedy="name it with --attached",
        )
    (raw,) = set(packs.values())
    option.write_file(args.output, raw, force=args.force)
    if args.output != "-":
        from navicert.digest import sha256

        if args.json:
            from navicert.report.json import render_object

            facts = {"type": "navicert-pulled/v1", "file": args.output, "digest": str(sha256(raw)), "bytes": len(raw)}
            say(render_object({**facts, "attached": next(iter(packs))}))
        else:
            say(f"{escape(args.output)}: the pack attached to {escape(args.image)}, {sha256(raw)}")
    return 0


def _put(args: argparse.Namespace, placed: Placed, source: AttachmentSource) -> int:
    from navicert.store.hint import UNKNOWN, filing_of, hint_of
    from navicert.store.uri import open_store

    bounds = option.limits(args)
    filings: list[Filing] = []
    passed_over: list[Piece] = []
    for piece in (_whole(found, bounds) for found in source.pieces()):
        hint = hint_of(piece, bounds)
        if piece.raw is None or hint.kind == UNKNOWN:
            passed_over.append(piece)
            continue
        filings.append(filing_of(piece if piece.step_hint else _filed(piece, hint.name), piece.raw, hint))
    for piece in passed_over:
        complain(f"{piece.origin}: not put: {piece.problem or 'no document of in-toto'}")
    if not filings:
        return _nothing(source)
    with closing(open_store(args.store, bounds)) as store:
        store.prepare()
        origins = store.put_many(list(dict.fromkeys(filings)))
        remember([store], placed, source)
    if args.json:
        from navicert.report.json import render_object

        problems = [{"where": one.origin, "problem": one.problem or "no document of in-toto"} for one in passed_over]
        say(render_object({"type": "navicert-put/v1", "store": args.store, "documents": origins, "unread": problems}))
    else:
        say(f"{escape(args.store)}: {len(origins)} document{'s' * (len(origins) != 1)} from {escape(args.image)}")
    return 0


def _whole(piece: Piece, limits: Limits) -> Piece:
    """`piece` with what stands beside it in the image, where that is what proves who signed it. It is said where no
    file can hold both."""
    if piece.raw is None or not piece.annotations:
        return piece
    from navicert.dataclass import replace
    from navicert.envelope.cosign import TIMESTAMP, bundle_bytes

    try:
        raw = bundle_bytes(piece.raw, piece.annotations, limits)
    except (Malformed, Refused) as error:
        complain(f"{piece.origin}: put without what proves who signed it: {error}")
        return piece
    if raw is None:
        return piece
    if piece.annotations.get(TIMESTAMP):
        complain(f"{piece.origin}: put without its timestamp, which no bundle can hold; the log still says when it was")
    return replace(piece, raw=raw)


def _filed(piece: Piece, name: str) -> Piece:
    from navicert.dataclass import replace

    return replace(piece, step_hint=name or None)


def _nothing(source: AttachmentSource) -> int:
    complain("nothing is attached that can be fetched")
    explain_asked(list(source.asked()))
    return 1
