"""Whom a registry's credentials are shown to, and how tokens are asked for."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from urllib.parse import parse_qs, parse_qsl

import pytest

from navicert.errors import Malformed, Refused, Unavailable
from navicert.oci.access import Access
from navicert.oci.auth import Authorization, Scope, TokenRequest, check_realm
from navicert.oci.credential import Credential, Single
from navicert.oci.url import Url

CREDENTIAL = Credential("user", "hunter2")


def realm_of(text: str, registry: str, credential: Credential | None = CREDENTIAL, **access: object) -> Url:
    options = replace(Access(), **access)  # type: ignore[arg-type]
    return check_realm(text, Url.parse(f"https://{registry}/"), options, credential, f"{registry}/app:v1")


@pytest.mark.parametrize(
    ("registry", "realm"),
    [
        ("registry-1.docker.io", "https://auth.docker.io/token"),
        ("ghcr.io", "https://ghcr.io/token"),
        ("quay.io", "https://quay.io/v2/auth"),
        ("europe-docker.pkg.dev", "https://europe-docker.pkg.dev/v2/token"),
        ("x.azurecr.io", "https://x.azurecr.io/oauth2/token"),
        ("registry.gitlab.com", "https://gitlab.com/jwt/auth"),
        ("registry.git.corp.example", "https://git.corp.example/jwt/auth"),
        ("harbor.corp.example", "https://harbor.corp.example/service/token"),
        ("harbor.corp.example:8443", "https://harbor.corp.example/service/token"),
        ("r.example", "https://auth.r.example/token"),
        ("registry.digitalocean.com", "https://api.digitalocean.com/v2/registry/auth"),
    ],
)
def test_a_registry_has_its_token_service_nearby(registry: str, realm: str):
    assert str(realm_of(realm, registry)) == realm


@pytest.mark.parametrize(
    ("registry", "realm"),
    [
        ("registry.example.com", "https://evil.example/token"),
        ("registry.example.com", "https://example.com.evil.example/token"),
        ("registry.example.com", "https://evilexample.com/token"),
        ("ghcr.io", "https://other.io/token"),
        ("ghcr.io", "https://evilghcr.io/token"),
        ("shop.co.uk", "https://evil.co.uk/token"),
        ("shop.com.au", "https://evil.com.au/token"),
        ("10.0.0.1", "https://10.0.0.2/token"),
        ("10.0.0.1", "https://99.0.0.1/token"),
        ("10.0.0.1", "https://0.0.1/token"),
        ("127.0.0.1", "https://localhost/token"),
        ("registry.example.com", "https://93.184.216.34/token"),
        ("localhost", "https://evil.localhost.example/token"),
    ],
)
def test_no_other_host_is_shown_a_password(registry: str, realm: str):
    with pytest.raises(Refused) as caught:
        realm_of(realm, registry)
    assert caught.value.path == f"{registry}/app:v1"
    assert "hunter2" not in str(caught.value)


def test_a_host_that_the_user_names_is_shown_it_and_no_other_port():
    allowed = frozenset({"sso.example"})
    assert realm_of("https://sso.example/token", "r.corp.example", realms=allowed).host == "sso.example"
    with pytest.raises(Refused, match="another's host"):
        realm_of("https://sso.example:444/token", "r.corp.example", realms=allowed)


def test_without_credentials_any_public_realm_may_be_asked():
    assert realm_of("https://elsewhere.example/token", "r.example", None).host == "elsewhere.example"


@pytest.mark.parametrize("realm", ["http://r.example/token", "http://auth.r.example/token"])
@pytest.mark.parametrize("credential", [CREDENTIAL, None])
def test_nothing_is_asked_for_without_tls(realm: str, credential: Credential | None):
    with pytest.raises(Refused, match="without TLS"):
        realm_of(realm, "r.example", credential)


@pytest.mark.parametrize(
    "realm", ["", "/token", "ftp://r.example", "https://user:pw@r.example/", "https://r.example\\"]
)
def test_a_realm_that_is_no_address_is_refused(realm: str):
    with pytest.raises(Refused, match="cannot be used"):
        realm_of(realm, "r.example")


# --- one registry -----------------------------------------------------------------------------------------------------

BEARER = 'Bearer realm="https://auth.r.example/token?account=x",service="r.example",scope="registry:catalog:*"'
PULL = Scope("team/app")


class Service:
    """A token service that answers with what it is given."""

    def __init__(self, status: int = 200, body: bytes | None = b'{"token": "abc"}') -> None:
        self.answer = status, body
        self.asked: list[TokenRequest] = []

    def __call__(self, request: TokenRequest, path: str) -> tuple[int, bytes | None]:
        self.asked.append(request)
        return self.answer


def authorization(service: Service, credential: Credential | None = CREDENTIAL) -> Authorization:
    access = Access(Single("r.example", credential)) if credential else Access()
    return Authorization("r.example", Url.parse("https://r.example/"), access, service)


def test_a_token_is_asked_for_with_the_password_and_our_own_scope():
    service = Service()
    assert authorization(service).answer(BEARER, PULL, "", "p") == "Bearer abc"
    (request,) = service.asked
    query = dict(parse_qsl(request.url.target.partition("?")[2]))
    assert query == {"account": "x", "service": "r.example", "scope": "repository:team/app:pull"}
    assert request.headers == {"Authorization": f"Basic {base64.b64encode(b'user:hunter2').decode()}"}
    assert "hunter2" not in repr(request)


def test_a_mount_asks_for_both_repositories():
    service = Service()
    authorization(service).answer(BEARER, Scope("a", "pull,push", "b"), "", "p")
    asked = parse_qs(service.asked[0].url.target.partition("?")[2])["scope"]
    assert asked == ["repository:a:pull,push", "repository:b:pull"]


def test_an_identity_token_is_posted_and_never_in_an_address():
    service = Service(body=b'{"access_token": "abc"}')
    header = authorization(service, Credential(identity_token="refresh")).answer(BEARER, PULL, "", "p")
    assert header == "Bearer abc"
    (request,) = service.asked
    assert (request.method, "refresh" in str(request.url)) == ("POST", False)
    fields = dict(parse_qsl(request.body.decode()))
    assert fields["grant_type"] == "refresh_token"
    assert fields["refresh_token"] == "refresh"
    assert fields["scope"] == "repository:team/app:pull"
    assert "Authorization" not in request.headers


def test_a_token_is_kept_for_its_scope_only():
    service = Service()
    known = authorization(service)
    known.answer(BEARER, PULL, "", "p")
    assert known.known(PULL) == "Bearer abc"
    assert known.known(Scope("team/other")) == ""
    assert known.known(Scope("team/app", "pull,push")) == ""


def test_a_token_that_was_not_accepted_is_not_tried_again():
    service = Service()
    known = authorization(service)
    first = known.answer(BEARER, PULL, "", "p")
    service.answer = 200, b'{"token": "second"}'
    assert known.answer(BEARER, PULL, "", "p") == first  # another thread has fetched it
    assert len(service.asked) == 1
    assert known.answer(BEARER, PULL, first, "p") == "Bearer second"


def test_a_token_ends(monkeypatch: pytest.MonkeyPatch):
    import time

    service = Service(body=json.dumps({"token": "abc", "expires_in": 300}).encode())
    known = authorization(service)
    known.answer(BEARER, PULL, "", "p")
    start = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: start + 290)
    assert known.known(PULL) == "Bearer abc"
    monkeypatch.setattr(time, "monotonic", lambda: start + 300)
    assert known.known(PULL) == ""


def test_a_password_is_sent_where_it_is_asked_for_and_once():
    service = Service()
    known = authorization(service)
    header = known.answer('Basic realm="x"', PULL, "", "p")
    assert header == CREDENTIAL.basic
    assert known.known(PULL) == header
    with pytest.raises(Refused, match="does not accept these credentials"):
        known.answer('Basic realm="x"', PULL, header, "p")
    assert known.known(PULL) == ""
    assert service.asked == []


@pytest.mark.parametrize("header", ["", "Negotiate", "Digest realm=x", "Bearer", 'Bearer service="x"'])
def test_a_way_in_that_nobody_knows_is_refused(header: str):
    with pytest.raises(Refused, match="names no way to log in") as caught:
        authorization(Service()).answer(header, PULL, "", "r.example/team/app:v1")
    assert "docker login r.example" in caught.value.remedy


@pytest.mark.parametrize("credential", [None, Credential(identity_token="refresh")])
def test_a_password_that_is_not_there_is_asked_of_the_user(credential: Credential | None):
    with pytest.raises(Refused, match="wants a user and password"):
        authorization(Service(), credential).answer("Basic realm=x", PULL, "", "p")


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_token_service_that_refuses_is_a_refusal(status: int):
    with pytest.raises(Refused, match="does not accept these credentials"):
        authorization(Service(status)).answer(BEARER, PULL, "", "p")


@pytest.mark.parametrize("status", [302, 404, 429, 500, 503])
def test_a_token_service_that_fails_is_unavailable(status: int):
    with pytest.raises(Unavailable, match=f"answers {status}"):
        authorization(Service(status)).answer(BEARER, PULL, "", "p")


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"token": 1}', b'{"token": ""}', b'{"token": "a\\nb"}'])
def test_a_token_service_that_gives_no_token_is_named(body: bytes):
    with pytest.raises(Malformed) as caught:
        authorization(Service(body=body)).answer(BEARER, PULL, "", "r.example/team/app:v1")
    assert caught.value.path == "r.example/team/app:v1 (auth.r.example)"
