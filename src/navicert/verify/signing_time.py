"""When a signature existed, as far as somebody trusted says so.

A key or certificate that was good then is good for that signature, whatever has become of it since. Spec: RFC 3161;
ITE-7 leaves the moment open.
"""

from __future__ import annotations

from navicert.crypto.key import Key
from navicert.envelope.body import Body
from navicert.envelope.document import Verified
from navicert.envelope.timestamp import timestamps_of
from navicert.model.moment import TrustedTime
from navicert.verify.case import Case
from navicert.verify.timestamp import judge_timestamp


def signing_times(document: Verified[Body], key: Key, case: Case) -> tuple[TrustedTime, ...]:
    """The moments at which the signature of `document` by `key` is proved to have existed: by timestamps of authorities
    of `case` that came with it, up to the moment that is judged for."""
    if not case.timestamp_authorities or key not in document.signers:
        return ()
    proof = document.proofs[document.signers.index(key)]
    found: dict[TrustedTime, None] = {}
    # The same signature may stand there twice, once without its timestamps.
    for signature in document.sealed.signatures:
        if signature.value != proof.value:
            continue
        for raw in timestamps_of(signature):
            _, time = judge_timestamp(raw, case.timestamp_authorities, proof.value, document.origin)
            if time is not None and time.at <= case.at:
                found[time] = None
    return tuple(found)
