"""`navicert evidence push`: the chain of an image, in one piece, to where the image is."""

from __future__ import annotations

from contextlib import ExitStack

from navicert.cli import option
from navicert.cli.evidence_chain import only_policy, packed
from navicert.cli.image import Images, add_access
from navicert.cli.meter import Meter
from navicert.cli.policy import add_policies, add_timestamp_roots
from navicert.cli.sighting import remember
from navicert.cli.terminal import escape, say
from navicert.errors import LimitExceeded, Malformed
from navicert.limits import NETWORK

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from navicert.oci.attachment import Attached
    from navicert.oci.remote import Resolved
    from navicert.store.pack import Pack

HELP = "attach the chain of an image to it, in its registry"
DESCRIPTION = """Attach the layout and all evidence for IMAGE to it, in one piece: navicert verify --owner PUB IMAGE
then needs nothing else. IMAGE is looked up once and must be in its registry already. A chain that does not hold is not
pushed; doing it again changes nothing."""
EXAMPLE = "navicert evidence push reg.example/app:1.4 --layout root.layout --owner o.pub"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("image", metavar="IMAGE", help="HOST/NAME:TAG or registry:REF")
    add_policies(parser)
    add_timestamp_roots(parser)
    option.add_store(parser, repeat=True)
    parser.add_argument("--run-id", metavar="ID", help="only evidence of this run")
    option.add_at(parser)
    option.add_json(parser)
    option.add_limits(parser)
    add_access(parser)


def run(args: argparse.Namespace) -> int:
    """Judge, attach and return 0; 1 for a chain that does not hold: nothing is pushed then."""
    from navicert.oci.attachment import PACK, attach
    from navicert.oci.remote import Resolved
    from navicert.resolve.target import image_target

    policy = only_policy(args)
    with ExitStack() as cleanup:
        images = Images(args, cleanup)
        placed = images.need(args.image)
        if not isinstance(placed, Resolved):
            raise Malformed("not in a registry", path=args.image, remedy="evidence copy moves it there")
        target = image_target(placed.origin, images.source(args.image).image)
        sources = option.open_sources(args, cleanup)
        made = packed(args, policy, sources, target, done="pushed", what="image")
        if made is None:
            return 1
        pack, raw = made
        if len(raw) > NETWORK.attachment_bytes:
            raise LimitExceeded(
                "evidence too large to be attached (limit attachment_bytes)",
                path=args.image,
                expected=f"at most {NETWORK.attachment_bytes} bytes",
                got=f"{len(raw)} bytes",
                remedy="keep it in a store, or hand it over with evidence pack",
            )
        with Meter.of(args) as meter:
            attached = attach(placed.repository, placed.root, raw, PACK, progress=meter.sent)
        remember(sources, placed, images.source(args.image))
    _report(args, placed, attached, pack, len(raw))
    return 0


def _report(args: argparse.Namespace, placed: Resolved, attached: Attached, pack: Pack, size: int) -> None:
    count = len(set(pack.filings))
    if args.json:
        from navicert.digest import sha256
        from navicert.report.json import render_object

        facts = {
            "type": "navicert-pushed/v1",
            "image": placed.origin,
            "attached": str(attached.manifest.digest),
            "tag": attached.tag,
            "listed": attached.listed,
            "layout": str(sha256(pack.layout)),
            "documents": count,
            "bytes": size,
        }
        say(render_object(facts))
        return
    listed = f"listed by the {attached.listed}" if attached.listed else "listed nowhere else"
    say(f"{escape(placed.origin)}: the layout and {count} document{'s' * (count != 1)}")
    say(f"attached as {attached.manifest.digest}, tag {attached.tag}, {listed}")
