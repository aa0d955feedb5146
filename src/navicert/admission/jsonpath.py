"""Paths into objects of custom kinds: `$.spec.steps[*].image`, a small and certain part of JSONPath.

A path walks down by names and over all elements of lists. There is no index, slice or filter: a path that looks at some
elements only would leave the others unseen.
Spec: RFC 9535 (names and wildcards only).
"""

from __future__ import annotations

import re
from typing import Final

from navicert.dataclass import dataclass
from navicert.errors import Malformed
from navicert.strictjson import pointer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_SEGMENT: Final = re.compile(r"\.([A-Za-z_][A-Za-z0-9_-]*)|\['([^'\\\]]{1,200})'\]|(\[\*\])")
_LONGEST: Final = 1_000


@dataclass(frozen=True, slots=True)
class Path:
    """A parsed path; a segment is a name, or None for every element of a list."""

    text: str
    segments: tuple[str | None, ...]

    @staticmethod
    def parse(text: str) -> Path:
        """The path that `text` spells. Raises `Malformed` for anything else than names and `[*]`."""
        segments: list[str | None] = []
        position = 1
        while text.startswith("$") and len(text) <= _LONGEST and position < len(text):
            match = _SEGMENT.match(text, position)
            if match is None:
                break
            segments.append(match[1] or match[2])
            position = match.end()
        if not segments or position != len(text):
            raise Malformed(
                "not a path into an object",
                expected="$ followed by .name, ['name'] and [*], such as $.spec.steps[*].image",
                got=ascii(text[:80]),
            )
        return Path(text, tuple(segments))

    def select(self, root: object) -> Iterator[tuple[str, object]]:
        """What the path leads to in `root`, each with its JSON pointer; names that are absent or null lead nowhere.
        Raises `Malformed` where the path meets something of another shape: what cannot be looked into is not empty."""
        found: list[tuple[str, object]] = [("", root)]
        for segment in self.segments:
            reached: list[tuple[str, object]] = []
            for where, node in found:
                if node is None:
                    continue
                if segment is None:
                    if not isinstance(node, list):
                        raise Malformed("not a list", pointer=where or "/", expected=f"a list, as {self.text} says")
                    reached += [(pointer(where, i), child) for i, child in enumerate(node)]
                    continue
                if not isinstance(node, dict):
                    raise Malformed("not an object", pointer=where or "/", expected=f"an object, as {self.text} says")
                if segment in node:
                    reached.append((pointer(where, segment), node[segment]))
            found = reached
        return iter([(where, node) for where, node in found if node is not None])
