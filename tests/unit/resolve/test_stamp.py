"""Stamps of files: what proves that a file was left alone, and what only looks like it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from navicert.resolve.stamp import GRAIN, Memo, Moment, Stamp, stamp_of


def aged(status: os.stat_result, seconds: int) -> os.stat_result:
    """The same status with a change time so long ago."""
    values = list(status)
    values[9] = int(time.time()) - seconds
    return os.stat_result(values)


def remembered(path: Path) -> Memo:
    memo = Memo()
    memo.remember("sha256", str(path), stamp_of(os.stat(path)), "digest")
    return memo


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"content")
    return path


def test_a_file_that_nobody_touched_is_recalled(file: Path) -> None:
    assert remembered(file).recall("sha256", [str(file), str(file)]) == ["digest", "digest"]


def test_a_file_with_its_old_times_put_back_is_not(file: Path) -> None:
    """`touch -r` puts back the time of modification; that of the change of the inode stays."""
    memo = remembered(file)
    before = os.stat(file)
    file.write_bytes(b"CONTENT")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert os.stat(file).st_mtime_ns == before.st_mtime_ns
    assert memo.recall("sha256", [str(file)]) == [None]


def test_another_file_in_its_place_is_not(file: Path, tmp_path: Path) -> None:
    memo = remembered(file)
    other = tmp_path / "other"
    other.write_bytes(b"content")
    os.replace(other, file)
    assert memo.recall("sha256", [str(file)]) == [None]


def test_a_digest_of_another_way_of_hashing_is_not_taken(file: Path) -> None:
    memo = remembered(file)
    assert memo.recall("sha512", [str(file)]) == [None]
    assert memo.recall("sha256", [str(file) + "x"]) == [None]


def test_a_file_that_is_gone_is_not_known(file: Path) -> None:
    memo = remembered(file)
    file.unlink()
    assert memo.recall("sha256", [str(file)]) == [None]


def test_nothing_is_recalled_once_the_clock_was_set_back(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write after that may get a stamp of before."""
    memo = remembered(file)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 60)
    assert memo.recall("sha256", [str(file)]) == [None]


def test_a_stamp_is_made_of_all_that_a_write_or_an_exchange_changes(file: Path) -> None:
    status = os.stat(file)
    expected: Stamp = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    assert stamp_of(status) == expected


def test_only_a_change_well_before_the_moment_proves_anything(file: Path) -> None:
    """Kernels stamp with the time of their last tick, so what was just written may seem older."""
    moment = Moment()
    moment.devices = frozenset({os.stat(file).st_dev})
    assert moment.still(aged(os.stat(file), GRAIN + 60))
    assert not moment.still(aged(os.stat(file), 0))
    assert not moment.still(aged(os.stat(file), GRAIN))
    assert not moment.still(aged(os.stat(file), -60))


def test_a_file_system_with_a_clock_of_its_own_proves_nothing(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = file.parent / "mountinfo"
    device = os.stat(file).st_dev
    line = f"1 2 {os.major(device)}:{os.minor(device)} / /x rw shared:1 - %s src rw\n"
    monkeypatch.setattr("navicert.resolve.stamp._MOUNTS", str(mounts))
    for kind, ours in (("ext4", True), ("nfs4", False), ("fuse.sshfs", False), ("9p", False), ("ext4x", False)):
        mounts.write_text(line % kind)
        assert Moment().still(aged(os.stat(file), 3600)) is ours
    mounts.unlink()
    assert not Moment().still(aged(os.stat(file), 3600))


def test_a_clock_that_runs_on_is_told_from_one_that_was_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = Moment()
    assert moment.clock_ran_on()
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 5)
    assert not moment.clock_ran_on()
