"""Gathering evidence for a policy: what its stores hold, sorted into what verifies and what does not.

The owner's signature comes first; then documents signed with the policy's keys; then, through sublayouts that verify,
documents signed with theirs. Nothing is judged here, and nothing is left out silently: what does not count is a refusal
with its reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from navicert.crypto.key import Key
from navicert.envelope.body import Body
from navicert.envelope.document import Sealed, Verified, open_document, peek
from navicert.errors import Malformed
from navicert.limits import LOCAL, Limits
from navicert.model.layout import Layout
from navicert.model.link import Link
from navicert.store import Piece, Store
from navicert.verify.authority import Authority
from navicert.verify.case import Exhibit, Policy, Refusal


@dataclass(frozen=True, slots=True)
class Gathered:
    """What was found: evidence that verified, and near misses."""

    exhibits: tuple[Exhibit, ...] = ()
    refused: tuple[Refusal, ...] = ()


@dataclass(slots=True)
class _Opened:
    """One document on its way: opened, and verified by more keys as sublayouts bring them."""

    piece: Piece
    sealed: Sealed
    verified: Verified[Body] | None = None
    followed: bool = False
    problem: str = ""
    memo: dict[tuple[str, bytes, bytes], bool] = field(default_factory=dict)


def gather(policy: Policy, stores: Sequence[Store], *, limits: Limits = LOCAL) -> Gathered:
    """The evidence for `policy` in `stores`; nothing where its owners did not sign it.

    Raises `Malformed` for a bad key in the policy itself and `Unavailable` for a store that cannot be read.
    """
    if policy.verified is None or not isinstance(policy.verified.body, Layout):
        return Gathered()
    try:
        Authority.of(policy.verified.body)
    except Malformed as error:
        error.pointer = policy.sealed.pointer(error.pointer)
        raise error.at(policy.sealed.origin) from error
    opened, refused = _open(stores, limits)
    keys: dict[Key, None] = {}
    layouts = [policy.verified.body]
    while layouts:
        known = len(keys)
        for layout in layouts:
            # Each for itself: two layouts may know different subkeys of one GPG key.
            keys |= dict.fromkeys(member for key in Authority.of(layout).keys.values() for member in key.members)
        layouts = _verify(opened, tuple(keys)) if len(keys) > known else []
    exhibits = []
    for item in opened:
        if item.verified is not None:
            exhibits.append(Exhibit(item.verified, item.piece.step_hint, item.piece.scope))
        else:
            refused.append(_refusal(item))
    return Gathered(tuple(exhibits), tuple(refused))


def _open(stores: Iterable[Store], limits: Limits) -> tuple[list[_Opened], list[Refusal]]:
    opened: dict[tuple[object, ...], _Opened] = {}
    refused: list[Refusal] = []
    count = 0
    for store in stores:
        for piece in store.pieces():
            count += 1
            if count > limits.evidence_files:
                reason = f"not looked at: more than {limits.evidence_files} files (limit evidence_files)"
                refused.append(Refusal(piece.origin, reason, piece.step_hint))
                return list(opened.values()), refused
            if piece.raw is None:
                refused.append(Refusal(piece.origin, f"cannot be read: {piece.problem}", piece.step_hint))
                continue
            try:
                sealed = open_document(piece.raw, limits, path=piece.origin)
            except Malformed as error:
                refused.append(Refusal(piece.origin, f"cannot be read: {_bare(error)}", piece.step_hint))
                continue
            # Of the same bytes in several places one is enough: whichever store was asked first, the same one.
            identity = (sealed.digest, piece.step_hint, piece.scope)
            known = opened.get(identity)
            if known is None or piece.origin < known.piece.origin:
                opened[identity] = _Opened(piece, sealed)
    return list(opened.values()), refused


def _verify(opened: Iterable[_Opened], keys: Sequence[Key]) -> list[Layout]:
    """Verify what is not yet verified by all its signers; the sublayouts among it that are new."""
    layouts: list[Layout] = []
    for item in opened:
        if item.verified is not None and len(item.verified.signers) >= len(item.sealed.signatures):
            continue
        try:
            item.verified = item.sealed.verified_by(keys, memo=item.memo)
        except Malformed as error:
            item.problem = f"cannot be read: {_bare(error)}"
            continue
        if item.verified is not None and isinstance(item.verified.body, Layout) and not item.followed:
            item.followed = True
            try:
                Authority.of(item.verified.body)
            except Malformed:
                continue  # judged, and refused there with its reason, as a sublayout
            layouts.append(item.verified.body)
    return layouts


def _refusal(item: _Opened) -> Refusal:
    """Why a document that was opened does not count. What it claims of itself is said, never believed."""
    claimed = None
    reason = item.problem
    try:
        body = peek(item.sealed).body
        claimed = body.name if isinstance(body, Link) else None
    except Malformed as error:
        reason = reason or f"cannot be read: {_bare(error)}"
    if not reason:
        named = sorted({signature.keyid[:8] if signature.keyid else "(no id)" for signature in item.sealed.signatures})
        reason = (
            f"no valid signature by a key of the layout; it names {', '.join(named[:5])}"
            if named
            else "carries no signature"
        )
    return Refusal(item.piece.origin, reason, item.piece.step_hint, claimed)


def _bare(error: Malformed) -> str:
    """The error without the file name, which the refusal names already."""
    error.path = ""
    return str(error)
