"""What the evidence stores do with many documents: puts a second, searches and gatherings in milliseconds.

python -m bench.store [--pieces 1000000] [--builds 1000] [--sqlite FILE] [--postgres URI] [--json]

Documents are those of builds of one layout of five steps, signed, each step with eight products of which six are the
same in every build, and as many materials. First so many builds are put that a chain is to be found among them, then
documents of other projects up to `--pieces`. Without `--postgres` a private cluster is started where PostgreSQL is
installed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

from navicert.digest import DigestSet, sha256
from navicert.envelope.document import seal
from navicert.model.link import Link
from navicert.store import Filing, Store
from navicert.store.gather import gather
from navicert.store.query import Query, search
from navicert.store.uri import open_store
from navicert.testing import NOW, Chain, chain, file_target, signer
from navicert.verify.case import Case
from navicert.verify.evaluate import verify

STEPS = ("checkout", "base", "build", "scan", "publish")
BATCH = 1000
SHARED = 6
"""Artifacts that are the same in every build; two are its own."""


def layout() -> Chain:
    """The layout of every build."""
    made = chain()
    before = None
    for step in STEPS:
        materials = [f"MATCH * WITH PRODUCTS FROM {before}", "DISALLOW *"] if before else ["ALLOW *"]
        made = made.step(step, by="bob", materials=materials, products=["ALLOW *"])
        before = step
    return made


def digests(text: str) -> DigestSet:
    """The digest of an artifact with this content."""
    return DigestSet.of({"sha256": sha256(text.encode()).hex})


def build(number: int, project: str) -> Iterator[tuple[str, Link]]:
    """The links of one build."""
    carried: dict[str, DigestSet] = {}
    for place, step in enumerate(STEPS):
        products = {f"src/{n}.c": digests(f"{project} shared {n}") for n in range(SHARED)}
        products |= {f"out/{n}": digests(f"{project} {number} {place if n else ''} {n}") for n in range(2)}
        yield step, Link(step, ("make", step), carried, products)
        carried = products


def product(number: int, project: str) -> bytes:
    """What comes out of a build."""
    return f"{project} {number} {len(STEPS) - 1} 1".encode()


def filings(pieces: int, builds: int) -> Iterator[Filing]:
    """Signed documents: those builds first, then those of other projects."""
    who = signer("bob")
    made = 0
    for number in range(pieces):
        project = "ours" if number < builds else f"project {number // builds}"
        for step, link in build(number, project):
            if made == pieces:
                return
            made += 1
            yield Filing(step, who.keyid, seal(link, who))


def timed(act: Callable[[int], object], count: int) -> dict[str, float]:
    """Median and 95th percentile of `act` in milliseconds, and its processor time, which other load changes less."""
    times = []
    ticks = time.process_time()
    for number in range(count):
        start = time.perf_counter()
        act(number)
        times.append((time.perf_counter() - start) * 1000)
    own = (time.process_time() - ticks) * 1000 / count
    times.sort()
    return {
        "median_ms": round(statistics.median(times), 2),
        "p95_ms": round(times[int(len(times) * 0.95)], 2),
        "mean_of_own_processor_time_ms": round(own, 2),
    }


def measure(name: str, store: Store, pieces: int, builds: int) -> dict[str, object]:
    """The figures of one store."""
    spent = signing = computing = 0.0
    slowest = 0.0
    batch: list[Filing] = []
    source = filings(pieces, builds)
    done = 0
    while True:
        start = time.perf_counter()
        batch = [filing for _, filing in zip(range(BATCH), source, strict=False)]
        signing += time.perf_counter() - start
        if not batch:
            break
        start, ticks = time.perf_counter(), time.process_time()
        store.put_many(batch)
        took = time.perf_counter() - start
        computing += time.process_time() - ticks
        spent += took
        slowest = max(slowest, took)
        done += len(batch)
        if done % 50_000 < BATCH:
            sys.stderr.write(f"{name}: {done} documents, {done / spent:.0f}/s\n")
    policy = layout().policy()
    step = max(builds // 200, 1)

    def find(number: int) -> None:
        wanted = f"sha256:{sha256(product(number * step % builds, 'ours')).hex}"
        assert len(list(search([store], Query(digests=(wanted,))))) == 1

    def collect(number: int) -> None:
        target = file_target(product(number * step % builds, "ours"))
        found = gather(policy, [store], target=target)
        assert len(found.exhibits) == len(STEPS), len(found.exhibits)
        if number == 0:
            assert verify(Case(policy, NOW, found.exhibits, found.refused, target=target)).passed

    return {
        "store": name,
        "pieces": done,
        "builds": builds,
        "puts_per_second": round(done / spent),
        "puts_per_second_of_own_processor_time": round(done / computing),
        "slowest_batch_s": round(slowest, 2),
        "signing_s": round(signing, 1),
        "search_by_digest": timed(find, 200),
        "gather_one_chain": timed(collect, 100),
        "one_put": timed(lambda n: store.put("other", signer("eve").keyid, b"%d %f" % (n, time.time())), 50),
    }


def main() -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pieces", type=int, default=200_000)
    parser.add_argument("--builds", type=int, default=1000)
    parser.add_argument("--sqlite", metavar="FILE", help="measure this new file instead of a temporary one")
    parser.add_argument("--postgres", metavar="URI", help="measure this empty database; - for none")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    results = []
    with ExitStack() as cleanup:
        folder = cleanup.enter_context(tempfile.TemporaryDirectory())
        stores = {"sqlite": f"sqlite:{args.sqlite or Path(folder) / 'evidence.db'}"}
        uri = args.postgres or _own_server(cleanup)
        if uri and uri != "-":
            stores["postgresql"] = uri
        for name, where in stores.items():
            with closing(open_store(where)) as store:
                results.append(measure(name, store, args.pieces, args.builds))
            if name == "sqlite":
                size = os.path.getsize(where.removeprefix("sqlite:"))
                results[-1]["bytes_per_piece"] = round(size / args.pieces)
    if args.json:
        print(json.dumps(results, indent=2))
    else:
        for result in results:
            print("\n".join(f"{name:<38} {value}" for name, value in result.items()), end="\n\n")
    return 0


def _own_server(cleanup: ExitStack) -> str | None:
    from tests.conftest import find_component
    from tests.postgres_server import running_server

    programs = find_component("postgresql")
    if programs is None:
        sys.stderr.write("postgresql: not measured, because it is not installed\n")
        return None
    server = cleanup.enter_context(running_server(programs))
    os.environ["PGPASSFILE"] = str(server.passfile)
    return server.database("bench")


if __name__ == "__main__":
    raise SystemExit(main())
