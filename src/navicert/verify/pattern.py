"""Patterns of artifact rules, matched against many paths at once.

`*` matches any run of characters, `/` included; `?` one character; `[seq]` and `[!seq]` one of a class; nothing
escapes. Spec: in-toto v1.0 §4.3.3 as all implementations read it (Python's fnmatch, case-sensitive).
"""

from __future__ import annotations

from bisect import bisect_left

from navicert.model.artifact import Artifacts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Final

_WILD: Final = "*?["
_LAST: Final = "\U0010ffff"


class Pattern:
    """One pattern. What is literal at its beginning, or at its end after one `*`, is looked up; a regular expression
    is made only where paths are left to try it on."""

    __slots__ = ("_match", "_prefix", "_rest", "_suffix", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._match: Callable[[str], object] | None = None
        # None where more than one `*` is not literal.
        self._suffix: str | None = None
        if "?" not in text and "[" not in text:
            self._prefix, star, suffix = text.partition("*")
            self._rest = star + suffix
            if star and "*" not in suffix:
                self._suffix = suffix
            return
        wild = min(place if place >= 0 else len(text) for place in map(text.find, _WILD))
        self._prefix, self._rest = text[:wild], text[wild:]
        if self._rest[0] == "*" and not any(character in self._rest[1:] for character in _WILD):
            self._suffix = self._rest[1:]

    def matches(self, path: str) -> bool:
        """Whether the whole of `path` matches."""
        if not self._rest:
            return path == self._prefix
        if not path.startswith(self._prefix):
            return False
        if self._suffix is not None:
            return path.endswith(self._suffix) and len(path) >= len(self._prefix) + len(self._suffix)
        return self._expression(path) is not None

    @property
    def _expression(self) -> Callable[[str], object]:
        if self._match is None:
            import re
            from fnmatch import translate

            self._match = re.compile(translate(self.text)).match
        return self._match

    def select(self, artifacts: Artifacts) -> Sequence[str]:
        """The matching ones among the paths of `artifacts`, in their order; only those with the literal beginning, or
        end, are tried."""
        if not self._rest:
            return (self._prefix,) if self._prefix in artifacts.entries else ()
        if not self._prefix:
            if self._suffix == "":
                return artifacts.ordered
            if self._suffix is not None:
                return sorted(path[::-1] for path in _beginning(artifacts.mirrored, self._suffix[::-1]))
        found = _beginning(artifacts.ordered, self._prefix)
        if self._suffix == "" or not found:
            return found
        match = self.matches if self._suffix is not None else self._expression
        return [path for path in found if match(path)]


def _beginning(ordered: Sequence[str], prefix: str) -> Sequence[str]:
    """Those of `ordered` that begin with `prefix`."""
    start = bisect_left(ordered, prefix)
    stop = bisect_left(ordered, prefix + _LAST, start)
    # A path may itself go on with the last code point.
    while stop < len(ordered) and ordered[stop].startswith(prefix):
        stop += 1
    return ordered[start:stop]
