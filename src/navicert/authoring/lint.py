"""Lint: what a layout says that its author probably did not mean, or that verification will trip over.

Pure: a policy and a moment in, findings out, in the order of the layout. Nothing here decides about evidence.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from navicert.authoring.certification import certificate_findings
from navicert.authoring.chain import Chain
from navicert.authoring.finding import Finding, Severity, found
from navicert.authoring.flow import Flow
from navicert.authoring.idiom import ExamineBuiltIn, command_findings
from navicert.authoring.item import Item, all_rules, closing, is_closed, items, shown, source_glob
from navicert.authoring.pattern import Effort
from navicert.authoring.policy import Policy
from navicert.authoring.requirement import ExamineExpression, predicate_findings, soundness_findings
from navicert.authoring.roster import Roster
from navicert.authoring.spelling import misspellings
from navicert.dataclass import replace
from navicert.model.rule import RuleKind, Side
from navicert.timestamp import after, format_timestamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
# Spec: in-toto v1.0 §4.3.4; `{{` and `}}` stand for one brace.
_BRACE: Final = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_NAMED: Final = 5  # paths that one finding names
_PARAMETER: Final = re.compile(r"[A-Za-z0-9_-]+")


def lint(
    policy: Policy,
    at: datetime,
    examine: ExamineBuiltIn,
    effort: Effort | None = None,
    examine_expression: ExamineExpression | None = None,
) -> tuple[Finding, ...]:
    """All findings about `policy` at the moment `at`. `examine` says what is wrong with the command of a built-in
    inspection, `examine_expression` with an expression of CEL; `effort` bounds what comparing patterns may cost."""
    effort = effort or Effort()
    everything = items(policy.layout)
    chain = Chain(everything, effort)
    findings = [*_whole(policy, at), *Roster(policy).findings(), *certificate_findings(policy, at), *_twins(everything)]
    for item in everything:
        findings += _name(item)
        findings += command_findings(item, examine, effort)
        findings += _lists(item)
        findings += _not_required(item)
        findings += predicate_findings(item, examine_expression)
        for side in Side:
            findings += Flow(item, side, effort).findings()
        findings += chain.findings(item)
        findings += misspellings(item)
    findings += soundness_findings(policy)
    findings += _parameters(everything)
    if effort.spent:
        message = "the layout has so many rules that not all of them were compared with each other"
        findings.append(found("lint.incomplete", message, "write fewer, wider patterns"))
    return tuple(replace(finding, line=_line(policy, finding.pointer)) for finding in findings)


def worst(findings: Sequence[Finding], *, strict: bool = False) -> bool:
    """Whether `findings` should stop whoever asked: an error among them, or with `strict` a warning."""
    return any(
        finding.severity is Severity.ERROR or (strict and finding.severity is Severity.WARNING) for finding in findings
    )


def _whole(policy: Policy, at: datetime) -> Iterator[Finding]:
    if not policy.layout.steps:
        yield found("layout.empty", "there is nothing to perform, so nothing to verify", "add a step", pointer="/steps")
    missing = [word for word, has in (("name", policy.release.name), ("version", policy.release.version)) if not has]
    if missing:
        yield found(
            "release.missing",
            f"it has no {' and no '.join(missing)}: an older layout cannot be told from a newer one",
            'write both, such as "name: my-app" and "version: 1", and count the version up',
        )
    expires = policy.expires
    where = "/expires"
    if expires is None:
        yield found(
            "expiry.missing", "it says nothing about when it expires", 'write "expires: 6 months"', pointer=where
        )
    elif expires <= at:
        yield found("expiry.past", f"it expired {format_timestamp(expires)}", "sign a new one", pointer=where)
    elif expires > after(at, years=1, days=1):
        yield found(
            "expiry.far",
            f"it is valid until {format_timestamp(expires)}: until then whoever finds an old copy can use it",
            "let it expire within a year",
            pointer=where,
        )


def _twins(everything: Sequence[Item]) -> Iterator[Finding]:
    seen: dict[str, Item] = {}
    for item in everything:
        other = seen.setdefault(unicodedata.normalize("NFKC", item.name).casefold(), item)
        if other is not item:
            yield found(
                "name.twins",
                f'"{other.name}" and "{item.name}" are the same file name on some systems',
                "choose names that differ in more than case",
                place=item.place,
                pointer=f"{item.pointer}/name",
            )


def _name(item: Item) -> Iterator[Finding]:
    # A predicate has the step that it belongs to before its name.
    if not _PLAIN_NAME.fullmatch(item.name.rpartition("/")[2]):
        yield found(
            "name.awkward",
            "names become file names and are typed in shells",
            "use letters, digits, dot, dash and underscore",
            place=item.place,
            pointer=f"{item.pointer}/name",
        )


def _lists(item: Item) -> Iterator[Finding]:
    """Lists of rules that let through what they do not name."""
    if not any(item.rules(side) for side in Side):
        if item.is_step and not item.is_tied:
            yield found(
                "step.no-rules",
                "it may use and make anything",
                'write rules for materials and products, and "DISALLOW *" at the end of both',
                place=item.place,
                pointer=item.pointer,
            )
        return
    if not item.is_step:
        return  # what matters there is whether the inspected file is bound
    sides = []
    for side in item.sides:
        if not is_closed(item, side):
            rule = closing(item, side)
            why = (
                f"{shown(rule)} lets all through" if rule else "no final DISALLOW *" if item.rules(side) else "no rules"
            )
            sides.append(f"{side.value} ({why})")
    if sides:
        yield found(
            "rules.open",
            f"what no rule names is let through: {', '.join(sides)}",
            'end the list with "DISALLOW *"',
            place=item.place,
            pointer=item.pointer,
        )


def _not_required(item: Item) -> Iterator[Finding]:
    """Rules say what may be there. That something is there is said by REQUIRE alone."""
    for side in Side:
        rules = item.rules(side)
        required = {rule.pattern for rule in rules if rule.kind is RuleKind.REQUIRE}
        matched = [source_glob(rule).literal for rule in rules if rule.kind is RuleKind.MATCH]
        absent = [path for path in dict.fromkeys(matched) if path is not None and path not in required]
        if absent:
            paths = ", ".join(absent[:_NAMED]) + (f" and {len(absent) - _NAMED} more" if absent[_NAMED:] else "")
            yield found(
                "match.not-required",
                f"the {side.value} pass without {paths}: MATCH demands nothing that is not recorded",
                f'begin the list with "REQUIRE {absent[0]}" if it must be there',
                place=item.place,
                pointer=f"{item.pointer}/expected_{side.value}",
            )


# --- parameters ----------------------------------------------------------------------------------------------------


def _parameters(everything: Sequence[Item]) -> Iterator[Finding]:
    names: dict[str, None] = {}
    stray: list[tuple[str, str, str]] = []
    for place, pointer, text in _texts(everything):
        for match in _BRACE.finditer(text):
            if match[1] is not None and _PARAMETER.fullmatch(match[1]):
                names[match[1]] = None
            elif match[0] not in ("{{", "}}"):
                stray.append((place, pointer, text))
                break
    if names:
        listed = ", ".join(names)
        yield found(
            "parameter.used", f"it is verified with parameters: {listed}", "give each with --parameter NAME=VALUE"
        )
    for place, pointer, text in stray:
        short = text if len(text) <= 60 else f"{text[:59]}…"
        yield found(
            "parameter.braces",
            f"{short!r} cannot be filled in"
            if names
            else f"{short!r} is kept as it is only while no parameters are given",
            "write {{ and }} for braces that are meant" if names else "",
            place=place,
            pointer=pointer,
            severity=None if names else Severity.INFO,
        )


def _texts(everything: Sequence[Item]) -> Iterator[tuple[str, str, str]]:
    """Every text that parameters are filled into, with its place and pointer."""
    for item in everything:
        for word in item.command:
            yield item.place, item.command_pointer, word
        for side, index, rule in all_rules(item):
            for text in (rule.pattern, rule.source_prefix, rule.dest_prefix, rule.step):
                if text and ("{" in text or "}" in text):
                    yield item.rule_place(side, index), item.rule_pointer(side, index), text


def _line(policy: Policy, pointer: str) -> int:
    """The line of the file that `pointer`, or the nearest thing around it, stands on; 0 where nobody knows."""
    while pointer:
        if pointer in policy.lines:
            return policy.lines[pointer]
        pointer = pointer.rpartition("/")[0]
    return 0
