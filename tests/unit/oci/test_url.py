"""Web addresses that servers give, read in one way only."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navicert.errors import Malformed
from navicert.oci.url import Url

HOME = Url("https", "r.example", 443, "/v2/app/blobs/uploads/?a=b")


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("https://r.example", "https://r.example/"),
        ("HTTPS://R.Example:443/a?b=c#d", "https://r.example/a?b=c"),
        ("http://r.example:80", "http://r.example/"),
        ("https://r.example:8443?q", "https://r.example:8443/?q"),
        ("https://[::1]:5000/x", "https://[::1]:5000/x"),
        ("https://docker.io/x", "https://docker.io/x"),
        ("https://index.docker.io/v1/", "https://index.docker.io/v1/"),
        ("https://r.example/a%2Fb?c=%0A", "https://r.example/a%2Fb?c=%0A"),
    ],
)
def test_an_address_is_read(text: str, read: str):
    assert str(Url.parse(text)) == read


@pytest.mark.parametrize(
    "text",
    [
        "", "r.example", "//r.example/", "ftp://r.example/", "file:///etc/passwd", "javascript:alert(1)", "https://",
        "https:///x", "https://user@r.example/", "https://user:pw@r.example/", "https://r.example\\@evil.example/",
        "https://r.example /", "https://r.example/\n", "https://r.example/\r\nX: y", "https://r.example/é",
        "https://r.example:0/", "https://r.example:99999/", "https://r.example:443:443/", "https://127.1/",
        "https://0x7f000001/", "https://[::1/", "https://r.example/" + "a" * 9000, "https://%6c/",
    ],
)  # fmt: skip
def test_what_readers_disagree_about_is_refused(text: str):
    with pytest.raises(Malformed):
        Url.parse(text)


def test_no_credential_of_an_address_gets_into_a_message():
    with pytest.raises(Malformed, match="with credentials in it") as caught:
        Url.parse("https://user:hunter2@r.example/")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("location", "meant"),
    [
        ("/v2/x", "https://r.example/v2/x"),
        ("/v2/x?y#z", "https://r.example/v2/x?y"),
        ("https://other.example/x", "https://other.example/x"),
        ("http://r.example/x", "http://r.example/x"),
    ],
)
def test_a_location_is_full_or_a_path(location: str, meant: str):
    assert str(HOME.join(location)) == meant


@pytest.mark.parametrize("location", ["", "x", "../x", "?x", "//evil.example/x", "/\\evil.example", "/a b", "/é"])
def test_a_location_that_is_neither_is_refused(location: str):
    with pytest.raises(Malformed):
        HOME.join(location)


def test_credentials_are_bound_to_scheme_host_and_port():
    origins = {
        Url.parse(f"{text}/x").origin for text in ("https://r.example", "https://r.example:443", "https://R.example")
    }
    assert len(origins) == 1
    assert Url.parse("http://r.example/").origin not in origins
    assert Url.parse("https://r.example:444/").origin not in origins


def test_a_query_is_added():
    assert str(Url.parse("https://r.example/u?a=b").with_query("c=d")) == "https://r.example/u?a=b&c=d"
    assert str(Url.parse("https://r.example/u").with_query("c=d")) == "https://r.example/u?c=d"


@given(st.text(max_size=60).map("https://{}".format))
def test_what_is_read_once_is_read_again_the_same(text: str):
    try:
        url = Url.parse(text)
    except Malformed:
        return
    assert Url.parse(str(url)) == url
