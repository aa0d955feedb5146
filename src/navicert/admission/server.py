"""The webhook as a server: two ports, certificates and policies that are renewed, and an end without a lost call.

On SIGTERM it first says that it is not ready and asks everybody to go elsewhere, goes on answering while the endpoints
of its Service follow, then takes no more connections and finishes what it has begun.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from typing import TYPE_CHECKING, Final

from navicert.admission.certificate import Serving
from navicert.admission.ending import Ending, endings
from navicert.admission.examiner import Examiner
from navicert.admission.memory import Memory
from navicert.admission.metrics import Metrics
from navicert.admission.mirror import Following
from navicert.admission.policy_status import StatusWriter
from navicert.admission.policy_watch import PolicyWatch
from navicert.admission.reception import Reception
from navicert.dataclass import dataclass
from navicert.errors import Malformed, NavicertError, Unavailable

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from uvicorn import Server

    from navicert.admission.judge import Judge

CERTIFICATE_SECONDS: Final = 1.0
"""How often the files of the certificate are looked at."""
MEMORY_SECONDS: Final = 15.0
"""How often what passed is written down, if it is."""
POLICY_SECONDS: Final = 5.0
"""How often policies in files are read again, and ConfigMaps with layouts that may not be followed. Objects of the
cluster are followed."""
STATUS_SECONDS: Final = 15.0
"""How often the status of policies is looked at."""
DRAIN_SECONDS: Final = 5.0
"""How long calls are still taken after SIGTERM, until everybody knows that there are none to be sent."""
_FINISH_SECONDS: Final = 30
"""How long what has begun may take to end: the longest that an API server waits."""
_NAMED: Final = 10
"""Policies that are not understood that a probe is told by name."""
_CONNECTIONS: Final = 4_000
"""Connections beyond which calls are turned away."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen."""

    host: str
    port: int

    @staticmethod
    def parse(text: str) -> Address:
        """The address `HOST:PORT`, `[IPV6]:PORT` or `:PORT` (all interfaces). Raises `Malformed`."""
        host, colon, port = text.rpartition(":")
        if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
            raise Malformed("not an address", expected="HOST:PORT, such as 0.0.0.0:8443", got=ascii(text[:80]))
        return Address(host.removeprefix("[").removesuffix("]") or "0.0.0.0", int(port))  # noqa: S104  # as asked

    def bind(self) -> socket.socket:
        """A socket that listens there. Raises `Unavailable`."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        try:
            listen = socket.create_server((self.host, self.port), family=family, backlog=2048)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise Unavailable(f"cannot listen: {reason}", path=f"{self.host}:{self.port}") from error
        # Inherited by each connection. asyncio sets it only on sockets that name their protocol, as these do not;
        # without it an answer waits up to 40 ms for the acknowledgement of its own headers.
        listen.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listen


class Webhook:
    """Everything that serves, until it is told to end. `tell` gets one line for people about each event, `write` the
    line of each decision."""

    def __init__(
        self,
        examiner: Examiner,
        judge: Judge,
        policies: PolicyWatch,
        serving: Serving,
        *,
        write: Callable[[str], None],
        tell: Callable[[str], None],
        memory: Memory | None = None,
        following: Following | None = None,
        status: StatusWriter | None = None,
        drain: float = DRAIN_SECONDS,
    ) -> None:
        self._examiner = examiner
        self._judge = judge
        self._policies = policies
        self._serving = serving
        self._tell = tell
        self._memory = memory
        self._following = following
        self._status = status
        self._drain = drain
        self._draining = False
        self._problems: dict[str, str] = {}
        self._end = asyncio.Event()
        self._changed = asyncio.Event()
        self._renewing = asyncio.Lock()
        self.reception = Reception(
            examiner, write, self._why_not_ready, self._remark, self._notice, certified=serving.asks_callers
        )

    def run(self, listen: socket.socket, metrics: socket.socket | None) -> None:
        """Serve until SIGTERM or SIGINT."""
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(self._serve(listen, metrics))

    def _why_not_ready(self) -> str:
        if self._draining:
            return "ending"
        return "" if self._serving.valid else "the certificate has expired"

    def _remark(self) -> str:
        """What a probe should know of a webhook that is ready. Old policies, and ones that are not understood, do not
        make it unready: all replicas would be at once."""
        lines = []
        since = None if self._following is None else self._following.stale_since
        if since is not None and self._following is not None:
            lines.append(f"policies are stale since {since:%Y-%m-%dT%H:%M:%SZ}: {self._following.problem}")
        odd = self._policies().odd
        for policy in odd[:_NAMED]:
            effect = "refuses what it would match" if policy.problem else "the version before stays in force"
            lines.append(f"policy {policy.label} is not understood ({effect}): {policy.problem or policy.behind}")
        if len(odd) > _NAMED:
            lines.append(f"and {len(odd) - _NAMED} more policies are not understood")
        return "\n".join(lines)

    async def _serve(self, listen: socket.socket, metrics: socket.socket | None) -> None:
        self._note_expiries()
        await asyncio.to_thread(self._remember)
        servers = [(_server(self.reception.application(), self._serving.context), listen)]
        if metrics is not None:
            servers.append((_server(self._metrics_application(), None), metrics))
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._end.set)
        loop.add_signal_handler(signal.SIGINT, lambda: self._stop_now([server for server, _ in servers]))
        tasks = [asyncio.create_task(server.serve(sockets=[place])) for server, place in servers]
        renewals = [
            asyncio.create_task(self._often(CERTIFICATE_SECONDS, self._renew_certificate)),
            asyncio.create_task(self._often(POLICY_SECONDS, self._renew_policies)),
            asyncio.create_task(self._often(MEMORY_SECONDS, self._keep)),
            asyncio.create_task(self._often(STATUS_SECONDS, self._say_status)),
            asyncio.create_task(self._renew_at_once()),
        ]
        if self._following is not None:
            self._following.start(lambda: _from_thread(loop, self._changed.set))
        for server, place in servers:
            while not server.started:
                await asyncio.sleep(0.01)
            host, port = place.getsockname()[:2]
            self._tell(f"{'webhook' if place is listen else 'metrics'} on {host}:{port}")
        await self._end.wait()
        self._draining = True
        if not any(server.should_exit for server, _ in servers):
            self._tell(f"ending: no new calls in {self._drain:g} s")
            await asyncio.sleep(self._drain)
        for server, _ in servers:
            server.should_exit = True
        await asyncio.gather(*tasks)
        for renewal in renewals:
            renewal.cancel()
        if self._following is not None:
            self._following.stop()
        await self._keep()
        self._tell("ended")

    def _stop_now(self, servers: list[Server]) -> None:
        for server in servers:
            server.should_exit = True
        self._end.set()

    # --- renewals ----------------------------------------------------------------------------------------------------

    async def _often(self, seconds: float, renew: Callable[[], object]) -> None:
        while True:
            await asyncio.sleep(seconds)
            renewed = renew()
            if asyncio.iscoroutine(renewed):
                await renewed

    def _renew_certificate(self) -> None:
        # On the loop's own thread: no handshake sees one half of the new pair.
        try:
            if self._serving.renew():
                self._tell(f"certificate renewed, valid until {self._serving.pair.expires:%Y-%m-%d}")
                self._note_expiries()
            self._recovered("certificate")
        except Malformed as error:
            self._problem("certificate", str(error))

    async def _renew_at_once(self) -> None:
        """Take over what changed in the cluster when it changes."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self._renew_policies()

    async def _renew_policies(self) -> None:
        async with self._renewing:
            changed = await asyncio.to_thread(self._policies.renew)
        if changed:
            count = len(self._policies().policies)
            self._tell(f"policies renewed: {count} polic{'y' if count == 1 else 'ies'}")
            self._note_expiries()
        if self._policies.problem:
            self._problem("policies", self._policies.problem)
        else:
            self._recovered("policies")

    async def _say_status(self) -> None:
        """Tell each policy of the cluster how it stands."""
        if self._status is None:
            return
        try:
            await asyncio.to_thread(self._status.round, self._judge.clock())
            self._recovered("status")
        except NavicertError as error:
            self._problem("status", str(error))

    def _remember(self) -> None:
        """Take over what passed before. What cannot be taken over is not known, and nothing else."""
        if self._memory is None:
            return
        try:
            count = self._memory.load(self._judge.clock())
            self._tell(f"remembers {count} pass{'es' * (count != 1)} from before")
        except NavicertError as error:
            self._problem("memory", str(error))

    async def _keep(self) -> None:
        if self._memory is None:
            return
        try:
            await asyncio.to_thread(self._memory.save, self._judge.clock())
            self._recovered("memory")
        except NavicertError as error:
            self._problem("memory", str(error))

    def _problem(self, kind: str, text: str) -> None:
        """Count it each time, and say it once."""
        self._examiner.tally.problem(kind)
        if self._problems.get(kind) != text:
            self._problems[kind] = text
            self._tell(f"{kind} not renewed, what was there before stays as it was: {text}")

    def _recovered(self, kind: str) -> None:
        self._problems.pop(kind, None)

    def _note_expiries(self) -> None:
        tally, policies = self._examiner.tally, self._policies().policies
        tally.retain({policy.label for policy in policies})
        tally.expires("certificate", "webhook", self._serving.pair.expires)
        for policy in policies:
            for key in policy.owners:
                if key.expires is not None:
                    tally.expires("key", f"{policy.label} of owner {key.short}", key.expires)
            with contextlib.suppress(NavicertError):  # judged by it nothing passes, and that is said there
                layout = self._judge.layout_of(policy)
                for one in () if layout is None else endings(layout):
                    tally.expires(
                        one.kind, policy.label if one.kind == "layout" else f"{policy.label} {one.name}", one.at
                    )

    def _notice(self, at: datetime) -> str:
        """The warning that the certificate ends soon; empty where it does not."""
        one = Ending("certificate", "of the webhook", self._serving.pair.expires)
        return one.notice(at) if one.soon(at) else ""

    # --- metrics -----------------------------------------------------------------------------------------------------

    def _metrics_application(self) -> Starlette:
        from starlette.applications import Starlette
        from starlette.responses import PlainTextResponse, Response
        from starlette.routing import Route

        tally, following = self._examiner.tally, self._following
        stale = (lambda: None) if following is None else lambda: following.stale_since
        found = Metrics(
            tally, lambda: len(self._examiner.cache), self._judge.clock, stale, lambda: self._policies().odd
        )

        async def metrics(request: Request) -> Response:
            return Response(found.exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")

        async def health(request: Request) -> Response:
            return PlainTextResponse("ok\n")

        return Starlette(routes=[Route("/metrics", metrics), Route("/healthz", health)])


def _from_thread(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    """Have `call` made by `loop`, unless that has ended."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(call)


def _server(application: Starlette, tls: ssl.SSLContext | None) -> Server:
    from uvicorn import Config, Server

    from navicert.admission.punctual import PunctualProtocol

    class Quiet(Server):
        """Leaves the signals to whoever runs several servers."""

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            """Nothing."""
            yield

    config = Config(
        application,
        http=PunctualProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=_FINISH_SECONDS,
        limit_concurrency=_CONNECTIONS,
    )
    config.load()
    config.ssl = tls
    return Quiet(config)
