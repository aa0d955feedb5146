"""What in-toto 3.1.0 says of a rule that failed, to the letter.

Where Python's order of sets is fixed (PYTHONHASHSEED), lists have upstream's order; elsewhere upstream's order changes
from run to run, and ours is sorted.
"""

from __future__ import annotations

import os

from navicert.dataclass import dataclass
from navicert.limits import LOCAL
from navicert.model.rule import Rule, RuleKind, Side
from navicert.verify.pattern import Pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Final


@dataclass(frozen=True, slots=True)
class Course:
    """How the rules on one side of an item went: the paths of its link in their order, and for each rule its words and
    what it consumed. `failed` is the index of the first that fails."""

    item: str
    side: Side
    materials: tuple[str, ...]
    products: tuple[str, ...]
    rules: tuple[tuple[str, tuple[str, ...]], ...]
    failed: int

    @staticmethod
    def of(item: str, facts: dict[str, object]) -> Course | None:
        """The course that the facts of a check tell of; None where they tell of none."""
        side, materials, products = facts.get("side"), facts.get("materials"), facts.get("products")
        rules, failed = facts.get("rules"), facts.get("failed")
        if not (isinstance(side, str) and isinstance(rules, list) and isinstance(failed, int)):
            return None
        return Course(
            item,
            Side(side),
            tuple(materials) if isinstance(materials, list) else (),
            tuple(products) if isinstance(products, list) else (),
            tuple((words, tuple(consumed)) for words, consumed in rules),
            failed,
        )

    def __str__(self) -> str:
        """The message of upstream's RuleVerificationError; one longer than the limit trace_bytes is shortened."""
        paths = self.materials if self.side is Side.MATERIALS else self.products
        if sum(map(len, paths)) * (self.failed + 2) > LOCAL.trace_bytes:
            return self._shortened(paths)
        queue = set(paths)
        before = []
        for words, consumed in self.rules[: self.failed]:
            queue -= set(consumed)
            before.append((words, listed(queue)))
        keyword, _, pattern = self.rules[self.failed][0].partition(" ")
        if Rule.parse([keyword, pattern]).kind is RuleKind.REQUIRE:
            first = f"'REQUIRE {pattern}' did not find {pattern} in: {_set(queue)}\n"
        else:
            first = f"'DISALLOW {pattern}' matched the following artifacts: {_matching(listed(queue), pattern)}\n"
        return first + self._trace(before)

    def _trace(self, before: Sequence[tuple[str, list[str]]]) -> str:
        lines = [f"Full trace for 'expected_{self.side.value}' of item '{self.item}':"]
        for side, paths in ((Side.MATERIALS, self.materials), (Side.PRODUCTS, self.products)):
            mark = " (used for queue)" if side is self.side else ""
            lines += [f"Available {side.value}{mark}:", str(list(paths))]
        for words, queue in before:
            lines += [f"Queue after '{words}':", str(queue)]
        return "\n".join(lines) + "\n"

    def _shortened(self, paths: Sequence[str]) -> str:
        """The same story where upstream's would have every artifact after every rule: each list is cut, and of many
        rules only the last ones are told."""
        from navicert.report.line import cut

        told = max(0, self.failed - _RULES)
        room = LOCAL.trace_bytes // 2 // (min(self.failed, _RULES) + 3)
        queue = _Shrinking(listed(set(paths)), room)
        lines = [f"Full trace for 'expected_{self.side.value}' of item '{self.item}':"]
        for side, artifacts in ((Side.MATERIALS, self.materials), (Side.PRODUCTS, self.products)):
            mark = " (used for queue)" if side is self.side else ""
            lines += [f"Available {side.value}{mark}:", _Shrinking(artifacts, room).told()]
        if told:
            lines.append(f"(and {told:,} rules before these)")
        for number, (words, consumed) in enumerate(self.rules[: self.failed]):
            queue.lose(consumed)
            if number >= told:
                lines += [f"Queue after '{cut(words, room)}':", queue.told()]
        keyword, _, pattern = self.rules[self.failed][0].partition(" ")
        if Rule.parse([keyword, pattern]).kind is RuleKind.REQUIRE:
            first = f"'REQUIRE {cut(pattern, room)}' did not find {cut(pattern, room)} in: {queue.told('{}')}"
        else:
            matched = _Shrinking(_matching(queue.left(), pattern), room).told()
            first = f"'DISALLOW {cut(pattern, room)}' matched the following artifacts: {matched}"
        return "\n".join((first, *lines)) + "\n"


_RULES: Final = 100
"""Rules whose queues a shortened trace tells."""


class _Shrinking:
    """A list of paths that loses some; what is told of it has about `room` characters."""

    def __init__(self, paths: Sequence[str], room: int) -> None:
        self._paths = paths
        self._room = room
        self._gone: set[str] = set()

    def lose(self, paths: Iterable[str]) -> None:
        self._gone.update(paths)

    def left(self) -> list[str]:
        return [path for path in self._paths if path not in self._gone]

    def told(self, brackets: str = "[]") -> str:
        """The first paths, and how many more there are."""
        words: list[str] = []
        room = self._room
        for path in self._paths:
            if path not in self._gone:
                room -= len(path) + 4
                if room < 0:
                    break
                words.append(repr(path))
        more = len(self._paths) - len(self._gone) - len(words)
        if more:
            words.append(f"and {more:,} more")
        return f"{brackets[0]}{', '.join(words)}{brackets[1]}"


def _matching(paths: Iterable[str], pattern: str) -> list[str]:
    return list(filter(Pattern(pattern).matches, paths))


def listed(queue: Iterable[str]) -> list[str]:
    """`queue` in the order to show it in."""
    fixed = os.environ.get("PYTHONHASHSEED", "random") != "random"
    return list(queue) if fixed else sorted(queue)


def _set(queue: set[str]) -> str:
    return "{" + ", ".join(map(repr, listed(queue))) + "}" if queue else "set()"
