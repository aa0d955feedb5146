"""Files: recorded under the names they were given by, with the digests of their content.

Names are those of in-toto 3.1.0: normalised (`./a` is `a`, `p/../q` is `q`), `file:` kept where it was given,
backslashes written as slashes. Folders are recorded file by file. Mode, owner and empty folders are not recorded.
"""

from __future__ import annotations

from collections.abc import Iterable

from navicert.errors import Malformed
from navicert.model.artifact import Artifacts
from navicert.resolve.artifact import NameConflict, Notes, ResolveOptions, refuse_unwritable
from navicert.resolve.content import FileHasher
from navicert.resolve.exclude import Excludes
from navicert.resolve.pattern import expand, is_pattern
from navicert.resolve.tree import FILE, FOLDER, Tree, normal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

SCHEME: Final = "file:"


class FileResolver:
    """Records files named by path, folder or pattern. One resolver serves all names of one list of artifacts."""

    def __init__(self, options: ResolveOptions, notes: Notes) -> None:
        self._options = options
        self._notes = notes
        self._excluded = Excludes(options.excludes)
        self._tree = Tree(options.root, self._excluded, options.limits, follow=options.follow_symlink_dirs)
        self._hash = FileHasher(options)
        self._sources: dict[str, str] = {}
        self._renamed = False

    def add(self, spec: str) -> int:
        """Find every file that `spec` names; how many of them are new. Raises `Malformed`, `NameConflict`,
        `Unavailable`."""
        prefix = SCHEME if spec.startswith(SCHEME) else ""
        given = normal(spec.removeprefix(SCHEME))
        paths: list[str] = []
        for name in self._names(given):
            self._find(name, paths)
        if not paths:
            self._nothing(spec, given)
        return self._take(paths, prefix)

    def add_below(self, folder: str) -> int:
        """Find every file below `folder`, of which there may be none; how many of them are new."""
        paths: list[str] = []
        for _, files in self._tree.walk(folder, self._notes):
            paths += files
        return self._take(paths, "")

    def hashed(self, *, ordered: bool = False) -> Artifacts:
        """Every file that was found, in the order in which they were, or `ordered` by name. Each is hashed once,
        whatever it is recorded as. Raises `Unavailable`."""
        names = sorted(self._sources) if ordered else list(self._sources)
        sources = list(map(self._sources.__getitem__, names)) if self._renamed else names
        files = list(dict.fromkeys(sources)) if self._renamed else sources
        entries = self._hash.many(self._tree.paths(files), files)
        if len(files) < len(sources):
            of_file = dict(zip(files, entries, strict=True))
            entries = [of_file[file] for file in sources]
        return Artifacts(dict(zip(names, entries, strict=True)), plain=self._hash.plain)

    def _take(self, paths: list[str], prefix: str) -> int:
        sources = self._sources
        before = len(sources)
        text = "\n".join(paths)
        if prefix or self._options.lstrip_paths or "\\" in text or not text.isascii():
            names = [self._recorded_name(path, prefix) for path in paths]
            self._renamed = True
        else:
            names = paths
        if not sources:
            sources.update(zip(names, paths, strict=True))
            if len(sources) == len(names):
                return len(names)  # what nearly always is so: each has a name of its own
            sources.clear()
        for name, path in zip(names, paths, strict=True):
            source = sources.setdefault(name, path)
            if source != path:
                # Upstream lets the later one win, so one of two files could be hidden behind the other.
                raise NameConflict(f"two files would be recorded as {name!r}", got=f"{source!r} and {path!r}")
        return len(sources) - before

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

    def _find(self, name: str, paths: list[str]) -> None:
        """Add the files that `name` leads to, itself or those in it, to `paths`."""
        kind = self._tree.kind(name)
        if kind == FILE:
            paths.append(name)
        elif kind == FOLDER:
            for _, files in self._tree.walk(name, self._notes):
                paths += files
        else:
            self._notes.add(kind, name)

    def _recorded_name(self, path: str, prefix: str) -> str:
        """The name that the file at `path` is recorded under."""
        name = refuse_unwritable(path)
        if "\\" in name:
            name = name.replace("\\", "/")
        for start in self._options.lstrip_paths:
            if name.startswith(start):
                name = name[len(start) :]
                break
        if not name:
            raise NameConflict("nothing is left of the name", path=path, remedy="strip a shorter prefix")
        return prefix + name

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
