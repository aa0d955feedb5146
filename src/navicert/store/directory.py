"""A folder of evidence, under the file names of in-toto.

`{step}.{keyid8}.link` is a signed link or sublayout (`keyid8`: the first eight hex digits of the key id), the folder
`{step}.{keyid8}` beside it holds a sublayout's evidence, and `.{step}.{keyid8}.link-unfinished` a recording that has
begun. Spec: in-toto v1.0 §4.4, §4.5.3.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from typing import Final

from navicert.errors import Malformed, Refused, Unavailable
from navicert.limits import LOCAL, Limits
from navicert.model.field import as_keyid, as_name
from navicert.store import Piece

_SUFFIX: Final = ".link"
_UNFINISHED: Final = ".link-unfinished"
_FILED: Final = re.compile(r"(.+)\.[0-9a-fA-F]{8}", re.DOTALL)

_OPEN: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY


class DirectoryStore:
    """The folder `path`. Reading is bounded by `limits`; the folder is made when something is first put there."""

    def __init__(self, path: str, limits: Limits = LOCAL) -> None:
        self.path = path or "."
        self._limits = limits

    def prepare(self) -> None:
        """Make the folder, and raise `Unavailable` unless it can be written to: better now than after the build."""
        try:
            os.makedirs(self.path, exist_ok=True)
        except OSError as error:
            raise _unavailable("cannot be made", self.path, error) from error
        if not os.access(self.path, os.W_OK | os.X_OK):
            raise Unavailable("no evidence can be written here", path=self.path, remedy="name another --store")

    def put(self, step: str, keyid: str, raw: bytes) -> str:
        """Write `raw` as the evidence of `step` by `keyid`, replacing an earlier file, and return its path.

        Raises `Malformed` for a step or key id that cannot be part of a file name, `Unavailable` where it cannot be
        written; then what was there before is still there, whole.
        """
        return self._write(_name(step, keyid) + _SUFFIX, raw)

    def put_unfinished(self, step: str, keyid: str, raw: bytes) -> str:
        """Write `raw` as the begun recording of `step` by `keyid`, and return its path. Raises as `put` does."""
        return self._write(f".{_name(step, keyid)}{_UNFINISHED}", raw)

    def unfinished(self, step: str, keyid: str) -> tuple[str, bytes]:
        """Path and content of the begun recording of `step` by `keyid`. Raises `Refused` where there is none."""
        path = self._at(f".{_name(step, keyid)}{_UNFINISHED}")
        if not os.path.lexists(path):
            raise Refused("no recording has been started with this key", path=path, remedy="run record start first")
        raw, problem = _read(path, self._limits.document_bytes)
        if raw is None:
            raise Unavailable(problem, path=path)
        return path, raw

    def drop_unfinished(self, step: str, keyid: str) -> None:
        """Remove the begun recording of `step` by `keyid`."""
        path = self._at(f".{_name(step, keyid)}{_UNFINISHED}")
        try:
            os.unlink(path)
        except OSError as error:
            raise _unavailable("cannot be removed", path, error) from error

    def pieces(self) -> Iterator[Piece]:
        """Every `*.link` file in the folder and its sublayout folders, by name; folders after files.

        Raises `Malformed` where the folder itself does not exist and `Unavailable` where it cannot be read. Whatever
        is wrong below it is the `problem` of a piece.
        """
        if not os.path.isdir(self.path):
            raise Malformed("no such folder", path=self.path, expected="a folder of evidence")
        try:
            names = _listing(self.path)
        except OSError as error:
            raise _unavailable("cannot be read", self.path, error) from error
        budget = self._limits.evidence_files
        for piece in self._below(self.path, names, (), frozenset()):
            budget -= 1
            if budget < 0:
                limit = self._limits.evidence_files
                yield Piece(
                    self.path, None, f"more than {limit} files; the others were not read (limit evidence_files)"
                )
                return
            yield piece

    def _below(
        self, folder: str, names: list[str], scope: tuple[str, ...], ancestors: frozenset[tuple[int, int]]
    ) -> Iterator[Piece]:
        folders = []
        for name in names:
            path = name if folder == "." else os.path.join(folder, name)
            if name.endswith(_SUFFIX) and not name.startswith("."):
                raw, problem = _read(path, self._limits.document_bytes)
                yield Piece(path, raw, None if raw is not None else problem, _step_of(name), scope)
            elif _FILED.fullmatch(name) and not name.startswith(".") and os.path.isdir(path):
                folders.append(name)
        for name in folders:
            yield from self._inside(os.path.join(folder, name), (*scope, name), ancestors)

    def _inside(self, folder: str, scope: tuple[str, ...], ancestors: frozenset[tuple[int, int]]) -> Iterator[Piece]:
        if len(scope) > self._limits.sublayout_depth:
            yield Piece(folder, None, "sublayout folders nested too deeply (limit sublayout_depth)", None, scope)
            return
        try:
            status = os.stat(folder)
            names = _listing(folder)
        except OSError as error:
            yield Piece(folder, None, _reason(error), None, scope)
            return
        identity = (status.st_dev, status.st_ino)
        if identity in ancestors:
            yield Piece(folder, None, "a folder that contains itself", None, scope)
            return
        yield from self._below(folder, names, scope, ancestors | {identity})

    def _at(self, name: str) -> str:
        return name if self.path == "." else os.path.join(self.path, name)

    def _write(self, name: str, raw: bytes) -> str:
        self.prepare()
        path = self._at(name)
        temporary = os.path.join(self.path, f".navicert-{os.urandom(8).hex()}")
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
            try:
                with os.fdopen(descriptor, "wb") as stream:
                    stream.write(raw)
                    stream.flush()
                    os.fsync(stream.fileno())
                os.replace(temporary, path)
            finally:
                if os.path.lexists(temporary):
                    os.unlink(temporary)
        except OSError as error:
            raise _unavailable("cannot be written", path, error) from error
        return path


def _name(step: str, keyid: str) -> str:
    return f"{as_name(step, '')}.{as_keyid(keyid, '')[:8]}"


def _step_of(name: str) -> str:
    stem = name.removesuffix(_SUFFIX)
    filed = _FILED.fullmatch(stem)
    return filed[1] if filed else stem


def _listing(folder: str) -> list[str]:
    return sorted(os.listdir(folder))


def _read(path: str, limit: int) -> tuple[bytes | None, str]:
    """The content of the file at `path`; or None, and why not. Never waits for a pipe, never reads a device."""
    try:
        # Looked at before it is opened, because opening a device can do something; and after, because it may have
        # been replaced.
        if not stat.S_ISREG(os.stat(path).st_mode):
            return None, "not a file"
        descriptor = os.open(path, _OPEN)
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return None, "not a file"
            raw = stream.read(limit + 1)
    except OSError as error:
        return None, _reason(error)
    if len(raw) > limit:
        return None, f"larger than {limit} bytes (limit document_bytes)"
    return raw, ""


def _reason(error: OSError) -> str:
    return f"cannot be read: {(error.strerror or 'failed').lower()}"


def _unavailable(what: str, path: str, error: OSError) -> Unavailable:
    return Unavailable(what, path=path, got=(error.strerror or "failed").lower())
