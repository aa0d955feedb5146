"""Certificates that came with the signatures of a document.

Anybody can attach any certificate; one that no root of a layout vouches for, at whatever moment, is left aside here.
Whether one counts, for which step and at which moment, is judged later. Spec: ITE-7.
"""

from __future__ import annotations

from navicert.crypto.certificate_key import CertificateKey, CertificateRoots
from navicert.envelope.document import Sealed
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

MOST: Final = 16
"""Certificates of one document that are looked at; each may cost some signature checks."""


def certified_keys(sealed: Sealed, roots: Sequence[CertificateRoots]) -> dict[int, CertificateKey]:
    """The key of each certificate that one of `roots` vouches for, by the number of its signature in `sealed`."""
    found: dict[int, CertificateKey] = {}
    looked_at = 0
    for index, signature in enumerate(sealed.signatures if roots else ()):
        text = signature.certificate
        if type(text) is not str:
            continue
        looked_at += 1
        if looked_at > MOST:
            break
        try:
            key = CertificateKey.read(text, signature.keyid)
        except Malformed:
            continue  # the signature is then nobody's, and the near miss says so
        if any(one.known(key.holder) for one in roots):
            found[index] = key
    return found
