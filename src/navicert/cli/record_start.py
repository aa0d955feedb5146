"""`navicert record start`: the materials of a step, kept in an unfinished link until the step ends."""

from __future__ import annotations

from contextlib import closing

from navicert.cli.failure import USAGE
from navicert.cli.option import add_certificate, add_json, add_key, add_limits, add_store, add_verbosity
from navicert.cli.recording import (
    add_artifacts,
    add_expectation,
    add_facts,
    add_finding,
    add_form,
    complain_of,
    form,
    only_signer,
    report,
    workplace,
    world,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse


HELP = "begin to record a step: its materials"
DESCRIPTION = """Record the materials of STEP in a signed, unfinished link. Do the work, then run
`navicert record stop` with the same key and store."""
EXAMPLE = "navicert record start review --key keys/carol -m src"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("step", metavar="STEP", help="name of the step in the layout")
    add_key(parser, help="private key to sign with")
    add_certificate(parser)
    add_artifacts(parser, "materials", "files, folders, patterns, NAME=oci:DIR … it uses")
    add_store(parser)
    add_form(parser)
    add_facts(parser)
    add_expectation(parser)
    add_finding(parser)
    add_limits(parser)
    add_json(parser)
    add_verbosity(parser)


def run(args: argparse.Namespace) -> int:
    """Record the materials."""
    from navicert.envelope.document import seal
    from navicert.record.expectation import MaterialMismatch
    from navicert.record.session import begin
    from navicert.store.uri import open_store

    signer = only_signer(args)
    written = form(args, signer)
    with closing(open_store(args.store)) as last:
        last.prepare()
    store = workplace(args)
    store.prepare()
    try:
        recording = begin(args.step, materials=args.materials, world=world(args))
    except MaterialMismatch as error:
        complain_of(error)
        return USAGE
    path = store.put_unfinished(args.step, signer.keyid, seal(recording.link, signer, form=written))
    report(args, recording, path, signer, written)
    return 0
