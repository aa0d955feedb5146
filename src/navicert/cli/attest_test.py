"""`navicert attest test`: test reports, signed as what came out of testing the subject."""

from __future__ import annotations

from navicert.cli import option
from navicert.cli.attesting import add_attesting, attest

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from navicert.authoring.predicate.draft import Draft

HELP = "a run of tests: JUnit XML"
DESCRIPTION = """Attest what came out of one run of tests, as type test-result v0.1: FAILED where a test failed, WARNED
where one passed only when it was run again. The subject is what was tested, such as git:. for the commit."""
EXAMPLE = "navicert attest test junit.xml --subject git:. --key keys/ci -o tests.json"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("file", nargs="+", metavar="FILE", help="JUnit XML; several are one run")
    parser.add_argument(
        "--configuration",
        action="append",
        default=[],
        metavar="WHAT",
        help="what the run was configured by, as in --subject (repeatable)",
    )
    parser.add_argument("--url", default="", metavar="URL", help="where the run can be looked at")
    add_attesting(parser)


def run(args: argparse.Namespace) -> int:
    """Read the reports, sign, and hand it over."""
    return attest(args, lambda: _draft(args))


def _draft(args: argparse.Namespace) -> Draft:
    from contextlib import ExitStack

    from navicert.authoring.predicate.junit import junit_draft
    from navicert.cli.image import Images
    from navicert.resolve.subject import subjects_of

    bounds = option.limits(args)
    reports = {path: option.read_file(path, bounds.document_bytes) for path in args.file}
    with ExitStack() as cleanup:
        images = Images(args, cleanup)
        configuration = [one for spec in args.configuration for one in subjects_of(spec, images.need, bounds)]
    return junit_draft(reports, configuration, args.url, bounds)
