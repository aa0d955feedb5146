"""Image archives: one tar file holding a layout (oci-archive) or what `docker save` writes (docker-archive).

Nothing is unpacked: entries are found by position and read in place; a compressed archive is decompressed while it is
read. Spec: OCI image-spec image-layout.md; Docker image specification v1.2, "Combined Image JSON + Filesystem Changeset
Format".
"""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Final

from navicert.errors import LimitExceeded, Malformed, Unavailable
from navicert.limits import LOCAL, Limits
from navicert.oci.compression import BLOCK, Budget, detect
from navicert.oci.tar import Entry, scan

if TYPE_CHECKING:
    import gzip
    from collections.abc import Iterator
    from pathlib import Path

_LINKS: Final = 8  # links followed from one name; `docker save` writes one
_KEPT: Final = 64 * 1024 * 1024  # bytes of small entries kept from the first pass over a compressed archive


def open_regular(path: str) -> IO[bytes]:
    """The file at `path`, open for reading. Raises `Malformed` where there is none, and for a pipe, device or directory
    without waiting for it; `Unavailable` where it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise Malformed("no such file", path=path) from error
    except OSError as error:
        raise Unavailable(f"cannot be read: {(error.strerror or 'unknown reason').lower()}", path=path) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Malformed("is not a regular file", path=path)
    return os.fdopen(descriptor, "rb")


class _Plain:
    """An archive as it lies on disk."""

    def __init__(self, file: IO[bytes], path: str, limits: Limits) -> None:
        self._file = file
        self._path = path
        self._size = os.fstat(file.fileno()).st_size
        if self._size > limits.archive_bytes:
            raise LimitExceeded("archive too large (limit archive_bytes)", path=path, got=f"{self._size} bytes")

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int, /) -> bytes:
        return self._file.read(size)

    def skip(self, size: int, /) -> None:
        if self._file.tell() + size > self._size:
            raise Malformed("tar archive is cut off", path=self._path)
        self._file.seek(size, os.SEEK_CUR)

    def seek(self, offset: int) -> None:
        self._file.seek(offset)


class _Compressed:
    """A gzip-compressed archive. Going back starts again from the beginning, so readers go forward where they can."""

    def __init__(self, file: IO[bytes], path: str, limits: Limits) -> None:
        import gzip

        self._raw = file
        self._file: gzip.GzipFile = gzip.GzipFile(fileobj=file, mode="rb")
        self._path = path
        self._budget = Budget(limits, path)
        self._seen = 0

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int, /) -> bytes:
        import zlib

        try:
            data = self._file.read(size)
        except (EOFError, OSError, zlib.error) as error:
            raise Malformed(f"damaged gzip data: {error}", path=self._path) from error
        packed = self._raw.tell()
        self._budget.spend(max(packed - self._seen, 0), len(data))
        self._seen = packed
        return data

    def skip(self, size: int, /) -> None:
        while size > 0:
            data = self.read(min(size, BLOCK))
            if not data:
                raise Malformed("tar archive is cut off", path=self._path)
            size -= len(data)

    def seek(self, offset: int) -> None:
        if offset < self._file.tell():
            self._file.seek(0)
            self._seen = 0
        self.skip(offset - self._file.tell())


class Archive:
    """One open archive: its entries by name. Made by `open_archive`; not shared between threads."""

    def __init__(self, file: IO[bytes], path: str, limits: Limits) -> None:
        self.origin = path
        compression = detect(file.read(4))
        file.seek(0)
        if compression == "zstd":
            raise Malformed("archive is packed with zstd", path=path, remedy="unpack it first: zstd -d FILE")
        self._stream: _Plain | _Compressed = (_Compressed if compression else _Plain)(file, path, limits)
        self._entries: dict[str, Entry] = {}
        self._small: dict[str, bytes] = {}
        kept = 0
        for entry in scan(self._stream, limits, path=path):
            if entry.name in self._entries:
                raise Malformed("archive holds two entries of one name", path=path, got=ascii(entry.name))
            self._entries[entry.name] = entry
            if compression and entry.size <= limits.manifest_bytes and kept + entry.size <= _KEPT:
                kept += entry.size
                self._small[entry.name] = self._stream.read(entry.size)
        if not self._entries:
            raise Malformed("not an image archive: no entries", path=path, expected="a tar file")

    def holds(self, name: str) -> bool:
        """Whether there is an entry of this name."""
        return name in self._entries

    def locate(self, name: str) -> str:
        """What the entry `name` is called in messages."""
        return f"{self.origin}({name})"

    def position(self, name: str) -> int:
        """Where the content of `name` begins."""
        return self._find(name).offset

    def size(self, name: str) -> int:
        """The size of `name` in bytes."""
        return self._find(name).size

    def chunks(self, name: str) -> Iterator[bytes]:
        """The content of `name`. Links are followed inside the archive only. Raises `Malformed` where there is none."""
        entry = self._find(name)
        kept = self._small.get(entry.name)
        if kept is not None:
            yield kept
            return
        offset, left = entry.offset, entry.size
        while left:
            # Anyone may have read elsewhere since the last chunk.
            if self._stream.tell() != offset:
                self._stream.seek(offset)
            chunk = self._stream.read(min(left, BLOCK))
            if not chunk:
                raise Malformed("tar archive is cut off", path=self.origin)
            yield chunk
            offset, left = offset + len(chunk), left - len(chunk)

    def document(self, name: str, limits: Limits) -> bytes:
        """The content of the JSON document `name`. Raises `LimitExceeded` beyond the limit `manifest_bytes`."""
        if self.size(name) > limits.manifest_bytes:
            raise LimitExceeded("document too large (limit manifest_bytes)", path=self.locate(name))
        return b"".join(self.chunks(name))

    def _find(self, name: str) -> Entry:
        found = name
        for _ in range(_LINKS):
            entry = self._entries.get(found)
            if entry is None:
                raise Malformed("missing in the archive", path=self.locate(found))
            if entry.target is None:
                return entry
            found = entry.target
        raise Malformed("link that leads nowhere", path=self.locate(name))


@contextmanager
def open_archive(path: str | Path, limits: Limits = LOCAL) -> Iterator[Archive]:
    """The archive at `path`, open inside the `with` block. Raises `Malformed` for what is not a safe tar archive."""
    with open_regular(str(path)) as file:
        yield Archive(file, str(path), limits)
