"""`navicert attest vuln`: a scanner's report, signed as what it found in the subject."""

from __future__ import annotations

from navicert.cli import option
from navicert.cli.attesting import add_about, add_attesting, attest
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from datetime import datetime

    from navicert.authoring.predicate.draft import Draft

HELP = "a scan for vulnerabilities: trivy, grype"
DESCRIPTION = """Attest the report in FILE, written by trivy --format json or grype -o json, as type vulns v0.2. Trivy
does not say how old its database is: name the metadata.json of its cache with --db."""
EXAMPLE = "navicert attest vuln report.json --db metadata.json --subject app.tar --key k"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    add = parser.add_argument
    add("file", metavar="FILE", help="the report; - for standard input")
    database = parser.add_mutually_exclusive_group()
    database.add_argument("--db", metavar="FILE", help="db/metadata.json in trivy's cache")
    database.add_argument("--db-updated", metavar="TIME", help="when the scanner's database was last updated")
    add("--scanner-version", default="", metavar="V", help="where the report does not say it")
    add("--started", metavar="TIME", help="when the scan began (default: as reported)")
    add("--finished", metavar="TIME", help="when it ended (default: as reported)")
    add_about(parser)
    add_attesting(parser)


def run(args: argparse.Namespace) -> int:
    """Read the report, sign, and hand it over."""
    return attest(args, lambda: _draft(args))


def _draft(args: argparse.Namespace) -> Draft:
    from navicert.authoring.predicate.scan import Facts, database_moment, scan_draft

    bounds = option.limits(args)
    updated = _moment("--db-updated", args.db_updated)
    if args.db is not None:
        updated = database_moment(option.read_file(args.db, bounds.document_bytes), bounds, path=args.db)
    facts = Facts(
        args.scanner_version, updated, _moment("--started", args.started), _moment("--finished", args.finished)
    )
    raw = option.read_file(args.file, min(bounds.document_bytes, bounds.sbom_bytes))
    return scan_draft(raw, facts, bounds, path=args.file)


def _moment(name: str, text: str | None) -> datetime | None:
    from navicert.timestamp import parse_rfc3339

    try:
        return None if text is None else parse_rfc3339(text)
    except Malformed as error:
        raise error.at(name) from None
