"""Registries that give no answer are not waited for again and again, and are found again when they are back."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from navicert.admission.breaker import Breaker, Closed
from navicert.admission.limits import ADMISSION
from navicert.dataclass import replace
from navicert.errors import Malformed, NavicertError, Refused, Unavailable

LIMITS = replace(ADMISSION, outages=3, outage_window_seconds=30.0, outage_pause_seconds=15.0)
DOWN = Unavailable("no answer")


class Clock:
    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(LIMITS, clock, lambda: datetime(2026, 6, 1, 12, tzinfo=UTC))


def ask(breaker: Breaker, error: NavicertError | None = None, registry: str = "r.example") -> str:
    """Make one request that ends as told; what was raised."""
    try:
        with breaker.asking(registry):
            if error is not None:
                raise error
    except NavicertError as raised:
        return type(raised).__name__
    return ""


def test_after_failures_in_a_row_it_is_not_asked_and_says_until_when(breaker: Breaker) -> None:
    assert [ask(breaker, DOWN) for _ in range(4)] == ["Unavailable"] * 3 + ["Closed"]
    with (
        pytest.raises(Closed, match="gave no answer 3 times in a row; it is asked again at 12:00:15Z"),
        breaker.asking("r.example"),
    ):
        raise AssertionError("asked")


def test_another_registry_is_asked_all_the_same(breaker: Breaker) -> None:
    for _ in range(3):
        ask(breaker, DOWN)
    assert ask(breaker, registry="other.example") == ""


def test_an_answer_between_failures_starts_the_count_anew(breaker: Breaker) -> None:
    for error in (DOWN, DOWN, None, DOWN, DOWN):
        ask(breaker, error)
    assert ask(breaker) == ""


def test_failures_that_are_far_apart_are_not_in_a_row(breaker: Breaker, clock: Clock) -> None:
    ask(breaker, DOWN)
    clock.seconds += 31
    ask(breaker, DOWN)
    ask(breaker, DOWN)
    assert ask(breaker) == ""


@pytest.mark.parametrize("error", [Malformed("damaged"), Refused("no access")])
def test_whoever_can_push_a_damaged_image_cannot_close_a_registry_for_others(
    breaker: Breaker, error: NavicertError
) -> None:
    for _ in range(10):
        ask(breaker, error)
    assert ask(breaker) == ""


def test_one_request_tries_whether_it_is_back_and_the_others_do_not_wait_for_it(breaker: Breaker, clock: Clock) -> None:
    for _ in range(3):
        ask(breaker, DOWN)
    clock.seconds += 15
    begun, end = threading.Event(), threading.Event()

    def probe() -> None:
        with breaker.asking("r.example"):
            begun.set()
            end.wait(20)

    thread = threading.Thread(target=probe)
    thread.start()
    assert begun.wait(20)
    assert ask(breaker) == "Closed"
    end.set()
    thread.join()
    assert ask(breaker) == ""


def test_one_that_is_still_down_is_left_alone_for_as_long_again(breaker: Breaker, clock: Clock) -> None:
    for _ in range(3):
        ask(breaker, DOWN)
    clock.seconds += 15
    assert ask(breaker, DOWN) == "Unavailable"
    assert ask(breaker) == "Closed"
    clock.seconds += 14
    assert ask(breaker) == "Closed"
    clock.seconds += 1
    assert ask(breaker) == ""


def test_a_try_that_came_to_nothing_leaves_room_for_the_next(breaker: Breaker, clock: Clock) -> None:
    for _ in range(3):
        ask(breaker, DOWN)
    clock.seconds += 15
    assert ask(breaker, Refused("no access")) == "Refused"
    assert ask(breaker) == ""


def test_how_many_registries_are_remembered_is_bounded(breaker: Breaker) -> None:
    for number in range(3_000):
        ask(breaker, DOWN, f"r{number}.example")
    assert len(breaker._states) == 1_000
