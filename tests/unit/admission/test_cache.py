"""Verdicts remembered, and work done once."""

from __future__ import annotations

from concurrent.futures import Future
from datetime import UTC, datetime, timedelta

from navicert.admission.cache import Flights, VerdictCache, VerdictKey
from navicert.admission.judgement import Judgement, Standing, refused, unknown
from navicert.dataclass import replace
from navicert.digest import sha256

NOW = datetime(2026, 6, 1, tzinfo=UTC)
PASSED = Judgement(Standing.PASSED, until=NOW + timedelta(days=30))


def key(image: bytes = b"image", policy: bytes = b"policy") -> VerdictKey:
    return VerdictKey("r.example/app", sha256(image), sha256(policy), "1")


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_each_standing_is_taken_for_granted_for_a_while():
    for judgement, seconds in ((PASSED, 3600), (refused("x", "y"), 30), (unknown("x", "y"), 1)):
        clock = Clock()
        cache = VerdictCache(clock=clock)
        cache.keep(key(), judgement)
        clock.seconds = seconds - 0.1
        assert cache.find(key(), NOW) is judgement
        clock.seconds = seconds
        assert cache.find(key(), NOW) is None


def test_a_pass_ends_with_what_it_rests_on():
    cache = VerdictCache()
    cache.keep(key(), replace(PASSED, until=NOW + timedelta(seconds=5)))
    assert cache.find(key(), NOW + timedelta(seconds=4)) is not None
    assert cache.find(key(), NOW + timedelta(seconds=5)) is None


def test_every_part_of_the_key_tells_verdicts_apart():
    cache = VerdictCache()
    cache.keep(key(), PASSED)
    for other in (
        key(b"another image"),
        key(policy=b"another policy"),
        replace(key(), repository="r.example/other"),
        replace(key(), version="2"),
        replace(key(), namespace="dev"),
        replace(key(), credentials="x"),
    ):
        assert cache.find(other, NOW) is None
        assert cache.before(other, NOW) is None


def test_what_passed_is_known_beyond_its_hour_until_it_is_refused():
    clock = Clock()
    cache = VerdictCache(clock=clock)
    cache.keep(key(), PASSED)
    clock.seconds = 10_000
    assert cache.find(key(), NOW) is None
    assert cache.before(key(), NOW) is PASSED
    cache.keep(key(), unknown("registry", "down", outage=True))
    assert cache.before(key(), NOW) is PASSED
    assert cache.before(key(), NOW + timedelta(days=30)) is None, "the layout has expired"
    cache.keep(key(), refused("x", "y"))
    assert cache.before(key(), NOW) is None


def test_a_pass_without_an_end_is_no_pass_from_before():
    cache = VerdictCache()
    cache.keep(key(), replace(PASSED, until=None))
    assert cache.before(key(), NOW) is None


def test_the_least_recently_used_is_forgotten():
    cache = VerdictCache(2)
    for image in (b"a", b"b"):
        cache.keep(key(image), PASSED)
    cache.find(key(b"a"), NOW)
    cache.keep(key(b"c"), PASSED)
    assert len(cache) == 2
    assert cache.find(key(b"b"), NOW) is None
    assert cache.find(key(b"a"), NOW) is not None


def test_who_asks_meanwhile_waits_for_the_same_work():
    flights: Flights[str, int] = Flights()
    started: list[Future[int]] = []

    def start() -> Future[int]:
        started.append(Future())
        return started[-1]

    first, second, other = flights.join("a", start), flights.join("a", start), flights.join("b", start)
    assert first is second is not other
    first.set_result(1)
    assert flights.join("a", start) is not first
    assert len(started) == 3
