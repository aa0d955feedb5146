"""The verdict as text for people: one screen, the first cause first, its consequences folded into a count."""

from __future__ import annotations

from navicert.interface import Iterator, Mapping, Sequence
from navicert.report.line import cut, escape, wrap
from navicert.report.tally import NEAR_MISS, counts, warnings
from navicert.timestamp import format_timestamp
from navicert.verdict import Check, Outcome, Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from navicert.report.finding import Finding

_MARKS: Final[Mapping[Outcome, tuple[str, str]]] = {
    Outcome.PASS: ("pass", "32"),
    Outcome.WARN: ("warn", "33"),
    Outcome.SKIP: ("skip", "2"),
    Outcome.PENDING: ("open", "33"),
    Outcome.FAIL: ("FAIL", "31"),
    Outcome.ERROR: ("ERROR", "31"),
}
"""Outcome → the word for it, and its colour as a terminal knows it."""

_LINES: Final = 23
"""Lines of a report that is not verbose: a screen of 24, less the one that the prompt comes back on."""
_SHORT: Final = 12
"""Hex digits of a digest that is shortened: 48 bits, enough to find it again, never to compare by."""
_PINNED: Final = r"((?:@sha256:|sha256-)[0-9a-f]{12})[0-9a-f]{52}"
"""The digest in a reference to an image, and in the tags of what is attached to it."""
_PLACES: Final = ("step", "inspection", "sublayout")
"""Groups that say where in the chain a check stands."""
_UNBOUNDED: Final = 10**9


def render_text(verdict: Verdict, *, colour: bool = False, width: int = 80, verbose: bool = False) -> str:
    """`verdict` for people, in lines of at most `width` columns, ending in a line feed.

    Without `verbose` at most 23 lines; with it digests in full, every finding, and the whole tree.
    """
    page = _Page(colour, width, verbose)
    found = () if verdict.passed else _findings(verdict)
    cautions = warnings(verdict)
    tail = _tail(verdict, found)
    page.headline(verdict, found)
    page.context(verdict)
    room = _UNBOUNDED if verbose else _LINES - len(page.lines) - len(tail)
    reserved = min(len(cautions), 3) + bool(verdict.root.children and verdict.root.children[-1].is_note)
    if found:
        page.findings(found, room - reserved)
    else:
        page.passing(verdict.root, room - reserved)
    page.warnings(cautions, _UNBOUNDED if verbose else max(1, _LINES - len(page.lines) - len(tail) - 1))
    page.notes(verdict.root)
    if verbose:
        page.lines.append("")
        page.tree(verdict.root)
    for line in tail:
        page.add(line, style="2")
    return "\n".join(page.lines) + "\n"


def _findings(verdict: Verdict) -> tuple[Finding, ...]:
    # Most verdicts passed, and have none.
    from navicert.report.finding import findings

    return findings(verdict)


def _first_cause(check: Check) -> Check:
    from navicert.report.finding import first_cause

    return first_cause(check)


def _tail(verdict: Verdict, found: Sequence[Finding]) -> list[str]:
    tally = counts(verdict)
    words = ("passed", "with a warning", "not judged", "still open", "failed", "could not be judged")
    parts = [f"{n} {word}" for (_, n), word in zip(tally.items(), words, strict=True) if n]
    total = sum(tally.values())
    lines = [f"{total} check{'s' * (total != 1)}: {', '.join(parts) or 'nothing was judged'}"]
    if found:
        lines.append(f"what to do: navicert explain {escape(_first_cause(found[0].check).id)}")
    return lines


def _shortened(text: str) -> str:
    """`text` with the digests shortened that references to images hold: they would leave room for nothing else."""
    if "@sha256:" not in text and "sha256-" not in text:
        return text
    import re

    return re.sub(_PINNED, r"\1…", text)


class _Page:
    """Lines being written, and how wide and colourful they may be."""

    def __init__(self, colour: bool, width: int, verbose: bool) -> None:
        self.lines: list[str] = []
        self._colour = colour
        self._width = max(40, width)
        self._verbose = verbose

    def add(self, text: str, indent: int = 0, *, style: str = "") -> None:
        """One line, cut to the width unless verbose. `text` is escaped already."""
        if not self._verbose:
            text = cut(_shortened(text), self._width - indent)
        self.lines.append(" " * indent + self._styled(text, style))

    def wrapped(self, text: str, indent: int, hang: int, most: int, *, first: str = "", style: str = "") -> None:
        """`first` and `text` on at most `most` lines, the later ones indented by `hang` more."""
        # A digest in full is there to be copied.
        most = _UNBOUNDED if self._verbose else most
        shown = text if self._verbose else _shortened(text)
        lines = wrap(first + shown, self._width - indent, hang, most, cut_words=not self._verbose)
        if lines and first and lines[0].startswith(first.rstrip()):
            label = first.rstrip()
            lines[0] = self._styled(label, style) + lines[0][len(label) :]
        self.lines.extend(" " * indent + line for line in lines)

    def _styled(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if style and self._colour else text

    # --- sections --------------------------------------------------------------------------------------------------

    def headline(self, verdict: Verdict, found: Sequence[Finding]) -> None:
        """PASS or FAIL, and the first cause."""
        outcome = verdict.outcome
        word = "PASS" if outcome.passes else "ERROR" if outcome is Outcome.ERROR else "FAIL"
        if found:
            where = _where(found[0])
            text = f"{escape(found[0].check.id)}{f' in {where}' if where else ''}: {_about(found[0].check)}"
            deepest = _first_cause(found[0].check)
            if found[0].near_misses:
                text += f" – {_about(found[0].near_misses[0])}"
            elif deepest is not found[0].check:
                text += f" – {_about(deepest)}"
        else:
            bound = [_about(check) for check in verdict.root.counted if check.id == "target.bound"]
            text = next(iter(bound), escape(verdict.root.reason)) or "the chain holds; no target was given"
        self.wrapped(text, 0, 6, 2, first=f"{word:<5} ", style=f"1;{_MARKS[outcome][1]}")

    def context(self, verdict: Verdict) -> None:
        """By which layout, whose, and for when."""
        for check in verdict.root.counted:
            if check.id == "layout.signature":
                self.add(f"layout  {escape(check.subject)}: {_signed(check)}", 6)
        at = f"judged for {format_timestamp(verdict.at)}"
        self.add(f"policy  {self._digest(str(verdict.policy))}, {at}", 6)

    def findings(self, found: Sequence[Finding], room: int) -> None:
        """Every cause: the first in full, the others as far as there is room, what is left out counted."""
        blocks = [self._finding(finding, number) for number, finding in enumerate(found, 1)]
        # One line for each cause first; what is left of the room goes to their details, from the first on.
        most = max(1, room - min(len(blocks[0]) - 1, room // 2))
        shown = len(blocks) if len(blocks) <= most else most - 1
        spare = room - shown - (shown < len(blocks))
        for block in blocks[:shown]:
            details = block[1:]
            if len(details) > spare:
                details = details[: max(0, spare - 1)] + ([f"{'':5}…"] if spare > 0 else [])
            spare -= len(details)
            self.lines.append(block[0])
            self.lines.extend(details)
        if shown < len(blocks):
            self.add(f"… {len(blocks) - shown} more causes (--verbose shows all)", 2)

    def _finding(self, finding: Finding, number: int) -> list[str]:
        sub = _Page(self._colour, self._width, self._verbose)
        check, where = finding.check, _where(finding)
        word, style = _MARKS[check.outcome]
        label = f"{number}. {word} {escape(check.id)}  "
        sub.wrapped(f"{where}: {_about(check)}" if where else _about(check), 2, 3, 1, first=label, style=style)
        sub._facts(check, 5)
        for child in check.counted:
            if not child.outcome.passes:
                deepest = _first_cause(child)
                name = f"{escape(child.subject)}: " if deepest is not child and child.subject else ""
                sub.wrapped(f"{name}{_about(deepest)}", 5, 3, 2, first=f"{_MARKS[child.outcome][0]}: ")
                sub._facts(deepest, 7)
        for note in finding.notes:
            sub.wrapped(_about(note), 5, 3, 2, first="note: ")
        bound = len(finding.near_misses) if self._verbose else 4
        for miss in finding.near_misses[:bound]:
            sub.wrapped(_about(miss), 5, 3, 2, first="near miss: ")
        if len(finding.near_misses) > bound:
            sub.add(f"… {len(finding.near_misses) - bound} more near misses", 5)
        if finding.follows:
            checks = "check follows" if finding.follows == 1 else "checks follow"
            sub.add(f"… {finding.follows} {checks} from this", 5, style="2")
        return sub.lines

    def _facts(self, check: Check, indent: int) -> None:
        """The artifacts that a failed rule names: expected and actual digest, who last agreed, who changed it."""
        if rule := check.facts.get("rule"):
            number = check.subject.removesuffix(str(rule)).strip()
            self.add(f"rule {escape(number)}{': ' if number else ''}{escape(str(rule))}", indent)
        artifacts = _items(check.facts.get("artifacts")) or []
        listed = [entry for entry in artifacts if isinstance(entry, Mapping)]
        bound = len(listed) if self._verbose else 3
        for entry in listed[:bound]:
            self._artifact(entry, indent)
        more = check.facts.get("more")
        left = max(0, len(listed) - bound) + (more if isinstance(more, int) else 0)
        if left > 0:
            self.add(f"… {left} more artifact{'s' * (left != 1)}", indent)

    def _artifact(self, entry: Mapping[str, object], indent: int) -> None:
        expected, actual = entry.get("expected"), entry.get("actual")
        path = escape(str(entry.get("path", "(no path)")))
        agreed, changed = escape(str(entry.get("agreed") or "")), escape(str(entry.get("changed") or ""))
        if not expected and not agreed and not changed:
            self.add(f"{path}  {self._value(actual) if actual else '(not there)'}", indent)
        else:
            self.add(path, indent)
            for label, value, who in (
                ("expected", expected, f"last agreed: {agreed}" if agreed else ""),
                ("actual", actual, f"changed {changed}" if changed else ""),
            ):
                digest = self._value(value) if value else "(nothing)"
                self.wrapped(f"{digest}{f'  {who}' if who else ''}", indent + 2, 9, 2, first=f"{label:<8} ")
        if near := entry.get("near"):
            self.wrapped(escape(str(near)), indent + 2, 3, 2, first="near miss: ")

    def passing(self, root: Check, room: int) -> None:
        """What was judged, part by part."""
        parts = [check for check in root.counted if check.id not in ("layout.signature", "target.bound")]
        lines = [*_counted_parts(parts)]
        shown = len(lines) if len(lines) <= room else max(0, room - 1)
        for outcome, text in lines[:shown]:
            word, style = _MARKS[outcome]
            self.wrapped(text, 0, 6, 1, first=f"{word:<5} ", style=style)
        if shown < len(lines):
            self.add(f"… {len(lines) - shown} more (--verbose shows all)", 6)

    def warnings(self, cautions: Sequence[tuple[str, Check]], room: int) -> None:
        """What passed and should be known all the same."""
        shown = len(cautions) if len(cautions) <= room else max(0, room - 1)
        for _, check in cautions[:shown]:
            self.wrapped(f"{escape(check.id)}: {_about(check)}", 0, 6, 1, first="warn  ", style=_MARKS[Outcome.WARN][1])
        if shown < len(cautions):
            left = len(cautions) - shown
            self.add(f"… {left} {'more ' if shown else ''}warning{'s' * (left != 1)} (--verbose shows all)", 6)

    def notes(self, root: Check) -> None:
        """What the verdict as a whole does not say."""
        for check in root.children:
            if check.is_note and check.id != NEAR_MISS:
                self.wrapped(_about(check), 0, 6, 1, first="note  ")

    def tree(self, check: Check, depth: int = 0, *, spared: bool = False) -> None:
        """The whole tree, indented. `spared`: it stands in something that passed, with or without it."""
        passes = not check.is_note and check.outcome.passes
        word, style = ("note", "2") if check.is_note else _MARKS[check.outcome]
        if spared and not check.is_note and not passes:
            word, style = "miss", "2"
        text = f"{escape(check.id)}  {_about(check, subject=True)}"
        if check.spec:
            text += f"  [{escape(check.spec)}]"
        self.wrapped(text, 2 * min(depth, 10), 6, 1, first=f"{word:<5} ", style=style)
        for child in check.children:
            self.tree(child, depth + 1, spared=spared or passes)

    # --- values ----------------------------------------------------------------------------------------------------

    def _value(self, value: object) -> str:
        """A fact on one line; digests shortened unless verbose."""
        if isinstance(value, Mapping):
            return " ".join(self._digest(f"{name}:{text}") for name, text in value.items()) or "(no digest)"
        items = _items(value)
        if items is not None:
            return ", ".join(self._value(item) for item in items)
        return " ".join(self._digest(word) for word in str(value).split(" "))

    def _digest(self, text: str) -> str:
        algorithm, colon, value = text.partition(":")
        hexadecimal = len(value) >= 32 and all(digit in "0123456789abcdefABCDEF" for digit in value)
        if colon and hexadecimal and not self._verbose:
            return f"{escape(algorithm)}:{value[:_SHORT]}"
        return escape(text)


def _items(value: object) -> list[object] | None:
    return list(value) if isinstance(value, list | tuple) else None


def _about(check: Check, *, subject: bool = False) -> str:
    """The subject and the reason of a check, escaped, on one line; of a rule the reason, unless `subject`."""
    name, reason = escape(check.subject), escape(check.reason)
    if reason and "rule" in check.facts and not subject:
        return reason
    if name and reason and name not in reason:
        return f"{name}: {reason}"
    return reason or name


def _where(finding: Finding) -> str:
    """Where in the chain a finding stands: the step or inspection, and on which side."""
    if finding.check.id.startswith("step.") or finding.check.id in _PLACES:
        return ""
    places = [f"{check.id} {escape(check.subject)}" for check in finding.trail if check.id in _PLACES]
    side = finding.trail[-1].id.rpartition(".")[2] if finding.trail else ""
    return ", ".join([*places, *([side] if side in ("materials", "products") else [])])


def _signed(check: Check) -> str:
    """Who signed a layout."""
    who = ", ".join(escape(child.subject) for child in check.counted if child.outcome.passes)
    return f"{escape(check.reason)}{f' ({who})' if who else ''}"


def _counted_parts(parts: Sequence[Check]) -> Iterator[tuple[Outcome, str]]:
    """One line for each part of a chain that passed: who did it, and what was held against it."""
    for check in parts:
        if check.leaf is Outcome.WARN:
            continue  # listed with the warnings
        name = f"{check.id} {escape(check.subject)}" if check.id in _PLACES else escape(check.id)
        said = [escape(check.reason)] if check.reason else []
        for child in check.counted:
            side = child.id.rpartition(".")[2]
            if side in ("materials", "products") and child.reason:
                said.append(escape(child.reason).replace("artifact", side[:-1]))
            elif check.id == "inspection" and child.leaf is not None:
                said.append(_about(child))
        yield check.outcome, f"{name}: {'; '.join(said)}" if said else name
