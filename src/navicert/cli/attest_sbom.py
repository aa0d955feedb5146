"""`navicert attest sbom`: a bill of materials, signed as what the subject is made of."""

from __future__ import annotations

from datetime import UTC, datetime

from navicert.cli import option
from navicert.cli.attesting import add_about, add_attesting, attest

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from navicert.authoring.predicate.draft import Draft

HELP = "a bill of materials: syft, SPDX, CycloneDX"
DESCRIPTION = """Attest the bill of materials in FILE: SPDX or CycloneDX in JSON as it is, what syft -o json writes as
SPDX 2.3."""
EXAMPLE = "navicert attest sbom sbom.json --subject app.tar --key k -o app.spdx.json"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("file", metavar="FILE", help="the bill of materials; - for standard input")
    add_about(parser)
    add_attesting(parser)


def run(args: argparse.Namespace) -> int:
    """Read the bill, sign, and hand it over."""
    return attest(args, lambda: _draft(args))


def _draft(args: argparse.Namespace) -> Draft:
    from navicert.authoring.predicate.bill import bill_draft
    from navicert.timestamp import format_timestamp

    bounds = option.limits(args)
    raw = option.read_file(args.file, min(bounds.document_bytes, bounds.sbom_bytes))
    return bill_draft(raw, format_timestamp(datetime.now(UTC)), bounds, path=args.file)
