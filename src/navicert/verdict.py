"""The verdict: one immutable tree of checks, each with its outcome and its reason.

Text, JSON, exit codes and everything else that a person or program sees are projections of this tree. Outcomes
combine by Kleene's three-valued logic, so that absence and error never become success: a group without children, or
one that needs none of them, fails by construction.
"""

from __future__ import annotations

from types import MappingProxyType

from navicert.dataclass import dataclass, field, replace
from navicert.digest import Digest
from navicert.enumeration import Enum
from navicert.errors import VerificationFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from typing import Final, NoReturn


class Outcome(Enum):
    """What became of a check."""

    PASS = "pass"
    WARN = "warn"
    """Passed, with something that a person should know."""
    SKIP = "skip"
    """Not judged, because of the check named in `cause`. Never passes."""
    PENDING = "pending"
    """Judged once something outside has run (an inspection). Never passes."""
    FAIL = "fail"
    ERROR = "error"
    """Could not be judged: something broke. Never passes."""

    @property
    def passes(self) -> bool:
        """Whether this outcome counts as satisfied."""
        return self is _PASS or self is _WARN


# Asked for each check, where an attribute of a class costs more than a name.
_PASS: Final = Outcome.PASS
_WARN: Final = Outcome.WARN
_SKIP: Final = Outcome.SKIP

_NO_FACTS: Final[Mapping[str, object]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, init=False)
class Check:
    """One node: what was checked, on what, what came out, why, and by which sentence of the spec.

    `leaf` is set on leaves only, `need` on groups only (n: at least n children must pass); a node with neither is a
    note, which explains and is never counted. `facts` holds JSON values. `cause` is the path (`path` in `walk`) of
    the check that this one merely follows from.
    """

    id: str
    subject: str
    reason: str
    spec: str
    facts: Mapping[str, object]
    need: int | None
    leaf: Outcome | None
    children: tuple[Check, ...]
    cause: str | None
    outcome: Outcome = field(init=False, repr=False, compare=False)
    """The outcome of a leaf, or what the children of a group add up to. A note has none, and fails if asked."""

    # Written out, because a verdict is made of thousands.
    def __init__(
        self,
        id: str,
        subject: str,
        reason: str = "",
        spec: str = "",
        facts: Mapping[str, object] = _NO_FACTS,
        need: int | None = None,
        leaf: Outcome | None = None,
        children: tuple[Check, ...] = (),
        cause: str | None = None,
    ) -> None:
        if leaf is not None:
            if need is not None or children:
                raise ValueError("a leaf has no children")
            if leaf is _SKIP and not cause:
                raise ValueError("a skipped check names its cause")
        elif need is None and children:
            raise ValueError("a note has no children: what is not counted must not look as if it were")
        _put_id(self, id)
        _put_subject(self, subject)
        _put_reason(self, reason)
        _put_spec(self, spec)
        _put_facts(self, facts)
        _put_need(self, need)
        _put_leaf(self, leaf)
        _put_children(self, children)
        _put_cause(self, cause)
        _put_outcome(self, leaf if leaf is not None else _added_up(need, children))

    @property
    def is_note(self) -> bool:
        """Whether this node only explains."""
        return self.leaf is None and self.need is None

    @property
    def counted(self) -> tuple[Check, ...]:
        """The children that decide: all but notes."""
        return tuple([child for child in self.children if child.leaf is not None or child.need is not None])

    def walk(self, parent: str = "") -> Iterator[tuple[str, Check]]:
        """Every node with its path (`id[subject]/…` from the root), parents first, in the order judged."""
        path = f"{parent}/{self.name}" if parent else self.name
        yield path, self
        for child in self.children:
            yield from child.walk(path)

    @property
    def name(self) -> str:
        """How this node is called in a path."""
        return f"{self.id}[{self.subject}]" if self.subject else self.id

    def __bool__(self) -> NoReturn:
        raise TypeError("a check is not a truth value; ask for its outcome")


# What puts a value into its slot, past the refusal to change one: by name it would be looked for each time.
(_put_id, _put_subject, _put_reason, _put_spec, _put_facts, _put_need, _put_leaf, _put_children, _put_cause,
 _put_outcome) = [getattr(Check, name).__set__ for name in Check.__slots__]  # fmt: skip


def _added_up(need: int | None, children: tuple[Check, ...]) -> Outcome:
    """What `children` come to where `need` of them must pass."""
    if need is None or need < 1:
        return Outcome.FAIL
    outcomes = [child.outcome for child in children if child.leaf is not None or child.need is not None]
    passed = outcomes.count(_PASS)
    if passed == len(outcomes) >= need:
        return _PASS
    passed += outcomes.count(Outcome.WARN)
    if passed >= need:
        return Outcome.WARN if Outcome.WARN in outcomes else Outcome.PASS
    open_ends = [o for o in outcomes if o in (Outcome.ERROR, Outcome.PENDING, Outcome.SKIP)]
    if passed + len(open_ends) < need:
        return Outcome.FAIL
    # Enough children could still turn out well: undecided, by the gravest of them.
    return next(outcome for outcome in (Outcome.ERROR, Outcome.SKIP, Outcome.PENDING) if outcome in open_ends)


def passed(id: str, subject: str, reason: str = "", **more: object) -> Check:
    """A leaf that passed."""
    return Check(id, subject, reason, leaf=_PASS, **more)  # type: ignore[arg-type]


def warned(id: str, subject: str, reason: str, **more: object) -> Check:
    """A leaf that passed with a warning."""
    return Check(id, subject, reason, leaf=Outcome.WARN, **more)  # type: ignore[arg-type]


def failed(id: str, subject: str, reason: str, **more: object) -> Check:
    """A leaf that failed."""
    return Check(id, subject, reason, leaf=Outcome.FAIL, **more)  # type: ignore[arg-type]


def broke(id: str, subject: str, reason: str, **more: object) -> Check:
    """A leaf that could not be judged."""
    return Check(id, subject, reason, leaf=Outcome.ERROR, **more)  # type: ignore[arg-type]


def skipped(id: str, subject: str, reason: str, *, cause: str, **more: object) -> Check:
    """A leaf that was not judged because the check at path `cause` did not pass."""
    return Check(id, subject, reason, leaf=Outcome.SKIP, cause=cause, **more)  # type: ignore[arg-type]


def note(id: str, subject: str, reason: str, **more: object) -> Check:
    """A node that explains and is not counted."""
    return Check(id, subject, reason, **more)  # type: ignore[arg-type]


def all_of(id: str, subject: str, children: tuple[Check, ...], reason: str = "", **more: object) -> Check:
    """A group in which every counted child must pass; without one it fails."""
    need = len([1 for child in children if child.leaf is not None or child.need is not None])
    return Check(id, subject, reason, need=need, children=children, **more)  # type: ignore[arg-type]


def at_least(need: int, id: str, subject: str, children: tuple[Check, ...], reason: str = "", **more: object) -> Check:
    """A group in which `need` children must pass; fewer than one is never enough."""
    return Check(id, subject, reason, need=need, children=children, **more)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer: the tree, the moment it was judged for, and digests of all that it rests on."""

    root: Check
    at: datetime
    policy: Digest
    inputs: tuple[Digest, ...] = ()
    summary: object = None
    """The summary link (`navicert.model.link.Link`) where the chain passed. Spec: in-toto v1.0 §5.2 (12)."""

    def __bool__(self) -> NoReturn:
        raise TypeError("a verdict is not a truth value: use .passed, or .require() to raise")

    @property
    def outcome(self) -> Outcome:
        """The outcome of the whole."""
        return self.root.outcome

    @property
    def passed(self) -> bool:
        """Whether everything that had to pass did."""
        return self.root.outcome.passes

    @property
    def first_cause(self) -> Check | None:
        """The first check that did not pass and does not merely follow from another; None where all passed."""
        return next((check for _, check in self.causes()), None)

    def causes(self) -> Iterator[tuple[str, Check]]:
        """What decided against, with its path, in order; consequences left out. What merely waits for a result has
        decided nothing while something else has."""
        found = list(_causes(self.root, ""))
        yield from [item for item in found if item[1].outcome is not Outcome.PENDING] or found

    def require(self) -> Verdict:
        """This verdict, if it passed. Raises `VerificationFailed` otherwise."""
        if self.passed:
            return self
        cause = self.first_cause
        what = f"{cause.id}: {cause.reason}" if cause is not None else "verification did not pass"
        raise VerificationFailed(what, self)

    def with_summary(self, summary: object) -> Verdict:
        """This verdict with a summary link."""
        return replace(self, summary=summary)


def _causes(check: Check, parent: str) -> Iterator[tuple[str, Check]]:
    path = f"{parent}/{check.name}" if parent else check.name
    if check.is_note or check.outcome.passes or check.cause is not None:
        return
    counted = check.counted
    # A threshold group explains itself; in an all-group the failing children do.
    if check.leaf is not None or not counted or check.need != len(counted):
        yield path, check
        return
    for child in counted:
        yield from _causes(child, path)
