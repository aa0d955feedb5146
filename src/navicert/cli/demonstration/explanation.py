"""Why an attack was refused, in a few lines: the first cause of a verdict, with the facts that it rests on."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Final

from navicert.report.finding import Finding, findings, first_cause
from navicert.report.line import escape
from navicert.verdict import Check, Outcome, Verdict
from navicert.verify.catalogue import CATALOGUE

_MOST: Final = 5
"""Lines of one explanation."""
_LONG: Final = re.compile(r"(?<=:[0-9a-f]{12})[0-9a-f]{20,}")
"""What is left out of a digest that is shown."""


def decisive(verdict: Verdict) -> Finding | None:
    """The first finding that decided against; None where none did. What merely waits for others is no reason."""
    decided = (finding for finding in findings(verdict) if finding.check.outcome in (Outcome.FAIL, Outcome.ERROR))
    return next(decided, None)


def explain(finding: Finding, width: int) -> tuple[str, ...]:
    """`finding` in at most five lines of `width` columns, escaped: which check, where, on what, and who; and what the
    check is about, where there is room for it."""
    lines = [line for text in _sentences(finding) for line in _wrapped(text, width)]
    if len(lines) > _MOST:
        lines[_MOST - 1 :] = ["…"]
    entry = CATALOGUE.get(finding.check.id)
    meaning = _wrapped(f"required: {entry.meaning}", width) if entry is not None else []
    return tuple(lines + meaning if len(lines) + len(meaning) <= _MOST else lines)


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, subsequent_indent="  ", break_on_hyphens=False)


def _sentences(finding: Finding) -> Iterator[str]:
    check = finding.check
    places = [f"{group.id} {group.subject}" for group in finding.trail if group.id in ("step", "inspection")]
    where = f" in {', '.join(places)}" if places else ""
    subject = "" if places and places[-1].endswith(f" {check.subject}") else check.subject
    yield escape(f"{check.id}{where}: {_reason(check, subject)}")
    yield from _artifacts(check)
    detail = next((first_cause(child) for child in check.counted if not child.outcome.passes), None)
    if detail is not None:
        yield escape(_reason(detail, detail.subject))
        yield from _artifacts(detail)
    for miss in finding.near_misses:
        yield escape(f"near miss: {_reason(miss, miss.subject)}")


def _reason(check: Check, subject: str) -> str:
    """What the check says, beginning with what it is about unless that is said in it."""
    if "rule" in check.facts or subject in check.reason.split():
        return check.reason
    return ": ".join(part for part in (subject, check.reason) if part)


def _artifacts(check: Check) -> Iterator[str]:
    """Expected and actual digest of each artifact, who agreed to the one, and where the other came in."""
    listed = check.facts.get("artifacts")
    for entry in listed if isinstance(listed, list | tuple) else ():
        for name, by, words in (("expected", "agreed", "as in "), ("actual", "changed", "changed ")):
            if isinstance(entry, Mapping) and entry.get(name):
                who = f", {words}{entry[by]}" if entry.get(by) else ""
                yield escape(f"{name} {_LONG.sub('', str(entry[name]))}{who}")
