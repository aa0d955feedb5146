"""JSON read strictly, and written canonically.

Reading refuses what two parsers could understand differently: duplicate keys, NaN and infinities, lone surrogates,
bytes that are not UTF-8, a byte order mark, trailing data; and what exhausts a parser: depth and size. Every
refusal carries a JSON pointer or a line and column.

Writing is OLPC canonical JSON, over which in-toto's Metablock signatures are made.
Spec: in-toto v1.0 §4.1; http://wiki.laptop.org/go/Canonical_JSON.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Final

from navicert.errors import LimitExceeded, Malformed
from navicert.limits import LOCAL, Limits

type_names: Final = {
    dict: "object",
    list: "array",
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    type(None): "null",
}
"""What JSON calls each Python type that a document is read into."""

# What `loads` returns: dict, list, str, int, float, bool, None, nested. Python's type system has no finite JSON type
# that narrows well, so documents travel as `object` and every reader narrows what it uses.
Json = object


_NUMBER: Final = "a finite number"
_WHOLE: Final = "whole characters"


class _Odd:
    """Stands in the parsed tree where something must be refused, so that its pointer is known when it is."""

    __slots__ = ("expected", "remedy", "what")

    def __init__(self, what: str, *, expected: str = "", remedy: str = "") -> None:
        self.what = what
        self.expected = expected
        self.remedy = remedy


def _pairs(pairs: list[tuple[str, object]]) -> object:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                return _Odd(f"duplicate key {json.dumps(name[:80])}", remedy="leave one of them, and sign again")
            seen.add(name)
    return result


def _constant(text: str) -> object:
    return _Odd(f"{text} is not JSON", expected=_NUMBER)


def _number(text: str) -> object:
    value = float(text)
    return value if math.isfinite(value) else _Odd("number out of range", expected=_NUMBER)


def pointer(parent: str, token: str | int) -> str:
    """The JSON pointer of `token` below `parent`. Spec: RFC 6901 §3."""
    return f"{parent}/{str(token).replace('~', '~0').replace('/', '~1')}"


def loads(raw: bytes, limits: Limits = LOCAL, *, path: str = "") -> Json:
    """The JSON value that `raw` holds. Raises `Malformed` or `LimitExceeded`, naming `path` and the JSON pointer."""
    if len(raw) > limits.document_bytes:
        raise LimitExceeded(
            "document too large (limit document_bytes)",
            path=path,
            expected=f"at most {limits.document_bytes} bytes",
            got=f"{len(raw)} bytes",
            remedy="raise the limit with --max-document-bytes if you trust where it comes from",
        )
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed(f"not UTF-8 at byte {error.start}", path=path, expected="JSON in UTF-8") from error
    if text.startswith("\ufeff"):
        raise Malformed("starts with a byte order mark", path=path, expected="JSON in UTF-8 without one")
    try:
        value = json.loads(text, object_pairs_hook=_pairs, parse_constant=_constant, parse_float=_number)
    except json.JSONDecodeError as error:
        raise Malformed(
            f"not JSON: {error.msg.lower()} at line {error.lineno} column {error.colno}",
            path=path,
            expected="one JSON document",
        ) from error
    except RecursionError as error:
        raise _too_deep(path, "", limits) from error
    except ValueError as error:  # an integer of more digits than the interpreter converts
        raise Malformed("number out of range", path=path, expected=_NUMBER) from error
    _inspect(value, limits, path, surrogates="\\ud" in text or "\\uD" in text)
    return value


def _too_deep(path: str, where: str, limits: Limits) -> LimitExceeded:
    return LimitExceeded(
        "nested too deeply (limit json_depth)", path=path, pointer=where, expected=f"at most {limits.json_depth} levels"
    )


# Where a value stands: the trail to its parent and the token below it, so that no pointer is built in vain.
_Trail = tuple[object, str | int]


def _inspect(root: object, limits: Limits, path: str, *, surrogates: bool) -> None:
    """Refuse what the parser let through: too deep, odd values, lone surrogates."""
    stack: list[tuple[object, int, _Trail | None]] = [(root, 1, None)]
    while stack:
        node, depth, trail = stack.pop()
        if isinstance(node, dict | list):
            if depth > limits.json_depth:
                raise _too_deep(path, _render(trail), limits)
            if isinstance(node, dict):
                if surrogates and not all(map(_encodable, node)):
                    where = _render(trail) or "/"
                    raise Malformed("lone surrogate in a key", path=path, pointer=where, expected=_WHOLE)
                children: Iterable[tuple[str | int, object]] = node.items()
            else:
                children = enumerate(node)
            # Strings are most of a document, and nothing can be wrong with them unless a surrogate was written.
            stack.extend(
                (child, depth + 1, (trail, token)) for token, child in children if surrogates or type(child) is not str
            )
        elif isinstance(node, str):
            if not _encodable(node):
                raise Malformed("lone surrogate", path=path, pointer=_render(trail) or "/", expected=_WHOLE)
        elif isinstance(node, _Odd):
            where = _render(trail) or "/"
            raise Malformed(node.what, path=path, pointer=where, expected=node.expected, remedy=node.remedy)


def _encodable(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _render(trail: object) -> str:
    tokens: list[str | int] = []
    while isinstance(trail, tuple):
        tokens.append(trail[1])
        trail = trail[0]
    where = ""
    for token in reversed(tokens):
        where = pointer(where, token)
    return where.encode("utf-8", "backslashreplace").decode("utf-8")


# --- writing -------------------------------------------------------------------------------------------------------

_ESCAPE = re.compile(r"\\(?:u([0-9a-f]{4})|(.))", re.DOTALL)
_PLAIN: Final = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '\\"', "\\": "\\\\"}


def canonical(value: object) -> bytes:
    """`value` in OLPC canonical JSON: keys sorted by code point, no white space, strings raw but for `\\` and `"`.

    Raises `Malformed` for what has no canonical form: floats, lone surrogates, other Python types.
    """
    _refuse_floats(value)
    try:
        text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_plain)
    except (TypeError, ValueError, RecursionError) as error:
        raise Malformed(f"no canonical JSON form: {error}") from error
    if "\\" in text:
        # json.dumps escapes control characters; the canonical form keeps them as they are.
        text = _ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else _PLAIN[m[2]], text)
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Malformed("no canonical JSON form: lone surrogate") from error


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not a JSON type")


def _refuse_floats(root: object) -> None:
    stack = [root]
    while stack:
        node = stack.pop()
        if type(node) is dict or isinstance(node, Mapping):
            for name, child in node.items():
                if type(name) is not str:
                    raise Malformed("no canonical JSON form: a key is not a string", got=repr(name)[:40])
                if type(child) is not str:
                    stack.append(child)
        elif isinstance(node, list | tuple):
            stack.extend(child for child in node if type(child) is not str)
        elif isinstance(node, float):
            raise Malformed(
                "no canonical JSON form: floats cannot be signed",
                pointer=_place(root, node),
                expected="an integer, or the number as a string",
                got=repr(node),
            )


def _place(root: object, wanted: object) -> str:
    """The JSON pointer of the object `wanted` in `root`: looked for only when something is wrong with it."""
    stack: list[tuple[object, _Trail | None]] = [(root, None)]
    while stack:
        node, trail = stack.pop()
        if node is wanted:
            return _render(trail)
        if isinstance(node, Mapping):
            stack.extend((child, (trail, name)) for name, child in node.items())
        elif isinstance(node, list | tuple):
            stack.extend((child, (trail, i)) for i, child in enumerate(node))
    return ""


def type_name(value: object) -> str:
    """What JSON calls the type of `value`."""
    return type_names.get(type(value), type(value).__name__)
