"""Folder trees: read without circles, without waiting, and without leaving out what cannot be read."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from navicert.errors import LimitExceeded, Malformed, Unavailable
from navicert.limits import LOCAL, Limits
from navicert.resolve.artifact import Notes
from navicert.resolve.exclude import Excludes
from navicert.resolve.tree import BROKEN, FILE, FOLDER, SPECIAL, Tree, below, normal, unreadable


def tree(root: Path, *excludes: str, follow: bool = True, limits: Limits = LOCAL) -> Tree:
    return Tree(str(root), Excludes(excludes), limits, follow=follow)


def files(root: Path, *excludes: str, follow: bool = True, notes: Notes | None = None) -> list[str]:
    walked = tree(root, *excludes, follow=follow).walk(".", notes or Notes())
    return sorted(name for _, names in walked for name in names)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "a/b").mkdir(parents=True)
    for name in ("top", "a/one", "a/b/two"):
        (root / name).write_text(name)
    return root


def test_every_file_is_found_under_its_name(root: Path) -> None:
    assert files(root) == ["a/b/two", "a/one", "top"]


def test_a_link_to_a_folder_above_ends(root: Path) -> None:
    (root / "a/up").symlink_to("..")
    (root / "a/b/self").symlink_to(".")
    assert files(root) == ["a/b/two", "a/one", "top"]


def test_a_folder_with_two_names_is_recorded_under_both(root: Path) -> None:
    """Leaving one out would let a rule for the other name pass."""
    (root / "again").symlink_to("a/b")
    assert files(root) == ["a/b/two", "a/one", "again/two", "top"]
    assert files(root, follow=False) == ["a/b/two", "a/one", "top"]


def test_a_link_to_a_file_is_read_whether_or_not_folders_are_followed(root: Path) -> None:
    (root / "link").symlink_to("top")
    for follow in (True, False):
        assert "link" in files(root, follow=follow)


def test_what_has_no_content_is_said_and_not_waited_for(root: Path) -> None:
    os.mkfifo(root / "pipe")
    (root / "broken").symlink_to("nowhere")
    (root / "circle").symlink_to("circle")
    notes = Notes()
    assert files(root, notes=notes) == ["a/b/two", "a/one", "top"]
    assert notes.lines() == (f"{SPECIAL}: pipe", f"{BROKEN}: broken, circle") or set(notes.lines()) == {
        f"{SPECIAL}: pipe",
        f"{BROKEN}: broken, circle",
    }


def test_what_is_left_out_is_not_read_at_all(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed: list[str] = []
    before = os.scandir

    def scandir(path: str) -> object:
        listed.append(str(path))
        return before(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert files(root, "b") == ["a/one", "top"]
    assert not any(path.endswith("/b") for path in listed)


def test_a_folder_that_may_not_be_read_is_an_error_and_no_empty_folder(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("/b"):
            raise PermissionError(13, "Permission denied")
        return before(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(Unavailable, match="permission denied") as caught:
        files(root)
    assert caught.value.path == "a/b"


def test_folders_that_multiply_are_stopped(root: Path) -> None:
    """Ten folders, each with links to all others, hold endlessly many names."""
    many = root / "many"
    many.mkdir()
    for number in range(10):
        (many / f"d{number}").mkdir()
        for other in range(10):
            (many / f"d{number}/to{other}").symlink_to(f"../d{other}")
    with pytest.raises(LimitExceeded, match="limit artifacts"):
        for _ in tree(root, limits=replace(LOCAL, artifacts=500)).walk(".", Notes()):
            pass


def test_the_limit_counts_names_of_one_tree_together(root: Path) -> None:
    enough = tree(root, limits=replace(LOCAL, artifacts=5))
    list(enough.walk(".", Notes()))
    with pytest.raises(LimitExceeded):
        list(enough.walk(".", Notes()))


def test_kinds_follow_links(root: Path) -> None:
    (root / "to-file").symlink_to("top")
    (root / "to-folder").symlink_to("a")
    (root / "nowhere").symlink_to("gone")
    os.mkfifo(root / "pipe")
    one = tree(root)
    assert [one.kind(name) for name in ("top", "a", "to-file", "to-folder", "nowhere", "pipe")] == [
        FILE,
        FOLDER,
        FILE,
        FOLDER,
        BROKEN,
        SPECIAL,
    ]


def test_what_is_there_is_told_from_what_cannot_be_looked_at(root: Path) -> None:
    one = tree(root)
    (root / "nowhere").symlink_to("gone")
    assert (one.exists("top"), one.exists("nowhere"), one.exists("gone"), one.exists("top/below")) == (
        True,
        True,
        False,
        False,
    )
    with pytest.raises(Unavailable, match="name too long"):
        one.exists("x" * 300)


def test_children_are_named_with_what_they_are(root: Path) -> None:
    (root / "a/link").symlink_to("b")
    assert sorted(tree(root, "one").children("a")) == [("b", "a/b", True), ("link", "a/link", True)]
    assert tree(root).children("top") == []
    assert tree(root).children("gone") == []


@pytest.mark.parametrize(
    ("folder", "name", "joined"),
    [("", "x", "x"), (".", "x", "x"), ("a", "x", "a/x"), ("a/", "x", "a/x"), ("/", "x", "/x")],
)
def test_names_are_joined_without_doubling_slashes(folder: str, name: str, joined: str) -> None:
    assert below(folder, name) == joined


@pytest.mark.parametrize("name", ["", "a\0b"])
def test_what_can_be_no_path_is_refused(name: str) -> None:
    with pytest.raises(Malformed):
        normal(name)


def test_a_file_that_vanishes_is_said_to_have() -> None:
    assert "vanished" in str(unreadable("x", FileNotFoundError(2, "No such file or directory")))
    assert "cannot be read: permission denied" in str(unreadable("x", PermissionError(13, "Permission denied")))
