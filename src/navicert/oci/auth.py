"""Authorization at one registry: tokens and passwords, and whom they are shown to.

A registry that wants to know who is asking answers 401 and names a way: `Basic`, the password itself; or `Bearer`, a
token from a *realm*, an address that the registry names. Whoever names the realm chooses who is shown the password, so
a realm is believed only so far:

- It must be `https`; plain `http` only on this machine and for an insecure registry.
- It is shown the registry's credentials only where it is the registry's own host, a host below it, or a sister (one
  that shares everything behind the first label, where that is a domain of somebody's own: `auth.docker.io` for
  `registry-1.docker.io`), or where the user has named it (`Access.realms`). Any other is refused as soon as there are
  credentials to show; without them it may be asked for an anonymous token, where it is on no inner network.
- Only what we want to do is asked for, whatever scope the registry names; redirects of a realm are not followed.

Tokens and passwords are sent to the registry's own scheme, host and port, and nowhere else: not to where it redirects.
Credentials are looked up only when a registry asks, and only under its own name.
Spec: OCI distribution-spec "Authentication"; token and OAuth 2 specifications of distribution; RFC 7617, RFC 6750.
"""

from __future__ import annotations

import re
import threading
import time
from typing import Final, Protocol
from urllib.parse import urlencode

from navicert.dataclass import dataclass, field
from navicert.errors import LimitExceeded, Malformed, Refused, Unavailable
from navicert.limits import NETWORK, Limits
from navicert.model.field import as_object, as_text
from navicert.oci.access import Access
from navicert.oci.address import literal_address
from navicert.oci.challenge import Challenge, parse_challenges
from navicert.oci.credential import Credential
from navicert.oci.manifest import naming
from navicert.oci.url import Url
from navicert.strictjson import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_CLIENT: Final = "navicert"
_LIFETIME: Final = 60  # seconds, where a token service does not say
_EARLY: Final = 5  # seconds before its end that a token is not used any more


@dataclass(frozen=True, slots=True)
class Scope:
    """What is to be done in which repository: `pull`, or `pull,push`, or `delete` too; `mount` names a repository that
    a blob is taken from."""

    repository: str
    actions: str = "pull"
    mount: str = ""

    def __str__(self) -> str:
        return f"repository:{self.repository}:{self.actions}"

    @property
    def all(self) -> tuple[str, ...]:
        """Every scope to ask for."""
        return (str(self), f"repository:{self.mount}:pull") if self.mount else (str(self),)


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """One request to a realm."""

    method: str
    url: Url
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)


class TokenService(Protocol):
    """Sends requests to realms."""

    def __call__(self, request: TokenRequest, path: str) -> tuple[int, bytes | None]:
        """Status and body of the answer; None for a body over the limit `token_bytes`. Follows no redirect."""


@dataclass(frozen=True, slots=True)
class _Token:
    value: str = field(repr=False)
    until: float

    @property
    def fresh(self) -> bool:
        return time.monotonic() < self.until


class Authorization:
    """What is sent as `Authorization` to the registry called `registry`, which answers at `origin`. Thread-safe."""

    def __init__(
        self, registry: str, origin: Url, access: Access, service: TokenService, limits: Limits = NETWORK
    ) -> None:
        self._registry = registry
        self._origin = origin
        self._access = access
        self._service = service
        self._limits = limits
        self._lock = threading.Lock()
        self._basic: dict[str, str] = {}
        self._tokens: dict[Scope, _Token] = {}

    def known(self, scope: Scope) -> str:
        """The header for `scope`, as far as it is known from earlier answers; empty where it is not."""
        with self._lock:
            return self._known(scope)

    def _known(self, scope: Scope) -> str:
        token = self._tokens.get(scope)
        if token is not None and token.fresh:
            return f"Bearer {token.value}"
        return self._basic.get(scope.repository, "")

    def answer(self, header: str, scope: Scope, sent: str, path: str) -> str:
        """The header to try again with, after `sent` got the answer 401 with this `WWW-Authenticate`. Raises `Refused`
        where there is nothing to try, naming `path` and how to log in."""
        with self._lock:
            # Another thread may have been faster.
            known = self._known(scope)
            if known and known != sent:
                return known
            self._tokens.pop(scope, None)
            self._basic.pop(scope.repository, None)
            if sent.startswith("Basic "):
                raise self.refusal("the registry does not accept these credentials", path)
            challenges = parse_challenges(header)
            bearer = next((one for one in challenges if one.scheme == "bearer" and "realm" in one.parameters), None)
            if bearer is not None:
                token = self._tokens[scope] = self._fetch(bearer, scope, path)
                return f"Bearer {token.value}"
            if any(one.scheme == "basic" for one in challenges):
                credential = self._access.keychain.find(self._registry, scope.repository)
                if credential is None or credential.identity_token:
                    raise self.refusal("the registry wants a user and password", path)
                self._basic[scope.repository] = credential.basic
                return credential.basic
            raise self.refusal("the registry denies access and names no way to log in that is known here", path)

    def refusal(self, what: str, path: str) -> Refused:
        """That access is denied, with the way to get it."""
        return Refused(what, path=path, remedy=f"log in first: docker login {self._registry}, or podman login")

    def _fetch(self, challenge: Challenge, scope: Scope, path: str) -> _Token:
        credential = self._access.keychain.find(self._registry, scope.repository)
        realm = check_realm(challenge.parameters["realm"], self._origin, self._access, credential, path)
        service = challenge.parameters.get("service", "")
        status, raw = self._service(_request(realm, service, scope, credential), path)
        if raw is None:
            raise LimitExceeded("answer of the token service too large (limit token_bytes)", path=path, got=str(realm))
        if status in (400, 401, 403):
            raise self.refusal(f"the token service at {realm.place} does not accept these credentials", path)
        if status != 200:
            raise Unavailable(f"token service at {realm.place} answers {status}", path=path)
        return _token(raw, self._limits, f"{path} ({realm.place})")


def _request(realm: Url, service: str, scope: Scope, credential: Credential | None) -> TokenRequest:
    named = [("service", service)] if service else []
    if credential is not None and credential.identity_token:
        fields = [
            ("grant_type", "refresh_token"),
            *named,
            ("client_id", _CLIENT),
            ("scope", " ".join(scope.all)),
            ("refresh_token", credential.identity_token),
        ]
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return TokenRequest("POST", realm, headers, urlencode(fields).encode("ascii"))
    query = urlencode([*named, *(("scope", one) for one in scope.all)])
    headers = {} if credential is None else {"Authorization": credential.basic}
    return TokenRequest("GET", realm.with_query(query), headers)


def _token(raw: bytes, limits: Limits, path: str) -> _Token:
    with naming(path):
        body = as_object(loads(raw, limits, path=path), "")
        value = as_text(body.get("token") or body.get("access_token") or "", "/token")
        # It goes into a header: nothing else may hide in it.
        if not _TOKEN.fullmatch(value) or len(value) > limits.token_bytes:
            raise Malformed("token service gave no token that could be sent", pointer="/token")
        lifetime = body.get("expires_in")
        seconds = lifetime if type(lifetime) is int and lifetime > 0 else _LIFETIME
        return _Token(value, time.monotonic() + max(seconds, _LIFETIME) - _EARLY)


def check_realm(text: str, origin: Url, access: Access, credential: Credential | None, path: str) -> Url:
    """The realm that a registry at `origin` names. Raises `Refused`, naming `path`, where it must not be asked."""
    try:
        realm = Url.parse(text)
    except Malformed as error:
        raise Refused("registry names a token service that cannot be used", path=path, got=error.got) from error
    if realm.scheme != "https" and not (access.insecure and origin.scheme == "http"):
        raise Refused(
            "registry wants its credentials sent without TLS",
            path=path,
            expected="a token service at https://",
            got=ascii(str(realm)[:100]),
        )
    if credential is not None and not _belongs(realm, origin, access.realms):
        raise Refused(
            f"registry wants its credentials sent to {realm.place}, which is another's host",
            path=path,
            expected=f"a token service of {origin.place}",
            got=ascii(str(realm)[:100]),
            remedy="allow that host as a realm of this registry if you trust it with the password",
        )
    return realm


def _belongs(realm: Url, origin: Url, realms: frozenset[str]) -> bool:
    if realm.host == origin.host or realm.place in realms:
        return True
    if literal_address(origin.host) is not None or literal_address(realm.host) is not None:
        return False
    if realm.host.endswith(f".{origin.host}"):
        return True
    domain = origin.host.partition(".")[2]
    return _owned(domain) and (realm.host == domain or realm.host.endswith(f".{domain}"))


def _owned(domain: str) -> bool:
    """Whether `domain` is somebody's own, and not one under which everybody can have a name, as far as its form tells:
    `co.uk` and `com.au` are not."""
    labels = domain.split(".")
    return len(labels) > 2 or (len(labels) == 2 and not (len(labels[1]) == 2 and len(labels[0]) <= 3))
