"""Running a layout's inspections: in a fresh folder, with copies of the files that are to be inspected.

The folder is shared by the inspections of one verification, in their order, so that one may look at what another
unpacked. Nothing is written to the folder that the copies come from, and no link leads out of the copies.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from navicert.dataclass import replace
from navicert.digest import DigestSet, sha256
from navicert.errors import LimitExceeded, Malformed, NavicertError, Unavailable
from navicert.limits import LOCAL, Limits
from navicert.model.layout import Inspection
from navicert.record.process import NOWHERE, Wires, execute
from navicert.resolve import resolve_all
from navicert.resolve.artifact import Notes, ResolveOptions
from navicert.resolve.exclude import Excludes
from navicert.resolve.tree import Tree, normal, unreadable
from navicert.verify.builtin import is_built_in, run_built_in
from navicert.verify.case import InspectionResult
from navicert.verify.foundation import Layers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from tempfile import TemporaryDirectory
    from types import TracebackType

_KEPT: Final = 64 * 1024
"""Bytes of an inspection's output that are kept for the report, for each stream."""


class ProcessInspector:
    """Runs inspections on copies of the files in the folder `source`.

    A context manager: the copies are made when the first process is started, and removed at the end. The output of
    inspections goes to the file descriptor `output` (`NOWHERE` for none). `timeout` is in seconds, for each.
    """

    def __init__(
        self,
        source: str,
        *,
        timeout: float | None = None,
        output: int = 2,
        environ: Mapping[str, str] | None = None,
        limits: Limits = LOCAL,
    ) -> None:
        self._source = source
        self._timeout = timeout
        self._output = output
        self._environ = environ
        self._limits = limits
        self._copies: TemporaryDirectory[str] | None = None

    def __enter__(self) -> ProcessInspector:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove the copies."""
        if self._copies is not None:
            self._copies.cleanup()
            self._copies = None

    def inspect(self, inspection: Inspection) -> InspectionResult:
        """What running `inspection` gave; `problem` says why it could not be run, or what it found recorded."""
        try:
            if not inspection.run:
                raise Malformed("the inspection names no command")
            if is_built_in(inspection.run):
                return self._built_in(inspection)
            return self._process(inspection)
        except NavicertError as error:
            return InspectionResult(None, problem=str(error))

    def _built_in(self, inspection: Inspection) -> InspectionResult:
        if self._copies is not None:
            folder = self._copies.name
        else:
            # No process runs, so nothing can be changed, and a large folder need not be copied.
            folder = self._checked_source()
            for _ in _files(folder, self._limits):
                pass
        options = ResolveOptions(cwd=folder, limits=self._limits)
        artifacts = resolve_all(["."], options).artifacts

        def read(name: str) -> bytes:
            raw = _read(folder, name, self._limits.sbom_bytes)
            # The rules judge what was recorded: what is looked into must be the same bytes.
            if artifacts.get(normal(name)) != DigestSet.of({"sha256": sha256(raw).hex}):
                raise Malformed("is left out of what is recorded, or changed meanwhile", path=name)
            return raw

        def read_layers(place: str) -> Layers:
            layers = _layers(folder, place, self._limits)
            if resolve_all(["."], options).artifacts != artifacts:
                raise Malformed("something changed while the image was read", path=folder)
            return layers

        value, reason = run_built_in(inspection.run, read, read_layers)
        return InspectionResult(value, artifacts, artifacts, output=reason)

    def _process(self, inspection: Inspection) -> InspectionResult:
        folder = self._folder()
        options = ResolveOptions(cwd=folder, limits=self._limits)
        before = resolve_all(["."], options).artifacts
        completed = execute(
            inspection.run,
            cwd=folder,
            environ=self._environ,
            wires=Wires(NOWHERE, self._output, self._output),
            capture=_KEPT,
            timeout=self._timeout,
        )
        after = resolve_all(["."], options).artifacts
        output = b"".join((completed.stdout.data, completed.stderr.data)).decode("utf-8", "replace")
        return InspectionResult(completed.code or completed.exit_code, before, after, output)

    def _checked_source(self) -> str:
        if not os.path.isdir(self._source):
            raise Unavailable("no such folder to inspect", path=self._source)
        return self._source

    def _folder(self) -> str:
        """The folder of the copies, made now if it is not there yet."""
        if self._copies is None:
            from tempfile import TemporaryDirectory

            source = self._checked_source()
            copies: TemporaryDirectory[str] = TemporaryDirectory(prefix="navicert-", ignore_cleanup_errors=True)
            try:
                _copy(source, copies.name, self._limits)
            except BaseException:
                copies.cleanup()
                raise
            self._copies = copies
        return self._copies.name


def _files(source: str, limits: Limits) -> Iterator[tuple[str, list[str]]]:
    """Every folder in `source` with the names of its files. Raises `Malformed` at a link that leads out: what lies
    there is not what was asked to be inspected."""
    tree = Tree(source, Excludes(()), limits, follow=True)
    top = os.path.realpath(source)
    for folder, files in tree.walk(".", Notes()):
        _stay_inside(top, tree.path(folder), folder)
        for name in files:
            if os.path.islink(tree.path(name)):
                _stay_inside(top, tree.path(name), name)
        yield folder, files


def _copy(source: str, target: str, limits: Limits) -> None:
    """Copy the files of `source` with their modes. Raises as `_files` does, and `Unavailable` for unreadable files."""
    import shutil

    for folder, files in _files(source, limits):
        os.makedirs(os.path.join(target, folder), exist_ok=True)
        for name in files:
            original, copy = os.path.join(source, name), os.path.join(target, name)
            try:
                shutil.copyfile(original, copy)
                os.chmod(copy, os.stat(original).st_mode & 0o777)
            except OSError as error:
                raise unreadable(name, error) from error


def _stay_inside(top: str, path: str, name: str) -> None:
    real = os.path.realpath(path)
    if real != top and not real.startswith(top.rstrip("/") + "/"):
        raise Malformed("a link leads out of the folder to inspect", path=name, got=real)


def _read(folder: str, name: str, limit: int) -> bytes:
    """The bytes of the file `name` in `folder`, for a built-in inspection."""
    name = normal(name)
    path = os.path.join(folder, name)
    if not os.path.isfile(path):
        raise Malformed("no such file to inspect", path=name)
    _stay_inside(os.path.realpath(folder), path, name)
    try:
        with open(path, "rb") as stream:
            raw = stream.read(limit + 1)
    except OSError as error:
        raise unreadable(name, error) from error
    if len(raw) > limit:
        raise LimitExceeded("report too large (limit sbom_bytes)", path=name, expected=f"at most {limit} bytes")
    return raw


def _layers(folder: str, place: str, limits: Limits) -> Layers:
    """The layers of the image at `place` in `folder`, for a built-in inspection; every blob of it is checked."""
    from navicert.resolve.image import image_layers, open_image, parse_image_location

    location = parse_image_location(place)
    path = normal(location.path)
    _stay_inside(os.path.realpath(folder), os.path.join(folder, path), path)
    return image_layers(open_image(replace(location, path=path), limits, root=folder))
