"""Where images are copied to: a repository of a registry, or a layout directory.

A destination shows an image only when all of it is there: blobs come first, manifests next, and the name last.
Spec: OCI image-spec image-layout.md; OCI distribution-spec "Push".
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Protocol

from navicert.dataclass import dataclass
from navicert.errors import Malformed, Unavailable
from navicert.limits import LOCAL, Limits
from navicert.model.field import as_list, as_object
from navicert.oci import media
from navicert.oci.layout import Directory
from navicert.oci.manifest import Descriptor, naming, read_json
from navicert.oci.registry import Repository

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LAYOUT_MARKER: Final = "oci-layout"
"""The file that makes a folder a layout."""
_PARTIAL: Final = ".navicert-blob-"


class Destination(Protocol):
    """A place that an image is copied to, by several threads at once."""

    @property
    def origin(self) -> str:
        """What this place is called in messages."""

    def put_blob(self, descriptor: Descriptor, read: Callable[[], Iterator[bytes]]) -> bool:
        """Stores a blob whose bytes `read` gives, and returns whether they were needed. `read` raises where they are
        not those of the descriptor; then nothing is stored."""

    def put_manifest(self, descriptor: Descriptor, raw: bytes) -> None:
        """Stores a manifest or index, all of whose parts are stored."""

    def finish(self, root: Descriptor, raw: bytes, tag: str) -> None:
        """Gives the image `root` its name, if it has one: from now on it can be found."""

    def recall(self, descriptor: Descriptor) -> Iterator[bytes] | None:
        """The bytes of a document that is there already, whole, if they are nearer than those of the source."""


@dataclass(frozen=True, slots=True)
class RegistryDestination:
    """A repository. `mount` names another repository of the same registry, from which blobs are taken in place."""

    repository: Repository
    mount: str = ""

    @property
    def origin(self) -> str:
        """Registry and repository."""
        return self.repository.origin

    def put_blob(self, descriptor: Descriptor, read: Callable[[], Iterator[bytes]]) -> bool:
        """Uploads a blob, unless it is there or can be mounted."""
        return self.repository.registry.push_blob(self.repository.name, descriptor, read, mount=self.mount)

    def put_manifest(self, descriptor: Descriptor, raw: bytes) -> None:
        """Stores a manifest under its digest."""
        self.repository.registry.put_manifest(self.repository.name, raw, descriptor.media_type, descriptor.digest)

    def finish(self, root: Descriptor, raw: bytes, tag: str) -> None:
        """Sets the tag; without one the digest is the name."""
        if tag:
            self.repository.registry.put_manifest(self.repository.name, raw, root.media_type, tag)

    def recall(self, descriptor: Descriptor) -> Iterator[bytes] | None:
        """None: they are no nearer than those of the source."""
        return None


class LayoutDestination:
    """A layout directory. Every blob is moved into place whole, and `index.json` is exchanged last; several copies may
    arrive at once. A new layout is made by `navicert.oci.staging`."""

    def __init__(self, path: str | Path, limits: Limits = LOCAL) -> None:
        self._folder = Path(path)
        self._limits = limits
        self.origin = str(path)
        self.placed: set[Path] = set()
        """The files of the blobs that were put here, whether or not they were needed."""
        with writing(self.origin):
            if not (self._folder / LAYOUT_MARKER).is_file():
                raise Malformed("exists, and is no OCI image layout", path=self.origin, remedy="name another folder")
            _clear(self._folder)

    def _path(self, descriptor: Descriptor) -> Path:
        return self._folder / "blobs" / descriptor.digest.algorithm / descriptor.digest.hex

    def recall(self, descriptor: Descriptor) -> Iterator[bytes] | None:
        """The blob, if it is here whole."""
        path = self._path(descriptor)
        with writing(str(path)):
            return iter((path.read_bytes(),)) if _holds(path, descriptor) else None

    def put_blob(self, descriptor: Descriptor, read: Callable[[], Iterator[bytes]]) -> bool:
        """Writes a blob beside its place, and moves it there when `read` has come to its end."""
        target = self._path(descriptor)
        with writing(str(target)):
            self.placed.add(target)
            if _holds(target, descriptor):
                return False
            target.parent.mkdir(parents=True, exist_ok=True)
            _write(target, read())
        return True

    def put_manifest(self, descriptor: Descriptor, raw: bytes) -> None:
        """Writes a manifest as a blob, which it is in a layout."""
        self.put_blob(descriptor, lambda: iter((raw,)))

    def finish(self, root: Descriptor, raw: bytes, tag: str) -> None:
        """Lists the image in `index.json`, in place of what had its tag."""
        contents = self._folder / "index.json"
        with writing(str(contents)), self._alone():
            body: dict[str, object] = {"schemaVersion": 2, "mediaType": media.OCI_INDEX, "manifests": []}
            if contents.exists():
                held = Directory(self._folder).document(contents.name, self._limits)
                with naming(str(contents)):
                    body |= as_object(read_json(held, self._limits, str(contents)), "")
                    entries = as_list(body["manifests"], "/manifests")
                    body["manifests"] = [entry for entry in entries if not _replaced(entry, root, tag)]
            named = root.to_json()
            if tag:
                named["annotations"] = {**root.annotations, media.REF_NAME: tag}
            body["manifests"] = [*as_list(body["manifests"], "/manifests"), named]
            _write(contents, iter((json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(),)))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else exchanges `index.json` inside: what two copies list at once must both be there afterwards."""
        # The marker is never exchanged, so that it is one file for everybody.
        with (self._folder / LAYOUT_MARKER).open("rb") as marker:
            fcntl.flock(marker, fcntl.LOCK_EX)
            yield


def _replaced(entry: object, root: Descriptor, tag: str) -> bool:
    """Whether an entry of `index.json` gives way to `root` under `tag`."""
    if not isinstance(entry, dict):
        return False
    annotations = entry.get("annotations")
    named = annotations.get(media.REF_NAME, "") if isinstance(annotations, dict) else ""
    return bool(named == tag) and (bool(tag) or entry.get("digest") == str(root.digest))


def _holds(target: Path, descriptor: Descriptor) -> bool:
    """Whether the file `target` is what `descriptor` points at; one that is damaged is written anew."""
    if not target.is_file() or target.stat().st_size != descriptor.size:
        return False
    with target.open("rb") as file:
        return hashlib.file_digest(file, descriptor.digest.algorithm).hexdigest() == descriptor.digest.hex


def _write(target: Path, chunks: Iterator[bytes]) -> None:
    """Writes `target` beside its place, and moves it there when all of it is on disk."""
    handle, partial = _partial(target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
            os.chmod(partial, 0o644)
            os.replace(partial, target)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(partial)
        raise


def _partial(folder: Path) -> tuple[int, str]:
    """A new file in `folder`, locked for as long as somebody writes to it: see `_clear`."""
    while True:
        handle, path = tempfile.mkstemp(prefix=_PARTIAL, dir=folder)
        fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink:
            return handle, path
        os.close(handle)  # taken for one that was left behind, before it was locked


def _clear(folder: Path) -> None:
    """Removes files that writers left half written when they were killed. Those of others stay."""
    for path in (*folder.glob(f"{_PARTIAL}*"), *folder.glob(f"blobs/*/{_PARTIAL}*")):
        # A layout of somebody else may have links in it that lead to what is none of ours.
        if path.is_symlink() or not path.is_file() or path.parent.is_symlink() or (folder / "blobs").is_symlink():
            continue
        with suppress(PermissionError, FileNotFoundError, BlockingIOError), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()


@contextmanager
def writing(path: str) -> Iterator[None]:
    """Says which file it was, in our words, where the operating system refuses inside."""
    try:
        yield
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise Unavailable(f"cannot be written: {reason}", path=path) from error
