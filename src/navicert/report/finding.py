"""A finding: one cause of a verdict, with the near misses that belong to it and the number of checks that only follow.

What every report for people is made of: the first cause first, its consequences folded into a count.
"""

from __future__ import annotations

from navicert.dataclass import dataclass
from navicert.report.tally import NEAR_MISS
from navicert.verdict import Check, Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, slots=True)
class Finding:
    """A check that decided against, and what hangs on it."""

    path: str
    check: Check
    trail: tuple[Check, ...] = ()
    """The groups that it stands in, from the root down."""
    follows: int = 0
    """How many leaves were not judged, or failed, only because of this one."""
    near_misses: tuple[Check, ...] = ()
    notes: tuple[Check, ...] = ()


def findings(verdict: Verdict) -> tuple[Finding, ...]:
    """The causes of `verdict`, first one first; none where it passed."""
    causes = dict(verdict.causes())
    if not causes:
        return ()
    nodes = list(_nodes(verdict.root, "", ""))
    place = _Place(nodes, causes)
    follows: dict[str, int] = {}
    misses: dict[str, list[Check]] = {}
    notes: dict[str, list[Check]] = {}
    inherited: dict[str, str] = {}  # the cause that each group carries for all that is in it
    for path, check, parent in nodes:
        if check.is_note:
            kind = misses if check.id == NEAR_MISS else notes
            # What the root itself remarks is about the whole, and explains no single cause.
            owner = place.of_note(parent) if kind is misses or parent != verdict.root.name else None
            if owner is not None:
                kind.setdefault(owner, []).append(check)
            continue
        because = check.cause or inherited.get(parent)
        if because is None:
            continue
        inherited[path] = because
        if not check.counted and not check.outcome.passes:
            cause = place.of_cause(because)
            follows[cause] = follows.get(cause, 0) + 1
    return tuple(
        Finding(
            path,
            check,
            place.trail(path),
            follows.get(path, 0),
            tuple(misses.get(path, ())),
            tuple(notes.get(path, ())),
        )
        for path, check in causes.items()
    )


def first_cause(check: Check) -> Check:
    """The first check in a failing `check` that explains it: itself, where nothing below it does.

    A threshold over leaves explains itself; one over trees, such as several layouts, is explained by the first.
    """
    failing = [child for child in check.counted if not child.outcome.passes and child.cause is None]
    if not failing or (check.need != len(check.counted) and not failing[0].counted):
        return check
    return first_cause(failing[0])


def _nodes(check: Check, path: str, parent: str) -> Iterator[tuple[str, Check, str]]:
    """Every node with its path and its parent's, parents first."""
    path = f"{parent}/{check.name}" if parent else check.name
    yield path, check, parent
    for child in check.children:
        yield from _nodes(child, "", path)


class _Place:
    """Where in the tree the causes are, to find the one that a note or a consequence belongs to."""

    def __init__(self, nodes: list[tuple[str, Check, str]], causes: Mapping[str, Check]) -> None:
        self._causes = causes
        self._first = next(iter(causes))
        self._parents = {path: parent for path, _, parent in nodes}
        self._groups = {path: check for path, check, _ in nodes if check.children}
        self._because = {path: check.cause for path, check, _ in nodes if check.cause is not None}
        self._passing = {path for path, check, _ in nodes if check.counted and check.outcome.passes}
        self._below: dict[str, str] = {}  # each ancestor of a cause → the first cause in it
        for cause in causes:
            for ancestor in self._up(self._parents.get(cause, "")):
                self._below.setdefault(ancestor, cause)

    def _up(self, path: str) -> Iterator[str]:
        while path:
            yield path
            path = self._parents.get(path, "")

    def trail(self, path: str) -> tuple[Check, ...]:
        """The groups above the check at `path`, from the root down."""
        return tuple(self._groups[above] for above in self._up(self._parents.get(path, "")))[::-1]

    def of_note(self, parent: str) -> str | None:
        """The cause that a note under `parent` helps to explain; None where it stands in something that passed."""
        if any(path in self._passing for path in self._up(parent)):
            return None
        return self._owner(parent)

    def of_cause(self, path: str) -> str:
        """The cause at the end of the chain of causes that begins at `path`, which may name a group around it."""
        seen: set[str] = set()
        while path in self._because and path not in seen:
            seen.add(path)
            path = self._because[path]
        return self._owner(path)

    def _owner(self, path: str) -> str:
        """The cause that `path` stands under or around, or else shares the nearest group with."""
        for ancestor in self._up(path):
            if ancestor in self._causes:
                return ancestor
            if ancestor in self._below:
                return self._below[ancestor]
        return self._first
