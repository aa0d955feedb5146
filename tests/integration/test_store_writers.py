"""Many writers at once, and writers that are killed: what was confirmed is there, whole."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from tests.conftest import ROOT
from tests.store_writer import link

from navicert.store.uri import open_store

pytestmark = pytest.mark.slow

WRITERS = 50


@pytest.fixture(params=["directory", "sqlite", "postgres"])
def uri(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return request.getfixturevalue("postgres").database(f"d{os.urandom(8).hex()}")
    return {"directory": str(tmp_path / "evidence"), "sqlite": f"sqlite:{tmp_path}/evidence.db"}[request.param]


def start(uri: str, writer: int, count: int) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "tests.store_writer", uri, str(writer), str(count)]
    # Unbuffered: what a line is read with must not be kept from whoever reads the rest.
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, bufsize=0)


def kept(uri: str) -> list[bytes]:
    with closing(open_store(uri)) as store:
        pieces = list(store.pieces())
    assert [piece.problem for piece in pieces if piece.problem is not None] == []
    return [piece.raw for piece in pieces if piece.raw is not None]


def test_fifty_writers_lose_nothing_of_one_another(uri: str) -> None:
    """All of them find that there is no store yet, make it, and put into it."""
    writers = [start(uri, writer, 4) for writer in range(WRITERS)]
    for process in writers:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors.decode()
    assert sorted(kept(uri)) == sorted(link(writer, number) for writer in range(WRITERS) for number in range(4))


def test_fifty_writers_of_the_same_document_keep_it_once(uri: str) -> None:
    writers = [start(uri, 0, 4) for _ in range(WRITERS // 5)]
    for process in writers:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors.decode()
    assert sorted(kept(uri)) == sorted(link(0, number) for number in range(4))


def test_a_writer_that_is_killed_has_lost_nothing_that_was_confirmed(uri: str) -> None:
    confirmed: set[bytes] = set()
    for attempt in range(6):
        with start(uri, attempt, 0) as process:
            assert process.stdout is not None
            first = process.stdout.readline()
            time.sleep(random.uniform(0.01, 0.3))
            os.kill(process.pid, signal.SIGKILL)
            rest, _ = process.communicate(timeout=60)
        # A line that was cut off was not read by anybody.
        numbers = [int(line) for line in (first + rest).splitlines(keepends=True) if line.endswith(b"\n")]
        assert numbers == list(range(len(numbers)))
        confirmed |= {link(attempt, number) for number in numbers}
    there = kept(uri)
    assert confirmed <= set(there)
    assert len(there) == len(set(there))
    # At most one more of each: what was kept when the writer was killed before it could say so.
    assert len(there) <= len(confirmed) + 6
    with closing(open_store(uri)) as store:
        store.put("build", "ab" * 32, link(99, 0))
    assert link(99, 0) in kept(uri)
