"""Load on the webhook: `python -m bench.admission`.

The webhook runs as a process of its own, over TLS, with evidence in a registry on loopback. Clients and registry share
a process, and with it a processor core where there are two; what is said of the machine belongs to the figures. Prints
one line for each measurement; asserts nothing.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.admission_world import World, pod, review, world
from tests.api_server import ApiServer
from tests.webhook_process import Process, webhook

STEPS = 5
THREADS = 8
_SHARE = 500
"""New images of one namespace."""


def main(words: Sequence[str] | None = None) -> int:
    """Measure and print; 0."""
    parser = argparse.ArgumentParser(prog="bench.admission", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each load")
    parser.add_argument("--rate", type=int, default=200, help="reviews a second at which latency is measured")
    parser.add_argument("--images", type=int, default=30, help="different images, each with a chain of five steps")
    parser.add_argument("--reviews", type=int, default=10_000, help="after which memory is looked at")
    args = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as folder, world(Path(folder)) as made:
        print(f"load average before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
        references = [_image(made, number) for number in range(args.images)]
        with webhook(made.folder, made.folder / "policy.yaml") as process:
            cold(process, references)
            warm(process, references, args.rate, args.seconds)
            peak(process, references, args.seconds)
            one_digest(made, process)
            memory(process, references, args.reviews)
        print(f"load average after: {os.getloadavg()[0]:.1f}")
    return 0


def _image(made: World, number: int) -> str:
    content = str(number).encode()
    image = made.image(f"shop/app{number}", "1", content)
    made.attest(image, f"shop/app{number}", policy=None, steps=STEPS)
    return made.ref(image, f"shop/app{number}")


def _line(name: str, seconds: Sequence[float], more: str = "") -> None:
    ordered = sorted(seconds)

    def at(share: float) -> float:
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000

    figures = f"p50 {statistics.median(ordered) * 1000:.1f} ms, p95 {at(0.95):.1f} ms, p99 {at(0.99):.1f} ms"
    print(f"{name}: {figures} ({len(ordered)} reviews{more})")


def cold(process: Process, references: Sequence[str]) -> None:
    """The first review of each image: everything is asked of the registry. The first of all is left out: it opens the
    connection."""
    seconds = []
    with process.api_server() as caller:
        for number, reference in enumerate(references):
            # Of one namespace no more new images are looked at than its share at once.
            asked = review(pod(reference), namespace=f"team-{number // _SHARE}")
            started = time.perf_counter()
            assert caller.validate(asked).allowed
            seconds.append(time.perf_counter() - started)
    _line(f"cold, {STEPS} steps", seconds[1:])


def _mix(references: Sequence[str]) -> Iterator[bytes]:
    """Reviews of Pods with one, three and eight images, in turn."""
    around = itertools.cycle(references)
    for count in itertools.cycle((1, 3, 8)):
        yield json.dumps(review(pod(*itertools.islice(around, count)))).encode()


@contextmanager
def _callers(process: Process) -> Iterator[list[ApiServer]]:
    callers = [process.api_server() for _ in range(THREADS)]
    try:
        yield callers
    finally:
        for caller in callers:
            caller.close()


def _run(work: Any, callers: Sequence[ApiServer]) -> None:
    threads = [threading.Thread(target=work, args=(caller,)) for caller in callers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _allowed(caller: ApiServer, raw: bytes) -> None:
    status, _, body = caller.send(raw)
    if status != 200 or not json.loads(body)["response"]["allowed"]:
        raise AssertionError(body[:500])


def warm(process: Process, references: Sequence[str], rate: int, seconds: float) -> None:
    """Reviews that are answered from memory, at a steady rate. Latency counts from the moment a review was due."""
    bodies = list(itertools.islice(_mix(references), 300))
    taken: list[float] = []
    ticket = itertools.count()
    lock = threading.Lock()
    total = int(rate * seconds)
    start = time.perf_counter() + 0.2

    def work(caller: ApiServer) -> None:
        _allowed(caller, bodies[0])
        while True:
            with lock:
                number = next(ticket)
            if number >= total:
                return
            due = start + number / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            _allowed(caller, bodies[number % len(bodies)])
            taken.append(time.perf_counter() - due)

    with _callers(process) as callers:
        _run(work, callers)
    _line(f"warm at {rate}/s, 1, 3 and 8 images", taken)


def peak(process: Process, references: Sequence[str], seconds: float) -> None:
    """As many reviews as are answered from memory, and what each costs the webhook's processor."""
    bodies = list(itertools.islice(_mix(references), 300))
    counts: list[int] = []
    end = time.perf_counter() + seconds
    before = _cpu(process)

    def work(caller: ApiServer) -> None:
        count = 0
        for raw in itertools.cycle(bodies):
            _allowed(caller, raw)
            count += 1
            if time.perf_counter() >= end:
                break
        counts.append(count)

    with _callers(process) as callers:
        started = time.perf_counter()
        _run(work, callers)
        wall = time.perf_counter() - started
    total = sum(counts)
    cost = (_cpu(process) - before) / total * 1000
    print(f"warm, as fast as they come: {total / wall:.0f}/s; {cost:.2f} ms of the webhook's processor a review")


def one_digest(made: World, process: Process) -> None:
    """A thousand Pods of one new digest at once."""
    reference = _image(made, 10_000)
    made.registry.forget()
    raw = json.dumps(review(pod(reference))).encode()

    def work(caller: ApiServer) -> None:
        for _ in range(1000 // THREADS):
            _allowed(caller, raw)

    with _callers(process) as callers:
        _run(work, callers)
    lists = made.registry.count("GET", "/referrers/")
    print(f"1,000 Pods of one digest: {lists} judgement, {made.registry.count()} requests to the registry")


def memory(process: Process, references: Sequence[str], reviews: int) -> None:
    """Resident memory after many reviews, of these images and of as many that are not there."""

    def work(caller: ApiServer) -> None:
        for number in range(reviews // THREADS):
            caller.send(json.dumps(review(pod(references[number % len(references)]))).encode())

    with _callers(process) as callers:
        _run(work, callers)
    print(f"memory after {reviews} more reviews: {_resident(process) / 1024:.0f} MiB")


def _resident(process: Process) -> int:
    status = Path(f"/proc/{process.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))


def _cpu(process: Process) -> float:
    fields = Path(f"/proc/{process.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
