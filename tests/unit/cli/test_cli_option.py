"""Shared options, and files: read within bounds, written as a whole or not at all."""

from __future__ import annotations

import argparse
import errno
import io
import os
import stat
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from navicert.cli import option
from navicert.cli.option import read_file, size, write_file
from navicert.crypto.signer import generate, private_pem
from navicert.errors import LimitExceeded, Malformed, Refused
from navicert.limits import LOCAL, MIB, NETWORK


def parsed(add: object, *words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add(parser)  # type: ignore[operator]
    return parser.parse_args(words)


# --- values --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "value"), [("1", 1), ("512K", 524288), ("128m", 128 * MIB), ("2G", 2048 * MIB)])
def test_a_size_may_have_a_unit(text: str, value: int) -> None:
    assert size(text) == value


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5M", "M", "K1", "１", "1e3", "9" * 16, "0x10"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="not a size"):
        size(text)


def test_limits_are_those_of_the_preset_but_for_what_was_said() -> None:
    assert option.limits(parsed(option.add_limits)) is LOCAL
    assert option.limits(parsed(option.add_limits), NETWORK) is NETWORK
    assert option.limits(parsed(option.add_limits, "--max-document-bytes", "1K")).document_bytes == 1024


def test_a_moment_is_given_exactly_or_is_now() -> None:
    assert option.at(parsed(option.add_at, "--at", "2026-01-31T00:00:00Z")) == datetime(2026, 1, 31, tzinfo=UTC)
    assert option.at(parsed(option.add_at)).tzinfo is UTC


def test_a_moment_in_another_form_is_refused() -> None:
    with pytest.raises(Malformed, match="--at: not a timestamp"):
        option.at(parsed(option.add_at, "--at", "2026-01-31"))


def test_evidence_is_looked_for_in_the_current_folder_unless_stores_are_named() -> None:
    assert option.stores(parsed(lambda p: option.add_store(p, repeat=True))) == (".",)
    words = ("--store", "a", "--store", "b")
    assert option.stores(parsed(lambda p: option.add_store(p, repeat=True), *words)) == ("a", "b")
    assert option.stores(parsed(option.add_store)) == (".",)


def test_quiet_and_verbose_exclude_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed(option.add_verbosity, "-q", "-v")


def test_keys_are_opened_by_name(tmp_path: Path) -> None:
    signer = generate()
    (tmp_path / "key").write_bytes(private_pem(signer, b"secret"))
    (tmp_path / "key.pub").write_bytes(signer.key.public_pem())
    args = parsed(option.add_key, "--key", str(tmp_path / "key"), "--password", "secret")
    assert [found.key for found in option.signers(args)] == [signer.key]
    assert option.public_keys([str(tmp_path / "key.pub")]) == (signer.key,)


# --- reading -------------------------------------------------------------------------------------------------------


def test_a_file_larger_than_the_limit_is_refused_after_reading_one_byte_more(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"12345")
    assert read_file(str(path), 5) == b"12345"
    with pytest.raises(LimitExceeded, match="at most 4 bytes"):
        read_file(str(path), 4)


def test_a_device_without_end_is_read_up_to_the_limit() -> None:
    with pytest.raises(LimitExceeded):
        read_file("/dev/zero", 1000)


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"abc")))
    assert read_file("-") == b"abc"


# --- writing -------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["links", "no-links"])
def links(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """File systems with and without hard links."""
    if request.param == "no-links":

        def link(old: str, new: str) -> None:
            raise PermissionError(errno.EPERM, "Operation not permitted", new)

        monkeypatch.setattr(os, "link", link)
    return str(request.param)


def test_a_new_file_is_written_whole_and_leaves_nothing_beside_it(tmp_path: Path, links: str) -> None:
    write_file(str(tmp_path / "f"), b"abc")
    assert (tmp_path / "f").read_bytes() == b"abc"
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_an_existing_file_is_kept_unless_it_may_be_replaced(tmp_path: Path, links: str) -> None:
    (tmp_path / "f").write_bytes(b"old")
    with pytest.raises(Refused, match="--force"):
        write_file(str(tmp_path / "f"), b"new")
    assert (tmp_path / "f").read_bytes() == b"old"
    write_file(str(tmp_path / "f"), b"new", force=True)
    assert (tmp_path / "f").read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


@pytest.mark.parametrize("force", [False, True])
def test_a_symbolic_link_is_never_followed(tmp_path: Path, links: str, force: bool) -> None:
    (tmp_path / "precious").write_bytes(b"precious")
    (tmp_path / "f").symlink_to("precious")
    if force:
        write_file(str(tmp_path / "f"), b"new", force=True)
        assert not (tmp_path / "f").is_symlink()
    else:
        with pytest.raises(Refused):
            write_file(str(tmp_path / "f"), b"new")
    assert (tmp_path / "precious").read_bytes() == b"precious"


def test_a_failure_while_writing_leaves_the_old_file_and_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fsync(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "f").write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match="No space left"):
        write_file(str(tmp_path / "f"), b"new", force=True)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("f", b"old")]


def test_another_failure_to_take_the_name_is_not_taken_for_a_file_system_without_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(old: str, new: str) -> None:
        raise OSError(errno.EIO, "Input/output error", new)

    monkeypatch.setattr(os, "link", link)
    with pytest.raises(OSError, match="Input/output error"):
        write_file(str(tmp_path / "f"), b"new")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_synced_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    write_file(str(tmp_path / "f"), b"abc")
    assert (tmp_path / "f").read_bytes() == b"abc"


def test_a_missing_folder_is_named_as_the_user_did(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        write_file(str(tmp_path / "a/b/f"), b"abc")
    assert caught.value.filename == str(tmp_path / "a/b/f")


def test_a_folder_is_no_file_to_write(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        write_file(str(tmp_path), b"abc", force=True)


def test_the_mode_is_as_asked_for_within_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_file(str(tmp_path / "open"), b"")
        write_file(str(tmp_path / "private"), b"", mode=0o600)
    finally:
        os.umask(before)
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("open", "private")]
    assert modes == [0o640, 0o600]


def test_a_pipe_or_device_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_file(str(pipe), b"abc")
        assert os.read(reader, 10) == b"abc"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_dash_is_standard_output(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    write_file("-", b"abc")
    assert capfdbinary.readouterr().out == b"abc"
