"""A folder of evidence, under the file names of in-toto.

`{step}.{keyid8}.link` is a signed link or sublayout (`keyid8`: the first eight hex digits of the key id), the folder
`{step}.{keyid8}` beside it holds a sublayout's evidence, and `.{step}.{keyid8}.link-unfinished` a recording that has
begun. `*.intoto.jsonl` and `*.sigstore.json` are bundles, of whatever steps. Spec: in-toto v1.0 §4.4, §4.5.3; in-toto
attestation framework, spec/v1/bundle.md (file names); Sigstore, "Sigstore bundle format".
"""

from __future__ import annotations

import errno
import os
import stat

from navicert.digest import is_hex, sha256
from navicert.errors import Malformed, Refused, Unavailable
from navicert.limits import LOCAL, Limits
from navicert.model.field import as_keyid, as_name
from navicert.store import Filing, Piece

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime
    from typing import Final

    from navicert.store.sighting import Sighting

_SUFFIX: Final = ".link"
_BUNDLES: Final = (".intoto.jsonl", ".sigstore.json")
_UNFINISHED: Final = ".link-unfinished"

_MORE: Final = 64 * 1024
"""How much is asked for at once of a file that is longer than it was said to be."""

_MANY: Final = 32
"""Files from which on what they share is got ready before they are read."""

_OPEN: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY


class DirectoryStore:
    """The folder `path`. Reading is bounded by `limits`; the folder is made when something is first put there. Without
    `bundles` only `*.link` files are evidence, as for upstream."""

    def __init__(self, path: str, limits: Limits = LOCAL, *, bundles: bool = True) -> None:
        self.path = path or "."
        self._limits = limits
        self._suffixes = (_SUFFIX, *_BUNDLES) if bundles else (_SUFFIX,)

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

    def put_many(self, filings: Sequence[Filing]) -> list[str]:
        """Write each document and return their paths. Two different ones of one step and key are both kept: the later
        is filed under its digest instead of the key. Raises as `put` does; nothing is written where a name is no good.
        """
        named = list(zip(file_names(filings), filings, strict=True))
        paths = []
        for parts, filing in named:
            folder = self if len(parts) == 1 else DirectoryStore(os.path.join(self.path, *parts[:-1]), self._limits)
            paths.append(folder._write(parts[-1], filing.raw))
        return paths

    def remove(self, pieces: Iterable[Piece]) -> int:
        """Remove the files of `pieces`, and return how many were there. Raises `Unavailable`."""
        count = 0
        for piece in pieces:
            try:
                os.unlink(piece.origin)
                count += 1
            except FileNotFoundError:
                continue  # somebody else removed it
            except OSError as error:
                raise _unavailable("cannot be removed", piece.origin, error) from error
        return count

    def remember(self, sightings: Sequence[Sighting]) -> None:
        """Keep where evidence was seen, in a file of its own. Raises `Unavailable`, and `Malformed` where something
        else has its name."""
        from navicert.store.memory_file import remember

        remember(self.path, sightings, self._limits)

    def sightings(self, digests: Sequence[str], most: int) -> list[Sighting]:
        """Up to `most` sightings of any of `digests`, the newest first. Raises as `remember` does."""
        from navicert.store.memory_file import read

        found = [one for one in read(self.path, self._limits) if one.digest in digests]
        return sorted(found, key=lambda one: one.at, reverse=True)[:most]

    def close(self) -> None:
        """Nothing is held open."""

    def put_unfinished(self, step: str, keyid: str, raw: bytes) -> str:
        """Write `raw` as the begun recording of `step` by `keyid`, and return its path. Raises as `put` does."""
        return self._write(f".{_name(step, keyid)}{_UNFINISHED}", raw)

    def unfinished(self, step: str, keyid: str) -> tuple[str, bytes]:
        """Path and content of the begun recording of `step` by `keyid`. Raises `Refused` where there is none."""
        path = self._at(f".{_name(step, keyid)}{_UNFINISHED}")
        if not os.path.lexists(path):
            raise Refused("no recording has been started with this key", path=path, remedy="run record start first")
        raw, problem, _ = _read(path, self._limits.document_bytes)
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
        """Every file of evidence in the folder and its sublayout folders, by name; folders after files.

        Raises `Malformed` where the folder itself does not exist and `Unavailable` where it cannot be read. Whatever
        is wrong below it is the `problem` of a piece.
        """
        if not os.path.isdir(self.path):
            raise Malformed("no such folder", path=self.path, expected="a folder of evidence")
        try:
            names = _listing(self.path)
        except OSError as error:
            raise _unavailable("cannot be read", self.path, error) from error
        if len(names) > _MANY:
            # Now it pays to load what is quicker with each: `navicert.digest.sha256_hex`, `navicert.envelope.dsse`.
            import hashlib  # noqa: F401

            import pybase64  # noqa: F401
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
            if name.endswith(self._suffixes) and not name.startswith("."):
                raw, problem, when = _read(path, self._limits.document_bytes)
                step = _step_of(name) if name.endswith(_SUFFIX) else None
                yield Piece(path, raw, None if raw is not None else problem, step, scope, when)
            elif _filed_under(name) and not name.startswith(".") and os.path.isdir(path):
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
                _sync_folder(self.path)
            finally:
                if os.path.lexists(temporary):
                    os.unlink(temporary)
        except OSError as error:
            raise _unavailable("cannot be written", path, error) from error
        return path


def _name(step: str, keyid: str) -> str:
    return f"{as_name(step, '')}.{as_keyid(keyid, '')[:8]}"


def file_names(filings: Sequence[Filing]) -> list[tuple[str, ...]]:
    """The folders and the file name of each document, no two different ones under the same name. Raises `Malformed` for
    a scope that is no sublayout folder."""
    taken: dict[tuple[str, ...], bytes] = {}
    names = []
    for filing in filings:
        for folder in filing.scope:
            if not _filed_under(folder):
                raise Malformed(
                    "not a sublayout folder", expected="STEP.KEYID with eight hexadecimal digits", got=repr(folder[:80])
                )
        digest = sha256(filing.raw).hex
        if filing.step is None:
            parts = (*filing.scope, f"{digest}{_SUFFIX}")
        else:
            ids = (filing.keyid, *(digest[start:] for start in range(0, len(digest), 8)))
            possible = ((*filing.scope, _name(filing.step, id) + _SUFFIX) for id in ids)
            parts = next(one for one in possible if taken.get(one, filing.raw) == filing.raw)
        taken[parts] = filing.raw
        names.append(parts)
    return names


def _step_of(name: str) -> str:
    stem = name.removesuffix(_SUFFIX)
    return _filed_under(stem) or stem


def _filed_under(name: str) -> str:
    """The step in `{step}.{keyid8}`; empty for a name of another form."""
    step, _, keyid = name.rpartition(".")
    return step if len(keyid) == 8 and is_hex(keyid) else ""


def _listing(folder: str) -> list[str]:
    return sorted(os.listdir(folder))


def _date(status: os.stat_result) -> datetime | None:
    """When the file with this status was last written; None where that is no date."""
    from navicert.datetime import UTC, datetime

    try:
        return datetime.fromtimestamp(status.st_mtime, UTC)
    except (OverflowError, ValueError):
        return None


def _sync_folder(path: str) -> None:
    """Have the new name written to the disk too, so that a loss of power does not take it back."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some file systems do not sync folders
            raise
    finally:
        os.close(descriptor)


def _read(path: str, limit: int) -> tuple[bytes | None, str, datetime | None]:
    """The content of the file at `path`; or None, and why not; and when it was last written. Never waits for a pipe,
    never reads a device."""
    when = None
    try:
        # Looked at before it is opened, because opening a device can do something; and after, because it may have
        # been replaced.
        status = os.stat(path)
        when = _date(status)
        if not stat.S_ISREG(status.st_mode):
            return None, "not a file", when
        descriptor = os.open(path, _OPEN)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return None, "not a file", when
            # Mostly one call: the size says how much there is, and that not one byte more came whether that is all.
            raw = os.read(descriptor, min(status.st_size, limit) + 1)
            whole = len(raw) == status.st_size
            # Room for what is read is made before anybody knows that there is nothing more.
            while (
                not whole
                and raw
                and len(raw) <= limit
                and (more := os.read(descriptor, min(limit + 1 - len(raw), _MORE)))
            ):
                raw += more
        finally:
            os.close(descriptor)
    except OSError as error:
        return None, _reason(error), when
    if len(raw) > limit:
        return None, f"larger than {limit} bytes (limit document_bytes)", when
    return raw, "", when


def _reason(error: OSError) -> str:
    return f"cannot be read: {(error.strerror or 'failed').lower()}"


def _unavailable(what: str, path: str, error: OSError) -> Unavailable:
    return Unavailable(what, path=path, got=(error.strerror or "failed").lower())
