"""`navicert record stop`: the products of a step that `record start` began, and its link."""

from __future__ import annotations

from contextlib import closing

from navicert.cli.option import (
    add_certificate,
    add_json,
    add_key,
    add_limits,
    add_store,
    add_timestamp,
    add_verbosity,
    limits,
)
from navicert.cli.recording import add_artifacts, add_finding, only_signer, report, workplace, world

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse


HELP = "end the recording of a step: its products"
DESCRIPTION = """Record the products of STEP and finish the link that `navicert record start` began
with the same key in the same store."""
EXAMPLE = "navicert record stop review --key keys/carol -p src review.txt"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("step", metavar="STEP", help="name of the step in the layout")
    add_key(parser, help="private key that it was started with")
    add_certificate(parser)
    add_timestamp(parser)
    add_artifacts(parser, "products", "files, folders, patterns, NAME=oci:DIR … it made")
    add_store(parser)
    add_finding(parser)
    add_limits(parser)
    add_json(parser)
    add_verbosity(parser)


def run(args: argparse.Namespace) -> int:
    """Record the products and finish the link."""
    from navicert.envelope.document import seal
    from navicert.record.session import finish
    from navicert.store.uri import open_store

    signer = only_signer(args)
    begun = workplace(args)
    path, raw = begun.unfinished(args.step, signer.keyid)
    recording, form = finish(
        raw,
        signer.key,
        step=args.step,
        products=args.products,
        world=world(args),
        limits=limits(args),
        path=path,
    )
    with closing(open_store(args.store, limits(args))) as store:
        done = store.put(args.step, signer.keyid, seal(recording.link, signer, form=form))
    begun.drop_unfinished(args.step, signer.keyid)
    report(args, recording, done, signer, form)
    return 0
