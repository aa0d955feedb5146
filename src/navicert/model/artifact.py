"""The artifacts of one list of a link: path → digests, kept small.

Nearly every artifact of the field has one SHA-256 digest. Of such an artifact only the hex digits are kept, as text,
and comparing two of them is one comparison of strings; any other set of digests is kept as it is.

Spec: in-toto v1.0 §4.4 (materials and products).
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import filterfalse
from operator import itemgetter

from navicert.dataclass import dataclass
from navicert.digest import STRONG, DigestSet
from navicert.errors import LimitExceeded
from navicert.interface import Collection, ItemsView, Iterable, Iterator, KeysView, Mapping
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
    raised: frozenset[str] = frozenset()
    """Those with capitals, and maybe some more, in small letters; as long as none are alike."""


_ANYTHING: Final = Names(True, True, True)


_IRREGULAR: Final = ("//", "/.", "/\n")
"""What a path has that is not in normal form, in a text of one path a line; and what some others have."""

_IRREGULAR_BEGINNINGS: Final = (".", "file:")
"""What such a path may begin with, if it is not empty."""


def _names(artifacts: Artifacts) -> Names:
    """What the paths of a list may be."""
    lines = _lines(artifacts)
    if lines is None:
        return _ANYTHING
    irregular, outside = _signs(lines, artifacts.ordered)
    if not lines.isascii():
        return Names(irregular, True, outside)
    if lines == lines.lower():
        return Names(irregular, False, outside)
    # Of two paths that differ by letter case only one has a capital.
    others = list(filterfalse(str.islower, artifacts))  # with a capital, or without any letter
    lower = frozenset(map(str.lower, others))
    raised = lower.difference(others)
    alike = len(lower) != len(others) or not artifacts.entries.keys().isdisjoint(raised)
    return Names(irregular, alike, outside, raised)


def _more_names(before: Names, more: Collection[str], artifacts: Artifacts) -> Names:
    """What the paths of `artifacts` may be: `more`, and some that may be what `before` says."""
    lines = _lines(more)
    if lines is None:
        return _ANYTHING
    irregular, outside = _signs(lines, sorted(more))
    alike, raised = before.alike or not lines.isascii(), set[str]()
    for path in () if alike else more:
        low = path.lower()
        alike = alike or low in before.raised or low in raised or (low != path and low in artifacts.entries)
        if low != path:
            raised.add(low)
    return Names(before.irregular or irregular, alike, before.outside or outside, before.raised | raised)


def _lines(paths: Collection[str]) -> str | None:
    """`paths`, one a line; None where one has several."""
    lines = "\n".join(paths)
    return lines if lines.count("\n") == max(len(paths) - 1, 0) else None


def _signs(lines: str, ordered: list[str]) -> tuple[bool, bool]:
    """Whether there may be irregular paths in `lines`, which are also `ordered`, and some that lead out of the
    folder."""

    def begins(sign: str) -> bool:
        place = bisect_left(ordered, sign)
        return ordered[place : place + 1] != [] and ordered[place].startswith(sign)

    irregular = any(sign in lines for sign in _IRREGULAR) or any(map(begins, _IRREGULAR_BEGINNINGS))
    return irregular or lines.endswith("/") or ordered[:1] == [""], begins("../") or begins("/")


class Artifacts(Mapping[str, DigestSet]):
    """Artifact path → digests, in the order of the document. Never changed once made.

    `entries` holds them in their small form, for code that walks many; `plain` says that all of them are text, so that
    equality decides. `in_order` are the paths where they stand in the document in their order, as far as that is known:
    then `entries` need not be in it. To be read only.
    """

    __slots__ = ("_mirrored", "_names", "_ordered", "entries", "in_order", "plain")

    def __init__(self, entries: dict[str, Entry], *, plain: bool, in_order: list[str] | None = None) -> None:
        self.entries = entries
        self.plain = plain
        self.in_order = in_order
        self._ordered = in_order
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

    def patched(self, first: int, last: int, paths: list[str], digits: Iterable[str]) -> Artifacts:
        """These artifacts, which are in order, with others in the place of those from number `first` to before `last`:
        what both have in common they share. The others must stand there in order too, and have one SHA-256 digest."""
        known = self.in_order or []
        entries = self.entries.copy()
        for path in set(known[first:last]).difference(paths):
            del entries[path]
        entries.update(zip(paths, digits, strict=True))
        patched = Artifacts(entries, plain=self.plain, in_order=[*known[:first], *paths, *known[last:]])
        patched._names = _more_names(self.names, [path for path in paths if path not in self.entries], patched)
        return patched

    def to_json(self) -> dict[str, dict[str, str]]:
        """The JSON object of these artifacts."""
        if self.plain:
            return {path: {"sha256": self.entries[path]} for path in self}  # type: ignore[dict-item]
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
            self._names = _names(self)
        return self._names

    def __getitem__(self, path: str) -> DigestSet:
        return full(self.entries[path])

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries if self.in_order is None else self.in_order)

    def __len__(self) -> int:
        return len(self.entries)

    def __contains__(self, path: object) -> bool:
        return path in self.entries

    def place(self, path: str) -> int:
        """The number of `path` among the paths in their order, or of the first behind it."""
        return bisect_left(self.ordered, path)

    def keys(self) -> KeysView[str]:
        """The paths."""
        return self.entries.keys() if self.in_order is None else KeysView(self)

    def items(self) -> ItemsView[str, DigestSet]:
        """Path and digests of each."""
        return {path: full(self.entries[path]) for path in self}.items()

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Artifacts):
            # The lists of a chain are mostly shared; a dictionary compared with itself is walked all the same.
            return self.entries is other.entries or self.entries == other.entries
        return super().__eq__(other)

    __hash__ = None  # type: ignore[assignment]  # a mapping

    def __repr__(self) -> str:
        return f"Artifacts({dict(self.items())!r})"


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
