"""The layouts that a command judges by, and whose signatures on them count."""

from __future__ import annotations

import os

from navicert.cli import option
from navicert.errors import Malformed
from navicert.limits import LOCAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping

    from navicert.crypto.certification import CertificateAuthority
    from navicert.crypto.trusted_root import TrustedRoot
    from navicert.model.identity import IdentityPolicy
    from navicert.verify.case import Policy
    from navicert.verify.keyless import Keyless
    from navicert.verify.ownership import Owners


def add_policies(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """`--layout`, and the options of `add_owners`: `policies(args)`."""
    add = parser.add_argument
    add("--layout", action="append", required=required, metavar="F", help="signed layout (several: any one is enough)")
    add_owners(parser)
    add_trusted_root(parser)


def add_owners(parser: argparse.ArgumentParser) -> None:
    """`--owner`, `--owner-identity`, `--owner-identity-matching`, `--owner-issuer` and `--owner-threshold`:
    `owners(args)`."""
    add = parser.add_argument
    add("--owner", action="append", default=[], metavar="PUB", help="public key of an owner (repeatable)")
    add(
        "--owner-identity",
        action="append",
        type=_name,
        default=[],
        metavar="S",
        help="or an identity that owns it (repeatable)",
    )
    add(
        "--owner-identity-matching",
        action="append",
        type=_expression,
        dest="owner_identity",
        default=[],
        metavar="RE",
        help="one whose whole name this expression describes",
    )
    add("--owner-issuer", action="append", default=[], metavar="URL", help="who vouches for it, one for each identity")
    add("--owner-threshold", type=int, metavar="M", help="signatures of M owners are enough (default: all)")


def add_trusted_root(parser: argparse.ArgumentParser) -> None:
    """`--trusted-root`: `keyless(args)`."""
    parser.add_argument(
        "--trusted-root", metavar="FILE", help="trust root of Sigstore (default: the public one, as shipped)"
    )


def add_timestamp_roots(parser: argparse.ArgumentParser) -> None:
    """`--timestamp-root`: `timestamp_authorities(args)`."""
    parser.add_argument(
        "--timestamp-root",
        action="append",
        default=[],
        metavar="PEM",
        help="believe this authority's timestamps: certificates count\nfor when they signed (repeatable)",
    )


# Names and expressions go into one list, in the order in which they were written, as each has its issuer.
def _name(text: str) -> tuple[bool, str]:
    return True, text


def _expression(text: str) -> tuple[bool, str]:
    return False, text


def policies(
    args: argparse.Namespace,
    given: Mapping[str, bytes] | None = None,
    attached: Callable[[str, Owners], list[Policy]] | None = None,
) -> list[Policy]:
    """The layouts that were named; without any, those of `given` (name → bytes), which are trusted by their owners'
    signatures like all others. `attached` gives the layouts of a name that begins with `registry:`. Raises
    `Malformed`."""
    bounds = option.limits(args)
    whose = owners(args)
    named: list[Policy] = []
    files: dict[str, bytes] = {}
    for path in dict.fromkeys(args.layout or ()):
        if attached is not None and path.startswith("registry:"):
            named += attached(path, whose)
        else:
            files[path] = option.read_file(path, bounds.document_bytes)
    layouts = files if args.layout else given or {}
    return [*named, *(whose.open(raw, path=path, limits=bounds) for path, raw in layouts.items())]


def names_owner(args: argparse.Namespace) -> bool:
    """Whether any owner was named."""
    return bool(args.owner or args.owner_identity or args.owner_issuer)


def owners(args: argparse.Namespace) -> Owners:
    """The owners that were named. Raises `Malformed` where there is none, for half of an identity, and where
    `--owner-threshold` cannot be met by them."""
    from navicert.verify.ownership import Owners

    if not names_owner(args):
        raise Malformed(
            "nobody is named whose signature counts",
            path="--owner",
            remedy="give --owner, or --owner-identity and --owner-issuer",
        )
    need: int | None = args.owner_threshold
    found = Owners.of(option.public_keys(args.owner), _identities(args))
    if need is not None and not 1 <= need <= found.count:
        raise Malformed(
            "cannot be met",
            path="--owner-threshold",
            expected=f"1 to {found.count}, the number of owners",
            got=str(need),
        )
    proved_by = keyless(args) if found.identities else None
    return Owners(found.keys, found.identities, need, proved_by)


def _identities(args: argparse.Namespace) -> list[IdentityPolicy]:
    if not args.owner_identity and not args.owner_issuer:
        return []
    from navicert.model.identity import IdentityPolicy, Wanted

    if len(args.owner_identity) != len(args.owner_issuer):
        raise Malformed(
            "a name alone says nothing: anyone has any name at an issuer of their own",
            path="--owner-identity",
            expected="one --owner-issuer for each identity",
            got=f"{len(args.owner_issuer)} for {len(args.owner_identity)}",
        )
    try:
        return [
            IdentityPolicy(Wanted.exactly(name) if exact else Wanted.matching(name), Wanted.exactly(issuer))
            for (exact, name), issuer in zip(args.owner_identity, args.owner_issuer, strict=True)
        ]
    except Malformed as error:
        raise error.at("--owner-identity") from None


def keyless(args: argparse.Namespace) -> Keyless:
    """By what identities are believed: the trust root that was named, else the shipped one, which is opened when one of
    them turns up. Raises `Malformed`."""
    from navicert.datetime import UTC, datetime
    from navicert.verify.keyless import Keyless

    moment = option.at(args) if hasattr(args, "at") else datetime.now(UTC)
    return Keyless(_root(args) if args.trusted_root is not None else lambda: _root(args), moment)


def _root(args: argparse.Namespace) -> TrustedRoot:
    from navicert.trust.sigstore import open_trusted_root

    if args.trusted_root is not None and not os.path.exists(args.trusted_root):
        raise Malformed("no such file", path=args.trusted_root)
    return open_trusted_root(args.trusted_root, option.limits(args))


def timestamp_authorities(args: argparse.Namespace) -> tuple[CertificateAuthority, ...]:
    """The authorities in the files that were named. Raises `Malformed`."""
    if not args.timestamp_root:
        return ()
    from navicert.crypto.certification import authority_of_pem

    found = []
    for path in args.timestamp_root:
        try:
            raw = option.read_file(path, LOCAL.key_bytes)
            found.append(authority_of_pem(raw.decode("ascii", "replace"), path))
        except Malformed as error:
            raise error.at(path) from None
    return tuple(found)
