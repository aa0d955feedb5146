"""Files: recorded under the names they were given by, with the digests of their content.

Names are those of in-toto 3.1.0: normalised (`./a` is `a`, `p/../q` is `q`), `file:` kept where it was given,
backslashes written as slashes. Folders are recorded file by file. Mode, owner and empty folders are not recorded.
"""

from __future__ import annotations

from navicert.errors import Malformed
from navicert.model.artifact import Artifacts
from navicert.model.passage import is_ascending
from navicert.resolve.artifact import NameConflict, Notes, ResolveOptions, refuse_unwritable
from navicert.resolve.content import FileHasher
from navicert.resolve.exclude import Excludes
from navicert.resolve.pattern import expand, is_pattern
from navicert.resolve.tree import FILE, FOLDER, Tree, normal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
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
        self._paths: list[str] = []
        self._sources: dict[str, str] = {}

    def add(self, spec: str) -> int:
        """Find every file that `spec` names, and return how many. Raises `Malformed`, `NameConflict`,
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
        """Find every file below `folder`, of which there may be none, and return how many."""
        paths: list[str] = []
        for _, files in self._tree.walk(folder, self._notes):
            paths += files
        return self._take(paths, "")

    def hashed(self, *, ordered: bool = False) -> Artifacts:
        """Every file that was found, in the order in which they were, or `ordered` by name. Each is hashed once,
        whatever it is recorded as. Raises `Unavailable`."""
        names = [*self._sources, *self._paths]
        if ordered:
            names.sort()
        if not (ordered and is_ascending(names)):
            names = list(dict.fromkeys(names))  # some may have been found twice
        sources = [self._sources.get(name, name) for name in names] if self._sources else names
        files = list(dict.fromkeys(sources)) if self._sources else names
        entries = self._hash.many(self._tree.paths(files), files)
        if len(files) < len(sources):
            of_file = dict(zip(files, entries, strict=True))
            entries = [of_file[file] for file in sources]
        return Artifacts(dict(zip(names, entries, strict=True)), plain=self._hash.plain)

    def _take(self, paths: list[str], prefix: str) -> int:
        text = "\n".join(paths)
        renamed = prefix or self._options.lstrip_paths or "\\" in text or not text.isascii()
        if not renamed and not self._sources:
            self._paths += paths  # what nearly always is so: each has a name of its own
            return len(paths)
        sources = self._sources
        for path in self._paths:
            sources.setdefault(path, path)
        self._paths.clear()
        for path in paths:
            name = self._recorded_name(path, prefix)
            source = sources.setdefault(name, path)
            if source != path:
                # Upstream lets the later one win, so one of two files could be hidden behind the other.
                raise NameConflict(f"two files would be recorded as {name!r}", got=f"{source!r} and {path!r}")
        return len(paths)

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
