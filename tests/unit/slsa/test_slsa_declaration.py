"""Declarations as attestations: they count as declared, of this artifact, by whom the expectations name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.sample_build import APP, SCAI, SampleBuild, leaf, pem, statement

from navicert.digest import sha256
from navicert.errors import Malformed
from navicert.slsa.declaration import attribute_of
from navicert.slsa.expectation import Expectations
from navicert.slsa.levels import DECLARABLE
from navicert.verdict import Outcome

LEVEL_3 = ("service", "generated", "ephemeral", "isolated", "non-falsifiable", "history", "retained")
Change = Callable[[SampleBuild], object]


def declared(change: Change = lambda _: None, *, signer: str = "mallory", digest: str = "", **more: Any) -> SampleBuild:
    """A build whose builder nobody knows, and for which somebody declares what level 3 lacks."""
    build = SampleBuild()
    build.expectations["builders"] = []
    build.documents = build.documents[:1]
    build.expectations["declarers"] = [pem(build.mallory)]
    attributes = [{"attribute": attribute_of(name), **more} for name in LEVEL_3]
    document = statement(SCAI, {"attributes": attributes}, {"sha256": digest or sha256(APP).hex})
    build.add(document, getattr(build, signer))
    change(build)
    return build


def test_what_a_declarer_signed_counts_as_declared_and_not_as_evidence() -> None:
    found = declared().assess()
    assert (found.table.reached, found.declared.reached) == (1, 3)
    check = leaf(found, "slsa.table-ephemeral", declared=True)
    assert check.facts["class"] == "declared"
    assert "1.intoto.json, signed by" in check.reason
    assert "signed declarations" in found.declared.check.reason
    assert leaf(found, "slsa.table-ephemeral").outcome is Outcome.FAIL


@pytest.mark.parametrize(
    "build",
    [
        declared(signer="alice"),
        declared(lambda build: build.expectations.update(declarers=[])),
        declared(digest="ab" * 32),
        declared(conditions={"if": "it is so"}),
        declared(target={"name": "a part", "digest": {"sha256": "ab" * 32}}),
        declared(lambda build: build.documents[1][0]["predicate"].update(attributes=[{"attribute": "EPHEMERAL"}])),
        declared(lambda build: build.documents[1][0]["predicate"].update(attributes=[])),
    ],
    ids=["another signer", "no declarer", "another artifact", "conditions", "a part", "another attribute", "malformed"],
)
def test_what_declares_nothing(build: SampleBuild) -> None:
    assert build.assess().declared.reached == 1


def test_only_what_can_be_declared_has_an_attribute_and_each_has_its_own() -> None:
    assert len({attribute_of(name) for name in DECLARABLE}) == len(DECLARABLE)
    build = declared()
    build.documents[1][0]["predicate"]["attributes"] = [{"attribute": attribute_of("provenance")}]
    assert build.assess().declared.reached == 1


def test_declarers_are_named_by_a_document_that_somebody_vouches_for() -> None:
    build = declared()
    with pytest.raises(Malformed, match='"declarers" in a document that nobody vouches for'):
        Expectations.from_json({"type": "navicert-expectations/v1", "declarers": build.expectations["declarers"]})


def test_what_the_expectations_declare_stands_over_it() -> None:
    build = declared(lambda build: build.expectations.update(declared={"ephemeral": "each job gets a machine"}))
    assert "each job gets a machine" in leaf(build.assess(), "slsa.table-ephemeral", declared=True).reason
