"""Where a registry is at home: nothing in the middle of a list or upload leads anywhere else."""

from __future__ import annotations

import pytest

from navicert.errors import Malformed, Refused
from navicert.limits import NETWORK
from navicert.oci.access import Access
from navicert.oci.connection import Connections
from navicert.oci.home import Home
from navicert.testing.registry import LoopbackRegistry


def home(host: str, *, insecure: bool = False) -> Home:
    access = Access(insecure=insecure)
    return Home(host, host, access, NETWORK, Connections(NETWORK))


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/v2/app/blobs/uploads/1?state=x", "/v2/app/blobs/uploads/1?state=x"),
        ("https://reg.example/v2/x", "/v2/x"),
        ("https://REG.example/v2/x", "/v2/x"),
        ("http://reg.example/v2/x", "/v2/x"),
        ("https://reg.example:8443/v2/x", "/v2/x"),
    ],
)
def test_an_address_of_the_same_host_is_taken_to_its_own_origin(location: str, target: str) -> None:
    """Proxies in front of registries mix up scheme and port; neither is followed."""
    url = home("reg.example").at_home(location, "upload")
    assert (url.scheme, url.host, url.target) == ("https", "reg.example", target)


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.example/v2/x",
        "//evil.example/v2/x",
        "https://reg.example.evil.example/",
        "https://reg.example@evil.example/",
        "https://169.254.169.254/latest/meta-data",
        "http://localhost/",
        "ftp://reg.example/x",
        "file:///etc/passwd",
        "https://reg.example\\@evil.example/",
        "https://[::1]/",
        "https://reg.example/\nHost: evil",
    ],
)
def test_no_other_host_is_ever_meant(location: str) -> None:
    try:
        url = home("reg.example").at_home(location, "upload")
    except (Refused, Malformed):
        return
    assert (url.scheme, url.host) == ("https", "reg.example")
    assert "\n" not in url.target


def test_a_registry_is_spoken_to_with_tls_unless_it_is_on_this_machine() -> None:
    assert home("reg.example").url("/v2/").scheme == "https"
    with pytest.raises(Refused, match="on this machine only"):
        home("192.0.2.1", insecure=True).url("/v2/")
    with LoopbackRegistry() as server:
        assert home(server.name, insecure=True).url("/v2/").scheme == "http"
        assert server.count("GET", "/v2/") <= 1


def test_what_leaves_tls_is_refused() -> None:
    place = home("127.0.0.1:5000")
    with pytest.raises(Refused, match="with TLS"):
        place.route(place.url("/v2/").join("http://127.0.0.1:5000/x"), "blob")
