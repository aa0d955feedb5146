"""Why an image was refused, taken from the verdict: layout, step, rule, what was expected and what was found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from navicert.dataclass import dataclass
from navicert.report.finding import Finding, findings, first_cause
from navicert.report.line import cut, escape
from navicert.verdict import Check, Verdict

_PLACES: Final = ("step", "inspection")
_VALUE: Final = 80
_REASON: Final = 300


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason for a refusal. `id` is that of a check, or names what else stood in the way; all texts are escaped and
    bounded, because they come out of documents that anybody may have written."""

    id: str
    reason: str
    layout: str = ""
    step: str = ""
    rule: str = ""
    artifact: str = ""
    expected: str = ""
    found: str = ""

    def __str__(self) -> str:
        named = ((kind, name) for kind, name in (("layout", self.layout), ("step", self.step)) if name)
        where = ", ".join(f"{kind} {name}" for kind, name in named)
        text = f"{self.id}: {self.reason}"
        if self.rule and self.rule not in self.reason:
            text += f"; rule {self.rule}"
        if self.expected or self.found:
            text += f"; {self.artifact} expected {self.expected or 'nothing'}, found {self.found or 'nothing'}"
        return f"{where}: {text}" if where else text


def cause_of(verdict: Verdict) -> Cause:
    """The first cause of a verdict that did not pass."""
    found = findings(verdict)
    layout = next((check.subject for check in verdict.root.counted if check.id == "layout.signature"), "")
    if not found:
        return Cause("verdict", "did not pass", _short(layout))
    first = found[0]
    deepest = first_cause(first.check)
    reason = _about(first.check)
    target = first.check.facts.get("target")
    if isinstance(target, str) and target:
        reason = reason.replace(f"image {escape(target)}", "the image")  # named already by whoever shows this
    if first.near_misses:
        reason += f" – {_about(first.near_misses[0])}"
    elif deepest is not first.check and deepest.reason not in first.check.reason:
        reason += f" – {_about(deepest)}"
    facts = {**deepest.facts, **first.check.facts}
    artifact, expected, actual = _artifact(facts)
    step = _step(first)
    for child in first.check.counted if not expected else ():
        # What offered the wrong thing says so itself, below a check that any one of several could have passed.
        artifact, expected, actual = _artifact(child.facts)
        step = step or (_short(child.subject.removeprefix("step ")) if child.subject.startswith("step ") else "")
        if expected:
            break
    return Cause(
        first.check.id,
        cut(reason, _REASON),
        _short(layout),
        step,
        _short(str(facts["rule"])) if "rule" in facts else "",
        artifact,
        expected,
        actual,
    )


def _step(finding: Finding) -> str:
    here = (*finding.trail, finding.check)
    return " of sublayout ".join(_short(check.subject) for check in reversed(here) if check.id in _PLACES)


def _artifact(facts: Mapping[str, object]) -> tuple[str, str, str]:
    """The first artifact that a failed check names: path, expected and actual."""
    entries = facts.get("artifacts")
    if isinstance(entries, list | tuple):
        for entry in entries:
            if isinstance(entry, Mapping):
                return tuple(_short(_text(entry.get(name))) for name in ("path", "expected", "actual"))  # type: ignore[return-value]
    return "", "", ""


def _text(value: object) -> str:
    if isinstance(value, Mapping):
        return " ".join(f"{name}:{text}" for name, text in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_text(item) for item in value)
    return "" if value is None else str(value)


def _about(check: Check) -> str:
    name, reason = escape(check.subject), escape(check.reason)
    if "rule" in check.facts or not name or name in reason:
        return reason or name
    return f"{cut(name, _VALUE)}: {reason}" if reason else name


def _short(text: str) -> str:
    return cut(escape(text), _VALUE)
