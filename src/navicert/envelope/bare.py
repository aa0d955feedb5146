"""A statement without an envelope: what BuildKit puts into the index of an image, signed by nobody.

Spec: BuildKit, attestation-storage.md; in-toto attestation framework, spec/v1/statement.md.
"""

from __future__ import annotations

from navicert.limits import LOCAL, Limits
from navicert.model.statement import Statement
from navicert.strictjson import loads

_ENVELOPES = frozenset({"payload", "signed"})


def bare_statement(raw: bytes, limits: Limits = LOCAL) -> Statement | None:
    """The statement that `raw` is; None where it is something else, such as a statement in an envelope. Raises
    `Malformed` for what is not JSON, and for a statement that is none."""
    # Only what could be one is read: links of any size come this way too.
    if b'"predicateType"' not in raw:
        return None
    value = loads(raw, limits)
    if not isinstance(value, dict) or not _ENVELOPES.isdisjoint(value) or "predicateType" not in value:
        return None
    return Statement.from_json(value)
