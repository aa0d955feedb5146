"""Patterns read letter by letter: what looks as if it meant more, or other, than it does.

Spec: in-toto v1.0 §4.3.3. All implementations let `*` and `?` match `/`; they differ about `[^…]`, backslashes and
brackets that are not closed.
"""

from __future__ import annotations

import re
from typing import Final

from navicert.authoring.finding import Finding, Severity, found
from navicert.authoring.item import Item, all_rules, folder
from navicert.authoring.pattern import Glob, class_end
from navicert.model.rule import Rule, RuleKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_SCHEME: Final = re.compile(r"(?:file|dir|git|ostree):")
_WILD: Final = re.compile(r"[*?\[]")
_ALTERNATIVES: Final = re.compile(r"\{[^{}]*,[^{}]*\}")

Said = tuple[str, str, str, Severity | None]


def misspellings(item: Item) -> Iterator[Finding]:
    """What is odd about the patterns and prefixes of `item`."""
    for side, index, rule in all_rules(item):
        for id, message, remedy, severity in _rule(rule):
            place, pointer = item.rule_place(side, index), item.rule_pointer(side, index)
            yield found(id, message, remedy, place=place, pointer=pointer, severity=severity)


def _rule(rule: Rule) -> Iterator[Said]:
    if rule.kind is not RuleKind.REQUIRE:  # which takes its word literally
        yield from _pattern(rule.pattern)
    reported = False
    for prefix in (rule.source_prefix, rule.dest_prefix):
        if prefix and _WILD.search(prefix):
            yield (
                "pattern.prefix",
                f'the prefix "{prefix}" is taken literally',
                "move the wildcard to the pattern",
                None,
            )
        why = _odd_prefix(prefix)
        if why and not reported:
            reported = True
            yield "pattern.not-normal", f'the prefix "{prefix}" {why}', "write prefixes such as src or build/out", None
    why = "" if reported else odd_path(folder(rule.source_prefix) + rule.pattern, literal=rule.kind is RuleKind.REQUIRE)
    if why:
        remedy = "write paths as they are recorded, such as src/app.py"
        yield "pattern.not-normal", f'it matches nothing: "{rule.pattern}" {why}', remedy, None


def _pattern(pattern: str) -> Iterator[Said]:
    if not pattern or Glob.of(pattern).empty:
        yield "pattern.empty", "it matches nothing", "write a pattern that a path can have", None
    if "[^" in pattern:
        yield (
            "pattern.caret",
            "[^…] is a class that holds ^ in some implementations, and all but the class in others",
            "write [!…] for what is not in the class",
            None,
        )
    if "**" in pattern:
        inner = "**/" in pattern
        message = "** is the same as *, which matches / as well"
        if inner:
            message += "; **/ asks for at least one slash"
        yield "pattern.double-star", message, "write *", None if inner else Severity.INFO
    if "\\" in pattern:
        yield (
            "pattern.backslash",
            "a backslash is itself in some implementations and escapes in others",
            "write [*], [?] or [[] for a character that is meant literally, and / between folders",
            None,
        )
    if _open_bracket(pattern):
        yield (
            "pattern.open-bracket",
            "a [ that is never closed stands for itself, or is an error",
            "write [[] for it",
            None,
        )
    if _ALTERNATIVES.search(pattern):
        yield "pattern.braces", "braces are not expanded", "write a rule for each alternative", None


def _open_bracket(pattern: str) -> bool:
    i = 0
    while (i := pattern.find("[", i)) >= 0:
        end = class_end(pattern, i)
        if not end:
            return True
        i = end
    return False


def _odd_prefix(prefix: str | None) -> str:
    if not prefix:
        return ""
    if prefix.endswith("//"):
        return "has two slashes at its end"
    return odd_path(prefix.rstrip("/") or "/")


def odd_path(text: str, *, literal: bool = False) -> str:
    """Why no recorded path is like the pattern `text`; empty where one may be. `literal`: wildcards are none."""
    if _URI.match(text):
        return ""
    text = _SCHEME.sub("", text, count=1) if _SCHEME.match(text) else text
    wild = None if literal else _WILD.search(text)
    head = text[: wild.start()].split("/") if wild else text.split("/")
    whole = head[:-1] if wild else head  # a segment that a wildcard goes on with is not known
    for i, segment in enumerate(whole):
        if segment == "" and 0 < i < len(head) - 1:
            return "has two slashes in a row"
        if segment == "." and text != ".":
            return 'has a "." for a folder'
        if segment == ".." and any(before != ".." for before in whole[:i]):
            return 'goes back with ".."'
    if len(text) > 1 and text.endswith("/"):
        return "ends with a slash, and folders are not recorded"
    for run in () if wild is None else _WILD.split(text)[1:]:
        if "//" in run or "/./" in run:
            return "has two slashes in a row" if "//" in run else 'has a "." for a folder'
    return ""
