"""The content of files: hashed with all algorithms that are asked for, in one reading, or refused where it changes.

Most files are small, and there the system calls cost more than the hashing: one open, one read, one look at the status
and one close is all that happens. That a file did not change while it was read follows from its change time, where that
lies before the recording began; where it does not, two looks are compared. Files of more than one read are put off
until all sizes are known, and are shared out among threads then.
"""

from __future__ import annotations

import hashlib
import os
import stat
from _thread import get_ident

from navicert.digest import DigestSet
from navicert.errors import Unavailable
from navicert.interface import Callable, Sequence
from navicert.model.artifact import Entry, full
from navicert.resolve.artifact import Progress, ResolveOptions
from navicert.resolve.crew import MOST_JOBS, Check, Worker, in_order, in_processes, in_threads, may_fork, processors
from navicert.resolve.stamp import Moment, Stamp, stamp_of
from navicert.resolve.tree import unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hashlib import _Hash
    from typing import Final

_MODE: Final = 0
_DEVICE: Final = 2
_SIZE: Final = 6
_CHANGED: Final = 9
"""Where a status has these: `stat.ST_MODE` and so on, as numbers that a type checker knows."""
_TYPE, _REGULAR = stat.S_IFMT(0o177777), stat.S_IFREG

_SMALL: Final = 64 * 1024
"""Up to here a file is read in one call: most are."""
_CHUNK: Final = 256 * 1024
"""Bytes of a larger file at a time: what is hashed is still in the cache of the processor then."""
_BATCH: Final = 256
"""Small files that are one job, and after which progress is told."""
_FEW: Final = 64
"""Files for which it is not worth finding out which stamps prove something: all of them are looked at twice."""
_MANY: Final = 2000
"""Small files from which on forked processes gain more than they cost."""
_MUCH: Final = 64 * 1024 * 1024
"""Bytes in larger files from which on threads gain more than they cost."""

# The file was looked at before it is opened. Should a pipe have taken its place since, opening must not wait for a
# writer; should a terminal have, it must not become ours.
_OPEN: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY

Batch = tuple[list[str], list[tuple[int, int]], list[Stamp | None]]
"""Of a run of files: the hex digits of all digests of each; size and number of those that were put off; where they are
to be remembered their stamps, None for files that are not still."""


class FileHasher:
    """Hashes files, and notices when one changes meanwhile."""

    def __init__(self, options: ResolveOptions) -> None:
        self._algorithms = sorted(options.algorithms)
        self._makers = [_maker(name) for name in self._algorithms]
        self._normalize = options.normalize_line_endings
        self._workers = options.workers or processors()
        self._fork = options.fork
        self._memo = options.memo
        self._progress = _Progress(options.progress)

    @property
    def plain(self) -> bool:
        """Whether all that is asked for is one SHA-256 digest, which is written as text."""
        return self._algorithms == ["sha256"]

    def __call__(self, path: str, name: str) -> DigestSet:
        """The digests of the file at `path`, called `name` in errors. Raises `Unavailable`."""
        digits, _ = self._whole(path, name, bytearray(_CHUNK), lambda count: None)
        return full(self._entry(digits))

    def many(self, paths: Sequence[str], names: Sequence[str]) -> list[Entry]:
        """The digests of the files at `paths`, in this order; `names` are what they are called in errors. Raises
        `Unavailable`, for the first of them where several cannot be hashed."""
        if self._memo is None:
            moment = Moment() if len(paths) > _FEW else None
            return self._entries(self._fresh(paths, names, moment)[0])
        how = (*self._algorithms, self._normalize)
        known = self._memo.recall(how, paths)
        unknown = [i for i, digests in enumerate(known) if digests is None]
        moment = Moment()
        found, stamps = self._fresh([paths[i] for i in unknown], [names[i] for i in unknown], moment)
        for number, i in enumerate(unknown):
            known[i] = digits = found[number]
            stamp = stamps[number]
            if stamp is not None:
                self._memo.remember(how, paths[i], stamp, digits)
        return self._entries([digits for digits in known if digits is not None])

    def _entries(self, found: list[str]) -> list[Entry]:
        """The digests of each file, where `found` has the hex digits of all of them."""
        return found if self.plain else [self._entry(digits) for digits in found]  # type: ignore[return-value]

    def _entry(self, digits: str) -> Entry:
        """The digests whose hex digits stand one after the other in `digits`."""
        if self.plain:
            return digits
        digests, start = [], 0
        for algorithm, make in zip(self._algorithms, self._makers, strict=True):
            end = start + 2 * make().digest_size
            digests.append((algorithm, digits[start:end]))
            start = end
        return DigestSet(digests)

    def _fresh(
        self, paths: Sequence[str], names: Sequence[str], moment: Moment | None
    ) -> tuple[list[str], list[Stamp | None]]:
        """The hex digits of the digests of each file, and where they are to be remembered their stamps."""
        length = max(_BATCH, -(-len(paths) // MOST_JOBS))
        starts = range(0, len(paths), length)
        self._progress.begin(length)

        def worker(part: Callable[[int], Sequence[str]]) -> Worker[Batch]:
            def begin(check: Check) -> Callable[[int], Batch]:
                def work(job: int) -> Batch:
                    check()
                    return self._batch(part(job), names, starts[job], moment)

                return work

            return begin

        if self._fork and self._workers > 1 and len(paths) >= _MANY and may_fork():
            # A forked process shares memory until one of both writes to it, and to take hold of a string is to write to
            # it. So each job is one string, and its paths are strings of whoever does it.
            texts = ["\0".join(paths[start : start + length]) for start in starts]
            batches = in_processes(len(starts), worker(lambda job: texts[job].split("\0")), self._workers)
        else:
            batches = in_order(len(starts), worker(lambda job: paths[starts[job] : starts[job] + length]))
        found = [digits for digests, _, _ in batches for digits in digests]
        stamps = [stamp for _, _, stamps in batches for stamp in stamps]
        longer = sorted((file for _, later, _ in batches for file in later), reverse=True)
        for (_, i), (digits, stamp) in zip(longer, self._longer(paths, names, longer, moment), strict=True):
            found[i] = digits
            if self._memo is not None:
                stamps[i] = stamp
        if moment is not None and not moment.clock_ran_on():
            raise Unavailable(
                "the clock was set back while files were hashed, so nothing tells whether they changed",
                remedy="record again",
            )
        return found, stamps

    def _batch(self, paths: Sequence[str], names: Sequence[str], start: int, moment: Moment | None) -> Batch:
        """The digests of the files at `paths`, of which the first has the number `start`."""
        # What is in the loop happens once for each file, and a status is quicker asked by number than by name.
        open_, read, status_of, close = os.open, os.read, os.fstat, os.close
        flags, most, kind, regular = _OPEN, _SMALL + 1, _TYPE, _REGULAR
        make, digest = self._maker, self._digest
        before, devices = (moment.before, moment.devices) if moment is not None else (0, frozenset[int]())
        remembered = self._memo is not None and moment is not None
        found: list[str] = []
        later: list[tuple[int, int]] = []
        stamps: list[Stamp | None] = []
        total, wary = 0, not devices
        for path in paths:
            try:
                descriptor = open_(path, flags)
                try:
                    first = status_of(descriptor) if wary else None
                    # One byte more than a small file has: whether it is one shows when it is read.
                    data = read(descriptor, most)
                    status = status_of(descriptor)
                    if status[_MODE] & kind != regular:
                        raise _no_file(names[start + len(found)])
                    wary = status[_CHANGED] >= before or status[_DEVICE] not in devices
                    if wary:
                        if first is None:
                            first = status
                            data = os.pread(descriptor, _SMALL + 1, 0)
                            status = status_of(descriptor)
                        if _moved(first, status):
                            raise _changed(names[start + len(found)])
                finally:
                    close(descriptor)
            except OSError as error:
                raise unreadable(names[start + len(found)], error) from error
            length, size = len(data), status[_SIZE]
            if length == size:
                total += length
                found.append(digest(data) if make is None else make(data).hexdigest())
            elif length < size:
                later.append((size, start + len(found)))
                found.append("")
            else:
                raise _changed(names[start + len(found)])
            if remembered:
                stamps.append(None if wary else stamp_of(status))
        self._progress.batch(start, len(paths), total)
        return found, later, stamps

    def _longer(
        self, paths: Sequence[str], names: Sequence[str], longer: list[tuple[int, int]], moment: Moment | None
    ) -> list[tuple[str, Stamp | None]]:
        """Digits of the digests, and stamps of what is still, of the files with these sizes and numbers."""

        def worker(check: Check) -> Callable[[int], tuple[str, Stamp | None]]:
            buffer = bytearray(_CHUNK)

            def tell(count: int) -> None:
                check()
                self._progress.read(count)

            def work(job: int) -> tuple[str, Stamp | None]:
                i = longer[job][1]
                digits, status = self._whole(paths[i], names[i], buffer, tell)
                return digits, stamp_of(status) if moment is not None and moment.still(status) else None

            return work

        if self._workers > 1 and sum(size for size, _ in longer) >= _MUCH:
            return in_threads(len(longer), worker, self._workers)
        return in_order(len(longer), worker)

    @property
    def _maker(self) -> Callable[[bytes], _Hash] | None:
        """The constructor of the only hash, where content is hashed as it is; mostly that of SHA-256."""
        return self._makers[0] if len(self._makers) == 1 and not self._normalize else None

    def _digest(self, data: bytes) -> str:
        """The digits of the digests of a file with the content `data`."""
        if self._normalize:
            data = _normal(data)
        return "".join([make(data).hexdigest() for make in self._makers])

    def _whole(
        self, path: str, name: str, buffer: bytearray, tell: Callable[[int], None]
    ) -> tuple[str, os.stat_result]:
        """The digits of the digests of a file of any size, and its status at the end. `tell` hears how many bytes were
        read."""
        try:
            descriptor = os.open(path, _OPEN)
        except OSError as error:
            raise unreadable(name, error) from error
        try:
            before = os.fstat(descriptor)
            if not stat.S_ISREG(before.st_mode):
                raise _no_file(name)
            length, digits = self._read(descriptor, before.st_size, memoryview(buffer), tell)
            after = os.fstat(descriptor)
        except OSError as error:
            raise unreadable(name, error) from error
        finally:
            os.close(descriptor)
        if length != before.st_size or _moved(before, after):
            raise _changed(name)
        return digits, after

    def _read(self, descriptor: int, size: int, buffer: memoryview, tell: Callable[[int], None]) -> tuple[int, str]:
        hashes = [make() for make in self._makers]
        update = _normalizer(hashes) if self._normalize else _updater(hashes)
        length = 0
        while count := os.readv(descriptor, [buffer]):
            length += count
            update(buffer[:count])
            if length > size:
                break
            tell(count)
        update(None)
        return length, "".join([hash.hexdigest() for hash in hashes])


def _maker(name: str) -> Callable[..., _Hash]:
    """The constructor of the hash called `name`; those that have one of their own are faster than `hashlib.new`."""
    return getattr(hashlib, name, None) or (lambda data=b"": hashlib.new(name, data))


def _moved(before: os.stat_result, after: os.stat_result) -> bool:
    return after.st_size != before.st_size or after.st_mtime_ns != before.st_mtime_ns


def _changed(name: str) -> Unavailable:
    return Unavailable(
        "changed while it was hashed", path=name, remedy="record when nothing else is writing, or exclude it"
    )


def _no_file(name: str) -> Unavailable:
    return Unavailable("is no longer a file", path=name, remedy="record when nothing else is writing")


class _Progress:
    """How far the hashing is, told to whoever wants to know by the thread that was asked to hash, and by no other.
    Where others work too, what they did is estimated."""

    def __init__(self, tell: Progress | None) -> None:
        self._tell = tell
        self._place = os.getpid(), get_ident()
        self._files = 0
        self._bytes = 0
        self._length = _BATCH
        self._batches = 0

    def begin(self, length: int) -> None:
        """Say that batches of `length` files are hashed now."""
        self._length, self._batches = length, 0

    def batch(self, start: int, count: int, size: int) -> None:
        """Say that `count` files from the number `start` on are hashed, of `size` bytes."""
        self._batches += 1
        self._bytes += size
        if self._tell is not None and count == self._length and self._is_here():
            # Batches are taken in order, so about as many are done as the number of this one says.
            self._files = start + count
            self._tell(self._files, self._bytes * self._files // (self._batches * self._length))

    def read(self, size: int) -> None:
        """Say that `size` bytes more of a larger file are hashed."""
        self._bytes += size  # by several threads: not exact, and nothing but a display
        if self._tell is not None and self._is_here():
            self._tell(self._files, self._bytes)

    def _is_here(self) -> bool:
        return self._place == (os.getpid(), get_ident())


Update = Callable[[memoryview | None], None]
"""Takes the content piece by piece, then None."""


def _updater(hashes: list[_Hash]) -> Update:
    def update(piece: memoryview | None) -> None:
        if piece is not None:
            for hash in hashes:
                hash.update(piece)

    return update


def _normal(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _normalizer(hashes: list[_Hash]) -> Update:
    """Feeds `hashes` with CRLF and CR replaced by LF; a CR at the end of a piece waits for what follows it."""
    held = b""

    def update(piece: memoryview | None) -> None:
        nonlocal held
        data = held + bytes(piece) if piece is not None else held
        held = b"\r" if piece is not None and data.endswith(b"\r") else b""
        data = _normal(data[: len(data) - len(held)])
        for hash in hashes:
            hash.update(data)

    return update
