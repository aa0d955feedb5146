"""Options of the commands that attest: about what, signed by whom, and where the attestation goes."""

from __future__ import annotations

from contextlib import ExitStack, closing

from navicert.cli import option
from navicert.cli.image import Images, add_access
from navicert.cli.terminal import complain, escape, say
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from navicert.authoring.predicate.about import About
    from navicert.authoring.predicate.draft import Draft
    from navicert.crypto.signer import Signer
    from navicert.model.statement import ResourceDescriptor, Statement
    from navicert.oci.remote import Resolved

_ENVELOPE = "application/vnd.dsse.envelope.v1+json"
_ARTIFACT = "application/vnd.in-toto+json"
_OTHER = "attest what was made of this very subject; --about-other signs in spite of it"
_OWN_DIGEST = (
    "of an image in a Docker daemon or docker-archive syft writes a digest of its own here: attest what"
    " syft -o json writes, which has the image id; --about-other signs in spite of it"
)


def add_attesting(parser: argparse.ArgumentParser, *, subject: bool = True) -> None:
    """What every command that attests takes."""
    add = parser.add_argument
    if subject:
        add(
            "--subject",
            action="append",
            required=True,
            metavar="WHAT",
            help="a file, ALG:HEX, git:DIR, HOST/NAME:TAG, oci:DIR, …,\nwith NAME= before it or not (repeatable)",
        )
    option.add_key(parser)
    option.add_certificate(parser)
    option.add_timestamp(parser)
    group = parser.add_argument_group("where it goes (default: standard output)")
    group.add_argument("-o", "--output", metavar="OUT", help="write it to this file; - for standard output")
    group.add_argument("--force", action="store_true", help="replace OUT if it exists")
    group.add_argument("--store", metavar="URI", help="put it into a store: DIR, sqlite:FILE, postgresql://…")
    group.add_argument("--step", metavar="NAME", help="file it in the store as evidence for this step")
    group.add_argument("--attach", action="store_true", help="attach it to the image in a registry it is about")
    option.add_json(parser)
    option.add_limits(parser)
    add_access(parser)


def attest(args: argparse.Namespace, draft: Callable[[], Draft]) -> int:
    """Sign what `draft` makes about the subjects that were named, and hand it over."""
    made = signers(args)
    with ExitStack() as cleanup:
        images = Images(args, cleanup)
        subjects = [one for spec in args.subject for one in _subjects(args, images, spec)]
        place = _image(args, images) if args.attach else None
        drafted = draft()
        if drafted.about is not None:
            drafted = _compared(args, images, drafted, drafted.about)
        return deliver(args, subjects, drafted, made, place)


def deliver(
    args: argparse.Namespace,
    subjects: list[ResourceDescriptor],
    draft: Draft,
    signers: tuple[Signer, ...],
    place: Resolved | None = None,
) -> int:
    """Sign a statement about `subjects`, put it where it was asked for, and say so."""
    from navicert.envelope.document import seal
    from navicert.model.predicate.digests import check_digests
    from navicert.model.statement import Statement

    distinct = {(one.name, one.digests): one for one in subjects}
    statement = Statement(tuple(distinct.values()), draft.type, draft.predicate)
    # What is signed has to be what everybody would read, and decide something where it seems to.
    Statement.from_json(statement.to_json(), limits=option.limits(args))
    check_digests(statement.to_json())
    raw = seal(statement, *signers)
    for warning in draft.warnings:
        complain(f"warning: {warning}")
    places = []
    if args.store is not None:
        places.append(_store(args, raw))
    if place is not None:
        places.append(_attach(place, raw, draft.type))
    written = args.output or ("-" if not places and not args.json else None)
    if written is not None:
        option.write_file(written, raw + b"\n", force=args.force)
        places += [written] if written != "-" else []
    _report(args, statement, signers, places, draft.warnings, raw)
    return 0


def signers(args: argparse.Namespace) -> tuple[Signer, ...]:
    """The keys to sign with, looked at before anything else is read."""
    from navicert.envelope.document import check_form

    if args.json and args.output == "-":
        raise Malformed("two things for standard output", path="--json", remedy="write the attestation to a file")
    if args.step is not None and args.store is None:
        raise Malformed("--step is for --store", path="--step", remedy="leave it out")
    if args.force and args.output is None:
        raise Malformed("--force is for --output", path="--force", remedy="leave it out")
    made = option.signers(args)
    check_form("dsse", *made)
    return made


def _subjects(args: argparse.Namespace, images: Images, spec: str) -> tuple[ResourceDescriptor, ...]:
    from navicert.resolve.subject import subjects_of

    return subjects_of(spec, images.need, option.limits(args))


def add_about(parser: argparse.ArgumentParser) -> None:
    """What commands take that read a report which says itself what it is about."""
    parser.add_argument(
        "--about-other", action="store_true", help="sign although FILE says that it is about something else"
    )


def _compared(args: argparse.Namespace, images: Images, draft: Draft, about: About) -> Draft:
    """`draft`, if its report is about each thing that it is to be signed for, by some digest. Raises `Malformed`; where
    the report names no digest that is said instead."""
    from navicert.dataclass import replace
    from navicert.resolve.subject import names_of

    if args.about_other:
        return draft
    if not about.digests:
        if not about.name:
            return draft
        said = f"{args.file} names no digest of what it is about, {about.name}: not compared with the subject"
        return replace(draft, warnings=(*draft.warnings, said))
    for spec in args.subject:
        names = names_of(spec, images.need, option.limits(args))
        if about.digests.isdisjoint(names):
            raise Malformed(
                "the report is about something else than the subject",
                path=args.file,
                expected=f"{spec}: {', '.join(sorted(names)[:3])}",
                got=str(about),
                remedy=_OWN_DIGEST if about.own else _OTHER,
            )
    return draft


def _image(args: argparse.Namespace, images: Images) -> Resolved:
    """The one image in a registry that is a subject."""
    from navicert.oci.remote import Resolved

    found = []
    for spec in args.subject:
        name, equals, what = spec.partition("=")
        placed = images.find(what if equals else name)
        if isinstance(placed, Resolved):
            found.append(placed)
    if len(found) != 1:
        raise Malformed("needs one image in a registry as subject", path="--attach", got=f"{len(found)} of them")
    return found[0]


def _store(args: argparse.Namespace, raw: bytes) -> str:
    from navicert.digest import sha256
    from navicert.store import Filing
    from navicert.store.uri import open_store

    with closing(open_store(args.store, option.limits(args))) as store:
        store.prepare()
        # By its digest, so that it takes no other's place: one person may say several things about one step.
        (origin,) = store.put_many([Filing(args.step, sha256(raw).hex, raw)])
    return origin


def _attach(place: Resolved, raw: bytes, type: str) -> str:
    from navicert.errors import LimitExceeded
    from navicert.limits import NETWORK
    from navicert.oci.attachment import attach

    if len(raw) > NETWORK.attachment_bytes:
        raise LimitExceeded(
            "too large to be attached (limit attachment_bytes)",
            path=place.origin,
            expected=f"at most {NETWORK.attachment_bytes} bytes",
            got=f"{len(raw)} bytes",
        )
    attached = attach(
        place.repository, place.root, raw, _ENVELOPE, artifact_type=_ARTIFACT, annotations={"predicateType": type}
    )
    return f"{place.repository.locate(attached.manifest.digest)}"


def _report(
    args: argparse.Namespace,
    statement: Statement,
    signers: tuple[Signer, ...],
    places: list[str],
    warnings: tuple[str, ...],
    raw: bytes,
) -> None:
    from navicert.digest import sha256

    if args.json:
        from navicert.report.json import render_object

        facts = {
            "type": "navicert-attested/v1",
            "predicate_type": statement.predicate_type,
            "subjects": [one.to_json() for one in statement.subjects],
            "signed_by": [signer.keyid for signer in signers],
            "digest": str(sha256(raw)),
            "places": places,
            "warnings": list(warnings),
        }
        say(render_object(facts))
        return
    names = ", ".join(one.name or str(one.digests) for one in statement.subjects[:3])
    more = f" and {len(statement.subjects) - 3} more" if len(statement.subjects) > 3 else ""
    for place in places:
        complain(f"{place}: {escape(statement.predicate_type)} about {names}{more}")
