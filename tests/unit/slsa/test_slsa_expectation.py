"""The document of expectations: what it may hold, and what only one that somebody vouches for."""

from __future__ import annotations

from typing import Any

import pytest
from tests.sample_build import SampleBuild, pem

from navicert.errors import Malformed
from navicert.slsa.expectation import Expectations


def document(**more: Any) -> dict[str, Any]:
    return {**SampleBuild().expectations, **more}


def read(value: object, *, trusted: str = "pinned") -> Expectations:
    return Expectations.from_json(value, origin="expect.yaml", trusted=trusted)


@pytest.mark.parametrize("name", ["builders", "verifiers", "people", "reviewers", "monitors", "declared"])
def test_what_grants_a_level_needs_somebody_who_vouches_for_it(name: str) -> None:
    whole = document(declared={"service": "by contract"})
    alone = {"type": whole["type"], name: whole[name]}
    with pytest.raises(Malformed, match="nobody vouches for"):
        read(alone, trusted="")


def test_expectations_alone_need_nobody() -> None:
    plain = {name: value for name, value in document().items() if name in ("type", "images")}
    assert read(plain, trusted="").images


@pytest.mark.parametrize(
    "change",
    [
        {"type": "navicert-expectations/v2"},
        {"type": None},
        {"image": []},
        {"images": {}},
        {"images": [{"sources": "x"}]},
        {"images": [{"source": []}]},
        {"images": [{"source": ""}]},
        {"images": [{"parameters": []}]},
        {"images": [{"dependencies": 4}]},
        {"images": [{"require": {"build": 0}}]},
        {"images": [{"require": {"build": 4}}]},
        {"images": [{"require": {"level": 1}}]},
        {"declared": {"documented": "because"}},
        {"declared": {"service": " "}},
        {"declared": {"service": True}},
        {"reviewers": ["nobody"]},
        {"steps": {"test": "x"}},
        {"verifiers": [{"id": "", "signer": {"key": "x"}}]},
        {"verifiers": [{"id": "https://v.example"}]},
        {"people": {"alice": ["not a key"]}},
    ],
)
def test_what_is_odd_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        read(document(**change))


def test_one_key_is_one_persons() -> None:
    build = SampleBuild()
    key = pem(build.alice)
    with pytest.raises(Malformed, match="two people"):
        read(document(people={"alice": key, "bob": [key]}, reviewers=[]))


def test_a_level_of_a_verifier_is_one_of_its_track() -> None:
    build = SampleBuild()
    verifier = {"id": "https://v.example", "signer": {"key": pem(build.verifier)}}
    for track, level in (("build", 4), ("source", 5), ("build", -1)):
        with pytest.raises(Malformed, match="no such level"):
            read(document(verifiers=[{**verifier, track: level}]))


def test_an_image_is_found_by_its_name_or_where_it_is_the_only_one() -> None:
    two = read(document(images=[{"image": "a", "ref": "refs/heads/a"}, {"image": "b"}]))
    found = two.of(("x", "a"))
    assert found is not None
    assert found.refs == ("refs/heads/a",)
    assert two.of(("c",)) is None
    assert read(document(images=[{"ref": "refs/heads/a"}])).of(("c",)) is not None
    assert read(document(images=[{"image": "a"}])).of(("c",)) is None
    assert read(document(images=[{"ref": "r"}, {"image": "a"}])).of(("c",)) is None


def test_every_key_that_is_named_is_one_to_verify_with() -> None:
    build = SampleBuild()
    wanted = {one.key for one in (build.builder, build.verifier, build.monitor, build.alice, build.bob)}
    assert set(build.inquiry().expectations.keys) == wanted
