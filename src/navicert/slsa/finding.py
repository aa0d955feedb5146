"""Findings, one for each requirement, and the ladder of levels that they make.

A level is reached where each of its requirements is met and the level below it is reached, so the number of levels that
pass is the level.
"""

from __future__ import annotations

from collections.abc import Mapping

from navicert.dataclass import dataclass
from navicert.errors import Malformed
from navicert.slsa.levels import DECLARED, TOP, Requirement, level_name, requirements
from navicert.verdict import Check, all_of, at_least, failed, note, passed, skipped, warned

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

ROOT: Final = "slsa"
TRACK: Final = "slsa.track"
LEVEL: Final = "slsa.level"
BELOW: Final = "slsa.below"


@dataclass(frozen=True, slots=True)
class Finding:
    """What came out for one requirement. `kind` is a class of `navicert.slsa.levels`, `evidence` the digests or origins
    that it rests on; `caution` is said where it is met and should be known all the same."""

    met: bool
    reason: str
    kind: str
    evidence: tuple[str, ...] = ()
    caution: bool = False


Findings = Mapping[str, Finding]
"""Name of a requirement → what came out. A requirement that nobody looked at is not met."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """One track judged: its check, and how far it got."""

    track: str
    title: str
    check: Check
    reached: int
    declared: bool = False

    @property
    def top(self) -> int:
        """The highest level of the track."""
        return TOP[self.track]

    @property
    def missing(self) -> tuple[Check, ...]:
        """What the next level lacks; nothing at the top."""
        if self.reached >= self.top:
            return ()
        level = self.check.children[self.reached]
        return tuple(
            check for check in level.counted if not check.outcome.passes and check.leaf is not None and not check.cause
        )


def climb(
    track: str,
    title: str,
    findings: Findings,
    *,
    root: str,
    need: int = 1,
    declared: Mapping[str, str] | None = None,
    proven: int = 0,
    reason: str = "",
) -> Ladder:
    """The ladder of `track`, of which `need` levels must be reached for its check to pass. `root` is the path above it.

    With `declared` (name → why) what is declared counts where evidence is lacking, and what nothing can prove has to be
    declared, but for levels up to `proven`, which evidence has reached already.
    """
    if need < 1:
        raise Malformed("a track is judged for a level from 1", got=str(need))
    path = f"{root}/{TRACK}[{title}]"
    levels: list[Check] = []
    reached = 0
    for number in range(1, TOP[track] + 1):
        name = level_name(track, number)
        children = [
            _leaf(one, findings.get(one.name), declared, proven=number <= proven) for one in requirements(track, number)
        ]
        if number > 1:
            below = level_name(track, number - 1)
            if reached == number - 1:
                children.append(passed(BELOW, below, "the level below is reached"))
            else:
                cause = f"{path}/{LEVEL}[{below}]"
                children.append(skipped(BELOW, below, "the level below is not reached", cause=cause))
        level = all_of(LEVEL, name, tuple(children), facts={"level": number})
        if level.outcome.passes and reached == number - 1:
            reached = number
        levels.append(level)
    words = f"{level_name(track, reached)}" if reached else f"no level of {title}"
    facts = {"track": track, "reached": reached, "declared": declared is not None, "top": TOP[track]}
    text = f"{words}{f': {reason}' if reason else ''}"
    return Ladder(
        track, title, at_least(need, TRACK, title, tuple(levels), text, facts=facts), reached, declared is not None
    )


def _leaf(one: Requirement, finding: Finding | None, declared: Mapping[str, str] | None, *, proven: bool) -> Check:
    """The check of one requirement."""
    why = None if declared is None else declared.get(one.name)
    said = f"declared: {why}" if why is not None else ""
    if one.declared_only:
        if declared is None or proven:
            return note(one.id, one.title, said or "nothing can prove it; it can be declared", spec=one.spec)
        finding = Finding(why is not None, said or "nobody has declared it", DECLARED)
    elif (finding is None or not finding.met) and why is not None:
        finding = Finding(True, said, DECLARED)
    if finding is None:
        finding = Finding(False, "there is no evidence for it", "")
    facts: dict[str, object] = {"class": finding.kind, "evidence": list(finding.evidence)}
    if finding.met:
        make = warned if finding.caution else passed
        return make(one.id, one.title, finding.reason, spec=one.spec, facts=facts)
    facts["remedy"] = one.remedy
    if one.best_effort:
        reason = f"{finding.reason}; this is asked for as best effort"
        return warned(one.id, one.title, reason, spec=one.spec, facts=facts)
    return failed(one.id, one.title, finding.reason, spec=one.spec, facts=facts)
