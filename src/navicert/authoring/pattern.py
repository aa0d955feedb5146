"""What can be said about patterns without any path: whether one covers another, meets it, or matches nothing.

A pattern is a small automaton over characters, so inclusion and intersection are decidable; the effort is bounded,
and where it is spent the careful answer is given: not covered, may meet. Spec: in-toto v1.0 §4.3.3; the classes
of characters are those of Python's fnmatch, asked and not imitated.
"""

from __future__ import annotations

import re
from fnmatch import translate
from functools import lru_cache
from typing import Final

from navicert.dataclass import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_LENGTH: Final = 200  # longer patterns are not compared
_BRACES: Final = re.compile(r"\{[^{}]*\}|[{}]")


class Effort:
    """What comparing patterns may still cost, in steps of an automaton; about a million a second."""

    def __init__(self, steps: int = 1_000_000) -> None:
        self.left = steps

    @property
    def spent(self) -> bool:
        """Whether some question got the careful answer because it would have cost too much."""
        return self.left < 0

    def take(self, steps: int) -> bool:
        """Whether `steps` more could be afforded; they are paid."""
        self.left -= steps if self.left >= 0 else 0
        return self.left >= 0


@dataclass(frozen=True, slots=True)
class _One:
    """One character of a kind: itself, any (`?`), or of a class (`[…]`)."""

    text: str

    def accepts(self, character: str) -> bool:
        if len(self.text) == 1:
            return self.text == "?" or self.text == character
        return _class(self.text).match(character) is not None


@dataclass(frozen=True, slots=True)
class _Exactly(_One):
    """One character that is itself, whatever it would mean in a pattern."""

    def accepts(self, character: str) -> bool:
        return self.text == character


_STAR: Final = None
Token = _One | None


@lru_cache(maxsize=256)
def _class(text: str) -> re.Pattern[str]:
    return re.compile(translate(text))


@dataclass(frozen=True, slots=True)
class Glob:
    """A pattern as tokens; None stands for `*`."""

    tokens: tuple[Token, ...]

    @staticmethod
    def of(pattern: str, prefix: str = "", *, open_braces: bool = False) -> Glob:
        """The automaton of `pattern` behind the literal `prefix`.

        `open_braces`: a placeholder `{x}` may become anything; otherwise it stands for itself.
        """
        if open_braces:
            head: list[Token] = []
            for i, part in enumerate(_BRACES.split(prefix)):
                head += [_STAR] * (i > 0) + [_Exactly(character) for character in part]
            pattern = _BRACES.sub("*", pattern)
        else:
            head = [_Exactly(character) for character in prefix]
        return Glob((*head, *_tokens(pattern)))

    @property
    def literal(self) -> str | None:
        """The one path that it matches, or None where there may be others."""
        if all(isinstance(token, _Exactly) for token in self.tokens):
            return "".join(token.text for token in self.tokens if token is not None)
        return None

    @property
    def universal(self) -> bool:
        """Whether it matches every path."""
        return bool(self.tokens) and all(token is _STAR for token in self.tokens)

    @property
    def comparable(self) -> bool:
        """Whether it is short enough to be compared."""
        return len(self.tokens) <= _LENGTH

    @property
    def empty(self) -> bool:
        """Whether it matches no path at all, because a class of characters is empty (`[z-a]`)."""
        return any(token is not None and not _letters((token,)) for token in self.tokens)

    def matches(self, path: str) -> bool:
        """Whether the whole of `path` matches."""
        states = _closure(self, {0})
        for character in path:
            states = _step(self, states, character)
            if not states:
                return False
        return len(self.tokens) in states


def covers(wide: Sequence[Glob], narrow: Glob, effort: Effort) -> bool:
    """Whether every path that `narrow` matches is matched by one of `wide` for certain."""
    literal = narrow.literal
    if not effort.take(sum(len(glob.tokens) for glob in wide)):
        return False
    if literal is not None:
        return any(glob.matches(literal) for glob in wide if glob.comparable)
    if any(glob.universal for glob in wide):
        return True
    wide = [glob for glob in wide if glob.literal is None]
    if not wide or not narrow.comparable or narrow.empty:
        return False
    if not all(any(glob.matches(sample) for glob in wide) for sample in _samples(narrow)):
        return False
    return _included(narrow, wide, effort)


def meet(one: Glob, other: Glob, effort: Effort) -> bool:
    """Whether a path may exist that both match; False only where none can."""
    for literal, glob in ((one.literal, other), (other.literal, one)):
        if literal is not None:
            return glob.matches(literal)
    if not one.comparable or not other.comparable:
        return True
    letters = _letters((*one.tokens, *other.tokens))
    todo = [(i, j) for i in _closure(one, {0}) for j in _closure(other, {0})]
    seen = set(todo)
    while todo:
        i, j = todo.pop()
        if i == len(one.tokens) and j == len(other.tokens):
            return True
        if not effort.take(2 * len(letters)):
            return True
        for letter in letters:
            for pair in ((m, n) for m in _step(one, {i}, letter) for n in _step(other, {j}, letter)):
                if pair not in seen:
                    seen.add(pair)
                    todo.append(pair)
    return False


def _included(narrow: Glob, wide: Sequence[Glob], effort: Effort) -> bool:
    """Look for a path that `narrow` accepts and none of `wide` does."""
    letters = _letters([*narrow.tokens, *(token for glob in wide for token in glob.tokens)])
    begin = frozenset((k, i) for k, glob in enumerate(wide) for i in _closure(glob, {0}))
    todo = [(i, begin) for i in _closure(narrow, {0})]
    seen = set(todo)
    while todo:
        i, theirs = todo.pop()
        if i == len(narrow.tokens) and not any(j == len(wide[k].tokens) for k, j in theirs):
            return False
        if not effort.take(len(letters) * (1 + len(theirs))):
            return False
        for letter in letters:
            mine = _step(narrow, {i}, letter)
            if not mine:
                continue
            after = frozenset((k, n) for k, j in theirs for n in _step(wide[k], {j}, letter))
            if not after:
                return False  # nothing of `narrow` is empty, so it goes on to some path that nobody covers
            for pair in ((m, after) for m in mine):
                if pair not in seen:
                    seen.add(pair)
                    todo.append(pair)
    return True


def _closure(glob: Glob, states: Iterable[int]) -> set[int]:
    found: set[int] = set()
    for state in states:
        last = state
        while last < len(glob.tokens) and glob.tokens[last] is _STAR:
            last += 1
        found.update(range(state, last + 1))
    return found


def _step(glob: Glob, states: Iterable[int], character: str) -> set[int]:
    reached = set()
    for state in states:
        if state == len(glob.tokens):
            continue
        token = glob.tokens[state]
        if token is _STAR:
            reached.add(state)
        elif token.accepts(character):
            reached.add(state + 1)
    return _closure(glob, reached)


def _letters(tokens: Iterable[Token]) -> list[str]:
    """One character for each way in which `tokens` tell characters apart, that at least one of them accepts.

    All that a token says of a character changes only at a character that it mentions or the one after it.
    """
    kinds = dict.fromkeys(token for token in tokens if token is not None)
    star = any(token is _STAR for token in tokens)
    points = {"\0"}
    for kind in kinds:
        for character in kind.text:
            points.add(character)
            points.add(chr(min(ord(character) + 1, 0x10FFFF)))
    told: dict[tuple[bool, ...], str] = {}
    for point in sorted(points):
        told.setdefault(tuple(kind.accepts(point) for kind in kinds), point)
    return [letter for accepted, letter in told.items() if star or any(accepted)]


def _samples(glob: Glob) -> Iterator[str]:
    """Paths that `glob` matches, unlike what anybody would write."""
    letters = [("" if token is _STAR else _letters((token,))[-1]) for token in glob.tokens]
    yield "".join(letters)
    yield "".join(letter or "\x01/\x02" for letter in letters)


def _tokens(pattern: str) -> list[Token]:
    tokens: list[Token] = []
    i = 0
    while i < len(pattern):
        end = i + 1
        if pattern[i] == "*":
            if not tokens or tokens[-1] is not _STAR:
                tokens.append(_STAR)
        elif pattern[i] == "?":
            tokens.append(_One("?"))
        elif pattern[i] == "[" and (close := class_end(pattern, i)):
            tokens.append(_One(pattern[i:close]))
            end = close
        else:
            tokens.append(_Exactly(pattern[i]))
        i = end
    return tokens


def class_end(pattern: str, start: int) -> int:
    """Where the class of characters that begins at `start` ends; 0 where its bracket is never closed, so that it
    stands for itself. A `]` in the first place is a member."""
    first = start + 1
    if pattern[first : first + 1] == "!":
        first += 1
    return pattern.find("]", first + 1) + 1 if first < len(pattern) else 0
