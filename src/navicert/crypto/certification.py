"""Certificates that are vouched for: the way up to an authority, at a moment.

A chain is looked for among the certificates of the authority and those that came with the evidence; the latter are
anybody's word, and help only where they lead up to the authority. Spec: RFC 5280 §6, as far as authorities of Sigstore
use it: what is not understood and critical refuses.
"""

from __future__ import annotations

from navicert.crypto.certificate import ANY_PURPOSE, CODE_SIGNING, TIME_STAMPING, Certificate, identity_of
from navicert.crypto.key import Key
from navicert.dataclass import dataclass, field
from navicert.model.identity import Identity
from navicert.model.moment import TrustedTime
from navicert.timestamp import format_timestamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from typing import Final

MOST_LINKS: Final = 8
"""Certificates of one way from a leaf to its authority."""

MOST_STEPS: Final = 64
"""Signatures checked in search of one way; each costs up to a millisecond."""


@dataclass(frozen=True, slots=True)
class Window:
    """From when until when something of a trust root holds: aware, both ends included, no end where it is None."""

    start: datetime
    end: datetime | None = None

    def holds(self, moment: datetime) -> bool:
        """Whether `moment` is inside."""
        return self.start <= moment and (self.end is None or moment <= self.end)

    def __str__(self) -> str:
        return f"from {format_timestamp(self.start)} until " + (
            "now" if self.end is None else format_timestamp(self.end)
        )


@dataclass(frozen=True, slots=True)
class CertificateAuthority:
    """An authority that a trust root names: its chain, from whoever signs down here to the anchor (last), and when it
    holds."""

    name: str
    chain: tuple[Certificate, ...]
    window: Window

    @property
    def anchor(self) -> Certificate:
        """The certificate that is believed without proof."""
        return self.chain[-1]


def authority_of_pem(text: str, name: str) -> CertificateAuthority:
    """The authority whose certificates are in PEM, in any order: the one that signed itself, else the last, is believed
    without proof, as long as it is valid. Raises `Malformed`."""
    found = list(Certificate.read_pem(text))
    anchor = next((one for one in found if one.loaded.subject == one.issuer), found[-1])
    found.remove(anchor)
    return CertificateAuthority(name, (*found, anchor), Window(anchor.not_before, anchor.not_after))


@dataclass(frozen=True, slots=True)
class Way:
    """The certificates from a leaf up to an anchor; none where `problem` says why there is no such way."""

    chain: tuple[Certificate, ...] = ()
    problem: str = ""


def find_way(
    leaf: Certificate,
    authorities: Sequence[CertificateAuthority],
    moment: datetime,
    purpose: str,
    others: Sequence[Certificate] = (),
) -> Way:
    """The way from `leaf` to one of `authorities` that held at `moment`, for `purpose`; `others` came with it."""
    problem = _unfit(leaf, moment, purpose)
    if problem:
        return Way((), problem)
    if not authorities:
        return Way((), "the trust root names no certificate authority")
    problems: list[str] = []
    elsewhen: list[str] = []
    for authority in authorities:
        if not authority.window.holds(moment):
            elsewhen.append(f"{authority.name} held {authority.window} only")
            continue
        pool = tuple(dict.fromkeys([*authority.chain, *others]))
        for chain in ways(leaf, pool, authority.anchor):
            objection = _objection(chain, moment, purpose)
            if not objection:
                return Way(chain)
            problems.append(objection)
    if not problems and len(elsewhen) < len(authorities):
        problems = ["no certificate authority of the trust root issued it"]
    return Way((), "; ".join(dict.fromkeys((problems or elsewhen)[:3])))


def ways(leaf: Certificate, pool: Sequence[Certificate], anchor: Certificate) -> Iterator[tuple[Certificate, ...]]:
    """Every chain from `leaf` up to `anchor`, each link signed by the next, as far as `MOST_STEPS` steps find them:
    a mesh of certificates that all sign each other has more ways than anybody can walk."""
    steps = 0
    stack: list[tuple[Certificate, ...]] = [(leaf,)]
    while stack:
        chain = stack.pop()
        if chain[-1] == anchor:
            yield chain
            continue
        for issuer in pool if len(chain) < MOST_LINKS else ():
            if issuer in chain or issuer.loaded.subject != chain[-1].issuer:
                continue
            steps += 1
            if steps > MOST_STEPS:
                return
            if chain[-1].issued_by(issuer):
                stack.append((*chain, issuer))


def _objection(chain: Sequence[Certificate], moment: datetime, purpose: str) -> str:
    """Why `chain` must not be relied on; empty where nothing is wrong with it."""
    for below, certificate in enumerate(chain[1:]):
        who = f"the certificate of {certificate.subject}"
        if not certificate.valid_at(moment):
            return f"{who} was not valid at {format_timestamp(moment)}"
        if not certificate.is_ca or not certificate.may_certify:
            return f"{who} may not issue certificates"
        if certificate.path_length is not None and below > certificate.path_length:
            return f"{who} may not stand so far above"
        if certificate.purposes is not None and not certificate.purposes & {purpose, ANY_PURPOSE}:
            return f"{who} is for other purposes"
        if certificate.unknown_critical:
            return f"{who} has a critical extension that is not understood, {certificate.unknown_critical[0]}"
    return ""


def _unfit(leaf: Certificate, moment: datetime, purpose: str) -> str:
    """Why `leaf` itself must not be relied on."""
    if not leaf.valid_at(moment):
        dates = f"from {format_timestamp(leaf.not_before)} until {format_timestamp(leaf.not_after)}"
        return f"it was valid {dates}, not at {format_timestamp(moment)}"
    if leaf.is_ca:
        return "it is the certificate of an authority"
    if not (leaf.may_stamp if purpose == TIME_STAMPING else leaf.may_sign):
        return "its key may not sign (key usage)"
    if leaf.unknown_critical:
        return f"it has a critical extension that is not understood, {leaf.unknown_critical[0]}"
    if purpose == TIME_STAMPING and (leaf.purposes != frozenset({TIME_STAMPING}) or not leaf.purposes_critical):
        # Spec: RFC 3161 §2.3: this purpose, critical, and no other.
        return "it is not for timestamps alone (extended key usage)"
    if leaf.purposes is None or purpose not in leaf.purposes:
        return "it is for other purposes (extended key usage)"
    return ""


class _Token:
    """Only this module holds one, so only `certify` makes a `Certified`."""


_TOKEN: Final = _Token()


@dataclass(frozen=True, slots=True)
class Certified:
    """The key of a certificate that was valid at each of `times`, and who it names. `chain` is the way up, the
    certificate itself first."""

    key: Key
    identity: Identity
    times: tuple[TrustedTime, ...]
    chain: tuple[Certificate, ...] = field(repr=False)
    _token: _Token = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        if self._token is not _TOKEN or not self.times:
            raise TypeError("a Certified comes from certify only")


def certify(
    leaf: Certificate,
    authorities: Sequence[CertificateAuthority],
    times: Sequence[TrustedTime],
    others: Sequence[Certificate] = (),
) -> tuple[Certified | None, tuple[tuple[TrustedTime, Way], ...]]:
    """The certified key of `leaf`, None where there was no way to an authority at even one of `times` or there are no
    times; and what was found for each. Raises `Malformed` for a certificate that names no identity."""
    found = tuple((time, find_way(leaf, authorities, time.at, CODE_SIGNING, others)) for time in times)
    identity = identity_of(leaf)
    if not found or any(way.problem for _, way in found):
        return None, found
    return Certified(leaf.key, identity, tuple(times), found[0][1].chain, _TOKEN), found
