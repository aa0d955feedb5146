"""Links: what is read, what is refused. Spec: in-toto v1.0 §4.4."""

from __future__ import annotations

from typing import Any

import pytest

from navicert.digest import DigestSet
from navicert.errors import LimitExceeded, Malformed
from navicert.limits import Limits
from navicert.model.link import Link, complete_link

LINK = {
    "_type": "link",
    "name": "build",
    "command": ["make", "all"],
    "materials": {"src/a": {"sha256": "ab", "sha512": "cd"}},
    "products": {"app": {"sha256": "ef"}},
    "byproducts": {"return-value": 0, "stdout": ""},
    "environment": {"workdir": "/src"},
}


def test_a_link_is_read_and_written_field_by_field() -> None:
    link = Link.from_json(LINK)
    assert link.name == "build"
    assert link.command == ("make", "all")
    assert link.materials == {"src/a": DigestSet.of({"sha512": "cd", "sha256": "ab"})}
    assert link.products == {"app": DigestSet.of({"sha256": "ef"})}
    assert link.byproducts == {"return-value": 0, "stdout": ""}
    assert link.environment == {"workdir": "/src"}
    assert link.to_json() == LINK


def test_unknown_fields_are_kept() -> None:
    assert Link.from_json({**LINK, "more": [1]}).extra == {"more": [1]}
    assert Link.from_json({**LINK, "more": [1]}).to_json() == {**LINK, "more": [1]}


def test_only_the_name_must_be_there() -> None:
    assert Link.from_json({"name": "a"}) == Link("a")
    with pytest.raises(Malformed, match='"name" is missing'):
        Link.from_json({"_type": "link"})


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"name": None}, "/name"),
        ({"command": "make"}, "/command"),
        ({"command": [1]}, "/command/0"),
        ({"materials": []}, "/materials"),
        ({"materials": {"a": "ab"}}, "/materials/a"),
        ({"materials": {"a/b": {"sha256": "xy"}}}, "/materials/a~1b/sha256"),
        ({"products": {"a": {"sha256": ""}}}, "/products/a/sha256"),
        ({"products": {"a": {"sha256": 1}}}, "/products/a/sha256"),
        ({"products": {"a": {"sha 256": "ab"}}}, "/products/a"),
        ({"products": {"a": None}}, "/products/a"),
        ({"byproducts": []}, "/byproducts"),
        ({"environment": "x"}, "/environment"),
    ],
)
def test_a_wrong_type_in_any_field_is_refused_where_it_stands(fields: dict[str, Any], where: str) -> None:
    with pytest.raises(Malformed) as caught:
        Link.from_json({**LINK, **fields})
    assert caught.value.pointer == where


@pytest.mark.parametrize("side", ["materials", "products"])
def test_artifacts_are_limited_in_number(side: str) -> None:
    document = {"name": "a", side: {str(n): {"sha256": "ab"} for n in range(4)}}
    Link.from_json(document, limits=Limits(artifacts=4))
    with pytest.raises(LimitExceeded, match="limit artifacts"):
        Link.from_json(document, limits=Limits(artifacts=3))


def test_completion_adds_upstreams_defaults_and_changes_nothing() -> None:
    assert complete_link(LINK) == LINK
    assert complete_link({"name": "a", "more": 1}) == {
        "_type": "link", "name": "a", "command": [], "materials": {}, "products": {}, "byproducts": {},
        "environment": {}, "more": 1,
    }  # fmt: skip
    assert complete_link({})["name"] is None
