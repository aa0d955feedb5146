"""Canonical JSON, as `securesystemslib.formats` offers it."""

from __future__ import annotations

from navicert.compat.shim.securesystemslib.exceptions import FormatError
from navicert.errors import Malformed
from navicert.strictjson import canonical

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def encode_canonical(object: object, output_function: Callable[[str], object] | None = None) -> str | None:
    """The canonical JSON of `object`, or nothing where it was given to `output_function`. Raises `FormatError`."""
    try:
        text = canonical(object).decode("utf-8")
    except Malformed as error:
        raise FormatError(f"Could not encode {object!r}: {error}") from error
    if output_function is None:
        return text
    output_function(text)
    return None
