"""Logs of certificates: that a certificate was seen in public before it was used.

Spec: RFC 6962 §3.2.
"""

from __future__ import annotations

from navicert.crypto.certificate import Certificate
from navicert.crypto.sct import CertificateTimestamp, timestamps_of
from navicert.crypto.trusted_root import TrustedRoot
from navicert.errors import Malformed
from navicert.timestamp import format_timestamp
from navicert.verdict import Check, failed, passed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def judge_sct(
    leaf: Certificate, chain: Sequence[Certificate], root: TrustedRoot, where: str, unsupported: str = ""
) -> Check:
    """That a log of certificates, which `root` names, has seen `leaf`; `chain` goes from `leaf` up to an authority.
    `unsupported` is said where no log is known, for people."""
    try:
        stamps = timestamps_of(leaf, chain[1]) if len(chain) > 1 else ()
    except Malformed as error:
        return failed("bundle.sct", where, str(error))
    problems = [_unseen(stamp, root) for stamp in stamps]
    known = [problem for problem in problems if problem is not None]
    if not stamps:
        return failed("bundle.sct", where, "no log of certificates has seen its certificate")
    if not known:
        return failed("bundle.sct", where, f"seen by no log of certificates that the trust root names{unsupported}")
    if any(known):
        return failed("bundle.sct", where, next(problem for problem in known if problem))
    seen = next(stamp for stamp, problem in zip(stamps, problems, strict=True) if problem is not None)
    return passed("bundle.sct", where, f"its certificate was seen by a log at {format_timestamp(seen.moment)}")


def _unseen(stamp: CertificateTimestamp, root: TrustedRoot) -> str | None:
    """Why `stamp` does not hold, empty where it does; None where the trust root does not name its log."""
    logs = [log for log in root.ctlogs if log.id == stamp.log_id]
    if not logs:
        return None
    signed = [log for log in logs if log.key.verify(stamp.signature, stamp.message)]
    if not signed:
        return f"the promise of {logs[0].name} is not about this certificate"
    if not any(log.window.holds(stamp.moment) for log in signed):
        return f"the key of {signed[0].name} held {signed[0].window}, not at {format_timestamp(stamp.moment)}"
    return ""
