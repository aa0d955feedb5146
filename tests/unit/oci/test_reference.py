"""References: one image, one spelling."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navicert.digest import Digest
from navicert.errors import Malformed
from navicert.oci.reference import DOCKER_HUB, Reference, normal_registry

HEX = "0123456789abcdef" * 4

READ = {
    "nginx": "docker.io/library/nginx:latest",
    "nginx:1.27": "docker.io/library/nginx:1.27",
    "team/app": "docker.io/team/app:latest",
    "docker.io/nginx": "docker.io/library/nginx:latest",
    "index.docker.io/nginx": "docker.io/library/nginx:latest",
    "Index.Docker.IO/team/app": "docker.io/team/app:latest",
    "docker.io/library/nginx": "docker.io/library/nginx:latest",
    "registry.example/app:1.4": "registry.example/app:1.4",
    "REGISTRY.Example/app": "registry.example/app:latest",
    "private-registry:30005/x": "private-registry:30005/x:latest",
    "localhost/app": "localhost/app:latest",
    "LOCALHOST/app": "localhost/app:latest",
    "localhost:5000/a/b/c:v1": "localhost:5000/a/b/c:v1",
    "127.0.0.1:5000/app": "127.0.0.1:5000/app:latest",
    "[::1]:5000/app": "[::1]:5000/app:latest",
    "[0:0:0:0:0:0:0:1]/app": "[::1]/app:latest",
    "[2001:DB8::0001]:5000/app": "[2001:db8::1]:5000/app:latest",
    "a/b__c/d-e--f.g": "docker.io/a/b__c/d-e--f.g:latest",
    "app:V1.2_rc-1": "docker.io/library/app:V1.2_rc-1",
    f"app@sha256:{HEX}": f"docker.io/library/app@sha256:{HEX}",
    f"app:1.0@sha256:{HEX}": f"docker.io/library/app:1.0@sha256:{HEX}",
    f"r.example/app@sha512:{HEX}{HEX}": f"r.example/app@sha512:{HEX}{HEX}",
    "app.v1": "docker.io/library/app.v1:latest",
    "xn--bcher-kva.example/app": "xn--bcher-kva.example/app:latest",
    f"{'a' * 255}": None,  # with library/ in front it is longer than a repository may be
    f"r.example/{'a' * 255}": f"r.example/{'a' * 255}:latest",
}

REFUSED = {
    "empty": "",
    "only a slash": "/",
    "empty host": "/app",
    "host without a repository": "r.example/",
    "empty part": "r.example/a//b",
    "trailing slash": "r.example/a/",
    "parent folder": "r.example/../admin",
    "parent folder inside": "r.example/a/../b",
    "this folder": "r.example/./a",
    "space": "r.example/a b",
    "line end": "r.example/a\n",
    "tab in front": "\tr.example/a",
    "NUL": "r.example/a\0b",
    "escaped slash": "r.example/a%2fb",
    "escaped dots": "r.example/%2e%2e/b",
    "backslash": "r.example/a\\b",
    "query": "r.example/a?b=c",
    "fragment": "r.example/a#b",
    "user": "user@r.example/app",
    "user and password": "user:secret@r.example/app",
    "scheme": "https://r.example/app",
    "docker scheme": "docker://r.example/app",
    "upper-case repository": "r.example/App",
    "upper-case part in front": "Team/app",
    "upper-case name": "App",
    "underscores": "r.example/a___b",
    "starts with a dot": "r.example/.a",
    "ends with a dash": "r.example/a-",
    "two dots": "r.example/a..b",
    "no tag behind the colon": "r.example/a:",
    "tag with a slash": "r.example/a:b/c",
    "tag that starts with a dot": "r.example/a:.b",
    "tag that starts with a dash": "r.example/a:-b",
    "tag too long": "r.example/a:" + "b" * 129,
    "two tags": "r.example/a:b:c",
    "no digest behind the @": "r.example/a@",
    "short digest": f"r.example/a@sha256:{HEX[:-1]}",
    "long digest": f"r.example/a@sha256:{HEX}0",
    "upper-case digest": f"r.example/a@sha256:{HEX.upper()}",
    "weak digest": "r.example/a@md5:" + "0" * 32,
    "unusual digest": f"r.example/a@sha3_256:{HEX}",
    "two digests": f"r.example/a@sha256:{HEX}@sha256:{HEX}",
    "digest without an algorithm": f"r.example/a@{HEX}",
    "image id": HEX,
    "port 0": "r.example:0/a",
    "port too high": "r.example:65536/a",
    "port with a zero in front": "r.example:0443/a",
    "port of letters": "r.example:http/a",
    "no port behind the colon": "r.example:/a",
    "host with an empty label": "r..example/a",
    "host with a dot at its end": "r.example./a",
    "host with an underscore": "r_x.example/a",
    "host with a dash at its end": "r-.example/a",
    "host label too long": f"{'a' * 64}.example/a",
    "host too long": f"{'a.' * 127}example/a",
    "host not ASCII": "rég.example/a",
    "repository not ASCII": "r.example/é",
    "digits not ASCII": "r.example/a:\u0661",
    "short IPv4": "127.1/a",
    "octal IPv4": "0177.0.0.1/a",
    "IPv4 as a number": "2130706433:5000/a",
    "hexadecimal IPv4": "0x7f000001:5000/a",
    "IPv4 out of range": "127.0.0.256/a",
    "IPv6 without brackets": "::1/a",
    "IPv6 not closed": "[::1/a",
    "IPv6 with a zone": "[fe80::1%eth0]/a",
    "IPv6 that is none": "[::g]/a",
    "IPv6 and then text": "[::1]x/a",
    "repository too long": f"r.example/{'a' * 256}",
    "far too long": "r.example/" + "a/" * 5000 + "a",
}


@pytest.mark.parametrize(("text", "canonical"), READ.items(), ids=[text[:40] for text in READ])
def test_a_reference_is_read_as_runtimes_read_it(text: str, canonical: str | None):
    if canonical is None:
        with pytest.raises(Malformed, match="repository too long"):
            Reference.parse(text)
    else:
        assert str(Reference.parse(text)) == canonical
        assert Reference.parse(canonical) == Reference.parse(text)


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_reference_is_refused(text: str):
    with pytest.raises(Malformed, match="not an image reference: ") as caught:
        Reference.parse(text)
    assert caught.value.expected


def test_a_digest_decides_and_the_tag_is_kept_for_show():
    reference = Reference.parse(f"r.example/app:1.0@sha256:{HEX}")
    assert (reference.selector, reference.tag, reference.pinned) == (f"sha256:{HEX}", "1.0", True)
    assert Reference.parse("r.example/app:1.0").selector == "1.0"
    assert Reference.parse("r.example/app:1.0").at(Digest("sha256", HEX)) == reference


def test_another_tag_of_the_repository_leaves_the_digest_behind():
    reference = Reference.parse(f"r.example/app@sha256:{HEX}")
    assert str(reference.tagged("other")) == "r.example/app:other"
    with pytest.raises(Malformed, match="not a tag"):
        reference.tagged("a/b")


def test_docker_hub_answers_under_another_name():
    assert Reference.parse("nginx").host == "registry-1.docker.io"
    assert Reference.parse("r.example:5000/nginx").host == "r.example:5000"
    assert normal_registry("INDEX.docker.io") == DOCKER_HUB


@pytest.mark.parametrize("evil", ["docker.io.evil.example/nginx", "evildocker.io/nginx", "docker.io:5000/nginx"])
def test_a_host_that_looks_like_docker_hub_is_another_host(evil: str):
    assert Reference.parse(evil).registry == evil.partition("/")[0]


_LABEL = st.from_regex(r"[a-zA-Z]([a-zA-Z0-9-]{0,8}[a-zA-Z0-9])?", fullmatch=True)
_HOSTS = st.one_of(
    st.lists(_LABEL, min_size=2, max_size=4).map(".".join),
    st.just("localhost"),
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(lambda address: f"[{address.exploded}]"),
)
_PORTS = st.one_of(st.just(""), st.integers(1, 65535).map(lambda port: f":{port}"))
_PATHS = st.lists(
    st.from_regex(r"[a-z0-9]{1,5}((\.|_|__|-{1,3})[a-z0-9]{1,5}){0,2}", fullmatch=True), min_size=1, max_size=4
).map("/".join)
_TAGS = st.one_of(st.just(""), st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,12}", fullmatch=True).map(":{}".format))
_DIGESTS = st.one_of(st.just(""), st.binary(min_size=32, max_size=32).map(lambda raw: f"@sha256:{raw.hex()}"))


@given(host=st.one_of(st.just(""), st.tuples(_HOSTS, _PORTS).map("".join).map("{}/".format)), path=_PATHS, tag=_TAGS,
       digest=_DIGESTS)  # fmt: skip
def test_the_canonical_form_is_a_fixed_point(host: str, path: str, tag: str, digest: str):
    if not host:  # a first part with a dot would be one
        path = path.replace(".", "-")
    reference = Reference.parse(host + path + tag + digest)
    assert Reference.parse(str(reference)) == reference
    assert str(Reference.parse(str(reference))) == str(reference)
    assert reference.selector


@given(st.text(max_size=60))
def test_any_text_is_a_reference_or_malformed(text: str):
    try:
        reference = Reference.parse(text)
    except Malformed:
        return
    assert Reference.parse(str(reference)) == reference
    assert str(reference).isascii()
