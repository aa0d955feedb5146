"""What judging one layout goes by: case, layout and keys, where it stands, and what was worked out already."""

from __future__ import annotations

from navicert.dataclass import dataclass, field
from navicert.model.layout import Inspection, Layout, Step
from navicert.model.link import Link
from navicert.verdict import Check, Outcome, failed, warned
from navicert.verify.authority import Authority
from navicert.verify.case import Case, Exhibit
from navicert.verify.evidence import Claim
from navicert.verify.explain import Chapter
from navicert.verify.pattern import Pattern
from navicert.verify.rules import Application, Record
from navicert.verify.target import Products

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from navicert.model.rule import Rule
    from navicert.verify.cel import Expression


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the whole a layout stands: the path of its check, the sublayout folders that belong to it, and the
    digests of the layouts above it, its own last."""

    path: str
    folders: tuple[frozenset[str], ...] = ()
    lineage: tuple[str, ...] = ()


@dataclass(slots=True)
class Memo:
    """What one verification worked out already, so that resuming it after the inspections judges nothing twice."""

    claims: dict[str, Claim | str | None] = field(default_factory=dict)
    applications: dict[tuple[object, ...], tuple[tuple[Application, ...], tuple[Record, ...]]] = field(
        default_factory=dict
    )
    """What rules did, by the identity of the records that they were applied to; and these records, so that no other
    object takes over an identity."""
    leaves: dict[tuple[int, int, int], tuple[Rule, Check]] = field(default_factory=dict)
    """The checks of rules that hold, by the rule's identity, its place, and how many artifacts it consumed; and that
    rule, as above."""
    patterns: dict[str, Pattern] = field(default_factory=dict)
    """Patterns of rules that were read, by their text."""
    examined: dict[tuple[object, ...], tuple[Check, ...]] = field(default_factory=dict)
    """What was found out about single statements."""
    readings: dict[str, Expression] = field(default_factory=dict)
    """Expressions that were read."""
    pending: dict[str, Inspection] = field(default_factory=dict)
    sublayouts: int = 0
    shared: frozenset[str] = frozenset()
    """Origins that more than one document came under."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One layout to be judged, parameters filled in."""

    case: Case
    layout: Layout
    authority: Authority
    place: Place
    memo: Memo

    @property
    def strong(self) -> bool:
        """Whether artifacts are compared by their common strong digests."""
        return self.case.profile.compares_strong_digests

    @property
    def ties_runs(self) -> bool:
        """Whether links have to belong to one run, where they say to which."""
        terms = self.layout.terms
        return terms is not None and terms.run.value != "any"

    @property
    def demands_run(self) -> bool:
        """Whether every link has to say to which run it belongs."""
        terms = self.layout.terms
        return terms is not None and terms.run.value == "required"

    @property
    def is_root(self) -> bool:
        """Whether this is the policy itself, not a sublayout."""
        return len(self.place.lineage) == 1

    def path_of(self, item: Step | Inspection) -> str:
        """The path of the check of `item`."""
        return f"{self.place.path}/{'step' if isinstance(item, Step) else 'inspection'}[{item.name}]"

    def threshold_path(self, step: str) -> str:
        """The path of the check that `step` has enough evidence."""
        return f"{self.place.path}/step[{step}]/step.threshold[{step}]"

    def label(self, exhibit: Exhibit) -> str:
        """What the check of a sublayout is called: its origin; where different documents came under the same one, with
        the digest, because checks and inspections are told apart by their paths."""
        document = exhibit.document
        return f"{document.origin} {document.digest}" if document.origin in self.memo.shared else document.origin

    def loose(self, id: str, reason: str, subject: str = "", **more: object) -> Check:
        """A warning about rules that bind nothing; with `strict` a failure."""
        return failed(id, subject, reason, **more) if self.case.strict else warned(id, subject, reason, **more)


@dataclass(frozen=True, slots=True)
class Way:
    """One way in which a chain holds together: its summary link, and the checks of just this way."""

    summary: Link
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Prospect:
    """An inspection that has not passed, and the SHA-256 digests (hex) of what it might tie to the chain if it did."""

    inspection: Inspection
    outcome: Outcome
    digests: frozenset[str]


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What judging one layout gave: its checks; every way in which the chain holds together, the one of these checks
    first (none where it does not); the chosen chain; what its inspections tie to the chain; and what they still may."""

    checks: tuple[Check, ...]
    ways: tuple[Way, ...]
    chapters: tuple[Chapter, ...] = ()
    tied: tuple[Products, ...] = ()
    prospects: tuple[Prospect, ...] = ()


def may_pass(check: Check) -> bool:
    """Whether `check` passes, or only waits for an inspection."""
    return check.outcome.passes or check.outcome is Outcome.PENDING


def words(command: Sequence[str]) -> str:
    """A command for people."""
    return " ".join(command) if command else "(no command)"
