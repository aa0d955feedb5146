"""What is left out of a recording: patterns in the language of .gitignore.

`pathspec` defines what they mean. Patterns of one plain word with `*` and `?` (all defaults are such) are translated
here, to the same expressions joined into one: matching them costs a twentieth, and `pathspec` need not be imported.
A property test holds the two to the same answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from navicert.errors import Malformed

# One segment without anything that is special but `*` and `?`; at least one other character, for `*` alone is special.
_SIMPLE: Final = re.compile(r"(?!.*\*\*)(?=.*[\w.~-])[\w.~*?-]+", re.ASCII)
_WILD: Final = {"*": "[^/]*", "?": "[^/]"}


class Excludes:
    """Whether a name is left out: `Excludes(patterns)(name)`.

    `name` is relative to the base path and normalised, for files and folders alike; a folder that is left out is not
    read. Raises `Malformed` for what is no pattern.
    """

    __slots__ = ("_matches", "patterns")

    def __init__(self, patterns: tuple[str, ...]) -> None:
        self.patterns = patterns
        self._matches = _compile(patterns)

    def __call__(self, name: str) -> bool:
        """Whether `name` is left out."""
        return self._matches(name)

    def pattern_for(self, name: str) -> str:
        """The last pattern that alone leaves `name` out; empty where none does."""
        for pattern in reversed(self.patterns):
            if Excludes((pattern,))(name):
                return pattern
        return ""


def _compile(patterns: tuple[str, ...]) -> Callable[[str], bool]:
    if not patterns:
        return lambda name: False
    if not all(_SIMPLE.fullmatch(pattern) for pattern in patterns):
        return _by_pathspec(patterns)
    segments = "|".join("".join(_WILD.get(c) or re.escape(c) for c in pattern) for pattern in patterns)
    search = re.compile(f"^(?:.+/)?(?:{segments})(?:/|$)").search
    # Like pathspec, an absolute name is matched as if it were relative.
    return lambda name: search(name[1:] if name[:1] == "/" else name) is not None


def _by_pathspec(patterns: tuple[str, ...]) -> Callable[[str], bool]:
    import warnings

    from pathspec import GitIgnoreSpec

    with warnings.catch_warnings():
        # Some sets, such as `[[]`, are translated to what `re` means to understand differently one day.
        warnings.simplefilter("ignore", FutureWarning)
        for pattern in patterns:
            if "\n" in pattern or "\0" in pattern:
                raise Malformed("not an exclude pattern", expected="one line", got=repr(pattern[:80]))
            try:
                GitIgnoreSpec.from_lines([pattern])
            except (ValueError, re.error) as error:
                raise Malformed(
                    "not an exclude pattern", expected="a pattern as in .gitignore", got=repr(pattern[:80])
                ) from error
        return GitIgnoreSpec.from_lines(patterns).match_file
