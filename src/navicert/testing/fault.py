"""What a registry may do wrong, for `LoopbackRegistry.fault`: each function gives one way to answer.

Public, for tests of programs that build on Navicert. A fault sees the request and the right answer, and gives the
answer that is sent in its place.
"""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from navicert.dataclass import dataclass, field, replace

_BLOCK: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came in. `headers` are in lower case; `query` holds the last value of each name."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Response:
    """One answer. `length` is the Content-Length that is stated: None for the true one, -1 for none (the body then ends
    with the connection). `broken` ends the connection behind the body, however much was announced."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Iterator[bytes] = field(default=b"", repr=False)
    length: int | None = None
    broken: bool = False


Fault = Callable[[Request, Response], Response]
"""Gives the answer that is sent in place of the right one. What was asked for has been done by then, as when an answer
gets lost on its way; an `Instead` stops it from being done."""


@dataclass(frozen=True, slots=True)
class Instead:
    """A fault that answers without doing what was asked for."""

    response: Response

    def __call__(self, request: Request, right: Response) -> Response:
        """The answer."""
        return self.response


def status(code: int, *, retry_after: str = "", body: bytes = b"") -> Fault:
    """Answers with `code`, and does nothing."""
    headers = {"Content-Type": "application/json"} | ({"Retry-After": retry_after} if retry_after else {})
    return Instead(Response(code, headers, body))


def other_bytes(body: bytes) -> Fault:
    """Answers as it should, with another body."""
    return lambda request, right: replace(right, body=body)


def header(name: str, value: str) -> Fault:
    """Answers as it should, with another header."""
    return lambda request, right: replace(right, headers={**right.headers, name: value})


def wrong_length(by: int) -> Fault:
    """States a Content-Length that differs from the true one by `by`, and then ends the connection."""

    def answer(request: Request, right: Response) -> Response:
        body = right.body if isinstance(right.body, bytes) else b"".join(right.body)
        return replace(right, body=body, length=len(body) + by, broken=True)

    return answer


def endless(start: bytes = b"") -> Fault:
    """Answers with `start` and then bytes without end."""

    def body() -> Iterator[bytes]:
        yield start
        while True:
            yield b" " * _BLOCK

    return lambda request, right: replace(right, body=body(), length=-1)


def gzip_bomb(unpacked: int) -> Fault:
    """Answers with a small body that unpacks to `unpacked` bytes of spaces, and says so in Content-Encoding."""
    packed = gzip.compress(b" " * unpacked, 9, mtime=0)
    return lambda request, right: replace(right, body=packed, headers={**right.headers, "Content-Encoding": "gzip"})


def redirect(location: str, code: int = 307) -> Fault:
    """Redirects to `location`, and does nothing."""
    return Instead(Response(code, {"Location": location}))


def redirect_loop() -> Fault:
    """Redirects to itself."""
    return lambda request, right: Response(307, {"Location": request.path})


def trickle(seconds: float, piece: int = 1) -> Fault:
    """Answers as it should, `piece` bytes at a time, with a pause of `seconds` before each."""

    def answer(request: Request, right: Response) -> Response:
        whole = right.body if isinstance(right.body, bytes) else b"".join(right.body)

        def body() -> Iterator[bytes]:
            for start in range(0, len(whole), piece):
                time.sleep(seconds)
                yield whole[start : start + piece]

        return replace(right, body=body(), length=len(whole))

    return answer


def delay(seconds: float) -> Fault:
    """Answers as it should, after `seconds`."""

    def answer(request: Request, right: Response) -> Response:
        time.sleep(seconds)
        return right

    return answer


def cut_off(after: int) -> Fault:
    """Ends the connection after `after` bytes of the body."""

    def answer(request: Request, right: Response) -> Response:
        body = right.body if isinstance(right.body, bytes) else b"".join(right.body)
        return replace(right, body=body[:after], length=len(body), broken=True)

    return answer


def dropped() -> Fault:
    """Does what was asked for, and ends the connection without an answer."""
    return lambda request, right: Response(0)
