from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from navicert.errors import Malformed, Refused, Unavailable
from navicert.trust import keypair
from navicert.trust.keypair import check_free, write_pair

PRIVATE, PUBLIC = b"private\n", b"public\n"


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below `folder`, hidden ones included, by relative path; folders end with a slash."""
    return {
        f"{path.relative_to(folder)}{'/' if path.is_dir() else ''}": b"" if path.is_dir() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
    }


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_both_files_are_written_and_nothing_else(tmp_path):
    write_pair(str(tmp_path / "owner"), PRIVATE, PUBLIC)
    assert contents(tmp_path) == {"owner": PRIVATE, "owner.pub": PUBLIC}


def test_the_private_key_is_for_its_owner_only_whatever_the_umask(tmp_path):
    for mask in (0, 0o022, 0o077):
        before = os.umask(mask)
        try:
            write_pair(str(tmp_path / f"key{mask}"), PRIVATE, PUBLIC)
        finally:
            os.umask(before)
        assert mode(tmp_path / f"key{mask}") == 0o600
        assert mode(tmp_path / f"key{mask}.pub") == 0o644 & ~mask


def test_missing_folders_are_created(tmp_path):
    write_pair(str(tmp_path / "a" / "b" / "owner"), PRIVATE, PUBLIC)
    assert contents(tmp_path / "a" / "b") == {"owner": PRIVATE, "owner.pub": PUBLIC}


@pytest.mark.parametrize("name", ["owner", "./owner", "keys//owner", "./keys/./owner"])
def test_relative_paths_work(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    write_pair(name, PRIVATE, PUBLIC)
    assert Path(name).read_bytes() == PRIVATE


@pytest.mark.parametrize("existing", ["owner", "owner.pub"])
def test_neither_file_is_ever_overwritten(tmp_path, existing):
    (tmp_path / existing).write_bytes(b"precious")
    with pytest.raises(Refused, match=rf"{existing}: already exists.*--force"):
        write_pair(str(tmp_path / "owner"), PRIVATE, PUBLIC)
    assert contents(tmp_path) == {existing: b"precious"}


def test_force_replaces_both_files_and_narrows_the_mode(tmp_path):
    for name in ("owner", "owner.pub"):
        (tmp_path / name).write_bytes(b"old")
        (tmp_path / name).chmod(0o666)
    write_pair(str(tmp_path / "owner"), PRIVATE, PUBLIC, force=True)
    assert contents(tmp_path) == {"owner": PRIVATE, "owner.pub": PUBLIC}
    assert mode(tmp_path / "owner") == 0o600


def test_force_works_where_nothing_is_there(tmp_path):
    write_pair(str(tmp_path / "owner"), PRIVATE, PUBLIC, force=True)
    assert contents(tmp_path) == {"owner": PRIVATE, "owner.pub": PUBLIC}


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("name", ["owner", "owner.pub"])
def test_a_symbolic_link_planted_for_the_key_is_not_followed(tmp_path, name, force):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"precious")
    folder = tmp_path / "keys"
    folder.mkdir()
    (folder / name).symlink_to(elsewhere)
    if force:
        write_pair(str(folder / "owner"), PRIVATE, PUBLIC, force=True)
        assert contents(folder) == {"owner": PRIVATE, "owner.pub": PUBLIC}
        assert not (folder / name).is_symlink()
    else:
        with pytest.raises(Refused):
            write_pair(str(folder / "owner"), PRIVATE, PUBLIC)
    assert elsewhere.read_bytes() == b"precious"


def test_a_dangling_link_is_not_written_through(tmp_path):
    (tmp_path / "owner").symlink_to(tmp_path / "nowhere")
    with pytest.raises(Refused):
        write_pair(str(tmp_path / "owner"), PRIVATE, PUBLIC)
    assert not (tmp_path / "nowhere").exists()


def test_a_link_planted_under_a_guessed_temporary_name_is_not_followed(tmp_path, monkeypatch):
    (tmp_path / "elsewhere").write_bytes(b"precious")
    (tmp_path / ".navicert-ab").symlink_to(tmp_path / "elsewhere")
    monkeypatch.setattr(os, "urandom", lambda _: b"\xab")
    with pytest.raises(Unavailable, match="cannot be written"):
        write_pair(str(tmp_path / "owner"), PRIVATE, PUBLIC)
    assert (tmp_path / "elsewhere").read_bytes() == b"precious"
    assert not (tmp_path / "owner").exists()


@pytest.mark.parametrize("name", ["owner", "owner.pub"])
def test_force_does_not_replace_a_folder(tmp_path, name):
    (tmp_path / name).mkdir()
    with pytest.raises(Refused, match="is not a file"):
        write_pair(str(tmp_path / "owner"), PRIVATE, PUBLIC, force=True)
    assert contents(tmp_path) == {f"{name}/": b""}


@pytest.mark.parametrize("path", ["", "keys/", "a\0b", "owner.pub"])
def test_names_that_no_pair_can_have_are_refused(path):
    with pytest.raises(Malformed, match=r"not a file name|the name of a public key.*\.pub is added"):
        check_free(path)


def test_a_file_where_a_folder_is_needed_is_refused(tmp_path):
    (tmp_path / "file").write_bytes(b"precious")
    with pytest.raises(Malformed, match="a file stands where a folder is needed"):
        write_pair(str(tmp_path / "file" / "owner"), PRIVATE, PUBLIC)
    assert contents(tmp_path) == {"file": b"precious"}


def test_a_name_that_the_system_does_not_take_is_unavailable(tmp_path):
    with pytest.raises(Unavailable, match="file name too long"):
        write_pair(str(tmp_path / ("x" * 300)), PRIVATE, PUBLIC)
    assert contents(tmp_path) == {}


# --- where something fails half-way, all is as before --------------------------------------------------------------


def failing(real, after: int, code: int = errno.ENOSPC):
    """`real`, which fails like a full disk from its call number `after` on."""
    calls = iter(range(1000))

    def call(*arguments, **named):
        if next(calls) >= after:
            raise OSError(code, os.strerror(code))
        return real(*arguments, **named)

    return call


@pytest.mark.parametrize("after", [0, 1])
@pytest.mark.parametrize("function", ["fsync", "link", "open"])
def test_nothing_is_left_behind_where_writing_fails(tmp_path, monkeypatch, function, after):
    real = getattr(os, function)
    monkeypatch.setattr(os, function, failing(real, after))
    if function == "link":  # nor does the way without links work
        monkeypatch.setattr(os, "replace", failing(os.replace, 0))
    with pytest.raises(Unavailable, match="cannot be written: no space left"):
        write_pair(str(tmp_path / "new" / "owner"), PRIVATE, PUBLIC)
    assert contents(tmp_path) == {}


@pytest.mark.parametrize("function", ["fsync", "rename", "link", "replace"])
def test_the_old_pair_is_still_there_where_replacing_it_fails(tmp_path, monkeypatch, function):
    old = {"owner": b"old private", "owner.pub": b"old public"}
    for name, data in old.items():
        (tmp_path / name).write_bytes(data)
    real = os.replace

    def replace(source: str, target: str) -> None:
        # The private half cannot be placed; putting the old public half back works.
        if target.endswith("owner"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(source, target)

    if function in ("replace", "link"):
        monkeypatch.setattr(os, "replace", replace)
    if function != "replace":
        monkeypatch.setattr(os, function, failing(getattr(os, function), 0))
    with pytest.raises(Unavailable, match="no space left"):
        write_pair(str(tmp_path / "owner"), PRIVATE, PUBLIC, force=True)
    assert contents(tmp_path) == old


def test_an_interruption_leaves_nothing_behind(tmp_path, monkeypatch):
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "link", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_pair(str(tmp_path / "keys" / "owner"), PRIVATE, PUBLIC)
    assert contents(tmp_path) == {}


def test_a_file_made_by_somebody_else_at_the_last_moment_is_kept(tmp_path, monkeypatch):
    real = os.link

    def link(source: str, target: str) -> None:
        if target.endswith("owner"):
            Path(target).write_bytes(b"theirs")
        real(source, target)

    monkeypatch.setattr(os, "link", link)
    with pytest.raises(Refused, match="already exists"):
        write_pair(str(tmp_path / "owner"), PRIVATE, PUBLIC)
    assert contents(tmp_path) == {"owner": b"theirs"}


def test_a_file_system_without_hard_links_will_do(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "link", failing(os.link, 0, errno.EPERM))
    write_pair(str(tmp_path / "owner"), PRIVATE, PUBLIC)
    assert contents(tmp_path) == {"owner": PRIVATE, "owner.pub": PUBLIC}
    assert mode(tmp_path / "owner") == 0o600


def test_without_hard_links_a_file_made_at_the_last_moment_is_kept_too(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "link", failing(os.link, 0, errno.EPERM))
    monkeypatch.setattr(keypair, "check_free", lambda path, *, force: None)
    (tmp_path / "owner").write_bytes(b"theirs")
    with pytest.raises(Refused, match="already exists"):
        write_pair(str(tmp_path / "owner"), PRIVATE, PUBLIC)
    assert contents(tmp_path) == {"owner": b"theirs"}
