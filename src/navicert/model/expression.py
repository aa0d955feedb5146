r"""Regular expressions for names that a stranger chose: always anchored, and never slower than text times expression.

The matchers of most libraries try one way after the other, and a name can be made for which there are billions. Here
all ways are followed at once, so what nobody can follow in that manner (back-references, looking around) is refused.
The syntax is the common core of Python and RE2: `.` `[a-z]` `[^/]` `\d` `\w` `\s` (ASCII), `*` `+` `?` `{2,5}`,
`(…)` `(?:…)` `|`, and a backslash before a character that is no letter or digit. `^` at the start and `$` at the end
may be written and change nothing.
"""

from __future__ import annotations

from navicert.dataclass import dataclass, field
from navicert.errors import Malformed
from navicert.interface import Callable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    _Range = tuple[int, int]

MOST_CHARACTERS: Final = 2048
"""One expression. The longest identities of real workflows have some hundred characters."""

MOST_STATES: Final = 8192
"""What an expression may come to once `{m,n}` is written out."""

_MOST_DEPTH: Final = 32
"""Groups inside groups."""

_DIGITS: Final = ((48, 57),)
_WORD: Final = ((48, 57), (65, 90), (95, 95), (97, 122))
_SPACE: Final = ((9, 13), (32, 32))
_END: Final = 0x110000
_KINDS: Final = {"d": _DIGITS, "w": _WORD, "s": _SPACE}


@dataclass(frozen=True, slots=True)
class Expression:
    """One expression. It matches a text as a whole, or not at all."""

    text: str
    _tests: tuple[tuple[_Range, ...] | None, ...] = field(repr=False, compare=False)
    """For each state the characters that lead on from it; None where it leads on without one."""
    _following: tuple[tuple[int, ...], ...] = field(repr=False, compare=False)
    """For each state where it leads to. The last state is the goal, and leads nowhere."""
    _start: int = field(repr=False, compare=False)

    @staticmethod
    def of(text: str) -> Expression:
        """The expression that `text` describes. Raises `Malformed` for what is none, and for one that matches the
        empty text: that is a slip (`|`, `.*`) far more often than meant, and `.+` says "anything" clearly."""
        if not text or len(text) > MOST_CHARACTERS:
            raise Malformed(
                "not a usable expression", expected=f"1 to {MOST_CHARACTERS} characters", got=f"{len(text)} characters"
            )
        parser = _Parser(text)
        tests, following, start = parser.program()
        expression = Expression(text, tests, following, start)
        if expression.matches(""):
            raise Malformed(
                "the expression matches the empty text",
                got=repr(text)[:80],
                remedy="write .+ where anything will do",
            )
        return expression

    def matches(self, text: str) -> bool:
        """Whether the expression describes the whole of `text`."""
        goal = len(self._tests) - 1
        states = self._closed({self._start})
        for character in map(ord, text):
            reached: set[int] = set()
            for state in states:
                ranges = self._tests[state]
                if ranges and any(low <= character <= high for low, high in ranges):
                    reached.update(self._following[state])
            if not reached:
                return False
            states = self._closed(reached)
        return goal in states

    def _closed(self, states: set[int]) -> set[int]:
        """`states` with all that follow without a character."""
        stack = list(states)
        while stack:
            state = stack.pop()
            if self._tests[state] is None:
                for following in self._following[state]:
                    if following not in states:
                        states.add(following)
                        stack.append(following)
        return states

    def __str__(self) -> str:
        return self.text


_Build = Callable[[int], int]
"""Adds the states of one part in front of the given state, and gives the state in which it begins."""


class _Parser:
    """Reads an expression by descent; what it gives builds states from the end to the start."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.end = len(text) - 1 if text.endswith("$") and not _is_escaped(text) else len(text)
        self.at = 1 if text.startswith("^") else 0
        self.depth = 0
        self.tests: list[tuple[_Range, ...] | None] = []
        self.following: list[tuple[int, ...]] = []

    def program(self) -> tuple[tuple[tuple[_Range, ...] | None, ...], tuple[tuple[int, ...], ...], int]:
        """Tests, following states and the first state."""
        build = self.choice()
        if self.at < self.end:
            raise self.wrong("a ) that opens nowhere")
        goal = self.state((), ())
        start = build(goal)
        # The goal was made first; it is told by being last.
        order = [*range(1, len(self.tests)), 0]
        place = {old: new for new, old in enumerate(order)}
        tests = tuple(self.tests[old] for old in order)
        following = tuple(tuple(place[state] for state in self.following[old]) for old in order)
        return tests, following, place[start]

    def state(self, test: tuple[_Range, ...] | None, following: tuple[int, ...]) -> int:
        if len(self.tests) >= MOST_STATES:
            raise self.wrong(f"more than {MOST_STATES} states when its repetitions are written out")
        self.tests.append(test)
        self.following.append(following)
        return len(self.tests) - 1

    def wrong(self, what: str) -> Malformed:
        return Malformed("not a usable expression", expected="no " + what, got=repr(self.text)[:80])

    def peek(self) -> str:
        return self.text[self.at] if self.at < self.end else ""

    def take(self) -> str:
        character = self.peek()
        self.at += 1
        return character

    def choice(self) -> _Build:
        ways = [self.sequence()]
        while self.peek() == "|":
            self.at += 1
            ways.append(self.sequence())
        if len(ways) == 1:
            return ways[0]
        return lambda goal: self.state(None, tuple(way(goal) for way in ways))

    def sequence(self) -> _Build:
        parts: list[_Build] = []
        while self.peek() not in ("", "|", ")"):
            parts.append(self.repeated(self.one()))

        def build(goal: int) -> int:
            for part in reversed(parts):
                goal = part(goal)
            return goal

        return build

    def one(self) -> _Build:
        character = self.take()
        if character == "(":
            return self.group()
        if character in ("^", "$"):
            raise self.wrong(f"{character} in the middle: expressions are anchored anyway")
        if character in ("*", "+", "?", "{", "}", "]"):
            raise self.wrong(f"{character} that repeats or closes nothing")
        if character == "[":
            ranges = self.character_class()
        elif character == "\\":
            ranges = self.escaped()
        elif character == ".":
            ranges = ((0, 9), (11, _END))
        else:
            ranges = ((ord(character), ord(character)),)
        return lambda goal: self.state(ranges, (goal,))

    def group(self) -> _Build:
        self.depth += 1
        if self.depth > _MOST_DEPTH:
            raise self.wrong(f"more than {_MOST_DEPTH} groups inside each other")
        if self.peek() == "?":
            if self.text[self.at : self.at + 2] != "?:":
                raise self.wrong("(? but (?:")
            self.at += 2
        inner = self.choice()
        if self.take() != ")":
            raise self.wrong("( that is not closed")
        self.depth -= 1
        return inner

    def escaped(self) -> tuple[_Range, ...]:
        character = self.take()
        if character.lower() in _KINDS:
            ranges = _KINDS[character.lower()]
            return ranges if character.islower() else _inverted(ranges)
        if not character or not character.isascii() or character.isalnum():
            raise self.wrong(f"\\{character}")
        return ((ord(character), ord(character)),)

    def character_class(self) -> tuple[_Range, ...]:
        negated = self.peek() == "^"
        self.at += negated
        ranges: list[_Range] = []
        first = True
        while first or self.peek() != "]":
            if not self.peek() or self.peek() == "[" or (first and self.peek() == "]"):
                raise self.wrong("[ that is not closed, is empty, or holds [ or a leading ] without a backslash")
            first = False
            low = self.member()
            if self.peek() == "-" and self.text[self.at + 1 : self.at + 2] != "]":
                self.at += 1
                high = self.member()
                if len(low) != 1 or len(high) != 1 or low[0][0] != low[0][1] or high[0][0] != high[0][1]:
                    raise self.wrong("range between classes")
                if high[0][0] < low[0][0]:
                    raise self.wrong("range that goes backwards")
                low = ((low[0][0], high[0][0]),)
            ranges += low
        self.at += 1
        return _inverted(tuple(ranges)) if negated else tuple(ranges)

    def member(self) -> tuple[_Range, ...]:
        character = self.take()
        if not character:
            raise self.wrong("[ that is not closed")
        return self.escaped() if character == "\\" else ((ord(character), ord(character)),)

    def repeated(self, part: _Build) -> _Build:
        sign = self.peek()
        if sign not in ("*", "+", "?", "{"):
            return part
        self.at += 1
        least, most = self.counts() if sign == "{" else {"*": (0, None), "+": (1, None), "?": (0, 1)}[sign]
        if self.peek() in ("*", "+", "?", "{"):
            raise self.wrong("repetition of a repetition")

        def build(goal: int) -> int:
            if most is None:
                loop = self.state(None, ())
                self.following[loop] = (part(loop), goal)
                goal = loop
            else:
                end = goal
                for _ in range(most - least):
                    goal = self.state(None, (part(goal), end))
            for _ in range(least):
                goal = part(goal)
            return goal

        return build

    def counts(self) -> tuple[int, int | None]:
        inside, closed, _ = self.text[self.at : self.end].partition("}")
        low, comma, high = inside.partition(",")
        numbers = [low] if not comma or not high else [low, high]
        if not closed or not all(n.isascii() and n.isdigit() and len(n) <= 4 for n in numbers):
            raise self.wrong("{ but {2}, {2,} and {2,5}")
        self.at += len(inside) + 1
        least = int(low)
        most = None if comma and not high else int(high or low)
        if most is not None and most < least:
            raise self.wrong("repetition that goes backwards")
        return least, most


def _is_escaped(text: str) -> bool:
    """Whether the last character of `text` has a backslash before it that is none itself."""
    before = text[:-1]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1


def _inverted(ranges: tuple[_Range, ...]) -> tuple[_Range, ...]:
    """All characters that are not in `ranges`."""
    result: list[_Range] = []
    low = 0
    for start, end in sorted(ranges):
        if start > low:
            result.append((low, start - 1))
        low = max(low, end + 1)
    return (*result, (low, _END))
