"""`navicert attest`: a signed statement about something, with a predicate of any type; and out of tools' reports."""

from __future__ import annotations

from navicert.cli import option
from navicert.cli.attesting import add_attesting, attest
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from navicert.authoring.predicate.draft import Draft

HELP = "sign a statement: a bill of materials, a scan, …"
DESCRIPTION = """Sign the statement that a predicate holds of what is named with --subject. A predicate of a known type
must have the fields that its type requires.

attest sbom, vuln, test, provenance and review make the predicate out of what tools write: see their --help."""
EXAMPLE = "navicert attest --type scai --predicate p.json --subject app --key k -o app.json"

COMMANDS = {
    "sbom": ("navicert.cli.attest_sbom", "a bill of materials: syft, SPDX, CycloneDX"),
    "vuln": ("navicert.cli.attest_vuln", "a scan for vulnerabilities: trivy, grype"),
    "test": ("navicert.cli.attest_test", "a run of tests: JUnit XML"),
    "provenance": ("navicert.cli.attest_provenance", "a build, out of the link that recorded it"),
    "review": ("navicert.cli.attest_review", "that you agree to a commit"),
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("--type", required=True, metavar="TYPE", help="spdx, vulns, scai, …, or any type URI")
    parser.add_argument("--predicate", required=True, metavar="FILE", help="its JSON object; - for standard input")
    add_attesting(parser)


def run(args: argparse.Namespace) -> int:
    """Check the predicate, sign, and hand it over."""
    return attest(args, lambda: _draft(args))


def _draft(args: argparse.Namespace) -> Draft:
    from navicert.authoring.predicate.draft import Draft
    from navicert.model.field import as_object
    from navicert.model.predicate import kind_named, kind_of
    from navicert.strictjson import loads
    from navicert.verify.inquiry import wanted_type

    bounds = option.limits(args)
    if args.type in COMMANDS and kind_named(args.type) is None:
        raise Malformed(
            "no such predicate type",
            path="--type",
            got=args.type,
            remedy=f"navicert attest {args.type} makes a predicate out of {COMMANDS[args.type][1]}",
        )
    try:
        named = kind_named(wanted_type(args.type))
    except Malformed as error:
        raise error.at("--type") from None
    type = args.type if named is None else named.type
    try:
        predicate = as_object(loads(option.read_file(args.predicate, bounds.document_bytes), bounds), "")
        if "predicateType" in predicate and "_type" in predicate:
            raise Malformed("a whole statement, not a predicate", remedy="navicert sign signs it as it is")
        warnings = () if kind_of(type) else (f"nothing is known about type {type}: its fields were not looked at",)
        return Draft(type, predicate, warnings).checked()
    except Malformed as error:
        if args.type in COMMANDS and not error.remedy:
            error.remedy = f"navicert attest {args.type} makes one out of {COMMANDS[args.type][1]}"
        raise error.at(args.predicate) from None
