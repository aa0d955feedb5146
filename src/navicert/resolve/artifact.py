"""What resolving takes and what it yields: options in, artifacts and warnings out."""

from __future__ import annotations

import os

from navicert.dataclass import dataclass, field
from navicert.digest import RECORDABLE
from navicert.errors import Malformed
from navicert.interface import Callable, Iterable
from navicert.limits import LOCAL, Limits
from navicert.model.artifact import Artifacts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from navicert.resolve.stamp import Memo

DEFAULT_EXCLUDES: Final = ("*.link*", ".git", "*.pyc", "*~")
"""What is left out unless the caller says otherwise: evidence, version control, byte code and editor copies."""

Progress = Callable[[int, int], None]
"""Called now and then while files are hashed, with the files and bytes done so far; with zeros when it is over."""


class NameConflict(Malformed):
    """Two files would be recorded under one name, or one prefix to strip begins with another."""


@dataclass(frozen=True, slots=True)
class ResolveOptions:
    """How names become artifacts. Nothing else, no file and no environment variable, has an influence on it."""

    cwd: str = ""
    """Folder that relative names start at; empty for that of the process."""
    base_path: str = ""
    """Folder, relative to `cwd`, that files and patterns are looked up in; recorded names do not contain it."""
    excludes: tuple[str, ...] = DEFAULT_EXCLUDES
    """Patterns in the language of .gitignore, for names relative to the base path; folders that match are not read."""
    algorithms: tuple[str, ...] = ("sha256",)
    """Names out of `navicert.digest.RECORDABLE`."""
    lstrip_paths: tuple[str, ...] = ()
    """Prefixes, as text; the first that a name begins with is cut off it."""
    follow_symlink_dirs: bool = True
    """Whether folders behind symbolic links are read. Links to files always are."""
    normalize_line_endings: bool = False
    """Whether CRLF and CR are hashed as LF."""
    expand: bool = True
    """Whether a name that is no existing path is a pattern (`*`, `?`, `[…]`, `**`)."""
    strict: bool = False
    """Whether a name that records nothing is an error, not a warning."""
    ca_file: str = ""
    """Certificate authorities in PEM that registries are trusted by, beside the system's."""
    insecure: bool = False
    """Whether a registry on this machine may be asked without TLS."""
    limits: Limits = LOCAL
    progress: Progress | None = field(default=None, compare=False)
    workers: int = field(default=0, compare=False)
    """How many workers hash what is much to hash; 0 for one on each processor. The result is the same."""
    fork: bool = field(default=False, compare=False)
    """Whether workers for many small files may be processes: where nothing else goes on in this one. For larger files
    they are threads."""
    memo: Memo | None = field(default=None, compare=False)
    """What knows the files that have not been touched since they were hashed, so that they are not hashed again."""

    def __post_init__(self) -> None:
        if not self.algorithms:
            raise Malformed("no hash algorithm", expected="one or more of " + ", ".join(RECORDABLE))
        for name in self.algorithms:
            if name not in RECORDABLE:
                raise Malformed("unknown hash algorithm", expected="one of " + ", ".join(RECORDABLE), got=repr(name))
        for i, one in enumerate(self.lstrip_paths):
            for other in self.lstrip_paths[i + 1 :]:
                if one.startswith(other) or other.startswith(one):
                    raise NameConflict(f"prefixes to strip overlap: {one!r} and {other!r}", remedy="give one of them")

    @property
    def root(self) -> str:
        """The folder that files are looked up in; empty for the current directory of the process."""
        return os.path.join(self.cwd, self.base_path) if self.base_path else self.cwd


@dataclass(frozen=True, slots=True)
class Resolved:
    """Artifacts by name, in the order of their names, and what a person should know about how they were found."""

    artifacts: Artifacts
    warnings: tuple[str, ...] = ()


class Notes:
    """Collects warnings: many of one kind become one line that names some of them."""

    def __init__(self, most: int = LOCAL.report_items) -> None:
        self._most = most
        self._kinds: dict[str, set[str]] = {}

    def add(self, kind: str, name: str) -> None:
        """Note that `kind` (such as "special files skipped") is true of `name`."""
        self._kinds.setdefault(kind, set()).add(name)

    def lines(self) -> tuple[str, ...]:
        """One line for each kind, in the order in which the kinds came up."""
        result = []
        for kind, names in self._kinds.items():
            shown = ", ".join(sorted(names)[: self._most])
            more = f" and {len(names) - self._most} more" if len(names) > self._most else ""
            result.append(f"{kind}: {shown}{more}")
        return tuple(result)


def refuse_unwritable(name: str) -> str:
    """`name`, unless it cannot be written in a document: then `Malformed`."""
    if not name.isascii():
        try:
            name.encode("utf-8")
        except UnicodeEncodeError as error:
            raise Malformed(
                "file name is not UTF-8, so it cannot be recorded", path=name, remedy="rename the file or exclude it"
            ) from error
    return name


def twins(names: Iterable[str]) -> list[str]:
    """Those of `names` that another one differs from only by letter case or by Unicode composition.

    They are one file on some file systems and two on others, so evidence about them is easily confused.
    """
    names = list(names)
    text = "\n".join(names)
    lower = text.lower()
    if text.isascii() and (
        lower == text or (text.count("\n") < len(names) and len(set(lower.split("\n"))) == len(names))
    ):
        return []  # what nearly all names are like, in a few calls
    from unicodedata import normalize

    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(normalize("NFC", normalize("NFC", name).casefold()), []).append(name)
    return [name for group in groups.values() if len(group) > 1 for name in group]
