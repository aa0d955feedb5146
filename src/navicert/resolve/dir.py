"""`dir:PATH`: a whole folder as one artifact.

Its sha256 is over the listing of the folder's files, sorted by the bytes of their names, one line each:
the file's sha256 in hex, two spaces, its name relative to the folder, a line feed. An empty folder has an empty
listing. Excludes apply inside the folder. Other algorithms are over the same listing.
"""

from __future__ import annotations

import hashlib
import os

from navicert.dataclass import replace
from navicert.digest import DigestSet
from navicert.errors import Malformed
from navicert.resolve.artifact import Notes, ResolveOptions, refuse_unwritable
from navicert.resolve.file import FileResolver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

SCHEME: Final = "dir:"


def resolve_dir(spec: str, options: ResolveOptions, notes: Notes) -> dict[str, DigestSet]:
    """The one artifact that `spec` names. Raises `Malformed` where it is no folder, or where a name in it has a line
    feed: one such name could look like two lines of the listing."""
    path = refuse_unwritable(spec.removeprefix(SCHEME))
    folder = os.path.join(options.cwd, path) if options.cwd else path
    if not path or "\0" in path or not os.path.isdir(folder):
        raise Malformed("not a folder", path=spec, remedy="dir: records a folder as one artifact")
    inside = replace(options, cwd=folder, base_path="", lstrip_paths=(), algorithms=("sha256",))
    files = FileResolver(inside, notes)
    files.add_below(".")
    listing = "".join(f"{digits}  {_line(name, spec)}\n" for name, digits in sorted(files.hashed().entries.items()))
    data = listing.encode()
    digests = DigestSet.of({name: hashlib.new(name, data).hexdigest() for name in options.algorithms})
    return {SCHEME + _stripped(path.replace("\\", "/"), options): digests}


def _line(name: str, spec: str) -> str:
    if "\n" in name:
        raise Malformed("a file name with a line feed cannot be listed", path=spec, got=repr(name))
    return name


def _stripped(path: str, options: ResolveOptions) -> str:
    for start in options.lstrip_paths:
        if path.startswith(start):
            return path[len(start) :]
    return path
