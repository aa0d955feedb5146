"""`navicert layout sign`: turns YAML or JSON into a signed layout."""

from __future__ import annotations

from navicert.cli.layout_source import add_key_ids, findings_about, load_policy, refuse_errors
from navicert.cli.option import add_at, add_json, add_key, add_limits, add_timestamp, at, signers, write_file
from navicert.cli.terminal import escape, say
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from navicert.authoring.policy import Policy
    from navicert.crypto.signer import Signer

HELP = "turn YAML or JSON into a signed layout"
DESCRIPTION = """Sign the layout in FILE: YAML or JSON, or a layout document, signed before or not, whose
signatures are replaced. What lint finds is printed; an error stops it."""
EXAMPLE = "navicert layout sign layout.yaml --key keys/owner -o root.layout"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("file", metavar="FILE", help="layout: YAML, JSON, or signed; - for standard input")
    add_key(parser, help="private key of an owner (repeatable)")
    add_timestamp(parser)
    parser.add_argument("-o", "--output", metavar="OUT", help="where to write the layout; - for stdout")
    parser.add_argument("--force", action="store_true", help="replace OUT if it exists")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--dsse", dest="form", action="store_const", const="dsse", help="as a DSSE envelope (default)")
    form.add_argument(
        "--metablock", dest="form", action="store_const", const="metablock", help="for readers older than DSSE"
    )
    parser.add_argument("--allow-lint-errors", action="store_true", help="sign it in spite of what lint calls errors")
    add_at(parser)
    add_json(parser)
    add_limits(parser)
    add_key_ids(parser)


def run(args: argparse.Namespace) -> int:
    """Lint, sign, write. Raises `Refused` for lint errors and an existing file; then nothing is written."""
    moment = at(args)
    policy = load_policy(args, moment, key_ids=args.key_ids)
    output = _output(args, policy)
    findings = findings_about(policy, moment)
    refuse_errors(args, findings)
    policy.finished()
    made = signers(args, id_form=args.key_ids)
    form, data = _sealed(policy, args.form, made)
    write_file(output, data, force=args.force or output == args.file)
    if output == "-":
        return 0
    ids = [signer.keyid for signer in made]
    if args.json:
        from navicert.report.json import render_object

        found = [finding.to_json() for finding in findings]
        say(render_object({"file": output, "form": form, "signed_by": ids, "findings": found}))
    else:
        say(f"{escape(output)}: signed by {', '.join(escape(id) for id in ids)}")
    return 0


def _output(args: argparse.Namespace, policy: Policy) -> str:
    if args.output is None and policy.sealed is None:
        raise Malformed(
            "where to?", path=args.file, remedy="name the file to write with --output, such as -o root.layout"
        )
    output: str = args.output or args.file
    return output


def _sealed(policy: Policy, form: str | None, made: Sequence[Signer]) -> tuple[str, bytes]:
    """The form and the bytes of the signed layout. A signed one keeps what is signed byte for byte, and its form."""
    from navicert.envelope.document import add_signatures, form_for, seal

    sealed = policy.sealed
    if sealed is not None and form in (None, sealed.form):
        return sealed.form, add_signatures(sealed, *made, replace=True)
    form = form or form_for(*made)
    return form, seal(policy.finished(), *made, form=form)
