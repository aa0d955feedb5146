"""`navicert evidence search`: documents by what they say of themselves."""

from __future__ import annotations

from contextlib import ExitStack

from navicert.cli import option
from navicert.cli.evidence_view import add_most, show
from navicert.cli.terminal import complain
from navicert.errors import Malformed
from navicert.timestamp import parse_timestamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from datetime import datetime

    from navicert.store.query import Query

HELP = "find documents by digest, step, signer, type, run or time"
DESCRIPTION = """Find the documents in --store for which all that is given holds. What a document says of itself
is not verified: that is what `navicert verify` does. Found nothing: exit code 1."""
EXAMPLE = "navicert evidence search --store sqlite:evidence.db --artifact dist/app.tar"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    add = parser.add_argument
    option.add_store(parser, repeat=True)
    add("--digest", action="append", default=[], metavar="ALG:HEX", help="digest that goes in or out (any of several)")
    add("--artifact", action="append", default=[], metavar="TARGET", help="the same for a file, folder or image")
    add("--step", metavar="NAME", help="step that it is for, or filed under")
    add("--signer", metavar="KEYID", help="id of a key that it names, or its first 8 digits")
    add("--type", metavar="TYPE", help="link, layout, or a predicate type")
    add("--run-id", metavar="ID", help="run that it was recorded in")
    add("--since", metavar="TIME", help="put there then or later, as 2026-01-31T00:00:00Z")
    add("--until", metavar="TIME", help="put there then or earlier")
    add_most(parser)
    option.add_json(parser)
    option.add_limits(parser)


def run(args: argparse.Namespace) -> int:
    """Search; 1 where nothing is found, 3 where that may be because something cannot be read."""
    from navicert.store.query import search

    query = _query(args)
    with ExitStack() as cleanup:
        found, unread = show(args, search(option.open_sources(args, cleanup), query, option.limits(args)))
    if found:
        return 0
    complain("nothing found that can be read" if unread else "nothing found")
    return 3 if unread else 1


def _query(args: argparse.Namespace) -> Query:
    from navicert.store.query import Query

    if args.signer is not None:
        _check_signer(args.signer)
    query = Query(
        (*map(digest, args.digest), *(one for spec in args.artifact for one in _digests_of(args, spec))),
        args.step,
        args.signer,
        args.type,
        args.run_id,
        _moment(args.since, "--since"),
        _moment(args.until, "--until"),
    )
    if query == Query():
        raise Malformed("nothing to look for", path="evidence search", remedy="evidence list shows everything")
    return query


def digest(text: str) -> str:
    """The digest that `--digest` gives, as stores compare it: of a file, or the object name of git. Raises
    `Malformed`."""
    from navicert.digest import SELF_ONLY, Digest, DigestSet

    algorithm, _, value = text.partition(":")
    try:
        if algorithm in SELF_ONLY:
            if not DigestSet.from_json({algorithm: value}, "").decides:
                raise Malformed(
                    "not an object name of git", expected="40 or 64 hexadecimal digits", got=repr(value)[:60]
                )
            return text.lower().replace(algorithm.lower(), algorithm, 1)
        return str(Digest.parse(text))
    except Malformed as error:
        error.pointer = ""
        raise error.at("--digest") from None


def _digests_of(args: argparse.Namespace, spec: str) -> frozenset[str]:
    from navicert.resolve.target import open_target
    from navicert.store.trail import digests_of

    return digests_of(open_target(spec, option.limits(args)))


def _check_signer(text: str) -> None:
    from navicert.model.field import as_keyid

    try:
        as_keyid(text, "")
    except Malformed as error:
        raise error.at("--signer") from None


def _moment(text: str | None, name: str) -> datetime | None:
    if text is None:
        return None
    try:
        return parse_timestamp(text)
    except Malformed as error:
        raise error.at(name) from None
