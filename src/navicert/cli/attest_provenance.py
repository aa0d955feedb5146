"""`navicert attest provenance`: SLSA provenance out of the link of a recorded build."""

from __future__ import annotations

import os

from navicert.cli import option
from navicert.cli.attesting import add_attesting, deliver, signers
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from navicert.crypto.signer import Signer
    from navicert.model.statement import ResourceDescriptor
    from navicert.verify.evidence import Claim

HELP = "a build, out of the link that recorded it"
DESCRIPTION = """Attest as SLSA provenance v1 what LINK recorded: its products are the subjects, its materials the
dependencies. The link must be signed with --link-key, or with the key that signs here."""
EXAMPLE = "navicert attest provenance build.link --key k --builder-id https://ci.ex/b"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    add = parser.add_argument
    add("link", metavar="LINK", help="the link of the step that built")
    add("--link-key", action="append", default=[], metavar="PUB", help="public key that signed LINK (repeatable)")
    add("--builder-id", default="", metavar="URI", help="who built (default: the GitHub workflow that ran)")
    add("--build-type", default="", metavar="URI", help="how to read the parameters (default: a recorded step)")
    add("--ci", action="store_true", help="take the facts of this CI job where LINK has none")
    add("--product", action="append", default=[], metavar="PATTERN", help="only these products (repeatable)")
    add_attesting(parser, subject=False)


def run(args: argparse.Namespace) -> int:
    """Check the link, sign, and hand it over."""
    from navicert.authoring.predicate.build import Recorded, build_draft, facts_of

    if args.attach:
        raise Malformed("provenance of a link names no image in a registry", path="--attach", remedy="leave it out")
    made = signers(args)
    claim = _claim(args, made)
    facts = facts_of(claim.environment)
    if args.ci and not facts:
        from navicert.record.ci import ci_facts

        facts = ci_facts(os.environ)
    recorded = Recorded(claim.name, claim.command, claim.record.materials, claim.environment, facts)
    return deliver(args, _subjects(args, claim), build_draft(recorded, args.builder_id, args.build_type), made)


def _claim(args: argparse.Namespace, made: tuple[Signer, ...]) -> Claim:
    """What the link claims, once somebody who was named vouches for it. Raises `Malformed`."""
    from navicert.envelope.document import open_document
    from navicert.verify.evidence import claim_of

    bounds = option.limits(args)
    keys = option.public_keys(args.link_key) or tuple(signer.key for signer in made)
    raw = option.read_file(args.link, bounds.document_bytes)
    verified = open_document(raw, bounds, path=args.link).verified_by(keys)
    if verified is None:
        raise Malformed(
            "not signed by any key that was named",
            path=args.link,
            remedy="name the public key of whoever recorded it with --link-key",
        )
    claim = claim_of(verified.body)
    if claim is None:
        raise Malformed("not a link", path=args.link, expected="what navicert run or in-toto-run wrote")
    return claim


def _subjects(args: argparse.Namespace, claim: Claim) -> list[ResourceDescriptor]:
    from navicert.model.statement import ResourceDescriptor
    from navicert.verify.pattern import Pattern

    products = claim.record.products
    names = list(products)
    if args.product:
        patterns = [Pattern(text) for text in args.product]
        idle = [pattern.text for pattern in patterns if not any(pattern.matches(name) for name in names)]
        if idle:
            raise Malformed("matches no product of the link", path="--product", got=idle[0])
        names = [name for name in names if any(pattern.matches(name) for pattern in patterns)]
    if not names:
        raise Malformed("the link has no product to attest", path=args.link)
    return [ResourceDescriptor(name, digests=products[name]) for name in names]
