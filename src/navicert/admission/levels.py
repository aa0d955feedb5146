"""Levels of SLSA that a policy asks for, judged from what is attached to the image and signed by whom the policy names.

As `navicert slsa` judges it: by keys, and by identities that a trust root proves.

They are asked for besides the layout, never in its place. The document of expectations stands in the policy, and counts
because whoever wrote the policy vouches for it.
"""

from __future__ import annotations

from navicert.crypto.key import Key
from navicert.dataclass import dataclass, field
from navicert.digest import Digest, sha256
from navicert.limits import Limits
from navicert.model.identity import IdentityPolicy
from navicert.slsa.account import Inquiry
from navicert.slsa.assess import assess
from navicert.slsa.attestation import Artifact, Pool
from navicert.slsa.builders import BuilderTable
from navicert.slsa.chain import Chain
from navicert.slsa.expectation import Expectations
from navicert.slsa.reader import StatementReader
from navicert.store import Source
from navicert.store.attachment import AttachmentSource
from navicert.store.statement import Attached, Claim, attached, read_piece, settle
from navicert.strictjson import canonical
from navicert.verdict import Verdict
from navicert.verify.case import Case
from navicert.verify.keyless import Keyless

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Levels:
    """What is asked for: track → level, in `require`, never empty. `keys` and `identities` are those whose attestations
    count besides the signers that the expectations, and the builder table that ships, name."""

    require: Mapping[str, int]
    expectations: Expectations = Expectations()
    keys: tuple[Key, ...] = field(default_factory=tuple)
    identities: tuple[IdentityPolicy, ...] = ()

    def __post_init__(self) -> None:
        if not self.require:
            raise ValueError("nothing is asked for")

    @property
    def digest(self) -> Digest:
        """The SHA-256 of all that decides, but for the trust root, which is the policy's, and for the table that ships:
        a verdict is remembered for one version of this program only."""
        keys = sorted([key.fingerprint, key.scheme] for key in self.keys)
        identities = sorted(canonical(one.to_json()).decode() for one in self.identities)
        document = str(self.expectations.digest or "")
        whole = {"require": dict(self.require), "expectations": document, "keys": keys, "identities": identities}
        return sha256(canonical(whole))


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where attestations are looked for, `beside` images and in `stores`, and by what identities are believed: the
    root of `keyless`, and the builder table `shipped`, which a policy's own overrides."""

    beside: tuple[AttachmentSource, ...]
    stores: tuple[Source, ...]
    keyless: Keyless
    shipped: BuilderTable


def judge_levels(
    levels: Levels, case: Case, verdict: Verdict, name: str, around: Surroundings, limits: Limits
) -> Verdict:
    """The verdict on `levels` for the target of `case`, an image called `name` (without tag and digest), whose chain
    came to `verdict`. Raises as the sources of `around` do."""
    if case.target is None:
        raise ValueError("levels are those of an image")
    chain = Chain.of(case, verdict, levels.expectations.steps)
    reader = StatementReader(tuple(dict.fromkeys((*levels.keys, *levels.expectations.keys))), around.keyless, limits)
    documents, claims = _documents(around)
    for number, one in enumerate(documents):
        if number >= limits.evidence_files:
            reader.refuse(one.piece.origin, "not looked at: too many files (limit evidence_files)")
            break
        read_piece(reader, one.piece, one.annotations)
    settle(claims, reader, chain)
    expected = levels.expectations.of((name,))
    require = dict(levels.require)
    for track, level in ({} if expected is None else expected.require).items():
        # Neither may lower what the other asks for.
        require[track] = max(require.get(track, 0), level)
    inquiry = Inquiry(
        Artifact(case.target),
        case.at,
        Pool.of(reader.found, reader.refused, case.revoked),
        levels.expectations,
        around.shipped.overridden_by(levels.expectations.builders),
        (name,),
        (),
        chain,
        require,
        limits,
        levels.identities,
    )
    return assess(inquiry).verdict


def _documents(around: Surroundings) -> tuple[Iterable[Attached], list[Claim]]:
    """Every document there is, and what the images' own indexes claim."""
    documents: list[Attached] = []
    claims: list[Claim] = []
    for source in around.beside:
        found, own = attached(source)
        documents += found
        claims += own
    documents += [Attached(piece, {}) for source in around.stores for piece in source.pieces()]
    return documents, claims
