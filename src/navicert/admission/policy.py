"""Policies: what must hold for which images, and the exceptions from it, as values.

`SupplyChainPolicy` (of one namespace) and `ClusterSupplyChainPolicy` have one form. All that speak about an image must
pass; an image that none speaks about is refused. A policy of a namespace only adds: where the cluster has policies, one
of them must speak about the image too, and if it leaves the judgement to the namespace it must say so (`delegate`).
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

from navicert.admission.images import CustomKind, ImageUse
from navicert.admission.levels import Levels
from navicert.admission.pattern import ImagePattern
from navicert.crypto.key import Key
from navicert.dataclass import dataclass, field, replace
from navicert.digest import Digest, sha256
from navicert.enumeration import Enum
from navicert.oci.reference import Reference
from navicert.strictjson import canonical
from navicert.trust.sigstore import PUBLIC_GOOD_TAKEN
from navicert.verify.case import Revocations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Literal

    from navicert.crypto.certification import CertificateAuthority
    from navicert.crypto.trusted_root import TrustedRoot
    from navicert.model.identity import IdentityPolicy

    PlatformScope = Literal["index", "every-platform", "either"]

LONGEST_GRACE: Final = timedelta(days=14)
"""How long an expired layout may be put up with: enough for a holiday, too short for a habit."""
LONGEST_EXCEPTION: Final = timedelta(days=366)
"""How far ahead an exception may end."""


class Mode(Enum):
    """What becomes of an image that does not pass."""

    AUDIT = "audit"
    WARN = "warn"
    ENFORCE = "enforce"


class Facet(Enum):
    """What of an image a parameter of the layout is filled with."""

    DIGEST = "image.digest"
    HEX = "image.hex"
    NAME = "image.name"
    REPOSITORY = "image.repository"
    REGISTRY = "image.registry"
    NAMESPACE = "namespace"

    def of(self, reference: Reference, digest: Digest, namespace: str) -> str:
        """Its text for the image `digest`, called `reference`, in `namespace`."""
        return {
            Facet.DIGEST: str(digest),
            Facet.HEX: digest.hex,
            Facet.NAME: reference.name,
            Facet.REPOSITORY: reference.repository,
            Facet.REGISTRY: reference.registry,
            Facet.NAMESPACE: namespace,
        }[self]


@dataclass(frozen=True, slots=True)
class LayoutSource:
    """Where the signed layout comes from: `raw` with the name `origin` (of a `file`, where it is one), an artifact
    `image` pinned by digest, or (neither) whatever is attached to the judged image. Wherever it lies, the owners'
    signatures alone make it count."""

    raw: bytes | None = field(default=None, repr=False)
    origin: str = ""
    image: Reference | None = None
    file: str = ""


@dataclass(frozen=True, slots=True)
class EvidenceSource:
    """Where evidence is looked for: beside the image in its own repository (neither field set), under the same digest
    in another `repository`, or in the `store` at a URI."""

    repository: str = ""
    store: str = ""

    def __str__(self) -> str:
        return self.store or (f"registry:{self.repository}" if self.repository else "beside the image")


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """One policy. `namespace` is empty for one of the cluster. `source` is the file or object it was read from, `owned`
    the file of each owner key (empty for one that stands in the policy itself)."""

    name: str
    namespace: str
    mode: Mode
    images: tuple[ImagePattern, ...]
    source: str = ""
    namespaces: tuple[str, ...] = ()
    roles: frozenset[str] = frozenset()
    delegate: bool = False
    layout: LayoutSource = LayoutSource()
    owners: tuple[Key, ...] = ()
    owned: tuple[str, ...] = ()
    threshold: int | None = None
    evidence: tuple[EvidenceSource, ...] = (EvidenceSource(),)
    parameters: Mapping[str, str | Facet] = field(default_factory=dict)
    patterns: frozenset[str] = frozenset()
    target_step: str | None = None
    platform_scope: PlatformScope = "either"
    strict: bool = False
    min_version: int | None = None
    revoked: Revocations = Revocations()
    expires_grace: timedelta = timedelta(0)
    allow_verified_before: bool = False
    pull_secrets: bool = False
    break_glass: frozenset[str] = frozenset()
    custom_kinds: tuple[CustomKind, ...] = ()
    levels: Levels | None = None
    from_file: bool = False
    """Read from a file of whoever runs the program, not from an object that many may write."""
    identities: tuple[IdentityPolicy, ...] = ()
    """Owners without keys, beside `owners`."""
    trusted_root: TrustedRoot | None = None
    """What identities are proved by; None for the root that ships."""
    timestamp_authorities: tuple[CertificateAuthority, ...] = ()
    problem: str = ""
    """Why it is not understood; then nothing passes by it. Empty where it is."""
    closed: bool = False
    """No exception spares an image from it: it is not understood, and may revoke any."""
    behind: str = ""
    """Why what was written over it is not understood, so that this one, from before, stays in force."""
    digest: Digest = field(init=False, compare=False, repr=False)
    """The SHA-256 of all of it that decides what passes; two policies with one digest judge alike."""

    def __post_init__(self) -> None:
        # Made once: it is looked at for every image.
        object.__setattr__(self, "digest", self._decisive())

    @property
    def label(self) -> str:
        """What it is called: its name, with its namespace before it."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    def speaks_about(self, use: ImageUse, namespace: str) -> bool:
        """Whether it has a say about an image in `namespace`. What is no reference concerns every policy there is."""
        if self.namespace and self.namespace != namespace:
            return False
        if self.namespaces and not any(_named(pattern, namespace) for pattern in self.namespaces):
            return False
        if self.roles and use.role not in self.roles:
            return False
        return use.reference is None or any(pattern.matches(use.reference) for pattern in self.images)

    def _root(self) -> str:
        """What identities are proved by. The root that ships is another one with another release."""
        return f"shipped {PUBLIC_GOOD_TAKEN}" if self.trusted_root is None else str(self.trusted_root.digest)

    def _decisive(self) -> Digest:
        revoked = self.revoked
        return sha256(
            canonical(
                {
                    "namespace": self.namespace,
                    "layout": [
                        "" if self.layout.raw is None else str(sha256(self.layout.raw)),
                        str(self.layout.image or ""),
                    ],
                    "owners": sorted([key.fingerprint, key.scheme] for key in self.owners),
                    "threshold": self.threshold,
                    "evidence": [[one.repository, one.store] for one in self.evidence],
                    "parameters": {
                        name: value if isinstance(value, str) else [value.value]
                        for name, value in self.parameters.items()
                    },
                    "patterns": sorted(self.patterns),
                    "target_step": self.target_step,
                    "platform_scope": self.platform_scope,
                    "strict": self.strict,
                    "min_version": self.min_version,
                    "revoked": [sorted(revoked.digests), sorted(revoked.keys), sorted(revoked.identities)],
                    "grace": int(self.expires_grace.total_seconds()),
                    "pull_secrets": self.pull_secrets,
                    "levels": None if self.levels is None else str(self.levels.digest),
                    "identities": sorted(canonical(one.to_json()).decode() for one in self.identities),
                    "root": self._root(),
                    "timestamp_authorities": sorted(
                        [[one.fingerprint for one in authority.chain], str(authority.window)]
                        for authority in self.timestamp_authorities
                    ),
                }
            )
        )


@dataclass(frozen=True, slots=True)
class ExceptionDocument:
    """Leave to run one image although it does not pass, with who answers for it, why, and until when."""

    name: str
    namespace: str
    digest: Digest
    reason: str
    owner: str
    not_after: datetime
    namespaces: tuple[str, ...] = ()
    source: str = ""

    def covers(self, digest: Digest, namespace: str, at: datetime) -> bool:
        """Whether it lets `digest` into `namespace` at the moment `at`."""
        return (
            digest == self.digest
            and at < self.not_after <= at + LONGEST_EXCEPTION
            and (not self.namespaces or any(_named(pattern, namespace) for pattern in self.namespaces))
        )


@dataclass(frozen=True, slots=True)
class PolicySet:
    """All policies and exceptions that there are at one moment."""

    policies: tuple[PolicyDocument, ...] = ()
    exceptions: tuple[ExceptionDocument, ...] = ()

    @property
    def custom_kinds(self) -> tuple[CustomKind, ...]:
        """Where objects of other kinds name images, as the cluster's policies say."""
        return tuple(kind for policy in self.policies if not policy.namespace for kind in policy.custom_kinds)

    def about(self, use: ImageUse, namespace: str) -> tuple[PolicyDocument, ...]:
        """The policies that an image in `namespace` must pass; none where it is refused for want of one.

        Where there are policies of the cluster at all, one of them must speak about the image: what a namespace adds
        can then never let in what the cluster says nothing about.
        """
        found = tuple(policy for policy in self.policies if policy.speaks_about(use, namespace))
        own = [policy for policy in found if policy.namespace]
        clusters = [policy for policy in found if not policy.namespace]
        if not clusters and any(not policy.namespace for policy in self.policies):
            return ()
        if not own and clusters and all(policy.delegate for policy in clusters):
            return ()
        return tuple(policy for policy in found if not policy.delegate)

    def with_others(self, others: PolicySet) -> PolicySet:
        """Both sets. By a policy of the others that has the name of one of these nothing passes: neither may stand for
        the other."""
        known = {one.label for one in self.policies}
        problem = "a policy of this name is in a file and in the cluster"
        added = [replace(one, problem=problem) if one.label in known else one for one in others.policies]
        return PolicySet.of([*self.policies, *self.exceptions, *added, *others.exceptions])

    @property
    def odd(self) -> tuple[PolicyDocument, ...]:
        """The policies of which what is written is not understood, whatever is in force in its place."""
        return tuple(one for one in self.policies if one.problem or one.behind)

    def exception(self, digest: Digest, namespace: str, at: datetime) -> ExceptionDocument | None:
        """The exception for `digest` in `namespace`, if there is one."""
        return next((one for one in self.exceptions if one.covers(digest, namespace, at)), None)

    @staticmethod
    def of(documents: Iterable[PolicyDocument | ExceptionDocument]) -> PolicySet:
        """The set of `documents`, in an order that does not depend on where they came from."""
        found = list(documents)
        policies = sorted((d for d in found if isinstance(d, PolicyDocument)), key=lambda d: (d.namespace, d.name))
        exceptions = sorted((d for d in found if isinstance(d, ExceptionDocument)), key=lambda d: (d.namespace, d.name))
        return PolicySet(tuple(policies), tuple(exceptions))


def _named(pattern: str, namespace: str) -> bool:
    """Whether `pattern` (a name in which `*` stands for any letters) is the name of `namespace`."""
    return re.fullmatch(".*".join(re.escape(piece) for piece in pattern.split("*")), namespace) is not None
