"""Parameters: `{name}`, `{{` and `}}`, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from navicert.errors import Malformed
from navicert.model.layout import Layout
from navicert.testing import chain
from navicert.verify.parameters import substitute


def fill(text: str, values: dict[str, str], *, patterns: frozenset[str] = frozenset(), strict: bool = True) -> str:
    layout = chain().step("build", by="bob", materials=[["ALLOW", text]]).layout()
    return substitute(layout, values, patterns, strict=strict).steps[0].expected_materials[0].pattern


def test_without_parameters_nothing_is_touched() -> None:
    layout = chain().step("build", by="bob", materials=[["ALLOW", "{version} {x!r} }{"]]).layout()
    assert substitute(layout, None, frozenset(), strict=True) is layout


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("app-{version}", "app-1.2"),
        ("{version}{version}", "1.21.2"),
        ("{{version}}", "{version}"),
        ("{{{version}}}", "{1.2}"),
        ("plain", "plain"),
        ("", ""),
        ("{a-b_C9}", "x"),
    ],
)
def test_a_placeholder_is_filled_in(text: str, filled: str) -> None:
    assert fill(text, {"version": "1.2", "a-b_C9": "x"}) == filled


def test_every_place_is_filled_in() -> None:
    made = (
        chain()
        .step("s", by="bob", command="make {v}", materials=["MATCH {v} IN {v} WITH PRODUCTS IN {v} FROM {v}"])
        .inspection("i", run="scan {v}", materials=["ALLOW {v}"], products=["DISALLOW {v}"])
    )
    layout = made.layout()
    layout = replace(layout, steps=(replace(layout.steps[0], expected_products=layout.steps[0].expected_materials),))
    found = substitute(layout, {"v": "1"}, frozenset(), strict=True)
    (step,), (inspection,) = found.steps, found.inspections
    assert step.expected_command == ("make", "1")
    for rule in (*step.expected_materials, *step.expected_products):
        assert str(rule) == "MATCH 1 IN 1 WITH PRODUCTS IN 1 FROM 1"
    assert inspection.run == ("scan", "1")
    assert str(inspection.expected_materials[0]) == "ALLOW 1"
    assert str(inspection.expected_products[0]) == "DISALLOW 1"


def test_names_and_keys_are_not_filled_in() -> None:
    layout = chain().step("{v}", by="bob").layout()
    assert substitute(layout, {"v": "1"}, frozenset(), strict=True).steps[0].name == "{v}"


def test_a_value_is_not_filled_in_again() -> None:
    assert fill("{a}", {"a": "{b}", "b": "x"}) == "{b}"


@pytest.mark.parametrize(
    "text",
    ["{}", "{0}", "{version.__class__}", "{version[0]}", "{version!r}", "{version:>10}", "{ version }", "{", "}", "a{b",
     "a}b", "{version", "{a{b}}", "{version}}", "{é}", "awk '{print $1}'"],
)  # fmt: skip
def test_anything_else_in_braces_is_refused(text: str) -> None:
    # Python's format language would reach into attributes.
    with pytest.raises(Malformed):
        fill(text, {"version": "1"})


def test_a_placeholder_without_a_value_is_refused_with_the_remedy() -> None:
    with pytest.raises(Malformed, match='parameter "version" has no value') as caught:
        fill("{version}", {})
    assert "--parameter version=" in caught.value.remedy


@pytest.mark.parametrize("name", ["", "a b", "a.b", "é", "a\n", "{a}"])
def test_a_bad_name_is_refused(name: str) -> None:
    with pytest.raises(Malformed, match="bad parameter name"):
        fill("x", {name: "1"})


@pytest.mark.parametrize("value", ["*", "1.*", "a?", "[ab]", "x["])
class TestWildcard:
    def test_is_not_smuggled_in_by_a_value(self, value: str) -> None:
        with pytest.raises(Malformed, match="is a pattern") as caught:
            fill("app-{v}", {"v": value})
        assert "--parameter-pattern v=" in caught.value.remedy

    def test_is_refused_even_where_nothing_uses_it(self, value: str) -> None:
        with pytest.raises(Malformed):
            substitute(Layout(chain().expires), {"v": value}, frozenset(), strict=True)

    def test_is_taken_where_it_is_declared(self, value: str) -> None:
        assert fill("app-{v}", {"v": value}, patterns=frozenset({"v"})) == f"app-{value}"
        with pytest.raises(Malformed):
            fill("app-{v}", {"v": value}, patterns=frozenset({"w"}))

    def test_is_taken_in_upstream(self, value: str) -> None:
        assert fill("app-{v}", {"v": value}, strict=False) == f"app-{value}"
