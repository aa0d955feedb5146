"""Which proxy is used, and for what."""

from __future__ import annotations

import pytest

from navicert.errors import Malformed
from navicert.oci.proxy import Proxies
from navicert.oci.url import Url

PROXY = "http://proxy.example:3128"


def chosen(url: str, **environment: str) -> bool:
    return bool(Proxies.from_environment({"HTTPS_PROXY": PROXY} | environment).choose(Url.parse(url)))


@pytest.mark.parametrize(
    ("bypass", "url", "proxied"),
    [
        ("", "https://r.example/", True),
        ("r.example", "https://r.example/", False),
        ("r.example", "https://sub.r.example/", False),
        (".r.example", "https://sub.r.example/", False),
        ("*.r.example", "https://sub.r.example/", False),
        ("r.example", "https://evilr.example/", True),
        ("r.example", "https://r.example.evil/", True),
        ("R.EXAMPLE , other", "https://r.example/", False),
        ("r.example:8443", "https://r.example/", True),
        ("r.example:8443", "https://r.example:8443/", False),
        ("10.0.0.0/8", "https://10.1.2.3/", False),
        ("10.0.0.0/8", "https://11.1.2.3/", True),
        ("10.1.2.3", "https://10.1.2.3/", False),
        ("[2001:db8::1]:443", "https://[2001:db8::1]/", False),
        ("2001:db8::/32", "https://[2001:db8::1]/", False),
        ("*", "https://r.example/", False),
        (",,", "https://r.example/", True),
        ("nonsense/99", "https://10.0.0.1/", True),
    ],
)
def test_hosts_are_reached_without_it(bypass: str, url: str, proxied: bool):
    assert chosen(url, NO_PROXY=bypass) is proxied


@pytest.mark.parametrize(
    "url", ["https://localhost/", "https://127.0.0.1:5000/", "https://[::1]/", "http://r.example/"]
)
def test_this_machine_is_never_asked_for_through_a_proxy(url: str):
    assert not chosen(url)


def test_the_variables_are_those_of_the_field():
    assert Proxies.from_environment({}) == Proxies()
    assert Proxies.from_environment({"https_proxy": PROXY, "HTTPS_PROXY": "http://other"}).https == PROXY
    assert Proxies.from_environment({"ALL_PROXY": "proxy.example:3128"}).https == PROXY
    assert Proxies.from_environment({"HTTP_PROXY": PROXY}).https == ""


def test_a_proxy_of_another_kind_is_refused_without_its_password():
    with pytest.raises(Malformed, match="kind that is not supported") as caught:
        Proxies.from_environment({"HTTPS_PROXY": "socks5://user:hunter2@proxy.example"})
    assert "hunter2" not in str(caught.value)
