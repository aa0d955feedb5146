"""Time stamps of files: what they prove about the content, and what follows for files that were hashed before.

A write moves the change time of a file to the present; nothing sets it to another time, short of setting the clock.
So a file whose change time lies before a moment has not been written to since that moment. Two things are not seen:
writes through a shared mapping whose pages were dirty before, and writes by whoever can set the clock.
"""

from __future__ import annotations

import os
import stat
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

GRAIN: Final = 2
"""Seconds that a stamp may lie before the moment of the write: kernels take the time of their last tick, and some file
systems keep whole seconds."""
_DRIFT: Final = 1
"""Seconds that the clock may be set back without notice; less than `GRAIN`, so that stamps still tell the truth."""

# File systems that take the time of this kernel. Those of the network and of other programs may be stamped by a clock
# that is behind ours, so their stamps prove nothing here.
_OURS: Final = frozenset({"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "tmpfs", "overlay"})
_MOUNTS: Final = "/proc/self/mountinfo"

_SECONDS, _DEVICE = stat.ST_CTIME, stat.ST_DEV


class Moment:
    """A moment, and whether files have been left alone since then.

    Read in a loop over many files, so its parts are public: a status with `status[ST_CTIME] < before` and
    `status[ST_DEV] in devices` is that of a file that nothing has written to since.
    """

    __slots__ = ("_monotonic", "_time", "before", "devices")

    def __init__(self) -> None:
        self._time, self._monotonic = time.time(), time.monotonic()
        self.before = int(self._time) - GRAIN
        self.devices = _local_devices()

    def still(self, status: os.stat_result) -> bool:
        """Whether the file with this status has not been written to since."""
        return status[_SECONDS] < self.before and status[_DEVICE] in self.devices

    def clock_ran_on(self) -> bool:
        """Whether the clock was not set back since; if it was, stamps prove nothing."""
        return time.time() - self._time > time.monotonic() - self._monotonic - _DRIFT


def _local_devices() -> frozenset[int]:
    """The device numbers of file systems that are stamped by the clock of this kernel; none where it does not say."""
    try:
        with open(_MOUNTS, "rb") as stream:
            lines = stream.read().decode("utf-8", "surrogateescape").splitlines()
    except OSError:
        return frozenset()
    devices = set()
    for line in lines:
        # Number, parent, major:minor, root, mount point, options, optional fields, "-", type, source, options.
        words = line.split(" ")
        if "-" in words and words[words.index("-") + 1] in _OURS:
            major, minor = words[2].split(":")
            devices.add(os.makedev(int(major), int(minor)))
    return frozenset(devices)


Stamp = tuple[int, int, int, int, int]
"""Device, inode, size, modification and change time (ns) of a file."""


def stamp_of(status: os.stat_result) -> Stamp:
    """The stamp of a file with this status."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


class Memo:
    """The digests of files as they were hashed, for those that are not touched before they are asked for again.

    It is kept for one recording only, between its materials and its products.
    """

    def __init__(self) -> None:
        self._begun = Moment()
        self._known: dict[tuple[object, str], tuple[Stamp, str]] = {}

    def remember(self, how: object, path: str, stamp: Stamp, digits: str) -> None:
        """Keep the `digits` of all digests, made in the way `how`, of the file at `path`, which was still then and had
        this stamp."""
        self._known[how, path] = stamp, digits

    def recall(self, how: object, paths: Sequence[str]) -> list[str | None]:
        """The digits of those of the files at `paths` that have not been touched; None for all others."""
        if not self._known or not self._begun.clock_ran_on():
            return [None] * len(paths)
        return [self._recall(how, path) for path in paths]

    def _recall(self, how: object, path: str) -> str | None:
        known = self._known.get((how, path))
        if known is None:
            return None
        try:
            status = os.stat(path)
        except OSError:
            return None  # whoever hashes it says what is wrong
        return known[1] if stamp_of(status) == known[0] else None
