"""Levels of SLSA that a policy asks for, judged at admission from what is attached to the image."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.admission_world import World, pod, world
from tests.sample_build import BUILDER, REPOSITORY, SOURCE, TYPE, pem, provenance, statement

from navicert.admission.decision import Outcome, denial
from navicert.envelope.document import seal
from navicert.errors import Malformed
from navicert.model.statement import Statement
from navicert.testing import signer

PARAMETERS = {"parameters": {"source": SOURCE, "entryPoint": "ci/build.yaml"}}
DSSE = "application/vnd.dsse.envelope.v1+json"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


def expectations(level: int = 3, **image: Any) -> dict[str, Any]:
    builder = {"id": BUILDER, "signer": {"key": pem(signer("ci"))}, "level": level, "hosted": True}
    return {
        "type": "navicert-expectations/v1",
        "images": [{"source": f"git+{REPOSITORY}", "builder": BUILDER, "build_type": TYPE, **PARAMETERS, **image}],
        "builders": [builder],
    }


def built(here: World, *, by: str = "ci", of: str = "") -> str:
    """An image whose chain holds, with provenance signed by `by` (of another digest, where one is named)."""
    image = here.image()
    here.attest(image)
    said = statement("https://slsa.dev/provenance/v1", provenance(), {"sha256": of or image.digest.hex})
    raw = seal(Statement.from_json(said), signer(by))
    here.registry.add_artifact("shop/app", raw, DSSE, subject=image, artifact_type=DSSE)
    return here.ref(image)


def test_a_level_that_was_reached_passes(here: World):
    reference = built(here)
    here.use(here.policy(slsa={"require": {"build": 3}, "expectations": expectations()}))
    assert here.decide(pod(reference)).outcome is Outcome.ALLOWED


@pytest.mark.parametrize(
    ("by", "of", "level", "image"),
    [
        ("eve", "", 3, {}),
        ("ci", "a" * 64, 3, {}),
        ("ci", "", 2, {}),
        ("ci", "", 3, {"source": "git+https://git.example/other"}),
        ("ci", "", 3, {"require": {"source": 1}}),
    ],
    ids=["another signer", "another image", "a builder of a lower level", "another source", "more is expected"],
)
def test_a_level_that_was_not_reached_is_refused_although_the_chain_holds(
    here: World, by: str, of: str, level: int, image: dict[str, Any]
):
    reference = built(here, by=by, of=of)
    assert here.decide(pod(reference)).outcome is Outcome.ALLOWED
    here.use(here.policy(slsa={"require": {"build": 3}, "expectations": expectations(level, **image)}))
    decision = here.decide(pod(reference))
    assert decision.outcome is Outcome.DENIED
    assert decision.reason.startswith("slsa")
    assert len(denial(decision).encode()) <= 1000


def test_a_level_is_asked_for_besides_the_chain_and_not_in_its_place(here: World):
    image = here.image()
    raw = seal(
        Statement.from_json(statement("https://slsa.dev/provenance/v1", provenance(), {"sha256": image.digest.hex})),
        signer("ci"),
    )
    here.registry.add_artifact("shop/app", raw, DSSE, subject=image, artifact_type=DSSE)
    here.use(here.policy(slsa={"require": {"build": 3}, "expectations": expectations()}))
    assert here.decide(pod(here.ref(image))).reason == "layout.none"


def test_what_is_remembered_is_not_what_another_level_asks_for(here: World):
    reference = built(here)
    for level, outcome in ((3, Outcome.ALLOWED), (2, Outcome.DENIED)):
        here.use(here.policy(slsa={"require": {"build": 3}, "expectations": expectations(level)}))
        assert here.decide(pod(reference)).outcome is outcome


@pytest.mark.parametrize(
    "slsa",
    [
        {},
        {"require": {}},
        {"require": {"build": 9}},
        {"require": {"built": 1}},
        {"require": {"build": "3"}},
        {"require": {"build": 3}, "level": 3},
        {"require": {"build": 3}, "expectations": {"type": "other"}},
        {"require": {"build": 3}, "expectations": {"type": "navicert-expectations/v1", "color": 1}},
        {"require": {"build": 3}, "keys": [{"file": "none.pub"}]},
    ],
)
def test_what_asks_for_nothing_or_is_not_understood_is_refused(here: World, slsa: dict[str, Any]):
    with pytest.raises(Malformed):
        here.use(here.policy(slsa=slsa))
