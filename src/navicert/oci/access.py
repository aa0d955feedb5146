"""How a registry is reached: what the user decides about it, as one value."""

from __future__ import annotations

import os

from navicert.dataclass import dataclass, field
from navicert.oci.address import ANY_REGISTRY, Zone
from navicert.oci.credential import Anonymous, CredentialFiles, Keychain
from navicert.oci.proxy import Proxies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Access:
    """Where credentials come from, whom TLS trusts, and what lies between.

    `ca_file`: certificate authorities in PEM that are trusted beside the system's. `insecure`: without TLS, or with a
    certificate that nobody checks; only ever for a registry on this machine. `realms`: further hosts that may be shown
    a registry's credentials in exchange for a token (see `navicert.oci.auth`). `zones`: where registries may be.
    """

    keychain: Keychain = field(default_factory=Anonymous)
    ca_file: str = ""
    insecure: bool = False
    proxies: Proxies = field(default_factory=Proxies)
    realms: frozenset[str] = frozenset()
    zones: frozenset[Zone] = ANY_REGISTRY

    @staticmethod
    def from_environment(
        environment: Mapping[str, str] = os.environ, *, ca_file: str = "", insecure: bool = False
    ) -> Access:
        """The usual credential files, and the proxies that the environment names. Nothing else is taken from it."""
        return Access(
            CredentialFiles.from_environment(environment),
            ca_file,
            insecure,
            Proxies.from_environment(environment),
        )
