"""Evaluating an expression of CEL over JSON: exactly, in bounded work, and without an error that looks like an answer.

Work is counted in steps and not timed, so that the same evidence gets the same answer on every machine. Values are
those of JSON, plus timestamps, durations, bytes and unsigned numbers. An error is an error: only `&&`, `||`, `all` and
`exists` may settle without it, as the language says.

Spec: google/cel-spec doc/langdef.md.
"""

from __future__ import annotations

from navicert.dataclass import dataclass
from navicert.verify.cel_time import GETTERS, part_of
from navicert.verify.cel_value import (
    NUMBERS,
    CelError,
    arithmetic,
    compared,
    converted,
    kind_of,
    negated,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Final

    from navicert.verify.cel import Expression, Node

_CHUNK: Final = 64
"""Characters that are looked at in one step."""


class NoSuchClaim(CelError):
    """The expression asked for a field that is not there."""


class OutOfSteps(CelError):
    """The expression takes more work than it may."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an expression came to in how many steps: a value, or `problem`, and then whether it asked for a claim that
    is `absent`."""

    value: object = None
    problem: str = ""
    absent: bool = False
    steps: int = 0


def evaluate_expression(expression: Expression, variables: Mapping[str, object], *, steps: int) -> Answer:
    """What `expression` comes to where `variables` have these values, in at most `steps` steps. Never raises for what
    is in the values."""
    machine = _Machine(dict(variables), steps)
    try:
        return Answer(machine.run(expression.node), steps=machine.spent)
    except NoSuchClaim as error:
        return Answer(None, str(error), absent=True, steps=machine.spent)
    except CelError as error:
        return Answer(None, str(error), steps=machine.spent)
    except RecursionError:  # values compared that are nested as deeply as JSON may be, within an expression that is too
        return Answer(None, "nested too deeply to be compared", steps=machine.spent)


class _Machine:
    def __init__(self, variables: dict[str, object], steps: int) -> None:
        self._variables = variables
        self._left = steps
        self._most = steps
        self._kinds: dict[str, Callable[[Node], object]] = {
            "literal": lambda node: node[1],
            "variable": lambda node: self._variables[node[1]],
            "and": lambda node: self._decide(node[1], decisive=False),
            "or": lambda node: self._decide(node[1], decisive=True),
            "if": lambda node: self.run(node[2] if self._truth(self.run(node[1]), "?:") else node[3]),
            "not": lambda node: not self._truth(self.run(node[1]), "!"),
            "minus": lambda node: negated(self.run(node[1])),
            "arithmetic": self._arithmetic,
            "select": self._select,
            "has": self._has,
            "index": self._index,
            "list": lambda node: [self.run(item) for item in node[1]],
            "map_of": self._map_of,
            "call": self._call,
            "eq": lambda node: self._same(self.run(node[1]), self.run(node[2])),
            "ne": lambda node: not self._same(self.run(node[1]), self.run(node[2])),
            "in": self._in,
            "all": lambda node: self._every(node, decisive=False),
            "exists": lambda node: self._every(node, decisive=True),
            "exists_one": lambda node: sum(self._each(node, node[3])) == 1,
            "filter": lambda node: [item for item in self._items(node) if self._with(node, node[3], item)],
            "map": self._map,
        }

    def run(self, node: Node) -> object:
        """The value of `node`. Raises `CelError`."""
        self._spend(1)
        kind = self._kinds.get(node[0])
        if kind is not None:
            return kind(node)
        left, right = self.run(node[1]), self.run(node[2])  # lt, le, gt, ge
        self._spend_text(left)
        return compared(node[0], left, right)

    @property
    def spent(self) -> int:
        """The steps that were taken."""
        return self._most - max(self._left, 0)

    def _spend(self, steps: int) -> None:
        self._left -= steps
        if self._left < 0:
            raise OutOfSteps(f"takes more than {self._most} steps (limit cel_steps)")

    def _spend_text(self, value: object) -> None:
        if isinstance(value, str | bytes):
            self._spend(len(value) // _CHUNK)

    def _truth(self, value: object, what: str) -> bool:
        if type(value) is not bool:
            raise CelError(f"{what} of {kind_of(value)}, which is neither true nor false")
        return value

    # --- logic -----------------------------------------------------------------------------------------------------

    def _decide(self, nodes: tuple[Node, ...], *, decisive: bool) -> bool:
        """`||` (decisive: true) and `&&` (false): one decisive operand settles it whatever the others are; without one
        any error remains."""
        problem: CelError | None = None
        for node in nodes:
            try:
                if self._truth(self.run(node), "||" if decisive else "&&") is decisive:
                    return decisive
            except OutOfSteps:
                raise
            except CelError as error:
                problem = problem or error
        if problem is not None:
            raise problem
        return not decisive

    def _every(self, node: Node, *, decisive: bool) -> bool:
        problem: CelError | None = None
        for item in self._items(node):
            try:
                if self._with(node, node[3], item) is decisive:
                    return decisive
            except OutOfSteps:
                raise
            except CelError as error:
                problem = problem or error
        if problem is not None:
            raise problem
        return not decisive

    # --- macros ----------------------------------------------------------------------------------------------------

    def _items(self, node: Node) -> list[object]:
        """What a macro goes through: the elements of a list, the keys of a map."""
        value = self.run(node[1])
        if not isinstance(value, list | dict):
            raise CelError(f"{node[0]} over {kind_of(value)}, which is neither a list nor a map")
        self._spend(len(value) // _CHUNK)
        return list(value)

    def _bound(self, node: Node, body: Node, item: object) -> object:
        name = node[2]
        hidden = name in self._variables
        before = self._variables.get(name)
        self._variables[name] = item
        try:
            return self.run(body)
        finally:
            if hidden:
                self._variables[name] = before
            else:
                del self._variables[name]

    def _with(self, node: Node, body: Node, item: object) -> bool:
        return self._truth(self._bound(node, body, item), node[0])

    def _each(self, node: Node, body: Node) -> list[bool]:
        return [self._with(node, body, item) for item in self._items(node)]

    def _map(self, node: Node) -> list[object]:
        if len(node) == 4:
            return [self._bound(node, node[3], item) for item in self._items(node)]
        return [self._bound(node, node[4], item) for item in self._items(node) if self._with(node, node[3], item)]

    # --- values ----------------------------------------------------------------------------------------------------

    def _arithmetic(self, node: Node) -> object:
        value = self.run(node[1])
        sign: str
        for sign, operand in node[2]:
            other = self.run(operand)
            for one in (value, other):
                if isinstance(one, str | bytes | list):
                    self._spend(len(one) // (1 if isinstance(one, list) else _CHUNK))
            value = arithmetic(sign, value, other)
        return value

    def _select(self, node: Node) -> object:
        value = self.run(node[1])
        if not isinstance(value, dict):
            raise CelError(f"field {node[2]} of {kind_of(value)}, which has no fields")
        if node[2] not in value:
            raise NoSuchClaim(f"there is no {node[2]}")
        return value[node[2]]

    def _has(self, node: Node) -> bool:
        value = self.run(node[1])
        if not isinstance(value, dict):
            raise CelError(f"has of {kind_of(value)}, which has no fields")
        return node[2] in value

    def _index(self, node: Node) -> object:
        value, index = self.run(node[1]), self.run(node[2])
        if isinstance(value, dict):
            if not isinstance(index, str):
                raise CelError(f"key of {kind_of(index)}, where keys are strings")
            if index not in value:
                raise NoSuchClaim(f'there is no "{index[:60]}"')
            return value[index]
        if not isinstance(value, list) or not isinstance(index, int) or isinstance(index, bool):
            raise CelError(f"index {kind_of(index)} of {kind_of(value)}")
        if not 0 <= index < len(value):
            raise CelError(f"index {index} of a list of {len(value)}")
        return value[index]

    def _map_of(self, node: Node) -> dict[str, object]:
        made: dict[str, object] = {}
        for key, value in node[1]:
            name = self.run(key)
            if not isinstance(name, str) or name in made:
                raise CelError(f"key of {kind_of(name)}" if not isinstance(name, str) else f'key "{name[:60]}" twice')
            made[name] = self.run(value)
        return made

    def _in(self, node: Node) -> bool:
        item, container = self.run(node[1]), self.run(node[2])
        if isinstance(container, dict):
            return isinstance(item, str) and item in container
        if not isinstance(container, list):
            raise CelError(f"in {kind_of(container)}, which is neither a list nor a map")
        return any(self._same(item, one) for one in container)

    def _same(self, left: object, right: object) -> bool:
        """Whether both are equal. Values of different kinds are not, numbers apart."""
        self._spend(1)
        if isinstance(left, list) and isinstance(right, list):
            pairs = zip(left, right, strict=True)
            return len(left) == len(right) and all(self._same(one, other) for one, other in pairs)
        if isinstance(left, dict) and isinstance(right, dict):
            if len(left) != len(right):
                return False
            self._spend(len(left))
            return left.keys() == right.keys() and all(self._same(left[key], right[key]) for key in left)
        if type(left) in NUMBERS and type(right) in NUMBERS:
            return left == right
        self._spend_text(left)
        return type(left) is type(right) and left == right

    def _call(self, node: Node) -> object:
        name, values = node[1], [self.run(one) for one in node[2]]
        if name == "dyn":
            return values[0]
        if name == "size":
            if not isinstance(values[0], str | bytes | list | dict):
                raise CelError(f"size of {kind_of(values[0])}, which has none")
            return len(values[0])
        if name in ("contains", "startsWith", "endsWith", "matches"):
            text, part = values
            if not isinstance(text, str) or not isinstance(part, str):
                raise CelError(f"{name} of {kind_of(text)} and {kind_of(part)}, where both are strings")
            self._spend((len(text) + len(part)) // _CHUNK)
            return self._text_function(name, text, part)
        if name in GETTERS:
            return part_of(name, *values)
        self._spend_text(values[0])
        return converted(name, values[0])

    def _text_function(self, name: str, text: str, part: str) -> bool:
        if name == "contains":
            return part in text
        if name == "startsWith":
            return text.startswith(part)
        if name == "endsWith":
            return text.endswith(part)
        return _matches(text, part)


def _matches(text: str, pattern: str) -> bool:
    # RE2, the language that CEL names; its work is linear in the text, whatever the pattern. It comes with cel-python.
    import re2  # type: ignore[import-untyped]

    try:
        return re2.search(pattern, text) is not None
    except re2.error as error:
        raise CelError(f"not a regular expression: {pattern[:60]!r}") from error
