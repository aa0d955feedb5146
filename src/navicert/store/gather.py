"""Gathering evidence for a policy: what its stores hold, sorted into what verifies and what does not.

The owner's signature comes first; then documents signed with the policy's keys; then, through sublayouts that verify,
documents signed with theirs. Nothing is judged here, and nothing is left out silently: what does not count is a refusal
with its reason.
"""

from __future__ import annotations

from navicert.dataclass import dataclass
from navicert.digest import sha256
from navicert.envelope.document import Sealed, peek
from navicert.errors import Malformed
from navicert.limits import LOCAL, Limits
from navicert.model.layout import Layout
from navicert.model.link import Link
from navicert.model.passage import Pool
from navicert.model.statement import Statement
from navicert.store import Indexed, Piece, Source
from navicert.store.document import Document, bare, open_piece
from navicert.store.keyring import Keyring
from navicert.verify.authority import Authority
from navicert.verify.case import Claimed, Exhibit, Policy, Refusal, Target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from navicert.store.recall import Recall, Signers
    from navicert.verify.keyless import Keyless


@dataclass(frozen=True, slots=True)
class Gathered:
    """What was found: evidence that verified, near misses, and what image indexes hold unsigned."""

    exhibits: tuple[Exhibit, ...] = ()
    refused: tuple[Refusal, ...] = ()
    claims: tuple[Claimed, ...] = ()


def gather(
    policy: Policy,
    stores: Sequence[Source],
    *,
    target: Target | None = None,
    run_id: str | None = None,
    limits: Limits = LOCAL,
    recall: Recall | None = None,
    keep_bytes: bool = True,
    bundles: bool = True,
    keyless: Keyless | None = None,
) -> Gathered:
    """The evidence for `policy` in `stores`; nothing where its owners did not sign it.

    Stores are read as a whole. Those with an index are asked for what may belong to `target` or the run `run_id`, where
    one is given: other runs of the same layout are then left out, which removes evidence, and in the STRICT profile
    that never makes a refusal a pass.

    `recall` is what a process that lives long remembers of earlier documents. Without `keep_bytes` the bytes of links
    are let go of once they have been read: who only judges needs half of the memory. Without `bundles` a file of
    several documents is none, as for upstream. `keyless` says by what Sigstore bundles prove who signed them, where a
    layout names identities; without it only keys count.

    Raises `Malformed` for a bad key in the policy itself and `Unavailable` for a store that cannot be read.
    """
    if policy.verified is None or not isinstance(policy.verified.body, Layout):
        return Gathered()
    try:
        authority = Authority.of(policy.verified.body)
    except Malformed as error:
        error.pointer = policy.sealed.pointer(error.pointer)
        raise error.at(policy.sealed.origin) from error
    found = _Gathering(limits, recall, keep_bytes=keep_bytes, bundles=bundles, keyless=keyless)
    found.enter(policy.verified.body, authority)
    for document in _documents(policy.verified.body, stores, target, run_id, found):
        if not found.meet(document):
            break
        del document  # with its bytes, before the next is read
    found.follow()
    return found.gathered()


def _documents(
    layout: Layout, stores: Sequence[Source], target: Target | None, run_id: str | None, found: _Gathering
) -> Iterator[Document]:
    """What is to be looked at."""
    asked = [store for store in stores if isinstance(store, Indexed)]
    if not asked or (target is None and run_id is None):
        for store in stores:
            for piece in store.pieces():
                yield from found.open(piece)
                del piece
        return
    from navicert.store.trail import Trail, digests_of

    others = (store for store in stores if not isinstance(store, Indexed))
    plain = [document for store in others for piece in store.pieces() for document in found.open(piece)]
    yield from plain
    seeds = () if target is None else digests_of(target)
    trail = Trail(
        layout,
        asked,
        seeds=seeds,
        run_id=run_id,
        plain=plain,
        limits=found.limits,
        opener=found.open,
        keyless=found.keyless,
    )
    yield from trail.documents()


@dataclass(slots=True)
class _Met:
    """One document that was met, and the size of what it was read from."""

    document: Document
    size: int
    followed: bool = False
    remembered: bool = False


class _Gathering:
    """What has been found so far. Each document is opened and verified as it is met, so that of many large ones no more
    than one at a time has to be there in full."""

    def __init__(
        self, limits: Limits, recall: Recall | None, *, keep_bytes: bool, bundles: bool, keyless: Keyless | None
    ) -> None:
        self.limits = limits
        self._recall = recall
        self._keep_bytes = keep_bytes
        self._bundles = bundles
        self.keyless = keyless
        self._keyring = Keyring()
        self._signers: Signers = ()
        self._met: dict[tuple[object, ...], _Met] = {}
        self._refused: list[Refusal] = []
        self._claims: list[Claimed] = []
        self._layouts: list[tuple[Layout, Authority]] = []
        self._pool = Pool()
        self._count = 0

    def enter(self, layout: Layout, authority: Authority) -> None:
        """Take in the keys of a layout that verified, whose authority is `authority`."""
        self._keyring.enter(layout, authority)
        if self._recall is not None:
            from navicert.store.recall import signers_of

            self._signers = signers_of(self._keyring.keys)

    def open(self, piece: Piece) -> Iterator[Document]:
        """The documents in `piece`; one that is remembered is not opened again."""
        if self._recall is not None and piece.raw is not None:
            known = self._recall.find(sha256(piece.raw), self._signers, piece.origin)
            if known is not None:
                document = Document(piece, piece, known.sealed, verified=known, recalled=True)
                document.forget()
                yield document
                return
        yield from open_piece(piece, self.limits, bundles=self._bundles, pool=self._pool)

    def meet(self, document: Document) -> bool:
        """Verify one document; whether more may follow."""
        piece, sealed = document.piece, document.sealed
        self._count += 1
        if self._count > self.limits.evidence_files:
            limit = self.limits.evidence_files
            self._refuse(piece, f"not looked at: more than {limit} files (limit evidence_files)")
            return False
        if sealed is None:
            self._unsealed(document)
            return True
        # Of the same bytes in several places one is enough: whichever store was asked first, the same one.
        # What proves who signed it may stand beside one copy only.
        identity = (sealed.digest, piece.step_hint, piece.scope, document.proof)
        other = self._met.get(identity)
        if other is None or piece.origin < other.document.piece.origin:
            self._met[identity] = met = _Met(document, 0 if piece.raw is None else len(piece.raw))
            self._verify(met)
        return True

    def follow(self) -> None:
        """Verify by the keys of sublayouts what was not verified by all its signers."""
        while self._layouts:
            known = len(self._keyring)
            layouts, self._layouts = self._layouts, []
            for layout, authority in layouts:
                self.enter(layout, authority)
            if len(self._keyring) > known:
                for met in self._met.values():
                    self._verify(met)

    def gathered(self) -> Gathered:
        """All that was found."""
        exhibits = []
        for document in (met.document for met in self._met.values()):
            if document.verified is not None:
                exhibits.append(Exhibit(document.verified, document.piece.step_hint, document.piece.scope))
            elif document.sealed is not None:
                self._refused.append(_refusal(document, document.sealed))
        return Gathered(tuple(exhibits), tuple(self._refused), tuple(self._claims))

    def _unsealed(self, document: Document) -> None:
        """Note what is no signed document: a claim, where an image index holds a statement; else a near miss."""
        from navicert.envelope.bare import bare_statement

        piece = document.piece
        try:
            statement = None if piece.raw is None else bare_statement(piece.raw, self.limits)
        except Malformed as error:
            self._refuse(piece, f"cannot be read: {bare(error)}")
            return
        if statement is None or piece.raw is None:
            self._refuse(piece, f"cannot be read: {document.problem}")
        elif piece.pin is None:
            reason = "is not signed, and stands in no image index that could vouch for it"
            self._refused.append(Refusal(piece.origin, reason, piece.step_hint, predicate=statement.predicate_type))
        else:
            found = Claimed(statement, sha256(piece.raw), piece.origin, piece.pin.index, piece.pin.manifest)
            self._claims.append(found)

    def _refuse(self, piece: Piece, reason: str) -> None:
        self._refused.append(Refusal(piece.origin, reason, piece.step_hint))

    def _verify(self, met: _Met) -> None:
        """Verify a document that is not yet verified by all its signers; where it is a sublayout, note it."""
        document = met.document
        verified = document.verify(tuple(self._keyring.keys), self._keyring.roots, pool=self._pool)
        if verified is None and self.keyless is not None and self._keyring.identities:
            verified = document.verify_identity(self.keyless, self.limits)
        if verified is None:
            return
        if self._recall is not None and not (met.remembered or document.recalled) and document.is_complete:
            met.remembered = True
            # The trail may know keys of sublayouts that are not among these.
            if self._keyring.keys.keys() >= set(verified.signers):
                self._recall.remember(self._signers, met.size, verified.released())
        body = verified.body
        if isinstance(body, Link):
            body.share(self._pool)
            if not (self._keep_bytes or document.recalled) and document.is_complete:
                document.release()
        elif isinstance(body, Layout) and not met.followed:
            if not verified.signers and not self._keyring.means(verified.identities):
                return
            met.followed = True
            try:
                self._layouts.append((body, Authority.of(body)))
            except Malformed:
                return  # judged, and refused there with its reason, as a sublayout


def _refusal(document: Document, sealed: Sealed) -> Refusal:
    """Why a document that was opened does not count. What it claims of itself is said, never believed."""
    claimed = predicate = None
    reason = f"cannot be read: {document.problem}" if document.problem else document.unproved
    try:
        body = peek(sealed).body
        claimed = body.name if isinstance(body, Link) else None
        predicate = body.predicate_type if isinstance(body, Statement) else None
    except Malformed as error:
        reason = reason or f"cannot be read: {bare(error)}"
    if not reason:
        certified = any(signature.certificate for signature in sealed.signatures)
        what = "key or certificate" if certified else "key"
        named = sorted({signature.keyid[:8] if signature.keyid else "(no id)" for signature in sealed.signatures})
        reason = (
            f"no valid signature by a {what} of the layout; it names {', '.join(named[:5])}"
            if named
            else "carries no signature"
        )
    return Refusal(document.piece.origin, reason, document.piece.step_hint, claimed, predicate)
