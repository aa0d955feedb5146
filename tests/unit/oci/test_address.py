"""Where addresses lie, and who may be sent there."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import pytest

from navicert.errors import Refused, Unavailable
from navicert.oci.address import ANY_REGISTRY, Zone, literal_address, resolve, zone_of, zones_from

ZONES = {
    Zone.PUBLIC: "8.8.8.8 93.184.216.34 2606:4700::1111 ::ffff:8.8.8.8 64:ff9b::808:808",
    Zone.PRIVATE: "10.0.0.1 172.16.5.4 172.31.255.255 192.168.0.1 100.64.0.1 fc00::1 fd12:3456::1 ::ffff:10.0.0.1 "
    "64:ff9b::a00:1 2002:a00:1::",
    Zone.LOOPBACK: "127.0.0.1 127.255.255.254 ::1 ::ffff:127.0.0.1 2002:7f00:1:: 64:ff9b::7f00:1",
    Zone.CLOSED: "169.254.169.254 169.254.0.1 fe80::1 ::ffff:169.254.169.254 64:ff9b::a9fe:a9fe fd00:ec2::254 "
    "fd20:ce::254 100.100.100.200 168.63.129.16 192.0.0.192 0.0.0.0 :: 224.0.0.1 ff02::1 240.0.0.1 255.255.255.255",
}


@pytest.mark.parametrize(("text", "zone"), [(text, zone) for zone, texts in ZONES.items() for text in texts.split()])
def test_an_address_lies_where_it_leads(text: str, zone: Zone):
    assert zone_of(ipaddress.ip_address(text)) is zone


def test_nobody_is_sent_further_in():
    assert zones_from(Zone.PUBLIC) == {Zone.PUBLIC}
    assert zones_from(Zone.PRIVATE) == {Zone.PUBLIC, Zone.PRIVATE}
    assert zones_from(Zone.LOOPBACK) == {Zone.PUBLIC, Zone.PRIVATE, Zone.LOOPBACK}
    assert all(Zone.CLOSED not in zones_from(zone) for zone in Zone)


def test_a_name_with_a_good_and_a_bad_address_is_refused(monkeypatch: pytest.MonkeyPatch):
    def look_up(host: str, port: int, **options: Any) -> list[Any]:
        return [(2, 1, 6, "", (one, port)) for one in ("8.8.8.8", "169.254.169.254")]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(Refused, match=r"r\.example' is at 169\.254\.169\.254") as caught:
        resolve("r.example", 443, ANY_REGISTRY, "r.example/app:v1")
    assert caught.value.path == "r.example/app:v1"


def test_a_name_that_nobody_knows_is_unavailable():
    with pytest.raises(Unavailable, match="cannot be found"):
        resolve("no-such-host.invalid", 443, ANY_REGISTRY, "")


def test_only_whole_addresses_are_literal():
    assert literal_address("[::1]") == ipaddress.ip_address("::1")
    assert literal_address("127.0.0.1") == ipaddress.ip_address("127.0.0.1")
    assert literal_address("127.0.0.1.example") is None
