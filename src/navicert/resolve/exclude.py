"""What is left out of a recording: patterns in the language of .gitignore.

`pathspec` defines what they mean. Nearly all patterns are plain: they are translated here, to the same expressions
joined into one, so that matching them costs a fraction and `pathspec` need not be imported. It decides only about the
names that plain patterns do not decide: those that an unusual pattern may match, and those that a negated one may take
back. A property test holds the two to the same answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from navicert.dataclass import dataclass
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

# Escapes, comments, white space at the end and segments without a character are left to pathspec.
_PLAIN: Final = re.compile(r"(?![!#])(?!.*\s\Z)(?!.*//)(?!/?\Z)[^\[\]\\\n\0]+")
# So are most sets: one that is negated has the slash in it, and so may one with a range between other characters.
_SET: Final = r"\[(?:[0-9]-[0-9]|[a-z]-[a-z]|[A-Z]-[A-Z]|[0-9A-Za-z_])+\]"
_RANGE: Final = r"(\w)-(\w)"
_NEGATION: Final = "!"
_BACKEND: Final = "simple"
"""Python's own expressions: what is left out must not depend on which libraries for them happen to be installed."""
_WILD: Final = {"*": "[^/]*", "?": "[^/]"}
_WILDCARDS: Final = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Hints:
    """What the last part of a name is like if the name is left out while the folder that it is in is not.

    One of three: it is in `exact`, ends with one of `suffixes`, or `search` finds something in it. This is only a
    necessary condition, cheap to test on every entry of a tree.
    """

    exact: frozenset[str]
    suffixes: tuple[str, ...]
    search: Callable[[str], re.Match[str] | None]


_TOPS: Final = ("", ".", "/")
"""Folders that are no part of the names of what is in them."""
_NEVER: Final = Hints(frozenset(), (), re.compile(r"(?!)").search)
_ALWAYS: Final = Hints(frozenset(), ("",), re.compile(r"(?!)").search)


class Excludes:
    """Whether a name is left out: `Excludes(patterns)(name)`.

    `name` is relative to the base path and normalised, for files and folders alike; a folder that is left out is not
    read. Raises `Malformed` for what is no pattern.
    """

    __slots__ = ("_below", "_matches", "hints", "patterns")

    def __init__(self, patterns: tuple[str, ...]) -> None:
        self.patterns = patterns
        self._matches: Callable[[str], bool] = _nothing
        self._below: Callable[[str], bool] = _nothing
        self.hints = _NEVER
        plain = [pattern for pattern in patterns if _is_plain(pattern)]
        if plain:
            expressions = [_expression(pattern) for pattern in plain]
            self._matches = _matcher(expressions)
            self._below = _matcher([text for text in expressions if text.endswith("/")])
            self.hints = _hints(plain)
        if len(plain) < len(patterns):
            self._add_unusual()

    def _add_unusual(self) -> None:
        """Let pathspec decide what the patterns that are not plain make a difference to."""
        unusual = tuple(pattern for pattern in self.patterns if not _is_plain(pattern))
        first = self._matches
        if all(pattern.startswith(_NEGATION) for pattern in unusual):
            # They only take back what another one leaves out.
            then = _by_pathspec(self.patterns)
            self._matches = lambda name: first(name) and then(name)
            self._below = _nothing
        elif any(pattern.startswith(_NEGATION) for pattern in unusual):
            self._matches = _by_pathspec(self.patterns)
            self._below = _nothing
            self.hints = _ALWAYS
        else:
            then = _by_pathspec(unusual)
            self._matches = lambda name: first(name) or then(name)
            self.hints = _ALWAYS

    def __call__(self, name: str) -> bool:
        """Whether `name` is left out."""
        return self._matches(name)

    def below(self, folder: str) -> bool:
        """Whether everything in `folder` is certainly left out, so that it need not be read: `build/` says so of a
        folder `build`, though not of a file of that name."""
        return folder not in _TOPS and self._below(folder + "/")

    def pattern_for(self, name: str) -> str:
        """The last pattern that alone leaves `name` out; empty where none does."""
        for pattern in reversed(self.patterns):
            if Excludes((pattern,))(name):
                return pattern
        return ""


def _nothing(_: str) -> bool:
    return False


def _is_plain(pattern: str) -> bool:
    """Whether `_expression` may translate `pattern`. A range from high to low is refused, by who knows how."""
    if "[" in pattern:
        sets = "".join(re.findall(_SET, pattern))
        if any(low > high for low, high in re.findall(_RANGE, sets)):
            return False
        pattern = re.sub(_SET, "s", pattern)
    return _PLAIN.fullmatch(pattern) is not None


def _matcher(expressions: list[str]) -> Callable[[str], bool]:
    if not expressions:
        return _nothing
    search = re.compile("|".join(expressions)).search
    # Like pathspec, an absolute name is matched as if it were relative.
    return lambda name: search(name[1:] if name[:1] == "/" else name) is not None


def _expression(pattern: str) -> str:
    """The expression for one pattern, as pathspec translates it."""
    segments = _segments(pattern)
    if segments in (["**"], ["**", "*"], ["**", "*", "**"]):
        # They match everything, or with a slash at the end everything that is in a folder.
        return "/" if pattern.endswith("/") or len(segments) == 3 else "."
    text, slash = "^", ""
    for i, segment in enumerate(segments):
        last = i == len(segments) - 1
        if segment != "**":
            text += slash + ("[^/]+" if segment == "*" else _glob(segment)) + ("(?:/|$)" if last else "")
            slash = "/"
        elif i == 0:
            text += "(?:.+/)?"
        elif last:
            text += "/"
        else:
            text += "(?:/.+)?"
            slash = "/"
    return text


def _segments(pattern: str) -> list[str]:
    """The parts of `pattern` between slashes, with `**` for any folders before and below what it names."""
    segments = pattern.split("/")
    if not segments[0]:
        del segments[0]
    elif (len(segments) == 1 or segments[1:] == [""]) and segments[0] != "**":
        segments.insert(0, "**")
    if not segments[-1]:
        segments[-1] = "**"
    return [segment for i, segment in enumerate(segments) if segment != "**" or segments[i - 1 : i] != ["**"]]


def _glob(segment: str) -> str:
    """The expression for one segment. A set is written as in the pattern."""
    pieces = re.findall(f"{_SET}|.", segment) if "[" in segment else segment
    return "".join(piece if len(piece) > 1 else _WILD.get(piece) or re.escape(piece) for piece in pieces)


def _hints(patterns: Iterable[str]) -> Hints:
    """The hints of `patterns`. What matches a name and not the folder that it is in, matches up to the name's end, so
    the pattern's last segment is one for its last part; patterns for all that is in a folder are looked at there."""
    exact, suffixes = set(), []
    searched = [r"\n"]  # an expression may end before a line feed at the end of a name
    for pattern in patterns:
        last = _segments(pattern)[-1]
        literal = last.strip("*")
        if _expression(pattern) == ".":
            return _ALWAYS
        if last == "**":
            continue
        if not _WILDCARDS.isdisjoint(literal):
            searched.append(f"^{_glob(last)}$")
        elif last == literal:
            exact.add(literal)
        elif last.startswith("*") and last.endswith("*"):
            searched.append(re.escape(literal))
        elif last.startswith("*"):
            suffixes.append(literal)
        else:
            searched.append(f"^{re.escape(literal)}")
    return Hints(frozenset(exact), tuple(suffixes), re.compile("|".join(searched)).search)


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
                GitIgnoreSpec.from_lines([pattern], backend=_BACKEND)
            except (ValueError, re.error) as error:
                raise Malformed(
                    "not an exclude pattern", expected="a pattern as in .gitignore", got=repr(pattern[:80])
                ) from error
        return GitIgnoreSpec.from_lines(patterns, backend=_BACKEND).match_file
