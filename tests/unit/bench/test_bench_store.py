"""The benchmark of stores: what it measures is what it says, and a store that loses something is not measured."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from bench import store as bench

from navicert.store.query import Query, search
from navicert.store.sqlite import SqliteStore
from navicert.testing import MemoryStore


def test_a_small_run_gives_every_figure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "evidence.db"
    words = ["bench.store", "--pieces", "220", "--builds", "40", "--sqlite", str(path), "--postgres", "-", "--json"]
    monkeypatch.setattr(sys, "argv", words)
    assert bench.main() == 0
    (read,) = json.loads(capsys.readouterr().out)
    assert (read["store"], read["pieces"], read["builds"]) == ("sqlite", 220, 40)
    for name in ("puts_per_second", "slowest_batch_s", "bytes_per_piece"):
        assert read[name] > 0
    for name in ("search_by_digest", "gather_one_chain", "one_put"):
        assert 0 < read[name]["median_ms"] <= read[name]["p95_ms"]
    store = SqliteStore(str(path))
    assert len(list(search([store], Query(step="publish")))) == 44
    store.close()


def test_the_chains_that_are_gathered_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each build of one layout is its own chain, and shares most artifacts with all others."""
    made = MemoryStore()
    made.put_many(list(bench.filings(25, 5)))
    found = [piece for piece in made.pieces() if piece.step_hint == "publish"]
    assert len(found) == 5

    def losing(self: MemoryStore, filings: object) -> list[str]:
        return []

    monkeypatch.setattr(MemoryStore, "put_many", losing)
    with pytest.raises(AssertionError):
        bench.measure("losing", MemoryStore(), 25, 5)
