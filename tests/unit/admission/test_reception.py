"""The time that an API server grants, and waiting for work within it."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import Future
from typing import Any

import pytest

from navicert.admission.reception import granted, settled
from navicert.admission.review import hasty_uid


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10s", 8), ("30s", 8), ("5s", 4), ("3s", 2), ("2s", 1), ("1s", 0.5), ("500ms", 0.25), ("1m", 8), ("1m30s", 8),
     ("0s", 0.2), ("", 8), ("10", 8), ("-5s", 8), ("5s; drop", 8), ("9" * 50 + "s", 8)],
)  # fmt: skip
def test_a_second_of_what_is_granted_may_be_gone_already(text: str, seconds: float):
    assert granted(text, 8) == seconds


def test_work_is_waited_for_and_not_cancelled():
    done: Future[Any] = Future()
    done.set_result(1)
    never: Future[Any] = Future()

    async def wait() -> float:
        started = time.monotonic()
        await settled([done], 5)
        await settled([], 5)
        await settled([done, never], 0.1)
        return time.monotonic() - started

    assert asyncio.run(wait()) < 2
    assert not never.cancelled()
    never.set_result(2)  # after the loop has ended, which must not matter


def test_the_uid_of_a_review_that_is_not_read_is_taken_from_its_beginning_only():
    start = b'{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"abc-1","kind"'
    assert hasty_uid(start + b"x" * 10_000_000) == "abc-1"
    assert hasty_uid(b'{"request":{"uid":"abc-1"') == "abc-1"
    for raw in (
        b"",
        b'{"x":1,"request":{"uid":"abc"',
        b'{"request":{"object":{"uid":"abc"',
        b'{"request":{"uid":"a b"',
    ):
        assert hasty_uid(raw) == ""
