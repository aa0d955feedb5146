"""`navicert evidence pack`: one file of a layout and the chain that it holds for."""

from __future__ import annotations

from contextlib import ExitStack

from navicert.cli import option
from navicert.cli.evidence_chain import only_policy, packed
from navicert.cli.evidence_search import digest
from navicert.cli.policy import add_policies, add_timestamp_roots
from navicert.cli.terminal import escape, say
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from navicert.store.pack import Pack
    from navicert.verify.case import Target

HELP = "make one file of a layout and the chain that it holds for"
DESCRIPTION = """Write the layout and all evidence for TARGET to one file, which verifies anywhere by its owner
alone: navicert verify --evidence-from PACK --owner PUB TARGET. A chain that does not hold is not packed."""
EXAMPLE = "navicert evidence pack app.tar --layout root.layout --owner o.pub -o app.pack"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    add = parser.add_argument
    group = parser.add_mutually_exclusive_group()
    group.add_argument("target", nargs="?", metavar="TARGET", help="what the chain produced")
    group.add_argument("--digest", metavar="ALG:HEX", help="the SHA-256 digest of it instead")
    group.add_argument("--run-id", metavar="ID", help="the run that made it instead")
    add_policies(parser)
    add_timestamp_roots(parser)
    option.add_store(parser, repeat=True)
    add("-o", "--output", metavar="FILE", help="the pack (required); - for stdout")
    add("--force", action="store_true", help="replace FILE if it exists")
    option.add_at(parser)
    option.add_json(parser)
    option.add_limits(parser)


def run(args: argparse.Namespace) -> int:
    """Judge, pack and return 0; 1 for a chain that does not hold: nothing is written then."""
    if args.output is None:
        raise Malformed("where to write the pack is not said", path="evidence pack", remedy="give -o FILE")
    policy = only_policy(args)
    target = _target(args)
    with ExitStack() as cleanup:
        sources = option.open_sources(args, cleanup)
        made = packed(args, policy, sources, target, done="packed", what="pack")
    if made is None:
        return 1
    pack, raw = made
    option.write_file(args.output, raw, force=args.force)
    if args.output != "-":
        _report(args, pack, raw)
    return 0


def _target(args: argparse.Namespace) -> Target | None:
    if args.digest is not None:
        from navicert.verify.case import Part, Target

        text = digest(args.digest)
        algorithm, _, value = text.partition(":")
        if algorithm != "sha256":
            raise Malformed("a target is known by its SHA-256 digest", path="--digest", got=algorithm)
        return Target(text, "file", (Part(text, frozenset({value})),))
    if args.target is not None:
        from navicert.resolve.target import open_target

        return open_target(args.target, option.limits(args))
    return None


def _report(args: argparse.Namespace, pack: Pack, raw: bytes) -> None:
    from navicert.digest import sha256

    count, name = len(set(pack.filings)), str(sha256(raw))
    if args.json:
        from navicert.report.json import render_object

        facts = {"type": "navicert-packed/v1", "file": args.output, "digest": name, "bytes": len(raw)}
        say(render_object({**facts, "layout": str(sha256(pack.layout)), "documents": count}))
    else:
        say(f"{escape(args.output)}: the layout and {count} document{'s' * (count != 1)}, {name}")
