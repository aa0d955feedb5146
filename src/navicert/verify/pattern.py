"""Patterns of artifact rules, matched against many paths at once.

`*` matches any run of characters, `/` included; `?` one character; `[seq]` and `[!seq]` one of a class; nothing
escapes. Spec: in-toto v1.0 §4.3.3 as all implementations read it (Python's fnmatch, case-sensitive).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from fnmatch import translate
from typing import Final

_WILD: Final = re.compile(r"[*?\[]")
_LAST: Final = "\U0010ffff"


class Pattern:
    """One pattern, compiled."""

    __slots__ = ("_match", "_prefix", "_rest", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        wild = _WILD.search(text)
        self._prefix = text if wild is None else text[: wild.start()]
        self._rest = "" if wild is None else text[wild.start() :]
        self._match = re.compile(translate(text)).match if self._rest not in ("", "*") else None

    def matches(self, path: str) -> bool:
        """Whether the whole of `path` matches."""
        if self._match is not None:
            return self._match(path) is not None
        return path.startswith(self._prefix) if self._rest else path == self._prefix

    def select(self, paths: Sequence[str]) -> Iterable[str]:
        """The matching ones among `paths`, which must be sorted; only those with the literal beginning are tried."""
        start = bisect_left(paths, self._prefix)
        if not self._rest:
            return paths[start : start + 1] if paths[start : start + 1] == [self._prefix] else ()
        stop = bisect_left(paths, self._prefix + _LAST, start)
        # A path may itself go on with the last code point.
        while stop < len(paths) and paths[stop].startswith(self._prefix):
            stop += 1
        found = paths[start:stop]
        return found if self._match is None else [path for path in found if self._match(path)]
