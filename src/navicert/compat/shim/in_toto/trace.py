"""What in-toto 3.1.0 says of a rule that failed, to the letter.

Where Python's order of sets is fixed (PYTHONHASHSEED), lists have upstream's order; elsewhere upstream's order changes
from run to run, and ours is sorted.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import filter as matching

from navicert.model.rule import Rule, RuleKind, Side


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
        """The message of upstream's RuleVerificationError."""
        paths = self.materials if self.side is Side.MATERIALS else self.products
        queue = set(paths)
        before = []
        for words, consumed in self.rules[: self.failed]:
            queue -= set(consumed)
            before.append((words, listed(queue)))
        keyword, _, pattern = self.rules[self.failed][0].partition(" ")
        if Rule.parse([keyword, pattern]).kind is RuleKind.REQUIRE:
            first = f"'REQUIRE {pattern}' did not find {pattern} in: {_set(queue)}\n"
        else:
            first = f"'DISALLOW {pattern}' matched the following artifacts: {matching(listed(queue), pattern)}\n"
        return first + self._trace(before)

    def _trace(self, before: Sequence[tuple[str, list[str]]]) -> str:
        lines = [f"Full trace for 'expected_{self.side.value}' of item '{self.item}':"]
        for side, paths in ((Side.MATERIALS, self.materials), (Side.PRODUCTS, self.products)):
            mark = " (used for queue)" if side is self.side else ""
            lines += [f"Available {side.value}{mark}:", str(list(paths))]
        for words, queue in before:
            lines += [f"Queue after '{words}':", str(queue)]
        return "\n".join(lines) + "\n"


def listed(queue: Iterable[str]) -> list[str]:
    """`queue` in the order to show it in."""
    fixed = os.environ.get("PYTHONHASHSEED", "random") != "random"
    return list(queue) if fixed else sorted(queue)


def _set(queue: set[str]) -> str:
    return "{" + ", ".join(map(repr, listed(queue))) + "}" if queue else "set()"
