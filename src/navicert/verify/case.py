"""All that one judgement rests on, as values.

A `Case` holds the policy, the evidence that verified, what was refused and why, and the moment to judge for. Two equal
cases give equal verdicts.
"""

from __future__ import annotations

from navicert.crypto.key import Key
from navicert.dataclass import dataclass, field
from navicert.digest import Digest, DigestSet, sha256
from navicert.envelope.body import Body
from navicert.envelope.document import Sealed, Verified
from navicert.limits import LOCAL, Limits
from navicert.model.artifact import Artifacts
from navicert.model.field import as_keyid
from navicert.strictjson import canonical
from navicert.verify.profile import Profile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from navicert.crypto.certificate import Certificate
    from navicert.crypto.certification import CertificateAuthority
    from navicert.model.identity import Identity, IdentityPolicy
    from navicert.model.statement import Statement


@dataclass(frozen=True, slots=True)
class Policy:
    """A layout as received, and whether its owners signed it: `navicert.verify.ownership.Owners` opens it.

    `need` is how many of `owners` and `identities` must have signed; None means all. `verified` is None where none of
    them did. `root` is the digest of the trust root that identities were proved by; `problems` say why bundles that
    came with it prove nothing.
    """

    sealed: Sealed
    owners: tuple[Key, ...]
    verified: Verified[Body] | None
    need: int | None = None
    identities: tuple[IdentityPolicy, ...] = ()
    root: Digest | None = None
    problems: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.verified is not None and self.verified.sealed != self.sealed:
            raise ValueError("what was verified is not what was received")

    @staticmethod
    def open(
        raw: bytes,
        owners: Collection[Key],
        *,
        need: int | None = None,
        path: str = "",
        limits: Limits = LOCAL,
    ) -> Policy:
        """The policy that `raw` holds, its signatures by keys checked. Raises `Malformed` where it is no layout."""
        from navicert.verify.ownership import Owners

        return Owners.of(owners, need=need).open(raw, path=path, limits=limits)


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One piece of evidence whose signature was checked.

    `step` and `scope` say where it lay: the step of its file name, and the sublayout folders above it. They are
    unsigned hints: they narrow where evidence may count, and never widen it.
    """

    document: Verified[Body]
    step: str | None = None
    scope: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Claimed:
    """A statement that nobody signed, as it stands in the image index with the digest `index`, which files it under
    `manifest`. It is what that index says, and no more: whose word that is depends on who pins the index."""

    body: Statement
    digest: Digest
    """The SHA-256 of its bytes, as of any document; there is no envelope, so it is that of the content too."""
    origin: str
    index: Digest
    manifest: Digest

    @property
    def content(self) -> Digest:
        """The same as `digest`."""
        return self.digest


@dataclass(frozen=True, slots=True)
class Refusal:
    """Evidence that does not count, and why: a near miss. `step` is what its file name says; `claimed`, a step, and
    `predicate`, a type, are what it says of itself without proof."""

    origin: str
    reason: str
    step: str | None = None
    claimed: str | None = None
    predicate: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """One place that was asked for evidence, and what it answered, for people: `2 found`, `none`."""

    place: str
    answer: str


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that must be bound: a file, or one platform of an image.

    Any of `digests` (SHA-256, hex) among the products binds it; `texts` maps the SHA-256 of a text file that would
    hold an id of it to that id. `path` is set where the recorded path must end in it (files of a directory).
    """

    label: str
    digests: frozenset[str]
    texts: Mapping[str, str] = field(default_factory=dict)
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """What is about to be used. `whole` (if any) binds everything at once; otherwise each of `parts` must be bound.

    `kind` is "file", "directory" or "image".
    """

    name: str
    kind: str
    parts: tuple[Part, ...]
    whole: Part | None = None
    layers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Of an image: the diff-ids of its layers, lowest first, by platform."""


@dataclass(frozen=True, slots=True)
class InspectionResult:
    """What running one inspection gave. `problem` says why it could not be run, and then nothing else counts."""

    return_value: int | None
    materials: Mapping[str, DigestSet] = field(default_factory=dict)
    products: Mapping[str, DigestSet] = field(default_factory=dict)
    output: str = ""
    problem: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "materials", Artifacts.of(self.materials))
        object.__setattr__(self, "products", Artifacts.of(self.products))


@dataclass(frozen=True, slots=True)
class Revocations:
    """What is denied at once: digests of documents, artifacts and targets (`alg:hex`), keys (any id), identities
    (persons, and the names in certificates).

    A document is denied by the digest of its file, or by that of its content, which is the same in every envelope:
    whoever writes the file anew, or adds a signature, changes the first and not the second. Letter case does not
    count. Raises `Malformed` for what could deny nothing: no strong digest, a key id that is not hexadecimal.
    """

    digests: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()
    identities: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        object.__setattr__(self, "digests", frozenset(str(Digest.parse(text)) for text in self.digests))
        object.__setattr__(self, "keys", frozenset(as_keyid(text, "").lower() for text in self.keys))

    def denies_document(self, document: Verified[Body]) -> Digest | None:
        """The digest by which `document` is revoked; None where it is not."""
        if not self.digests:
            return None
        return next((d for d in (document.digest, document.content) if str(d) in self.digests), None)

    def denies_key(self, key: Key) -> bool:
        """Whether `key` is revoked under any of its ids."""
        return bool(self.keys) and not self.keys.isdisjoint({key.fingerprint, *(id.lower() for id in key.ids)})

    def denies_certificate(self, certificate: Certificate) -> bool:
        """Whether `certificate`, a holder's or an authority's, is revoked by its digest, or its key is."""
        if any(digest.startswith("sha256:") for digest in self.digests):
            named = {f"sha256:{fingerprint}" for fingerprint in certificate.fingerprints}
            if not named.isdisjoint(self.digests):
                return True
        return self.denies_key(certificate.key)

    def denies_holder(self, names: Collection[str]) -> bool:
        """Whether one of the `names` that a certificate gives its holder is revoked."""
        return not self.identities.isdisjoint(names)

    def denies_identity(self, identity: Identity) -> bool:
        """Whether `identity` is revoked by its name, whoever issued it, or as a whole (`NAME (ISSUER)`)."""
        return not self.identities.isdisjoint({identity.san, str(identity), identity.principal.identity})


@dataclass(frozen=True, slots=True)
class Case:
    """One judgement's whole input. `claims` are unsigned: they count only where the policy says so of a predicate, and
    signed evidence pins the index that holds them. `inspected` maps the path of an inspection's check to what running
    it gave. `asked` are the places that the evidence came from, where that is to be part of the verdict; they decide
    nothing."""

    policy: Policy
    at: datetime
    evidence: tuple[Exhibit, ...] = ()
    refused: tuple[Refusal, ...] = ()
    profile: Profile = Profile.STRICT
    strict: bool = False
    target: Target | None = None
    target_step: str | None = None
    parameters: Mapping[str, str] | None = None
    patterns: frozenset[str] = frozenset()
    principals: Mapping[str, str] = field(default_factory=dict)
    revoked: Revocations = Revocations()
    min_version: int | None = None
    run_id: str | None = None
    timestamp_authorities: tuple[CertificateAuthority, ...] = ()
    root: Digest | None = None
    """Of the trust root that identities were proved by, where any root was asked."""
    inspected: Mapping[str, InspectionResult] = field(default_factory=dict)
    asked: tuple[Asked, ...] = ()
    claims: tuple[Claimed, ...] = ()
    limits: Limits = LOCAL

    @property
    def policy_digest(self) -> Digest:
        """The SHA-256 of all that decides but evidence and time: the same policy judges the same way."""
        return sha256(
            canonical(
                {
                    "layout": str(self.policy.sealed.digest),
                    "owners": sorted([key.fingerprint, key.scheme] for key in self.policy.owners),
                    "need": self.policy.need,
                    "profile": self.profile.value,
                    "strict": self.strict,
                    "target": None if self.target is None else _described(self.target),
                    "target_step": self.target_step,
                    "parameters": None if self.parameters is None else dict(self.parameters),
                    "patterns": sorted(self.patterns),
                    "principals": dict(self.principals),
                    "revoked": [
                        sorted(self.revoked.digests),
                        sorted(self.revoked.keys),
                        sorted(self.revoked.identities),
                    ],
                    "min_version": self.min_version,
                    "run_id": self.run_id,
                    **self._timestamping(),
                    **self._identifying(),
                    "limits": {name: getattr(self.limits, name) for name in Limits.__slots__},
                }
            )
        )

    def _timestamping(self) -> dict[str, object]:
        """Whose timestamps are believed, where anybody's are."""
        believed = [
            [[one.fingerprint for one in authority.chain], str(authority.window)]
            for authority in self.timestamp_authorities
        ]
        return {"timestamp_authorities": sorted(believed)} if believed else {}

    def _identifying(self) -> dict[str, object]:
        """Which identities own the layout, and by which trust roots identities are believed, where any are."""
        stated: dict[str, object] = {}
        if self.policy.identities:
            stated["owner_identities"] = sorted(canonical(one.to_json()).decode() for one in self.policy.identities)
            stated["owner_root"] = None if self.policy.root is None else str(self.policy.root)
        if self.root is not None:
            stated["trusted_root"] = str(self.root)
        return stated


def _described(target: Target) -> list[object]:
    """All of `target` that decides: not what it is called."""

    def part(part: Part) -> list[object]:
        # Paths of the file system are bytes, and need not be text.
        path = None if part.path is None else part.path.encode(errors="surrogateescape").hex()
        return [path, sorted(part.digests), dict(part.texts)]

    whole = None if target.whole is None else part(target.whole)
    return [target.kind, [part(one) for one in target.parts], whole, {k: list(v) for k, v in target.layers.items()}]
