"""`navicert slsa`: which level of SLSA an image or file has reached, and what the next one lacks."""

from __future__ import annotations

import os
from contextlib import ExitStack

from navicert.cli import option, password
from navicert.cli.evidence_source import EvidenceSources, explain_asked
from navicert.cli.expectation_file import add_expectations, read_expectations
from navicert.cli.image import Images, add_access, attached_policies
from navicert.cli.policy import add_owners, add_timestamp_roots, keyless, names_owner, policies, timestamp_authorities
from navicert.cli.summary import add_summary, check_summary
from navicert.cli.terminal import colour_wanted, complain, say, width
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Collection

    from navicert.crypto.key import Key
    from navicert.model.identity import IdentityPolicy
    from navicert.oci.shelf import Placed
    from navicert.slsa.account import Inquiry
    from navicert.slsa.assess import Assessment
    from navicert.slsa.attestation import Artifact
    from navicert.slsa.chain import Chain
    from navicert.slsa.expectation import Expectations
    from navicert.verify.case import Policy, Revocations, Target

HELP = "say which SLSA level was reached, what the next lacks"
DESCRIPTION = """Judge TARGET (a file or image, as `navicert verify` takes it) by SLSA: the build and source
tracks of v1.2, and the four levels of v0.1 as evidenced and as declared. Evidence is provenance, verification
summaries, reviews and traces that a given key signed; with --layout the chain of links too."""
EXAMPLE = "navicert slsa app.tar --attestation app.intoto.jsonl --key keys/ci.pub"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    add = parser.add_argument
    add("target", metavar="TARGET", help="file, image, or ALG:HEX such as gitCommit:…")
    add("--key", action="append", default=[], metavar="PUB", help="public key of who signs evidence (repeatable)")
    add("--identity", action="append", default=[], metavar="S", help="or an identity, such as a workflow (repeatable)")
    add("--issuer", action="append", default=[], metavar="URL", help="who vouches for it, one for each --identity")
    add("--trusted-root", metavar="FILE", help="Sigstore's roots (default: those of the public instance)")
    add("-a", "--attestation", action="append", default=[], metavar="F", help="attestations: a file (repeatable)")
    option.add_store(parser, repeat=True)
    add("--evidence-from", action="append", metavar="URI", help="further evidence: pack, store, registry:REF")
    add_expectations(parser)
    add("--name", action="append", default=[], metavar="N", help="name of TARGET in the expectations (repeatable)")
    add("--resource-uri", action="append", default=[], metavar="URI", help="what summaries of TARGET are about")
    add(
        "--require",
        action="append",
        default=[],
        metavar="T:N",
        help="level that must be reached: build:3, source:2,\ntable:3, declared:3 (repeatable)",
    )
    add("--layout", action="append", metavar="F", help="signed layout of the chain (several: any one)")
    add_owners(parser)
    add_timestamp_roots(parser)
    add("--inspect-from", metavar="DIR", help="folder of the files that its inspections look at")
    add("--target-step", metavar="NAME", help="step that made TARGET (default: the last)")
    add("--revoke", action="append", default=[], metavar="WHAT", help="digest, key id or person denied (repeatable)")
    option.add_at(parser)
    add_summary(parser)
    password.add_arguments(parser)
    option.add_json(parser)
    option.add_verbosity(parser)
    option.add_limits(parser)
    add_access(parser)


def run(args: argparse.Namespace) -> int:
    """Judge, report, and return 0 passed, 1 not passed, 3 could not find out."""
    from navicert.cli.verdict import exit_code
    from navicert.slsa.assess import assess

    _check_options(args)
    _sort_files(args)
    with ExitStack() as cleanup:
        images = Images(args, cleanup)
        placed = images.find(args.target)
        keys = option.public_keys(args.key)
        expectations = read_expectations(args, keys)
        if isinstance(expectations, str):
            return _refused(args, expectations)
        evidence = EvidenceSources(args, images, cleanup, beside="" if placed is None else args.target)
        artifact = _artifact(args, images, placed)
        chain = _chain(args, images, evidence, artifact.target, expectations, cleanup)
        inquiry = _inquiry(args, artifact, keys, expectations, evidence, chain)
        assessment = assess(inquiry)
        asked = evidence.asked()
    if args.vsa is not None:
        _summarise(args, inquiry, assessment, placed)
    _report(args, assessment)
    if not assessment.verdict.passed and asked and not inquiry.pool.provenances:
        explain_asked([(one.place, one.answer) for one in asked])
    return exit_code(assessment.verdict)


def _sort_files(args: argparse.Namespace) -> None:
    """Take the files of `--evidence-from` that hold documents, not a pack, for attestations."""
    kept: list[str] = []
    for uri in args.evidence_from or ():
        documents = False
        if os.path.isfile(uri):
            with open(uri, "rb") as stream:
                documents = stream.read(64).lstrip()[:1] == b"{"
        (args.attestation if documents else kept).append(uri)
    args.evidence_from = kept


def _check_options(args: argparse.Namespace) -> None:
    check_summary(args, "slsa")
    if args.vsa is None and password.given(args):
        raise Malformed("a password is for --vsa only", path="slsa", remedy="leave it out")
    if bool(args.layout) != names_owner(args):
        raise Malformed("--layout and --owner go together", path="slsa", remedy="give both or neither")


# --- what is judged ------------------------------------------------------------------------------------------------


def _artifact(args: argparse.Namespace, images: Images, placed: Placed | None) -> Artifact:
    """What TARGET names; of a file with digests of two families, so that an attestation by either counts."""
    from navicert.resolve import resolve
    from navicert.resolve.artifact import ResolveOptions
    from navicert.resolve.target import image_target, open_target
    from navicert.slsa.attestation import Artifact

    if placed is not None:
        return Artifact(image_target(placed.origin, images.source(args.target).image))
    named = _by_digest(args)
    if named is not None:
        return named
    target = open_target(args.target, option.limits(args))
    if target.kind == "directory":
        raise Malformed("a folder has no provenance", path=args.target, expected="a file or an image")
    if target.kind != "file":
        return Artifact(target)
    folder, name = os.path.split(target.name)
    options = ResolveOptions(
        base_path=folder,
        excludes=(),
        expand=False,
        strict=True,
        algorithms=("sha256", "sha384", "sha512"),
        limits=option.limits(args),
    )
    (digests,) = resolve(name, options).artifacts.values()
    return Artifact(target, digests)


def _by_digest(args: argparse.Namespace) -> Artifact | None:
    """The artifact that TARGET names as `ALG:VALUE`; None where it names something else. What no algorithm gives, such
    as `gce_image_id:1`, is an id that decides because it was asked for."""
    from navicert.digest import DigestSet, digest_of
    from navicert.resolve import IMAGE_SCHEMES
    from navicert.slsa.attestation import Artifact
    from navicert.verify.case import Part, Target

    name, colon, value = args.target.partition(":")
    if not colon or os.path.lexists(args.target) or name in (*IMAGE_SCHEMES, "file"):
        return None
    digests = digest_of(args.target)
    opaque = digests is None
    if digests is None:
        if not (name.replace("_", "").isalnum() and name.isascii() and value and "/" not in value):
            return None
        digests = DigestSet.from_json({name: value}, "", opaque=True)
    part = Part(args.target, frozenset(digest.hex for digest in digests.strong if digest.algorithm == "sha256"))
    return Artifact(Target(args.target, "digest", (part,)), digests, opaque)


def _names(args: argparse.Namespace, target: Target) -> tuple[str, ...]:
    """Under which names the expectations may know the target: those that were given, else its own."""
    if args.name:
        return tuple(args.name)
    if target.kind == "file":
        return (os.path.basename(target.name), args.target)
    if target.kind == "digest":
        return (args.target,)
    from navicert.resolve.target import reference_of

    reference = reference_of(args.target)
    if reference is None:
        return (args.target,)
    return (f"{reference.registry}/{reference.repository}", args.target)


def _chain(
    args: argparse.Namespace,
    images: Images,
    evidence: EvidenceSources,
    target: Target,
    expectations: Expectations,
    cleanup: ExitStack,
) -> Chain | None:
    """The chain under the first layout that passes, else under the first; None without a layout."""
    from navicert.slsa.chain import Chain
    from navicert.store.gather import gather
    from navicert.verify.case import Case
    from navicert.verify.evaluate import verify

    if not args.layout:
        return None
    inspector = None
    if args.inspect_from is not None:
        if not os.path.isdir(args.inspect_from):
            raise Malformed("no such folder", path="--inspect-from", got=args.inspect_from)
        from navicert.record.inspector import ProcessInspector

        inspector = cleanup.enter_context(ProcessInspector(args.inspect_from, limits=option.limits(args)))
    chains: list[Chain] = []
    for policy in _policies(args, images):
        bounds = option.limits(args)
        proved_by = keyless(args)
        gathered = gather(policy, evidence.sources, target=target, limits=bounds, keep_bytes=False, keyless=proved_by)
        case = Case(
            policy,
            option.at(args),
            gathered.exhibits,
            gathered.refused,
            target=target,
            target_step=args.target_step,
            revoked=_revoked(args),
            timestamp_authorities=timestamp_authorities(args),
            root=proved_by.used,
            claims=gathered.claims,
            limits=bounds,
        )
        chain = Chain.of(case, verify(case, inspector), expectations.steps)
        if chain is None:
            complain(f"warning: {policy.sealed.origin}: no owner signed it, and it does not count")
        else:
            chains.append(chain)
    return next((chain for chain in chains if chain.passed), chains[0] if chains else None)


def _policies(args: argparse.Namespace, images: Images) -> list[Policy]:
    bounds = option.limits(args)
    return policies(args, None, lambda spec, whose: attached_policies(images.source(spec), whose, bounds))


def _revoked(args: argparse.Namespace) -> Revocations:
    from navicert.cli.revocation import revocations

    return revocations(args.revoke)


def _inquiry(
    args: argparse.Namespace,
    artifact: Artifact,
    given: tuple[Key, ...],
    expectations: Expectations,
    evidence: EvidenceSources,
    chain: Chain | None,
) -> Inquiry:
    from navicert.cli.attestation_source import read_attestations
    from navicert.slsa.account import Inquiry
    from navicert.slsa.attestation import Pool
    from navicert.trust.builder import shipped_builders

    digests = [f"{name}:{value}" for name, value in artifact.digests] or list(_digests(artifact.target))
    keys = tuple(dict.fromkeys((*given, *expectations.keys)))
    attestations, refused = read_attestations(args, evidence, digests, keys, chain)
    return Inquiry(
        artifact,
        option.at(args),
        Pool.of(attestations, refused, _revoked(args)),
        expectations,
        shipped_builders().overridden_by(expectations.builders),
        _names(args, artifact.target),
        tuple(args.resource_uri),
        chain,
        _required(args, expectations, _names(args, artifact.target)),
        option.limits(args),
        _identities(args),
    )


def _identities(args: argparse.Namespace) -> tuple[IdentityPolicy, ...]:
    """The identities that were given, each with its issuer. Raises `Malformed`."""
    from navicert.model.identity import IdentityPolicy

    if len(args.identity) != len(args.issuer):
        raise Malformed(
            "an identity has an issuer",
            path="--identity",
            expected="as many --issuer as --identity",
            got=str(len(args.issuer)),
        )
    try:
        return tuple(map(IdentityPolicy.exactly, args.identity, args.issuer))
    except Malformed as error:
        raise error.at("--identity") from None


def _digests(target: Target) -> Collection[str]:
    from navicert.store.trail import digests_of

    return digests_of(target)


def _required(args: argparse.Namespace, expectations: Expectations, names: tuple[str, ...]) -> dict[str, int]:
    """Track → level: what was asked for, over what the expectations of the image ask for."""
    from navicert.slsa.expectation import read_required

    expected = expectations.of(names)
    wanted = {} if expected is None else dict(expected.require)
    for text in args.require:
        track, colon, level = text.partition(":")
        if not colon or not (level.isascii() and level.isdigit() and len(level) == 1):
            raise Malformed(
                "not a level", path="--require", expected="TRACK:NUMBER, such as build:3", got=repr(text[:40])
            )
        try:
            asked = read_required({track: int(level)}, "")
        except Malformed as error:
            raise error.at("--require") from None
        # Neither may lower what the other asks for.
        wanted = {**wanted, track: max(wanted.get(track, 0), asked[track])}
    return wanted


# --- what is said --------------------------------------------------------------------------------------------------


def _refused(args: argparse.Namespace, problem: str) -> int:
    """Say that the expectations do not count, and that nothing has been judged."""
    from navicert.cli.verdict import exit_code, report
    from navicert.digest import sha256
    from navicert.verdict import Verdict, all_of, failed

    spec = "Navicert: what grants a level is signed or pinned"
    check = failed("slsa.vouched", args.expect, problem, spec=spec)
    root = all_of("slsa", args.target, (check,), "the expectations do not count")
    verdict = Verdict(root, option.at(args), sha256(option.read_file(args.expect, option.limits(args).document_bytes)))
    report(verdict, args)
    return exit_code(verdict)


def _report(args: argparse.Namespace, assessment: Assessment) -> None:
    from navicert.report.level import Scale, levels_document, render_levels

    scales = [Scale(one.track, one.title, one.check, one.reached, one.declared) for one in assessment.ladders]
    more = {"properties": assessment.properties, "dependencies": assessment.dependencies}
    if args.json:
        from navicert.report.json import render_object

        say(render_object(levels_document(assessment.verdict, scales, **more)))  # type: ignore[arg-type]
    elif not args.quiet:
        import sys

        out = sys.stdout
        colour = colour_wanted(out)
        text = render_levels(
            assessment.verdict,
            scales,
            colour=colour,
            width=width(out),
            verbose=args.verbose,
            **more,  # type: ignore[arg-type]
        )
        say(text)


# --- the summary ---------------------------------------------------------------------------------------------------


def _summarise(args: argparse.Namespace, inquiry: Inquiry, assessment: Assessment, placed: Placed | None) -> None:
    """Write the signed summary of what came out, passed or failed. Spec: SLSA v1.2 verification_summary.md."""
    from navicert.cli.summary import policy_of, subject_of, write_summary

    if not assessment.results:
        complain("no summary written: it could not be found out")
        return
    resources = sorted(inquiry.about)
    if len(resources) != 1:
        raise Malformed(
            "a summary is about one resource",
            path="--vsa",
            expected="--resource-uri, or `resource` of the expectations",
        )
    expectations = inquiry.expectations
    write_summary(
        args,
        subject=subject_of(inquiry.artifact.target, placed),
        resource=resources[0],
        policy=policy_of(expectations.origin or "navicert", expectations.digest or assessment.verdict.policy),
        levels=assessment.results,
        inputs=assessment.verdict.inputs,
        at=inquiry.at,
        dependencies=assessment.dependencies if assessment.verdict.passed else None,
    )
    complain(f"{args.vsa_output}: summary written, {', '.join(assessment.results)}")
