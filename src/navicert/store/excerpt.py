"""An excerpt of stores: the evidence by which one chain holds, without what merely lay beside it."""

from __future__ import annotations

from navicert.limits import LOCAL, Limits
from navicert.model.layout import Layout
from navicert.store import Indexed, Piece, PieceSource, Source
from navicert.store.gather import Gathered, gather
from navicert.store.hint import filing_of, of_body
from navicert.store.pack import Pack
from navicert.store.trail import Trail, digests_of
from navicert.verdict import Outcome, Verdict
from navicert.verify.case import Case, Exhibit, Policy, Target
from navicert.verify.evaluate import evaluate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from navicert.crypto.certification import CertificateAuthority
    from navicert.verify.keyless import Keyless


def excerpt(
    policy: Policy,
    sources: Sequence[Source],
    *,
    at: datetime,
    target: Target | None = None,
    run_id: str | None = None,
    limits: Limits = LOCAL,
    keyless: Keyless | None = None,
    timestamp_authorities: tuple[CertificateAuthority, ...] = (),
) -> tuple[Gathered, Verdict]:
    """The evidence for `policy` in `sources`, and the verdict by it, without running inspections. Of stores with an
    index just the chain of `target` or of the run, if it holds by that alone.

    Raises `Malformed` and `Unavailable` as `gather` does.
    """
    indexed = [source for source in sources if isinstance(source, Indexed)]
    layout = None if policy.verified is None else policy.verified.body
    if isinstance(layout, Layout) and len(indexed) == len(sources) and (target is not None or run_id is not None):
        seeds = () if target is None else digests_of(target)
        trail = Trail(layout, indexed, seeds=seeds, run_id=run_id, limits=limits, keyless=keyless)
        for _ in trail.documents():
            pass  # walked for what it follows
        followed = [document.piece for document in trail.followed]
        found, verdict = judged(
            policy,
            followed,
            at=at,
            target=target,
            run_id=run_id,
            limits=limits,
            keyless=keyless,
            timestamp_authorities=timestamp_authorities,
        )
        if holds(verdict):
            return found, verdict
    found = gather(policy, sources, target=target, run_id=run_id, limits=limits, keyless=keyless)
    return found, _verdict(policy, found, at, target, run_id, limits, keyless, timestamp_authorities)


def pack_of(policy: Policy, exhibits: Sequence[Exhibit]) -> Pack:
    """The layout and what verified by whom a layout names; near misses stay behind."""
    layouts = [one.document.body for one in exhibits if isinstance(one.document.body, Layout)]
    if policy.verified is not None and isinstance(policy.verified.body, Layout):
        layouts.append(policy.verified.body)
    named = [wanted for layout in layouts for step in layout.steps for wanted in step.identities]
    filings = []
    for exhibit in exhibits:
        document = exhibit.document
        if not document.signers and not any(one.accepts(who) for one in named for who in document.identities):
            continue  # somebody has signed it, who is nobody here
        raw = exhibit.document.sealed.raw
        keyids = tuple(one.keyid for one in exhibit.document.sealed.signatures if one.keyid)
        piece = Piece(exhibit.document.origin, raw, None, exhibit.step, exhibit.scope)
        filings.append(filing_of(piece, raw, of_body(exhibit.document.body, keyids)))
    return Pack(policy.sealed.raw, tuple(filings))


def judged(
    policy: Policy,
    pieces: Sequence[Piece],
    *,
    at: datetime,
    target: Target | None = None,
    run_id: str | None = None,
    limits: Limits = LOCAL,
    keyless: Keyless | None = None,
    timestamp_authorities: tuple[CertificateAuthority, ...] = (),
) -> tuple[Gathered, Verdict]:
    """What `pieces` are to `policy`, and the verdict by them alone."""
    found = gather(policy, [PieceSource(pieces)], limits=limits, keyless=keyless)
    return found, _verdict(policy, found, at, target, run_id, limits, keyless, timestamp_authorities)


def _verdict(
    policy: Policy,
    found: Gathered,
    at: datetime,
    target: Target | None,
    run_id: str | None,
    limits: Limits,
    keyless: Keyless | None,
    timestamp_authorities: tuple[CertificateAuthority, ...],
) -> Verdict:
    return evaluate(
        Case(
            policy,
            at,
            found.exhibits,
            found.refused,
            target=target,
            run_id=run_id,
            timestamp_authorities=timestamp_authorities,
            root=None if keyless is None else keyless.used,
            claims=found.claims,
            limits=limits,
        )
    )


def holds(verdict: Verdict) -> bool:
    """Whether a chain holds, as far as that is known while its inspections have not been run."""
    return verdict.passed or verdict.outcome is Outcome.PENDING
