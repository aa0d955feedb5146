"""Where a connection leads: whether an address is public, private, this machine, or one that nobody may be sent to.

A registry may send its client elsewhere: to the storage behind it, or to what issues its tokens. It must not use the
client to reach what only the client can: the services of the client's machine, the metadata service of its cloud, the
inner network. Addresses are looked at where the connection is made, so a name that resolves differently the second time
changes nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Final

from navicert.enumeration import Enum
from navicert.errors import Refused, Unavailable

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


class Zone(Enum):
    """How far out an address lies."""

    PUBLIC = "public"
    PRIVATE = "private"
    LOOPBACK = "loopback"
    CLOSED = "link-local or reserved"


ANY_REGISTRY: Final = frozenset({Zone.PUBLIC, Zone.PRIVATE, Zone.LOOPBACK})
"""Where a registry that the user named may be."""

# Metadata services that do not have a link-local address: of Alibaba, Azure, AWS over IPv6, and Oracle.
_METADATA: Final = frozenset(
    map(ipaddress.ip_address, ("100.100.100.200", "168.63.129.16", "fd00:ec2::254", "fd20:ce::254", "192.0.0.192"))
)
_SHARED: Final = ipaddress.ip_network("100.64.0.0/10")  # carrier-grade NAT: inner networks of clouds use it
_TRANSLATED: Final = ipaddress.ip_network("64:ff9b::/96")  # NAT64: an IPv4 address in its last four bytes


def zone_of(address: IpAddress) -> Zone:
    """The zone of `address`; an IPv4 address inside an IPv6 one counts as what it is."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is None and address in _TRANSLATED:
            inner = ipaddress.IPv4Address(address.packed[-4:])
        if inner is not None:
            return zone_of(inner)
    if address in _METADATA:
        return Zone.CLOSED
    if address.is_loopback:
        return Zone.LOOPBACK
    if address.is_link_local or address.is_multicast or address.is_unspecified or address.is_reserved:
        return Zone.CLOSED
    return Zone.PRIVATE if address.is_private or address in _SHARED else Zone.PUBLIC


def zones_from(zone: Zone) -> frozenset[Zone]:
    """Where a registry in `zone` may send its client: outwards, or to its own zone, and never further in."""
    return {
        Zone.PUBLIC: frozenset({Zone.PUBLIC}),
        Zone.PRIVATE: frozenset({Zone.PUBLIC, Zone.PRIVATE}),
        Zone.LOOPBACK: ANY_REGISTRY,
        Zone.CLOSED: frozenset({Zone.PUBLIC}),
    }[zone]


def resolve(host: str, port: int, allowed: frozenset[Zone], path: str) -> list[IpAddress]:
    """The addresses of `host` (a name, or an address without brackets). Raises `Unavailable` for a name that nobody
    knows, and `Refused`, naming `path`, where any of its addresses lies outside `allowed`: a name with a good and a bad
    address is an attack, not a choice."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unavailable(f"host {host!a} cannot be found", path=path, remedy="check the name and DNS") from error
    addresses = list(dict.fromkeys(ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found))
    for address in addresses:
        check_address(address, host, allowed, path)
    return addresses


def check_address(address: IpAddress, host: str, allowed: frozenset[Zone], path: str) -> None:
    """Raises `Refused`, naming `path`, unless `address` lies in one of the zones `allowed`."""
    zone = zone_of(address)
    if zone not in allowed:
        names = " or ".join(sorted(entry.value for entry in allowed))
        raise Refused(
            f"host {host!a} is at {address}: not a place to be sent to",
            path=path,
            expected=f"a {names} address",
            got=f"a {zone.value} one",
        )


def literal_address(host: str) -> IpAddress | None:
    """The address that `host` spells, with or without brackets; None for a name."""
    try:
        return ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None
