"""`navicert admission fill`: fills the caBundle into a webhook configuration."""

from __future__ import annotations

import sys

from navicert.cli.terminal import say

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse


HELP = "fill the caBundle into a webhook configuration"
DESCRIPTION = """Print the webhook configurations in FILE (YAML or JSON, - for standard input; other objects as they
are) with the authorities in CA as the caBundle of each webhook: an API server calls no webhook whose certificate it
cannot check."""
EXAMPLE = "navicert admission fill webhook.yaml --ca ca.crt | kubectl apply -f -"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("file", metavar="FILE", help="the configuration; - is standard input")
    parser.add_argument("--ca", required=True, metavar="FILE", help="certificates of authorities, PEM")


def run(args: argparse.Namespace) -> int:
    """Read, fill in, print."""
    from navicert.admission.arming import PLURALS, fill
    from navicert.admission.deployment.document import read_documents
    from navicert.admission.deployment.template import plain
    from navicert.admission.rotation import certificates
    from navicert.errors import Malformed
    from navicert.limits import LOCAL
    from navicert.model.field import as_object

    with open(args.ca, "rb") as stream:
        bundle = stream.read(LOCAL.key_bytes)
    if not list(certificates(bundle)):
        raise Malformed("no certificate in it", path=args.ca, expected="PEM")
    if args.file == "-":
        raw = sys.stdin.buffer.read(LOCAL.document_bytes + 1)
    else:
        with open(args.file, "rb") as stream:
            raw = stream.read(LOCAL.document_bytes + 1)
    try:
        found = [as_object(one, "") for one in read_documents(raw)]
        if not any(one.get("kind") in PLURALS for one in found):
            raise Malformed("no webhook configuration in it", expected=" or ".join(PLURALS))
        whole = [fill(one, bundle) if one.get("kind") in PLURALS else one for one in found]
    except Malformed as error:
        raise error.at(args.file) from None
    say(plain(whole))
    return 0
