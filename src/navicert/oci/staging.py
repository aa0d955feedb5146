"""Staging: a folder beside the place of a new layout or archive, in which it is put together.

Nobody sees the copy before it is whole: then the folder is moved to its place, or packed and the archive moved there.
The folder is found again by whoever copies to the same place after a copy broke off, however that ended; blobs that
arrived whole are taken from it, each compared with its digest anew, and whatever else is in it is removed. It belongs
to one copy at a time. Spec: OCI image-spec image-layout.md.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import stat
import tarfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from navicert.errors import Malformed, Refused, Unavailable
from navicert.limits import LOCAL, Limits
from navicert.oci.destination import LAYOUT_MARKER, LayoutDestination, writing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOBS: Final = {"sha256": re.compile(r"[0-9a-f]{64}"), "sha512": re.compile(r"[0-9a-f]{128}")}
"""The folders below `blobs`, and what files in them are called."""
_ARCHIVE: Final = "archive"
_OTHERS: Final = 0o022  # others may write


class Staging:
    """A layout in the making, to be filled through `destination`; made by `staged`."""

    def __init__(self, place: Path, folder: Path, limits: Limits) -> None:
        self._place = place
        self.folder = folder
        self.delivered = False
        with writing(str(folder)):
            _sweep(folder)
            (folder / LAYOUT_MARKER).write_text('{"imageLayoutVersion":"1.0.0"}', encoding="ascii")
        self.destination = LayoutDestination(folder, limits)

    @property
    def kept(self) -> bool:
        """Whether something is left in the folder for the next copy to the same place."""
        return not self.delivered and self.folder.is_dir()

    def deliver_layout(self) -> None:
        """Moves the layout to its place. Raises `Unavailable` where something is there that is no empty folder."""
        with writing(str(self._place)):
            self._prune()
            self.folder.chmod(0o755)
            self.folder.rename(self._place)
        self.delivered = True

    def deliver_archive(self, *, replace: bool) -> None:
        """Packs the layout into a tar file and moves that to its place. Raises `Refused` where there is a file already,
        unless it is to be replaced."""
        packed = self.folder / _ARCHIVE
        with writing(str(self._place)):
            self._prune()
            files = sorted(file for file in self.folder.rglob("*") if file.is_file())
            with packed.open("xb") as file:
                _pack(self.folder, files, file)
                file.flush()
                os.fsync(file.fileno())
            if not replace and os.path.lexists(self._place):
                raise Refused("already exists", path=str(self._place), remedy="give --force to replace it")
            packed.replace(self._place)
        self.delivered = True
        shutil.rmtree(self.folder)

    def _prune(self) -> None:
        """Removes the blobs that an earlier copy, of another image perhaps, left and this one has no use for."""
        for folder in (self.folder / "blobs").iterdir():
            for blob in folder.iterdir():
                if blob not in self.destination.placed:
                    blob.unlink()
            with suppress(OSError):  # it is not empty
                folder.rmdir()


@contextmanager
def staged(place: str | Path, limits: Limits = LOCAL) -> Iterator[Staging]:
    """A staging folder for `place`, ours alone inside the `with` block, with the blobs that a copy before left there.

    What is `Malformed` inside ends it for good: the source is not what it says, and nothing of it is kept. Otherwise
    what was not delivered stays for the next try. Raises `Unavailable` where another copy to the same place is under
    way, and `Refused` where somebody else could put something into the folder.
    """
    place = Path(place)
    if place.name in ("", ".."):
        raise Refused("no place for something new", path=str(place), remedy="name a folder or file that is not there")
    folder = place.parent / f".{place.name}.partial"
    with writing(str(folder)):
        place.parent.mkdir(parents=True, exist_ok=True)
        descriptor = _claim(folder)
    staging = None
    try:
        staging = Staging(place, folder, limits)
        yield staging
    except Malformed:
        if staging is not None and not staging.delivered:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        if staging is not None and not staging.delivered:
            _leave(folder)
        os.close(descriptor)


def _claim(folder: Path) -> int:
    """Makes `folder`, or takes over the one that is there; the lock, held until it is closed."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & _OTHERS:
        raise Refused(
            "in the way, and not a folder that an earlier copy of yours left",
            path=str(folder),
            expected="a folder that you alone can write to",
            remedy="remove it",
        )
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Between opening and locking it may have been delivered, and would be what was copied.
        if not os.path.samestat(os.fstat(descriptor), status) or not os.path.samestat(folder.lstat(), status):
            raise BlockingIOError
    except (BlockingIOError, FileNotFoundError) as error:
        os.close(descriptor)
        raise Unavailable(
            "another copy to this place is under way", path=str(folder), remedy="try again when it has ended"
        ) from error
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _sweep(folder: Path) -> None:
    """Removes whatever is not a file with the name of a blob. Links go too: they lead out of the folder."""
    for entry in os.scandir(folder):
        if entry.name != "blobs" or not entry.is_dir(follow_symlinks=False):
            _remove(entry)
    (folder / "blobs").mkdir(exist_ok=True)
    for kind in os.scandir(folder / "blobs"):
        if kind.name not in _BLOBS or not kind.is_dir(follow_symlinks=False):
            _remove(kind)
            continue
        for blob in os.scandir(kind.path):
            if not blob.is_file(follow_symlinks=False) or not _BLOBS[kind.name].fullmatch(blob.name):
                _remove(blob)


def _remove(entry: os.DirEntry[str]) -> None:
    if entry.is_dir(follow_symlinks=False):
        shutil.rmtree(entry.path)
    else:
        os.unlink(entry.path)


def _leave(folder: Path) -> None:
    """Removes the folder of a copy that broke off before anything arrived."""
    blobs = folder / "blobs"
    if not blobs.is_dir() or not any(file.is_file() for file in blobs.rglob("*")):
        shutil.rmtree(folder, ignore_errors=True)


def _pack(folder: Path, files: list[Path], target: object) -> None:
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:  # type: ignore[call-overload]
        for file in files:
            entry = tarfile.TarInfo(file.relative_to(folder).as_posix())
            entry.size = file.stat().st_size
            entry.mode = 0o644
            with file.open("rb") as stream:
                archive.addfile(entry, stream)
