"""Levels of SLSA that a policy asks for, judged from what is attached to the image and signed by whom the policy names.

They are asked for besides the layout, never in its place. The document of expectations stands in the policy, and counts
because whoever wrote the policy vouches for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from navicert.crypto.key import Key
from navicert.dataclass import dataclass, field
from navicert.digest import Digest, sha256
from navicert.envelope.document import open_document, peek
from navicert.errors import Malformed
from navicert.limits import Limits
from navicert.model.statement import Statement
from navicert.slsa.account import Inquiry
from navicert.slsa.assess import assess
from navicert.slsa.attestation import Artifact, Attestation, Pool
from navicert.slsa.chain import Chain
from navicert.slsa.expectation import Expectations
from navicert.store import Piece, Source
from navicert.strictjson import canonical
from navicert.verdict import Verdict
from navicert.verify.case import Case, Refusal


@dataclass(frozen=True, slots=True)
class Levels:
    """What is asked for: track → level, in `require`, never empty. `keys` are those whose attestations count besides
    the keys that the expectations name."""

    require: Mapping[str, int]
    expectations: Expectations = Expectations()
    keys: tuple[Key, ...] = field(default_factory=tuple)

    def __post_init__(self) -> None:
        if not self.require:
            raise ValueError("nothing is asked for")

    @property
    def digest(self) -> Digest:
        """The SHA-256 of all that decides."""
        keys = sorted([key.fingerprint, key.scheme] for key in self.keys)
        document = str(self.expectations.digest or "")
        return sha256(canonical({"require": dict(self.require), "expectations": document, "keys": keys}))


def judge_levels(
    levels: Levels, case: Case, verdict: Verdict, name: str, sources: Iterable[Source], limits: Limits
) -> Verdict:
    """The verdict on `levels` for the target of `case`, an image called `name` (without tag and digest), whose chain
    came to `verdict`. Evidence comes from `sources`. Raises as they do."""
    if case.target is None:
        raise ValueError("levels are those of an image")
    keys = tuple(dict.fromkeys((*levels.keys, *levels.expectations.keys)))
    found: list[Attestation] = []
    refused: list[Refusal] = []
    for number, piece in enumerate(piece for source in sources for piece in source.pieces()):
        if number >= limits.evidence_files:
            refused.append(Refusal(piece.origin, "not looked at: too many files (limit evidence_files)"))
            break
        _open(piece, keys, limits, found, refused)
    expected = levels.expectations.of((name,))
    require = dict(levels.require)
    for track, level in ({} if expected is None else expected.require).items():
        # Neither may lower what the other asks for.
        require[track] = max(require.get(track, 0), level)
    inquiry = Inquiry(
        Artifact(case.target),
        case.at,
        Pool.of(found, refused, case.revoked),
        levels.expectations,
        levels.expectations.builders,
        (name,),
        (),
        Chain.of(case, verdict, levels.expectations.steps),
        require,
        limits,
    )
    return assess(inquiry).verdict


def _open(
    piece: Piece, keys: tuple[Key, ...], limits: Limits, found: list[Attestation], refused: list[Refusal]
) -> None:
    """Verify one document. What is no statement, such as a link, is left to the chain."""
    if piece.raw is None:
        refused.append(Refusal(piece.origin, f"cannot be used: {piece.problem}"))
        return
    try:
        sealed = open_document(piece.raw, limits, path=piece.origin)
        if not isinstance(peek(sealed).body, Statement):
            return
        verified = sealed.verified_by(keys) if keys else None
    except Malformed as error:
        refused.append(Refusal(piece.origin, f"cannot be read: {error}"))
        return
    if verified is None:
        refused.append(Refusal(piece.origin, "is signed by none of the keys that the policy names"))
        return
    attestation = Attestation.of(verified)
    if attestation is not None:
        found.append(attestation)
