"""Patterns for file names, expanded when the recording is made: what the shell could not know before the command ran.

`*` stands for any characters but `/`, `?` for one, `[abc]` and `[!abc]` for one of a set; none of them for a dot that
a name begins with, as in a shell. `**` as a whole segment stands for any number of folders, dots or not, as in
.gitignore; at the end of a pattern, for everything in them. There is no escape: quote a character as `[*]`.
"""

from __future__ import annotations

import os
import re

from navicert.errors import Malformed
from navicert.resolve.artifact import Notes
from navicert.resolve.tree import Tree, below

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_MAGIC: Final = re.compile(r"[*?[]")


def is_pattern(name: str) -> bool:
    """Whether `name` has a character that a pattern is made of."""
    return _MAGIC.search(name) is not None


def expand(pattern: str, tree: Tree) -> list[str]:
    """The names in `tree` that `pattern` (normalised) matches, sorted: files, and folders to be recorded whole.

    Raises `Malformed` for what is no pattern.
    """
    absolute = pattern.startswith("/")
    found = {"/" if absolute else "": None}
    segments = pattern.strip("/").split("/")
    for i, segment in enumerate(segments):
        last = i == len(segments) - 1
        if segment == "**":
            if not last:
                found = {folder: None for top in found for folder in _folders(tree, top)}
            elif any(not os.path.isdir(tree.path(top)) for top in found):
                found = {top: None for top in found if os.path.isdir(tree.path(top))}
        elif is_pattern(segment):
            found = _matching(tree, found, _compile(segment, pattern), folders=not last)
        else:
            found = {name: None for top in found if tree.exists(name := below(top, segment))}
    return sorted(name or "." for name in found)


def _folders(tree: Tree, top: str) -> list[str]:
    if not os.path.isdir(tree.path(top)):
        return []
    return [folder for folder, _ in tree.walk(top, Notes())]


def _matching(tree: Tree, tops: dict[str, None], wanted: re.Pattern[str], *, folders: bool) -> dict[str, None]:
    return {
        name: None
        for top in tops
        for bare, name, is_folder in tree.children(top)
        if (is_folder or not folders) and wanted.fullmatch(bare)
    }


def _compile(segment: str, pattern: str) -> re.Pattern[str]:
    """The expression for one segment."""
    text = "" if segment.startswith(".") else r"(?!\.)"
    i = 0
    while i < len(segment):
        character = segment[i]
        i += 1
        if character == "*":
            text += "" if text.endswith(".*") else ".*"
        elif character == "?":
            text += "."
        elif character == "[":
            members, i = _set(segment, i, pattern)
            text += members
        else:
            text += re.escape(character)
    return re.compile(text, re.DOTALL)


def _set(segment: str, start: int, pattern: str) -> tuple[str, int]:
    """The expression for the set whose `[` is before `start`, and where the text goes on after its `]`."""
    negated = segment.startswith("!", start)
    first = start + negated
    end = segment.find("]", first + 1)  # a "]" that comes first is a member
    if end < 0:
        raise Malformed("set without an end", path=pattern, expected="]", remedy="quote the bracket as [[]")
    if segment.startswith("^", start):
        raise Malformed("ambiguous set", path=pattern, got=segment[start - 1 : end + 1], remedy="negate with [!…]")
    members = segment[first:end]
    text = ""
    while members:
        low, dash, high = members[0], members[1:2], members[2:3]
        if dash != "-" or not high:
            text += re.escape(low)
            members = members[1:]
            continue
        if low > high:
            raise Malformed("not a set: a range from high to low", path=pattern, got=f"[{segment[first:end]}]")
        text += f"{re.escape(low)}-{re.escape(high)}"
        members = members[3:]
    return f"[{'^' if negated else ''}{text}]", end + 1
