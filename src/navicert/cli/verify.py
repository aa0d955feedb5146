"""`navicert verify`: judges a chain against its layout, and the target that is to come out of it."""

from __future__ import annotations

import os

from navicert.cleanup import ExitStack
from navicert.cli import option, password
from navicert.cli.evidence_source import EvidenceSources, explain_places
from navicert.cli.image import Images, add_access, attached_policies, check_layers
from navicert.cli.policy import (
    add_policies,
    add_timestamp_roots,
    keyless,
    owners,
    policies,
    timestamp_authorities,
)
from navicert.cli.summary import add_summary, check_summary, summarise_chain
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from navicert.oci.shelf import Placed
    from navicert.trust.state import TrustState
    from navicert.verdict import Verdict
    from navicert.verify.case import Case, Policy, Revocations, Target
    from navicert.verify.inspections import Inspector

HELP = "judge a chain, and the target that came out of it"
DESCRIPTION = """Judge the evidence in --store by --layout, and whether TARGET came out of it: a file, a
folder, or an image as HOST/NAME:TAG, registry:REF, oci:DIR, oci-archive:FILE or docker-archive:FILE. Of an image in a
registry, what is attached to it there counts too, and --layout may be attached as well."""
EXAMPLE = "navicert verify --layout root.layout --owner keys/owner.pub dist/app.tar.gz"

SCOPES = ("index", "every-platform", "either")
"""What of an image must be bound."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    add = parser.add_argument
    add("target", nargs="?", metavar="TARGET", help="what is about to be used")
    add_policies(parser, required=False)
    option.add_store(parser, repeat=True)
    add(
        "--evidence-from",
        action="append",
        metavar="URI",
        help="further evidence: a pack (and its layout), a store,\nregistry:REF (repeatable)",
    )
    add("--inspect-from", metavar="DIR", help="folder of the files that inspections look at (copied)")
    add("--target-step", metavar="NAME", help="step that made TARGET (default: the last)")
    add("--platform-scope", choices=SCOPES, default="either", metavar="S", help=f"{', '.join(SCOPES)} (default)")
    add("--check-layers", action="store_true", help="of an image in a registry read the layers too")
    option.add_at(parser)
    add("--strict", action="store_true", help="rules that bind nothing fail instead of warning")
    add("--parameter", action="append", default=[], metavar="N=V", help="value of {N} in the layout (repeatable)")
    add("--parameter-pattern", action="append", default=[], metavar="N=V", help="the same; V may hold * ? [")
    add("--revoke", action="append", default=[], metavar="WHAT", help="digest, key id or person denied (repeatable)")
    add_timestamp_roots(parser)
    add("--trust-state", metavar="FILE", help="refuse older layouts than FILE has seen")
    add("--min-layout-version", type=int, metavar="N", help="refuse layouts older than N")
    add("--run-id", metavar="ID", help="count only evidence of this run")
    add("--summary", metavar="FILE", help="write a link that sums up a chain that passed")
    add("--summary-key", metavar="KEY", help="private key that signs it")
    add_summary(parser)
    add("--resource-uri", metavar="URI", help="what the summary for others is about")
    password.add_arguments(parser)
    option.add_json(parser)
    option.add_verbosity(parser)
    option.add_limits(parser)
    add_access(parser)


def run(args: argparse.Namespace) -> int:
    """Judge, report, and return 0 passed, 1 not passed, 3 could not find out."""
    from navicert.cli.verdict import exit_code, report

    state = _state(args)
    with ExitStack() as cleanup:
        images = Images(args, cleanup)
        placed = None if args.target is None else images.find(args.target)
        _check_options(args, placed)
        target = _target(args, images, placed)
        evidence = EvidenceSources(args, images, cleanup, beside="" if placed is None else args.target)
        layouts = _layouts(args, images, evidence)
        cases = [_case(args, policy, target, state, evidence) for policy in layouts]
        inspector = _inspector(args, target, cleanup)
        verdict = _judge(cases, inspector) if cases else _without_layout(args, evidence)
    if state is not None:
        _note_versions(state, layouts, verdict)
    if args.summary is not None and verdict.passed:
        _write_summary(args, verdict)
    if args.vsa is not None and target is not None:
        summarise_chain(args, verdict, layouts, target, placed)
    report(verdict, args)
    if not verdict.passed:
        explain_places(verdict, evidence.elsewhere)
    return exit_code(verdict)


def _check_options(args: argparse.Namespace, placed: Placed | None) -> None:
    if not args.layout and not args.evidence_from and placed is None:
        raise Malformed("the following arguments are required: --layout", path="verify", remedy="see verify --help")
    if (args.summary is None) != (args.summary_key is None):
        raise Malformed("--summary and --summary-key go together", path="verify", remedy="give both or neither")
    check_summary(args, "verify")
    if args.vsa is not None and (args.target is None or args.resource_uri is None):
        raise Malformed("a summary is about something", path="--vsa", remedy="name TARGET, and give --resource-uri")
    if args.summary is None and args.vsa is None and password.given(args):
        raise Malformed("a password is for --summary-key and --vsa only", path="verify", remedy="leave it out")
    if args.min_layout_version is not None and args.min_layout_version < 1:
        raise Malformed("below 1", path="--min-layout-version", got=str(args.min_layout_version))


# --- what is judged ------------------------------------------------------------------------------------------------


def _layouts(args: argparse.Namespace, images: Images, evidence: EvidenceSources) -> list[Policy]:
    """The layouts to judge by: those that were named, else those of packs, else those attached to the image. Whatever
    they come from, owners' signatures alone decide whether they count."""

    bounds = option.limits(args)
    if args.layout or evidence.layouts:
        return policies(
            args, evidence.layouts, lambda spec, whose: attached_policies(images.source(spec), whose, bounds)
        )
    whose = owners(args)
    return [policy for source in evidence.attached for policy in attached_policies(source, whose, bounds)]


def _target(args: argparse.Namespace, images: Images, placed: Placed | None) -> Target | None:
    if args.target is None:
        if args.target_step is not None:
            raise Malformed("--target-step without TARGET", path="verify", remedy="name what is about to be used")
        return None
    from navicert.resolve.target import image_target, open_target

    if placed is None:
        if args.check_layers:
            raise Malformed("for an image in a registry", path="--check-layers", remedy="others are read whole anyway")
        target = open_target(args.target, option.limits(args), args.platform_scope)
        if args.platform_scope != "either" and target.kind != "image":
            raise Malformed("for an image", path="--platform-scope", got=f"a {target.kind}", remedy="leave it out")
        return target
    image = images.source(args.target).image
    if args.check_layers:
        check_layers(placed, image)
    return image_target(placed.origin, image, args.platform_scope)


def _case(
    args: argparse.Namespace,
    policy: Policy,
    target: Target | None,
    state: TrustState | None,
    evidence: EvidenceSources,
) -> Case:
    from navicert.store.gather import gather
    from navicert.verify.case import Case

    bounds = option.limits(args)
    patterns = _values("--parameter-pattern", args.parameter_pattern)
    parameters = _values("--parameter", args.parameter)
    twice = sorted(patterns.keys() & parameters.keys())
    if twice:
        raise Malformed("given as a value and as a pattern", path="--parameter", got=twice[0])
    proved_by = keyless(args)
    try:
        gathered = gather(
            policy,
            evidence.sources,
            target=target,
            run_id=args.run_id,
            limits=bounds,
            keep_bytes=False,
            keyless=proved_by,
        )
        minimum = _min_version(args, policy, state)
    except Malformed as error:
        raise error.at(policy.sealed.origin) from None
    return Case(
        policy,
        option.at(args),
        gathered.exhibits,
        gathered.refused,
        strict=args.strict,
        target=target,
        target_step=args.target_step,
        parameters={**parameters, **patterns} or None,
        patterns=frozenset(patterns),
        revoked=_revocations(args),
        timestamp_authorities=timestamp_authorities(args),
        root=proved_by.used,
        min_version=minimum,
        run_id=args.run_id,
        asked=evidence.asked(),
        claims=gathered.claims,
        limits=bounds,
    )


def _revocations(args: argparse.Namespace) -> Revocations:
    from navicert.verify.case import Revocations

    if not args.revoke:
        return Revocations()
    from navicert.cli.revocation import revocations

    return revocations(args.revoke)


def _values(name: str, given: Sequence[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise Malformed("not a parameter", path=name, expected="NAME=VALUE", got=repr(text[:80]))
        if key in values:
            raise Malformed("given twice", path=name, got=key)
        values[key] = value
    return values


def _inspector(args: argparse.Namespace, target: Target | None, cleanup: ExitStack) -> Inspector | None:
    """What runs inspections, if somebody asked for it: by naming a folder, or a folder as the target."""
    source: str | None = args.inspect_from
    if source is None and target is not None and target.kind == "directory":
        source = args.target.removeprefix("file:")
    if source is None:
        return None
    if not os.path.isdir(source):
        raise Malformed("no such folder", path="--inspect-from", got=source)
    from navicert.record.inspector import ProcessInspector

    return cleanup.enter_context(ProcessInspector(source, limits=option.limits(args)))


def _judge(cases: Sequence[Case], inspector: Inspector | None) -> Verdict:
    from navicert.verify.evaluate import verify_any

    try:
        return verify_any(cases, inspector)
    except Malformed as error:
        raise error.at(cases[0].policy.sealed.origin if len(cases) == 1 else "") from None


def _without_layout(args: argparse.Namespace, evidence: EvidenceSources) -> Verdict:
    from navicert.verify.evaluate import without_layout

    return without_layout(args.target or "", option.at(args), evidence.asked())


# --- the version guard ---------------------------------------------------------------------------------------------


def _state(args: argparse.Namespace) -> TrustState | None:
    """What this verifier has seen, if it is to remember."""
    if args.trust_state is None:
        return None
    from navicert.trust.state import TrustState

    return TrustState(args.trust_state)


def _min_version(args: argparse.Namespace, policy: Policy, state: TrustState | None) -> int | None:
    """The lowest version that is accepted: what was asked for, or what this verifier has seen, whichever is higher."""
    asked: int | None = args.min_layout_version
    if state is None:
        return asked
    # With a state a version is required: without one, a layout from before there were versions would slip through.
    return max(asked or 1, state.versions().get(_release(policy)[0], 1))


def _note_versions(state: TrustState, layouts: Sequence[Policy], verdict: Verdict) -> None:
    """Remember the versions of the layouts that their owners signed, whatever else came out."""
    signed = {
        check.subject for _, check in verdict.root.walk() if check.id == "layout.signature" and check.outcome.passes
    }
    for policy in layouts:
        name, version = _release(policy)
        if policy.sealed.origin in signed and version is not None:
            state.note(name, version)


def _release(policy: Policy) -> tuple[str, int | None]:
    """Name and version of a layout that some owner signed; nothing of one that nobody did."""
    from navicert.model.layout import Layout

    if policy.verified is None or not isinstance(policy.verified.body, Layout):
        return "", None
    release = policy.verified.body.release
    return release.name, release.version


# --- the summary ---------------------------------------------------------------------------------------------------


def _write_summary(args: argparse.Namespace, verdict: Verdict) -> None:
    """Write the link that stands for the whole chain. Spec: in-toto v1.0 §5.2 (12)."""
    from navicert.envelope.document import form_for, seal
    from navicert.model.link import Link
    from navicert.trust.keyfile import open_signer

    if not isinstance(verdict.summary, Link):
        raise Malformed("no summary: the layout has no steps", path="--summary")
    signer = open_signer(args.summary_key, password=password.source(args, args.summary_key))
    option.write_file(args.summary, seal(verdict.summary, signer, form=form_for(signer)), force=True)
