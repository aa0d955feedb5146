"""What is left out of a recording: patterns in the language of .gitignore.

`pathspec` defines what they mean. Nearly all patterns are plain: they are translated here, to the same expressions
joined into one, so that matching them costs a fraction and `pathspec` need not be imported. It decides only about the
names that plain patterns do not decide: those that an unusual pattern may match, and those that a negated one may take
back. A property test holds the two to the same answers.
"""

from __future__ import annotations

import re

from navicert.dataclass import dataclass
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
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
class Sieve:
    """What leaves out the entries of a folder that itself is not left out: a few quick looks at the last part of the
    name, which decide about nearly all of them.

    It is left out if that part is in `exact` or ends with one of `suffixes`. Else it may be left out only if that part
    is in `doubtful`, ends with one of `doubtful_suffixes`, or `search` finds something in it: then `decide` knows, who
    is given the whole name.

    Where none of `marks` stands in the names in the folder, each between two slashes, nothing in it is left out.
    """

    marks: tuple[str, ...]
    exact: frozenset[str]
    suffixes: tuple[str, ...]
    doubtful: frozenset[str]
    doubtful_suffixes: tuple[str, ...]
    search: Callable[[str], re.Match[str] | None]
    decide: Callable[[str], bool]

    def doubts(self, names: Iterable[str]) -> bool:
        """Whether some of `names`, the last parts of those in a folder, may be left out."""
        text = f"/{'/'.join(names)}/"
        return any(mark in text for mark in self.marks)

    def __call__(self, bare: str, name: str) -> bool:
        """Whether `name`, whose last part is `bare`, is left out."""
        return (
            bare in self.exact
            or bare.endswith(self.suffixes)
            or bool(
                (bare in self.doubtful or bare.endswith(self.doubtful_suffixes) or self.search(bare))
                and self.decide(name)
            )
        )


_TOPS: Final = ("", ".", "/")
"""Folders that are no part of the names of what is in them."""
_NEVER: Final = re.compile(r"(?!)").search


class Excludes:
    """Whether a name is left out: `Excludes(patterns)(name)`.

    `name` is relative to the base path and normalised, for files and folders alike; a folder that is left out is not
    read. Raises `Malformed` for what is no pattern.
    """

    __slots__ = ("_below", "_below_others", "_expressions", "_folders", "_matches", "_plain", "_sieve", "patterns")

    def __init__(self, patterns: tuple[str, ...]) -> None:
        self.patterns = patterns
        self._plain = True
        expressions = {pattern: _expression(pattern) for pattern in patterns if _is_plain(pattern)}
        of_folders = [pattern for pattern, text in expressions.items() if text.endswith("/")]
        named = {pattern: name for pattern in of_folders if (name := _folder(pattern))}
        self._matches = _matcher(expressions.values())
        self._below = _matcher(expressions[pattern] for pattern in of_folders)
        self._below_others = _matcher(expressions[pattern] for pattern in of_folders if pattern not in named)
        self._folders = frozenset(named.values())
        self._expressions = {pattern: text for pattern, text in expressions.items() if pattern not in of_folders}
        self._sieve: Sieve | None = None
        if any(pattern not in expressions for pattern in patterns):
            self._plain = False
            self._add_unusual()

    def _add_unusual(self) -> None:
        """Let pathspec decide what the patterns that are not plain make a difference to."""
        unusual = tuple(pattern for pattern in self.patterns if not _is_plain(pattern))
        negated = [pattern.startswith(_NEGATION) for pattern in unusual]
        first, then = self._matches, _by_pathspec(self.patterns if any(negated) else unusual)
        if not any(negated):
            self._matches = lambda name: first(name) or then(name)
            return
        # They take back what others leave out, in a folder too.
        self._matches = (lambda name: first(name) and then(name)) if all(negated) else then
        self._below, self._below_others, self._folders = _nothing, _nothing, frozenset()

    def __call__(self, name: str) -> bool:
        """Whether `name` is left out."""
        return self._matches(name)

    def sieve(self, folder: str) -> Sieve:
        """What leaves out the entries of `folder`, which itself is not left out."""
        # A line feed stops some expressions, so not even the ends of names decide there.
        if not self._plain or "\n" in folder:
            return _ask(self._matches)
        if self._sieve is None:
            self._sieve = _sieve(self._expressions, self._matches)
        return self._sieve

    def below(self, folder: str, *, inside: bool = False) -> bool:
        """Whether everything in `folder` is certainly left out, so that it need not be read: `build/` says so of a
        folder `build`, though not of a file of that name. `inside` says that this was asked, and not so, of the folder
        that it is in."""
        if folder in _TOPS:
            return False
        if not inside or "\n" in folder:
            return self._below(folder + "/")
        return folder.rpartition("/")[2] in self._folders or self._below_others(folder + "/")

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


def _matcher(expressions: Iterable[str]) -> Callable[[str], bool]:
    """Whether one of `expressions` matches a name. They are compiled when the first is asked about: a recording without
    files need not wait for it."""
    text = "|".join(expressions)
    if not text:
        return _nothing
    search: Callable[[str], re.Match[str] | None] | None = None

    def matches(name: str) -> bool:
        nonlocal search
        if search is None:
            search = re.compile(text).search
        # Like pathspec, an absolute name is matched as if it were relative.
        return search(name[1:] if name[:1] == "/" else name) is not None

    return matches


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


def _folder(pattern: str) -> str:
    """The name that `pattern`, which is for all that is in a folder, has for the folder, wherever that is; empty where
    it has none."""
    segments = _segments(pattern)
    if len(segments) == 3 and segments[0] == "**" and _WILDCARDS.isdisjoint(segments[1]):
        return segments[1]
    return ""


def _ask(matches: Callable[[str], bool]) -> Sieve:
    """The sieve that asks about every name."""
    return Sieve(("",), frozenset(), (), frozenset(), ("",), _NEVER, matches)


def _sieve(expressions: Mapping[str, str], matches: Callable[[str], bool]) -> Sieve:
    """The sieve of patterns with their expressions, none of which is for all that is in a folder. `matches` knows what
    all of them leave out.

    What matches a name and not the folder that it is in, matches up to the name's end, so the pattern's last segment is
    one for its last part. Where it is the only segment, there is nothing else to be seen.
    """
    exact, doubtful = set[str](), set[str]()
    suffixes, doubtful_suffixes = list[str](), list[str]()
    searched = [r"\n"]  # an expression may end before a line feed at the end of a name
    marks = ["\n"]
    others = []
    for pattern, expression in expressions.items():
        if expression == ".":
            return _ask(matches)
        segments = _segments(pattern)
        last = segments[-1]
        certain = segments == ["**", last]
        literal = last.strip("*")
        if not _WILDCARDS.isdisjoint(literal):
            certain = False
            searched.append(f"^{_glob(last)}$")
            marks.append(max(re.split(_SET + r"|[*?]", last), key=len))
        elif last == literal:
            marks.append(f"/{last}/")
            (exact if certain else doubtful).add(last)
        elif last.endswith(literal):
            marks.append(f"{literal}/")
            (suffixes if certain else doubtful_suffixes).append(literal)
        else:
            certain = False
            searched.append(f"{'' if last.startswith('*') else '^'}{re.escape(literal)}")
            marks.append(literal if last.startswith("*") else f"/{literal}")
        if not certain:
            others.append(expression)
    rest = _matcher(others)
    return Sieve(
        tuple(marks),
        frozenset(exact),
        tuple(suffixes),
        frozenset(doubtful),
        tuple(doubtful_suffixes),
        re.compile("|".join(searched)).search,
        lambda name: matches(name) if "\n" in name else rest(name),
    )


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
