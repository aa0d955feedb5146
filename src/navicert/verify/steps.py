"""Judging one step: enough principals behind one report, and what a person should know about it.

Spec: in-toto v1.0 §5.2 (4, 6, 7, 9).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from navicert.model.layout import Step
from navicert.model.link import Artifacts
from navicert.model.principal import Principal
from navicert.model.rule import Side
from navicert.verdict import Check, all_of, at_least, failed, note, passed, skipped, warned
from navicert.verify.candidates import Candidates
from navicert.verify.evidence import same_artifacts
from navicert.verify.rules import Record
from navicert.verify.rulings import Judge
from navicert.verify.setting import Setting, words
from navicert.verify.thresholds import Group


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
    checks += judge.judge(step, chosen.record)
    return all_of("step", step.name, tuple(checks), f"performed by {chosen.who}")


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
    people = sorted({str(setting.authority.principal(key)) for key in setting.authority.authorised(step)})
    children: dict[Principal, Check] = {}
    for member in () if chosen is None else chosen.members:
        what = "link" if member.tree is None else "layout"
        for principal in member.signers:
            facts = {
                "identity": principal.identity,
                "digest": str(member.digest),
                "content": str(member.document.content),
                "origin": member.origin,
            }
            check = passed("link.signature", str(principal), f"signed {what} {member.origin}", facts=facts)
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


def _shortfall(step: Step, found: Candidates, counted: int, people: list[str]) -> str:
    """How many signers there are, and why they are too few."""
    reason = f"{counted} of {step.threshold} required signers"
    if counted >= step.threshold:
        return reason
    if len(people) < step.threshold:
        return f"{reason}; only {len(people)} may sign for it, so this can never pass"
    if any(not same_artifacts(e.record, g.record, strong=True) for g in found.weak[:1] for e in found.evidence):
        return f"{reason}: {len(found.evidence)} links disagree about the artifacts"
    if found.evidence:
        return f"{reason}; allowed are {', '.join(people)}"
    if found.misses:
        count = len(found.near_misses)
        return f'no evidence of step "{step.name}" counts; {count} near miss{"" if count == 1 else "es"}'
    return f'no evidence found of step "{step.name}", expected from {", ".join(people)}'


def _remarks(setting: Setting, step: Step, found: Candidates, chosen: Group) -> list[Check]:
    """What does not decide, and should be known; in UPSTREAM, links that disagree decide above threshold 1."""
    checks = _disagreement(setting, step, found, chosen)
    expected = step.expected_command
    for member in chosen.members:
        if (expected or setting.case.profile.compares_every_command) and member.command != expected:
            reason = f"ran {words(member.command)}, expected {words(expected)}"
            checks.append(warned("step.command", member.origin, reason, spec="§5.2 (7)"))
        checks += _return_value(member.origin, member.byproducts)
    rules = (*step.expected_materials, *step.expected_products)
    if not rules and setting.case.profile.warns_of_loose_rules:
        checks.append(setting.loose("step.no-rules", "no rules: any artifacts are accepted", step.name))
    for side in Side:
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
    seen: dict[str, str] = {}
    for path in paths:
        form = (path if path.isascii() else unicodedata.normalize("NFC", path)).casefold()
        twin = seen.setdefault(form, path)
        if twin != path:
            reason = f'{side.value} "{twin}" and "{path}" differ only by letter case or encoding'
            checks.append(warned("artifact.twins", step, reason))
            break
    outside = [path for path in paths if path.startswith(("../", "/"))]
    if outside:
        more = f" and {len(outside) - 1} more" if len(outside) > 1 else ""
        checks.append(note("artifact.outside", step, f'{side.value} outside the folder: "{outside[0]}"{more}'))
    return checks
