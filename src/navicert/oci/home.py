"""Where one registry is at home: its scheme, the zone that it is in, and how requests to it and from it may travel.

The registry itself keeps the zone that it was first found in. Where it leads, to storage or to a token service, may be
further out or in the same zone, and never further in.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from navicert import __version__
from navicert.dataclass import replace
from navicert.errors import Malformed, Refused
from navicert.limits import Limits
from navicert.oci.access import Access
from navicert.oci.address import Zone, literal_address, resolve, zone_of, zones_from
from navicert.oci.interruption import Interrupted
from navicert.oci.url import Scheme, Url

if TYPE_CHECKING:
    from navicert.oci.connection import Connections, Route

AGENT: Final = f"navicert/{__version__}"
"""What we call ourselves."""

_LOCAL: Final = frozenset({Zone.LOOPBACK})


class Home:
    """The place of the registry called `registry`, which answers at `host`. Thread-safe."""

    def __init__(self, registry: str, host: str, access: Access, limits: Limits, connections: Connections) -> None:
        self._registry = registry
        self._host = host
        self._access = access
        self._limits = limits
        self._connections = connections
        self._lock = threading.Lock()
        self._scheme: Scheme | None = None if access.insecure else "https"
        self._zone_lock = threading.Lock()
        self._zones: frozenset[Zone] | None = None

    def url(self, target: str) -> Url:
        """The address of a path of the registry."""
        return Url.at(self._base(), self._host, target)

    def at_home(self, location: str, path: str) -> Url:
        """The address that the registry means by `location` where it must not lead away: at its own origin, whatever
        scheme and port it states (proxies in front of registries mix them up). Raises `Refused` for another host."""
        home = self.url("/")
        try:
            url = home.join(location)
        except Malformed as error:
            raise Refused("registry names no usable address", path=path, got=error.got) from error
        if url.host != home.host:
            raise Refused(
                "registry leads to another host in the middle of a list or upload",
                path=path,
                expected=home.place,
                got=url.place,
            )
        return replace(home, target=url.target)

    def _base(self) -> Scheme:
        """How the registry is spoken to; an insecure one is asked which it understands."""
        with self._lock:
            if self._scheme is None:
                self._check_insecure()
                url = Url.at("https", self._host, "/v2/")
                try:
                    with self._connections.send("GET", url, {"User-Agent": AGENT}, self.route(url, self._host)) as it:
                        it.excerpt()
                    self._scheme = "https"
                except Interrupted:
                    self._scheme = "http"
            return self._scheme

    def _check_insecure(self) -> None:
        url = Url.at("https", self._host, "/")
        try:
            resolve(url.host.strip("[]"), url.port, _LOCAL, self._registry)
        except Refused as error:
            raise Refused(
                "insecure access is for registries on this machine only",
                path=self._registry,
                got=error.got,
                remedy="use TLS; give the file of the certificate authority where it is your own",
            ) from error

    def route(self, url: Url, path: str, size: int = 0) -> Route:
        """How a request to `url` may travel."""
        from navicert.oci.connection import Route

        home = Url.at("https", self._host, "/").host
        deadline = time.monotonic() + self._limits.request_seconds + size / self._limits.transfer_rate
        if self._access.insecure and (url.scheme == "http" or url.host == home or _is_local(url.host)):
            return Route(_LOCAL, deadline, path, verify=False)
        if url.scheme != "https":
            raise Refused("a registry is spoken to with TLS", path=path, got=ascii(str(url)[:100]))
        seen = self._home_zones(path)
        if url.host == home:
            return Route(seen, deadline, path)
        outermost = next(zone for zone in Zone if zone in seen)
        return Route(zones_from(outermost), deadline, path)

    def _home_zones(self, path: str) -> frozenset[Zone]:
        """The zones that the registry itself is in, as first seen: a name that moves inwards later takes nobody along.
        Where a proxy looks it up it counts as public."""
        with self._zone_lock:
            if self._zones is None:
                url = Url.at("https", self._host, "/")
                found = {Zone.PUBLIC}
                if not self._access.proxies.choose(url):
                    allowed = self._access.zones
                    found = {zone_of(one) for one in resolve(url.host.strip("[]"), url.port, allowed, path)}
                self._zones = frozenset(found)
            return self._zones


def _is_local(host: str) -> bool:
    address = literal_address(host)
    return host == "localhost" or (address is not None and zone_of(address) is Zone.LOOPBACK)
