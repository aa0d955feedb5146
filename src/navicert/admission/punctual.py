"""Connections on which nothing is held up: whoever opens one and does not finish its request is let go.

`uvicorn` bounds how long a connection may be idle between requests, and not how long the beginning of one may take. Nor
does it tell an application whether the other side has shown a certificate.
"""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from navicert.admission.certificate import CERTIFIED

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio

HEADER_SECONDS = 10.0
"""How long the first line and the headers of a request may take to arrive, and the first byte of a connection."""

_LEAVE_SECONDS = 2.0
"""How long a client may take to end TLS on its side."""


class PunctualProtocol(H11Protocol):
    """HTTP/1.1 with an end to waiting for headers. The body's end is for whoever reads it."""

    header_seconds = HEADER_SECONDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to wait for a request."""
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        # A state of this connection's own: what it is copied from belongs to all of them.
        self.app_state = {**self.app_state, CERTIFIED: tls is not None and bool(tls.getpeercert())}
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Wait on unless a request has begun to be answered."""
        super().data_received(data)
        cycle: Any = self.cycle  # None before the first request, whatever its type says
        if cycle is not None and not cycle.response_complete:
            self._stop()
        else:
            self._wait()

    def shutdown(self) -> None:
        """Close once what is answered is; a client that does not take leave is not waited for."""
        super().shutdown()
        if self.transport.is_closing():
            self.loop.call_later(_LEAVE_SECONDS, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._stop()
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self._late is None:
            self._late = self.loop.call_later(self.header_seconds, self.transport.abort)

    def _stop(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
