"""A tally of a verdict: how many checks came out how, and which of those that passed should be known all the same."""

from __future__ import annotations

from navicert.verdict import Check, Outcome, Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    _Above = tuple[Check, "_Above"] | None
    """A group, and the same of the group that it stands in."""

NEAR_MISS: Final = "evidence.near-miss"
"""The id of notes that say: evidence was there, and this is why it did not count."""


def counts(verdict: Verdict) -> dict[Outcome, int]:
    """How many leaves came out how, in the order of `Outcome`. An empty group counts as the failure that it is;
    what did not pass in a group that passed without it does not count."""
    tally = dict.fromkeys(Outcome, 0)
    waiting = [(verdict.root, False)]
    while waiting:
        check, spared = waiting.pop()
        outcome = check.outcome
        counted = check.counted if check.leaf is None else ()
        if counted:
            spared = spared or outcome.passes
            waiting += [(child, spared) for child in counted]
        elif not check.is_note and (outcome.passes or not spared):
            tally[outcome] += 1
    return tally


def warnings(verdict: Verdict) -> tuple[tuple[str, Check], ...]:
    """The leaves that passed with a warning, with their paths, in order."""
    found: list[tuple[str, Check]] = []
    # Each with the groups that it stands in, innermost first, as nested pairs: paths are made for few.
    waiting: list[tuple[Check, _Above]] = [(verdict.root, None)]
    while waiting:
        check, above = waiting.pop()
        if check.leaf is None:
            within = (check, above)
            waiting += [(child, within) for child in reversed(check.children)]
        elif check.leaf is Outcome.WARN:
            names = [check.name]
            while above is not None:
                names.append(above[0].name)
                above = above[1]
            found.append(("/".join(reversed(names)), check))
    return tuple(found)
