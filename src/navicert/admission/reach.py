"""Reaching registries: connections that are kept, and how far a policy lets an image lead them.

Whoever names an image names the machine that is connected to. A registry that some policy names may be anywhere; one
that only a pattern for every host covers must be on a public address.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final

from navicert.admission.limits import WEBHOOK
from navicert.admission.policy import PolicyDocument
from navicert.dataclass import dataclass, field, replace
from navicert.limits import Limits
from navicert.oci.access import Access
from navicert.oci.address import ANY_REGISTRY, Zone
from navicert.oci.credential import Keychain
from navicert.oci.reference import Reference
from navicert.oci.registry import Registry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_KEPT: Final = 64
"""Registries whose connections are kept."""


@dataclass(frozen=True, slots=True)
class Way:
    """How one registry is reached: at addresses in which `zones`, and with `credentials` of a workload (`identity`
    tells them apart) instead of the webhook's own."""

    registry: str
    zones: frozenset[Zone]
    identity: str = ""
    credentials: Keychain | None = field(default=None, compare=False, repr=False)

    @staticmethod
    def to(registry: str, policies: Iterable[PolicyDocument]) -> Way:
        """The way to `registry` for what `policies` speak about."""
        zones = {Zone.PUBLIC}
        for policy in policies:
            if registry in _named(policy):
                # A namespace may name what its cluster can reach, but not the machine that the webhook runs on.
                trusted = policy.from_file or not policy.namespace
                zones |= ANY_REGISTRY if trusted else {Zone.PRIVATE}
        return Way(registry, frozenset(zones))

    def with_credentials(self, identity: str, credentials: Keychain) -> Way:
        """The same way, with the credentials of a workload."""
        return Way(self.registry, self.zones, identity, credentials)


def _named(policy: PolicyDocument) -> set[str]:
    """The registries that `policy` names one by one."""
    places = [Reference.parse(source.repository) for source in policy.evidence if source.repository]
    places += [policy.layout.image] if policy.layout.image is not None else []
    return {pattern.registry for pattern in policy.images} | {place.registry for place in places}


class Reach:
    """Registries by the way to them. Thread-safe; closed by `close`."""

    def __init__(self, access: Access, limits: Limits = WEBHOOK) -> None:
        self._access = access
        self._limits = limits
        self._kept: OrderedDict[Way, Registry] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def keychain(self) -> Keychain:
        """The webhook's own credentials."""
        return self._access.keychain

    def registry(self, way: Way) -> Registry:
        """The registry at the end of `way`."""
        with self._lock:
            found = self._kept.get(way)
            if found is None:
                access = replace(self._access, zones=way.zones)
                if way.credentials is not None:
                    access = replace(access, keychain=way.credentials)
                found = self._kept[way] = Registry(way.registry, access, self._limits)
            self._kept.move_to_end(way)
            gone = [self._kept.popitem(last=False)[1] for _ in range(len(self._kept) - _KEPT)]
        for registry in gone:
            registry.close()
        return found

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            kept, self._kept = list(self._kept.values()), OrderedDict()
        for registry in kept:
            registry.close()
