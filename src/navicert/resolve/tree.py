"""A folder tree, read without falling into cycles, special files or names that are left out."""

from __future__ import annotations

import os
import stat
from errno import ELOOP
from itertools import islice

from navicert.errors import LimitExceeded, Malformed, NavicertError, Unavailable
from navicert.limits import Limits
from navicert.resolve.artifact import Notes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from navicert.resolve.exclude import Excludes

FILE: Final = "file"
FOLDER: Final = "folder"
BROKEN: Final = "broken symbolic links skipped"
SPECIAL: Final = "pipes, sockets and devices skipped"
"""What a name may be, following links. Neither of the last two has content; opening a pipe may even wait for ever."""


def below(folder: str, name: str) -> str:
    """The name of `name` inside `folder`, both relative to the tree's root and normalised."""
    if folder in ("", "."):
        return name
    return f"{folder}{name}" if folder.endswith("/") else f"{folder}/{name}"


class Tree:
    """The files under `root`, addressed by names relative to it; `excluded` names are not there at all.

    `follow` says whether folders behind symbolic links are read. Every method raises `Unavailable` for what may not
    be read and `LimitExceeded` after `limits.artifacts` names: links between folders can multiply a small tree.
    """

    __slots__ = ("_budget", "_follow", "excluded", "root")

    def __init__(self, root: str, excluded: Excludes, limits: Limits, *, follow: bool) -> None:
        self.root = root
        self.excluded = excluded
        self._follow = follow
        self._budget = limits.artifacts

    def kind(self, name: str) -> str:
        """`FILE`, `FOLDER`, `BROKEN` or `SPECIAL`: what `name`, which exists, leads to."""
        try:
            mode = os.stat(self.path(name)).st_mode
        except OSError as error:
            return _broken(name, error)
        return FILE if stat.S_ISREG(mode) else FOLDER if stat.S_ISDIR(mode) else SPECIAL

    def path(self, name: str) -> str:
        """Where to open `name`."""
        return os.path.join(self.root, name) if self.root else name or "."

    def paths(self, names: list[str]) -> list[str]:
        """Where to open each of `names`."""
        if not self.root:
            return names
        start = os.path.join(self.root, "")
        return [name if name.startswith("/") else start + name for name in names]

    def exists(self, name: str) -> bool:
        """Whether `name` is there, be it a dangling link."""
        try:
            os.lstat(self.path(name))
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise unreadable(name, error) from error
        return True

    def walk(self, top: str, notes: Notes) -> Iterator[tuple[str, list[str]]]:
        """Every folder from `top` down, with the names of the files in it: regular ones and links to regular ones.

        A folder that is one of its own ancestors again (by device and inode) is not entered: what is in it is
        yielded under the ancestor's name. A folder that is reached by two names is yielded under both.
        """
        # Only links lead to an ancestor, so the identities of ancestors (the trail) are asked for from the first on.
        pending: list[tuple[str, tuple[tuple[int, int], ...]]] = [(top, ())]
        inside = False
        while pending:
            folder, trail = pending.pop()
            if trail:
                identity = self._identity(folder)
                if identity in trail:
                    continue
                trail = (*trail, identity)
            files: list[str] = []
            folders: list[tuple[str, tuple[tuple[int, int], ...]]] = []
            if not self.excluded.below(folder, inside=inside):
                for name, is_link in self._list(folder, files, notes):
                    folders.append((name, trail or (self._trail(top, folder) if is_link else ())))
            inside = True
            # The first of them next, as `os.walk` goes: what is shown unsorted then has the order that people know.
            folders.reverse()
            pending += folders
            yield folder, files

    def _list(self, folder: str, files: list[str], notes: Notes) -> list[tuple[str, bool]]:
        """Add the files in `folder`, whose name is not excluded, to `files`; the folders in it, with whether they are
        links. What is in the loop happens once for each entry of a tree."""
        prefix = below(folder, "")
        follow = self._follow
        sieve = self.excluded.sieve(folder)
        exact, suffixes, search, decide = sieve.exact, sieve.suffixes, sieve.search, sieve.decide
        doubtful, doubtful_suffixes = sieve.doubtful, sieve.doubtful_suffixes
        folders = []
        try:
            with os.scandir(self.path(folder)) as scan:
                entries = list(islice(scan, self._budget + 1))
            self._budget -= len(entries)
            if self._budget < 0:
                raise _too_many()
            # Mostly nothing is left out. A look at all names together tells, and pays where there are many.
            doubt = len(entries) <= len(sieve.marks) or sieve.doubts(entry.name for entry in entries)
            for entry in entries:
                bare = entry.name
                name = prefix + bare
                # As the sieve says when it is called, without the price of a call.
                if doubt and (
                    bare in exact
                    or bare.endswith(suffixes)
                    or ((bare in doubtful or bare.endswith(doubtful_suffixes) or search(bare)) and decide(name))
                ):
                    continue
                try:
                    if entry.is_file():
                        files.append(name)
                        continue
                except OSError as error:
                    notes.add(_broken(name, error), name)
                    continue
                kind = _kind(entry, name)
                if kind != FOLDER:
                    notes.add(kind, name)
                elif follow or not entry.is_symlink():
                    folders.append((name, entry.is_symlink()))
        except OSError as error:
            raise unreadable(folder, error) from error
        return folders

    def _trail(self, top: str, folder: str) -> tuple[tuple[int, int], ...]:
        """The identities of `folder` and of the folders above it up to `top`."""
        trail = [self._identity(folder)]
        while folder != top:
            folder = folder.rpartition("/")[0] or top
            trail.append(self._identity(folder))
        return tuple(trail)

    def _identity(self, folder: str) -> tuple[int, int]:
        try:
            status = os.stat(self.path(folder))
        except OSError as error:
            raise unreadable(folder, error) from error
        return status.st_dev, status.st_ino

    def children(self, folder: str) -> list[tuple[str, str, bool]]:
        """Bare name, name and is-a-folder of all that is in `folder`; nothing where it is no folder."""
        if not os.path.isdir(self.path(folder)):
            return []
        return [(entry.name, name, _kind(entry, name) == FOLDER) for name, entry in self._scan(folder)]

    def _scan(self, folder: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
        prefix = below(folder, "")
        excluded = self.excluded
        try:
            with os.scandir(self.path(folder)) as entries:
                for entry in entries:
                    self._budget -= 1
                    if self._budget < 0:
                        raise _too_many()
                    name = prefix + entry.name
                    if not excluded(name):
                        yield name, entry
        except OSError as error:
            raise unreadable(folder, error) from error


def _too_many() -> LimitExceeded:
    return LimitExceeded("too many files to record (limit artifacts)", remedy="exclude what is not part of it")


def _kind(entry: os.DirEntry[str], name: str) -> str:
    try:
        if entry.is_file():
            return FILE
        if entry.is_dir():
            return FOLDER
        entry.stat()  # a link may lead nowhere; what is there and is neither, is special
    except OSError as error:
        return _broken(name, error)
    return SPECIAL


def _broken(name: str, error: OSError) -> str:
    # A link that leads back to itself is as broken as one that leads nowhere. Anything else hides what is there.
    if isinstance(error, FileNotFoundError) or error.errno == ELOOP:
        return BROKEN
    raise unreadable(name, error) from error


def unreadable(name: str, error: OSError) -> NavicertError:
    """What to raise for a file or folder that cannot be read: a recording that leaves it out would be incomplete."""
    reason = (error.strerror or "cannot be read").lower()
    if isinstance(error, FileNotFoundError):
        return Unavailable("vanished while it was recorded", path=name, remedy="record when nothing else is writing")
    return Unavailable(f"cannot be read: {reason}", path=name, remedy="make it readable or exclude it")


def normal(name: str) -> str:
    """`name` without `./`, doubled slashes and `a/..`. Raises `Malformed` for what cannot be a path."""
    if not name or "\0" in name:
        raise Malformed("not a file name", got=repr(name[:80]))
    return os.path.normpath(name)
