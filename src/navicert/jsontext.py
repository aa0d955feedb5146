"""JSON text, read and written by the compiled code of the standard library.

`json` prepares expressions when it is imported, for what it does where there is no such code: that takes longer than
all that a small verification reads. So the compiled part is asked directly. Where it is missing, or is not as it was,
`json` is; both give the same, and both are tested.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

    Read = Callable[[str], object]
    Write = Callable[[object], str]

try:
    from _json import encode_basestring, encode_basestring_ascii, make_encoder, make_scanner
except ImportError:
    encode_basestring = encode_basestring_ascii = make_encoder = make_scanner = None  # type: ignore[assignment,misc]

_CONSTANTS: Final = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
_WHITE: Final = " \t\n\r"
_IS_DEBUG: Final = hasattr(sys, "gettotalrefcount")
"""Whether the interpreter ends where compiled code fails without an exception: see `reader`."""


class _Reading:
    """What the compiled reader wants to know."""

    strict = True
    object_hook = None
    parse_int = int

    def __init__(self, pairs: Any, number: Any, constant: Any) -> None:
        self.object_pairs_hook = pairs
        self.parse_float = number or float
        self.parse_constant = constant or _CONSTANTS.__getitem__


def reader(*, pairs: Any = None, number: Any = None, constant: Any = None) -> Read:
    """The function that reads one JSON value from a text, as `json.JSONDecoder` does: `pairs` makes objects of their
    pairs, `number` what is no integer, `constant` makes NaN and infinities. It raises `ValueError` and
    `RecursionError`."""
    if make_scanner is None or _IS_DEBUG:
        return _library(pairs, number, constant)
    scan = make_scanner(_Reading(pairs, number, constant))  # type: ignore[arg-type]  # it looks at attributes only

    def read(text: str) -> object:
        text = text.strip(_WHITE)
        try:
            value, end = scan(text, 0)
        except StopIteration:
            raise ValueError("no JSON value") from None
        except SystemError:
            # Before 3.12 it finds the class of its errors only where `json` has been loaded, and says this instead.
            return _library(pairs, number, constant)(text)
        if end != len(text):
            raise ValueError("more than one JSON value")
        return value

    return read


def _library(pairs: Any, number: Any, constant: Any) -> Read:
    from json.decoder import JSONDecoder

    more = {} if pairs is None else {"object_pairs_hook": pairs}
    return JSONDecoder(parse_float=number, parse_constant=constant, **more).decode


def writer(comma: str = ", ", colon: str = ": ", *, ascii: bool = True, default: Any = None) -> Write:
    """The function that writes a value as JSON, keys in order, as `json.JSONEncoder` does: `default` makes of other
    types one that there is. It raises `TypeError`, `ValueError` and `RecursionError`."""
    quote = encode_basestring_ascii if ascii else encode_basestring
    other = _refuse if default is None else default

    def write(value: object) -> str:
        # The dictionary is where it keeps what it is inside of, to find what contains itself.
        return "".join(make_encoder({}, other, quote, None, colon, comma, True, False, True)(value, 0))

    if _writes(write):
        return write
    import json

    return json.JSONEncoder(sort_keys=True, ensure_ascii=ascii, separators=(comma, colon), default=default).encode


def _writes(write: Write) -> bool:
    """Whether compiled code is there, and is called as it was when this was written."""
    try:
        return make_encoder is not None and write("") == '""'
    except TypeError:
        return False


def quoted(text: str) -> str:
    """`text` as a JSON string of ASCII characters."""
    if make_encoder is not None:
        return encode_basestring_ascii(text)
    import json

    return json.encoder.encode_basestring_ascii(text)


def _refuse(value: object) -> object:
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
