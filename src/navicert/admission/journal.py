"""The log of decisions: each on one line of JSON, with what it rested on."""

from __future__ import annotations

import json
from typing import Final

from navicert.admission.decision import Decision
from navicert.report.line import cut, escape
from navicert.timestamp import format_timestamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

_IMAGES: Final = 32
"""Rulings that one line names."""


def line_of(decision: Decision, hook: str, id: str, at: datetime, seconds: float) -> str:
    """The line for `decision`, without its end. Everything that a user wrote is escaped and bounded."""
    review = decision.review
    rulings = [
        {
            "image": one.image,
            "as": str(one.use),
            "policy": None if one.policy is None else one.policy.label,
            "mode": one.mode.value,
            "standing": one.judgement.standing.value,
            "layout": one.judgement.layout or None,
            "cause": None if one.judgement.cause is None else str(one.judgement.cause),
            "exception": None if one.exception is None else one.exception.name,
            "break-glass": one.broken_glass or None,
        }
        for one in decision.rulings[:_IMAGES]
    ]
    document = {
        "type": "navicert-decision/v1",
        "time": format_timestamp(at),
        "id": id,
        "hook": hook,
        "outcome": decision.outcome.value,
        "reason": decision.reason,
        "cause": None if decision.refusal is None else str(decision.refusal),
        "uid": cut(escape(review.uid), 100),
        "kind": cut(escape(str(review.kind)), 120),
        "subresource": cut(escape(review.subresource), 60) or None,
        "namespace": cut(escape(review.namespace), 63) or None,
        "name": cut(escape(review.name), 253) or None,
        "operation": review.operation,
        "user": cut(escape(review.user.name), 120) or None,
        "dry-run": review.dry_run,
        "milliseconds": round(seconds * 1000, 1),
        "rulings": [{name: value for name, value in one.items() if value is not None} for one in rulings],
        "more": max(0, len(decision.rulings) - _IMAGES) or None,
        "patched": len(decision.patch or ()) or None,
    }
    return json.dumps({name: value for name, value in document.items() if value is not None}, ensure_ascii=False)
