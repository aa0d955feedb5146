"""`--revoke`: what is denied at once, by digest, key or person."""

from __future__ import annotations

import re

from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from navicert.verify.case import Revocations


def revocations(given: Sequence[str]) -> Revocations:
    """What `--revoke` denies: `alg:hex` is a digest, 64 hex digits are a key (40 a GPG key), all else is a person."""
    from navicert.digest import STRONG, Digest
    from navicert.verify.case import Revocations

    digests, keys, identities = set(), set(), set()
    for text in given:
        if text.partition(":")[0] in STRONG:
            try:
                digests.add(str(Digest.parse(text)))
            except Malformed as error:
                raise error.at("--revoke") from None
        elif re.fullmatch(r"[0-9a-fA-F]{64}|[0-9a-fA-F]{40}", text):
            keys.add(text.lower())
        elif re.fullmatch(r"[0-9a-fA-F]{8,}", text) or not text:
            # Taken for a person, it would deny nobody and nobody would notice.
            raise Malformed("not a key id", path="--revoke", expected="64 or 40 hex digits", got=repr(text[:80]))
        else:
            identities.add(text)
    return Revocations(frozenset(digests), frozenset(keys), frozenset(identities))
