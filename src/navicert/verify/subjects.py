"""What an attestation is about: that its subjects are the artifacts of the chain that a policy names, by digest.

Subjects match by digest alone: what they are called decides nothing. Two sets of digests name the same content as
everywhere here, by the strong algorithms that they have in common.

Spec: in-toto attestation framework, spec/v1/statement.md (subject).
"""

from __future__ import annotations

from navicert.digest import DigestSet
from navicert.interface import Callable, Iterable, Mapping
from navicert.model.layout import Step
from navicert.model.requirement import Requirement, Role
from navicert.model.rule import Rule, Side
from navicert.model.standing import parent_of
from navicert.verdict import Check, failed, passed, skipped
from navicert.verify.pattern import Pattern
from navicert.verify.rules import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

Lookup = Callable[[str], "Record | None"]

_SUBJECTS: Final = "Statement v1 (subjects match by digest)"


def ties_of(step: Step) -> tuple[str, ...]:
    """The steps on whose artifacts it depends whether evidence for `step` counts, rules apart."""
    requirement = step.predicate
    if requirement is None:
        return ()
    if requirement.subjects:
        return tuple(dict.fromkeys(rule.step for rule in requirement.subjects if rule.step is not None))
    parent = parent_of(step)
    return () if parent is None else (parent,)


def judge_ties(
    step: Step, record: Record, lookup: Lookup, missing: Mapping[str, str] | None = None
) -> tuple[Check, ...]:
    """Whether evidence with this `record` is about what the policy says. `lookup` gives the record of a step, None
    where it has none; `missing` the check because of which it has none."""
    requirement = step.predicate
    if requirement is None:
        return ()
    subjects = record.materials if requirement.role is Role.INFORM else record.products
    known = Known(subjects.values())
    asked: list[tuple[str, Rule | None]] = [(rule.step or "", rule) for rule in requirement.subjects]
    if not asked:
        asked = [(name, None) for name in ties_of(step)]
    checks = []
    for name, rule in asked:
        cause = (missing or {}).get(name)
        if cause is not None:
            reason = f'step "{name}" has no evidence that it could be about'
            checks.append(
                skipped("attestation.subject", name if rule is None else str(rule), reason, cause=cause, spec=_SUBJECTS)
            )
        elif rule is not None:
            checks.append(_covered(rule, known, lookup))
        else:
            checks.append(_touches(requirement, subjects, name, lookup(name)))
    return tuple(checks)


class Known:
    """Sets of digests, to be asked which artifacts they name."""

    def __init__(self, sets: Iterable[DigestSet]) -> None:
        self._by_digest: dict[tuple[str, str], list[DigestSet]] = {}
        for digests in sets:
            for name, value in digests:
                self._by_digest.setdefault((name, value.lower()), []).append(digests)

    def has(self, wanted: DigestSet) -> bool:
        """Whether one of them certainly names the same content as `wanted`."""
        return any(
            digests.agrees(wanted)
            for name, value in wanted
            for digests in self._by_digest.get((name, value.lower()), ())
        )


def _covered(rule: Rule, known: Known, lookup: Lookup) -> Check:
    """Every artifact that `rule` names is among the subjects, and there is one."""
    id, subject, spec = "attestation.subject", str(rule), _SUBJECTS
    record = lookup(rule.step or "")
    artifacts = {} if record is None or rule.dest_type is None else record.side(rule.dest_type)
    prefix = "" if not rule.dest_prefix else rule.dest_prefix.rstrip("/") + "/"
    pattern = Pattern(rule.pattern)
    wanted = {
        path: digests
        for path, digests in artifacts.items()
        if path.startswith(prefix) and pattern.matches(path[len(prefix) :])
    }
    if not wanted:
        return failed(id, subject, "names no artifact, so nothing says what this has to be about", spec=spec)
    missing = {path: digests for path, digests in wanted.items() if not known.has(digests)}
    if not missing:
        return passed(id, subject, f"{len(wanted)} artifact{'s' * (len(wanted) != 1)} by digest", spec=spec)
    path = next(iter(missing))
    more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
    facts = {"missing": [f"{path} {digests}" for path, digests in list(missing.items())[:20]]}
    return failed(id, subject, f'"{path}"{more} is not among its subjects', spec=spec, facts=facts)


def _touches(requirement: Requirement, subjects: Mapping[str, DigestSet], parent: str, record: Record | None) -> Check:
    """Some subject is an artifact of the step that the predicate belongs to."""
    id, spec = "attestation.subject", _SUBJECTS
    if record is None:
        return failed(id, parent, f'step "{parent}" has no evidence that it could be about', spec=spec)
    # Provenance is about what a step made; a report may as well be about what it started from.
    sides = (Side.PRODUCTS,) if requirement.role is Role.TRANSFORM else tuple(Side)
    known = Known(digests for side in sides for digests in record.side(side).values())
    about = [name for name, digests in subjects.items() if known.has(digests)]
    if about:
        return passed(id, parent, f'is about "{about[0]}" of step "{parent}"', spec=spec)
    named = ", ".join(f"{name} {digests}" for name, digests in list(subjects.items())[:3])
    what = "product" if requirement.role is Role.TRANSFORM else "artifact"
    return failed(id, parent, f'is about no {what} of step "{parent}": its subjects are {named}', spec=spec)
