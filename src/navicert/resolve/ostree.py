"""`ostree:REF`: the commit that a reference of an OSTree repository points to.

Its sha256 is that of the commit object's file. The repository is the base path.
"""

from __future__ import annotations

import os
import re
from typing import Final

from navicert.digest import DigestSet
from navicert.errors import Malformed
from navicert.resolve.artifact import ResolveOptions, refuse_unwritable
from navicert.resolve.content import FileHasher

SCHEME: Final = "ostree:"
_COMMIT: Final = re.compile(r"[0-9a-f]{64}")
_MOST: Final = 4096
"""Bytes of a reference that are read: it holds 64 hex digits."""


def resolve_ostree(spec: str, options: ResolveOptions) -> dict[str, DigestSet]:
    """The one artifact that `spec` names. Raises `Malformed` for what is no reference, `Unavailable` where it or its
    commit cannot be read."""
    reference = refuse_unwritable(spec.removeprefix(SCHEME))
    if not reference or "\0" in reference or ".." in reference.split("/"):
        raise Malformed("not an OSTree reference", path=spec)
    path = os.path.join(options.root, "refs", "heads", reference)
    try:
        with open(path, encoding="ascii", errors="replace") as stream:
            commit = stream.read(_MOST).strip()
    except OSError as error:
        raise Malformed("no such OSTree reference", path=spec, got=path) from error
    if not _COMMIT.fullmatch(commit):
        raise Malformed("not an OSTree reference", path=spec, expected="64 hex digits", got=repr(commit[:80]))
    name = os.path.join("objects", commit[:2], f"{commit[2:]}.commit")
    hashed = FileHasher(options)(os.path.join(options.root, name), name)
    return {spec: hashed}
