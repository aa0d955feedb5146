"""Principals: whom a threshold counts."""

from __future__ import annotations

from navicert.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Principal:
    """One signer that counts once, however many keys or signatures stand for it.

    `kind` is "person" (declared in the policy); where nobody is declared "sigstore" (issuer and name of an identity
    without a key, see `navicert.model.identity`), or "key" (its key material). `identity` is the person's name, the
    canonical JSON of issuer and name, or the SHA-256 of the key material. `label` is for people and never compared.
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
