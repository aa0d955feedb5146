"""Where evidence is kept: documents go in under their step's name, and come out as bytes that nobody vouches for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Piece:
    """One document as found in a store. Nothing about it is verified; where it lay is a hint, not evidence.

    Either `raw` is there, or `problem` says why it could not be read: what cannot be read is reported, never skipped.
    """

    origin: str
    """Where it was found, for people."""
    raw: bytes | None = field(repr=False)
    problem: str | None = None
    step_hint: str | None = None
    """The step that it is filed under."""
    scope: tuple[str, ...] = ()
    """The sublayout folders that it lay in, outermost first; empty for the chain itself."""


class Store(Protocol):
    """A place for evidence."""

    def put(self, step: str, keyid: str, raw: bytes) -> str:
        """Keep `raw`, the link or sublayout of `step` by the key `keyid`, in place of an earlier one by the same, and
        return where it is. Whole or not at all."""
        ...

    def pieces(self) -> Iterable[Piece]:
        """Every document in the store, in a stable order."""
        ...
