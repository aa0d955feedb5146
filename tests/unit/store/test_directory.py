"""A folder of evidence."""

from __future__ import annotations

import os
import stat
import threading
import time
from dataclasses import replace

import pytest

from navicert.errors import Malformed, Refused, Unavailable
from navicert.limits import LOCAL
from navicert.store import Store
from navicert.store.directory import DirectoryStore

KEYID = "0123456789abcdef" * 4


def test_it_is_a_store(tmp_path):
    store: Store = DirectoryStore(str(tmp_path))
    assert list(store.pieces()) == []


def test_evidence_is_filed_under_step_and_key(tmp_path):
    store = DirectoryStore(str(tmp_path))
    path = store.put("build", KEYID, b"raw")
    assert path == str(tmp_path / "build.01234567.link")
    (piece,) = store.pieces()
    assert (piece.origin, piece.raw, piece.problem, piece.step_hint, piece.scope) == (path, b"raw", None, "build", ())


def test_the_folder_is_made_and_files_obey_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        path = DirectoryStore(str(tmp_path / "a/b")).put("build", KEYID, b"raw")
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o640


def test_an_earlier_file_is_replaced_as_a_whole(tmp_path):
    store = DirectoryStore(str(tmp_path))
    store.put("build", KEYID, b"a longer earlier one")
    store.put("build", KEYID, b"new")
    assert (tmp_path / "build.01234567.link").read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["build.01234567.link"]


def test_a_link_in_its_place_is_replaced_and_not_followed(tmp_path):
    (tmp_path / "victim").write_bytes(b"untouched")
    (tmp_path / "build.01234567.link").symlink_to("victim")
    DirectoryStore(str(tmp_path)).put("build", KEYID, b"new")
    assert (tmp_path / "victim").read_bytes() == b"untouched"
    assert not (tmp_path / "build.01234567.link").is_symlink()


def test_a_new_name_is_synced_like_its_content(tmp_path, monkeypatch):
    """Otherwise a loss of power takes back what was confirmed."""
    synced = []

    def listening(descriptor: int, sync=os.fsync) -> None:
        synced.append(stat.S_ISDIR(os.fstat(descriptor).st_mode))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", listening)
    DirectoryStore(str(tmp_path)).put("build", KEYID, b"raw")
    assert synced == [False, True]


def test_a_failed_write_leaves_what_was_there(tmp_path):
    (tmp_path / "build.01234567.link").mkdir()
    with pytest.raises(Unavailable, match="cannot be written"):
        DirectoryStore(str(tmp_path)).put("build", KEYID, b"new")
    assert os.listdir(tmp_path) == ["build.01234567.link"]


@pytest.mark.parametrize("step", ["", "a/b", "../a", "a\\b", ".hidden", "a\0b", "a\nb", "x" * 201])
def test_a_step_that_is_no_file_name_is_refused(tmp_path, step):
    with pytest.raises(Malformed, match="not a usable name"):
        DirectoryStore(str(tmp_path)).put(step, KEYID, b"raw")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("keyid", ["", "../../xx", "1234567", "zzzzzzzz"])
def test_a_key_id_that_is_none_is_refused(tmp_path, keyid):
    with pytest.raises(Malformed, match="not a key id"):
        DirectoryStore(str(tmp_path)).put("build", keyid, b"raw")


def test_pieces_come_in_order_with_the_step_that_they_are_filed_under(tmp_path):
    for name in ["b.01234567.link", "a.link", "a.b.89abcdef.link", "plain.txt", ".hidden.link", "c.link-unfinished"]:
        (tmp_path / name).write_bytes(name.encode())
    found = [(piece.raw, piece.step_hint) for piece in DirectoryStore(str(tmp_path)).pieces()]
    assert found == [(b"a.b.89abcdef.link", "a.b"), (b"a.link", "a"), (b"b.01234567.link", "b")]


def test_sublayout_folders_are_read_with_their_scope(tmp_path):
    inner = tmp_path / "sub.01234567" / "deeper.89abcdef"
    inner.mkdir(parents=True)
    (tmp_path / "sub.01234567.link").write_bytes(b"layout")
    (tmp_path / "sub.01234567/x.01234567.link").write_bytes(b"x")
    (inner / "y.01234567.link").write_bytes(b"y")
    (tmp_path / "other").mkdir()
    (tmp_path / "other/z.01234567.link").write_bytes(b"never read")
    found = [(piece.raw, piece.scope) for piece in DirectoryStore(str(tmp_path)).pieces()]
    assert found == [
        (b"layout", ()),
        (b"x", ("sub.01234567",)),
        (b"y", ("sub.01234567", "deeper.89abcdef")),
    ]


def test_a_symbolic_link_to_evidence_is_read(tmp_path):
    (tmp_path / "kept").write_bytes(b"raw")
    (tmp_path / "a.link").symlink_to("kept")
    (piece,) = DirectoryStore(str(tmp_path)).pieces()
    assert piece.raw == b"raw"


@pytest.mark.parametrize("kind", ["folder", "broken link", "pipe", "too large", "link to itself", "device"])
def test_what_cannot_be_read_is_a_piece_with_a_problem(tmp_path, kind):
    path = tmp_path / "a.01234567.link"
    if kind == "folder":
        path.mkdir()
    elif kind == "broken link":
        path.symlink_to("nothing")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "link to itself":
        path.symlink_to(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.write_bytes(b"x" * 101)
    (piece,) = DirectoryStore(str(tmp_path), replace(LOCAL, document_bytes=100)).pieces()
    assert piece.raw is None
    assert piece.problem
    assert piece.step_hint == "a"


def test_what_is_no_file_is_not_even_opened(tmp_path):
    """Opening a pipe lets its writer go on, and opening some devices does worse."""
    os.mkfifo(tmp_path / "a.link")
    opened = threading.Event()

    def write() -> None:
        os.close(os.open(tmp_path / "a.link", os.O_WRONLY))  # waits for a reader
        opened.set()

    writer = threading.Thread(target=write)
    writer.start()
    time.sleep(0.1)
    (piece,) = DirectoryStore(str(tmp_path)).pieces()
    assert piece.problem == "not a file"
    time.sleep(0.1)
    early = opened.is_set()
    reader = os.open(tmp_path / "a.link", os.O_RDONLY | os.O_NONBLOCK)
    writer.join()
    os.close(reader)
    assert not early


def test_a_folder_that_does_not_exist_is_not_an_empty_store(tmp_path):
    with pytest.raises(Malformed, match="no such folder"):
        list(DirectoryStore(str(tmp_path / "nothing")).pieces())


def test_more_files_than_the_limit_are_reported(tmp_path):
    for i in range(5):
        (tmp_path / f"{i}.link").write_bytes(b"")
    found = list(DirectoryStore(str(tmp_path), replace(LOCAL, evidence_files=3)).pieces())
    assert [piece.problem is None for piece in found] == [True, True, True, False]
    assert "more than 3 files" in str(found[-1].problem)


def test_sublayout_folders_nested_too_deeply_are_reported(tmp_path):
    folder = tmp_path
    for _ in range(3):
        folder = folder / "s.01234567"
        folder.mkdir()
    (piece,) = DirectoryStore(str(tmp_path), replace(LOCAL, sublayout_depth=2)).pieces()
    assert "too deeply" in str(piece.problem)


def test_a_sublayout_folder_that_contains_itself_is_reported(tmp_path):
    (tmp_path / "s.01234567").mkdir()
    (tmp_path / "s.01234567/t.01234567").symlink_to("..", target_is_directory=True)
    (tmp_path / "s.01234567/u.01234567").symlink_to(".", target_is_directory=True)
    found = list(DirectoryStore(str(tmp_path)).pieces())
    assert found
    assert {piece.problem for piece in found} == {"a folder that contains itself"}


def test_an_unfinished_recording_is_kept_beside_and_is_no_evidence(tmp_path):
    store = DirectoryStore(str(tmp_path))
    path = store.put_unfinished("review", KEYID, b"half")
    assert path == str(tmp_path / ".review.01234567.link-unfinished")
    assert list(store.pieces()) == []
    assert store.unfinished("review", KEYID) == (path, b"half")
    store.drop_unfinished("review", KEYID)
    with pytest.raises(Refused, match="record start first"):
        store.unfinished("review", KEYID)


def test_an_unfinished_recording_that_cannot_be_read_is_reported(tmp_path):
    os.mkfifo(tmp_path / ".review.01234567.link-unfinished")
    with pytest.raises(Unavailable, match="not a file"):
        DirectoryStore(str(tmp_path)).unfinished("review", KEYID)
    with pytest.raises(Unavailable, match="cannot be removed"):
        DirectoryStore(str(tmp_path)).drop_unfinished("other", KEYID)


def test_a_store_that_cannot_be_written_to_is_known_before(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Unavailable, match="cannot be made"):
        DirectoryStore(str(tmp_path / "file")).prepare()


def test_the_current_folder_has_plain_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert DirectoryStore(".").put("build", KEYID, b"raw") == "build.01234567.link"
    assert [piece.origin for piece in DirectoryStore("").pieces()] == ["build.01234567.link"]
