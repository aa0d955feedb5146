"""Statements and what they speak of. Spec: in-toto attestation framework v1."""

from __future__ import annotations

from typing import Any

import pytest

from navicert.digest import DigestSet
from navicert.errors import LimitExceeded, Malformed
from navicert.limits import Limits
from navicert.model.statement import STATEMENT_TYPES, ResourceDescriptor, Statement

STATEMENT = {
    "_type": STATEMENT_TYPES[0],
    "subject": [{"name": "app", "digest": {"sha256": "ab"}}],
    "predicateType": "https://example.com/p",
    "predicate": {"a": 1},
}


def test_a_statement_is_read_and_written() -> None:
    statement = Statement.from_json(STATEMENT)
    assert statement.subjects == (ResourceDescriptor("app", None, DigestSet.of({"sha256": "ab"})),)
    assert statement.predicate_type == "https://example.com/p"
    assert statement.predicate == {"a": 1}
    assert statement.to_json() == STATEMENT


def test_unknown_fields_are_kept_and_both_versions_are_read() -> None:
    old = {**STATEMENT, "_type": STATEMENT_TYPES[1], "more": 1}
    assert Statement.from_json(old).to_json() == old


def test_everything_that_a_subject_says_is_kept() -> None:
    subject = {
        "name": "app",
        "uri": "pkg:generic/app@1",
        "digest": {"sha256": "ab", "gce_image_id": "image 7"},
        "content": "AAECAw==",
        "downloadLocation": "https://example.com/app",
        "mediaType": "application/octet-stream",
        "annotations": {"sourceRefs": ["refs/heads/main"]},
        "more": [1],
    }
    statement = Statement.from_json({**STATEMENT, "subject": [subject]})
    assert statement.to_json()["subject"] == [subject]
    (read,) = statement.subjects
    assert (read.content, read.download_location) == (b"\0\1\2\3", "https://example.com/app")
    assert (read.media_type, read.annotations) == ("application/octet-stream", subject["annotations"])


def test_a_statement_of_the_first_version_names_every_subject_and_none_twice() -> None:
    one: dict[str, Any] = {"digest": {"sha256": "ab"}}
    old = {**STATEMENT, "_type": STATEMENT_TYPES[1]}
    for subjects in ([{**one, "name": "_"}, {**one, "name": "_"}], [{**one, "name": "a"}, {**one, "name": "b"}]):
        assert len(Statement.from_json({**old, "subject": subjects}).subjects) == 2
    for subjects, where in (
        ([one], "/subject/0"),
        ([{**one, "name": ""}], "/subject/0"),
        ([{**one, "name": "a"}, {**one, "name": "a"}], "/subject/1/name"),
    ):
        with pytest.raises(Malformed) as caught:
            Statement.from_json({**old, "subject": subjects})
        assert caught.value.pointer == where
        # Names are free in version 1.
        assert len(Statement.from_json({**STATEMENT, "subject": subjects}).subjects) == len(subjects)


@pytest.mark.parametrize("predicate", [None, ...])
def test_a_predicate_may_be_missing(predicate: object) -> None:
    document = {**STATEMENT, "predicate": predicate}
    if predicate is ...:
        del document["predicate"]
    assert Statement.from_json(document).predicate == {}


def test_a_subject_may_have_a_uri_for_a_name() -> None:
    document = {**STATEMENT, "subject": [{"uri": "pkg:x", "digest": {"sha256": "ab"}}]}
    assert Statement.from_json(document).to_json() == document


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"_type": "https://in-toto.io/Statement/v2"}, "/_type"),
        ({"_type": 1}, "/_type"),
        ({"subject": []}, "/subject"),
        ({"subject": {}}, "/subject"),
        ({"subject": ["app"]}, "/subject/0"),
        ({"subject": [{"name": "app"}]}, "/subject/0"),
        ({"subject": [{"name": "app", "digest": {}}]}, "/subject/0"),
        ({"subject": [{"name": "app", "digest": {"sha256": "xy"}}]}, "/subject/0/digest/sha256"),
        ({"subject": [{"name": 1, "digest": {"sha256": "ab"}}]}, "/subject/0/name"),
        ({"subject": [{"uri": 1, "digest": {"sha256": "ab"}}]}, "/subject/0/uri"),
        ({"predicateType": None}, "/predicateType"),
        ({"predicateType": ""}, "/predicateType"),
        ({"predicate": []}, "/predicate"),
        ({"subject": [{"name": "app", "digest": {"sha256": "ab"}, "annotations": []}]}, "/subject/0/annotations"),
        ({"subject": [{"name": "app", "digest": {"sha256": "ab"}, "content": "a"}]}, "/subject/0/content"),
        ({"subject": [{"name": "app", "digest": {"sha256": "ab"}, "content": 1}]}, "/subject/0/content"),
        ({"subject": [{"name": "app", "digest": {"sha256": "ab"}, "mediaType": 1}]}, "/subject/0/mediaType"),
        ({"subject": [{"name": "app", "digest": {"arn": ""}}]}, "/subject/0/digest/arn"),
        ({"subject": [{"name": "app", "digest": {"sha1": "x"}}]}, "/subject/0/digest/sha1"),
    ],
)
def test_anything_odd_is_refused_where_it_stands(fields: dict[str, Any], where: str) -> None:
    with pytest.raises(Malformed) as caught:
        Statement.from_json({**STATEMENT, **fields})
    assert caught.value.pointer == where


@pytest.mark.parametrize("name", ["_type", "subject", "predicateType"])
def test_nothing_that_identifies_it_may_be_missing(name: str) -> None:
    with pytest.raises(Malformed, match="is missing"):
        Statement.from_json({key: value for key, value in STATEMENT.items() if key != name})


def test_subjects_are_limited_in_number() -> None:
    with pytest.raises(LimitExceeded):
        Statement.from_json({**STATEMENT, "subject": STATEMENT["subject"] * 2}, limits=Limits(artifacts=1))  # type: ignore[operator]


@pytest.mark.parametrize(
    "value", [{}, {"name": "a"}, {"uri": ""}, {"digest": {}}, {"digest": None}, {"annotations": {"a": 1}}]
)
def test_a_descriptor_that_identifies_nothing_is_refused(value: object) -> None:
    with pytest.raises(Malformed, match="identifies nothing"):
        ResourceDescriptor.from_json(value, "/materials/0")
