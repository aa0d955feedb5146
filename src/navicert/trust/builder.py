"""The builder table that comes with this version."""

from __future__ import annotations

from collections.abc import Mapping

from navicert.errors import Malformed
from navicert.slsa.builders import TABLE_TYPE, BuilderTable


def shipped_builders() -> BuilderTable:
    """The table. None of it is trusted by a key: only identities, which nobody else can have."""
    from importlib import resources

    from navicert.strictjson import loads

    raw = resources.files("navicert.slsa").joinpath("builders-v1.json").read_bytes()
    document = loads(raw)
    if not isinstance(document, Mapping) or document.get("type") != TABLE_TYPE:
        raise Malformed("not a builder table", path="builders-v1.json", expected=TABLE_TYPE)
    return BuilderTable.from_json(document["builders"], "/builders", {}, f"shipped {document['date']}")
