"""Claims: what an image index holds about the image, signed by nobody, as BuildKit writes it.

A claim is the word of whoever made the index, kept from others by whoever pins that index: a step whose product it is,
or somebody who signed a statement about it. So it counts for a predicate only where the policy says that claims are
accepted, never beside signers; where it is about the manifest that the index files it under; and where evidence that
is signed names the index by its digest. The class of all that rests on it is "claimed".

Spec: BuildKit, attestation-storage.md.
"""

from __future__ import annotations

from navicert.digest import Digest, DigestSet
from navicert.errors import Malformed
from navicert.model.layout import Step
from navicert.model.requirement import Requirement, Role
from navicert.model.rule import Side
from navicert.verdict import Check, all_of, at_least, failed, note, passed
from navicert.verify.attestations import examine, record_of
from navicert.verify.candidates import Candidates
from navicert.verify.case import Claimed, Exhibit
from navicert.verify.evidence import Evidence, odd, odd_path
from navicert.verify.rules import Record
from navicert.verify.selection import Choice
from navicert.verify.setting import Setting
from navicert.verify.thresholds import Group

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Final

SPEC: Final = "Navicert: what a signed index pins is claimed"


# --- which claims there are ----------------------------------------------------------------------------------------


def collect_claims(setting: Setting, step: Step, requirement: Requirement, signed: Iterable[Exhibit]) -> Candidates:
    """The candidates for a step that accepts claims; `signed` are statements of the type that somebody did sign."""
    found, case = Candidates(), setting.case
    found.misses += [
        (one.origin, one.reason) for one in case.refused if one.predicate and requirement.accepts(one.predicate)
    ]
    found.misses += [
        (one.document.origin, "is signed, and a claim is asked for: the policy does not name who signs it")
        for one in signed
    ]
    for claim in case.claims:
        if requirement.accepts(claim.body.predicate_type):
            _weigh(setting, step, requirement, claim, found)
    limit = case.limits.links_per_step
    if len(found.evidence) > limit:
        found.misses.append((f"step {step.name}", f"more than {limit} claims (limit links_per_step)"))
        found.evidence.clear()
    found.eligible = _groups(found.evidence)
    return found


def _weigh(setting: Setting, step: Step, requirement: Requirement, claim: Claimed, found: Candidates) -> None:
    """Sort one claim of the right type."""
    problem = _problem(setting, claim)
    if problem:
        found.misses.append((claim.origin, problem))
        return
    try:
        record = record_of(claim.body, requirement.role)
    except Malformed as error:
        found.misses.append((claim.origin, f"cannot be judged: {error}"))
        return
    path = odd_path(record)
    if path is not None:
        found.misses.append((claim.origin, odd(path)))
        return
    memo, key = setting.memo, (claim.digest, *setting.place.lineage, step.name)
    if key not in memo.examined:
        memo.examined[key] = examine(claim.body, requirement, setting.case, memo.readings)
    evidence = Evidence(claim, {}, record, (), {}, checks=memo.examined[key])
    if all(check.outcome.passes for check in evidence.checks):
        found.evidence.append(evidence)
        return
    found.rejected.append(evidence)
    bad = next(check for check in evidence.checks if not check.outcome.passes)
    found.misses.append((claim.origin, f"{bad.subject!r} {bad.reason}"))


def _problem(setting: Setting, claim: Claimed) -> str:
    """Why a claim counts for nothing, whatever it says; or nothing."""
    denied = setting.case.revoked.digests
    if str(claim.digest) in denied or str(claim.index) in denied:
        return "is revoked by its digest, or that of its index"
    if not any(claim.manifest in subject.digests.strong for subject in claim.body.subjects):
        subjects = ", ".join(str(subject.digests) for subject in claim.body.subjects[:3])
        return f"is about something else than {claim.manifest}, which its index files it under: {subjects}"
    return ""


def _groups(evidence: Iterable[Evidence]) -> tuple[Group, ...]:
    """Each claim for itself, and all of one index together, since there is one for each platform: what has to be about
    all platforms finds them in that."""
    groups: list[Group] = []
    indexes: dict[Digest, list[Evidence]] = {}
    for one in evidence:
        groups.append(Group((one,), one.record))
        if isinstance(one.document, Claimed):
            indexes.setdefault(one.document.index, []).append(one)
    for members in indexes.values():
        if len(members) > 1:
            groups.append(Group(tuple(members), _together([one.record for one in members])))
    return tuple(groups)


def _together(records: Iterable[Record]) -> Record:
    """All that several claims name. What they call alike and is not stays apart: no rule that knows the one accepts the
    other by its name."""
    sides: dict[Side, dict[str, DigestSet]] = {side: {} for side in Side}
    for record in records:
        for side, named in sides.items():
            for path, digests in record.side(side).items():
                named[path if named.get(path, digests) == digests else f"{path}@{digests}"] = digests
    return Record(sides[Side.MATERIALS], sides[Side.PRODUCTS])


# --- what pins them ------------------------------------------------------------------------------------------------


def judge_pins(setting: Setting, chosen: Group, choice: Choice) -> tuple[Check, ...]:
    """A check for each index that the claims of `chosen` stand in: that signed evidence in `choice` names it by its
    digest, as a product of a step or as what a statement is about."""
    indexes = dict.fromkeys(one.document.index for one in chosen.members if isinstance(one.document, Claimed))
    if not indexes:
        return (failed("attestation.pinned", "", "no index holds it", spec=SPEC),)
    return tuple(_pinned(setting, index, choice) for index in indexes)


def _pinned(setting: Setting, index: Digest, choice: Choice) -> Check:
    id, subject = "attestation.pinned", str(index)
    for step in setting.layout.steps:
        group = choice.get(step.name)
        if group is None or (step.predicate is not None and step.predicate.claimed):
            continue
        informs = step.predicate is not None and step.predicate.role is Role.INFORM
        for path, digests in group.record.side(Side.MATERIALS if informs else Side.PRODUCTS).items():
            if index in digests.strong:
                what = "what it is about" if step.predicate is not None else "a product"
                reason = f'"{path}" of step "{step.name}", {what}, signed by {group.who}'
                return passed(id, subject, reason, spec=SPEC)
    reason = (
        "the index that holds this claim is no product of a step, and no signed statement is about it: "
        "record the image with its index, or sign a statement about that"
    )
    return failed(id, subject, reason, spec=SPEC)


def pinning_steps(setting: Setting) -> tuple[str, ...]:
    """The steps whose evidence may pin an index."""
    steps = setting.layout.steps
    return tuple(step.name for step in steps if step.predicate is None or not step.predicate.claimed)


# --- what is said of them ------------------------------------------------------------------------------------------


def judge_claims(step: Step, requirement: Requirement, found: Candidates, chosen: Group | None) -> Check:
    """That there is a claim which says what the policy asks for."""
    members = () if chosen is None else chosen.members
    counted = [_claim(member, requirement) for member in members]
    rejected = [] if counted else [_claim(member, requirement) for member in found.rejected]
    misses = [note("evidence.near-miss", origin, reason) for origin, reason in found.near_misses]
    if counted:
        reason = f"{len(counted)} claim{'s' * (len(counted) != 1)}, signed by nobody, as the policy accepts"
    elif misses:
        reason = f'no claim of step "{step.name}" counts; {len(misses)} near miss{"" if len(misses) == 1 else "es"}'
    else:
        reason = f'no claim found of step "{step.name}", expected in the index of an image'
    facts: Mapping[str, object] = {
        "required": 1,
        "found": len(counted),
        "authorised": [],
        "predicate": list(requirement.types),
        "role": requirement.role.value,
        "class": "claimed",
    }
    return at_least(1, "step.threshold", step.name, (*counted, *rejected, *misses), reason, facts=facts, spec=SPEC)


def _claim(member: Evidence, requirement: Requirement) -> Check:
    claim = member.document
    subjects = member.record.materials if requirement.role is Role.INFORM else member.record.products
    facts = {
        "digest": str(member.digest),
        "content": str(claim.content),
        "origin": member.origin,
        "predicate": claim.body.predicate_type if isinstance(claim, Claimed) else "",
        "class": "claimed",
        "subjects": [f"{name} {digests}" for name, digests in list(subjects.items())[:20]],
    }
    index = claim.index if isinstance(claim, Claimed) else ""
    unsigned = passed("attestation.claimed", member.origin, f"signed by nobody; stands in {index}", spec=SPEC)
    return all_of(
        "attestation", member.origin, (unsigned, *member.checks), f"claimed: {facts['predicate']}", facts=facts
    )
