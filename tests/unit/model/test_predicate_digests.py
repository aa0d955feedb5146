"""Digests anywhere in a predicate: whole, or named with their place."""

from __future__ import annotations

import pytest

from navicert.digest import HEXADECIMAL, DigestSet, spelling_problem
from navicert.errors import Malformed
from navicert.model.predicate.digests import check_digests

WHOLE = {
    "sha256": 64,
    "sha512": 128,
    "sha1": 40,
    "md5": 32,
    "gitCommit": 40,
    "gitTree": 64,
    "dirHash1": 64,
    "shake128": 2,
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_digest_has_all_its_digits(name: str) -> None:
    good = "a" * WHOLE[name]
    assert spelling_problem(name, good) == ""
    DigestSet.of({name: good}).check("/digest")
    for bad in (good[:-1], good + "a", "", "g" * WHOLE[name]):
        assert spelling_problem(name, bad)
        with pytest.raises(Malformed, match="not a digest") as caught:
            DigestSet.of({name: bad}).check("/digest")
        assert caught.value.pointer == f"/digest/{name}"


def test_every_algorithm_in_hexadecimal_has_a_length_or_an_even_one() -> None:
    assert all(spelling_problem(name, "abc") for name in HEXADECIMAL)
    assert spelling_problem("arn", "aws:x") == ""


HEX = "a" * 64


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"a": [{"digest": {"sha256": "aa"}}]}, "/a/0/digest/sha256"),
        ({"digest": {"sha256": HEX, "sha1": "abc"}}, "/digest/sha1"),
        ({"digest": "sha256:aa"}, "/digest"),
        ({"digest": "sha256: aa"}, "/digest"),
        ({"checksums": [{"algorithm": "SHA256", "checksumValue": "aa"}]}, "/checksums/0/checksumValue"),
        ({"verifiedUsing": [{"algorithm": "sha3_256", "hashValue": "aa"}]}, "/verifiedUsing/0/hashValue"),
        ({"hashes": [{"alg": "SHA3-512", "content": HEX}]}, "/hashes/0/content"),
        ({"hashes": [{"alg": "MD5", "content": "zz" * 16}]}, "/hashes/0/content"),
        ([[{"x/y": {"digest": {"gitCommit": "1f"}}}]], "/0/0/x~1y/digest/gitCommit"),
    ],
)
def test_the_one_that_is_not_is_named_with_its_place(value: object, place: str) -> None:
    with pytest.raises(Malformed, match="not a digest") as caught:
        check_digests(value)
    assert caught.value.pointer == place


@pytest.mark.parametrize(
    "value",
    [
        {"digest": {"sha256": HEX, "arn": "aws:x", "unknown": "?"}},
        {"digest": f"sha256:{HEX}"},
        {"digest": "of the week"},
        {"digest": "weekly: news"},
        {"hashes": [{"alg": "BLAKE2b-256", "content": "aa"}, {"alg": 7, "content": "aa"}]},
        {"algorithm": "SHA256"},
        {"sha256": "aa"},
        [None, 1, "sha256:aa"],
    ],
)
def test_what_is_none_is_left_alone(value: object) -> None:
    check_digests(value)
