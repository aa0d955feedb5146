"""A pair of key files, KEY and KEY.pub: written both and whole, or neither."""

from __future__ import annotations

import os
import stat
from contextlib import ExitStack, suppress

from navicert.errors import Malformed, Refused, Unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

SUFFIX: Final = ".pub"
"""What the name of the public half ends with."""

_PRIVATE_MODE: Final = 0o600
_PUBLIC_MODE: Final = 0o644


def check_free(path: str, *, force: bool = False) -> None:
    """Whether a pair may be written to `path`. Raises `Refused` where one of the files exists, unless `force`, and
    `Malformed` for names that no pair can have."""
    if not os.path.basename(path) or "\0" in path:
        raise Malformed("not a file name", path=path)
    if path.endswith(SUFFIX):
        raise Malformed("the name of a public key", path=path, remedy=f"name the private key: {SUFFIX} is added")
    for target in (path, path + SUFFIX):
        try:
            mode = os.lstat(target).st_mode
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise _failed(error, target) from error
        if not force:
            raise Refused("already exists", path=target, remedy="choose another name, or give --force to replace it")
        if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
            raise Refused("is not a file, so it is not replaced", path=target, remedy="choose another name")


def write_pair(path: str, private: bytes, public: bytes, *, force: bool = False) -> None:
    """Write `private` to `path` (mode 0600) and `public` to `path` with `.pub`; missing folders are created.

    A temporary file each, then renamed: neither is ever seen half-written. Symbolic links are replaced, never
    followed. Where anything fails, all is as before. Raises `Refused` for files that exist, unless `force`;
    `Malformed` for an impossible name; `Unavailable` where the system refuses.
    """
    check_free(path, force=force)
    try:
        _write_pair(path, private, public, force=force)
    except NotADirectoryError as error:
        raise Malformed("a file stands where a folder is needed", path=path) from error
    except OSError as error:
        raise _failed(error, path) from error


def _write_pair(path: str, private: bytes, public: bytes, *, force: bool) -> None:
    directory, target = os.path.dirname(path) or ".", path + SUFFIX
    with ExitStack() as folders, ExitStack() as always, ExitStack() as undo:
        _make_folders(directory, folders)
        new_private = _write_beside(directory, private, _PRIVATE_MODE, always)
        new_public = _write_beside(directory, public, _PUBLIC_MODE, always)
        if force and os.path.lexists(target):
            old = _temporary(directory)
            os.rename(target, old)
            always.callback(_quietly, os.unlink, old)
            undo.callback(_quietly, os.replace, old, target)
        # The public half first: it can be made again from the private one, never the other way round.
        _place(new_public, target)
        undo.callback(_quietly, os.unlink, target)
        if force:
            os.replace(new_private, path)
        else:
            _place(new_private, path)
        undo.pop_all()
        folders.pop_all()
    _sync(directory)


def _make_folders(directory: str, undo: ExitStack) -> None:
    missing: list[str] = []
    while directory and not os.path.isdir(directory):
        missing.append(directory)
        directory = os.path.dirname(directory)
    for folder in reversed(missing):
        if os.path.basename(folder) not in ("", "."):
            try:
                os.mkdir(folder)
            except FileExistsError as error:
                raise NotADirectoryError(*error.args) from error
            undo.callback(_quietly, os.rmdir, folder)


def _temporary(directory: str) -> str:
    return os.path.join(directory, f".navicert-{os.urandom(8).hex()}")


def _write_beside(directory: str, data: bytes, mode: int, always: ExitStack) -> str:
    temporary = _temporary(directory)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, mode)
    always.callback(_quietly, os.unlink, temporary)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(descriptor)
    return temporary


def _place(temporary: str, target: str) -> None:
    """Give the file the name `target` in one step, which fails where that exists."""
    try:
        try:
            os.link(temporary, target)
        except FileExistsError:
            raise
        except OSError:
            _place_without_links(temporary, target)
    except FileExistsError as error:
        raise Refused("already exists", path=target, remedy="choose another name, or give --force") from error


def _place_without_links(temporary: str, target: str) -> None:
    # FAT on a memory stick has no hard links: take the name, which fails where it exists, then rename over it.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    os.close(os.open(target, flags, _PRIVATE_MODE))
    try:
        os.replace(temporary, target)
    except BaseException:
        _quietly(os.unlink, target)
        raise


def _quietly(action: Callable[..., object], *names: str) -> None:
    # Runs while another error is on its way, or for a name that a rename has used up.
    with suppress(OSError):
        action(*names)


def _sync(directory: str) -> None:
    # So that the names survive a crash. Not every file system can; the files themselves are synced.
    with suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _failed(error: OSError, path: str) -> Unavailable:
    return Unavailable(f"cannot be written: {(error.strerror or str(error)).lower()}", path=path)
