"""`navicert sign-keyless`: a file or a statement signed by an identity, as a Sigstore bundle."""

from __future__ import annotations

from navicert.cli import option
from navicert.cli.terminal import complain, escape, say
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse


HELP = "sign without a key, as who this job or person is"
DESCRIPTION = """Sign FILE by Sigstore, as the identity that this CI job has, into a bundle. With --statement FILE is an
attestation (navicert attest), and its statement is signed; with --layout a layout or policy, as navicert layout sign
takes it. The name of who signs goes into a public log for good. Needs a network, and pip install 'navicert[sigstore]'.
"""
EXAMPLE = "navicert sign-keyless app.tar -o app.sigstore.json"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    add = parser.add_argument
    add("file", metavar="FILE", help="what to sign")
    add("-o", "--output", metavar="OUT", required=True, help="bundle to write; - for standard output")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--statement", action="store_true", help="sign the statement in FILE, an envelope or bare")
    kind.add_argument("--layout", action="store_true", help="sign the layout in FILE: YAML, JSON, or signed already")
    add("--allow-lint-errors", action="store_true", help="sign it in spite of what lint calls errors")
    add("--identity-token", metavar="F", help="file with an identity token (default: the CI job's own)")
    add("--trust-config", metavar="F", help="client trust configuration of another instance")
    add("--force", action="store_true", help="replace OUT if it exists")
    option.add_json(parser)
    option.add_limits(parser)


def run(args: argparse.Namespace) -> int:
    """Sign, and write the bundle once it has verified."""
    from navicert.trust.keyless import sign_without_key

    if args.json and args.output == "-":
        raise Malformed("two things for standard output", path="--json", remedy="write the bundle to a file")
    bounds = option.limits(args)
    if args.allow_lint_errors and not args.layout:
        raise Malformed("for --layout only", path="--allow-lint-errors", remedy="leave it out")
    payload_type = None
    if args.layout:
        payload_type, content = _layout(args)
    else:
        content = option.read_file(args.file, bounds.document_bytes)
    if args.statement:
        content = _statement(content, args)
    token = None
    if args.identity_token is not None:
        token = option.read_file(args.identity_token, bounds.token_bytes).decode("utf-8", errors="replace")
    config = None if args.trust_config is None else option.read_file(args.trust_config, bounds.document_bytes)
    made = sign_without_key(content, statement=args.statement, payload_type=payload_type, token=token, config=config)
    option.write_file(args.output, made.bundle + b"\n", force=args.force)
    if args.json:
        from navicert.digest import sha256
        from navicert.report.json import render_object

        facts = {
            "type": "navicert-signed/v1",
            "file": args.file,
            "bundle": args.output,
            "digest": str(sha256(made.bundle + b"\n")),
            "identity": made.identity.san,
            "issuer": made.identity.issuer,
        }
        say(render_object(facts))
    else:
        complain(f"{escape(args.output)}: signed by {made.identity}")
    return 0


def _layout(args: argparse.Namespace) -> tuple[str, bytes]:
    """The payload type and the bytes of the layout in the file; of a signed one exactly those that others signed.
    Raises `Malformed`, and `Refused` for what lint calls errors."""
    from datetime import UTC, datetime

    from navicert.cli.layout_source import findings_about, load_policy, refuse_errors
    from navicert.envelope.document import payload_type_of
    from navicert.model.section import SPACED, write_sections

    now = datetime.now(UTC)
    policy = load_policy(args, now)
    refuse_errors(args, findings_about(policy, now))
    body = policy.finished()
    if policy.sealed is not None and policy.sealed.form == "dsse":
        return policy.sealed.payload_type, policy.sealed.payload
    return payload_type_of(body), write_sections(body.to_json(), SPACED)


def _statement(raw: bytes, args: argparse.Namespace) -> bytes:
    """The bytes of the one statement in `raw`, as they are. Raises `Malformed`."""
    from navicert.envelope.document import open_document
    from navicert.model.field import as_object
    from navicert.model.statement import Statement
    from navicert.strictjson import loads

    bounds = option.limits(args)
    try:
        document = as_object(loads(raw, bounds), "")
        payload = open_document(raw, bounds, path=args.file).payload if "payload" in document else raw
        Statement.from_json(loads(payload, bounds), limits=bounds)
    except Malformed as error:
        raise error.at(args.file) from error
    return payload
