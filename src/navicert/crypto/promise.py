"""Signed entry timestamps: a log's promise that it has entered something at a certain moment.

Spec: sigstore/rekor, types.md (signed over the canonical JSON of body, integratedTime, logID and logIndex).
"""

from __future__ import annotations

import binascii

from navicert.crypto.key import Key
from navicert.model.log_entry import LogEntry
from navicert.strictjson import canonical


def promised(entry: LogEntry) -> bytes:
    """What the promise of `entry` is a signature over."""
    return canonical(
        {
            "body": binascii.b2a_base64(entry.body, newline=False).decode("ascii"),
            "integratedTime": entry.integrated,
            "logID": entry.log_id.hex(),
            "logIndex": entry.index,
        }
    )


def keeps_promise(entry: LogEntry, key: Key) -> bool:
    """Whether the log with `key` promised `entry` as it is here."""
    return entry.promise is not None and entry.integrated is not None and key.verify(entry.promise, promised(entry))
