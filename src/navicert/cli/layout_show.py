"""`navicert layout show`: a layout for people, in whatever form it is. It verifies nothing, and says so."""

from __future__ import annotations

import sys

from navicert.cli.layout_source import load_policy
from navicert.cli.option import add_at, add_json, add_limits, at, public_keys
from navicert.cli.terminal import say, width
from navicert.errors import LimitExceeded

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from navicert.envelope.document import Sealed
    from navicert.report.document import SeenSignature

HELP = "print a layout for people, signed or not"
DESCRIPTION = """Print who signed a layout, what it says and what it does not say. YAML is shown as the
layout that it becomes when it is signed now."""
EXAMPLE = "navicert layout show layout.yaml"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("file", metavar="FILE", help="layout: YAML, JSON, or signed; - for standard input")
    parser.add_argument(
        "-k", "--key", action="append", default=[], metavar="PUB", help="check signatures with this key"
    )
    parser.add_argument("-a", "--all", action="store_true", help="leave nothing out")
    add_at(parser)
    add_json(parser)
    add_limits(parser)


def run(args: argparse.Namespace) -> int:
    """Print the layout."""
    from navicert.digest import sha256
    from navicert.report.document import SeenDocument, document_json, render_document
    from navicert.strictjson import canonical

    moment = at(args)
    policy = load_policy(args, moment)
    layout = policy.finished()
    sealed = policy.sealed
    seen = SeenDocument(
        args.file,
        sealed.form if sealed else "unsigned",
        str(sealed.digest if sealed else sha256(canonical(layout.to_json()))),
        layout,
        tuple(_signatures(sealed, args.key)) if sealed else (),
    )
    if args.json:
        from navicert.report.json import render_object

        say(render_object(document_json(seen)))
    else:
        say(render_document(seen, moment, width=width(sys.stdout), everything=args.all))
    return 0


def _signatures(sealed: Sealed, names: list[str]) -> Iterator[SeenSignature]:
    from navicert.report.document import SeenSignature

    keys = list(zip(names, public_keys(names), strict=True))
    messages = [message for message, _ in sealed.candidates()]
    if len(sealed.signatures) * len(keys) * len(messages) > sealed.limits.signature_attempts:
        raise LimitExceeded("too many signature checks (limit signature_attempts)", path=sealed.origin)
    for signature in sealed.signatures:
        good = (name for name, key in keys if any(signature.made_by(key, message) for message in messages))
        name = next(good, "")
        yield SeenSignature(signature.keyid, bool(name) if keys else None, name)
