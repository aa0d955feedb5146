"""The form of what the catalogue says about one check."""

from __future__ import annotations

from navicert.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One check: what it means, the sentence that asks for it, the likely cause of a failure, and the remedy."""

    meaning: str
    spec: str
    cause: str
    remedy: str
