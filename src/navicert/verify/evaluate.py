"""The verdict on a case, and the one act around it: running the inspections that it waits for.

`evaluate` is a pure function. `verify` evaluates, lets an inspector run what is pending if nothing else fails, and
evaluates again with the same moment and the same evidence; rules judged already are not judged again.

Spec: in-toto v1.0 §5.2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from navicert.crypto.key import Key
from navicert.digest import Digest
from navicert.envelope.body import describe
from navicert.errors import Malformed
from navicert.model.layout import Layout
from navicert.model.release import Release
from navicert.verdict import Check, Outcome, Verdict, all_of, at_least, failed, note, passed, skipped
from navicert.verify.authority import Authority, expiry_of
from navicert.verify.case import Case, Exhibit, InspectionResult, Refusal, Target
from navicert.verify.chain import judge_layout, target_inspections, target_step
from navicert.verify.inspections import Inspector, succeeded
from navicert.verify.parameters import substitute
from navicert.verify.profile import Profile
from navicert.verify.setting import Memo, Outcomes, Place, Prospect, Setting
from navicert.verify.target import Products, judge_revoked, judge_target, may_be_bound

ROOT = "verdict"
"""The id of every verdict's root check."""


def evaluate(case: Case) -> Verdict:
    """The verdict on `case`. Inspections without a result are PENDING.

    Raises `Malformed` where the policy or a parameter is not well-formed: that is nobody's evidence.
    """
    return _evaluate(case, Memo())


def verify(case: Case, inspector: Inspector | None = None, *, progress: Callable[[str], None] | None = None) -> Verdict:
    """The verdict on `case` with its inspections run by `inspector`, in order, up to the first that fails: in STRICT
    because of its rules too, so that no command runs on files that an earlier inspection refuses.

    They run only if everything else passes. Without an inspector they are ERROR: nobody asked for commands to be run.
    `progress` is told the name of each inspection before it runs.
    """
    memo = Memo()
    verdict = _evaluate(case, memo)
    while memo.pending and verdict.outcome is Outcome.PENDING:
        results: dict[str, InspectionResult] = {}
        for path, inspection in memo.pending.items():
            if inspector is None:
                problem = "no place to run it – name a folder with the files to inspect (--inspect-from DIR)"
                results[path] = InspectionResult(None, problem=problem)
                break
            if progress is not None:
                progress(inspection.name)
            results[path] = result = inspector.inspect(inspection)
            rules = inspection.expected_materials or inspection.expected_products
            if not succeeded(result) or (rules and case.profile.inspects_one_by_one):
                break
        case = replace(case, inspected={**case.inspected, **results})
        memo = Memo(claims=memo.claims, applications=memo.applications)
        verdict = _evaluate(case, memo)
    return verdict


def verify_any(cases: Sequence[Case], inspector: Inspector | None = None) -> Verdict:
    """The verdict where any one of several policies is enough: the first that passes, else one tree with all of them.

    No case is no pass.
    """
    if not cases:
        raise ValueError("no policy to judge by")
    verdicts: list[Verdict] = []
    for case in cases:
        verdict = verify(case, inspector)
        if verdict.passed:
            return verdict
        verdicts.append(verdict)
    if len(verdicts) == 1:
        return verdicts[0]
    children = tuple(
        replace(verdict.root, subject=case.policy.sealed.origin) for case, verdict in zip(cases, verdicts, strict=True)
    )
    root = at_least(1, "policy.any", "", children, f"none of {len(children)} layouts passes")
    return replace(verdicts[0], root=root, inputs=tuple(d for verdict in verdicts for d in verdict.inputs))


def _evaluate(case: Case, memo: Memo) -> Verdict:
    policy = case.policy
    case = _sorted(case)
    memo.shared = _shared_origins(case.evidence)
    signature = _owner_signatures(case)
    checks: list[Check] = [signature]
    summary = None
    if policy.verified is not None and signature.outcome.passes:
        layout = policy.verified.body
        if not isinstance(layout, Layout):
            raise Malformed("not a layout", path=policy.sealed.origin, got=f"a {describe(layout)}")
        authority = Authority.of(layout, case.principals)
        strict = case.profile is Profile.STRICT
        layout = substitute(layout, case.parameters, case.patterns, strict=strict)
        place = Place(ROOT, (), (str(policy.verified.content),))
        outcomes = judge_layout(Setting(case, layout, authority, place, memo))
        checks += _version(case, authority.release)
        checks += outcomes.checks
        checks += _target(case, layout, outcomes)
        summary = outcomes.ways[0].summary if outcomes.ways else None
    root = all_of(ROOT, "", tuple(checks))
    inputs = tuple(dict.fromkeys(exhibit.document.digest for exhibit in case.evidence))
    verdict = Verdict(root, case.at, case.policy_digest, inputs)
    return verdict.with_summary(summary) if verdict.passed else verdict


def _sorted(case: Case) -> Case:
    """`case` with its evidence in an order that does not depend on where it came from."""

    def place(exhibit: Exhibit) -> tuple[object, ...]:
        document = exhibit.document
        who = sorted(key.fingerprint for key in document.signers)
        return (str(document.digest), document.origin, exhibit.step or "", exhibit.scope, who)

    def origin(refusal: Refusal) -> tuple[str, ...]:
        return (refusal.origin, refusal.reason, refusal.step or "", refusal.claimed or "")

    return replace(
        case, evidence=tuple(sorted(case.evidence, key=place)), refused=tuple(sorted(case.refused, key=origin))
    )


def _shared_origins(evidence: Sequence[Exhibit]) -> frozenset[str]:
    """The origins that more than one document came under, from different stores say."""
    found: dict[str, Digest] = {}
    return frozenset(
        document.origin
        for document in (exhibit.document for exhibit in evidence)
        if found.setdefault(document.origin, document.digest) != document.digest
    )


def _owner_signatures(case: Case) -> Check:
    """The layout is signed by its owners: all that were named, or as many as were asked for. Spec: §5.2 (1)."""
    policy, revoked = case.policy, case.revoked
    signers = policy.verified.signers if policy.verified is not None else ()
    children: list[Check] = []
    counted: set[str] = set()
    for key in policy.owners:
        who = case.principals.get(key.fingerprint, key.fingerprint)
        made = [member for member in key.members if member in signers]
        standing = [] if revoked.denies_key(key) else [one for one in made if not revoked.denies_key(one)]
        valid = [one for one in standing if not (one.expired(case.at) or key.expired(case.at))]
        if revoked.denies_key(key) or (made and not standing):
            children.append(failed("layout.owner", key.short, "this key is revoked"))
        elif who in revoked.identities:
            children.append(failed("layout.owner", key.short, f"{who} is revoked"))
        elif not made:
            children.append(failed("layout.owner", key.short, _why_not(case, key)))
        elif not valid:
            expired = key if key.expired(case.at) else standing[0]
            children.append(failed("layout.owner", key.short, f"signed with an expired key: {expiry_of(expired)}"))
        elif policy.need is not None and who in counted:
            children.append(note("layout.owner", key.short, f"signed the layout too, for {who}, who counts once"))
        else:
            counted.add(who)
            children.append(passed("layout.owner", key.short, "signed the layout"))
    need = len(policy.owners) if policy.need is None else policy.need
    origin = policy.sealed.origin
    denied = None if policy.verified is None else revoked.denies_document(policy.verified)
    if denied is not None:
        return failed("layout.signature", origin, f"this layout is revoked by its digest {denied}")
    good = sum(child.outcome.passes for child in children if not child.is_note)
    reason = f"signed by {good} of {need} required owners" if children else "no owner key was given"
    facts = {"required": need, "owners": [key.id for key in policy.owners]}
    return at_least(need, "layout.signature", origin, tuple(children), reason, spec="§5.2 (1)", facts=facts)


def _why_not(case: Case, key: Key) -> str:
    if key.openpgp and case.policy.sealed.form == "dsse":
        return "this is a GPG key, and the layout is DSSE, which such keys cannot sign"
    found = [signature.keyid or "(no id)" for signature in case.policy.sealed.signatures]
    if not found:
        return "the layout carries no signature"
    named = ", ".join(keyid[:8] for keyid in found[:5])
    return f"no valid signature of this key; the layout carries signatures by {named}"


def _version(case: Case, release: Release) -> list[Check]:
    """The layout is not older than the verifier has seen. The guard is the verifier's state, never the store's."""
    if case.min_version is None:
        return []
    if release.version is None:
        return [failed("layout.version", "", f"the layout states no version; at least {case.min_version} is required")]
    reason = f"version {release.version}, at least {case.min_version} is required"
    say = passed if release.version >= case.min_version else failed
    return [say("layout.version", "", reason, facts={"version": release.version, "required": case.min_version})]


def _target(case: Case, layout: Layout, outcomes: Outcomes) -> list[Check]:
    target = case.target
    if target is None:
        return [note("target.none", "", "no target was given: the chain is judged, and nothing is bound to it")]
    step = target_step(case, layout)
    names = {item.name for item in layout.steps} | {item.name for item in layout.inspections}
    if step not in names:
        return [failed("target.bound", target.name, f'there is no step "{step}" to bind it to')]
    offers = [Products(f"step {c.step}", c.record.products) for c in outcomes.chapters if c.step == step]
    inspections = target_inspections(case, layout)
    wanted = {f"inspection {inspection.name}" for inspection in inspections}
    offers += [products for products in outcomes.tied if products.source in wanted]
    others = [Products(f"step {c.step}", c.record.products) for c in outcomes.chapters if c.step != step]
    bound = judge_target(target, offers, others)
    if not bound.outcome.passes:
        hopes = [p for p in outcomes.prospects if p.inspection in inspections and may_be_bound(target, p.digests)]
        hoped = _hopeful(target, hopes)
        if hoped is not None:
            bound = hoped
        elif step in {item.name for item in layout.steps} - {chapter.step for chapter in outcomes.chapters}:
            bound = replace(bound, cause=f"{ROOT}/step[{step}]/step.threshold[{step}]")
    revoked = judge_revoked(target, case.revoked)
    return [bound] if revoked is None else [revoked, bound]


def _hopeful(target: Target, hopes: Sequence[Prospect]) -> Check | None:
    """The check of a target that an inspection might bind which has not passed; None where there is none."""
    waiting = [hope.inspection.name for hope in hopes if hope.outcome is Outcome.PENDING]
    if waiting:
        reason = f"might be bound by inspection {waiting[0]}, which has not been run"
        return Check("target.bound", target.name, reason, leaf=Outcome.PENDING)
    for hope in hopes:
        reason = f"might have been bound by inspection {hope.inspection.name}, which did not pass"
        return skipped("target.bound", target.name, reason, cause=f"{ROOT}/inspection[{hope.inspection.name}]")
    return None
