"""Accounts of a build: every provenance, and every link of a build step, that has the artifact as its product.

Each is beside what the builder table says of its signer and what is expected of it. Those that do not count are near
misses, each with its reason.
"""

from __future__ import annotations

from navicert.crypto.key import Key
from navicert.dataclass import dataclass, field
from navicert.limits import LOCAL, Limits
from navicert.model.identity import Identity, IdentityPolicy
from navicert.model.predicate.provenance import Provenance
from navicert.slsa.attestation import Artifact, Attestation, Pool, Read
from navicert.slsa.builders import BuilderTable, Standing, Trust
from navicert.slsa.chain import Chain
from navicert.slsa.expectation import Expectation, Expectations
from navicert.slsa.levels import BUILDER, CLAIMED
from navicert.slsa.provenance import contradictions, unexpected, unsaid
from navicert.slsa.recorded import Recorded
from navicert.slsa.source import Source, repository, source_of
from navicert.verify.case import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Inquiry:
    """All that one judgement rests on. `names` are those under which the artifact may stand in the expectations,
    `resources` the URIs that a summary of it may be about, `require` track → the level that must be reached."""

    artifact: Artifact
    at: datetime
    pool: Pool = Pool()
    expectations: Expectations = Expectations()
    table: BuilderTable = BuilderTable()
    names: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    chain: Chain | None = None
    require: Mapping[str, int] = field(default_factory=dict)
    limits: Limits = LOCAL
    identities: tuple[IdentityPolicy, ...] = ()
    """Identities whose word counts although no table names them, as that of a key that was given."""

    @property
    def expected(self) -> Expectation | None:
        """What is expected of the artifact; None where nothing is."""
        return self.expectations.of(self.names)

    @property
    def about(self) -> frozenset[str]:
        """The URIs that a summary of the artifact may be about."""
        own = () if self.expected is None else (self.expected.resource,)
        return frozenset(uri for uri in (*self.resources, *own) if uri)


@dataclass(frozen=True, slots=True)
class Account:
    """One account of the build: `read` is provenance, `link` one link of the build step; one of both is there.

    `problems` are what is not as expected.
    """

    standing: Standing
    read: Read | None = None
    link: Recorded | None = None
    source: Source = Source()
    problems: tuple[str, ...] = ()

    @property
    def provenance(self) -> Provenance | None:
        """The provenance; None of a link."""
        return None if self.read is None else self.read.provenance

    @property
    def attestation(self) -> Attestation | None:
        """What carries the provenance; None of a link."""
        return None if self.read is None else self.read.attestation

    @property
    def origin(self) -> str:
        """Where it is from."""
        if self.link is not None:
            return self.link.origin
        return "" if self.read is None else self.read.attestation.origin

    @property
    def digest(self) -> str:
        """The digest of its file, as evidence is named by."""
        if self.link is not None:
            return self.link.digest
        return "" if self.read is None else str(self.read.attestation.digest)

    @property
    def signed(self) -> bool:
        """Whether its signature was checked."""
        return self.link is not None or (self.read is not None and self.read.attestation.signed)

    @property
    def identity(self) -> Identity | None:
        """The identity that vouches for the builder, where it is one."""
        return self.standing.signer if isinstance(self.standing.signer, Identity) else None

    @property
    def word(self) -> str:
        """The class of what it says of itself."""
        return BUILDER if self.standing.trust is Trust.TRUSTED else CLAIMED


def accounts_of(inquiry: Inquiry) -> tuple[tuple[Account, ...], tuple[Refusal, ...]]:
    """The accounts of the artifact's build, and what was looked at and is none."""
    found: list[Account] = []
    misses: list[Refusal] = []
    for read in inquiry.pool.provenances:
        account = _of_provenance(inquiry, read)
        if isinstance(account, Refusal):
            misses.append(account)
        else:
            found.append(account)
    found += _of_links(inquiry)
    return tuple(found), tuple(misses)


def _of_provenance(inquiry: Inquiry, read: Read) -> Account | Refusal:
    one, provenance = read.attestation, read.provenance
    if provenance is None:
        return Refusal(one.origin, "is no provenance")
    missing = inquiry.artifact.uncovered(one.statement)
    if missing:
        return Refusal(one.origin, f"is provenance of something else: its subjects lack {', '.join(missing[:3])}")
    if not one.signed and not one.claimed:
        return Refusal(one.origin, "is not signed, and nothing that is signed pins it")
    standing = inquiry.table.judge(one, provenance.builder_id, provenance.build_type, inquiry.at)
    if standing.trust is Trust.IMPOSTOR:
        return Refusal(one.origin, standing.reason)
    expected = inquiry.expected
    signer = standing.signer
    if isinstance(signer, Identity):
        conflict = next(contradictions(provenance, signer), "")
        if conflict:
            return Refusal(one.origin, f"contradicts its own certificate: {conflict}")
        if standing.for_everybody and unsaid(signer):
            standing = Standing(Trust.UNKNOWN, unsaid(signer))
    if standing.for_everybody and (expected is None or not (expected.builders or expected.sources)):
        # Whoever may use this builder can have it say so of any artifact.
        reason = f"anybody can build with {provenance.builder_id}, and nobody said which source or builder is expected"
        standing = Standing(Trust.UNKNOWN, reason)
    if standing.trust is Trust.UNKNOWN and one.signed and not _is_named(inquiry, one):
        return Refusal(one.origin, f"is signed by {one.signers}, whom nobody named: {standing.reason}")
    problems = () if expected is None else tuple(unexpected(provenance, expected))
    return Account(standing, read, None, source_of(provenance), problems)


def _is_named(inquiry: Inquiry, one: Attestation) -> bool:
    """Whether a key signed it, which was given then, or an identity that somebody named."""
    return bool(one.keys) or any(policy.accepts(who) for policy in inquiry.identities for who in one.identities)


def _of_links(inquiry: Inquiry) -> Iterator[Account]:
    chain, expected = inquiry.chain, inquiry.expected
    if chain is None:
        return
    for link in chain.builds(inquiry.artifact.target):
        builder, signer = inquiry.table.service(link.keys, inquiry.at, link.identities)
        if builder is None:
            standing = Standing(Trust.UNKNOWN, f"no builder table names the key that signed {link.origin}")
        else:
            what = "key" if isinstance(signer, Key) else "identity"
            reason = f"{builder.name} ({builder.origin}): its {what} signed the step"
            standing = Standing(Trust.TRUSTED, reason, builder, signer)
        problems: tuple[str, ...] = ()
        if expected is not None and expected.builders:
            allowed = builder is not None and any(builder.id.accepts(id) for id in expected.builders)
            if not allowed:
                problems = (f"step {link.claim.name} was not signed by {' or '.join(expected.builders)}",)
        uris = () if expected is None else expected.sources
        source = Source(repository(uris[0])[0] if len(uris) == 1 else "", "", chain.commits(link))
        yield Account(standing, None, link, source, problems)
