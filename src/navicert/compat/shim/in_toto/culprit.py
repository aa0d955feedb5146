"""Which step or inspection is meant by an error that points into a layout."""

from __future__ import annotations

from navicert.compat.shim.in_toto.exceptions import InvalidMetadata
from navicert.compat.shim.in_toto.models.metadata import Envelope, read_payload
from navicert.compat.shim.securesystemslib.exceptions import FormatError
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NOUNS = {"steps": "step", "inspect": "inspection"}


def named(error: Malformed, metadata: Any) -> str:
    """The error, with the name of the step or inspection of the layout in `metadata` that it points into."""
    parts = error.pointer.removeprefix("/signed").removeprefix("/payload#").split("/")
    try:
        noun, number = _NOUNS[parts[1]], int(parts[2])
        described = read_payload(metadata.payload, "") if isinstance(metadata, Envelope) else metadata.signed.to_dict()
        name = described[parts[1]][number].get("name")
    except (AttributeError, IndexError, ValueError, KeyError, TypeError, FormatError, InvalidMetadata):
        return str(error)
    duplicate = "duplicate " if "used twice" in error.what else ""
    return f"{error} ({duplicate}{noun} '{name}')"
