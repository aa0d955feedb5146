"""Where evidence was seen: remembered by every store that can, bounded, and no more than a hint."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from navicert.errors import Malformed, NavicertError, Unavailable
from navicert.resolve import resolve
from navicert.resolve.artifact import ResolveOptions
from navicert.store import memory_file
from navicert.store.directory import DirectoryStore
from navicert.store.pack import PackSource
from navicert.store.sighting import Remembering, Sighting, usable
from navicert.store.sqlite import SqliteStore

DIGEST = "sha256:" + "ab" * 32
OTHER = "sha256:" + "cd" * 32
PLACE = f"r.example/app:1@{DIGEST}"
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def seen(place: str = PLACE, digest: str = DIGEST, days: int = 0) -> Sighting:
    return Sighting(digest, place, NOON + timedelta(days=days))


@pytest.fixture(params=["folder", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DirectoryStore | SqliteStore]:
    made: DirectoryStore | SqliteStore = (
        DirectoryStore(str(tmp_path)) if request.param == "folder" else SqliteStore(str(tmp_path / "ev.db"))
    )
    with closing(made) as opened:
        opened.prepare()
        yield opened


def test_what_was_remembered_is_told_the_newest_first(store: DirectoryStore | SqliteStore) -> None:
    assert store.sightings([DIGEST], 5) == []
    store.remember([seen("r.example/a", days=1), seen("r.example/b", days=2), seen("r.example/c", OTHER)])
    assert [one.place for one in store.sightings([DIGEST], 5)] == ["r.example/b", "r.example/a"]
    assert [one.place for one in store.sightings([DIGEST, OTHER], 5)] == ["r.example/b", "r.example/a", "r.example/c"]
    assert store.sightings([DIGEST], 1) == [seen("r.example/b", days=2)]
    assert store.sightings([], 5) == []


def test_seen_again_it_is_one_sighting_with_the_newer_time(store: DirectoryStore | SqliteStore) -> None:
    store.remember([seen(), seen()])
    store.remember([seen(days=3)])
    assert store.sightings([DIGEST], 5) == [seen(days=3)]


def test_too_many_make_the_oldest_give_way(
    store: DirectoryStore | SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever pushes ten thousand images does not fill the disk with hints."""
    monkeypatch.setattr("navicert.store.deposit.MOST", 3)
    monkeypatch.setattr("navicert.store.memory_file._MOST", 3)
    for day in range(6):
        store.remember([seen(f"r.example/app{day}", days=day)])
    assert [one.place for one in store.sightings([DIGEST], 9)] == [f"r.example/app{day}" for day in (5, 4, 3)]


def test_sightings_are_no_evidence(store: DirectoryStore | SqliteStore) -> None:
    store.remember([seen()])
    assert list(store.pieces()) == []


def test_a_memory_beside_sources_is_not_recorded(tmp_path: Path) -> None:
    """Evidence goes to the current directory by default: the next step would have it among its materials."""
    DirectoryStore(str(tmp_path)).remember([seen()])
    (tmp_path / "main.c").write_text("x")
    assert list(resolve(".", ResolveOptions(cwd=str(tmp_path))).artifacts) == ["main.c"]


def test_databases_and_folders_remember_and_packs_do_not(store: DirectoryStore | SqliteStore) -> None:
    assert isinstance(store, Remembering)
    assert not hasattr(PackSource, "remember")


@pytest.mark.parametrize(
    "place",
    [
        "",
        "app",
        "r.example/app:1",
        f"r.example/app@{DIGEST} --force; rm -rf /",
        f"\x1b[31mr.example/app@{DIGEST}",
        "oci:x",
    ],
)
def test_what_is_no_reference_with_a_digest_is_shown_to_nobody(place: str) -> None:
    """A store may come from a stranger, and what it remembers becomes part of a command that is suggested."""
    assert usable([seen(place), seen()]) == [seen()]


def test_one_place_is_told_once_and_the_newest_stands() -> None:
    assert usable([seen(), seen(digest=OTHER, days=2), seen(days=1)]) == [seen(digest=OTHER, days=2)]


# --- the file of a folder ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"type": "navicert-sightings/v2", "seen": []}',
        '{"type": "navicert-sightings/v1"}',
        '{"type": "navicert-sightings/v1", "seen": [1]}',
        '{"type": "navicert-sightings/v1", "seen": [{"digest": "x", "place": "y"}]}',
        '{"type": "navicert-sightings/v1", "seen": [{"digest": "x", "place": "y", "at": "now"}]}',
        '{"type": "navicert-sightings/v1", "seen": [{"digest": "x", "place": "y", "at": 1e400}]}',
        '{"type": "navicert-sightings/v1", "seen": [{"digest": "x", "place": "y", "at": 99999999999999999}]}',
        '{"type": "navicert-sightings/v1", "seen": [{"digest": 1, "place": "y", "at": 1}]}',
    ],
)
def test_a_file_that_is_something_else_is_told_and_not_overwritten(tmp_path: Path, text: str) -> None:
    path = tmp_path / memory_file.NAME
    path.write_text(text)
    store = DirectoryStore(str(tmp_path))
    for act in (lambda: store.sightings([DIGEST], 5), lambda: store.remember([seen()])):
        with pytest.raises(Malformed) as caught:
            act()
        assert caught.value.path == str(path)
    assert path.read_text() == text


def test_a_file_that_does_not_end_is_not_read_to_its_end(tmp_path: Path) -> None:
    (tmp_path / memory_file.NAME).write_bytes(b" " * 2 * 1024 * 1024)
    with pytest.raises(Malformed, match="too large"):
        DirectoryStore(str(tmp_path)).sightings([DIGEST], 5)
    entry = {"digest": DIGEST, "place": PLACE, "at": 1}
    (tmp_path / memory_file.NAME).write_text(json.dumps({"type": memory_file.TYPE, "seen": [entry] * 1001}))
    with pytest.raises(Malformed):
        DirectoryStore(str(tmp_path)).sightings([DIGEST], 5)


def test_a_link_a_pipe_and_a_folder_in_its_place_are_not_followed(tmp_path: Path) -> None:
    path = tmp_path / memory_file.NAME
    store = DirectoryStore(str(tmp_path))
    mine = '{"type": "navicert-sightings/v1", "seen": []}'
    (tmp_path / "target").write_text(mine)
    for plant in (lambda: path.symlink_to(tmp_path / "target"), lambda: os.mkfifo(path), path.mkdir):
        plant()
        with pytest.raises(NavicertError):
            store.sightings([DIGEST], 5)
        path.rmdir() if path.is_dir() else path.unlink()
    assert (tmp_path / "target").read_text() == mine


def test_a_folder_that_cannot_be_written_to_remembers_nothing_and_says_so(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="cannot be written"):
        DirectoryStore(str(tmp_path / "gone")).remember([seen()])


# --- databases of before ----------------------------------------------------------------------------------------------


def test_a_database_without_a_memory_gets_one(tmp_path: Path) -> None:
    path = str(tmp_path / "ev.db")
    with closing(SqliteStore(path)) as store:
        store.prepare()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE sighting")
        connection.execute("PRAGMA user_version = 1")
        connection.commit()
    with closing(SqliteStore(path)) as store:
        store.remember([seen()])
        assert store.sightings([DIGEST], 5) == [seen()]


def test_times_that_are_none_are_no_sightings(tmp_path: Path) -> None:
    path = str(tmp_path / "ev.db")
    with closing(SqliteStore(path)) as store:
        store.remember([seen()])
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("UPDATE sighting SET seen_at = ?", (10**18,))
            connection.commit()
        assert store.sightings([DIGEST], 5) == []
