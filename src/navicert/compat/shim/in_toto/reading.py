"""Reading JSON files strictly, with the exceptions that scripts expect of Python's own reader."""

from __future__ import annotations

import json

from navicert.compat.shim.securesystemslib.exceptions import FormatError
from navicert.errors import LimitExceeded, Malformed
from navicert.limits import LOCAL
from navicert.strictjson import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def read_json(path: str, raw: bytes | None = None) -> tuple[bytes, Any]:
    """The bytes of the file at `path` (or `raw`, which came from there) and the JSON value in them.

    Raises `OSError`, `json.JSONDecodeError` for what is no JSON, `UnicodeDecodeError` for what is no text, and
    `FormatError` for what two readers could understand differently and for what is too large or too deep. All name
    the file.
    """
    if raw is None:
        with open(path, "rb") as stream:
            raw = stream.read(LOCAL.document_bytes + 1)
    try:
        return raw, loads(raw, path=path)
    except Malformed as error:
        if not isinstance(error, LimitExceeded):
            _as_python_says(raw, path)
        raise FormatError(str(error)) from error


def _as_python_says(raw: bytes, path: str) -> None:
    """Raises what Python's reader says about `raw`, if it says anything."""
    text = raw.decode("utf-8")
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        raise json.JSONDecodeError(f"{error.msg} in '{path}'" if path else error.msg, error.doc, error.pos) from None
    except (ValueError, RecursionError):
        return
