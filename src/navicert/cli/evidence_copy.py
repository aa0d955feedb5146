"""`navicert evidence copy`: an image with everything attached to it, to another place."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import partial
from pathlib import Path

from navicert.cli import option
from navicert.cli.image import KINDS, Images, add_access
from navicert.cli.meter import Meter
from navicert.cli.policy import (
    add_owners,
    add_timestamp_roots,
    add_trusted_root,
    keyless,
    names_owner,
    owners,
    policies,
    timestamp_authorities,
)
from navicert.cli.terminal import complain, escape, say
from navicert.dataclass import dataclass
from navicert.errors import Malformed, Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from navicert.oci.convoy import Convoy
    from navicert.oci.destination import Destination
    from navicert.oci.shelf import Placed
    from navicert.verdict import Verdict

HELP = "copy an image with everything attached to it"
DESCRIPTION = """Copy the image SOURCE to DESTINATION with all that is attached to it, of every shape, and then ask
DESTINATION for all of it again. With --owner (and --layout, unless it is attached) the copy is judged as well. Either
may be HOST/NAME:TAG, registry:REF, oci:DIR[:TAG] or oci-archive:FILE[:TAG]; SOURCE also docker-archive:FILE[:TAG],
which has no place for evidence. What is there already, or came before a copy broke off, is not sent again."""
EXAMPLE = "navicert evidence copy reg.example/app:1.4 mirror.example/app --owner o.pub"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    add = parser.add_argument
    add("source", metavar="SOURCE", help="the image; a tag is looked up once")
    add("destination", metavar="DESTINATION", help="where it goes, and what it is called there")
    add("--layout", action="append", metavar="F", help="judge the copy by this signed layout")
    add_owners(parser)
    add_trusted_root(parser)
    add_timestamp_roots(parser)
    add("--force", action="store_true", help="replace the archive DESTINATION if it exists")
    option.add_at(parser)
    option.add_json(parser)
    option.add_verbosity(parser)
    option.add_limits(parser)
    add_access(parser)


def run(args: argparse.Namespace) -> int:
    """Copy, look again, judge if asked to; 1 where the copy does not pass."""
    from navicert.cli.verdict import exit_code
    from navicert.oci.answer import answering
    from navicert.oci.convoy import check_convoy, copy_convoy

    if args.layout and not names_owner(args):
        raise Malformed("--layout without --owner", path="evidence copy", remedy="name whose signature counts")
    if names_owner(args):
        owners(args)  # better now than after the copy
    with ExitStack() as cleanup:
        images = Images(args, cleanup)
        source = images.cargo(args.source)
        arrival = _arrival(args, images, source)
        # Whoever reads an archive in several places at once reads none of them.
        workers = 1 if args.source.startswith(("oci-archive:", "docker-archive:")) else 4
        with answering(), arrival as place, Meter.of(args) as meter:
            convoy = copy_convoy(source, place.destination, place.tag, workers=workers, progress=meter.copied)
            place.finish()
        copy = Images(args, cleanup).need(args.destination)
        with answering():
            check_convoy(convoy, copy)
        verdict = _judge(args, images, copy) if names_owner(args) else None
    _report(args, source, copy, convoy, verdict)
    return 0 if verdict is None else exit_code(verdict)


@dataclass(frozen=True)
class _Arrival:
    """Where the copy goes and what it is called there; `finish` makes the whole of it visible."""

    destination: Destination
    tag: str
    finish: Callable[[], None] = lambda: None


def _arrival(args: argparse.Namespace, images: Images, source: Placed) -> AbstractContextManager[_Arrival]:
    """The place that the user named. Raises `Malformed` and `Refused` for one that cannot take a copy; nothing is
    written before the block is entered."""
    from navicert.oci.destination import LayoutDestination, RegistryDestination
    from navicert.oci.registry import Repository
    from navicert.resolve.image import parse_image_location
    from navicert.resolve.target import reference_of

    spec: str = args.destination
    reference = reference_of(spec)
    if reference is not None:
        if reference.digest not in (None, source.root.digest):
            raise Malformed("a copy has the digest of its source", path=spec, expected=str(source.root.digest))
        repository = Repository(images.registry(reference.registry), reference.repository)
        same = isinstance(source.shelf, Repository) and source.shelf.registry is repository.registry
        mount = source.shelf.name if isinstance(source.shelf, Repository) and same else ""
        return nullcontext(_Arrival(RegistryDestination(repository, mount), reference.tag))
    medium = spec.partition(":")[0]
    if medium == "docker-archive":
        raise Malformed(
            "a docker-archive has no place for evidence",
            path=spec,
            expected=KINDS,
            remedy="copy to oci-archive:FILE; skopeo makes a docker-archive of it where one is needed",
        )
    if medium not in ("oci", "oci-archive"):
        raise Malformed("no place to copy an image to", path=spec, expected=KINDS)
    location = parse_image_location(spec)
    tag = "" if location.reference.startswith("sha256:") else location.reference
    path = Path(location.path)
    if medium == "oci" and path.is_dir() and any(path.iterdir()):
        return nullcontext(_Arrival(LayoutDestination(path), tag))
    if medium == "oci-archive" and path.exists() and not args.force:
        raise Refused("already exists", path=str(path), remedy="give --force to replace it")
    return _staged(path, tag, archive=medium == "oci-archive", force=args.force)


@contextmanager
def _staged(path: Path, tag: str, *, archive: bool, force: bool) -> Iterator[_Arrival]:
    """A new layout or archive. What arrived of one that breaks off is kept, which is said."""
    from navicert.oci.staging import staged

    staging = None
    try:
        with staged(path) as staging:
            finish = partial(staging.deliver_archive, replace=force) if archive else staging.deliver_layout
            yield _Arrival(staging.destination, tag, finish)
    finally:
        if staging is not None and staging.kept:
            complain(f"what arrived whole is kept in {staging.folder}: the same command goes on from there")


def _judge(args: argparse.Namespace, images: Images, copy: Placed) -> Verdict:
    """The verdict on the copy, by what is beside it alone."""
    from navicert.cli.image import attached_policies
    from navicert.resolve.target import image_target
    from navicert.store.attachment import AttachmentSource
    from navicert.store.gather import gather
    from navicert.verify.case import Asked, Case
    from navicert.verify.evaluate import verify_any, without_layout

    bounds = option.limits(args)
    source = AttachmentSource(copy)
    layouts = policies(args) if args.layout else attached_policies(source, owners(args), bounds)
    proved_by = keyless(args)
    target = image_target(copy.origin, source.image)
    asked = tuple(Asked(place, answer) for place, answer in source.asked())
    cases = []
    for policy in layouts:
        found = gather(policy, [source], target=target, limits=bounds, keyless=proved_by)
        cases.append(
            Case(
                policy,
                option.at(args),
                found.exhibits,
                found.refused,
                target=target,
                timestamp_authorities=timestamp_authorities(args),
                root=proved_by.used,
                asked=asked,
                claims=found.claims,
                limits=bounds,
            )
        )
    return verify_any(cases) if cases else without_layout(copy.origin, option.at(args), asked)


def _report(args: argparse.Namespace, source: Placed, copy: Placed, convoy: Convoy, verdict: Verdict | None) -> None:
    if args.json:
        from navicert.report.json import render_object, to_json

        facts: dict[str, object] = {
            "type": "navicert-copied/v1",
            "source": source.origin,
            "destination": copy.origin,
            "attached": [str(one.descriptor.digest) for one in convoy.companions],
            "sent": convoy.sent,
            "sent_bytes": convoy.sent_bytes,
            "held": convoy.held,
            "verdict": None if verdict is None else to_json(verdict),
        }
        say(render_object(facts))
        return
    if args.quiet:
        return
    count = len(convoy.companions)
    say(f"{escape(source.origin)} → {escape(copy.origin)}")
    held = f", {convoy.held} there already" if convoy.held else ""
    say(f"the image and {count} attached manifest{'s' * (count != 1)}, {convoy.sent} blobs sent{held}, all found again")
    if verdict is not None:
        from navicert.cli.verdict import report

        report(verdict, args)
