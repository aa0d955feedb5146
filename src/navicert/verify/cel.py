"""CEL: attribute rules, read by cel-python's grammar into a small tree of our own.

The library parses; what it parsed is checked here once, before anything is evaluated: every name is a variable, every
function one that `navicert.verify.cel_machine` knows, and nothing is nested too deeply. It is imported when the first
expression is read. Why it does not evaluate too: docs/adr, "Attribute rules".

Spec: google/cel-spec doc/langdef.md.
"""

from __future__ import annotations

import re

from navicert.dataclass import dataclass
from navicert.errors import LimitExceeded, Malformed, Unavailable
from navicert.limits import LOCAL, Limits
from navicert.verify.cel_time import GETTERS
from navicert.verify.cel_value import Unsigned

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Final

    Node = tuple[Any, ...]
    """One node: its kind, then what belongs to that kind."""

VARIABLES: Final = frozenset({"subject", "predicateType", "predicate", "parameters", "now"})
"""What an expression may speak of."""

FUNCTIONS: Final[Mapping[str, frozenset[int]]] = {
    "size": frozenset({1}),
    "contains": frozenset({2}),
    "startsWith": frozenset({2}),
    "endsWith": frozenset({2}),
    "matches": frozenset({2}),
    "int": frozenset({1}),
    "uint": frozenset({1}),
    "bytes": frozenset({1}),
    "double": frozenset({1}),
    "string": frozenset({1}),
    "bool": frozenset({1}),
    "dyn": frozenset({1}),
    "timestamp": frozenset({1}),
    "duration": frozenset({1}),
    **dict.fromkeys(GETTERS, frozenset({1, 2})),
}
"""Function → numbers of arguments; of a method its object is the first."""

_GLOBAL_ONLY: Final = frozenset({"int", "uint", "double", "string", "bytes", "bool", "dyn", "timestamp", "duration"})
_METHOD_ONLY: Final = frozenset({"contains", "startsWith", "endsWith", *GETTERS})
_MACROS: Final[Mapping[str, frozenset[int]]] = {
    "all": frozenset({2}),
    "exists": frozenset({2}),
    "exists_one": frozenset({2}),
    "filter": frozenset({2}),
    "map": frozenset({2, 3}),
}
_RELATIONS: Final = {f"relation_{name}": name for name in ("lt", "le", "gt", "ge", "eq", "ne", "in")}
_ADDITIONS: Final = {"addition_add": "+", "addition_sub": "-"}
_MULTIPLICATIONS: Final = {"multiplication_mul": "*", "multiplication_div": "/", "multiplication_mod": "%"}
_ESCAPE: Final = re.compile(
    r"""\\(?:([abfnrtv\\?"'`])|[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2}))|\\"""
)
_SIMPLE: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_INT64: Final = 2**63


@dataclass(frozen=True, slots=True)
class Expression:
    """One expression that was read, ready to be evaluated."""

    text: str
    node: Node


def read_expression(text: str, limits: Limits = LOCAL) -> Expression:
    """The expression that `text` spells. Raises `Malformed` for everything that is none or that this version does not
    evaluate, `Unavailable` where cel-python is not installed."""
    if len(text.encode("utf-8", "surrogatepass")) > limits.cel_bytes:
        raise LimitExceeded("expression too long (limit cel_bytes)", expected=f"at most {limits.cel_bytes} bytes")
    if _nesting(text) > limits.cel_depth:
        raise _too_deep(limits)
    tree = _parsed(text)
    try:
        node = _Reader(limits).expression(tree, 0, frozenset())
    except RecursionError as error:  # a chain of signs, which no bracket counts
        raise _too_deep(limits) from error
    return Expression(text, node)


def _too_deep(limits: Limits) -> LimitExceeded:
    return LimitExceeded("expression nested too deeply (limit cel_depth)", expected=f"at most {limits.cel_depth}")


def _nesting(text: str) -> int:
    """How deep brackets are nested, those in strings included: no expression is deeper."""
    depth = most = 0
    for character in text:
        if character in "([{":
            depth += 1
            most = max(most, depth)
        elif character in ")]}":
            depth -= 1
    return most


def _parsed(text: str) -> Any:
    try:
        from celpy.celparser import CELParseError, CELParser
    except ImportError as error:
        raise Unavailable(
            "attribute rules cannot be judged: cel-python is not installed",
            remedy="pip install 'navicert[cel]'",
        ) from error
    try:
        return CELParser().parse(text)
    except CELParseError as error:
        place = f" at line {error.line}, column {error.column}" if error.line else ""
        raise Malformed(f"not an expression of CEL{place}", got=repr(text)[:120]) from error
    except RecursionError as error:
        raise LimitExceeded("expression nested too deeply (limit cel_depth)") from error


class _Reader:
    """cel-python's tree → ours. Chains of operators, which its grammar nests, are lists here."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def expression(self, tree: Any, depth: int, bound: frozenset[str]) -> Node:
        """`expr`, with the variables `bound` by the macros around it."""
        if depth > self._limits.cel_depth:
            raise _too_deep(self._limits)
        parts = tree.children
        condition = self._chain(parts[0], "conditionalor", "or", depth, bound)
        if len(parts) == 1:
            return condition
        return (
            "if",
            condition,
            self._chain(parts[1], "conditionalor", "or", depth + 1, bound),
            self.expression(parts[2], depth + 1, bound),
        )

    def _chain(self, tree: Any, rule: str, kind: str, depth: int, bound: frozenset[str]) -> Node:
        terms = []
        while len(tree.children) == 2:
            terms.append(tree.children[1])
            tree = tree.children[0]
        terms.append(tree.children[0])
        if rule == "conditionalor":
            nodes = [self._chain(term, "conditionaland", "and", depth, bound) for term in reversed(terms)]
        else:
            nodes = [self._relation(term, depth, bound) for term in reversed(terms)]
        return nodes[0] if len(nodes) == 1 else (kind, tuple(nodes))

    def _relation(self, tree: Any, depth: int, bound: frozenset[str]) -> Node:
        steps = []
        while len(tree.children) == 2:
            operator, operand = tree.children
            steps.append((_RELATIONS[operator.data], operand))
            tree = operator.children[0]
        node = self._addition(tree.children[0], depth, bound)
        for name, operand in reversed(steps):
            node = (name, node, self._addition(operand, depth, bound))
        if len(steps) > 1:
            raise Malformed("two comparisons in a row", remedy="write a && between them, or brackets")
        return node

    def _addition(self, tree: Any, depth: int, bound: frozenset[str]) -> Node:
        return self._arithmetic(tree, _ADDITIONS, self._multiplication, depth, bound)

    def _multiplication(self, tree: Any, depth: int, bound: frozenset[str]) -> Node:
        return self._arithmetic(tree, _MULTIPLICATIONS, self._unary, depth, bound)

    def _arithmetic(
        self, tree: Any, operators: Mapping[str, str], below: Any, depth: int, bound: frozenset[str]
    ) -> Node:
        steps = []
        while len(tree.children) == 2:
            operator, operand = tree.children
            steps.append((operators[operator.data], operand))
            tree = operator.children[0]
        node: Node = below(tree.children[0], depth, bound)
        if not steps:
            return node
        return ("arithmetic", node, tuple((sign, below(operand, depth, bound)) for sign, operand in reversed(steps)))

    def _unary(self, tree: Any, depth: int, bound: frozenset[str]) -> Node:
        signs = []
        while len(tree.children) == 2:
            signs.append("not" if tree.children[0].data == "unary_not" else "minus")
            tree = tree.children[1]
        node = self._member(tree.children[0], depth, bound)
        if len(signs) > self._limits.cel_depth:
            raise _too_deep(self._limits)
        for sign in reversed(signs):
            node = (sign, node)
        return node

    def _member(self, tree: Any, depth: int, bound: frozenset[str]) -> Node:
        links = []
        inner = tree.children[0]
        while inner.data != "primary":
            links.append(inner)
            inner = inner.children[0].children[0]
        node = self._primary(inner.children[0], depth, bound)
        for link in reversed(links):
            node = self._link(node, link, depth, bound)
        return node

    def _link(self, node: Node, tree: Any, depth: int, bound: frozenset[str]) -> Node:
        if tree.data == "member_dot":
            return ("select", node, str(tree.children[1]))
        if tree.data == "member_index":
            return ("index", node, self.expression(tree.children[1], depth + 1, bound))
        if tree.data != "member_dot_arg":
            raise Malformed("messages are not known here", got=str(tree.data))
        name = str(tree.children[1])
        arguments = tree.children[2].children if len(tree.children) > 2 else []
        if name in _MACROS:
            return self._macro(node, name, arguments, depth, bound)
        if name in _GLOBAL_ONLY:
            raise Malformed(f"{name} is no method", remedy=f"write {name}(…)")
        return self._call(name, [node, *(self.expression(one, depth + 1, bound) for one in arguments)])

    def _macro(self, node: Node, name: str, arguments: list[Any], depth: int, bound: frozenset[str]) -> Node:
        if len(arguments) not in _MACROS[name]:
            raise Malformed(f"{name} takes a variable and an expression", got=f"{len(arguments)} arguments")
        variable = self.expression(arguments[0], depth + 1, bound | VARIABLES | {str(_word(arguments[0]))})
        if variable[0] != "variable":
            raise Malformed(f"the first argument of {name} is the name of a variable")
        inner = bound | {variable[1]}
        body = tuple(self.expression(one, depth + 1, inner) for one in arguments[1:])
        return (name, node, variable[1], *body)

    def _call(self, name: str, arguments: list[Node]) -> Node:
        if name not in FUNCTIONS:
            raise Malformed(f"no function {name}", expected=", ".join(sorted({*FUNCTIONS, *_MACROS, "has"})))
        if len(arguments) not in FUNCTIONS[name]:
            raise Malformed(f"{name} with {len(arguments)} arguments", expected=str(sorted(FUNCTIONS[name])[0]))
        return ("call", name, tuple(arguments))

    def _primary(self, tree: Any, depth: int, bound: frozenset[str]) -> Node:
        if tree.data == "literal":
            return ("literal", _literal(tree.children[0]))
        if tree.data == "paren_expr":
            return self.expression(tree.children[0], depth + 1, bound)
        if tree.data == "ident":
            name = str(tree.children[0])
            if name not in bound and name not in VARIABLES:
                raise Malformed(f"no variable {name[:60]}", expected=", ".join(sorted(VARIABLES)))
            return ("variable", name)
        last: Any = tree.children[-1] if tree.children else None
        arguments = last.children if hasattr(last, "children") else []
        if tree.data == "list_lit":
            return ("list", tuple(self.expression(one, depth + 1, bound) for one in arguments))
        if tree.data == "map_lit":
            nodes = [self.expression(one, depth + 1, bound) for one in arguments]
            return ("map_of", tuple(zip(nodes[::2], nodes[1::2], strict=True)))
        if tree.data != "ident_arg":
            raise Malformed("names of packages are not known here", got=str(tree.data))
        name = str(tree.children[0])
        nodes = [self.expression(one, depth + 1, bound) for one in arguments]
        if name == "has":
            if len(nodes) != 1 or nodes[0][0] != "select":
                raise Malformed("has asks for a field", expected="has(a.b)")
            return ("has", nodes[0][1], nodes[0][2])
        if name in _METHOD_ONLY:
            raise Malformed(f"{name} is a method", remedy=f"write text.{name}(…)")
        return self._call(name, nodes)


def _word(tree: Any) -> object:
    """The one word of an expression that is nothing but a name; nothing of others."""
    while len(tree.children) == 1:
        tree = tree.children[0]
        if not hasattr(tree, "children"):
            return tree
    return ""


def _literal(token: Any) -> object:
    text, kind = str(token), token.type
    if kind == "BOOL_LIT":
        return text == "true"
    if kind == "NULL_LIT":
        return None
    if kind == "INT_LIT":
        digits = text.removeprefix("-")
        number = int(digits, 16) if digits.startswith("0x") else int(digits)
        number = -number if text.startswith("-") else number
        if not -_INT64 <= number < _INT64:
            raise Malformed("integer of more than 64 bits", got=text[:40])
        return number
    if kind == "FLOAT_LIT":
        return float(text)
    if kind in ("STRING_LIT", "MLSTRING_LIT"):
        return _string(text)
    if kind == "UINT_LIT":
        digits = text.removeprefix("-").rstrip("uU")
        number = int(digits, 16) if digits.lower().startswith("0x") else int(digits)
        if not 0 <= number < 2 * _INT64 or text.startswith("-"):
            raise Malformed("unsigned integer below zero or of more than 64 bits", got=text[:40])
        return Unsigned(number)
    if kind == "BYTES_LIT":
        return _bytes(text[1:])
    raise Malformed("no literal that is known here", got=text[:40])


def _string(text: str) -> str:
    """The value of a string literal. Spec: langdef.md, "String and Bytes Values"."""
    raw = text[:1] in "rR"
    text = text[1:] if raw else text
    quotes = text[:3] if text[:3] in ('"""', "'''") and len(text) >= 6 else text[:1]
    inner = text[len(quotes) : -len(quotes)]
    value = inner if raw else _ESCAPE.sub(_character, inner)
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise Malformed("lone surrogate in a string", got=repr(text)[:60])
    return value


def _bytes(text: str) -> bytes:
    """The value of a literal of bytes, without its `b`: characters are UTF-8, `\\x` and octal escapes one byte."""
    raw = text[:1] in "rR"
    text = text[1:] if raw else text
    quotes = text[:3] if text[:3] in ('"""', "'''") and len(text) >= 6 else text[:1]
    inner = text[len(quotes) : -len(quotes)]
    value = bytearray()
    at = 0
    for match in () if raw else _ESCAPE.finditer(inner):
        simple, byte, short, long, octal = match.groups()
        value += inner[at : match.start()].encode("utf-8", "surrogatepass")
        if short or long:
            raise Malformed(
                "a character by its number in bytes", got=match[0], remedy=r"write it, or \x and two digits"
            )
        if byte or octal:
            value.append(int(byte, 16) if byte else int(octal, 8))
        else:
            value += (_SIMPLE.get(simple, simple) if simple else _character(match)).encode()
        at = match.end()
    return bytes(value + inner[at:].encode("utf-8", "surrogatepass"))


def _character(match: re.Match[str]) -> str:
    simple, byte, short, long, octal = match.groups()
    if simple is not None:
        return _SIMPLE.get(simple, simple)
    digits = byte or short or long
    if digits is None and octal is None:
        raise Malformed("a backslash that escapes nothing", got=repr(match.string)[:60], remedy=r"write \\ for it")
    code = int(octal, 8) if digits is None else int(digits, 16)
    if code > 0x10FFFF:
        raise Malformed("no such character", got=match[0])
    return chr(code)
