"""The artifact rules of one item, applied to one of its two lists.

Spec: in-toto v1.0 §4.3.3 and §5.3 (verifying artifact rules): all artifacts start in a queue; each rule in turn
consumes some; DISALLOW and REQUIRE look at what is left; after the last rule whatever remains is allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from navicert.digest import DigestSet
from navicert.model.link import Artifacts
from navicert.model.rule import Rule, RuleKind, Side
from navicert.verify.pattern import Pattern


@dataclass(frozen=True, slots=True)
class Record:
    """The two lists of one link (or of what an inspection found)."""

    materials: Artifacts
    products: Artifacts

    def side(self, side: Side) -> Artifacts:
        """The list that `side` names."""
        return self.materials if side is Side.MATERIALS else self.products


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A MATCH found its artifact at `counterpart`, with another digest."""

    path: str
    counterpart: str
    actual: DigestSet
    expected: DigestSet


@dataclass(frozen=True, slots=True)
class Application:
    """What one rule did. `offending` makes it fail: artifacts left for a DISALLOW, or the one a REQUIRE did not find.

    `mismatches` holds what a MATCH found with another digest and no later rule consumed.
    """

    index: int
    rule: Rule
    consumed: tuple[str, ...] = ()
    offending: tuple[str, ...] = ()
    mismatches: tuple[Mismatch, ...] = ()


Compare = Callable[[DigestSet, DigestSet], bool]
Lookup = Callable[[str], Record | None]

_EMPTY: Final = Record({}, {})


def apply_rules(
    rules: Sequence[Rule],
    side: Side,
    record: Record,
    lookup: Lookup,
    *,
    strong: bool,
) -> tuple[Application, ...]:
    """What each of `rules` does to the artifacts on `side` of `record`, in order; all of them, also after a failure.

    `lookup` gives the record of the step or inspection that a MATCH names, None where there is none: then it consumes
    nothing. `strong` compares common strong digests; without it digest sets must be equal.
    """
    queue = _Queue(record.side(side))
    same: Compare = DigestSet.agrees if strong else DigestSet.__eq__
    other: Compare = DigestSet.differs if strong else DigestSet.__ne__
    applications: list[Application] = []
    for index, rule in enumerate(rules):
        pattern = Pattern(rule.pattern)
        if rule.kind is RuleKind.MATCH:
            consumed, mismatches = _match(rule, pattern, queue, lookup, same)
            applications.append(Application(index, rule, queue.consume(consumed), mismatches=mismatches))
        elif rule.kind is RuleKind.REQUIRE:
            # A literal name, and it must still be in the queue: REQUIRE stands before what consumes.
            found = queue.holds(rule.pattern)
            applications.append(Application(index, rule, offending=() if found else (rule.pattern,)))
        elif rule.kind is RuleKind.DISALLOW:
            left = queue.select(pattern)
            applications.append(Application(index, rule, offending=tuple(left)))
            queue.condemn(left)
        else:
            chosen = _choose(rule.kind, queue.select(pattern), record, other)
            applications.append(Application(index, rule, queue.consume(chosen)))
    return tuple(_settle(application, queue) for application in applications)


class _Queue:
    """The artifacts not yet consumed. Condemned ones (left for a failed DISALLOW) are out, but not consumed."""

    __slots__ = ("_artifacts", "_consumed", "_left", "_paths")

    def __init__(self, artifacts: Artifacts) -> None:
        self._artifacts = artifacts
        self._paths = sorted(artifacts)
        self._left = set(self._paths)
        self._consumed: set[str] = set()

    def holds(self, path: str) -> bool:
        return path in self._left

    def select(self, pattern: Pattern) -> list[str]:
        return [path for path in pattern.select(self._paths) if path in self._left]

    def digests(self, path: str) -> DigestSet:
        return self._artifacts[path]

    def consume(self, paths: Sequence[str]) -> tuple[str, ...]:
        self._left.difference_update(paths)
        self._consumed.update(paths)
        return tuple(paths)

    def condemn(self, paths: Sequence[str]) -> None:
        self._left.difference_update(paths)

    def consumed(self, path: str) -> bool:
        return path in self._consumed


def _choose(kind: RuleKind, paths: Sequence[str], record: Record, other: Compare) -> list[str]:
    materials, products = record.materials, record.products
    if kind is RuleKind.CREATE:
        return [path for path in paths if path in products and path not in materials]
    if kind is RuleKind.DELETE:
        return [path for path in paths if path in materials and path not in products]
    if kind is RuleKind.MODIFY:
        return [
            path for path in paths if path in materials and path in products and other(materials[path], products[path])
        ]
    if kind is RuleKind.ALLOW:
        return list(paths)
    raise ValueError(f"{kind.value} consumes nothing by itself")


def _match(
    rule: Rule, pattern: Pattern, queue: _Queue, lookup: Lookup, same: Compare
) -> tuple[list[str], tuple[Mismatch, ...]]:
    if rule.step is None or rule.dest_type is None:
        raise ValueError("a MATCH names a step and one of its lists")
    counterparts = (lookup(rule.step) or _EMPTY).side(rule.dest_type)
    consumed: list[str] = []
    mismatches: list[Mismatch] = []
    for path, counterpart in match_paths(rule, pattern, queue.select):
        expected = counterparts.get(counterpart)
        if expected is None:
            continue
        actual = queue.digests(path)
        if same(actual, expected):
            consumed.append(path)
        else:
            mismatches.append(Mismatch(path, counterpart, actual, expected))
    return consumed, tuple(mismatches)


def match_paths(rule: Rule, pattern: Pattern, select: Callable[[Pattern], Sequence[str]]) -> list[tuple[str, str]]:
    """The paths among `select` that a MATCH looks at, each with the path of its counterpart.

    Prefixes are literal folders: the pattern is matched against what follows the source prefix.
    """
    source, dest = _folder(rule.source_prefix), _folder(rule.dest_prefix)
    if not source:
        return [(path, dest + path) for path in select(pattern)]
    below = select(Pattern(_quote(source) + "*"))
    found = []
    for path in below:
        rest = path[len(source) :]
        if pattern.matches(rest):
            found.append((path, dest + rest))
    return found


def _folder(prefix: str | None) -> str:
    if not prefix:
        return ""
    prefix = prefix.replace("\\", "/")
    return prefix if prefix.endswith("/") else prefix + "/"


def _quote(literal: str) -> str:
    return "".join(f"[{character}]" if character in "*?[" else character for character in literal)


def _settle(application: Application, queue: _Queue) -> Application:
    """`application` without the mismatches that a later rule consumed after all."""
    if not application.mismatches:
        return application
    left = tuple(mismatch for mismatch in application.mismatches if not queue.consumed(mismatch.path))
    return Application(application.index, application.rule, application.consumed, application.offending, left)


def ends_closed(rules: Sequence[Rule]) -> bool:
    """Whether nothing can be left over: the last rule disallows all that remains."""
    return bool(rules) and rules[-1].kind is RuleKind.DISALLOW and set(rules[-1].pattern) == {"*"}


def sources(rules: Sequence[Rule]) -> frozenset[str]:
    """The names of the steps that `rules` MATCH against."""
    return frozenset(rule.step for rule in rules if rule.step is not None)
