"""`navicert verify-attestation`: judges attestations by themselves, without a layout and without a network."""

from __future__ import annotations

import os
from contextlib import ExitStack

from navicert.cli import option
from navicert.cli.image import Images, add_access
from navicert.dataclass import replace
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from navicert.crypto.trusted_root import TrustedRoot
    from navicert.model.identity import IdentityPolicy
    from navicert.verify.inquiry import Artifact, Inquiry
    from navicert.verify.specimen import Opened

HELP = "judge attestations by themselves, offline"
DESCRIPTION = """Judge the attestation in FILE (an envelope, a Sigstore bundle, or JSON lines of these): who signed it,
about what, of which type, and whether it says what its type asks for. At least one has to be what was asked for, and
none of these may fail."""
EXAMPLE = "navicert verify-attestation app.json --key builder.pub --artifact app.tar"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    add = parser.add_argument
    add("file", metavar="FILE", help="envelope, bundle or JSON lines; - for standard input")
    about = parser.add_mutually_exclusive_group()
    about.add_argument(
        "--artifact", metavar="F", help="what it must be about: a file, a folder, an image\n(HOST/NAME:TAG, oci:DIR, …)"
    )
    about.add_argument("--digest", metavar="ALG:HEX", help="the same by its digest: sha256:…, gitCommit:…")
    add("--type", default="", metavar="TYPE", help="accept this type only: its URI, or spdx, vulns, …")
    who = parser.add_argument_group("whose word counts: keys, or an identity")
    who.add_argument("-k", "--key", action="append", default=[], metavar="PUB", help="public key (repeatable)")
    who.add_argument("--threshold", type=int, metavar="M", help="signatures of M keys are enough (default: all)")
    who.add_argument("--identity", metavar="S", help="exactly this name in the certificate: a URI, an email address")
    who.add_argument("--identity-matching", metavar="RE", help="a name that this expression describes as a whole")
    who.add_argument("--issuer", metavar="S", help="exactly who vouched for the name: https://accounts.…")
    who.add_argument(
        "--claim", action="append", default=[], metavar="N=V", help="exactly this claim in it (repeatable)"
    )
    who.add_argument("--trusted-root", metavar="F", help="authorities and logs of Sigstore (default: public ones)")
    add("--revoke", action="append", default=[], metavar="WHAT", help="digest, key id or name denied (repeatable)")
    option.add_at(parser)
    option.add_json(parser)
    option.add_verbosity(parser)
    option.add_limits(parser)
    add_access(parser)


def run(args: argparse.Namespace) -> int:
    """Judge, report, and return 0 passed, 1 not passed, 3 could not find out."""
    from navicert.cli.verdict import exit_code, report
    from navicert.verify.specimen import Trust, examine, open_members
    from navicert.verify.statement import judge

    inquiry = _inquiry(args)
    bounds = option.limits(args)
    given = None if args.trusted_root is None else _root(args)
    opened = open_members(option.read_file(args.file, bounds.document_bytes), bounds, path=args.file)
    bundles = [one for one in opened if one.bundle is not None]
    root = given or (_root(args) if bundles or inquiry.identity is not None else None)
    with ExitStack() as cleanup:
        artifact, whole = _artifact(args, Images(args, cleanup), opened)
    inquiry = replace(inquiry, artifact=artifact, root=None if root is None else root.digest)
    trust = Trust(inquiry.keys, inquiry.at, root, inquiry.identity, whole)
    verdict = judge(inquiry, [examine(one, trust, bounds) for one in opened])
    report(verdict, args)
    return exit_code(verdict)


# --- who -----------------------------------------------------------------------------------------------------------


def _inquiry(args: argparse.Namespace) -> Inquiry:
    """What is asked, before anything has been read but keys."""
    from navicert.cli.revocation import revocations
    from navicert.verify.inquiry import Inquiry, wanted_type

    identity = _identity(args)
    if not args.key and identity is None:
        raise Malformed(
            "nobody is named whose word counts",
            path="verify-attestation",
            remedy="give --key, or --identity and --issuer",
        )
    if args.key and identity is not None:
        raise Malformed("keys and an identity", path="--identity", remedy="ask for one of them")
    keys = tuple({key.fingerprint: key for key in option.public_keys(args.key)}.values())
    most = len(keys)
    if args.threshold is not None and not 1 <= args.threshold <= most:
        raise Malformed(
            "cannot be met", path="--threshold", expected=f"1 to {most}" if most else "keys", got=str(args.threshold)
        )
    try:
        type = wanted_type(args.type) if args.type else ""
    except Malformed as error:
        raise error.at("--type") from None
    revoked = revocations(args.revoke)
    if revoked.identities and identity is None:
        # It would deny nobody, and nobody would notice.
        raise Malformed("keys have no names here", path="--revoke", expected="a digest or a key id")
    return Inquiry(keys, option.at(args), None, type, args.threshold, revoked, identity)


def _identity(args: argparse.Namespace) -> IdentityPolicy | None:
    """The identity that was asked for; None where none was. Raises `Malformed` for half of one, and for empty ones."""
    from navicert.model.identity import IdentityPolicy, Wanted, claim_name

    given = [value for value in (args.identity, args.identity_matching, args.issuer) if value is not None]
    if not given and not args.claim:
        return None
    if args.identity is not None and args.identity_matching is not None:
        raise Malformed("given twice", path="--identity", remedy="leave --identity or --identity-matching out")
    if (args.identity is None and args.identity_matching is None) or args.issuer is None:
        raise Malformed(
            "a name alone says nothing: anyone has any name at an issuer of their own",
            path="verify-attestation",
            expected="--identity and --issuer together",
        )
    claims: dict[str, Wanted] = {}
    try:
        for text in args.claim:
            name, equals, value = text.partition("=")
            if not equals:
                raise Malformed("not a claim", path="--claim", expected="NAME=VALUE", got=repr(text[:80]))
            name = claim_name(name)
            if name in claims:
                raise Malformed("given twice", path="--claim", got=name)
            claims[name] = Wanted.exactly(value)
        exact = args.identity is not None
        san = Wanted.exactly(args.identity) if exact else Wanted.matching(args.identity_matching)
        return IdentityPolicy(san, Wanted.exactly(args.issuer), claims)
    except Malformed as error:
        raise error.at("verify-attestation") from None


def _root(args: argparse.Namespace) -> TrustedRoot:
    """What the proofs of bundles are checked by: the file that was named, or the public one as it shipped."""
    from navicert.trust.sigstore import open_trusted_root

    if args.trusted_root is not None and not os.path.exists(args.trusted_root):
        raise Malformed("no such file", path=args.trusted_root)
    return open_trusted_root(args.trusted_root, option.limits(args))


# --- about what ----------------------------------------------------------------------------------------------------


def _artifact(
    args: argparse.Namespace, images: Images, opened: Sequence[Opened]
) -> tuple[Artifact | None, bytes | Mapping[str, str] | None]:
    """What the attestations must be about, and the same as what a signature may be over: bytes, or digests. None where
    nothing was named."""
    from navicert.digest import digest_of
    from navicert.verify.inquiry import Artifact

    if args.digest is not None:
        try:
            digests = digest_of(args.digest)
        except Malformed as error:
            raise error.at("--digest") from None
        if digests is None:
            raise Malformed("not a digest", path="--digest", expected="ALG:HEX", got=repr(args.digest[:80]))
        return Artifact(args.digest, digests), dict(digests)
    if args.artifact is None:
        return None, None
    placed = images.find(args.artifact)
    if placed is not None:
        from navicert.resolve.target import image_target

        image = images.source(args.artifact).image
        whole = {placed.root.digest.algorithm: placed.root.digest.hex}
        return Artifact(placed.origin, target=image_target(placed.origin, image)), whole
    from navicert.resolve.target import open_target

    path = args.artifact.removeprefix("file:")
    if os.path.isfile(path):
        return _file(args, path, opened)
    target = open_target(args.artifact, option.limits(args))
    return Artifact(target.name, target=target), None


def _file(
    args: argparse.Namespace, path: str, opened: Sequence[Opened]
) -> tuple[Artifact, bytes | Mapping[str, str] | None]:
    from navicert.resolve.subject import file_digests
    from navicert.verify.inquiry import Artifact
    from navicert.verify.specimen import algorithms_of

    bounds = option.limits(args)
    digests = file_digests(path, algorithms_of(opened), bounds)
    # Keys that sign no digests (Ed25519) need the file itself, which is held in memory then.
    signed = any(one.bundle is not None for one in opened) and os.path.getsize(path) <= bounds.document_bytes
    whole = option.read_file(path, bounds.document_bytes) if signed else dict(digests)
    return Artifact(path, digests), whole
