"""Requests to one registry, each carried to its end: authorization, redirects, another try, and what an answer means.

An answer is one of four things. What was asked for; `Missing`, a plain 404; `Refused`, access denied; `Unavailable`,
everything else. A registry that is busy, broken or that cannot be reached has not said that something is not there.
Spec: OCI distribution-spec "Error codes"; RFC 9110 §10.2.3 (Retry-After), §15.4 (redirects).
"""

from __future__ import annotations

import random
import re
import threading
import time
from typing import TYPE_CHECKING, Final, TypeVar

from navicert.dataclass import dataclass, field
from navicert.errors import LimitExceeded, Malformed, NavicertError, Refused, Unavailable
from navicert.limits import NETWORK, Limits
from navicert.oci.access import Access
from navicert.oci.auth import Authorization, Scope, TokenRequest
from navicert.oci.home import AGENT, Home
from navicert.oci.interruption import Interrupted
from navicert.oci.url import Url
from navicert.strictjson import loads

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from navicert.oci.connection import Answer

MOVED: Final = frozenset({301, 302, 307, 308})
"""Answers that lead elsewhere."""

_Result = TypeVar("_Result")

_BUSY: Final = frozenset({429, 502, 503, 504})
# Registries say so when somebody writes the tag that is read; what asks for nothing to be done may be asked again.
_BUSY_READING: Final = _BUSY | {500}
_FIRST_WAIT: Final = 0.25  # seconds; doubled with every try
# Of the system: the generator that all of a process share is its host's to seed.
_CHANCE: Final = random.SystemRandom()
_SECONDS: Final = re.compile(r"[0-9]{1,9}")


class NotThere(Malformed):
    """The user named something that the registry does not have."""


@dataclass(frozen=True, slots=True)
class Missing:
    """What a registry says that it does not have. `path` names it."""

    path: str

    def error(self) -> NotThere:
        """That what the user named is not there."""
        return NotThere("not in the registry", path=self.path, remedy="check the name, tag or digest")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with its whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `target` is a path of the registry, or an address that it gave; `path` is what messages name.
    Redirects are followed where `follow` says so, and only for GET and HEAD. Without `retry` it is tried once."""

    method: str
    target: str | Url
    path: str
    scope: Scope | None = None
    headers: Mapping[str, str] | None = None
    body: bytes = b""
    follow: bool = False
    retry: bool = True
    good: frozenset[int] = frozenset({200})


class Exchange:
    """Speaks with the registry called `registry`, which answers at `host`. Thread-safe; closed by its `with` block."""

    def __init__(
        self,
        registry: str,
        host: str,
        access: Access,
        limits: Limits = NETWORK,
        *,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        from navicert.oci.connection import Connections

        self._registry = registry
        self._access = access
        self._limits = limits
        self._wait = wait
        self._connections = Connections(limits, proxies=access.proxies, ca_file=access.ca_file)
        self.home = Home(registry, host, access, limits, self._connections)
        self._lock = threading.Lock()
        self._authorization: Authorization | None = None

    def __enter__(self) -> Exchange:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Closes all connections."""
        self._connections.close()

    # --- one request, to its end -----------------------------------------------------------------------------------

    def send(self, call: Call) -> Answer | Missing:
        """The answer to `call`, with one of its `good` statuses; the caller reads and closes it. Raises `Refused` where
        access is denied or the registry leads somewhere unsafe, `Unavailable` where there is no usable answer."""
        return self._carried(call, lambda answer: answer)

    def read(self, call: Call, most: int, limit: str) -> Reply | Missing:
        """As `send`, with the whole body; begun anew where it breaks off. Raises `LimitExceeded`, naming `limit`, for a
        body of more than `most` bytes."""

        def whole(answer: Answer) -> Reply:
            with answer:
                body = answer.read(most)
            if body is None:
                raise LimitExceeded(
                    f"answer of the registry too large (limit {limit})",
                    path=call.path,
                    expected=f"at most {most} bytes",
                )
            return Reply(answer.status, answer.headers, body)

        return self._carried(call, whole)

    def _carried(self, call: Call, use: Callable[[Answer], _Result]) -> _Result | Missing:
        def finish(answer: Answer) -> _Result | Missing:
            if answer.status in call.good:
                return use(answer)
            with answer:
                return self._outcome(answer, call)

        attempts = self._limits.attempts if call.retry else 1
        busy = _BUSY_READING if call.method in ("GET", "HEAD") else _BUSY
        return self._persist(lambda: self._authorized(call), finish, attempts, busy)

    def _persist(
        self, send: Callable[[], Answer], use: Callable[[Answer], _Result], attempts: int, busy: frozenset[int]
    ) -> _Result:
        """What `use` makes of the answer to `send`, tried again while that is `busy` or the connection breaks."""
        for left in range(attempts - 1, -1, -1):
            asked = 0.0
            try:
                answer = send()
                asked = _retry_after(answer.headers.get("retry-after", ""))
                if answer.status not in busy or not left or asked > self._limits.retry_seconds:
                    return use(answer)
                with answer:
                    answer.excerpt()  # read to its end, so that the connection can be used again
            except Interrupted:
                if not left:
                    raise
            # Many clients that were turned away together must not come back together.
            usual = _FIRST_WAIT * (1 << (attempts - 1 - left)) * _CHANCE.uniform(0.5, 1.5)
            self._wait(max(asked, min(usual, self._limits.retry_seconds)))
        raise AssertionError("the last try returns or raises")  # pragma: no cover

    def _outcome(self, answer: Answer, call: Call) -> Missing:
        """What an answer without a good status means. Raises everything but `Missing`."""
        if answer.status == 404:
            answer.excerpt()
            return Missing(call.path)
        said = _said(answer)
        if answer.status in (401, 403):
            raise self.authorization.refusal(f"access denied by the registry: {answer.status}{said}", call.path)
        remedy = "try again later" if answer.status in _BUSY_READING else ""
        raise Unavailable(f"registry answers {answer.status} to {call.method}{said}", path=call.path, remedy=remedy)

    def _authorized(self, call: Call) -> Answer:
        """The answer to `call`, after saying who we are where the registry asks."""
        sent = self.authorization.known(call.scope) if call.scope else ""
        answer, left_home = self._followed(call, sent)
        if answer.status != 401 or call.scope is None or left_home:
            return answer
        with answer:
            header = answer.headers.get("www-authenticate", "")
            answer.excerpt()
        again = self.authorization.answer(header, call.scope, sent, call.path)
        answer, _ = self._followed(call, again)
        return answer

    def _followed(self, call: Call, authorization: str) -> tuple[Answer, bool]:
        """The answer at the end of the redirects, and whether they left the registry."""
        url = call.target if isinstance(call.target, Url) else self.home.url(call.target)
        home = url.origin == self.home.url("/").origin
        follow = call.follow and call.method in ("GET", "HEAD")
        for _ in range(self._limits.redirects + 1):
            headers = {**(call.headers or {}), "User-Agent": AGENT, "Accept-Encoding": "identity"}
            if authorization and home:
                headers["Authorization"] = authorization
            if call.body or call.method in ("POST", "PUT", "PATCH"):
                headers["Content-Length"] = str(len(call.body))
            route = self.home.route(url, call.path, len(call.body))
            answer = self._connections.send(call.method, url, headers, route, call.body)
            if not follow or answer.status not in MOVED:
                return answer, not home
            with answer:
                url = self._next(url, answer.headers.get("location", ""), call.path)
                answer.excerpt()
            # Once away from the registry its credentials stay behind, wherever the way leads.
            home = home and url.origin == self.home.url("/").origin
        raise LimitExceeded(
            "registry redirects again and again (limit redirects)",
            path=call.path,
            expected=f"at most {self._limits.redirects}",
        )

    def _next(self, url: Url, location: str, path: str) -> Url:
        try:
            following = url.join(location)
        except Malformed as error:
            raise Refused("registry redirects to what is no usable address", path=path, got=error.got) from error
        if following.scheme != "https" and url.scheme == "https":
            raise Refused("registry redirects to where there is no TLS", path=path, got=ascii(str(following)[:100]))
        return following

    @property
    def authorization(self) -> Authorization:
        """Who we are at this registry."""
        with self._lock:
            known = self._authorization
        if known is None:
            origin = self.home.url("/")
            known = Authorization(self._registry, origin, self._access, self._ask_realm, self._limits)
            with self._lock:
                known = self._authorization = self._authorization or known
        return known

    def _ask_realm(self, request: TokenRequest, path: str) -> tuple[int, bytes | None]:
        """Sends a request to a token service; see `navicert.oci.auth.TokenService`."""
        headers = {**request.headers, "User-Agent": AGENT, "Accept-Encoding": "identity"}
        if request.method == "POST":
            headers["Content-Length"] = str(len(request.body))

        def send() -> Answer:
            route = self.home.route(request.url, path)
            return self._connections.send(request.method, request.url, headers, route, request.body)

        def read(answer: Answer) -> tuple[int, bytes | None]:
            with answer:
                return answer.status, answer.read(self._limits.token_bytes)

        try:
            return self._persist(send, read, self._limits.attempts, _BUSY)
        except Interrupted as error:
            raise Unavailable(f"token service at {request.url.place}: {error.what}", path=path) from error


def _retry_after(text: str) -> float:
    """The seconds that a server asks to wait; 0 where it does not say. A date is taken for the usual short wait: clocks
    differ."""
    return float(text.strip()) if _SECONDS.fullmatch(text.strip()) else 0.0


def _said(answer: Answer) -> str:
    """What a registry gives as its reason, for a message; empty where it gives none."""
    try:
        body = loads(answer.excerpt())
    except NavicertError:
        return ""
    errors = body.get("errors") if isinstance(body, dict) else None
    first = errors[0] if isinstance(errors, list) and errors else None
    if not isinstance(first, dict):
        return ""
    parts = [str(first[name])[:120] for name in ("code", "message") if isinstance(first.get(name), str) and first[name]]
    return f" ({ascii(': '.join(parts))[1:-1]})" if parts else ""
