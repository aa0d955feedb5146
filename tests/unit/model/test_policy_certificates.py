from __future__ import annotations

from typing import Any

import pytest
from tests.certificate_authority import new_root
from tests.certified_chain import ANY, ROOT_ID, authority, by, judge

from navicert.errors import Malformed
from navicert.model.policy import read_policy_document

ROOT = new_root()


def document(constraints: list[dict[str, Any]], **more: object) -> dict[str, Any]:
    step = {"name": "build", "cert_constraints": constraints, "expected_products": [["ALLOW", "*"]]}
    whole = {"_type": "navicert-policy/v1", "name": "app", "version": 1, "expires": "2099-01-01T00:00:00Z"}
    return {**whole, "rootcas": {ROOT_ID: authority(ROOT)}, "steps": [step], **more}


def test_our_own_document_says_what_a_layout_says():
    layout = read_policy_document(document([{**ANY, "common_name": "builder"}]))
    assert judge(layout, by(ROOT.issue("builder"), form="dsse")).passed
    assert not judge(layout, by(ROOT.issue("eve"), form="dsse")).passed
    assert not judge(layout, by(new_root().issue("builder"), form="dsse")).passed
    assert read_policy_document(layout.to_json()) == layout


@pytest.mark.parametrize(
    ("constraints", "more"),
    [
        ([], {}),
        ([{**ANY, "roots": []}], {}),
        ([{**ANY, "roots": ["cd" * 32]}], {}),
        ([{**ANY, "ou": ["x"]}], {}),
        ([ANY], {"rootcas": {}}),
        ([ANY], {"rootcas": []}),
        ([ANY, {}], {}),
    ],
)
def test_attack_a_constraint_that_demands_nothing_or_that_nobody_meets(constraints, more):
    with pytest.raises(Malformed):
        read_policy_document(document(constraints, **more))
