"""What was recorded for the steps of a layout: every link by who may sign for it, and what vouches for them.

Where a sublayout holds that stands for a step, the links of the step that made its products are those of that step:
who signed the sublayout says how the step is done, who signed a link below it did it.
"""

from __future__ import annotations

from navicert.crypto.key import Key
from navicert.dataclass import dataclass, replace
from navicert.envelope.body import Body
from navicert.envelope.document import Verified
from navicert.errors import Malformed
from navicert.model.layout import Layout, Step
from navicert.model.principal import Principal
from navicert.model.standing import making_step
from navicert.verdict import Verdict
from navicert.verify.authority import Authority
from navicert.verify.case import Case
from navicert.verify.evidence import Claim, claim_of
from navicert.verify.signing_time import signing_times

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from navicert.model.identity import Identity


@dataclass(frozen=True, slots=True)
class Recorded:
    """One link of a step, by functionaries who may sign for it: `keys`, those of certificates among them, `identities`,
    and whom they count for. `beside` are other steps of its sublayout that they may sign for."""

    claim: Claim
    keys: tuple[Key, ...]
    principals: frozenset[Principal]
    origin: str
    digest: str
    identities: tuple[Identity, ...] = ()
    beside: tuple[str, ...] = ()


def recorded_of(case: Case, layout: Layout, authority: Authority, verdict: Verdict) -> Iterator[Recorded]:
    """The links of every step, those of sublayouts that hold included."""
    held = frozenset(path for path, check in verdict.root.walk() if check.id == "sublayout" and check.outcome.passes)
    yield from _of_layout(case, layout, authority, held, verdict.root.name)


def _of_layout(
    case: Case, layout: Layout, authority: Authority, held: frozenset[str], place: str
) -> Iterator[Recorded]:
    """The links for the layout whose checks stand at `place`; `held` are the places of sublayouts that hold."""
    steps = {step.name: step for step in layout.steps if step.predicate is None}
    allowed = {name: authority.authorised(step) for name, step in steps.items()}
    for exhibit in case.evidence:
        document = exhibit.document
        if case.revoked.denies_document(document) is not None:
            continue
        if isinstance(document.body, Layout):
            # Where several have one origin, the check is called by the digest too.
            for step in steps.values() if held else ():
                for label in (document.origin, f"{document.origin} {document.digest}"):
                    below = f"{place}/step[{step.name}]/sublayout[{label}]"
                    if below in held and any(_signers(case, authority, step, allowed[step.name], document)):
                        yield from _of_sublayout(case, step, document.body, held, below)
            continue
        try:
            claim = claim_of(document.body)
        except Malformed:
            continue  # the verdict has said so already, as a near miss
        if claim is None or claim.name not in steps:
            continue
        keys, meant = _signers(case, authority, steps[claim.name], allowed[claim.name], document)
        if keys or meant:
            principals = frozenset([*map(authority.principal, keys), *filter(None, map(authority.identified, meant))])
            yield Recorded(claim, keys, principals, document.origin, str(document.digest), meant)


def _of_sublayout(case: Case, step: Step, inner: Layout, held: frozenset[str], place: str) -> Iterator[Recorded]:
    """The links of the step of `inner` that made its products, as those of `step`."""
    authority, making = Authority.of(inner, case.principals), making_step(inner)
    for one in _of_layout(case, inner, authority, held, place):
        if one.claim.name == making:
            beside = tuple(
                other.name
                for other in inner.steps
                if other.name != making and may_sign(authority, other, one.keys, one.identities, case.at)
            )
            yield replace(one, claim=replace(one.claim, name=step.name), beside=(*one.beside, *beside))


def _signers(
    case: Case, authority: Authority, step: Step, allowed: Collection[Key], document: Verified[Body]
) -> tuple[tuple[Key, ...], tuple[Identity, ...]]:
    """Who signed a document and may sign for `step`: the keys that are `allowed`, those of certificates that may, and
    identities."""
    keys = tuple(
        key
        for key in document.signers
        if key in allowed
        and not any(case.revoked.denies_key(one) or one.expired(case.at) for one in authority.with_master(key))
        and authority.principal(key).identity not in case.revoked.identities
    )
    meant = tuple(
        one
        for one in document.identities
        if any(wanted.accepts(one) for wanted in step.identities)
        and not case.revoked.denies_identity(one)
        and (who := authority.identified(one)) is not None
        and who.identity not in case.revoked.identities
    )
    return (*keys, *_holders(case, authority, step, document)), meant


def _holders(case: Case, authority: Authority, step: Step, document: Verified[Body]) -> Iterator[Key]:
    """The keys of certificates whose holders may sign for `step`: when they did, as far as that is proved, or now."""
    for key in document.signers:
        if not key.certified or case.revoked.denies_holder(key.names.all) or case.revoked.denies_key(key):
            continue
        if authority.principal(key).identity in case.revoked.identities:
            continue
        moments = (*(time.at for time in signing_times(document, key, case)), case.at)
        denied = case.revoked.denies_certificate
        if any(not authority.objection(step, key, moment, denied) for moment in moments):
            yield key


def may_sign(
    authority: Authority, step: Step, keys: Collection[Key], identities: Collection[Identity], at: datetime
) -> bool:
    """Whether any of `keys` and `identities`, or whom they stand for, may sign for `step`."""
    mine = {authority.principal(key) for key in keys} | set(filter(None, map(authority.identified, identities)))
    if not mine.isdisjoint(authority.principal(key) for key in authority.authorised(step)):
        return True
    if any(wanted.accepts(one) for wanted in step.identities for one in identities):
        return True
    theirs = [own for who in mine if who.kind == "person" for own in authority.identities.get(who.identity, ())]
    if any(own.may_meet(wanted) for own in theirs for wanted in step.identities):
        return True
    return any(not authority.objection(step, key, moment) for key in keys for moment in _moments(key, at))


def _moments(key: Key, at: datetime) -> tuple[datetime, ...]:
    """For which moments the holder of a certificate is asked whether she may sign; none for another key. What she
    could sign while it was valid, she could sign beside what she did."""
    from navicert.crypto.certificate_key import CertificateKey

    return (at, key.holder.not_before, key.holder.not_after) if isinstance(key, CertificateKey) else ()
