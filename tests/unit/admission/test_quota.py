"""One namespace does not use up what all need."""

from __future__ import annotations

import pytest

from navicert.admission.limits import ADMISSION
from navicert.admission.quota import Quota, Spent
from navicert.dataclass import replace

LIMITS = replace(ADMISSION, namespace_judgements=3, namespace_judgements_per_second=0.5)


class Clock:
    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def taken(quota: Quota, namespace: str, times: int) -> int:
    """How many of so many tries got a token."""
    count = 0
    for _ in range(times):
        try:
            quota.take(namespace)
        except Spent:
            continue
        count += 1
    return count


def test_what_is_spent_comes_back_with_time_and_no_more_than_that() -> None:
    clock = Clock()
    quota = Quota(LIMITS, clock)
    assert taken(quota, "shop", 10) == 3
    clock.seconds += 4
    assert taken(quota, "shop", 10) == 2
    clock.seconds += 10_000
    assert taken(quota, "shop", 10) == 3


def test_it_says_who_and_until_when() -> None:
    quota = Quota(LIMITS, Clock())
    taken(quota, "shop", 3)
    with pytest.raises(Spent, match=r"namespace shop: asks for more .*; again in 2 s"):
        quota.take("shop")


def test_others_have_their_own() -> None:
    quota = Quota(LIMITS, Clock())
    taken(quota, "shop", 10)
    assert taken(quota, "pay", 10) == 3


def test_how_many_namespaces_are_remembered_is_bounded() -> None:
    quota = Quota(LIMITS, Clock())
    for number in range(7_000):
        quota.take(f"n{number}")
    assert len(quota._buckets) == 5_000
