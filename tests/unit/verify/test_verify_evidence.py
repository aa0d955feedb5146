"""What a verified document claims about a step, and which paths are refused."""

from __future__ import annotations

from typing import Any

import pytest

from navicert.digest import DigestSet
from navicert.errors import Malformed
from navicert.model.layout import Layout
from navicert.model.link import Link
from navicert.model.statement import STATEMENT_TYPES, Statement
from navicert.testing import LATER
from navicert.verify.evidence import carries_link, claim_of, odd_path, run_id_of, same_artifacts
from navicert.verify.rules import Record

A, B = DigestSet.of({"sha256": "a" * 64}), DigestSet.of({"sha256": "b" * 64})

SOME: dict[str, Any] = {"digest": {"sha256": "ab"}}


def statement(
    predicate: object, *, type: str = "https://in-toto.io/attestation/link/v0.3", **subject: Any
) -> Statement:
    return Statement.from_json(
        {
            "_type": STATEMENT_TYPES[0],
            "subject": [{"name": "app", "digest": {"sha256": "a" * 64}, **subject}],
            "predicateType": type,
            "predicate": predicate,
        }
    )


class TestClaim:
    def test_of_a_link_is_what_it_says(self) -> None:
        link = Link("build", ("make",), {"src": A}, {"app": B}, {"return-value": 0}, {"workdir": "/"})
        claim = claim_of(link)
        assert claim is not None
        assert (claim.name, claim.record, claim.command) == ("build", Record({"src": A}, {"app": B}), ("make",))
        assert (claim.byproducts, claim.environment) == ({"return-value": 0}, {"workdir": "/"})

    def test_of_a_link_statement_has_the_subjects_for_products(self) -> None:
        predicate = {
            "name": "build",
            "command": ["make"],
            "materials": [
                {"name": "src", "digest": {"sha256": "b" * 64}},
                {"uri": "pkg:x", "digest": {"sha256": "a" * 64}},
            ],
            "byproducts": {"return-value": 0},
            "environment": {"a": 1},
        }
        claim = claim_of(statement(predicate))
        assert claim is not None
        assert claim.name == "build"
        assert claim.record == Record({"src": B, "pkg:x": A}, {"app": A})
        assert (claim.command, claim.byproducts, claim.environment) == (("make",), {"return-value": 0}, {"a": 1})

    def test_of_an_older_link_statement_has_a_map_of_materials_and_one_command_line(self) -> None:
        predicate = {"name": "build", "command": "make all", "materials": {"src": {"sha256": "b" * 64}}}
        claim = claim_of(statement(predicate, type="https://in-toto.io/Link/v1"))
        assert claim is not None
        assert claim.record.materials == {"src": B}
        assert claim.command == ("make all",)

    @pytest.mark.parametrize("materials", [None, [], {}])
    def test_may_have_no_materials(self, materials: object) -> None:
        claim = claim_of(statement({"name": "build", "materials": materials}))
        assert claim is not None
        assert claim.record.materials == {}

    @pytest.mark.parametrize(
        "type",
        [
            "https://slsa.dev/provenance/v1",
            "https://in-toto.io/attestation/link/v1",
            "https://in-toto.io/attestation/link/v0.4",
            "https://in-toto.io/attestation/link/v0.3/x",
            "https://in-toto.io/attestation/link/v0x3",
            "https://in-totoXio/attestation/link/v0.3",
            "https://in-toto.io/Link/v2",
            "http://in-toto.io/attestation/link/v0.3",
            "https://in-toto.io/attestation/vulns/v0.1",
        ],
    )
    def test_of_any_other_predicate_is_none(self, type: str) -> None:
        assert not carries_link(type)
        assert claim_of(statement({"name": "build"}, type=type)) is None

    def test_of_a_layout_is_none(self) -> None:
        assert claim_of(Layout(LATER)) is None

    @pytest.mark.parametrize(
        ("predicate", "where"),
        [
            ({}, "/predicate"),
            ({"name": 1}, "/predicate/name"),
            ({"name": "a", "command": [1]}, "/predicate/command/0"),
            ({"name": "a", "materials": "src"}, "/predicate/materials"),
            ({"name": "a", "materials": {"src": "x"}}, "/predicate/materials"),
            ({"name": "a", "materials": [{}]}, "/predicate/materials/0"),
            ({"name": "a", "materials": [{"digest": {"sha256": "ab"}}]}, "/predicate"),
            ({"name": "a", "materials": [{"name": "x"}]}, "/predicate/materials/0"),
            ({"name": "a", "materials": [{"uri": "x"}]}, "/predicate/materials/0"),
            ({"name": "a", "materials": [{"name": "x", **SOME}, {"name": "x", **SOME}]}, "/predicate"),
            ({"name": "a", "materials": [{"name": "x", **SOME}, {"uri": "x", **SOME}]}, "/predicate"),
            ({"name": "a", "byproducts": []}, "/predicate/byproducts"),
            ({"name": "a", "environment": 1}, "/predicate/environment"),
        ],
    )
    def test_of_a_bad_predicate_is_refused_where_it_stands(self, predicate: object, where: str) -> None:
        with pytest.raises(Malformed) as caught:
            claim_of(statement(predicate))
        assert caught.value.pointer == where

    def test_of_a_product_without_a_name_is_refused(self) -> None:
        with pytest.raises(Malformed, match="without a name"):
            claim_of(statement({"name": "a"}, name=None))


ODD = [
    "", ".", "./x", "a/./b", "a//b", "//x", "a/../b", "../a/../b", "a/", "a/.", "a/..", "/../x", "/a//b", "./",
    "../", "../../", "file:./x", "file:a//b", "file:", "file:.", "file:a/../x", "dir:a//b",
]  # fmt: skip
EVEN = [
    "x", "a/b", "..", "../x", "../../x", "/", "/x", "/a/b", "a b", ".hidden", "a/.b", "a..b", "...", "file:x",
    "file:/x", "https://example.com//a/../b", "git+ssh://x//y", "oci:x", "pkg:x", "a:b", "a\\b", "é/x", "-", "*",
]  # fmt: skip


class TestPath:
    @pytest.mark.parametrize("path", ODD)
    @pytest.mark.parametrize("side", ["materials", "products"])
    def test_that_has_another_spelling_is_odd(self, path: str, side: str) -> None:
        # GHSA-vrxp-mg9f-hwf3: `dir/../foo` dodges a rule on `foo`.
        record = Record({path: A}, {}) if side == "materials" else Record({}, {path: A})
        assert odd_path(record) == path

    @pytest.mark.parametrize("path", EVEN)
    def test_in_normal_form_is_taken(self, path: str) -> None:
        assert odd_path(Record({path: A}, {path: A})) is None

    def test_is_looked_for_among_all(self) -> None:
        assert odd_path(Record({"a": A, "b": A}, {"c": A, "d//e": A})) == "d//e"


class TestSameArtifacts:
    def test_is_by_common_strong_digests_or_by_equality(self) -> None:
        more = DigestSet.of({"sha256": "a" * 64, "sha512": "c" * 128})
        assert same_artifacts(Record({"x": A}, {}), Record({"x": more}, {}), strong=True)
        assert not same_artifacts(Record({"x": A}, {}), Record({"x": more}, {}), strong=False)
        assert same_artifacts(Record({"x": A}, {"y": B}), Record({"x": A}, {"y": B}), strong=False)

    @pytest.mark.parametrize("strong", [True, False])
    @pytest.mark.parametrize(
        "other",
        [Record({"x": B}, {"y": B}), Record({"x": A}, {"y": A}), Record({"x": A}, {}), Record({}, {"y": B}),
         Record({"x": A, "z": A}, {"y": B}), Record({"x": A}, {"y": B, "z": A})],
    )  # fmt: skip
    def test_is_not_the_case_for_any_difference(self, strong: bool, other: Record) -> None:
        assert not same_artifacts(Record({"x": A}, {"y": B}), other, strong=strong)
        assert not same_artifacts(other, Record({"x": A}, {"y": B}), strong=strong)

    def test_is_not_the_case_for_more_paths_either_whatever_their_digests(self) -> None:
        more = DigestSet.of({"sha256": "a" * 64, "sha512": "c" * 128})
        few, many = Record({"x": more}, {}), Record({"x": more, "z": more}, {})
        assert not same_artifacts(few, many, strong=True)
        assert not same_artifacts(many, few, strong=True)
        assert not same_artifacts(few, Record({"y": more}, {}), strong=True)

    def test_of_nothing_is_the_case(self) -> None:
        assert same_artifacts(Record({}, {}), Record({}, {}), strong=True)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"navicert": {"run-id": "7"}}, "7"),
        ({"navicert": {"run-id": 7}}, None),
        ({"navicert": {}}, None),
        ({"navicert": "7"}, None),
        ({"run-id": "7"}, None),
        ({}, None),
    ],
)
def test_a_run_id_is_where_our_recorder_writes_it(environment: dict[str, object], expected: str | None) -> None:
    assert run_id_of(environment) == expected
