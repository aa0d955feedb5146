"""Trees of files to record: the same names, sizes and contents for the same seed."""

from __future__ import annotations

import math
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Final

MIB: Final = 1 << 20

EXCLUDES: Final = (
    "*.link*", ".git", "*.pyc", "*~",  # what is left out anyway
    "*.log", "*.tmp", "*.swp", ".DS_Store", "Thumbs.db", "*.tsbuildinfo",
    ".cache/", "coverage/", ".nyc_output/", "__tests__/", "/tools/*.sh",
    "*.test.js", "docs/*.html", "**/fixtures/*.json", "npm-debug.*", "[Mm]akefile",
)  # fmt: skip
"""Twenty patterns as a project with `node_modules` has them: names, endings, folders, some that match nothing."""

File = tuple[str, int]
"""Path and size in bytes."""


def sources(count: int, least: int, most: int, seed: int = 0) -> Iterator[File]:
    """`count` source files of `least` to `most` bytes, 100 in a folder."""
    draw = random.Random(f"sources {seed}")
    for number in range(count):
        folder = f"src/package-{number // 1000:03}/module-{number // 100 % 10}"
        yield f"{folder}/file-{number:06}.py", draw.randint(least, most)


def images(count: int, size: int) -> Iterator[File]:
    """`count` big files of `size` bytes."""
    for number in range(count):
        yield f"images/layer-{number:02}.tar", size


def node_modules(count: int, total: int, seed: int = 0) -> Iterator[File]:
    """About `count` files of `total` bytes in the manner of `node_modules`: many small packages, a few large ones,
    sizes over five orders of magnitude, about a fifth of it left out by `EXCLUDES`."""
    draw = random.Random(f"node_modules {seed}")
    names: list[str] = []
    package = 0
    while len(names) < count:
        folder = f"node_modules/{'@scope/' if package % 7 == 0 else ''}package-{package:04}"
        if package % 11 == 10:  # a second version of something, deeper
            folder = f"node_modules/package-{package - 1:04}/{folder}"
        names += (f"{folder}/{name}" for name in _package(draw))
        package += 1
    names = names[:count]
    weights = [math.exp(draw.gauss(0, 1.6)) for _ in names]
    scale = total / sum(weights)
    for name, weight in zip(names, weights, strict=True):
        yield name, max(1, int(weight * scale))


def _package(draw: random.Random) -> Iterator[str]:
    yield from ("package.json", "README.md", "LICENSE", "index.js")
    for number in range(min(400, int(math.exp(draw.gauss(2.5, 1))))):
        folder = draw.choice(
            ("lib", "dist", "dist/esm", "src", "types", "docs", "__tests__", "test/fixtures", "coverage")
        )
        ending = draw.choice((".js", ".js", ".d.ts", ".js.map", ".json", ".html", ".test.js", ".mjs", ".log"))
        yield f"{folder}/module-{number:03}{ending}"


def write(files: Iterator[File], folder: Path, seed: int = 0) -> int:
    """Write `files` below `folder`, filled with bytes that follow from `seed`; how many were written."""
    draw = random.Random(f"contents {seed}")
    block = draw.randbytes(MIB)
    made: set[str] = set()
    number = 0
    for path, size in files:
        place = os.path.join(folder, path)
        parent = os.path.dirname(place)
        if parent not in made:
            os.makedirs(parent, exist_ok=True)
            made.add(parent)
        with open(place, "wb", buffering=0) as stream:
            # No two files alike, nor two parts of one file: each part begins with its place.
            for start in range(0, size, MIB):
                head = b"%08x %08x " % (number, start // MIB)
                stream.write((head + block[len(head) :])[: size - start])
        number += 1
    return number
