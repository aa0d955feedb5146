"""What a document holds once its bytes are trusted, or only looked at: layout, policy, link or statement.

The type is read from `_type`, never guessed from a file name.
"""

from __future__ import annotations

from navicert.errors import Malformed
from navicert.limits import LOCAL, Limits
from navicert.model.field import as_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from navicert.model.layout import Layout
    from navicert.model.link import Link
    from navicert.model.statement import Statement

    Body = Layout | Link | Statement
else:
    Body = object

_POLICY: Final = "navicert-policy/"


def read_body(value: object, limits: Limits = LOCAL) -> Body:
    """The document of a JSON object. Raises `Malformed` for a type that is not known."""
    kind = as_object(value, "").get("_type")
    if kind == "link":
        from navicert.model.link import Link

        return Link.from_json(value, limits=limits)
    if kind == "layout":
        from navicert.model.layout import Layout

        return Layout.from_json(value, limits=limits)
    if isinstance(kind, str) and kind.startswith("https://in-toto.io/Statement/"):
        from navicert.model.statement import Statement

        return Statement.from_json(value, limits=limits)
    if isinstance(kind, str) and kind.startswith(_POLICY):
        from navicert.model.policy import read_policy_document

        return read_policy_document(value, limits=limits)
    raise Malformed(
        "unknown document type", pointer="/_type", expected="layout, link or statement", got=repr(kind)[:60]
    )


def describe(body: Body) -> str:
    """What `body` is, in one word."""
    return "policy" if getattr(body, "terms", None) is not None else type(body).__name__.lower()
