"""The artifact rules of one item, applied to one of its two lists.

Spec: in-toto v1.0 §4.3.3 and §5.3 (verifying artifact rules): all artifacts start in a queue; each rule in turn
consumes some; DISALLOW and REQUIRE look at what is left; after the last rule whatever remains is allowed.
"""

from __future__ import annotations

from itertools import filterfalse

from navicert.dataclass import dataclass
from navicert.digest import DigestSet
from navicert.interface import Callable, Mapping, Sequence
from navicert.model.artifact import Artifacts, Entry, full
from navicert.model.rule import Rule, RuleKind, Side
from navicert.verify.pattern import Pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


@dataclass(frozen=True, slots=True, init=False)
class Record:
    """The two lists of one link (or of what an inspection found)."""

    materials: Artifacts
    products: Artifacts

    def __init__(self, materials: Mapping[str, DigestSet], products: Mapping[str, DigestSet]) -> None:
        object.__setattr__(self, "materials", Artifacts.of(materials))
        object.__setattr__(self, "products", Artifacts.of(products))

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


Lookup = Callable[[str], Record | None]

_EMPTY: Final = Record({}, {})

# Asked for each rule of each step, where an attribute of a class costs more than a name.
_MATCH: Final = RuleKind.MATCH
_REQUIRE: Final = RuleKind.REQUIRE
_DISALLOW: Final = RuleKind.DISALLOW
_ALLOW: Final = RuleKind.ALLOW
_CREATE: Final = RuleKind.CREATE
_MODIFY: Final = RuleKind.MODIFY
_DELETE: Final = RuleKind.DELETE


def apply_rules(
    rules: Sequence[Rule],
    side: Side,
    record: Record,
    lookup: Lookup,
    *,
    strong: bool,
    patterns: dict[str, Pattern] | None = None,
) -> tuple[Application, ...]:
    """What each of `rules` does to the artifacts on `side` of `record`, in order; all of them, also after a failure.

    `lookup` gives the record of the step or inspection that a MATCH names, None where there is none: then it consumes
    nothing. `strong` compares common strong digests; without it digest sets must be equal. `patterns` are those that
    were read before, by their text: most steps of a chain have the same.
    """
    queue = _Queue(record.side(side))
    same = _same if strong else _equal
    patterns = {} if patterns is None else patterns
    applications: list[Application] = []
    missed = False
    for index, rule in enumerate(rules):
        kind, text = rule.kind, rule.pattern
        pattern = patterns.get(text)
        if pattern is None:
            pattern = patterns[text] = Pattern(text)
        if kind is _MATCH:
            consumed, mismatches = _match(rule, pattern, queue, lookup, same)
            missed = missed or mismatches != ()
            applications.append(Application(index, rule, queue.consume(consumed), (), mismatches))
        elif kind is _REQUIRE:
            # A literal name, and it must still be in the queue: REQUIRE stands before what consumes.
            applications.append(Application(index, rule, (), () if queue.holds(text) else (text,)))
        elif kind is _DISALLOW:
            left = queue.select(pattern)
            applications.append(Application(index, rule, (), tuple(left)))
            if left:
                queue.condemn(left)
        else:
            chosen = _choose(kind, queue.select(pattern), record, strong=strong)
            applications.append(Application(index, rule, queue.consume(chosen)))
    return tuple([_settle(application, queue) for application in applications] if missed else applications)


_FEW: Final = 4
"""What is left is tried one by one where so many times as much has been consumed; else what matches is looked up."""


class _Queue:
    """The artifacts not yet consumed. Condemned ones (left for a failed DISALLOW) are out, but not consumed."""

    __slots__ = ("_condemned", "_gone", "_left", "artifacts")

    def __init__(self, artifacts: Artifacts) -> None:
        self.artifacts = artifacts
        self._gone: set[str] = set()
        # None as long as most are left: then those that are gone tell which. Most lists are consumed by a few rules.
        self._left: set[str] | None = None
        self._condemned: set[str] = set()

    def holds(self, path: str) -> bool:
        return path in self.artifacts.entries and path not in self._gone if self._left is None else path in self._left

    def select(self, pattern: Pattern) -> Sequence[str]:
        left, gone = self._left, self._gone
        if left is None:
            found = pattern.select(self.artifacts)
            return list(filterfalse(gone.__contains__, found)) if gone else found
        if not left:
            return ()
        if len(left) * _FEW < len(self.artifacts):
            return sorted(path for path in left if pattern.matches(path))
        return [path for path in pattern.select(self.artifacts) if path in left]

    def consume(self, paths: Sequence[str]) -> tuple[str, ...]:
        """Take out `paths`, of which each is held."""
        if not paths:
            return ()
        if self._left is not None:
            self._left.difference_update(paths)
        elif len(self._gone) + len(paths) == len(self.artifacts):
            self._left = set()
        elif (len(self._gone) + len(paths)) * 2 > len(self.artifacts):
            self._left = set(self.artifacts.entries).difference(self._gone, paths)
        else:
            self._gone.update(paths)
        return tuple(paths)

    def condemn(self, paths: Sequence[str]) -> None:
        self.consume(paths)
        self._condemned.update(paths)

    def consumed(self, path: str) -> bool:
        return not self.holds(path) and path not in self._condemned


def _same(actual: Entry, expected: Entry) -> bool:
    """Whether both certainly name the same content."""
    return full(actual).agrees(full(expected))


def _equal(actual: Entry, expected: Entry) -> bool:
    """Whether both sets of digests are the same, letter for letter: the classic rule."""
    return actual == expected


def _differ(one: Entry, other: Entry) -> bool:
    """Whether two that are not equal name different content: digests that are written otherwise need not."""
    return (type(one) is str and type(other) is str) or full(one).differs(full(other))


def _choose(kind: RuleKind, paths: Sequence[str], record: Record, *, strong: bool) -> Sequence[str]:
    if kind is _ALLOW:
        return paths
    materials, products = record.materials.entries, record.products.entries
    if kind is _CREATE:
        return [path for path in paths if path in products and path not in materials]
    if kind is _DELETE:
        return [path for path in paths if path in materials and path not in products]
    if kind is _MODIFY:
        both = [path for path in paths if path in materials and path in products]
        other = [path for path in both if materials[path] != products[path]]
        return [path for path in other if _differ(materials[path], products[path])] if strong else other
    raise ValueError(f"{kind.value} consumes nothing by itself")


def _match(
    rule: Rule, pattern: Pattern, queue: _Queue, lookup: Lookup, same: Callable[[Entry, Entry], bool]
) -> tuple[Sequence[str], tuple[Mismatch, ...]]:
    if rule.step is None or rule.dest_type is None:
        raise ValueError("a MATCH names a step and one of its lists")
    own, others = queue.artifacts, (lookup(rule.step) or _EMPTY).side(rule.dest_type)
    paths, counterparts = match_paths(rule, pattern, queue.select)
    if own.plain and own is others and counterparts is paths:
        return paths, ()  # the very same list: mostly a step goes on with just what the one before it made
    theirs = others.entries
    actual: list[Entry] = list(map(own.entries.__getitem__, paths))
    expected: list[Entry | None] = list(map(theirs.get, counterparts))
    if own.plain and actual == expected:
        return paths, ()
    consumed: list[str] = []
    mismatches: list[Mismatch] = []
    for path, counterpart, mine, other in zip(paths, counterparts, actual, expected, strict=True):
        if other is None:
            continue
        # Of two lone SHA-256 digests equality decides; everything else is compared with care.
        if (mine == other and type(mine) is str) or same(mine, other):
            consumed.append(path)
        else:
            mismatches.append(Mismatch(path, counterpart, full(mine), full(other)))
    return consumed, tuple(mismatches)


def match_paths(
    rule: Rule, pattern: Pattern, select: Callable[[Pattern], Sequence[str]]
) -> tuple[Sequence[str], Sequence[str]]:
    """The paths among `select` that a MATCH looks at, and the paths of their counterparts.

    Prefixes are literal folders: the pattern is matched against what follows the source prefix.
    """
    if rule.source_prefix is None and rule.dest_prefix is None:
        paths = select(pattern)
        return paths, paths
    source, dest = _folder(rule.source_prefix), _folder(rule.dest_prefix)
    if not source:
        paths = select(pattern)
        return paths, [dest + path for path in paths] if dest else paths
    below = select(Pattern(_quote(source) + "*"))
    paths = [path for path in below if pattern.matches(path[len(source) :])]
    return paths, [dest + path[len(source) :] for path in paths]


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
