"""All that one judgement rests on, as values.

A `Case` holds the policy, the evidence that verified, what was refused and why, and the moment to judge for. Two equal
cases give equal verdicts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime

from navicert.crypto.key import Key
from navicert.digest import Digest, sha256
from navicert.envelope.body import Body, describe
from navicert.envelope.document import Sealed, Verified, open_document, peek
from navicert.errors import Malformed
from navicert.limits import LOCAL, Limits
from navicert.model.field import as_keyid
from navicert.model.layout import Layout
from navicert.model.link import Artifacts
from navicert.strictjson import canonical
from navicert.verify.profile import Profile


@dataclass(frozen=True, slots=True)
class Policy:
    """A layout as received, and whether its owners signed it.

    `need` is how many of `owners` must have signed; None means all. `verified` is None where none of them did.
    """

    sealed: Sealed
    owners: tuple[Key, ...]
    verified: Verified[Body] | None
    need: int | None = None

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
        """The policy that `raw` holds, its signatures checked. Raises `Malformed` where it is no layout."""
        sealed = open_document(raw, limits, path=path)
        body = peek(sealed).body
        if not isinstance(body, Layout):
            raise Malformed("not a layout", path=path, expected="a signed layout", got=f"a {describe(body)}")
        distinct = tuple({key.fingerprint: key for key in owners}.values())
        if need is not None and need < 1:
            raise Malformed("owner threshold below 1", got=str(need))
        return Policy(sealed, distinct, sealed.verified_by(distinct), need)


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
class Refusal:
    """Evidence that does not count, and why: a near miss. `step` is what its file name says, `claimed` what it says of
    itself without proof."""

    origin: str
    reason: str
    step: str | None = None
    claimed: str | None = None


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


@dataclass(frozen=True, slots=True)
class InspectionResult:
    """What running one inspection gave. `problem` says why it could not be run, and then nothing else counts."""

    return_value: int | None
    materials: Artifacts = field(default_factory=dict)
    products: Artifacts = field(default_factory=dict)
    output: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Revocations:
    """What is denied at once: digests of documents, artifacts and targets (`alg:hex`), keys (any id), identities
    (persons).

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
        return next((d for d in (document.digest, document.content) if str(d) in self.digests), None)

    def denies_key(self, key: Key) -> bool:
        """Whether `key` is revoked under any of its ids."""
        return bool(self.keys) and not self.keys.isdisjoint({key.fingerprint, *(id.lower() for id in key.ids)})


@dataclass(frozen=True, slots=True)
class Case:
    """One judgement's whole input. `inspected` maps the path of an inspection's check to what running it gave."""

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
    inspected: Mapping[str, InspectionResult] = field(default_factory=dict)
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
                    "limits": asdict(self.limits),
                }
            )
        )


def _described(target: Target) -> list[object]:
    """All of `target` that decides: not what it is called."""

    def part(part: Part) -> list[object]:
        # Paths of the file system are bytes, and need not be text.
        path = None if part.path is None else part.path.encode(errors="surrogateescape").hex()
        return [path, sorted(part.digests), dict(part.texts)]

    return [target.kind, [part(one) for one in target.parts], None if target.whole is None else part(target.whole)]
