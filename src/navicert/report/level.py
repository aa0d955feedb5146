"""Levels for people and for programs: how far each scale was climbed, what the next level lacks, and what to do.

A ladder here is a check whose children are the levels, lowest first; each level's children are its requirements.
"""

from __future__ import annotations

from navicert.dataclass import dataclass
from navicert.report.json import to_json
from navicert.report.line import cut, escape, wrap
from navicert.report.tally import NEAR_MISS
from navicert.timestamp import format_timestamp
from navicert.verdict import Check, Outcome, Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Final

TYPE: Final = "navicert-levels/v1"
"""What `type` says in the JSON of this version."""

_MARKS: Final = {"pass": "met", "warn": "met", "fail": "MISSING", "skip": "", "error": "ERROR", "pending": "open"}
_MOST: Final = 8
"""Requirements of the next level that are explained unless verbose."""
_MISSES: Final = 4


@dataclass(frozen=True, slots=True)
class Scale:
    """One ladder: its check, how many levels are reached, and whether declarations count in it."""

    track: str
    title: str
    check: Check
    reached: int
    declared: bool = False

    @property
    def levels(self) -> tuple[Check, ...]:
        """The levels, lowest first."""
        return self.check.counted

    @property
    def name(self) -> str:
        """The level that is reached, in words."""
        return self.levels[self.reached - 1].subject if self.reached else "no level"

    @property
    def next(self) -> Check | None:
        """The level after the one that is reached."""
        return self.levels[self.reached] if self.reached < len(self.levels) else None


def requirements_of(level: Check) -> tuple[Check, ...]:
    """The requirements of a level that are judged, without what only says that the level below is not reached."""
    return tuple(check for check in level.counted if "class" in check.facts)


def missing_of(scale: Scale) -> tuple[Check, ...]:
    """What the next level of a scale lacks."""
    if scale.next is None:
        return ()
    return tuple(check for check in requirements_of(scale.next) if not check.outcome.passes)


# --- for people ----------------------------------------------------------------------------------------------------


def render_levels(
    verdict: Verdict,
    scales: Sequence[Scale],
    *,
    properties: Mapping[str, str],
    dependencies: Mapping[str, int] | None,
    colour: bool = False,
    width: int = 80,
    verbose: bool = False,
) -> str:
    """The levels for people, in lines of at most `width` columns, ending in a line feed."""
    page = _Page(colour, max(40, width), verbose)
    page.headline(verdict)
    for scale in scales:
        page.scale(scale)
    if properties:
        page.line("properties", ", ".join(f"{escape(name)} ({kind})" for name, kind in sorted(properties.items())))
    if dependencies:
        page.line("dependencies", ", ".join(f"{count} {escape(level)}" for level, count in dependencies.items()))
    page.causes(verdict)
    page.cautions(scales)
    shown: set[str] = set()
    for scale in scales:
        page.missing(scale, shown)
    page.misses(verdict)
    if verbose:
        for scale in scales:
            page.requirements(scale)
    return "\n".join(page.lines) + "\n"


class _Page:
    """Lines being written."""

    def __init__(self, colour: bool, width: int, verbose: bool) -> None:
        self.lines: list[str] = []
        self._colour = colour
        self._width = width
        self._verbose = verbose

    def _styled(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self._colour else text

    def _wrapped(self, text: str, indent: int, hang: int, most: int = 3) -> None:
        most = 10**6 if self._verbose else most
        lines = wrap(text, self._width - indent, hang, most, cut_words=not self._verbose)
        self.lines.extend(" " * indent + line for line in lines)

    def headline(self, verdict: Verdict) -> None:
        """PASS or FAIL, on what, and when."""
        word = "PASS" if verdict.passed else "FAIL"
        reason = f"{escape(verdict.root.subject)}: {escape(verdict.root.reason)}"
        styled = self._styled(f"{word:<5}", "1;32" if verdict.passed else "1;31")
        self.lines.append(f"{styled} {cut(reason, self._width - 6)}")
        self.lines.append(f"      judged for {format_timestamp(verdict.at)}")

    def line(self, label: str, text: str) -> None:
        """One line with a label."""
        self._wrapped(f"{label:<24} {text}", 2, 25)

    def scale(self, scale: Scale) -> None:
        """How far one scale was climbed."""
        top = scale.levels[-1].subject
        self.line(scale.title, self._styled(f"{scale.name}", "1") + f" (of {top})")

    def causes(self, verdict: Verdict) -> None:
        """What was asked for and is not so, beside levels."""
        for _, check in verdict.causes():
            if check.id in ("slsa.expected", "slsa.dependency", "slsa.dependencies"):
                self.lines.append("")
                self._wrapped(f"FAIL {check.id}: {escape(check.reason)}", 0, 5)

    def cautions(self, scales: Sequence[Scale]) -> None:
        """What is met in a level that was reached, and should be known all the same."""
        said = dict.fromkeys(
            f"{escape(check.subject)}: {escape(check.reason)}"
            for scale in scales
            if not scale.declared
            for level in scale.levels[: scale.reached]
            for check in requirements_of(level)
            if check.outcome is Outcome.WARN
        )
        for text in said:
            self._wrapped(f"warn  {text}", 0, 6, 2)

    def missing(self, scale: Scale, shown: set[str]) -> None:
        """What the next level of a scale lacks. What has been explained already is only named."""
        level = scale.next
        if level is None:
            return
        lacking = missing_of(scale)
        if not lacking:
            return
        self.lines.append("")
        self.lines.append(f"{escape(scale.title)}: {level.subject} lacks")
        most = len(lacking) if self._verbose else _MOST
        for check in lacking[:most]:
            label = self._styled("-", "31")
            if check.id in shown and not self._verbose:
                self._wrapped(f"{label} {escape(check.subject)} (as above)", 2, 2, 1)
                continue
            shown.add(check.id)
            self._wrapped(f"{label} {escape(check.subject)}: {escape(check.reason)}", 2, 2)
            self._wrapped(f"asked for by {escape(check.spec)}", 4, 2, 1)
            remedy = check.facts.get("remedy")
            if isinstance(remedy, str) and (remedy not in shown or self._verbose):
                shown.add(remedy)
                self._wrapped(f"do: {remedy}", 4, 4)
        if len(lacking) > most:
            self.lines.append(f"  … {len(lacking) - most} more (--verbose shows all)")

    def misses(self, verdict: Verdict) -> None:
        """What was found and does not count."""
        found = [check for check in verdict.root.children if check.id == NEAR_MISS]
        if not found:
            return
        self.lines.append("")
        most = len(found) if self._verbose else _MISSES
        for check in found[:most]:
            self._wrapped(f"near miss: {escape(check.subject)}: {escape(check.reason)}", 0, 11, 2)
        if len(found) > most:
            self.lines.append(f"… {len(found) - most} more near misses (--verbose shows all)")

    def requirements(self, scale: Scale) -> None:
        """Every requirement of a scale."""
        self.lines.append("")
        self.lines.append(escape(scale.title))
        for level in scale.levels:
            self.lines.append(f"  {level.subject}")
            for check in level.children:
                kind = check.facts.get("class")
                if check.is_note:
                    self._wrapped(f"{'note':<8} {escape(check.subject)}: {escape(check.reason)}", 4, 9)
                elif kind is not None:
                    mark = _MARKS[check.outcome.value]
                    text = f"{mark:<8} {escape(check.subject)}: {escape(check.reason)}"
                    self._wrapped(f"{text}{f' [{kind}]' if kind else ''}", 4, 9)


# --- for programs --------------------------------------------------------------------------------------------------


def levels_document(
    verdict: Verdict,
    scales: Sequence[Scale],
    *,
    properties: Mapping[str, str],
    dependencies: Mapping[str, int] | None,
) -> dict[str, object]:
    """The levels as a JSON object. Spec: `schema/levels-v1.json`."""
    return {
        "type": TYPE,
        "artifact": verdict.root.subject,
        "passed": verdict.passed,
        "outcome": verdict.outcome.value,
        "at": format_timestamp(verdict.at),
        "tracks": [_track(scale) for scale in scales],
        "properties": dict(sorted(properties.items())),
        "dependencies": None if dependencies is None else dict(dependencies),
        "verdict": to_json(verdict),
    }


def _track(scale: Scale) -> dict[str, object]:
    return {
        "track": "declared" if scale.declared else scale.track,
        "title": scale.title,
        "level": scale.reached,
        "top": len(scale.levels),
        "missing": [check.id for check in missing_of(scale)],
        "requirements": [
            _requirement(check, number)
            for number, level in enumerate(scale.levels, 1)
            for check in level.children
            if "class" in check.facts or check.is_note
        ],
    }


def _requirement(check: Check, level: int) -> dict[str, object]:
    facts = check.facts
    return {
        "id": check.id,
        "level": level,
        "title": check.subject,
        "outcome": None if check.is_note else check.outcome.value,
        "reason": check.reason,
        "spec": check.spec,
        "class": facts.get("class") or None,
        "evidence": facts.get("evidence", []),
        "remedy": facts.get("remedy"),
    }
