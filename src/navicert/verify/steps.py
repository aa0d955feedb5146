"""Judging one step: enough principals behind one report, and what a person should know about it.

Spec: in-toto v1.0 §5.2 (4, 6, 7, 9).
"""

from __future__ import annotations

from navicert.envelope.document import Verified
from navicert.model.artifact import Artifacts
from navicert.model.layout import Step
from navicert.model.principal import Principal
from navicert.model.rule import SIDES, Side
from navicert.model.statement import Statement
from navicert.verdict import Check, all_of, at_least, failed, note, passed, skipped, warned
from navicert.verify.candidates import Candidates
from navicert.verify.evidence import Evidence, same_artifacts
from navicert.verify.rules import Record
from navicert.verify.rulings import Judge
from navicert.verify.selection import Choice
from navicert.verify.setting import Setting, words
from navicert.verify.thresholds import Group

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    from navicert.model.requirement import Requirement

_LISTED: Final = 20
"""Subjects of a statement that are named."""


def judge_step(setting: Setting, step: Step, found: Candidates, chosen: Group | None, judge: Judge) -> Check:
    """The check of `step`, by the group `chosen` for it; None where no group meets its threshold."""
    if chosen is None:
        return _without_evidence(setting, step, found)
    checks = [_threshold(setting, step, found, chosen, None)]
    # The trees of just the ways that were chosen; of several ways of one sublayout that agree, the first.
    trees = {member.digest: member.tree for member in reversed(chosen.members) if member.tree is not None}
    checks += reversed(trees.values())
    checks += _remarks(setting, step, found, chosen)
    denied = revoked_artifact(setting, chosen.record)
    if denied is not None:
        checks.append(failed("artifact.revoked", step.name, f'artifact "{denied[0]}" is revoked: {denied[1]}'))
    if step.predicate is not None:
        missing = {name: setting.threshold_path(name) for name in judge.missing}
        checks += ties_in(step, chosen.record, judge.choice, missing)
        if step.predicate.claimed:
            from navicert.verify.claims import judge_pins

            checks += judge_pins(setting, chosen, judge.choice)
    checks += judge.judge(step, chosen.record)
    return all_of("step", step.name, tuple(checks), _told(step, chosen))


def ties_in(step: Step, record: Record, choice: Choice, missing: Mapping[str, str] | None = None) -> tuple[Check, ...]:
    """Whether evidence with this `record` is about what the policy says, where the steps are those of `choice`;
    `missing` are those without evidence, with the check that says so."""
    from navicert.verify.subjects import judge_ties

    return judge_ties(step, record, lambda name: choice[name].record if name in choice else None, missing)


def _told(step: Step, chosen: Group) -> str:
    if step.predicate is not None and step.predicate.claimed:
        return "claimed, and signed by nobody"
    return f"{'performed' if step.predicate is None else 'attested'} by {chosen.who}"


def _without_evidence(setting: Setting, step: Step, found: Candidates) -> Check:
    """Too little evidence. A sublayout that did not hold is the cause, if there is one."""
    cause = f"{setting.path_of(step)}/{found.broken[0].name}" if found.broken and not found.evidence else None
    checks = [*found.broken, _threshold(setting, step, found, found.weak[0] if found.weak else None, cause)]
    if step.expected_materials or step.expected_products:
        reason = "not judged without evidence"
        checks.append(skipped("step.rules", step.name, reason, cause=setting.threshold_path(step.name)))
    return all_of("step", step.name, tuple(checks), "not enough evidence")


def _threshold(setting: Setting, step: Step, found: Candidates, chosen: Group | None, cause: str | None) -> Check:
    """At least `threshold` principals stand behind one report."""
    people = [*setting.authority.people(step)]
    people += dict.fromkeys(map(str, step.certificates if setting.authority.roots is not None else ()))
    people += map(str, step.identities)
    if step.predicate is not None and step.predicate.claimed:
        from navicert.verify.claims import judge_claims

        return judge_claims(step, step.predicate, found, chosen)
    if step.predicate is not None:
        return _attested(setting, step, step.predicate, found, chosen, people)
    children: dict[Principal, Check] = {}
    counted = {} if chosen is None else chosen.principals
    for member in () if chosen is None else chosen.members:
        what = "link" if member.tree is None else "layout"
        for principal in member.signers:
            if principal not in counted:
                continue
            facts = _signed(principal, member)
            check = passed("link.signature", str(principal), f"signed {what} {member.origin}", facts=facts)
            if member.checks:
                check = all_of("attestation", str(principal), (check, *member.checks), member.origin, facts=facts)
            children.setdefault(principal, check)
    misses = [note("evidence.near-miss", origin, reason) for origin, reason in found.near_misses]
    return at_least(
        step.threshold,
        "step.threshold",
        step.name,
        (*children.values(), *misses),
        _shortfall(step, found, len(children), people),
        facts={"required": step.threshold, "found": len(children), "authorised": people},
        spec="§5.2 (4)",
        cause=cause,
    )


def _attested(
    setting: Setting,
    step: Step,
    requirement: Requirement,
    found: Candidates,
    chosen: Group | None,
    people: list[str],
) -> Check:
    """At least `threshold` principals signed a statement that says what the policy asks for."""
    children: dict[Principal, Check] = {}
    for member in () if chosen is None else chosen.members:
        for principal in member.signers:
            children.setdefault(principal, _attestation(principal, member, requirement))
    needed = len(children) < step.threshold
    # What was rejected decides only where it is missed: elsewhere it is told as a warning.
    rejected = [
        _attestation(principal, member, requirement)
        for member in (found.rejected if needed else ())
        for principal in member.signers
    ]
    misses = [note("evidence.near-miss", origin, reason) for origin, reason in found.near_misses]
    reason = f"{len(children)} of {step.threshold} required signers"
    if needed and rejected:
        bad = next((check for check in rejected[0].children if not check.outcome.passes), rejected[0])
        said = f"{bad.subject!r} {bad.reason}" if bad.id == "attestation.attribute" else bad.reason
        reason += f"; {found.rejected[0].origin}: {said}"
    elif needed:
        reason = _shortfall(step, found, len(children), people)
    facts = {
        "required": step.threshold,
        "found": len(children),
        "authorised": people,
        "predicate": list(requirement.types),
        "role": requirement.role.value,
    }
    return at_least(
        step.threshold,
        "step.threshold",
        step.name,
        (*children.values(), *rejected, *misses),
        reason,
        facts=facts,
        spec="ITE-10",
    )


def _attestation(principal: Principal, member: Evidence, requirement: Requirement) -> Check:
    """One statement and what was found out about it."""
    body = member.document.body
    facts = _signed(principal, member) | {
        "predicate": body.predicate_type if isinstance(body, Statement) else "",
        "class": "cryptographic",
        "subjects": [
            f"{name} {digests}" for name, digests in list(_subjects(member.record, requirement).items())[:_LISTED]
        ],
    }
    signed = passed("attestation.signature", str(principal), f"signed {member.origin}", spec="DSSE v1.0.2")
    reason = f"{member.origin}: {facts['predicate']}"
    return all_of("attestation", str(principal), (signed, *member.checks), reason, facts=facts)


def _signed(principal: Principal, member: Evidence) -> dict[str, object]:
    """What is told of one signature; as whom Sigstore certified the signer too, whichever person that is."""
    document = member.document
    facts: dict[str, object] = {
        "identity": principal.identity,
        "digest": str(member.digest),
        "content": str(document.content),
        "origin": member.origin,
    }
    if isinstance(document, Verified) and document.identities:
        facts["certified"] = [str(identity) for identity in document.identities]
    return facts


def _subjects(record: Record, requirement: Requirement) -> Artifacts:
    return record.materials if requirement.role.value == "inform" else record.products


def _shortfall(step: Step, found: Candidates, counted: int, people: list[str]) -> str:
    """How many signers there are, and why they are too few."""
    reason = f"{counted} of {step.threshold} required signers"
    kind = "links" if step.predicate is None else "statements"
    if counted >= step.threshold:
        return reason
    if len(people) < step.threshold and not step.certificates and not step.identities:
        return f"{reason}; only {len(people)} may sign for it, so this can never pass"
    if any(not same_artifacts(e.record, g.record, strong=True) for g in found.weak[:1] for e in found.evidence):
        return f"{reason}: {len(found.evidence)} {kind} disagree about the artifacts"
    if found.evidence:
        return f"{reason}; allowed are {', '.join(people)}"
    if found.misses:
        count = len(found.near_misses)
        return f'no evidence of step "{step.name}" counts; {count} near miss{"" if count == 1 else "es"}'
    return f'no evidence found of step "{step.name}", expected from {", ".join(people)}'


def _remarks(setting: Setting, step: Step, found: Candidates, chosen: Group) -> list[Check]:
    """What does not decide, and should be known; in UPSTREAM, links that disagree decide above threshold 1."""
    claimed = step.predicate is not None and step.predicate.claimed
    # Claims about several platforms are about different things.
    checks = [] if claimed else _disagreement(setting, step, found, chosen)
    if step.predicate is not None:
        checks += _contradictions(step.predicate, found, chosen)
    expected = step.expected_command
    for member in () if step.predicate is not None else chosen.members:
        if (expected or setting.case.profile.compares_every_command) and member.command != expected:
            reason = f"ran {words(member.command)}, expected {words(expected)}"
            checks.append(warned("step.command", member.origin, reason, spec="§5.2 (7)"))
        checks += _return_value(member.origin, member.byproducts)
    rules = (*step.expected_materials, *step.expected_products)
    tied = step.predicate is not None and (step.predicate.subjects or "/" in step.name)
    if not rules and not tied and setting.case.profile.warns_of_loose_rules:
        checks.append(setting.loose("step.no-rules", "no rules: any artifacts are accepted", step.name))
    for side in SIDES:
        checks += _odd_names(step.name, side, chosen.record.side(side))
    return checks


def _disagreement(setting: Setting, step: Step, found: Candidates, chosen: Group) -> list[Check]:
    if not setting.case.profile.selects_among_links:
        odd = [m for m in chosen.members[1:] if not same_artifacts(chosen.record, m.record, strong=False)]
        if not odd:
            return []
        say = failed if step.threshold > 1 else warned
        reason = f'links "{chosen.members[0].origin}" and "{odd[0].origin}" have different artifacts'
        return [say("step.disagreement", step.name, reason, spec="§5.2 (6)")]
    checks = []
    for other in (*found.eligible, *found.weak):
        stray = [m.origin for m in other.members if not same_artifacts(m.record, chosen.record, strong=True)]
        if stray:
            reason = f"{', '.join(stray[:3])} ({other.who}) reports other artifacts and is not used"
            checks.append(warned("step.disagreement", step.name, reason, spec="§5.2 (6)"))
    return list({check.reason: check for check in checks}.values())


def _contradictions(requirement: Requirement, found: Candidates, chosen: Group) -> list[Check]:
    """Statements about the same artifacts, by somebody who may sign, that do not say what the policy asks for. They
    cannot take down what holds, since whoever left them out would pass; but a person should know."""
    from navicert.verify.subjects import Known

    known = Known(_subjects(chosen.record, requirement).values())
    checks = []
    for member in found.rejected:
        if any(known.has(digests) for digests in _subjects(member.record, requirement).values()):
            bad = next(check for check in member.checks if not check.outcome.passes)
            reason = f"says otherwise of the same artifact: {bad.subject!r} {bad.reason}"
            checks.append(warned("attestation.contradiction", member.origin, reason, spec="Statement v1 (monotonic)"))
    return checks


def _return_value(origin: str, byproducts: Mapping[str, object]) -> list[Check]:
    value = byproducts.get("return-value")
    if value is None or (type(value) is int and value == 0):
        return []
    return [warned("link.return-value", origin, f"the command returned {repr(value)[:60]}", spec="§4.4")]


def revoked_artifact(setting: Setting, record: Record) -> tuple[str, str] | None:
    """The first artifact of `record` whose digest is denied, with that digest; None where none is."""
    denied = setting.case.revoked.digests
    for artifacts in (record.materials, record.products) if denied else ():
        for path, digests in artifacts.items():
            for digest in digests.strong:
                if str(digest) in denied:
                    return path, str(digest)
    return None


def _odd_names(step: str, side: Side, paths: Artifacts) -> list[Check]:
    """Paths that people confuse, or that lead out of the project: legal, and reported."""
    checks: list[Check] = []
    if paths.names.alike:
        import unicodedata

        seen: dict[str, str] = {}
        for path in paths:
            form = (path if path.isascii() else unicodedata.normalize("NFC", path)).casefold()
            twin = seen.setdefault(form, path)
            if twin != path:
                reason = f'{side.value} "{twin}" and "{path}" differ only by letter case or encoding'
                checks.append(warned("artifact.twins", step, reason))
                break
    if paths.names.outside:
        outside = [path for path in paths if path.startswith(("../", "/"))]
        if outside:
            more = f" and {len(outside) - 1} more" if len(outside) > 1 else ""
            checks.append(note("artifact.outside", step, f'{side.value} outside the folder: "{outside[0]}"{more}'))
    return checks
