"""`navicert verify`: judges a chain against its layout, and the target that is to come out of it."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from navicert.cli import option, password
from navicert.errors import Malformed

if TYPE_CHECKING:
    from navicert.crypto.key import Key
    from navicert.trust.state import TrustState
    from navicert.verdict import Verdict
    from navicert.verify.case import Case, Policy, Revocations, Target
    from navicert.verify.inspections import Inspector

HELP = "judge a chain, and the target that came out of it"
DESCRIPTION = """Judge the evidence in --store by --layout, and whether TARGET came out of it: a file, a
folder, or an image as oci:DIR, oci-archive:FILE or docker-archive:FILE."""
EXAMPLE = "navicert verify --layout root.layout --owner keys/owner.pub dist/app.tar.gz"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    add = parser.add_argument
    add("target", nargs="?", metavar="TARGET", help="what is about to be used")
    add("--layout", action="append", required=True, metavar="F", help="signed layout (several: any one is enough)")
    add("--owner", action="append", required=True, metavar="PUB", help="public key of an owner (repeatable)")
    add("--owner-threshold", type=int, metavar="M", help="signatures of M owners are enough (default: all)")
    option.add_store(parser, repeat=True)
    add("--inspect-from", metavar="DIR", help="folder of the files that inspections look at (copied)")
    add("--target-step", metavar="NAME", help="step that made TARGET (default: the last)")
    option.add_at(parser)
    add("--strict", action="store_true", help="rules that bind nothing fail instead of warning")
    add("--parameter", action="append", default=[], metavar="N=V", help="value of {N} in the layout (repeatable)")
    add("--parameter-pattern", action="append", default=[], metavar="N=V", help="the same; V may hold * ? [")
    add("--revoke", action="append", default=[], metavar="WHAT", help="digest, key id or person denied (repeatable)")
    add("--trust-state", metavar="FILE", help="refuse older layouts than FILE has seen")
    add("--min-layout-version", type=int, metavar="N", help="refuse layouts older than N")
    add("--run-id", metavar="ID", help="count only evidence of this run")
    add("--summary", metavar="FILE", help="write a link that sums up a chain that passed")
    add("--summary-key", metavar="KEY", help="private key that signs it")
    password.add_arguments(parser)
    option.add_json(parser)
    option.add_verbosity(parser)
    option.add_limits(parser)


def run(args: argparse.Namespace) -> int:
    """Judge, report, and return 0 passed, 1 not passed, 3 could not find out."""
    from navicert.cli.verdict import exit_code, report
    from navicert.trust.state import TrustState
    from navicert.verify.evaluate import verify_any

    _check_options(args)
    state = TrustState(args.trust_state) if args.trust_state is not None else None
    target = _target(args)
    policies = _policies(args)
    cases = [_case(args, policy, target, state) for policy in policies]
    with ExitStack() as cleanup:
        inspector = _inspector(args, target, cleanup)
        try:
            verdict = verify_any(cases, inspector)
        except Malformed as error:
            raise error.at(args.layout[0] if len(cases) == 1 else "") from None
    if state is not None:
        _note_versions(state, policies, verdict)
    if args.summary is not None and verdict.passed:
        _write_summary(args, verdict)
    report(verdict, args)
    return exit_code(verdict)


def _check_options(args: argparse.Namespace) -> None:
    if (args.summary is None) != (args.summary_key is None):
        raise Malformed("--summary and --summary-key go together", path="verify", remedy="give both or neither")
    if args.summary is None and password.given(args):
        raise Malformed("a password is for --summary-key only", path="verify", remedy="leave it out")
    if args.min_layout_version is not None and args.min_layout_version < 1:
        raise Malformed("below 1", path="--min-layout-version", got=str(args.min_layout_version))


# --- what is judged ------------------------------------------------------------------------------------------------


def _policies(args: argparse.Namespace) -> list[Policy]:
    from navicert.verify.case import Policy

    bounds = option.limits(args)
    owners = option.public_keys(args.owner)
    _check_threshold(args.owner_threshold, owners)
    return [
        Policy.open(
            option.read_file(path, bounds.document_bytes), owners, need=args.owner_threshold, path=path, limits=bounds
        )
        for path in dict.fromkeys(args.layout)
    ]


def _check_threshold(need: int | None, owners: Sequence[Key]) -> None:
    distinct = len({key.fingerprint for key in owners})
    if need is not None and not 1 <= need <= distinct:
        raise Malformed(
            "cannot be met", path="--owner-threshold", expected=f"1 to {distinct}, the number of owners", got=str(need)
        )


def _target(args: argparse.Namespace) -> Target | None:
    if args.target is None:
        if args.target_step is not None:
            raise Malformed("--target-step without TARGET", path="verify", remedy="name what is about to be used")
        return None
    from navicert.resolve.target import open_target

    return open_target(args.target, option.limits(args))


def _case(args: argparse.Namespace, policy: Policy, target: Target | None, state: TrustState | None) -> Case:
    from navicert.store.directory import DirectoryStore
    from navicert.store.gather import gather
    from navicert.verify.case import Case

    bounds = option.limits(args)
    patterns = _values("--parameter-pattern", args.parameter_pattern)
    parameters = _values("--parameter", args.parameter)
    twice = sorted(patterns.keys() & parameters.keys())
    if twice:
        raise Malformed("given as a value and as a pattern", path="--parameter", got=twice[0])
    try:
        gathered = gather(policy, [DirectoryStore(path, bounds) for path in option.stores(args)], limits=bounds)
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
        revoked=_revocations(args.revoke),
        min_version=minimum,
        run_id=args.run_id,
        limits=bounds,
    )


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


def _revocations(given: Sequence[str]) -> Revocations:
    """What `--revoke` denies: `alg:hex` is a digest, 64 hex digits are a key (40 a GPG key), all else is a person."""
    from navicert.digest import STRONG, Digest
    from navicert.verify.case import Revocations

    digests, keys, identities = set(), set(), set()
    for text in given:
        if text.partition(":")[0] in STRONG:
            try:
                digests.add(str(Digest.parse(text)))
            except Malformed as error:
                raise error.at("--revoke") from None
        elif re.fullmatch(r"[0-9a-fA-F]{64}|[0-9a-fA-F]{40}", text):
            keys.add(text.lower())
        elif re.fullmatch(r"[0-9a-fA-F]{8,}", text) or not text:
            # Taken for a person, it would deny nobody and nobody would notice.
            raise Malformed("not a key id", path="--revoke", expected="64 or 40 hex digits", got=repr(text[:80]))
        else:
            identities.add(text)
    return Revocations(frozenset(digests), frozenset(keys), frozenset(identities))


def _inspector(args: argparse.Namespace, target: Target | None, cleanup: ExitStack) -> Inspector | None:
    """What runs inspections, if somebody asked for it: by naming a folder, or a folder as the target."""
    source = args.inspect_from
    if source is None and target is not None and target.kind == "directory":
        source = args.target.removeprefix("file:")
    if source is None:
        return None
    if not os.path.isdir(source):
        raise Malformed("no such folder", path="--inspect-from", got=source)
    from navicert.record.inspector import ProcessInspector

    return cleanup.enter_context(ProcessInspector(source, limits=option.limits(args)))


# --- the version guard ---------------------------------------------------------------------------------------------


def _min_version(args: argparse.Namespace, policy: Policy, state: TrustState | None) -> int | None:
    """The lowest version that is accepted: what was asked for, or what this verifier has seen, whichever is higher."""
    asked: int | None = args.min_layout_version
    if state is None:
        return asked
    # With a state a version is required: without one, a layout from before there were versions would slip through.
    return max(asked or 1, state.versions().get(_release(policy)[0], 1))


def _note_versions(state: TrustState, policies: Sequence[Policy], verdict: Verdict) -> None:
    """Remember the versions of the layouts that their owners signed, whatever else came out."""
    signed = {
        check.subject for _, check in verdict.root.walk() if check.id == "layout.signature" and check.outcome.passes
    }
    for policy in policies:
        name, version = _release(policy)
        if policy.sealed.origin in signed and version is not None:
            state.note(name, version)


def _release(policy: Policy) -> tuple[str, int | None]:
    """Name and version of a layout that some owner signed; nothing of one that nobody did."""
    from navicert.model.layout import Layout
    from navicert.model.release import Release

    if policy.verified is None or not isinstance(policy.verified.body, Layout):
        return "", None
    release = Release.of(policy.verified.body.readme)
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
