"""What an evidence store hands out, and what a store is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Piece:
    """One file of a store that may be evidence: its bytes, or the problem that kept them from being read.

    `step` is the step that its name says it is for, `scope` the sublayout folders that it lies in (each
    `{step}.{keyid8}`): unsigned hints both.
    """

    origin: str
    raw: bytes | None
    problem: str = ""
    step: str | None = None
    scope: tuple[str, ...] = ()


class Store(Protocol):
    """Where evidence is kept."""

    def pieces(self) -> Iterator[Piece]:
        """Everything that may be evidence, in a fixed order; what cannot be read too, with its problem."""
