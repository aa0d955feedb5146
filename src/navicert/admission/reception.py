"""The webhook's HTTP side: reviews in, answers out, each within the time that the API server grants.

Every review gets an answer with status 200, a denial where anything is wrong with it: any other status is a failed call
to the API server, and what then happens is not for us to say.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from navicert.admission.certificate import CERTIFIED
from navicert.admission.decision import Decision, answer, refuse
from navicert.admission.examiner import Examiner, Steps
from navicert.admission.journal import line_of
from navicert.admission.review import Kind, Review, User, hasty_uid
from navicert.dataclass import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

_GRANTED: Final = re.compile(r"(?:([0-9]{1,4})m)?(?:([0-9]{1,6})(ms|s))?")
_SHORTEST: Final = 0.2
_INLINE: Final = 64 * 1024
"""Bytes of a review up to which it is read between other calls; larger ones are read on a thread."""


class Reception:
    """Takes reviews for `examiner`. `write` gets the line of every decision; `ready` says why no more calls should come
    (empty: they may), `remark` what a probe should be told although they may, and `notice` what everybody whose images
    are judged at a moment should be. `certified`: only who has shown a certificate is answered."""

    def __init__(
        self,
        examiner: Examiner,
        write: Callable[[str], None],
        ready: Callable[[], str] = lambda: "",
        remark: Callable[[], str] = lambda: "",
        notice: Callable[[datetime], str] = lambda _: "",
        *,
        certified: bool = False,
    ) -> None:
        self._examiner = examiner
        self._write = write
        self._ready = ready
        self._remark = remark
        self._notice = notice
        self._certified = certified

    def application(self) -> Starlette:
        """The application: `/verify`, `/mutate`, `/healthz` and `/readyz`."""
        from starlette.applications import Starlette
        from starlette.routing import Route

        return Starlette(
            routes=[
                Route("/verify", self._verify, methods=["POST"]),
                Route("/mutate", self._mutate, methods=["POST"]),
                Route("/healthz", self._health, methods=["GET"]),
                Route("/readyz", self._readiness, methods=["GET"]),
            ]
        )

    async def _verify(self, request: Request) -> Response:
        return await self._answered(request, "verify", self._examiner.validating)

    async def _mutate(self, request: Request) -> Response:
        return await self._answered(request, "mutate", self._examiner.mutating)

    async def _health(self, request: Request) -> Response:
        return _plain("ok\n")

    async def _readiness(self, request: Request) -> Response:
        problem = self._ready()
        if problem:
            return _plain(f"{problem}\n", 503)
        remark = self._remark()
        return _plain(f"ok\n{remark}\n" if remark else "ok\n")

    async def _answered(self, request: Request, hook: str, steps: Callable[[Review], Steps]) -> Response:
        from starlette.responses import Response

        started = time.monotonic()
        limits = self._examiner.limits
        deadline = (
            started
            + granted(request.query_params.get("timeout", ""), limits.decision_seconds)
            - min(limits.margin_seconds, limits.decision_seconds / 4)
        )
        raw, problem = await self._body(request, deadline)
        waited = _Wait()
        if self._certified and request.scope.get("state", {}).get(CERTIFIED) is not True:
            decision = refuse(_blank(hasty_uid(raw)), "caller.unknown", "the caller shows no certificate (--client-ca)")
        elif problem:
            decision = refuse(_blank(hasty_uid(raw)), "review.malformed", problem)
        elif len(raw) > _INLINE:
            budget = max(_SHORTEST, deadline - time.monotonic())
            decision = await asyncio.to_thread(self._examiner.run, raw, steps, budget)
        else:
            decision = await self._decided(raw, steps, deadline, waited)
        notice = self._notice(self._examiner.judge.clock()) if decision.rulings else ""
        if notice:
            decision = replace(decision, expiring=(*decision.expiring, notice))
        id = secrets.token_hex(8)
        body = answer(decision, id, limits).encode()
        seconds = time.monotonic() - started
        self._examiner.tally.decision(hook, decision, seconds, waited.seconds)
        self._write(line_of(decision, hook, id, datetime.now(UTC), seconds))
        # Whoever is to go elsewhere is told so with the answer, and no call is lost on a connection that is closing.
        headers = {"Connection": "close"} if self._ready() else {}
        return Response(body, media_type="application/json", headers=headers)

    async def _body(self, request: Request, deadline: float) -> tuple[bytes, str]:
        """The body, or its beginning and what is wrong. What is too large is read on and dropped up to some size: a
        client that is still sending does not see an answer."""
        from starlette.requests import ClientDisconnect

        most = self._examiner.limits.review_bytes
        data = bytearray()
        size = 0
        try:
            async with asyncio.timeout(max(_SHORTEST, deadline - time.monotonic())):
                async for chunk in request.stream():
                    size += len(chunk)
                    if size <= most:
                        data += chunk
                    elif size > 4 * most:
                        break
        except TimeoutError:
            return bytes(data), "the review did not arrive in time"
        except ClientDisconnect:
            return bytes(data), "the connection ended before the review did"
        if size > most:
            return bytes(data), f"review too large (limit review_bytes): at most {most} bytes, got {size} or more"
        return bytes(data), ""

    async def _decided(self, raw: bytes, steps: Callable[[Review], Steps], deadline: float, waited: _Wait) -> Decision:
        """As `Examiner.run`, without holding up other calls meanwhile."""
        review = self._examiner.read(raw)
        if isinstance(review, Decision):
            return review
        try:
            under_way = steps(review)
            while True:
                work = next(under_way)
                started = time.monotonic()
                await settled(work, max(0.0, deadline - started))
                waited.seconds += time.monotonic() - started
        except StopIteration as done:
            decision: Decision = done.value
            return decision
        except Exception as error:  # noqa: BLE001  # the edge: nothing that happens here may let an object in
            return refuse(review, "internal", f"internal error: {type(error).__name__}")


class _Wait:
    seconds = 0.0


def _blank(uid: str) -> Review:
    """A review of which no more than the uid is known."""
    return Review(uid, Kind("", "", "?"), "", "", "", "CREATE", User(), None, None)


def granted(text: str, most: float) -> float:
    """The seconds that `?timeout=` grants (`10s`, `1m30s`, `500ms`), at most `most`. The API server rounds up to whole
    seconds, so one of them may be gone already. What cannot be understood grants nothing beyond the default."""
    match = _GRANTED.fullmatch(text)
    if match is None or not text:
        return most
    count = int(match[2] or 0) * (0.001 if match[3] == "ms" else 1)
    seconds = int(match[1] or 0) * 60 + count
    rounded = seconds - 1 if seconds > 2 else seconds / 2
    return min(most, max(_SHORTEST, rounded))


async def settled(work: Sequence[Future[Any]], seconds: float) -> None:
    """Return once all of `work` is done, or the time is up. Nothing of it is cancelled: others may wait for it too."""
    pending = [future for future in work if not future.done()]
    if not pending:
        return
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    left = len(pending)

    def one_less() -> None:
        nonlocal left
        left -= 1
        if not left:
            done.set()

    def tell(_: Future[Any]) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(one_less)

    for future in pending:
        future.add_done_callback(tell)
    try:
        await asyncio.wait_for(done.wait(), seconds)
    except TimeoutError:
        return


def _plain(text: str, status: int = 200) -> Response:
    from starlette.responses import PlainTextResponse

    return PlainTextResponse(text, status)
