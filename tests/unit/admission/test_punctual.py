"""Connections that are opened and not used end; those that are used go on."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from uvicorn import Config, Server

from navicert.admission.punctual import PunctualProtocol

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class Quick(PunctualProtocol):
    header_seconds = 0.3


async def _slow(request: Request) -> PlainTextResponse:
    await asyncio.sleep(0.6)
    return PlainTextResponse("ok")


def served(work: Callable[[int], Coroutine[Any, Any, None]]) -> None:
    """Run `work` against a server on the port that it is given."""

    async def run() -> None:
        application = Starlette(routes=[Route("/", _slow)])
        config = Config(application, http=Quick, ws="none", lifespan="off", log_config=None, port=0)
        server = Server(config)
        server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
        task = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        try:
            await work(server.servers[0].sockets[0].getsockname()[1])
        finally:
            server.should_exit = True
            await task

    asyncio.run(run())


async def _ends(reader: asyncio.StreamReader) -> float:
    started = time.monotonic()
    with contextlib.suppress(ConnectionError):
        assert await asyncio.wait_for(reader.read(), 5) == b""
    return time.monotonic() - started


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nX-A: "])
def test_a_request_that_does_not_come_is_not_waited_for(sent: bytes):
    async def work(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        assert await _ends(reader) < 4
        writer.close()

    served(work)


def test_a_header_that_trickles_is_not_waited_for():
    async def work(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        async def trickle() -> None:
            with contextlib.suppress(ConnectionError):
                for _ in range(100):
                    writer.write(b"X")
                    await writer.drain()
                    await asyncio.sleep(0.05)

        sending = asyncio.create_task(trickle())
        with contextlib.suppress(ConnectionError):
            await asyncio.wait_for(reader.read(), 4)
        assert not sending.done() or sending.result() is None
        sending.cancel()
        writer.close()

    served(work)


def test_an_answer_that_takes_longer_is_given_and_the_connection_used_again():
    async def work(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(2):
            writer.write(REQUEST)
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
            assert head.startswith(b"HTTP/1.1 200")
            assert await reader.readexactly(2) == b"ok"
            await asyncio.sleep(0.5)
        writer.close()

    served(work)
