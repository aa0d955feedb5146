"""Reading one field of a document: the value in its type, or a refusal that names the JSON pointer."""

from __future__ import annotations

from navicert.digest import is_hex
from navicert.errors import LimitExceeded, Malformed
from navicert.limits import LOCAL
from navicert.strictjson import pointer, type_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

_LONGEST: Final = LOCAL.string

_FORBIDDEN: Final = frozenset(map(chr, (*range(0x20), 0x7F))) | {"/", "\\"}
"""Characters that no name has."""


def _wrong(expected: str, value: object, where: str) -> Malformed:
    return Malformed("wrong type", pointer=where or "/", expected=expected, got=type_name(value))


def as_object(value: object, where: str) -> dict[str, object]:
    """`value` as a JSON object."""
    if type(value) is not dict:
        raise _wrong("object", value, where)
    return value


def as_list(value: object, where: str, *, most: int | None = None) -> list[object]:
    """`value` as a JSON array of at most `most` elements."""
    if type(value) is not list:
        raise _wrong("array", value, where)
    if most is not None and len(value) > most:
        raise LimitExceeded("too many elements", pointer=where, expected=f"at most {most}", got=str(len(value)))
    return value


def as_text(value: object, where: str) -> str:
    """`value` as a string of bounded length."""
    if type(value) is not str:
        raise _wrong("string", value, where)
    if len(value) > _LONGEST:
        raise LimitExceeded("string too long (limit string)", pointer=where, expected=f"at most {_LONGEST}")
    return value


def as_integer(value: object, where: str) -> int:
    """`value` as an integer; `true` is not one."""
    if type(value) is not int:
        raise _wrong("integer", value, where)
    return value


def as_texts(value: object, where: str, *, most: int | None = None) -> tuple[str, ...]:
    """`value` as an array of strings."""
    items = as_list(value, where, most=most)
    for item in items:
        if type(item) is not str or len(item) > _LONGEST:
            # Refuses one of them; the pointer is made only for that.
            return tuple([as_text(one, pointer(where, i)) for i, one in enumerate(items)])
    return tuple(items)  # type: ignore[arg-type]


def required(document: Mapping[str, object], name: str, where: str) -> object:
    """The field `name`. Raises `Malformed` where it is missing: absence is never a default that grants something."""
    if name not in document:
        raise Malformed(f'required field "{name}" is missing', pointer=where or "/")
    return document[name]


def as_name(value: object, where: str) -> str:
    """`value` as the name of a step or inspection. Names become file names, so none may leave its folder."""
    name = as_text(value, where)
    if not 1 <= len(name) <= 200 or name.startswith(".") or not _FORBIDDEN.isdisjoint(name):
        raise Malformed(
            "not a usable name",
            pointer=where,
            expected="1 to 200 characters, no slash, backslash or control character, no leading dot",
            got=repr(name[:80]),
        )
    return name


def as_keyid(value: object, where: str) -> str:
    """`value` as a key id: hexadecimal, at least the 8 digits that file names are made of."""
    keyid = as_text(value, where)
    if not 8 <= len(keyid) <= 256 or not is_hex(keyid):
        raise Malformed("not a key id", pointer=where, expected="8 or more hexadecimal digits", got=repr(keyid[:80]))
    return keyid


def unknown(document: Mapping[str, object], known: frozenset[str]) -> dict[str, object]:
    """The fields of `document` that are not in `known`: kept, because the signature covers them."""
    if document.keys() <= known:
        return {}
    return {name: value for name, value in document.items() if name not in known}
