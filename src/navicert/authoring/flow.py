"""One list of rules, read as the queue that it is: which rules never get an artifact because of those before them.

Spec: in-toto v1.0 §4.3.3: rules are applied in order, and what a rule takes is gone for the rules behind it.
"""

from __future__ import annotations

from typing import Final

from navicert.authoring.finding import Finding, Severity, found
from navicert.authoring.item import Item, has_braces, is_closed, never_applies, shown, source_glob
from navicert.authoring.pattern import Effort, Glob, covers
from navicert.model.rule import Rule, RuleKind, Side

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_WILD: Final = frozenset("*?[")
_GATES: Final = (RuleKind.ALLOW, RuleKind.DISALLOW)  # whatever they match does not get past them


class Flow:
    """One pass through the rules of one side of one item."""

    def __init__(self, item: Item, side: Side, effort: Effort) -> None:
        self._item = item
        self._side = side
        self._effort = effort
        self._seen: dict[Rule, int] = {}
        # What certainly takes every artifact that it matches: by literal path, and as patterns with their number.
        self._literal: dict[str, int] = {}
        self._wild: list[tuple[int, RuleKind, Glob]] = []
        # What takes an artifact only if something else holds too; rules with the same condition together.
        self._conditional: dict[tuple[object, ...], list[Glob]] = {}
        self._takers: list[tuple[int, Glob]] = []
        self._gates = [
            (index, rule, source_glob(rule))
            for index, rule in enumerate(item.rules(side))
            if rule.kind in _GATES and not has_braces(rule)
        ]

    def findings(self) -> Iterator[Finding]:
        """What is wrong with the order of the rules."""
        for index, rule in enumerate(self._item.rules(self._side)):
            if never_applies(rule, self._side):
                yield self._wrong_list(index, rule)
                continue
            if rule in self._seen:
                first = self._seen[rule] + 1
                yield self._found("rule.duplicate", index, f"it is rule {first} again", "leave it out")
                continue
            self._seen[rule] = index
            if rule.kind is RuleKind.REQUIRE:
                yield from self._require(index, rule)
                continue
            yield from self._unreachable(index, rule)
            if rule.kind is RuleKind.MATCH:
                yield from self._let_through(index, rule)
            self._remember(index, rule)

    def _wrong_list(self, index: int, rule: Rule) -> Finding:
        made = "created by a step is a product" if rule.kind is RuleKind.CREATE else "deleted by a step is a material"
        other = "products" if rule.kind is RuleKind.CREATE else "materials"
        return self._found(
            "rule.wrong-list", index, f"it never applies: what is {made}", f"move it to the {other}, or write ALLOW"
        )

    def _require(self, index: int, rule: Rule) -> Iterator[Finding]:
        name = rule.pattern
        if _WILD & set(name):
            yield self._found(
                "require.pattern",
                index,
                f'it asks for one file called "{name}"',
                "name each file in a REQUIRE of its own",
            )
        for taker, glob in self._takers:
            if not self._effort.take(len(glob.tokens)):
                return
            if glob.comparable and glob.matches(name):
                taken = self._item.rules(self._side)[taker]
                verb = "forbids" if taken.kind is RuleKind.DISALLOW else "may have taken"
                yield self._found(
                    "require.consumed",
                    index,
                    f'rule {taker + 1} ({shown(taken)}) {verb} "{name}" before',
                    "move the REQUIRE to the top of the list",
                )
                return

    def _unreachable(self, index: int, rule: Rule) -> Iterator[Finding]:
        narrow = source_glob(rule, open_braces=True)
        by, bans_alone = self._covering(narrow)
        if by:
            severe = rule.kind is RuleKind.DISALLOW and not bans_alone
            yield self._found(
                "rule.unreachable",
                index,
                f"it {'forbids nothing' if severe else 'never applies'}: {by} all that it could apply to",
                "move it before them, or leave it out",
                Severity.ERROR if severe else None,
            )
        elif covers(self._conditional.get(_condition(rule), ()), narrow, self._effort):
            yield self._found(
                "rule.unreachable",
                index,
                f"it never applies: {rule.kind.value} rules before it have the same condition and wider patterns",
                "leave it out",
            )

    def _covering(self, narrow: Glob) -> tuple[str, bool]:
        """Which rules certainly take all of `narrow` (in words; empty for none), and whether bans alone do."""
        literal = narrow.literal
        if literal is not None and literal in self._literal:
            index = self._literal[literal]
            banned = self._item.rules(self._side)[index].kind is RuleKind.DISALLOW
            return f"rule {index + 1} ({self._shown(index)}) takes", banned
        if not covers([glob for _, _, glob in self._wild], narrow, self._effort):
            return "", False
        bans = [glob for _, kind, glob in self._wild if kind is RuleKind.DISALLOW]
        for index, kind, glob in self._wild:
            if covers([glob], narrow, self._effort):
                alone = kind is RuleKind.DISALLOW
                return f"rule {index + 1} ({self._shown(index)}) takes", alone or covers(bans, narrow, self._effort)
        return "the rules before it take", covers(bans, narrow, self._effort)

    def _let_through(self, index: int, rule: Rule) -> Iterator[Finding]:
        """A MATCH demands something only if what it does not take is forbidden afterwards."""
        narrow = source_glob(rule, open_braces=True)
        for later, other, glob in self._gates:
            if later < index:
                continue
            if glob.universal or not self._effort.take(1):
                return  # what `ALLOW *` does to a list is said once, of the list
            if covers([glob], narrow, self._effort):
                if other.kind is RuleKind.ALLOW:
                    yield self._found(
                        "match.let-through",
                        index,
                        f"what does not match is let through by rule {later + 1} ({shown(other)})",
                        "leave that rule out, so that a DISALLOW gets what does not match",
                    )
                return

    def _remember(self, index: int, rule: Rule) -> None:
        glob = source_glob(rule)
        self._takers.append((index, glob))
        if has_braces(rule):
            return
        if rule.kind not in _GATES:
            self._conditional.setdefault(_condition(rule), []).append(glob)
        elif glob.literal is not None:
            self._literal.setdefault(glob.literal, index)
        else:
            self._wild.append((index, rule.kind, glob))

    def _shown(self, index: int) -> str:
        return shown(self._item.rules(self._side)[index])

    def _found(self, id: str, index: int, message: str, remedy: str, severity: Severity | None = None) -> Finding:
        return found(
            id,
            message,
            remedy,
            place=self._item.rule_place(self._side, index),
            pointer=self._item.rule_pointer(self._side, index),
            severity=severity,
        )


def _condition(rule: Rule) -> tuple[object, ...]:
    return rule.kind, rule.source_prefix, rule.dest_prefix, rule.dest_type, rule.step


def forbidden_afterwards(item: Item, side: Side, index: int, glob: Glob, effort: Effort) -> bool:
    """Whether a rule behind number `index` forbids all of `glob`, so that a MATCH for it is a demand."""
    if is_closed(item, side):
        return True
    bans = [source_glob(rule) for rule in item.rules(side)[index + 1 :] if rule.kind is RuleKind.DISALLOW]
    return covers(bans, glob, effort)
