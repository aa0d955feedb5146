"""Resolvers of `in_toto.resolver`: Navicert's, under the names and with the results of in-toto 3.1.0."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from itertools import combinations

from navicert.compat.program import ALONE
from navicert.compat.shim.in_toto.exceptions import PrefixError
from navicert.compat.shim.message import Log
from navicert.compat.shim.translation import translated
from navicert.errors import Malformed
from navicert.model.artifact import Artifacts
from navicert.resolve.artifact import NameConflict, Notes, ResolveOptions
from navicert.resolve.content import FileHasher
from navicert.resolve.dir import resolve_dir
from navicert.resolve.exclude import Excludes
from navicert.resolve.file import FileResolver as CoreFileResolver
from navicert.resolve.ostree import resolve_ostree
from navicert.resolve.pattern import is_pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Final

logger: Final = Log("in_toto.resolver._resolver")

Hashes = dict[str, dict[str, str]]
"""Name of an artifact → algorithm → digest in hex."""

RESOLVER_FOR_URI_SCHEME: dict[str, Resolver] = {}
"""Scheme → resolver. Scripts add their own."""


class Resolver(ABC):
    """Something that knows what is behind names of one scheme."""

    @classmethod
    def for_uri(cls, uri: str) -> Resolver:
        """The resolver for `uri`: by its scheme, if that has one, else the one for files. Raises `KeyError`."""
        scheme, colon, _ = uri.partition(":")
        return RESOLVER_FOR_URI_SCHEME[scheme if colon and scheme in RESOLVER_FOR_URI_SCHEME else FileResolver.SCHEME]

    @abstractmethod
    def hash_artifacts(self, uris: Iterable[str]) -> Hashes:
        """The digests of the artifacts that `uris` name."""


class FileResolver(Resolver):
    """Files, and folders file by file."""

    SCHEME: Final = "file"

    def __init__(
        self,
        exclude_patterns: Any = None,
        base_path: Any = None,
        follow_symlink_dirs: bool = False,
        normalize_line_endings: bool = False,
        lstrip_paths: Any = None,
    ) -> None:
        if base_path is not None and not isinstance(base_path, str):
            raise ValueError("'base_path' must be string")
        for name, value in (("exclude_patterns", exclude_patterns), ("lstrip_paths", lstrip_paths)):
            if value and not (isinstance(value, list) and all(isinstance(item, str) for item in value)):
                raise ValueError(f"'{name}' must be list of strings")
        try:
            self._options = _options(
                exclude_patterns, base_path, follow_symlink_dirs, normalize_line_endings, lstrip_paths
            )
        except NameConflict as error:
            pairs = combinations(lstrip_paths or (), 2)
            one, other = next((a, b) for a, b in pairs if a.startswith(b) or b.startswith(a))
            raise PrefixError(f"'{one}' and '{other}' triggered a left substring error") from error
        with translated(ValueError):
            self._excluded = Excludes(self._options.excludes)

    def _exclude(self, path: str) -> bool:
        return self._excluded(path)

    def _hash(self, path: str) -> dict[str, str]:
        with translated():
            return FileHasher(self._options)(path, path).to_json()

    def hash_artifacts(self, uris: Iterable[str]) -> Hashes:
        """The digests of the files that `uris` name. A name that leads nowhere has none."""
        return self.artifacts(uris).to_json()

    def artifacts(self, uris: Iterable[str]) -> Artifacts:
        """As `hash_artifacts`, in the form that the core keeps."""
        base = self._options.base_path
        if base:
            # What is not there, or no folder, is said by whom is asked to go there.
            os.scandir(base).close()
        files = CoreFileResolver(self._options, Notes())
        with translated():
            for uri in uris:
                try:
                    count = files.add(uri)
                except NameConflict as error:
                    raise PrefixError(f"Prefix selection has resulted in non unique dictionary key: {error}") from error
                path = uri.removeprefix("file:")
                if not count and not os.path.lexists(os.path.join(base, path)) and not is_pattern(path):
                    logger.info("path: %s does not exist, skipping..", os.path.normpath(path))
            # In the order of `os.walk`, as upstream's: scripts see it, and so does who reads why a rule failed.
            return files.hashed()


class OSTreeResolver(Resolver):
    """Commits of an OSTree repository."""

    SCHEME: Final = "ostree"

    def __init__(self, base_path: str | None = None) -> None:
        self._options = _options(None, base_path)

    def hash_artifacts(self, uris: Iterable[str]) -> Hashes:
        """The digest of the commit object behind each reference. Raises `OSError`, `ValueError`."""
        found: Hashes = {}
        with translated(ValueError):
            for uri in uris:
                found |= {name: digests.to_json() for name, digests in resolve_ostree(uri, self._options).items()}
        return found


class DirectoryResolver(Resolver):
    """Folders, each as one artifact."""

    SCHEME: Final = "dir"

    def __init__(
        self,
        exclude_patterns: list[str] | None = None,
        follow_symlink_dirs: bool = False,
        normalize_line_endings: bool = False,
        lstrip_paths: list[str] | None = None,
    ) -> None:
        with translated(ValueError):
            self._options = _options(exclude_patterns, None, follow_symlink_dirs, normalize_line_endings, lstrip_paths)

    def hash_artifacts(self, uris: Iterable[str]) -> Hashes:
        """The digest of the listing of each folder. Raises `ValueError`, `PrefixError`."""
        found: Hashes = {}
        for uri in uris:
            path = uri.removeprefix("dir:")
            if not os.path.isdir(path):
                raise ValueError(f"path '{path}' is not a directory")
            with translated(ValueError):
                one = resolve_dir(f"dir:{path}", self._options, Notes())
            for name, digests in one.items():
                if name in found and self._options.lstrip_paths:
                    raise PrefixError(f"Prefix selection has resulted in non unique dictionary key '{name}'")
                found[name] = digests.to_json()
        return found


def _options(
    exclude_patterns: list[str] | None,
    base_path: str | None,
    follow_symlink_dirs: bool = False,
    normalize_line_endings: bool = False,
    lstrip_paths: list[str] | None = None,
) -> ResolveOptions:
    return ResolveOptions(
        base_path=base_path or "",
        excludes=tuple(exclude_patterns or ()),
        lstrip_paths=tuple(lstrip_paths or ()),
        follow_symlink_dirs=follow_symlink_dirs,
        normalize_line_endings=normalize_line_endings,
        fork=ALONE.get(),
    )


def _hash_file(path: str, algo: str, normalize_line_endings: bool) -> str:
    """The digest of one file, in hex."""
    with translated(ValueError):
        options = ResolveOptions(algorithms=(algo,), normalize_line_endings=normalize_line_endings)
        digests: Any = FileHasher(options)(path, path).to_json()
    return str(digests[algo])


def record(
    uris: Iterable[str],
    exclude_patterns: list[str] | None,
    base_path: str | None,
    follow_symlink_dirs: bool,
    normalize_line_endings: bool,
    lstrip_paths: list[str] | None,
) -> Artifacts | Hashes:
    """The digests of all artifacts that `uris` name, each by the resolver for its scheme; in the form that the core
    keeps where all of them are files."""
    resolvers: dict[str, Resolver] = {
        FileResolver.SCHEME: FileResolver(
            exclude_patterns, base_path, follow_symlink_dirs, normalize_line_endings, lstrip_paths
        ),
        OSTreeResolver.SCHEME: OSTreeResolver(base_path),
        DirectoryResolver.SCHEME: DirectoryResolver(
            exclude_patterns, follow_symlink_dirs, normalize_line_endings, lstrip_paths
        ),
    }
    RESOLVER_FOR_URI_SCHEME.update(resolvers)
    try:
        by_resolver: dict[Resolver, list[str]] = {}
        for uri in uris:
            by_resolver.setdefault(Resolver.for_uri(uri), []).append(uri)
        found: Hashes = {}
        for resolver, names in by_resolver.items():
            if len(by_resolver) == 1 and type(resolver) is FileResolver:
                return resolver.artifacts(names)
            found |= resolver.hash_artifacts(names)
        return found
    except Malformed as error:
        raise ValueError(str(error)) from error
    finally:
        RESOLVER_FOR_URI_SCHEME.clear()
