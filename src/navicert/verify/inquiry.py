"""What is asked of attestations that are judged by themselves, and the documents that it is asked of, as values."""

from __future__ import annotations

from navicert.crypto.key import Key
from navicert.dataclass import dataclass, field
from navicert.digest import Digest, DigestSet, sha256
from navicert.envelope.body import Body
from navicert.envelope.document import Verified
from navicert.errors import Malformed
from navicert.model.predicate import kind_named, types
from navicert.strictjson import canonical
from navicert.verdict import Check
from navicert.verify.case import Revocations, Target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Final

    from navicert.model.identity import Identity, IdentityPolicy

ROOT: Final = "verdict"
"""The id of the root check of every verdict on attestations."""


@dataclass(frozen=True, slots=True)
class Specimen:
    """One document, and what became of its signature. `verified` is None where nobody who was asked for signed it.

    `problem` says why there is no document at all; `signatures` are the key ids that it names, for people, and
    `unsigned` says that it is a document without any place for a signature.

    Of a Sigstore bundle `proof` is what became of its proofs. It may be the signature of a file (`over_file`), in which
    no document is; then `key` or `identity` says who made it, where all was proved.
    """

    origin: str
    digest: Digest
    verified: Verified[Body] | None = None
    problem: str = ""
    signatures: tuple[str, ...] = ()
    unsigned: bool = False
    proof: Check | None = None
    over_file: bool = False
    key: Key | None = None
    identity: Identity | None = None

    @property
    def signers(self) -> tuple[Key, ...]:
        """The keys that certainly signed it."""
        if self.verified is not None:
            return self.verified.signers
        return () if self.key is None else (self.key,)

    @property
    def identities(self) -> tuple[Identity, ...]:
        """The identities that certainly signed it."""
        if self.verified is not None:
            return self.verified.identities
        return () if self.identity is None else (self.identity,)


@dataclass(frozen=True, slots=True)
class Artifact:
    """What attestations are to be about: a thing with digests of its own, or a target of several parts."""

    name: str
    digests: DigestSet = DigestSet()
    target: Target | None = None


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What is asked. `need` is how many of `keys` must have signed, None for all; with an `identity` it must have, and
    no key counts. `root` is the digest of the trust root that identities are proved by. `type` is a type URI or the
    short name of a kind, empty for any type that is known; `artifact` is None where nothing is to be bound."""

    keys: tuple[Key, ...]
    at: datetime
    artifact: Artifact | None = None
    type: str = ""
    need: int | None = None
    revoked: Revocations = field(default_factory=Revocations)
    identity: IdentityPolicy | None = None
    root: Digest | None = None

    @property
    def digest(self) -> Digest:
        """The SHA-256 of all that is asked, the moment left out: the same inquiry judges the same way."""
        artifact = self.artifact
        about: object = None
        if artifact is not None and artifact.target is not None:
            parts = [*artifact.target.parts, *([artifact.target.whole] if artifact.target.whole else [])]
            about = [artifact.target.kind, [[part.path, sorted(part.digests)] for part in parts]]
        elif artifact is not None:
            about = artifact.digests.to_json()
        revoked = [sorted(self.revoked.digests), sorted(self.revoked.keys), sorted(self.revoked.identities)]
        keys = sorted([key.fingerprint, key.scheme] for key in self.keys)
        asked: dict[str, object] = {"keys": keys, "need": self.need, "type": self.type, "about": about}
        asked |= {"revoked": revoked, "root": None if self.root is None else str(self.root)}
        asked["identity"] = None if self.identity is None else self.identity.to_json()
        return sha256(canonical(asked))


def wanted_type(text: str) -> str:
    """What `--type` means: the short name of a kind, or a type URI. Raises `Malformed` for what could be neither."""
    if kind_named(text) is None and ":" not in text and "/" not in text:
        raise Malformed("no such predicate type", expected=f"{', '.join(types())}, or a type URI", got=text[:80])
    return text
