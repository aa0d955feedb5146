"""The verdict as text for people: one screen, the first cause first, its consequences folded into a count."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from navicert.report.finding import Finding, counts, findings, warnings
from navicert.report.line import cut, escape
from navicert.timestamp import format_timestamp
from navicert.verdict import Check, Outcome, Verdict

_WORDS: Final[Mapping[Outcome, str]] = {
    Outcome.PASS: "PASS",
    Outcome.WARN: "PASS",
    Outcome.SKIP: "FAIL",
    Outcome.PENDING: "OPEN",
    Outcome.FAIL: "FAIL",
    Outcome.ERROR: "ERROR",
}
_MARKS: Final[Mapping[Outcome, str]] = {
    Outcome.PASS: "pass",
    Outcome.WARN: "warn",
    Outcome.SKIP: "skip",
    Outcome.PENDING: "open",
    Outcome.FAIL: "FAIL",
    Outcome.ERROR: "ERROR",
}
_COLOURS: Final[Mapping[Outcome, str]] = {
    Outcome.PASS: "32",
    Outcome.WARN: "33",
    Outcome.SKIP: "2",
    Outcome.PENDING: "33",
    Outcome.FAIL: "31",
    Outcome.ERROR: "31",
}

_LINES: Final = 23
"""Lines of a report that is not verbose: a screen of 24, less the one that the prompt comes back on."""
_SHORT: Final = 12
"""Hex digits of a digest that is shortened: 48 bits, enough to find it again, never to compare by."""


def render_text(verdict: Verdict, *, colour: bool = False, width: int = 80, verbose: bool = False) -> str:
    """`verdict` for people, in lines of at most `width` columns (as far as words allow), ending in a line feed.

    Without `verbose` at most 23 lines; with it digests in full, every finding, and the whole tree.
    """
    page = _Page(colour, width, verbose)
    found = findings(verdict)
    page.headline(verdict, found)
    page.context(verdict)
    cautions = warnings(verdict)
    tail = _tail(verdict, found)
    room = 10**9 if verbose else _LINES - len(page.lines) - len(tail) - min(len(cautions), 3) - bool(cautions)
    if found:
        page.findings(found, room)
    else:
        page.passing(verdict.root, room)
    page.warnings(cautions, 10**9 if verbose else max(1, _LINES - len(page.lines) - len(tail) - 1))
    if verbose:
        page.tree(verdict.root)
    for line in tail:
        page.add(line, style="2")
    return "\n".join(page.lines) + "\n"


def _tail(verdict: Verdict, found: Sequence[Finding]) -> list[str]:
    tally = counts(verdict)
    words = ("passed", "with a warning", "not judged", "still open", "failed", "could not be judged")
    parts = [f"{n} {word}" for (_, n), word in zip(tally.items(), words, strict=True) if n]
    total = sum(tally.values())
    lines = [f"{total} check{'s' * (total != 1)}: {', '.join(parts)}"]
    if found:
        lines.append(f"navicert explain {escape(found[0].check.id)}   says what this check means and what to do")
    return lines


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
            text = cut(text, self._width - indent)
        self.lines.append(" " * indent + self._styled(text, style))

    def wrapped(self, text: str, indent: int, hang: int, most: int, *, first: str = "", style: str = "") -> None:
        """`first` and `text` on at most `most` lines, the later ones indented by `hang` more."""
        lines = textwrap.wrap(
            first + text,
            self._width - indent,
            subsequent_indent=" " * hang,
            break_on_hyphens=False,
            max_lines=None if self._verbose else most,
            placeholder=" …",
        )
        if lines and first and lines[0].startswith(first):
            lines[0] = self._styled(first, style) + lines[0][len(first) :]
        self.lines.extend(" " * indent + line for line in lines)

    def _styled(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if style and self._colour else text

    # --- sections --------------------------------------------------------------------------------------------------

    def headline(self, verdict: Verdict, found: Sequence[Finding]) -> None:
        """PASS or FAIL, and the first cause."""
        outcome = verdict.outcome
        if found:
            check = found[0].check
            text = f"{escape(check.id)}: {_about(check)}"
        else:
            text = escape(verdict.root.reason) or _about(verdict.root) or "all that was required passed"
        self.wrapped(text, 0, 6, 2, first=f"{_WORDS[outcome]:<6}", style=f"1;{_COLOURS[outcome]}")

    def context(self, verdict: Verdict) -> None:
        """Who and what: the policy, the target and the moment, as far as the root says."""
        facts = verdict.root.facts
        for name in ("policy", "signed by", "target"):
            if value := facts.get(name):
                self.add(f"{name:<10} {self._value(value)}", 2)
        if "policy" not in facts:
            self.add(f"{'policy':<10} {self._digest(str(verdict.policy))}", 2)
        self.add(f"{'judged for':<10} {format_timestamp(verdict.at)}", 2)

    def findings(self, found: Sequence[Finding], room: int) -> None:
        """Every cause: the first in full, the others as far as there is room, what is left out counted."""
        blocks = [self._finding(finding, number) for number, finding in enumerate(found, 1)]
        # One line for each cause first; what is left of the room goes to their details, from the first on.
        shown = min(len(blocks), max(1, room - min(len(blocks[0]), 9))) if len(blocks) > room // 2 else len(blocks)
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
        check = finding.check
        outcome = check.outcome
        label = f"{number}. {_MARKS[outcome]} {escape(check.id)}  "
        sub.wrapped(_about(check), 2, 3, 1 if number > 1 else 2, first=label, style=_COLOURS[outcome])
        sub._facts(check)
        for child in check.counted:
            if not child.outcome.passes:
                sub.add(f"{_MARKS[child.outcome]} {_about(child)}", 5)
                sub._facts(child, indent=7)
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

    def _facts(self, check: Check, indent: int = 5) -> None:
        """The artifacts that a failed rule names: expected and actual digest, who last agreed, who changed it."""
        if rule := check.facts.get("rule"):
            side = check.facts.get("side")
            self.add(f"rule: {escape(str(rule))}{f' ({escape(str(side))})' if side else ''}", indent)
        artifacts = _items(check.facts.get("artifacts")) or []
        listed = [entry for entry in artifacts if isinstance(entry, Mapping)]
        bound = len(listed) if self._verbose else 3
        for entry in listed[:bound]:
            self._artifact(entry, indent)
        more = check.facts.get("more")
        left = len(listed) - bound if len(listed) > bound else 0
        left += more if isinstance(more, int) else 0
        if left > 0:
            self.add(f"… {left} more artifact{'s' * (left != 1)}", indent)

    def _artifact(self, entry: Mapping[str, object], indent: int) -> None:
        self.add(escape(str(entry.get("path", "(no path)"))), indent)
        sides = (("expected", "agreed", "last agreed"), ("actual", "changed", "changed it"))
        rows = [(side, entry.get(side), entry.get(who), verb) for side, who, verb in sides]
        for side, value, who, verb in rows:
            if value is None and not who:
                continue
            text = f"{side:<8} {self._value(value) if value else '(nothing)'}"
            if who:
                text += f"   {escape(str(who))} {verb}"
            self.add(text, indent + 2)

    def passing(self, root: Check, room: int) -> None:
        """What was judged, part by part."""
        parts = list(_parts(root))
        shown = len(parts) if len(parts) <= room else max(0, room - 1)
        for check in parts[:shown]:
            outcome = check.outcome
            self.wrapped(_about(check), 2, 6, 1, first=f"{_MARKS[outcome]:<5} ", style=_COLOURS[outcome])
        if shown < len(parts):
            self.add(f"… {len(parts) - shown} more (--verbose shows all)", 2)

    def warnings(self, cautions: Sequence[tuple[str, Check]], room: int) -> None:
        """What passed and should be known all the same."""
        shown = len(cautions) if len(cautions) <= room else max(0, room - 1)
        for _, check in cautions[:shown]:
            label = f"warning: {escape(check.id)}: "
            self.wrapped(_about(check), 2, 3, 1, first=label, style=_COLOURS[Outcome.WARN])
        if shown < len(cautions):
            self.add(f"… {len(cautions) - shown} more warnings", 2)

    def tree(self, root: Check, depth: int = 0) -> None:
        """The whole tree, indented."""
        if depth == 0:
            self.lines.append("")
        mark, style = ("note", "2") if root.is_note else (_MARKS[root.outcome], _COLOURS[root.outcome])
        text = f"{escape(root.id)}  {_about(root)}"
        if root.spec:
            text += f"  [{escape(root.spec)}]"
        self.wrapped(text, 2 * depth, 6, 1, first=f"{mark:<5} ", style=style)
        for child in root.children:
            self.tree(child, depth + 1)

    # --- values ----------------------------------------------------------------------------------------------------

    def _value(self, value: object) -> str:
        """A fact on one line; digests shortened unless verbose."""
        if isinstance(value, Mapping):
            if not value:
                return "(no digest)"
            return " ".join(self._digest(f"{name}:{text}") for name, text in value.items())
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


def _about(check: Check) -> str:
    """The subject and the reason of a check, escaped, on one line."""
    subject, reason = escape(check.subject), escape(check.reason)
    if subject and reason and not reason.startswith(subject):
        return f"{subject}: {reason}"
    return reason or subject


def _parts(root: Check) -> Iterator[Check]:
    """What a passing tree is shown as: its groups and leaves down to where somebody can be named."""
    for child in root.counted:
        inner = [grandchild for grandchild in child.counted if grandchild.counted]
        if inner and not child.reason:
            yield from inner
        else:
            yield child
