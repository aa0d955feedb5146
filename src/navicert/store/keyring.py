"""Who may have signed evidence: keys and identities of the layouts that were met so far, and the roots they trust."""

from __future__ import annotations

from navicert.crypto.key import Key
from navicert.model.layout import Layout
from navicert.verify.authority import Authority

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from navicert.crypto.certificate_key import CertificateRoots
    from navicert.model.identity import Identity, IdentityPolicy


class Keyring:
    """The keys, identities and roots of some layouts; `len` grows when a layout brings further ones."""

    def __init__(self) -> None:
        self.keys: dict[Key, None] = {}
        self.identities: list[IdentityPolicy] = []
        self.roots: list[CertificateRoots] = []

    def enter(self, layout: Layout, authority: Authority) -> None:
        """Take in those of a layout, whose authority is `authority`."""
        # Each for itself: two layouts may know different subkeys of one GPG key.
        self.keys |= dict.fromkeys(member for key in authority.keys.values() for member in key.members)
        self.identities += [one for step in layout.steps for one in step.identities if one not in self.identities]
        if authority.roots is not None:
            self.roots.append(authority.roots)

    def means(self, identities: Iterable[Identity]) -> bool:
        """Whether a layout names one of `identities`: what others sign leads nowhere, whoever vouches for them."""
        return any(wanted.accepts(one) for one in identities for wanted in self.identities)

    def __len__(self) -> int:
        return len(self.keys) + len(self.identities) + len(self.roots)
