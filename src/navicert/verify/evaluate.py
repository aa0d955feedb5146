"""The verdict on a case, and the one act around it: running the inspections that it waits for.

`evaluate` is a pure function. `verify` evaluates, lets an inspector run what is pending if nothing else fails, and
evaluates again with the same moment and the same evidence; rules judged already are not judged again.

Spec: in-toto v1.0 §5.2.
"""

from __future__ import annotations

from navicert.dataclass import replace
from navicert.digest import Digest, sha256
from navicert.envelope.body import describe
from navicert.errors import Malformed
from navicert.model.layout import Layout
from navicert.model.release import Release
from navicert.model.standing import is_claimed
from navicert.verdict import Check, Outcome, Verdict, all_of, at_least, failed, note, passed, skipped
from navicert.verify.authority import Authority
from navicert.verify.case import Asked, Case, Claimed, Exhibit, InspectionResult, Refusal, Target
from navicert.verify.chain import judge_layout, target_inspections, target_step
from navicert.verify.inspections import Inspector, succeeded
from navicert.verify.ownership import judge_owners
from navicert.verify.profile import Profile
from navicert.verify.setting import Memo, Outcomes, Place, Prospect, Setting
from navicert.verify.target import Products, judge_revoked, judge_target, may_be_bound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

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
            if results and _layout_of(path) != _layout_of(next(iter(results))):
                # Those of a sublayout are judged, rules and all, before any of the layout above runs.
                break
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
        memo = Memo(memo.claims, memo.applications, memo.leaves, memo.patterns, memo.examined, memo.readings)
        verdict = _evaluate(case, memo)
    return verdict


def _layout_of(path: str) -> str:
    """The path of the layout that the inspection at `path` belongs to."""
    return path.rpartition("/inspection[")[0]


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


def without_layout(name: str, at: datetime, asked: Sequence[Asked]) -> Verdict:
    """The verdict on the target `name` where no layout was found to judge it by: it fails, and says what was asked."""
    facts = {"asked": [{"place": one.place, "answer": one.answer} for one in asked]}
    places = f"{len(asked)} place{'s' * (len(asked) != 1)} asked"
    reason = f"no layout was given, and no pack that holds one is attached; {places}"
    leaf = failed("layout.none", name, reason, facts=facts)
    notes = [note("evidence.asked", one.place, one.answer) for one in asked]
    return Verdict(all_of(ROOT, "", (all_of("evidence", name, (leaf, *notes), reason),)), at, sha256(b""))


def _evaluate(case: Case, memo: Memo) -> Verdict:
    policy = case.policy
    case = _sorted(case)
    memo.shared = _shared_origins(case.evidence)
    signature = judge_owners(case)
    checks: list[Check] = [signature]
    summary = None
    if policy.verified is not None and signature.outcome.passes:
        layout = policy.verified.body
        if not isinstance(layout, Layout):
            raise Malformed("not a layout", path=policy.sealed.origin, got=f"a {describe(layout)}")
        authority = Authority.of(layout, case.principals)
        if layout.terms is not None:
            from navicert.verify.attestations import check_expressions

            check_expressions(layout, case.limits)
        if case.parameters is not None:
            from navicert.model.soundness import check_claims
            from navicert.verify.parameters import substitute

            strict = case.profile is Profile.STRICT
            layout = substitute(layout, case.parameters, case.patterns, strict=strict)
            check_claims(layout)
        place = Place(ROOT, (), (str(policy.verified.content),))
        outcomes = judge_layout(Setting(case, layout, authority, place, memo))
        checks += _version(case, authority.release)
        checks += _found(case, layout)
        checks += outcomes.checks
        checks += _target(case, layout, outcomes)
        summary = outcomes.ways[0].summary if outcomes.ways else None
    root = all_of(ROOT, "", tuple(checks))
    digests = [*(exhibit.document.digest for exhibit in case.evidence), *(claim.digest for claim in case.claims)]
    inputs = tuple(dict.fromkeys(digests))
    verdict = Verdict(root, case.at, case.policy_digest, inputs)
    return verdict.with_summary(summary) if verdict.passed else verdict


def _sorted(case: Case) -> Case:
    """`case` with its evidence in an order that does not depend on where it came from."""

    def place(exhibit: Exhibit) -> tuple[object, ...]:
        document = exhibit.document
        who = sorted([*(key.fingerprint for key in document.signers), *map(str, document.identities)])
        return (str(document.digest), document.origin, exhibit.step or "", exhibit.scope, who)

    def origin(refusal: Refusal) -> tuple[str, ...]:
        return (refusal.origin, refusal.reason, refusal.step or "", refusal.claimed or "")

    def claim(claimed: Claimed) -> tuple[str, ...]:
        return (str(claimed.digest), str(claimed.index), str(claimed.manifest), claimed.origin)

    return replace(
        case,
        evidence=tuple(sorted(case.evidence, key=place)),
        refused=tuple(sorted(case.refused, key=origin)),
        claims=tuple(sorted(case.claims, key=claim)),
    )


def _shared_origins(evidence: Sequence[Exhibit]) -> frozenset[str]:
    """The origins that more than one document came under, from different stores say."""
    found: dict[str, Digest] = {}
    return frozenset(
        document.origin
        for document in (exhibit.document for exhibit in evidence)
        if found.setdefault(document.origin, document.digest) != document.digest
    )


def _version(case: Case, release: Release) -> list[Check]:
    """The layout is not older than the verifier has seen. The guard is the verifier's state, never the store's."""
    if case.min_version is None:
        return []
    if release.version is None:
        return [failed("layout.version", "", f"the layout states no version; at least {case.min_version} is required")]
    reason = f"version {release.version}, at least {case.min_version} is required"
    say = passed if release.version >= case.min_version else failed
    return [say("layout.version", "", reason, facts={"version": release.version, "required": case.min_version})]


def _found(case: Case, layout: Layout) -> list[Check]:
    """That there is evidence at all, which places were asked for it, and what was found that belongs to no step."""
    if not case.asked:
        return []
    steps = {step.name for step in layout.steps}
    strays = [one for one in case.refused if steps.isdisjoint((one.step, one.claimed))]
    count, places = len(case.evidence), f"{len(case.asked)} place{'s' * (len(case.asked) != 1)}"
    facts = {"asked": [{"place": one.place, "answer": one.answer} for one in case.asked]}
    name = "" if case.target is None else case.target.name
    if count:
        reason = f"{count} document{'s verify' if count > 1 else ' verifies'}; {places} asked"
        leaf = passed("evidence.found", name, reason, facts=facts)
    else:
        what = f"{len(case.refused)} found, and none verifies" if case.refused else "none was found"
        leaf = failed("evidence.found", name, f"no evidence: {what}; {places} asked", facts=facts)
    notes = [note("evidence.asked", one.place, one.answer) for one in case.asked]
    misses = [note("evidence.near-miss", one.origin, one.reason) for one in strays]
    return [all_of("evidence", name, (leaf, *misses, *notes), leaf.reason)]


def _target(case: Case, layout: Layout, outcomes: Outcomes) -> list[Check]:
    target = case.target
    if target is None:
        return [note("target.none", "", "no target was given: the chain is judged, and nothing is bound to it")]
    step = target_step(case, layout)
    names = {item.name for item in layout.steps} | {item.name for item in layout.inspections}
    if step not in names:
        return [failed("target.bound", target.name, f'there is no step "{step}" to bind it to')]
    if any(is_claimed(item) for item in layout.steps if item.name == step):
        return [failed("target.bound", target.name, f'"{step}" is a claim, which nobody signs: it binds nothing')]
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
