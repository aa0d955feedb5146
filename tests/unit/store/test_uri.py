"""Which store a URI means."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from navicert.errors import Malformed, Refused
from navicert.store.directory import DirectoryStore
from navicert.store.pack import PackSource
from navicert.store.sqlite import SqliteStore
from navicert.store.uri import open_source, open_store


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("evidence", "evidence"),
        ("./a:b", "./a:b"),
        ("/a/b", "/a/b"),
        ("", "."),
        (".", "."),
        ("dir:evidence", "evidence"),
        ("dir:sqlite:x", "sqlite:x"),
        ("DIR:x", "x"),
        ("c:evidence", "c:evidence"),
    ],
)
def test_a_path_is_a_folder(uri: str, path: str) -> None:
    store = open_store(uri)
    assert isinstance(store, DirectoryStore)
    assert store.path == path


@pytest.mark.parametrize(("uri", "path"), [("sqlite:ev.db", "ev.db"), ("sqlite:/a/ev.db", "/a/ev.db")])
def test_a_file_is_sqlite(uri: str, path: str) -> None:
    store = open_store(uri)
    assert isinstance(store, SqliteStore)
    assert store.path == path


def test_a_pack_is_for_reading() -> None:
    assert isinstance(open_source("pack:x.pack"), PackSource)
    with pytest.raises(Refused, match="unpack it"):
        open_store("pack:x.pack")


def test_an_image_that_is_not_there_yet_takes_no_evidence() -> None:
    with pytest.raises(Refused, match="evidence push IMAGE"):
        open_store("oci:registry.example/app:1.4")


@pytest.mark.parametrize("uri", ["ftp:x", "http://x/y", "mysql://x/y", "sqlite3:x"])
def test_what_nobody_knows_is_not_taken_for_a_folder(uri: str) -> None:
    with pytest.raises(Malformed, match="no such kind of store"):
        open_store(uri)


@pytest.mark.parametrize("uri", ["dir:", "sqlite:", "sqlite:a\0b", "pack:"])
def test_a_kind_without_a_place_is_refused(uri: str) -> None:
    with pytest.raises(Malformed, match="no path"):
        open_source(uri)


def test_opening_makes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for uri in ("dir:a", "sqlite:b.db"):
        open_store(uri).close()
    assert os.listdir() == []
