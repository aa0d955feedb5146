"""MATCH rules, read as the chain that they tie: whether the other end exists, comes before, and can hold anything.

Spec: in-toto v1.0 §4.3.3 (MATCH). The rules of a step see the evidence of steps; those of an inspection see that of
steps and inspections.
"""

from __future__ import annotations

from itertools import takewhile

from navicert.authoring.finding import Finding, found
from navicert.authoring.item import (
    Item,
    all_rules,
    closing,
    folder,
    is_closed,
    never_applies,
    source_glob,
)
from navicert.authoring.pattern import Effort, Glob, meet
from navicert.model.rule import Rule, RuleKind, Side

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Chain:
    """What the MATCH rules of all items refer to."""

    def __init__(self, items: Sequence[Item], effort: Effort) -> None:
        self._items = items
        self._named = {item.name: item for item in items}
        self._effort = effort
        self._permitted: dict[tuple[str, Side], list[Glob] | None] = {}

    def findings(self, item: Item) -> Iterator[Finding]:
        """What is wrong with the MATCH rules of `item`."""
        for side, index, rule in all_rules(item):
            if rule.kind is RuleKind.MATCH:
                for id, message, remedy in self._rule(item, side, rule):
                    place, pointer = item.rule_place(side, index), item.rule_pointer(side, index)
                    yield found(id, message, remedy, place=place, pointer=pointer)

    def _rule(self, item: Item, side: Side, rule: Rule) -> Iterator[tuple[str, str, str]]:
        prefix = folder(rule.source_prefix)
        if prefix and rule.pattern.startswith(prefix):
            inner = rule.pattern.removeprefix(prefix)
            yield (
                "match.prefix-twice",
                f'it is for "{prefix}{rule.pattern}": the pattern begins behind the prefix',
                f'write "{inner}" for the pattern, or leave IN out',
            )
        name = rule.step or ""
        if "{" in name or "}" in name:
            return  # a parameter decides which step is meant
        other = self._named.get(name)
        if other is None or (item.is_step and not other.is_step):
            yield "match.unknown-step", *self._unknown(item, name, other)
            return
        if other is item:
            if rule.dest_type is side and prefix == folder(rule.dest_prefix):
                yield (
                    "match.self",
                    f"it compares the {side.value} with themselves, so it always holds",
                    "name another step",
                )
        elif other.order > item.order:
            yield (
                "match.later-step",
                f"{other.place} comes after {item.place}",
                f"let {other.place} match what this one made, or put the steps into their order",
            )
        yield from self._not_produced(rule, other)

    def _unknown(self, item: Item, name: str, other: Item | None) -> tuple[str, str]:
        if other is not None:
            return f'"{name}" is an inspection, which the rules of steps do not see', "move the rule to an inspection"
        import difflib

        names = [one.name for one in self._items if one.is_step or not item.is_step]
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
        return (
            f'there is no step "{name}", so it never matches',
            f'did you mean "{near[0]}"?' if near else "name a step",
        )

    def _not_produced(self, rule: Rule, other: Item) -> Iterator[tuple[str, str, str]]:
        """Where the other list is closed, everything in it was taken by one of its rules."""
        side = rule.dest_type or Side.PRODUCTS
        permitted = self._permitted_by(other, side)
        if permitted is None:
            return
        wanted = Glob.of(rule.pattern, folder(rule.dest_prefix), open_braces=True)
        if not wanted.empty and not any(meet(wanted, glob, self._effort) for glob in permitted):
            yield (
                "match.not-produced",
                f"it never matches: the rules of {other.place} let none of its {side.value} have such a path",
                f"correct the pattern or prefix, or allow the path in the {side.value} of {other.place}",
            )

    def _permitted_by(self, item: Item, side: Side) -> list[Glob] | None:
        """Patterns for all that the list may hold, or None for anything."""
        key = item.name, side
        if key not in self._permitted:
            self._permitted[key] = _permitted(item, side) if is_closed(item, side) else None
        return self._permitted[key]


def _permitted(item: Item, side: Side) -> list[Glob]:
    closing_rule = closing(item, side)
    before = takewhile(lambda rule: rule is not closing_rule, item.rules(side))
    takes = (rule for rule in before if rule.kind not in (RuleKind.DISALLOW, RuleKind.REQUIRE))
    return [source_glob(rule, open_braces=True) for rule in takes if not never_applies(rule, side)]
