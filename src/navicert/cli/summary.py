"""Writing a signed verification summary (VSA) of what has just been judged."""

from __future__ import annotations

import os

from navicert.cli import option, password
from navicert.cli.terminal import complain
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from navicert.digest import Digest
    from navicert.model.statement import ResourceDescriptor
    from navicert.oci.shelf import Placed
    from navicert.verdict import Verdict
    from navicert.verify.case import Policy, Target


def add_summary(parser: argparse.ArgumentParser) -> None:
    """`--vsa`, and what belongs to it: `check_summary(args)`, `write_summary(args, …)`."""
    group = parser.add_argument_group("summary for others (VSA)")
    group.add_argument("--vsa", metavar="KEY", help="write a summary, signed with KEY")
    group.add_argument("--vsa-output", metavar="FILE", help="where to")
    group.add_argument("--verifier-id", metavar="URI", help="who verified, as the summary says it")


def check_summary(args: argparse.Namespace, command: str) -> None:
    """Raise `Malformed` unless all that a summary needs was given, or nothing; and with `--at`."""
    given = [args.vsa is not None, args.vsa_output is not None, args.verifier_id is not None]
    if any(given) and not all(given):
        raise Malformed("--vsa, --vsa-output and --verifier-id go together", path=command, remedy="give all or none")
    if args.vsa is not None and args.at is not None:
        raise Malformed(
            "a summary says what holds now", path="--vsa", remedy="leave --at out: others would take it for now"
        )
    if args.vsa is not None and not args.verifier_id:
        raise Malformed("empty", path="--verifier-id", expected="a URI")


def subject_of(target: Target, placed: Placed | None) -> ResourceDescriptor:
    """What the summary is about: the file, or the image by the digest that its reference named. Raises `Malformed` for
    an image without a digest of its own."""
    from navicert.digest import Digest, DigestSet
    from navicert.model.statement import ResourceDescriptor

    if placed is not None:
        digest = placed.root.digest
    elif target.kind == "file":
        digest = Digest("sha256", next(iter(target.parts[0].digests)))
    elif target.whole is not None:
        digest = Digest("sha256", next(iter(target.whole.digests)))
    else:
        raise Malformed(
            "has no one digest that others would ask for",
            path=target.name,
            expected="a file, or an image in a registry",
            remedy="push the image, and name it as HOST/NAME:TAG",
        )
    name = os.path.basename(target.name) if target.kind == "file" else target.name.partition("@")[0]
    return ResourceDescriptor(name, digests=DigestSet.of({digest.algorithm: digest.hex}))


def policy_of(path: str, digest: Digest) -> ResourceDescriptor:
    """The policy that was judged by: its file's name and a digest of all that decided."""
    from urllib.parse import quote

    from navicert.digest import DigestSet
    from navicert.model.statement import ResourceDescriptor

    return ResourceDescriptor(uri=quote(os.path.basename(path)), digests=DigestSet.of({digest.algorithm: digest.hex}))


def write_summary(
    args: argparse.Namespace,
    *,
    subject: ResourceDescriptor,
    resource: str,
    policy: ResourceDescriptor,
    levels: tuple[str, ...],
    inputs: Iterable[Digest],
    at: datetime,
    dependencies: Mapping[str, int] | None = None,
) -> None:
    """Sign the summary with the key of `--vsa`, and write it to `--vsa-output`. Raises `Refused` where that is there
    already, and what opening the key raises."""
    from navicert import __version__
    from navicert.envelope.document import check_form, seal
    from navicert.slsa.vsa import make_summary
    from navicert.trust.keyfile import open_signer

    signer = open_signer(args.vsa, password=password.source(args, args.vsa))
    check_form("dsse", signer)
    statement = make_summary(
        subjects=(subject,),
        verifier_id=args.verifier_id,
        version=__version__,
        resource=resource,
        policy=policy,
        at=at,
        levels=levels,
        inputs=inputs,
        dependencies=dependencies,
    )
    option.write_file(args.vsa_output, seal(statement, signer))


def summarise_chain(
    args: argparse.Namespace,
    verdict: Verdict,
    layouts: Sequence[Policy],
    target: Target,
    placed: Placed | None,
) -> None:
    """Write what a layout's verdict is worth to others: that the chain of `target` was judged by it and passed. How
    it was built has not been looked at, so it states no level of SLSA."""
    from navicert.slsa.vsa import LAYOUT_VERIFIED, UNEVALUATED

    if not verdict.passed:
        complain("no summary written: it did not pass")
        return
    judged = {check.subject for _, check in verdict.root.walk() if check.id == "layout.signature"}
    (layout,) = [policy for policy in layouts if policy.sealed.origin in judged][:1]
    write_summary(
        args,
        subject=subject_of(target, placed),
        resource=args.resource_uri,
        policy=policy_of(layout.sealed.origin, layout.sealed.digest),
        levels=(UNEVALUATED, LAYOUT_VERIFIED),
        inputs=verdict.inputs,
        at=verdict.at,
    )
    complain(f"{args.vsa_output}: summary written, {LAYOUT_VERIFIED}")
