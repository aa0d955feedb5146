"""`navicert attest review`: that whoever signs agrees to a commit."""

from __future__ import annotations

from navicert.cli.attesting import add_attesting, attest

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from navicert.authoring.predicate.draft import Draft

HELP = "that you agree to a commit"
DESCRIPTION = """Attest that whoever signs has reviewed the subject, a commit as a rule, and agrees to it: a SCAI report
with the attribute REVIEWED. Each reviewer signs one of their own; a policy counts persons."""
EXAMPLE = "navicert attest review --subject git:. --key bob --store ev --step review"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("--url", default="", metavar="URL", help="where the discussion is kept")
    add_attesting(parser)


def run(args: argparse.Namespace) -> int:
    """Sign, and hand it over."""
    return attest(args, lambda: _draft(args))


def _draft(args: argparse.Namespace) -> Draft:
    from navicert.authoring.predicate.review import review_draft

    return review_draft(args.url)
