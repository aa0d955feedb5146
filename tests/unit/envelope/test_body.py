"""What a document holds: told by what it says of itself, never by a file name."""

from __future__ import annotations

import pytest

from navicert.envelope.body import describe, read_body
from navicert.errors import LimitExceeded, Malformed
from navicert.limits import Limits
from navicert.model.layout import Layout
from navicert.model.link import Link
from navicert.model.statement import Statement

LINK = {"_type": "link", "name": "build", "materials": {"a": {"sha256": "ab"}, "b": {"sha256": "ab"}}}
LAYOUT = {"_type": "layout", "expires": "2030-01-01T00:00:00Z", "steps": [{"name": "a"}, {"name": "b"}], "inspect": []}
STATEMENT = {
    "_type": "https://in-toto.io/Statement/v1",
    "subject": [{"name": "a", "digest": {"sha256": "ab"}}, {"name": "b", "digest": {"sha256": "ab"}}],
    "predicateType": "https://example.com/p",
}


@pytest.mark.parametrize(
    ("document", "kind", "word"),
    [(LINK, Link, "link"), (LAYOUT, Layout, "layout"), (STATEMENT, Statement, "statement")],
)
def test_a_document_is_what_its_type_says(document: dict[str, object], kind: type, word: str) -> None:
    body = read_body(document)
    assert type(body) is kind
    assert describe(body) == word


@pytest.mark.parametrize(
    "value", [{}, {"_type": None}, {"_type": "Link"}, {"_type": ["link"]}, {"_type": "https://in-toto.io/Statement"}]
)
def test_an_unknown_type_is_refused(value: object) -> None:
    with pytest.raises(Malformed, match="unknown document type") as caught:
        read_body(value)
    assert caught.value.pointer == "/_type"


@pytest.mark.parametrize("value", [[], None, "link", 1])
def test_a_document_is_an_object(value: object) -> None:
    with pytest.raises(Malformed, match="wrong type"):
        read_body(value)


@pytest.mark.parametrize(
    ("document", "limits"),
    [(LINK, Limits(artifacts=1)), (LAYOUT, Limits(layout_keys=1)), (STATEMENT, Limits(artifacts=1))],
)
def test_limits_reach_every_kind_of_document(document: dict[str, object], limits: Limits) -> None:
    with pytest.raises(LimitExceeded):
        read_body(document, limits)
