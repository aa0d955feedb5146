"""Timestamps of a signature by an authority that the trust root names.

Spec: RFC 3161 §2.3 (the certificate) and §2.4.2 (the token).
"""

from __future__ import annotations

from navicert.crypto.certificate import TIME_STAMPING, Certificate
from navicert.crypto.certification import CertificateAuthority, find_way
from navicert.crypto.timestamp_token import TimestampToken
from navicert.errors import Malformed
from navicert.model.moment import TrustedTime
from navicert.timestamp import format_timestamp
from navicert.verdict import Check, failed, note, passed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

_MOST_CARRIED: Final = 8
"""Certificates of one token that are looked at."""


def judge_timestamp(
    raw: bytes, authorities: Sequence[CertificateAuthority], stamped: bytes, where: str
) -> tuple[Check, TrustedTime | None]:
    """Whether `raw` is a timestamp of `stamped` by one of `authorities`, and the time where it is. One by nobody of
    them proves nothing and is noted; one that names a certificate of theirs must hold."""
    try:
        token = TimestampToken.read(raw)
        signers = _signers(token, authorities)
    except Malformed as error:
        return failed("bundle.timestamp", where, str(error)), None
    if not signers:
        reason = "the trust root names no authority that made it, so it proves nothing"
        return note("bundle.timestamp", where, reason), None
    problems = [_objection(token, certificate, authority, stamped) for authority, certificate in signers]
    if "" not in problems:
        return failed("bundle.timestamp", where, problems[0]), None
    authority = signers[problems.index("")][0]
    time = TrustedTime(token.moment, "timestamp", authority.name)
    return passed("bundle.timestamp", where, f"{format_timestamp(token.moment)} by {authority.name}"), time


def _signers(
    token: TimestampToken, authorities: Sequence[CertificateAuthority]
) -> list[tuple[CertificateAuthority, Certificate]]:
    """Authorities by which `token` may be, each with the certificate that the token names: the one in the trust root;
    one that came along only where the trust root leaves that open, and then its chain is judged."""
    found = []
    for authority in authorities:
        first = authority.chain[0]
        carried = [Certificate.read(raw) for raw in token.certificates[:_MOST_CARRIED]] if first.is_ca else [first]
        found += [(authority, certificate) for certificate in carried if token.names(certificate)]
    return found


def _objection(token: TimestampToken, signer: Certificate, authority: CertificateAuthority, stamped: bytes) -> str:
    """Why `token` is not a timestamp of `stamped` by `authority`; empty where it is."""
    if not token.signed_by(signer):
        return f"{authority.name} did not sign it"
    if not token.stamps(stamped):
        return "it is about other bytes than this signature"
    way = find_way(signer, (authority,), token.moment, TIME_STAMPING)
    return f"the certificate of {authority.name} does not hold: {way.problem}" if way.problem else ""
