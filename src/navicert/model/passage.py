"""Lists of artifacts as they stand in texts, and what was read before: of a text that is known nothing is read again.

The materials of a step are mostly the products of another, letter for letter, and most of its products are its
materials. So a list that has been read is kept for a while with its text. Where the same text comes again, so does the
list; where only a part differs, only that part is read. What a list says follows from its text alone, so it does not
matter whose document it was read from first.
"""

from __future__ import annotations

from itertools import islice
from operator import lt

from navicert.dataclass import dataclass
from navicert.limits import Limits
from navicert.model.artifact import Artifacts, Entry, are_sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from navicert.model.section import Form

_AFTER, _BETWEEN = b"\0", b"\1"
"""Marks that separators are replaced by: characters that stand in no JSON text."""

_VISIBLE: Final = bytes(range(0x20, 0x100))

_KEPT: Final = 4
"""Passages that are remembered: of a chain in its order the last would do."""

_FEWEST: Final = 2
"""So many are remembered however large they are: both lists of a link."""

_KEPT_BYTES: Final = 64 * 1024 * 1024
"""How much the texts of more than these may come to."""

_SAMPLES: Final = 16
"""About so many artifacts tell most lists of one length apart."""

_ALIKE: Final = 4
"""Lists that are alike in these which are compared with."""

_GRAIN: Final = 64
"""Two texts are compared in pieces of at least so many bytes."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A list of artifacts, and its text in `form` from the first path to the last digest. `canonical` is that text in
    canonical JSON; None where the list is not in order, or nobody signs in that form what is written in this one."""

    form: Form
    text: bytes
    artifacts: Artifacts
    canonical: bytes | None

    def changed(self, text: bytes, limits: Limits) -> Passage | None:
        """The passage with `text`, of which only what differs from this one is read. None where that would save
        little, or `text` is no list in order.

        Both texts are cut behind a separator. This one was read, so no separator stands within one of its strings: what
        lies before the first cut and behind the second are whole artifacts, in both alike. What lies between is read.
        """
        known = self.artifacts.in_order
        if known is None:
            return None
        following = self.form.following.encode()
        before = self.text.rfind(following, 0, _common_beginning(self.text, text))
        begin = 0 if before < 0 else before + len(following)
        same = _common_end(self.text, text, min(len(self.text), len(text)) - begin)
        after = self.text.find(following, len(self.text) - same)
        kept = 0 if after < 0 else len(self.text) - after - len(following)
        if (begin + kept) * 2 < len(text):
            return None
        middle = text[begin : len(text) - kept - len(following)] if kept else text[begin:]
        parts = split(middle, self.form, limits)
        if parts is None:
            return None
        paths, digits = parts
        first = self.artifacts.place(_path_at(self.text, begin))
        last = self.artifacts.place(_path_at(self.text, len(self.text) - kept)) if kept else len(known)
        if first + len(paths) + len(known) - last > limits.artifacts or not (
            # Then no path stands in it twice.
            is_ascending([*known[max(first - 1, 0) : first], *paths, *known[last : last + 1]])
        ):
            return None
        return Passage(
            self.form,
            text,
            self.artifacts.patched(first, last, paths, digits),
            self._canonical(begin, first, middle, kept, len(known) - last),
        )

    def _canonical(self, begin: int, before: int, middle: bytes, kept: int, behind: int) -> bytes | None:
        """The canonical form of `middle` with what this passage has before it and behind it: as many bytes and
        artifacts."""
        compact = self.form.compact
        if self.canonical is None or compact is None:
            return None
        following = len(self.form.following) - len(compact.following)
        each = len(self.form.pair) - len(compact.pair) + following
        mine = memoryview(self.canonical)
        pieces: list[bytes | memoryview] = [mine[: begin - before * each], self.form.compacted(middle)]
        if kept:
            pieces += (compact.following.encode(), mine[len(mine) - (kept - behind * each + following) :])
        return b"".join(pieces)


class Pool:
    """Lists that were seen, so that an equal one need not be kept, nor read, nor looked at, again: the materials of a
    step are mostly the products of another."""

    def __init__(self) -> None:
        self._seen: dict[tuple[object, ...], list[Artifacts]] = {}
        self._passages: list[Passage] = []  # the one that was met last comes last

    def share(self, artifacts: Artifacts) -> Artifacts:
        """The list seen before that equals `artifacts`, or itself."""
        paths = artifacts.ordered
        some = paths[:: len(paths) // _SAMPLES + 1]
        known = self._seen.setdefault((len(paths), *some, *map(artifacts.entries.__getitem__, some)), [])
        for one in known:
            if one == artifacts:
                return one
        if len(known) < _ALIKE:
            known.append(artifacts)
        return artifacts

    def find(self, text: bytes, start: int, form: Form) -> Passage | None:
        """The passage that stands in `text`, in `form`, from `start` on with the end of its list behind it."""
        end = form.end.encode()
        for passage in reversed(self._passages):
            if text.startswith(passage.text, start) and text.startswith(end, start + len(passage.text)):
                self._meet(passage)
                return passage
        return None

    def read(self, text: bytes, form: Form, limits: Limits) -> Passage | None:
        """The passage with `text` in `form`, not one that is known; None for what has to be read in another way."""
        passage = None
        if self._passages and self._passages[-1].form is form:
            passage = self._passages[-1].changed(text, limits)
        passage = passage or _read(text, form, limits)
        if passage is not None:
            self._meet(passage)
        return passage

    def canonical(self, artifacts: Artifacts) -> bytes | None:
        """The text of the list `artifacts` in canonical JSON, where it is known."""
        for passage in self._passages:
            if passage.artifacts is artifacts:
                return passage.canonical
        return None

    def _meet(self, passage: Passage) -> None:
        self._passages = [one for one in self._passages if one is not passage][1 - _KEPT :]
        self._passages.append(passage)
        while len(self._passages) > _FEWEST and sum(len(one.text) for one in self._passages) > _KEPT_BYTES:
            del self._passages[0]


def _read(text: bytes, form: Form, limits: Limits) -> Passage | None:
    parts = split(text, form, limits)
    if parts is None:
        return None
    paths, digits = parts
    ascending = is_ascending(paths)
    entries: dict[str, Entry] = dict(zip(paths, digits, strict=True))
    if not ascending and len(entries) != len(paths):
        return None  # a path that stands twice is refused
    artifacts = Artifacts(entries, plain=True, in_order=paths if ascending else None)
    return Passage(form, text, artifacts, form.compacted(text) if ascending and form.compact is not None else None)


def split(text: bytes, form: Form, limits: Limits) -> tuple[list[str], list[str]] | None:
    """The paths of the list with `text` in `form`, and the SHA-256 digest of each; None for whatever is not just that.
    A path may still stand there twice."""
    if _AFTER in text or _BETWEEN in text:
        return None
    marked = text.replace(form.following.encode(), _AFTER).replace(form.pair.encode(), _BETWEEN)
    if b'"' in marked or b"\\" in marked:
        return None
    # What is left of the control characters are the marks, which must take turns, and nothing else.
    marks = marked.translate(None, _VISIBLE)
    count = (len(marks) + 1) // 2
    if marks != (_BETWEEN + _AFTER) * (count - 1) + _BETWEEN or count > limits.artifacts:
        return None
    try:
        parts = marked.replace(_AFTER, _BETWEEN).decode("utf-8").split(_BETWEEN.decode())
    except UnicodeDecodeError:
        return None
    digits = parts[1::2]
    return (parts[::2], digits) if are_sha256(digits) else None


def is_ascending(paths: list[str]) -> bool:
    """Whether each of `paths` comes behind the one before it: then no two are the same."""
    return all(map(lt, paths, islice(paths, 1, None)))


def _path_at(text: bytes, start: int) -> str:
    return text[start : text.index(b'"', start)].decode()


def _common_beginning(one: bytes, other: bytes) -> int:
    """How many bytes both begin with, or a few less."""
    most = min(len(one), len(other))
    same, step = 0, _GRAIN
    while step >= _GRAIN:
        if same + step <= most and other.startswith(one[same : same + step], same):
            same += step
            step *= 2
        else:
            step //= 2
    return same


def _common_end(one: bytes, other: bytes, most: int) -> int:
    """How many bytes, of `most`, both end with, or a few less."""
    same, step = 0, _GRAIN
    while step >= _GRAIN:
        end = len(one) - same
        if same + step <= most and other.endswith(one[end - step : end], 0, len(other) - same):
            same += step
            step *= 2
        else:
            step //= 2
    return same
