"""What a document holds once its bytes are trusted, or only looked at: layout, link or statement.

The type is read from `_type`, never guessed from a file name.
"""

from __future__ import annotations

from navicert.errors import Malformed
from navicert.limits import LOCAL, Limits
from navicert.model.field import as_object
from navicert.model.layout import Layout
from navicert.model.link import Link
from navicert.model.statement import Statement

Body = Layout | Link | Statement


def read_body(value: object, limits: Limits = LOCAL) -> Body:
    """The document of a JSON object. Raises `Malformed` for a type that is not known."""
    kind = as_object(value, "").get("_type")
    if kind == "link":
        return Link.from_json(value, limits=limits)
    if kind == "layout":
        return Layout.from_json(value, limits=limits)
    if isinstance(kind, str) and kind.startswith("https://in-toto.io/Statement/"):
        return Statement.from_json(value, limits=limits)
    raise Malformed(
        "unknown document type", pointer="/_type", expected="layout, link or statement", got=repr(kind)[:60]
    )


def describe(body: Body) -> str:
    """What `body` is, in one word."""
    return type(body).__name__.lower()
