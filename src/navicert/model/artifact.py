"""The artifacts of one list of a link: path → digests, kept small.

Nearly every artifact of the field has one SHA-256 digest. Of such an artifact only the hex digits are kept, as text,
and comparing two of them is one comparison of strings; any other set of digests is kept as it is.

Spec: in-toto v1.0 §4.4 (materials and products).
"""

from __future__ import annotations

from collections.abc import Collection, ItemsView, Iterator, KeysView, Mapping
from operator import itemgetter

from navicert.dataclass import dataclass
from navicert.digest import STRONG, DigestSet
from navicert.errors import LimitExceeded
from navicert.limits import LOCAL, Limits
from navicert.model.field import as_object
from navicert.strictjson import pointer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

Entry = str | DigestSet
"""The digests of one artifact: the hex digits of a lone SHA-256 digest in lower case, or the set."""

_LENGTH: Final = STRONG["sha256"]
_DIGITS: Final = b"0123456789abcdef"
_sha256_of: Final = itemgetter("sha256")


@dataclass(frozen=True, slots=True)
class Names:
    """What the paths of a list may be, found by looking at all of them together: only where something may be so, is it
    worth to look at them one by one."""

    irregular: bool
    """Some may be not in normal form."""
    alike: bool
    """Some may differ by letter case or composition only."""
    outside: bool
    """Some may lead out of the folder."""


_IRREGULAR: Final = ("//", "/.", "/\n", "\n.", "\n\n", "\nfile:")
"""In a text of one path a line: what every path that is not in normal form has, and some others."""


def _names(paths: Collection[str]) -> Names:
    lines = "\n".join(("", *paths, ""))
    if lines.count("\n") != len(paths) + 1:
        return Names(True, True, True)  # a path of several lines
    lower = lines.lower()
    alike = not lines.isascii() or (lower != lines and len(set(lower.split("\n"))) != len(paths) + 1)
    return Names(any(sign in lines for sign in _IRREGULAR), alike, "\n../" in lines or "\n/" in lines)


class Artifacts(Mapping[str, DigestSet]):
    """Artifact path → digests, in the order of the document. Never changed once made.

    `entries` holds them in their small form, for code that walks many; `plain` says that all of them are text, so that
    equality decides.
    """

    __slots__ = ("_mirrored", "_names", "_ordered", "entries", "plain")

    def __init__(self, entries: dict[str, Entry], *, plain: bool) -> None:
        self.entries = entries
        self.plain = plain
        self._ordered: list[str] | None = None
        self._mirrored: list[str] | None = None
        self._names: Names | None = None

    @staticmethod
    def of(artifacts: Mapping[str, DigestSet]) -> Artifacts:
        """The artifacts of a mapping."""
        if isinstance(artifacts, Artifacts):
            return artifacts
        entries = {path: small(digests) for path, digests in artifacts.items()}
        return Artifacts(entries, plain=all(type(entry) is str for entry in entries.values()))

    @staticmethod
    def from_json(value: object, where: str, limits: Limits = LOCAL) -> Artifacts:
        """The artifacts of a JSON object at the JSON pointer `where`, or what `model.section` made of it. Raises
        `Malformed` and `LimitExceeded`."""
        if isinstance(value, Artifacts):
            return value
        document = as_object(value, where)
        if len(document) > limits.artifacts:
            raise LimitExceeded(
                "too many artifacts (limit artifacts)",
                pointer=where,
                expected=f"at most {limits.artifacts}",
                got=str(len(document)),
            )
        digits = _lone_sha256(document)
        if digits is not None:
            return Artifacts(dict(zip(document, digits, strict=True)), plain=True)
        read = DigestSet.from_json
        return Artifacts.of({path: read(digests, pointer(where, path)) for path, digests in document.items()})

    def to_json(self) -> dict[str, dict[str, str]]:
        """The JSON object of these artifacts."""
        if self.plain:
            return {path: {"sha256": digits} for path, digits in self.entries.items()}  # type: ignore[dict-item]
        return {path: digests.to_json() for path, digests in self.items()}

    @property
    def ordered(self) -> list[str]:
        """The paths in their order; to be read only."""
        if self._ordered is None:
            self._ordered = sorted(self.entries)
        return self._ordered

    @property
    def mirrored(self) -> list[str]:
        """The paths written backwards, in their order: who looks for an end finds it there; to be read only."""
        if self._mirrored is None:
            self._mirrored = sorted(path[::-1] for path in self.entries)
        return self._mirrored

    @property
    def names(self) -> Names:
        """What the paths may be."""
        if self._names is None:
            self._names = _names(self.entries)
        return self._names

    def __getitem__(self, path: str) -> DigestSet:
        return full(self.entries[path])

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __contains__(self, path: object) -> bool:
        return path in self.entries

    def keys(self) -> KeysView[str]:
        """The paths."""
        return self.entries.keys()

    def items(self) -> ItemsView[str, DigestSet]:
        """Path and digests of each."""
        return {path: full(entry) for path, entry in self.entries.items()}.items()

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Artifacts):
            return self.entries == other.entries
        return super().__eq__(other)

    __hash__ = None  # type: ignore[assignment]  # a mapping

    def __repr__(self) -> str:
        return f"Artifacts({dict(self.items())!r})"


class Pool:
    """Lists that were seen, so that an equal one need not be kept, nor looked at, again: the materials of a step are
    mostly the products of another."""

    def __init__(self) -> None:
        self._seen: dict[tuple[object, ...], list[Artifacts]] = {}

    def share(self, artifacts: Artifacts) -> Artifacts:
        """The list seen before that equals `artifacts`, or itself."""
        known = self._seen.setdefault((len(artifacts), *next(iter(artifacts.entries.items()), ())), [])
        for one in known:
            if one == artifacts:
                return one
        if len(known) < _ALIKE:
            known.append(artifacts)
        return artifacts


_ALIKE: Final = 4
"""Lists of one length and beginning that are compared with."""


def small(digests: DigestSet) -> Entry:
    """`digests` in the form that is kept."""
    if len(digests) == 1:
        ((algorithm, digits),) = digests
        if algorithm == "sha256" and len(digits) == _LENGTH and not digits.encode().translate(None, _DIGITS):
            return digits
    return digests


def full(entry: Entry) -> DigestSet:
    """The digests that `entry` stands for."""
    return DigestSet((("sha256", entry),)) if type(entry) is str else entry  # type: ignore[return-value]


def _lone_sha256(document: dict[str, object]) -> list[str] | None:
    """The hex digits of every artifact, where each has one SHA-256 digest in lower case and nothing else."""
    try:
        digits: list[str] = list(map(_sha256_of, document.values()))  # type: ignore[arg-type]
        if sum(map(len, document.values())) != len(document):  # type: ignore[arg-type]
            return None
        return digits if are_sha256(digits) else None
    except (TypeError, KeyError, IndexError):
        return None  # not objects, without SHA-256, or not text: the slow way says which


def are_sha256(digits: Collection[str]) -> bool:
    """Whether all of `digits` are SHA-256 digests in lower-case hex."""
    text = "".join(digits)
    return text.isascii() and not text.encode().translate(None, _DIGITS) and set(map(len, digits)) <= {_LENGTH}
