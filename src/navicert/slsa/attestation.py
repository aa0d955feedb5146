"""One statement with whoever signed it: what SLSA's levels are judged from.

A statement without a signature is here only as a claim, with the reason why it is looked at all the same.
"""

from __future__ import annotations

from navicert.crypto.key import Key
from navicert.dataclass import dataclass
from navicert.digest import Digest, DigestSet, sha256
from navicert.envelope.body import Body
from navicert.envelope.document import Verified
from navicert.errors import Malformed
from navicert.model.identity import Identity
from navicert.model.predicate.provenance import PROVENANCE_TYPES, Provenance
from navicert.model.predicate.vsa import VSA_TYPES, VerificationSummary
from navicert.model.statement import Statement
from navicert.verify.case import Refusal, Revocations, Target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable


@dataclass(frozen=True, slots=True)
class Attestation:
    """A statement whose signature was checked, in `document`; or one that nobody signed, and then `claimed` says what
    makes it worth looking at."""

    statement: Statement
    origin: str
    digest: Digest
    document: Verified[Body] | None = None
    claimed: str = ""

    @staticmethod
    def of(document: Verified[Body]) -> Attestation | None:
        """The statement that somebody signed; None where the document is something else."""
        if not isinstance(document.body, Statement):
            return None
        return Attestation(document.body, document.origin, document.digest, document)

    @staticmethod
    def unsigned(raw: bytes, statement: Statement, origin: str, why: str) -> Attestation:
        """A statement that nobody signed, which `why` makes worth looking at."""
        return Attestation(statement, origin, sha256(raw), claimed=why)

    @property
    def signed(self) -> bool:
        """Whether anybody signed it."""
        return self.document is not None

    @property
    def keys(self) -> tuple[Key, ...]:
        """The keys that signed it."""
        return () if self.document is None else self.document.signers

    @property
    def identities(self) -> tuple[Identity, ...]:
        """The identities that signed it by certificates."""
        return () if self.document is None else self.document.identities

    @property
    def signers(self) -> str:
        """Everybody who signed it, for people."""
        return ", ".join([*(key.short for key in self.keys), *map(str, self.identities)]) or "nobody"

    def denied(self, revoked: Revocations) -> str:
        """Why it is revoked, or nothing."""
        by_digest = None if self.document is None else revoked.denies_document(self.document)
        if by_digest is not None or str(self.digest) in revoked.digests:
            return f"is revoked by its digest {by_digest or self.digest}"
        key = next((key for key in self.keys if revoked.denies_key(key)), None)
        if key is not None:
            return f"is signed with a revoked key, {key.short}"
        identity = next((one for one in self.identities if revoked.denies_identity(one)), None)
        return "" if identity is None else f"is signed by {identity}, who is revoked"


@dataclass(frozen=True, slots=True)
class Artifact:
    """What is judged: the target, and of a file all its digests, so that a second algorithm may decide as well.

    Something may be named by a digest alone, in `digests`. `opaque` says that this is an id of another kind, which
    decides because the caller has said so.
    """

    target: Target
    digests: DigestSet = DigestSet()
    opaque: bool = False

    @property
    def name(self) -> str:
        """What it is called."""
        return self.target.name

    @property
    def commit(self) -> str:
        """The git commit that the artifact is; empty where it is something else."""
        return dict(self.digests).get("gitCommit", "").lower()

    def uncovered(self, statement: Statement) -> tuple[str, ...]:
        """What of the artifact is not among the subjects; nothing where all of it is. Subjects match by digest only.

        Spec: in-toto attestation framework, statement.md (subject).
        """
        subjects = statement.subjects
        if self.digests:
            # Every algorithm that both have must agree, not just any.
            found = any(one.digests.agrees(self.digests) for one in subjects)
            found = found or (self.opaque and any(set(self.digests) <= set(one.digests) for one in subjects))
            return () if found else (self.name,)
        held = {digest.hex for one in subjects for digest in one.digests.strong if digest.algorithm == "sha256"}
        whole = self.target.whole
        if whole is not None and not whole.digests.isdisjoint(held):
            return ()
        if not self.target.parts:
            return (self.name,)
        return tuple(part.label for part in self.target.parts if part.digests.isdisjoint(held))


@dataclass(frozen=True, slots=True)
class Read:
    """An attestation with its predicate read."""

    attestation: Attestation
    provenance: Provenance | None = None
    summary: VerificationSummary | None = None


@dataclass(frozen=True, slots=True)
class Pool:
    """Every attestation there is to judge from, by what it says, and near misses."""

    provenances: tuple[Read, ...] = ()
    summaries: tuple[Read, ...] = ()
    others: tuple[Attestation, ...] = ()
    refused: tuple[Refusal, ...] = ()

    @staticmethod
    def of(
        attestations: Iterable[Attestation], refused: Collection[Refusal] = (), revoked: Revocations | None = None
    ) -> Pool:
        """`attestations` read and sorted, each once whatever envelope it came in; those that cannot be read or are
        revoked are near misses."""
        provenances, summaries, others, misses = [], [], [], list(refused)
        seen: set[object] = set()
        for one in sorted(attestations, key=lambda one: (str(one.digest), one.origin)):
            document = one.document
            who = frozenset([*one.keys, *one.identities])
            content = one.digest if document is None else (document.content, who)
            if content in seen:
                continue
            seen.add(content)
            denied = "" if revoked is None else one.denied(revoked)
            if denied:
                misses.append(Refusal(one.origin, denied))
                continue
            kind, predicate = one.statement.predicate_type, one.statement.predicate
            try:
                if kind in PROVENANCE_TYPES:
                    provenances.append(Read(one, provenance=Provenance.from_json(predicate, "/predicate", kind)))
                elif kind in VSA_TYPES:
                    summaries.append(Read(one, summary=VerificationSummary.from_json(predicate, "/predicate", kind)))
                else:
                    others.append(one)
            except Malformed as error:
                misses.append(Refusal(one.origin, f"is no {kind}: {error}"))
        return Pool(tuple(provenances), tuple(summaries), tuple(others), tuple(misses))


def pinned_by(index: Digest, attestations: Iterable[Attestation]) -> str:
    """Who signed something about the image index with this digest, and by that pins all that is in it; empty where
    nobody did."""
    for one in attestations:
        if one.signed and any(index in subject.digests.strong for subject in one.statement.subjects):
            return f"{one.origin}, signed by {one.signers}"
    return ""
