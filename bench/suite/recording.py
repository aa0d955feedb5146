"""Recording: trees of files, before and after a command that does nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from bench import tree
from bench.contestant import UPSTREAM, Contestant, Kind, Unmeasurable
from bench.figure import CPU, WALL, Goal
from bench.tree import MIB, File
from bench.workload import Prepare, Programs, Race, Workload
from navicert.crypto.signer import private_pem
from navicert.testing import signer

SHA256SUM: Final = "find | xargs sha256sum"
OPENSSL: Final = "find | xargs openssl"
PYTHON: Final = "find | python: open, read, fstat, close, SHA-256"

_EACH: Final = """
import hashlib, os, sys
for line in sys.stdin:
    file = os.open(line[:-1], os.O_RDONLY)
    data = os.read(file, 1 << 16)
    digest = hashlib.sha256(data)
    while len(data) == 1 << 16:
        data = os.read(file, 1 << 16)
        digest.update(data)
    os.fstat(file)
    os.close(file)
    digest.digest()
"""
"""What recording does for each file, with nothing around it."""

BOTH: Final = ("-m", ".", "-p", ".")
ONCE: Final = ("-p", ".")


def write_key(folder: Path) -> None:
    """Write the private key that contestants sign with to `folder`, as `key`."""
    path = folder / "key"
    path.write_bytes(private_pem(signer("recorder of the benchmark"), None))
    path.chmod(0o600)


def _record(files: Callable[[], Iterator[File]], what: Sequence[str] = BOTH, excludes: Sequence[str] = ()) -> Prepare:
    """Contestants that record `files`: `what` is which of materials and products."""

    def prepare(folder: Path, programs: Programs) -> Race:
        place = folder / "tree"
        count = tree.write(files(), place)
        write_key(folder)
        outputs = [folder / name for name in ("upstream", "in-toto-run", "navicert")]
        for output in outputs:
            output.mkdir()
        theirs, dropin, own = outputs
        words = ["-n", "step", "--signing-key", "../key", *what]
        words += ["--exclude", *excludes] if excludes else []
        own_words = ["run", "step", "-k", "../key", *what, *(f"--exclude={pattern}" for pattern in excludes)]
        run = ("--", "true")
        find = "find . -type f -print0 | xargs -0"

        def in_toto(name: str, kind: Kind, programs: Path, output: Path) -> Contestant:
            return Contestant(name, kind, (str(programs / "in-toto-run"), *words, "-d", str(output), *run), place)

        race = (
            in_toto(UPSTREAM, "upstream", programs.upstream, theirs),
            in_toto("in-toto-run", "ours", programs.ours, dropin),
            Contestant(
                "navicert run", "ours", (str(programs.ours / "navicert"), *own_words, "--store", str(own), *run), place
            ),
            Contestant(SHA256SUM, "floor", ("sh", "-c", f"{find} sha256sum"), place),
            Contestant(OPENSSL, "floor", ("sh", "-c", f"{find} openssl dgst -sha256"), place),
            Contestant(
                PYTHON,
                "floor",
                ("sh", "-c", 'find . -type f | "$0" -I -c "$1"', str(programs.ours / "python"), _EACH),
                place,
            ),
        )
        return Race(race, lambda: same(outputs, what, None if excludes else count))

    return prepare


def same(outputs: Sequence[Path], what: Sequence[str], count: int | None) -> None:
    """Raise `Unmeasurable` unless all recorded the same, and everything: `count` files, if it is known.

    Nothing is run in between, so where both are recorded there are as many materials as products.
    """
    first, *others = (_artifacts(output) for output in outputs)
    for output, other in zip(outputs[1:], others, strict=True):
        if other != first:
            difference = sorted(set(map(repr, other[1].items())) ^ set(map(repr, first[1].items())))[:3]
            raise Unmeasurable(f"{output.name} recorded something else than upstream: {difference}")
    materials, products = map(len, first)
    if not products or materials != (products if "-m" in what else 0) or count not in (None, products):
        wanted = "" if count is None else f", of {count} files"
        raise Unmeasurable(f"recorded {materials} materials and {products} products{wanted}")


def _artifacts(output: Path) -> tuple[dict[str, object], dict[str, object]]:
    """Materials and products in the one link in the folder `output`."""
    paths = list(output.glob("step.*.link"))
    if len(paths) != 1:
        raise Unmeasurable(f"{output.name} recorded {len(paths)} links, not one")
    document = json.loads(paths[0].read_bytes())
    link = document["signed"] if "signed" in document else json.loads(base64.b64decode(document["payload"]))
    return link["materials"], link["products"]


_SMALL: Final = (Goal(CPU, 0.27), Goal(WALL, 0.20))

WORKLOADS: Final = (
    Workload(
        "record-2k",
        "record 2,000 files of 1–8 KiB, materials and products",
        _record(lambda: tree.sources(2_000, 1024, 8192)),
        quick=True,
        full=False,
    ),
    Workload(
        "record-20k",
        "record 20,000 files of 1–8 KiB, materials and products",
        _record(lambda: tree.sources(20_000, 1024, 8192)),
        5,
        _SMALL,
        space=400 * MIB,
    ),
    Workload(
        "record-20k-once",
        "record 20,000 files of 1–8 KiB, products only: each file is read once, as by the floors",
        _record(lambda: tree.sources(20_000, 1024, 8192), ONCE),
        5,
        (Goal(WALL, 1.0, SHA256SUM),),
        space=400 * MIB,
    ),
    Workload(
        "record-100k",
        "record 100,000 files of 200 B, materials and products",
        _record(lambda: tree.sources(100_000, 200, 200)),
        3,
        (Goal(CPU, 0.17),),
        rehearse=False,
        space=1024 * MIB,
    ),
    Workload(
        "record-20x200m",
        "record 20 files of 200 MiB, materials and products",
        _record(lambda: tree.images(20, 200 * MIB)),
        3,
        (Goal(WALL, 0.45),),
        rehearse=False,
        space=4200 * MIB,
    ),
    Workload(
        "record-node-modules",
        "record node_modules, 10,000 files of 131 MB, 20 exclude patterns, materials and products",
        _record(lambda: tree.node_modules(10_000, 131_000_000), excludes=tree.EXCLUDES),
        5,
        (Goal(CPU, 0.30),),
        space=400 * MIB,
    ),
)
