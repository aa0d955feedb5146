"""JSON read strictly, and written canonically.

Reading refuses what two parsers could understand differently: duplicate keys, NaN and infinities, lone surrogates,
bytes that are not UTF-8, a byte order mark, trailing data; and what exhausts a parser: depth and size. Every
refusal carries a JSON pointer or a line and column.

Writing is OLPC canonical JSON, over which in-toto's Metablock signatures are made.
Spec: in-toto v1.0 §4.1; http://wiki.laptop.org/go/Canonical_JSON.
"""

from __future__ import annotations

import math
import sys

from navicert.dataclass import dataclass
from navicert.errors import LimitExceeded, Malformed
from navicert.interface import Iterable, Mapping
from navicert.jsontext import quoted, reader, writer
from navicert.limits import LOCAL, Limits
from navicert.survey import strings_in, survey

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

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
                return _Odd(f"duplicate key {quoted(name[:80])}", remedy="leave one of them, and sign again")
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
    return read(raw, limits, path=path).value


@dataclass(frozen=True, slots=True)
class Reading:
    """A JSON value that was read, and whether it may hold a float, for which there is no canonical form."""

    value: Json
    floats: bool = True


def read(raw: bytes, limits: Limits = LOCAL, *, path: str = "") -> Reading:
    """As `loads`, with what was learned about the value on the way."""
    if len(raw) > limits.document_bytes:
        raise LimitExceeded(
            "document too large (limit document_bytes)",
            path=path,
            expected=f"at most {limits.document_bytes} bytes",
            got=f"{len(raw)} bytes",
            remedy="raise the limit with --max-document-bytes if you trust where it comes from",
        )
    return _quickly(raw, limits) or Reading(_strictly(raw, limits, path))


# --- reading quickly -----------------------------------------------------------------------------------------------

_LARGE: Final = 1024 * 1024
"""From this size on `orjson` pays for its import."""

_decode: Final = reader()


_SHORT: Final = 4096
"""Up to this size it is looked whether a document has few objects: of these each is checked as it is made, which takes
less than a survey of the whole."""


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """The object of `pairs`. Raises `ValueError` for a name that stands in it twice."""
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError
    return value


def _doubt(text: str) -> object:
    """Raises `ValueError`: what is a float, or no number at all, is read with care."""
    raise ValueError


_decode_few: Final = reader(pairs=_distinct, number=_doubt, constant=_doubt)


def _has_orjson(size: int) -> bool:
    return size >= _LARGE or "orjson" in sys.modules


def _quickly(raw: bytes, limits: Limits) -> Reading | None:
    """The value that `raw` holds, where it is proven that `_strictly` gives the same; else None.

    Parsed without a look at the pairs of each object; then shown to have lost none (`navicert.survey`), to hold no
    number that a parser may have changed, and to be no deeper than allowed. Of a short text with fewer brackets than
    levels are allowed the pairs are looked at instead. Every doubt is for `_strictly`, which alone refuses, and says
    why.
    """
    if b"\\" in raw and (b"\\ud" in raw or b"\\uD" in raw):
        return None  # maybe half of a surrogate pair
    try:
        if len(raw) <= _SHORT and raw.count(b"{") + raw.count(b"[") <= limits.json_depth:
            return Reading(_decode_few(raw.decode("utf-8")), floats=False)
        if _has_orjson(len(raw)):
            import orjson

            value = orjson.loads(raw)
        else:
            value = _decode(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    found = survey(value, limits.json_depth)
    if found.odd or found.depth > limits.json_depth or found.strings != strings_in(raw):
        return None
    return Reading(value, found.floats)


# --- reading strictly ----------------------------------------------------------------------------------------------


def _strictly(raw: bytes, limits: Limits, path: str) -> object:
    import json

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

_CONTROLS: Final = {quoted(chr(code))[1:-1]: chr(code) for code in range(32)}
"""What control characters are written as."""


def canonical(value: object, *, size: int = 0) -> bytes:
    """`value` in OLPC canonical JSON: keys sorted by code point, no white space, strings raw but for `\\` and `"`.

    `size` says that `value` (or what it is a part of) was read from so many bytes by `read`, which found no float.
    Raises `Malformed` for what has no canonical form: floats, lone surrogates, other Python types.
    """
    if not size:
        found = survey(value, LOCAL.json_depth)
        if found.odd or found.floats or found.depth > LOCAL.json_depth:
            _refuse_floats(value)
        else:
            size = _BYTES_PER_STRING * found.strings
    if size and _has_orjson(size):
        quick = _canonical_quickly(value)
        if quick is not None:
            return quick
    try:
        text = _encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise Malformed(f"no canonical JSON form: {error}") from error
    if "\\" in text:
        # json.dumps escapes control characters; the canonical form keeps them as they are.
        text = "\\\\".join(map(_unescaped, text.split("\\\\")))
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Malformed("no canonical JSON form: lone surrogate") from error


def _unescaped(text: str) -> str:
    """`text`, in which a backslash stands for itself nowhere, with control characters as they are."""
    if "\\" in text:
        for written, character in _CONTROLS.items():
            text = text.replace(written, character)
    return text


_BYTES_PER_STRING: Final = 24
"""About what a string takes of a document that is mostly paths and digests: enough to tell large from small."""


def _canonical_quickly(value: object) -> bytes | None:
    """The canonical form by `orjson`, where its own is that: nothing had to be escaped, which canonical JSON does
    otherwise. Its order of keys, by bytes of UTF-8, is that of code points."""
    import orjson

    try:
        raw = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return None  # an integer of more than 64 bits, or half of a surrogate pair
    return None if b"\\" in raw else raw


def indented(value: object) -> str:
    """`value` as `json.dumps(value, indent=1, separators=(",", ": "), sort_keys=True)` writes it, which is how in-toto
    writes Metablocks: in a fraction of the time that this takes for a hundred thousand artifacts."""
    parts: list[str] = []
    _indent(value, "\n", parts)
    return "".join(parts)


def _indent(value: object, line: str, parts: list[str]) -> None:
    """Append the text of `value` to `parts`; `line` is a line feed and the indentation of what surrounds it."""
    inner = line + " "
    if isinstance(value, dict) and value:
        mark = "{" + inner
        for name in sorted(value):
            child = value[name]
            if type(child) is dict and len(child) == 1:
                # Most of a link: a path with one digest.
                ((key, text),) = child.items()
                if type(text) is str:
                    parts.append(f"{mark}{quoted(name)}: {{{inner} {quoted(key)}: {quoted(text)}{inner}}}")
                    mark = "," + inner
                    continue
            parts.append(f"{mark}{quoted(name)}: ")
            mark = "," + inner
            _indent(child, inner, parts)
        parts.append(f"{line}}}")
    elif isinstance(value, list | tuple) and value:
        mark = "["
        for child in value:
            parts.append(mark + inner)
            mark = ","
            _indent(child, inner, parts)
        parts.append(f"{line}]")
    else:
        parts.append(_scalar(value))


_scalar: Final = writer()


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not a JSON type")


_encode: Final = writer(",", ":", ascii=False, default=_plain)


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
