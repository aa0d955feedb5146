"""Threads in lanes."""

from __future__ import annotations

import threading

import pytest

from navicert.admission.limits import ADMISSION
from navicert.admission.worker import Workers
from navicert.dataclass import replace
from navicert.errors import Unavailable

FEW = replace(ADMISSION, workers=4, lane=2, queue=2)


def test_what_goes_wrong_reaches_whoever_waits():
    def broken() -> int:
        raise ValueError("no")

    with Workers(FEW) as workers:
        assert workers.submit("a", lambda: 7).result(5) == 7
        with pytest.raises(ValueError, match="no"):
            workers.submit("a", broken).result(5)
        assert workers.submit("a", lambda: 8).result(5) == 8


def test_one_lane_has_its_share_and_what_waits_too_long_is_refused():
    gate = threading.Event()
    with Workers(FEW) as workers:
        slow = [workers.submit("slow", lambda: gate.wait(10)) for _ in range(4)]
        with pytest.raises(Unavailable, match="limit queue"):
            workers.submit("slow", lambda: True)
        assert workers.submit("other", lambda: "quick").result(5) == "quick"
        assert sum(one.running() for one in slow) <= 2
        gate.set()
        assert [one.result(5) for one in slow] == [True] * 4
        assert workers.submit("slow", lambda: "again").result(5) == "again"
