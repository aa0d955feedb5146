"""Which proxy a connection goes through, by the variables that every program of the field reads.

They are read once, when a client is made, and say only how a registry is reached: through a proxy TLS still ends at the
registry, and bytes are still compared with their digests. This machine is never asked for through a proxy.
"""

from __future__ import annotations

import ipaddress
import os

from navicert.dataclass import dataclass
from navicert.errors import Malformed
from navicert.oci.address import Zone, literal_address, zone_of
from navicert.oci.url import Url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Proxies:
    """One proxy for `https`, and the hosts that are reached without it: names (their subdomains too), addresses,
    networks as `10.0.0.0/8`, each with a port or without; `*` for all."""

    https: str = ""
    bypass: tuple[str, ...] = ()

    @staticmethod
    def from_environment(environment: Mapping[str, str] = os.environ) -> Proxies:
        """What `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say (lower case first). Raises `Malformed` for a proxy that is
        not `http://` or `https://`."""

        def read(name: str) -> str:
            return environment.get(name.lower()) or environment.get(name) or ""

        proxy = read("HTTPS_PROXY") or read("ALL_PROXY")
        if proxy and "://" not in proxy:
            proxy = f"http://{proxy}"
        if proxy and not proxy.lower().startswith(("http://", "https://")):
            raise Malformed(
                "proxy of a kind that is not supported",
                path="HTTPS_PROXY",
                expected="http:// or https://",
                got="another",
            )
        hosts = (entry.strip().lower() for entry in read("NO_PROXY").replace(" ", ",").split(","))
        return Proxies(proxy, tuple(entry for entry in hosts if entry))

    def choose(self, url: Url) -> str:
        """The proxy for `url`; empty where there is none."""
        address = literal_address(url.host)
        local = url.host == "localhost" or (address is not None and zone_of(address) is Zone.LOOPBACK)
        if not self.https or url.scheme != "https" or local:
            return ""
        return "" if any(_covers(entry, url, address) for entry in self.bypass) else self.https


def _covers(entry: str, url: Url, address: ipaddress.IPv4Address | ipaddress.IPv6Address | None) -> bool:
    if entry == "*":
        return True
    if address is not None and "/" in entry:
        try:
            return address in ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return False
    host, port = entry, ""
    if entry.count(":") == 1 or "]:" in entry:
        host, _, port = entry.rpartition(":")
    if port and port != str(url.port):
        return False
    if address is not None:
        return literal_address(host) == address
    suffix = host.removeprefix("*").removeprefix(".")
    return bool(suffix) and (url.host == suffix or url.host.endswith(f".{suffix}"))
