"""Principals: whom a threshold counts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Principal:
    """One signer that counts once, however many keys or signatures stand for it.

    `kind` is "person" (declared in the policy), or "key" (its key material) where nobody is declared; `identity` is
    the person's name or the SHA-256 of the key material. `label` is for people and never compared.
    """

    kind: str
    identity: str
    label: str = ""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Principal) and (self.kind, self.identity) == (other.kind, other.identity)

    def __hash__(self) -> int:
        return hash((self.kind, self.identity))

    def __str__(self) -> str:
        return self.label or self.identity[:12]
