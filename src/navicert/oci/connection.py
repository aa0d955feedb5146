"""Connections to registries: the one module that opens them, and the only one that knows the HTTP library.

It answers for what holds for every request, whoever makes it: the address is looked at before it is connected to and
that very address is connected to; a deadline ends the whole of it and not only each read; TLS is verified; nothing is
taken from the environment; nothing is unpacked, followed, remembered or sent that the caller did not ask for.

The library's engine is driven directly, because both the address and the deadline have to be held to where bytes move.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, TypeVar

import httpcore2
import httpx2

from navicert.dataclass import dataclass, field
from navicert.errors import Malformed, Unavailable
from navicert.limits import NETWORK, Limits
from navicert.oci.address import Zone, check_address, literal_address, resolve
from navicert.oci.interruption import Interrupted
from navicert.oci.proxy import Proxies
from navicert.oci.url import Url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

_Error = TypeVar("_Error", bound=BaseException)

_POOL: Final = 16  # connections to all hosts together
_ERROR_BODY: Final = 64 * 1024  # of an answer that is not wanted; read to the end so that its connection is kept


@dataclass(frozen=True, slots=True)
class Route:
    """How one request may travel: to addresses in which zones, with TLS verified or not, and until when (in seconds of
    the monotonic clock). `path` names what it is for, in messages."""

    allowed: frozenset[Zone]
    deadline: float
    path: str
    verify: bool = True


@dataclass(slots=True)
class Answer:
    """Status, headers in lower case, and a body that is read once. Closed by its `with` block."""

    status: int
    headers: Mapping[str, str]
    _stream: Iterable[bytes] = field(repr=False)
    _lane: _Lane = field(repr=False)
    _route: Route = field(repr=False)
    _limits: Limits = field(repr=False)

    def chunks(self) -> Iterator[bytes]:
        """The body, exactly as sent. Raises `Interrupted` where it breaks off or comes too slowly. Whoever reads it
        stops it: it may never end."""
        received = 0
        stream = iter(self._stream)
        while True:
            # Every byte received buys time for more, so only a trickle runs out of it.
            deadline = self._route.deadline + received / self._limits.transfer_rate
            with self._lane.to(self._route, deadline):
                chunk = next(stream, None)
            if chunk is None:
                return
            received += len(chunk)
            yield chunk

    def read(self, most: int) -> bytes | None:
        """The body; None where it has more than `most` bytes."""
        data = bytearray()
        for chunk in self.chunks():
            data += chunk
            if len(data) > most:
                return None
        return bytes(data)

    def excerpt(self) -> bytes:
        """The beginning of a body that is only quoted; empty where it cannot be read."""
        try:
            return self.read(_ERROR_BODY) or b""
        except Unavailable:
            return b""

    def close(self) -> None:
        """Gives the connection back, or closes it where the body was not read to its end."""
        close = getattr(self._stream, "close", None)
        if close is not None:
            close()

    def __enter__(self) -> Answer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class Connections:
    """Connections that are kept and used again. Thread-safe; closed by `close`."""

    def __init__(self, limits: Limits = NETWORK, *, proxies: Proxies | None = None, ca_file: str = "") -> None:
        self._limits = limits
        self._proxies = proxies or Proxies()
        self._ca_file = ca_file
        self._lane = _Lane()
        self._lock = threading.Lock()
        self._pools: dict[tuple[str, bool], httpcore2.ConnectionPool] = {}

    def send(
        self, method: str, url: Url, headers: Mapping[str, str], route: Route, body: Iterable[bytes] | bytes = b""
    ) -> Answer:
        """The answer of the server at `url`, its body not yet read. Raises `Refused` where the address is not one that
        `route` allows, `Interrupted` where there is no answer, and `Unavailable` where TLS fails."""
        proxy = self._proxies.choose(url) if route.verify else ""
        if proxy:
            # The proxy resolves names; what an address shows is seen here.
            literal = literal_address(url.host)
            if literal is not None:
                check_address(literal, url.host, route.allowed, route.path)
        limits = self._limits
        request = httpcore2.Request(
            method=method,
            url=httpcore2.URL(
                scheme=url.scheme, host=url.host.strip("[]"), port=url.port, target=url.target.encode("ascii")
            ),
            headers=[(b"Host", url.place.encode("ascii"))]
            + [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers.items()],
            content=body,
            extensions={
                "timeout": {
                    "connect": limits.connect_seconds,
                    "read": limits.idle_seconds,
                    "write": limits.idle_seconds,
                    "pool": limits.request_seconds,
                }
            },
        )
        pool = self._pool(proxy, route)
        with self._lane.to(route, route.deadline):
            response = pool.handle_request(request)
        if not isinstance(response.stream, Iterable):  # the engine's types leave room for its asynchronous twin
            raise TypeError("response without a synchronous body")
        received = httpx2.Headers(response.headers)
        lowered = {name.lower(): received[name] for name in received}
        return Answer(response.status, lowered, response.stream, self._lane, route, limits)

    def close(self) -> None:
        """Closes every connection."""
        with self._lock:
            pools, self._pools = list(self._pools.values()), {}
        for pool in pools:
            pool.close()

    def _pool(self, proxy: str, route: Route) -> httpcore2.ConnectionPool:
        with self._lock:
            key = (proxy, route.verify)
            if key not in self._pools:
                self._pools[key] = self._new_pool(proxy, route)
            return self._pools[key]

    def _new_pool(self, proxy: str, route: Route) -> httpcore2.ConnectionPool:
        context = self._tls(route)
        backend = _Backend(self._lane, checked=not proxy)
        if not proxy:
            return httpcore2.ConnectionPool(ssl_context=context, max_connections=_POOL, network_backend=backend)
        parsed = httpx2.Proxy(proxy)
        return httpcore2.HTTPProxy(
            proxy_url=httpcore2.URL(
                scheme=parsed.url.raw_scheme, host=parsed.url.raw_host, port=parsed.url.port, target=b"/"
            ),
            proxy_auth=parsed.raw_auth,
            ssl_context=context,
            proxy_ssl_context=self._tls(route) if parsed.url.scheme == "https" else None,
            max_connections=_POOL,
            network_backend=backend,
        )

    def _tls(self, route: Route) -> ssl.SSLContext:
        context = httpx2.create_ssl_context(verify=route.verify, trust_env=False)
        if self._ca_file and route.verify:
            try:
                context.load_verify_locations(cafile=self._ca_file)
            except FileNotFoundError as error:
                raise Malformed("no such file", path=self._ca_file, expected="CA certificates in PEM") from error
            except OSError as error:  # ssl.SSLError is one
                raise Malformed("not CA certificates", path=self._ca_file, expected="PEM") from error
        return context


class _Lane(threading.local):
    """What the request that this thread is at may do. The engine has no room for it in its calls."""

    route: Route | None = None
    deadline: float = 0.0

    @contextmanager
    def to(self, route: Route, deadline: float) -> Iterator[None]:
        """Inside, connections keep to `route` and `deadline`, and what breaks is said in our words."""
        before = self.route, self.deadline
        self.route, self.deadline = route, deadline
        try:
            yield
        except httpcore2.TimeoutException as error:
            raise Interrupted("takes too long to answer", path=route.path) from error
        except (httpcore2.NetworkError, httpcore2.ProxyError, httpcore2.ProtocolError) as error:
            certificate = _cause(error, ssl.SSLCertVerificationError)
            if certificate is not None:
                raise Unavailable(
                    f"certificate is not trusted: {certificate.verify_message}",
                    path=route.path,
                    remedy="give the file of its certificate authority",
                ) from error
            # Not `str(error)` alone: it is empty for some, and OpenSSL's codes help nobody.
            cause = _cause(error, OSError)
            reason = (cause.strerror if cause is not None else str(error)) or type(error).__name__
            raise Interrupted(f"cannot be reached: {reason.lower()}", path=route.path) from error
        finally:
            self.route, self.deadline = before

    def left(self, timeout: float | None) -> float:
        """Seconds for the next step: `timeout`, or what is left until the deadline."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise httpcore2.ReadTimeout("deadline")
        return left if timeout is None else min(left, timeout)


def _cause(error: BaseException, kind: type[_Error]) -> _Error | None:
    """The first cause of `error` that is a `kind`."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, kind):
        found = found.__cause__ or found.__context__
    return found


class _Backend(httpcore2.NetworkBackend):
    """Makes the engine's connections: to addresses that were looked at."""

    def __init__(self, lane: _Lane, *, checked: bool) -> None:
        self._lane = lane
        self._checked = checked
        self._sockets = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        route = self._lane.route
        if route is None:
            raise RuntimeError("connection outside a request")
        allowed = route.allowed if self._checked else frozenset(Zone)
        addresses = resolve(host, port, allowed, route.path)
        for address in addresses[:-1]:
            try:
                return self._connect(str(address), port, timeout)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return self._connect(str(addresses[-1]), port, timeout)

    def _connect(self, address: str, port: int, timeout: float | None) -> httpcore2.NetworkStream:
        return _Stream(self._sockets.connect_tcp(address, port, self._lane.left(timeout)), self._lane)


class _Stream(httpcore2.NetworkStream):
    """A connection that keeps to the deadline of the request that uses it."""

    def __init__(self, inner: httpcore2.NetworkStream, lane: _Lane) -> None:
        self._inner = inner
        self._lane = lane

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._lane.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._lane.left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, self._lane.left(timeout)), self._lane)

    def get_extra_info(self, info: str) -> object:
        return self._inner.get_extra_info(info)
