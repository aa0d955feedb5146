"""Layouts, steps and inspections: what is read, what is refused. Spec: in-toto v1.0 §4.3."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from navicert.errors import LimitExceeded, Malformed
from navicert.limits import Limits
from navicert.model.layout import Inspection, Layout, Step, complete_layout
from navicert.model.rule import Rule, RuleKind

EXPIRES = "2030-01-01T00:00:00Z"
STEP = {
    "_type": "step",
    "name": "build",
    "threshold": 2,
    "pubkeys": ["0123abcd"],
    "expected_command": ["make"],
    "expected_materials": [["ALLOW", "*"]],
    "expected_products": [["DISALLOW", "*"]],
}
INSPECTION = {
    "_type": "inspection",
    "name": "scan",
    "run": ["scan", "."],
    "expected_materials": [["ALLOW", "*"]],
    "expected_products": [],
}
LAYOUT = {
    "_type": "layout",
    "expires": EXPIRES,
    "readme": "for people",
    "keys": {"0123abcd": {"keytype": "ed25519"}},
    "steps": [STEP],
    "inspect": [INSPECTION],
}


def changed(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in {**LAYOUT, **fields}.items() if value is not ...}


def test_a_layout_is_read_and_written_field_by_field() -> None:
    layout = Layout.from_json(LAYOUT)
    assert layout.expires == datetime(2030, 1, 1, tzinfo=UTC)
    assert layout.readme == "for people"
    assert layout.keys == {"0123abcd": {"keytype": "ed25519"}}
    assert layout.steps == (
        Step("build", 2, ("0123abcd",), ("make",), (Rule(RuleKind.ALLOW, "*"),), (Rule(RuleKind.DISALLOW, "*"),)),
    )
    assert layout.inspections == (Inspection("scan", ("scan", "."), (Rule(RuleKind.ALLOW, "*"),)),)
    assert layout.extra == {}
    assert layout.to_json() == LAYOUT


def test_unknown_fields_are_kept_at_every_level() -> None:
    document = changed(
        rootcas={}, steps=[{**STEP, "cert_constraints": []}], inspect=[{**INSPECTION, "timeout": 3}], extra=None
    )
    layout = Layout.from_json(document)
    assert layout.extra == {"rootcas": {}, "extra": None}
    assert layout.steps[0].extra == {"cert_constraints": []}
    assert layout.inspections[0].extra == {"timeout": 3}
    assert layout.to_json() == document


def test_what_may_be_missing_has_upstreams_defaults() -> None:
    layout = Layout.from_json({"expires": EXPIRES, "steps": [{"name": "a"}], "inspect": [{"name": "b"}]})
    assert layout.steps == (Step("a", 1, (), (), (), ()),)
    assert layout.inspections == (Inspection("b", (), (), ()),)
    assert layout.readme == ""
    assert layout.keys == {}


@pytest.mark.parametrize("name", ["expires", "steps", "inspect"])
def test_a_layout_without_what_it_cannot_do_without_is_refused(name: str) -> None:
    with pytest.raises(Malformed, match=f'required field "{name}" is missing'):
        Layout.from_json(changed(**{name: ...}))


@pytest.mark.parametrize(
    "expires",
    [None, 0, "", "never", "2030-01-01", "2030-01-01T00:00:00", "2030-01-01T00:00:00+00:00", "2030-13-01T00:00:00Z",
     "2030-02-30T00:00:00Z", "2030-01-01T25:00:00Z", " 2030-01-01T00:00:00Z", "2030-01-01T00:00:00Z\n",
     "٢030-01-01T00:00:00Z"],
)  # fmt: skip
def test_an_expiry_that_is_no_moment_is_refused(expires: object) -> None:
    with pytest.raises(Malformed) as caught:
        Layout.from_json(changed(expires=expires))
    assert caught.value.pointer == "/expires"


@pytest.mark.parametrize("threshold", [0, -1, True, False, "1", 1.0, None, [1]])
def test_a_threshold_is_a_number_and_at_least_one(threshold: object) -> None:
    with pytest.raises(Malformed) as caught:
        Layout.from_json(changed(steps=[{**STEP, "threshold": threshold}]))
    assert caught.value.pointer == "/steps/0/threshold"


@pytest.mark.parametrize(
    ("steps", "inspect", "where"),
    [
        ([STEP, STEP], [], "/steps/1/name"),
        ([STEP], [{**INSPECTION, "name": "build"}], "/inspect/0/name"),
        ([], [INSPECTION, INSPECTION], "/inspect/1/name"),
    ],
)
def test_a_name_used_twice_is_refused(steps: list[object], inspect: list[object], where: str) -> None:
    with pytest.raises(Malformed, match="name used twice") as caught:
        Layout.from_json(changed(steps=steps, inspect=inspect))
    assert caught.value.pointer == where


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"_type": "link"}, "/_type"),
        ({"_type": None}, "/_type"),
        ({"readme": 1}, "/readme"),
        ({"keys": []}, "/keys"),
        ({"keys": {"zz": {}}}, "/keys"),
        ({"keys": {"0123abcd": "PEM"}}, "/keys/0123abcd"),
        ({"steps": {}}, "/steps"),
        ({"steps": ["build"]}, "/steps/0"),
        ({"steps": [{}]}, "/steps/0"),
        ({"steps": [{**STEP, "name": "../x"}]}, "/steps/0/name"),
        ({"steps": [{**STEP, "name": None}]}, "/steps/0/name"),
        ({"steps": [{**STEP, "pubkeys": "0123abcd"}]}, "/steps/0/pubkeys"),
        ({"steps": [{**STEP, "pubkeys": ["x"]}]}, "/steps/0/pubkeys/0"),
        ({"steps": [{**STEP, "expected_command": "make"}]}, "/steps/0/expected_command"),
        ({"steps": [{**STEP, "expected_materials": [["ALLOW"]]}]}, "/steps/0/expected_materials/0"),
        ({"steps": [{**STEP, "expected_products": {}}]}, "/steps/0/expected_products"),
        ({"inspect": None}, "/inspect"),
        ({"inspect": [{}]}, "/inspect/0"),
        ({"inspect": [{**INSPECTION, "name": ".x"}]}, "/inspect/0/name"),
        ({"inspect": [{**INSPECTION, "run": "scan ."}]}, "/inspect/0/run"),
        ({"inspect": [{**INSPECTION, "expected_materials": [[]]}]}, "/inspect/0/expected_materials/0"),
        ({"inspect": [{**INSPECTION, "expected_products": [["MATCH", "x"]]}]}, "/inspect/0/expected_products/0"),
    ],
)
def test_a_wrong_type_in_any_field_is_refused_where_it_stands(fields: dict[str, object], where: str) -> None:
    with pytest.raises(Malformed) as caught:
        Layout.from_json(changed(**fields))
    assert caught.value.pointer == where


def test_a_rule_is_read_as_it_is_spelled_however_often_it_was_read_before() -> None:
    """What was read before is known by its words: by all of them, in their own letters."""
    spelled = [["ALLOW", "a"], ["allow", "a"], ["ALLOW", "a"], ["ALLOW", "A"], ["DISALLOW", "a"]]
    two = [STEP | {"name": name, "expected_materials": spelled, "expected_products": spelled} for name in "ab"]
    for step in Layout.from_json(LAYOUT | {"steps": two}).steps:
        for rules in (step.expected_materials, step.expected_products):
            assert [list(rule.spelling) for rule in rules] == spelled
            assert [rule.pattern for rule in rules] == ["a", "a", "a", "A", "a"]
            assert rules[0] is rules[2]


@pytest.mark.parametrize(
    "odd",
    [
        ["ALLOW", ["a"]],
        ["ALLOW", {}],
        ["ALLOW", 1],
        ["ALLOW"],
        ["ALLOW", "*", "more"],
        [],
        [["ALLOW", "a"]],
        "ALLOW",
        {},
    ],
)
def test_what_is_no_rule_is_refused_after_rules_that_were_read(odd: object) -> None:
    steps = [STEP, STEP | {"name": "other", "expected_products": [["ALLOW", "*"], ["DISALLOW", "*"], odd]}]
    with pytest.raises(Malformed) as caught:
        Layout.from_json(LAYOUT | {"steps": steps})
    assert str(caught.value.pointer).startswith("/steps/1/expected_products/2")


@pytest.mark.parametrize("value", [None, [], "layout", 1])
def test_a_layout_is_an_object(value: object) -> None:
    for read in (Layout.from_json, Step.from_json, Inspection.from_json):
        with pytest.raises(Malformed):
            read(value)


@pytest.mark.parametrize(
    ("fields", "limit"),
    [
        ({"keys": {f"{n:08x}": {} for n in range(4)}}, Limits(layout_keys=3)),
        ({"steps": [{**STEP, "name": str(n)} for n in range(4)]}, Limits(layout_keys=3)),
        ({"inspect": [{"name": str(n)} for n in range(4)]}, Limits(layout_keys=3)),
        ({"steps": [{**STEP, "pubkeys": ["0123abcd"] * 4}]}, Limits(layout_keys=3)),
        ({"steps": [{**STEP, "expected_materials": [["ALLOW", "*"]] * 4}]}, Limits(rules=3)),
        ({"inspect": [{"name": "i", "expected_products": [["ALLOW", "*"]] * 4}]}, Limits(rules=3)),
    ],
)
def test_nothing_in_a_layout_is_unbounded(fields: dict[str, object], limit: Limits) -> None:
    Layout.from_json(changed(**fields))
    with pytest.raises(LimitExceeded):
        Layout.from_json(changed(**fields), limits=limit)


class TestCompletion:
    """Upstream signs over its own defaults for missing fields: those are added, and nothing is changed or dropped."""

    def test_adds_what_is_missing(self) -> None:
        completed = complete_layout({"expires": EXPIRES, "steps": [{"name": "a"}], "inspect": [{"name": "b"}]})
        rules: dict[str, object] = {"expected_materials": [], "expected_products": []}
        assert completed == {
            "_type": "layout",
            "expires": EXPIRES,
            "readme": "",
            "keys": {},
            "steps": [{"_type": "step", "name": "a", "threshold": 1, "pubkeys": [], "expected_command": [], **rules}],
            "inspect": [{"_type": "inspection", "name": "b", "run": [], **rules}],
        }

    def test_keeps_what_is_there(self) -> None:
        document = changed(rootcas={"a": 1}, steps=[{**STEP, "unknown": 1}])
        assert complete_layout(document) == document
        assert complete_layout({"steps": "odd", "inspect": ["odd"]}) == {
            "_type": "layout", "readme": "", "keys": {}, "steps": "odd", "inspect": ["odd"]
        }  # fmt: skip

    def test_never_makes_up_an_expiry(self) -> None:
        assert "expires" not in complete_layout({})
