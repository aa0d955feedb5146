"""What the requirements of SLSA v0.1 are judged on: one account of the build, and what all accounts have in common.

What accounts have in common is found out once, so that judging many takes a time that grows with their number.
"""

from __future__ import annotations

from navicert.crypto.key import Key
from navicert.dataclass import dataclass
from navicert.errors import Malformed
from navicert.model.predicate import read_predicate
from navicert.model.predicate.runtime_trace import RuntimeTracePredicate
from navicert.slsa.account import Account, Inquiry
from navicert.slsa.builders import Trust
from navicert.slsa.chain import Chain
from navicert.slsa.finding import Finding
from navicert.slsa.recorded import Recorded
from navicert.slsa.review import reviewers_of
from navicert.slsa.source import Source
from navicert.slsa.track import SourceLevel, source_level

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection


class Common:
    """What is the same for many accounts of one artifact, found out once."""

    def __init__(self, inquiry: Inquiry, accounts: Collection[Account]) -> None:
        self.inquiry = inquiry
        self.builders = independent_builders(accounts)
        """The trusted builders that made the artifact."""
        chain = inquiry.chain
        builds = () if chain is None else chain.builds(inquiry.artifact.target)
        self.link = builds[0] if builds else None
        """The link of the build that has the artifact as product."""
        self._network: tuple[str, str] | None = None
        self._reviews: dict[frozenset[str], tuple[frozenset[str], str]] = {}
        self._sources: dict[Source, SourceLevel] = {}

    def source(self, source: Source) -> SourceLevel:
        """The level of a source."""
        if source not in self._sources:
            self._sources[source] = source_level(self.inquiry, source)
        return self._sources[source]

    def reviewers(self, commits: frozenset[str]) -> tuple[frozenset[str], str]:
        """Who attested a review of these commits, and why others do not count."""
        if commits not in self._reviews:
            self._reviews[commits] = reviewers_of(self.inquiry, commits)
        return self._reviews[commits]

    def network(self) -> tuple[str, str]:
        """The monitor that saw no connection; else why none counts."""
        if self._network is None:
            self._network = _silent_network(self.inquiry)
        return self._network


@dataclass(frozen=True, slots=True)
class Setting:
    """What the rows look at: one account, and what it has in common with others."""

    account: Account
    common: Common

    @property
    def inquiry(self) -> Inquiry:
        """All that is judged."""
        return self.common.inquiry

    @property
    def source(self) -> SourceLevel:
        """The level of the source that the account was built from."""
        return self.common.source(self.account.source)

    @property
    def chain(self) -> Chain | None:
        """The chain, if its verdict passed."""
        chain = self.inquiry.chain
        return chain if chain is not None and chain.passed else None

    @property
    def link(self) -> Recorded | None:
        """The link of the build: the account itself, or beside a provenance the one that made the same artifact."""
        return self.common.link if self.account.link is None else self.account.link

    def found(self, problem: str, reason: str, kind: str) -> Finding:
        """A finding that is met where there is no problem."""
        return Finding(not problem, problem or reason, kind, (self.account.digest,))

    def believed(self, problem: str, reason: str) -> Finding:
        """One that rests on what the account says of itself."""
        return self.found(problem, reason, self.account.word)


def independent_builders(accounts: Collection[Account]) -> frozenset[str]:
    """The trusted builders that made the artifact, each with a signer of its own: one signer under two names, or one
    name under two signers, is one."""
    found: dict[str, str] = {}
    for account in accounts:
        standing, provenance = account.standing, account.provenance
        if standing.trust is not Trust.TRUSTED or standing.level < 2 or standing.builder is None:
            continue
        id = standing.builder.id.text if provenance is None else provenance.builder_id
        signer = standing.signer
        found.setdefault(signer.fingerprint if isinstance(signer, Key) else str(signer), id)
    return frozenset(found.values())


def _silent_network(inquiry: Inquiry) -> tuple[str, str]:
    """The monitor that watched the build's network and saw nothing; else why none counts."""
    why = ""
    for one in inquiry.pool.others:
        try:
            trace = read_predicate(one.statement.predicate_type, one.statement.predicate)
        except Malformed:
            continue  # what cannot be read proves nothing; others may
        if not isinstance(trace, RuntimeTracePredicate) or inquiry.artifact.uncovered(one.statement):
            continue
        if not any(rule.signed(one, inquiry.at) is not None for rule in inquiry.expectations.monitors):
            why = f"the trace {one.origin} is not signed by a monitor that is trusted"
        elif trace.network is None or "connect" not in str(dict(trace.trace_policy)):
            why = f"the trace {one.origin} did not watch connections"
        elif trace.network:
            why = f"the trace {one.origin} saw {len(trace.network)} connections"
        else:
            return trace.monitor, ""
    return "", why
