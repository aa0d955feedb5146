"""What may go: evidence of a layout that no kept release of it needs.

A release is a link of the layout's last step. The chain of a kept release stays, however old, as it is found for a
verification and as far as the chain holds by it; so does whatever is younger than the oldest kept release, since its
chain may not be complete yet; and so does everything that is not signed for a step of the layout.
"""

from __future__ import annotations

from navicert.crypto.key import Key
from navicert.dataclass import dataclass, field
from navicert.digest import sha256
from navicert.errors import Malformed, Refused
from navicert.limits import LOCAL, Limits
from navicert.model.layout import Layout, Step
from navicert.model.standing import making_step
from navicert.store import Indexed, Piece, Store
from navicert.store.document import Document, open_piece
from navicert.store.excerpt import holds, judged
from navicert.store.hint import Hint, of_body
from navicert.store.keyring import Keyring
from navicert.store.trail import Trail
from navicert.verify.authority import Authority
from navicert.verify.case import Policy
from navicert.verify.ownership import owned

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

BATCH = 1000
"""Pieces that are removed in one transaction."""

Identity = tuple[str, str | None, tuple[str, ...]]
"""Digest of a document, and where it is filed."""


@dataclass(frozen=True, slots=True)
class Keep:
    """What is kept: releases put at or after `since`, or the newest `runs` of them."""

    since: datetime | None = None
    runs: int | None = None

    def __post_init__(self) -> None:
        if self.since is None and self.runs is None:
            raise Malformed("nothing says what to keep", expected="a number of days or of runs")
        if self.runs is not None and self.runs < 1:
            raise Malformed("keeps nothing", expected="at least 1 run", got=str(self.runs))


@dataclass(frozen=True, slots=True)
class Doomed:
    """A piece that no kept release needs."""

    origin: str
    step: str | None
    filed_at: datetime
    size: int
    identity: Identity


@dataclass(slots=True)
class Retention:
    """What is to be done with the pieces of one store."""

    doomed: list[Doomed] = field(default_factory=list)
    kept: int = 0
    """Pieces of the layouts' steps that stay."""
    foreign: int = 0
    """Pieces that are not signed for a step of the layouts, or cannot be read: they stay."""
    releases: int = 0
    """Releases that are kept."""


@dataclass(frozen=True, slots=True)
class _Signed:
    """A document that a functionary of the layout signed for one of its steps; what it says, for a release only.
    `fate` is that of the whole piece."""

    fate: Doomed
    hint: Hint
    document: Document | None


def weigh(store: Store, policies: Sequence[Policy], keep: Keep, limits: Limits = LOCAL) -> Retention:
    """What of `store` no kept release of `policies` needs; nothing is removed.

    Raises `Refused` wherever something that is needed might be taken for something that is not: for a layout that its
    owners did not sign, a store that cannot be asked, and a chain of which not everything could be found.
    """
    if not isinstance(store, Indexed):
        raise Refused("a folder keeps one link for each step and key, so nothing in it is left over", got="no index")
    judges = [_Judge(policy, limits) for policy in policies]
    result = Retention()
    mine: list[list[_Signed]] = [[] for _ in judges]
    every: dict[Identity, Doomed] = {}
    needed: set[Identity] = set()
    for piece in store.pieces():
        documents = list(open_piece(piece, limits))
        found = [[(n, one) for n, judge in enumerate(judges) for one in judge.signed(it)] for it in documents]
        result.foreign += not any(found)
        for number, one in (pair for pairs in found for pair in pairs):
            mine[number].append(one)
            every[one.fate.identity] = one.fate
            if not all(found):
                needed.add(one.fate.identity)  # a file of several documents, one of them somebody else's
    for judge, signed in zip(judges, mine, strict=True):
        releases = [one for one in signed if one.document is not None]
        kept = list(_kept(releases, keep))
        result.releases += len({one.hint.products for one in kept})
        # Without any release nothing is old: all of it may be the beginning of one.
        oldest = min((one.fate.filed_at for one in kept), default=keep.since if releases else None)
        needed |= {one.fate.identity for one in signed if oldest is None or one.fate.filed_at >= oldest}
        for one in kept:
            needed |= judge.needed(store, one)
    result.doomed = [fate for identity, fate in every.items() if identity not in needed]
    result.kept = len(every) - len(result.doomed)
    return result


def sweep(store: Store, retention: Retention) -> int:
    """Remove what is doomed, and return how many pieces that were. What was put since it was weighed stays."""
    doomed = {fate.identity for fate in retention.doomed}
    gone = 0
    batch: list[Piece] = []
    for piece in store.pieces():
        if piece.raw is not None and _identity(piece, piece.raw) in doomed:
            batch.append(piece)
        if len(batch) == BATCH:
            gone += store.remove(batch)
            batch = []
    return gone + store.remove(batch)


def _identity(piece: Piece, raw: bytes) -> Identity:
    return sha256(raw).hex, piece.step_hint, piece.scope


def _kept(releases: Sequence[_Signed], keep: Keep) -> Iterator[_Signed]:
    """The links of the releases that are kept. Links that report the same products are one release, however many had
    to sign it."""
    places: dict[frozenset[str], int] = {}
    for one in sorted(releases, key=lambda one: one.fate.filed_at, reverse=True):
        moment = one.fate.filed_at
        place = places.setdefault(one.hint.products, len(places))
        if (keep.since is not None and moment >= keep.since) or (keep.runs is not None and place < keep.runs):
            yield one


class _Judge:
    """Says what belongs to one layout."""

    def __init__(self, policy: Policy, limits: Limits) -> None:
        self.policy = policy
        self.limits = limits
        verified = policy.verified
        if verified is None or not owned(policy):
            raise Refused(
                "not signed by its owners", path=policy.sealed.origin, remedy="name a layout that is in force"
            )
        if not isinstance(verified.body, Layout) or not verified.body.steps:
            raise Refused("a layout without steps has no releases", path=policy.sealed.origin)
        self.layout = verified.body
        self.authority = Authority.of(self.layout)
        self.keyring = Keyring()
        self.keyring.enter(self.layout, self.authority)
        self.steps = {step.name: step for step in self.layout.steps}

    def signed(self, document: Document) -> Iterator[_Signed]:
        """`document`, once, if a functionary signed it for a step of the layout."""
        piece, whole = document.piece, document.whole
        if document.sealed is None or whole.raw is None or whole.filed_at is None:
            return
        verified = document.verify(tuple(self.keyring.keys), self.keyring.roots)
        if verified is None:
            return
        hint = of_body(verified.body)
        steps = [piece.step_hint] if isinstance(verified.body, Layout) else list(hint.names)
        for step in steps:
            if step not in self.steps or not self._may_sign(self.steps[step], verified.signers, whole.filed_at):
                continue
            last = step == making_step(self.layout)
            if last and isinstance(verified.body, Layout):
                raise Refused(
                    "a sublayout stands for the last step, so nothing says what a release is", path=piece.origin
                )
            identity = _identity(whole, whole.raw)
            fate = Doomed(whole.origin, whole.step_hint, whole.filed_at, len(whole.raw), identity)
            # A store may hold a million documents: of most of them it is enough that they are there.
            yield _Signed(fate, hint, document) if last else _Signed(fate, Hint(), None)

    def _may_sign(self, step: Step, signers: Sequence[Key], filed_at: datetime) -> bool:
        """Whether one of `signers` may sign for `step`, by a certificate where it held when the piece was filed."""
        authorised = self.authority.authorised(step)
        return any(
            not self.authority.objection(step, key, filed_at) if key.certified else key in authorised for key in signers
        )

    def needed(self, store: Indexed, release: _Signed) -> set[Identity]:
        """What the chain of a release rests on: what the trail followed, if the chain holds by that alone, and all that
        it met, if not."""
        hint = release.hint
        trail = Trail(self.layout, [store], seeds=hint.products | hint.materials, limits=self.limits)
        met = list(trail.documents())
        lost = next((document for document in met if document.whole.raw is None), None)
        if lost is not None:
            raise Refused(
                "nothing was removed: what a kept release needs cannot be told",
                path=release.fate.origin,
                got=f"{lost.piece.origin}: {lost.problem}",
            )
        own = [] if release.document is None else [release.document]
        followed = [*own, *trail.followed]
        pieces = [document.piece for document in followed]
        _, verdict = judged(self.policy, pieces, at=release.fate.filed_at, limits=self.limits)
        needed = followed if holds(verdict) else [*own, *met]
        return {_identity(one.whole, one.whole.raw) for one in needed if one.whole.raw is not None}
