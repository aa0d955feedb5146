"""Paths into objects of custom kinds."""

from __future__ import annotations

import pytest

from navicert.admission.jsonpath import Path
from navicert.errors import Malformed


def test_names_and_all_elements():
    root = {"spec": {"steps": [{"image": "a"}, {"image": None}, {}, {"image": "b"}], "o'd": 1, "x-y": {"z": 2}}}
    assert list(Path.parse("$.spec.steps[*].image").select(root)) == [
        ("/spec/steps/0/image", "a"),
        ("/spec/steps/3/image", "b"),
    ]
    assert list(Path.parse("$['spec'].x-y['z']").select(root)) == [("/spec/x-y/z", 2)]
    assert list(Path.parse("$.spec.none[*].image").select(root)) == []


@pytest.mark.parametrize(
    "text",
    ["", "$", "spec", "$.", "$..image", "$.a[0]", "$.a[?(@.b)]", "$.a[1:2]", "$.a.*", "$.a b", "$['a", "$.x" * 600],
)
def test_whatever_could_look_at_some_elements_only_is_refused(text: str):
    with pytest.raises(Malformed):
        Path.parse(text)


@pytest.mark.parametrize("root", [{"a": {"b": 1}}, {"a": "x"}])
def test_what_cannot_be_looked_into_is_not_empty(root: object):
    with pytest.raises(Malformed):
        list(Path.parse("$.a[*].b").select(root))
    with pytest.raises(Malformed):
        list(Path.parse("$.a.b.c").select(root))
