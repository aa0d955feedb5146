"""Signed certificate timestamps: that a public log has seen a certificate before it was used.

Spec: RFC 6962 §3.2 and §3.3 (embedded in the certificate).
"""

from __future__ import annotations

import hashlib

from navicert.crypto.certificate import Certificate
from navicert.dataclass import dataclass, field
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class CertificateTimestamp:
    """That the log `log_id` promised at `moment` (UTC) to enter a certificate; `signature` is over `message`."""

    log_id: bytes
    moment: datetime
    signature: bytes = field(repr=False)
    message: bytes = field(repr=False)


def timestamps_of(certificate: Certificate, issuer: Certificate) -> tuple[CertificateTimestamp, ...]:
    """The timestamps in `certificate`, which `issuer` issued; none where it carries none. Raises `Malformed`."""
    from datetime import UTC

    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.x509.certificate_transparency import LogEntryType, Version

    loaded = certificate.loaded
    found: list[CertificateTimestamp] = []
    try:
        for extension in loaded.extensions:
            if not isinstance(extension.value, x509.PrecertificateSignedCertificateTimestamps):
                continue
            # What the log saw is the certificate without its promise, and the key that was to issue it.
            body = hashlib.sha256(issuer.key.material).digest() + _counted(loaded.tbs_precertificate_bytes, 3)
            for sct in extension.value:
                if sct.version is not Version.v1 or sct.entry_type is not LogEntryType.PRE_CERTIFICATE:
                    raise Malformed("a certificate timestamp of an unknown kind")
                if not isinstance(sct.signature_hash_algorithm, SHA256):
                    raise Malformed("a certificate timestamp signed in an unknown way", expected="SHA-256")
                moment = sct.timestamp.replace(tzinfo=UTC)
                message = b"\x00\x00" + _milliseconds(moment) + b"\x00\x01" + body + _counted(sct.extension_bytes, 2)
                found.append(CertificateTimestamp(sct.log_id, moment, sct.signature, message))
    except (ValueError, TypeError, UnsupportedAlgorithm, OverflowError) as error:
        raise Malformed("bad certificate timestamp", got=str(error)[:120]) from error
    return tuple(found)


def _milliseconds(moment: datetime) -> bytes:
    from datetime import UTC, datetime, timedelta

    return ((moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)).to_bytes(8, "big")


def _counted(raw: bytes, size: int) -> bytes:
    """`raw` after its length in `size` bytes. Spec: RFC 5246 §4.3 (vectors)."""
    return len(raw).to_bytes(size, "big") + raw
