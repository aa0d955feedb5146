"""Files: recorded under the names they were given by, with the digests of their content.

Names are those of in-toto 3.1.0: normalised (`./a` is `a`, `p/../q` is `q`), `file:` kept where it was given,
backslashes written as slashes. Folders are recorded file by file. Mode, owner and empty folders are not recorded.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final

from navicert.digest import DigestSet
from navicert.errors import Malformed, Unavailable
from navicert.resolve.artifact import NameConflict, Notes, ResolveOptions, refuse_unwritable
from navicert.resolve.exclude import Excludes
from navicert.resolve.pattern import expand, is_pattern
from navicert.resolve.tree import FILE, FOLDER, Tree, normal, unreadable

if TYPE_CHECKING:
    from hashlib import _Hash

SCHEME: Final = "file:"

_SMALL: Final = 64 * 1024
"""Up to here a file is read in one call: most are, and the calls cost more than the hashing."""
_CHUNK: Final = 1024 * 1024

# The file was looked at before it is opened. Should a pipe have taken its place since, opening must not wait for a
# writer; should a terminal have, it must not become ours.
_OPEN: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY


class FileResolver:
    """Records files named by path, folder or pattern. One resolver serves all names of one list of artifacts."""

    def __init__(self, options: ResolveOptions, notes: Notes) -> None:
        self._options = options
        self._notes = notes
        self._excluded = Excludes(options.excludes)
        self._tree = Tree(options.root, self._excluded, options.limits, follow=options.follow_symlink_dirs)
        self._hash = FileHasher(options)
        self._sources: dict[str, str] = {}

    def resolve(self, spec: str) -> Iterator[tuple[str, DigestSet]]:
        """Name and digests of every file that `spec` names. Raises `Malformed`, `NameConflict`, `Unavailable`."""
        prefix = SCHEME if spec.startswith(SCHEME) else ""
        given = normal(spec.removeprefix(SCHEME))
        found = False
        for name in self._names(given):
            for path in self._files(name):
                found = True
                yield from self._record(path, prefix)
        if not found:
            self._nothing(spec, given)

    def below(self, folder: str) -> Iterator[tuple[str, DigestSet]]:
        """Name and digests of every file below `folder`, of which there may be none."""
        for _, files in self._tree.walk(folder, self._notes):
            for path in files:
                yield from self._record(path, "")

    def _record(self, path: str, prefix: str) -> Iterator[tuple[str, DigestSet]]:
        name = self._recorded_name(path, prefix)
        if name is not None:
            yield name, self._hash(self._tree.path(path), path)

    def exists(self, spec: str) -> bool:
        """Whether `spec`, taken as a path, is there."""
        return self._tree.exists(normal(spec))

    def _names(self, given: str) -> Iterable[str]:
        """The names that `given` stands for: itself where it exists, else what it matches as a pattern."""
        if self._tree.exists(given):
            return () if self._excluded(given) else (given,)
        if self._options.expand and is_pattern(given):
            return [name for name in expand(given, self._tree) if not self._excluded(name)]
        return ()

    def _files(self, name: str) -> Iterator[str]:
        kind = self._tree.kind(name)
        if kind == FILE:
            yield name
        elif kind == FOLDER:
            for _, files in self._tree.walk(name, self._notes):
                yield from files
        else:
            self._notes.add(kind, name)

    def _recorded_name(self, path: str, prefix: str) -> str | None:
        """The name that the file at `path` is recorded under; None where it has been recorded already."""
        name = refuse_unwritable(path)
        if "\\" in name:
            name = name.replace("\\", "/")
        for start in self._options.lstrip_paths:
            if name.startswith(start):
                name = name[len(start) :]
                break
        if not name:
            raise NameConflict("nothing is left of the name", path=path, remedy="strip a shorter prefix")
        name = prefix + name
        source = self._sources.get(name)
        if source is None:
            self._sources[name] = path
            return name
        if source != path:
            # Upstream lets the later one win, so one of two files could be hidden behind the other.
            raise NameConflict(f"two files would be recorded as {name!r}", got=f"{source!r} and {path!r}")
        return None

    def _nothing(self, spec: str, given: str) -> None:
        """Say that `spec` recorded nothing: a mistyped name must not pass for an empty list of artifacts."""
        if self._excluded(given) and self._tree.exists(given):
            what, remedy = f"is excluded by {self._excluded.pattern_for(given)!r}", "see --exclude"
        elif self._tree.exists(given):
            what, remedy = "holds no file to record", ""
        elif is_pattern(given):
            what, remedy = "matches nothing", ""
        else:
            what, remedy = "does not exist", ""
        if self._options.strict:
            raise Malformed(f"{what}, so nothing is recorded for it", path=spec, remedy=remedy)
        self._notes.add(f"nothing recorded, because it {what}", spec)


class FileHasher:
    """Hashes files with all algorithms that are asked for, in one reading, and notices when one changes meanwhile."""

    def __init__(self, options: ResolveOptions) -> None:
        self._algorithms = sorted(options.algorithms)
        self._normalize = options.normalize_line_endings
        self._progress = options.progress
        self._files = 0
        self._bytes = 0

    def __call__(self, path: str, name: str) -> DigestSet:
        """The digests of the file at `path`, called `name` in errors. Raises `Unavailable`."""
        try:
            descriptor = os.open(path, _OPEN)
        except OSError as error:
            raise unreadable(name, error) from error
        try:
            before = os.fstat(descriptor)
            if not stat.S_ISREG(before.st_mode):
                raise Unavailable("is no longer a file", path=name, remedy="record when nothing else is writing")
            length, digests = self._read(descriptor, before.st_size)
            after = os.fstat(descriptor)
        except OSError as error:
            raise unreadable(name, error) from error
        finally:
            os.close(descriptor)
        if length != before.st_size or after.st_size != length or after.st_mtime_ns != before.st_mtime_ns:
            raise Unavailable(
                "changed while it was hashed", path=name, remedy="record when nothing else is writing, or exclude it"
            )
        self._files += 1
        if self._progress is not None and self._files % 256 == 0:
            self._progress(self._files, self._bytes)
        return digests

    def _read(self, descriptor: int, size: int) -> tuple[int, DigestSet]:
        if size <= _SMALL and not self._normalize and self._algorithms == ["sha256"]:
            # One byte more than there should be: a file that has grown is noticed, at its end nothing more is read.
            data = os.read(descriptor, size + 1)
            while len(data) < size and (more := os.read(descriptor, size + 1 - len(data))):
                data += more
            self._bytes += len(data)
            return len(data), DigestSet((("sha256", hashlib.sha256(data).hexdigest()),))
        hashes = [hashlib.new(name) for name in self._algorithms]
        update = _normalizer(hashes) if self._normalize else _updater(hashes)
        length = 0
        buffer = memoryview(bytearray(min(_CHUNK, size + 1)))
        while count := os.readv(descriptor, [buffer]):
            length += count
            update(buffer[:count])
            self._bytes += count
            if length > size:
                break
            if self._progress is not None and length >= _CHUNK:
                self._progress(self._files, self._bytes)
        update(None)
        return length, DigestSet((name, hash.hexdigest()) for name, hash in zip(self._algorithms, hashes, strict=True))


Update = Callable[[memoryview | None], None]
"""Takes the content piece by piece, then None."""


def _updater(hashes: list[_Hash]) -> Update:
    def update(piece: memoryview | None) -> None:
        if piece is not None:
            for hash in hashes:
                hash.update(piece)

    return update


def _normalizer(hashes: list[_Hash]) -> Update:
    """Feeds `hashes` with CRLF and CR replaced by LF; a CR at the end of a piece waits for what follows it."""
    held = b""

    def update(piece: memoryview | None) -> None:
        nonlocal held
        data = held + bytes(piece) if piece is not None else held
        held = b"\r" if piece is not None and data.endswith(b"\r") else b""
        data = data[: len(data) - len(held)].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        for hash in hashes:
            hash.update(data)

    return update
