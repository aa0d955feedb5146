"""A registry that is down, or that holds something else than images: what it costs others, and what is said of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.admission_world import World, pod, review, world

from navicert.admission.decision import Decision, Outcome, answer, denial
from navicert.admission.examiner import Examiner
from navicert.admission.limits import ADMISSION, WEBHOOK
from navicert.admission.quota import Quota
from navicert.dataclass import replace
from navicert.testing import fault


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


def test_a_dead_registry_does_not_use_up_the_time_of_every_review(here: World) -> None:
    name = here.registry.name
    here.registry.fault("GET", "", fault.status(503))
    decisions = [here.decide(pod(f"{name}/shop/app@sha256:{number:064x}")) for number in range(12)]
    assert {(one.outcome, one.reason) for one in decisions} == {(Outcome.DENIED, "registry.unavailable")}
    # Each request is tried again; beyond that nobody asks any more.
    assert here.registry.count("GET") <= ADMISSION.outages * WEBHOOK.attempts
    assert "it is asked again at" in denial(decisions[-1])


def test_tags_of_a_dead_registry_are_not_asked_for_either(here: World) -> None:
    here.registry.fault("GET", "", fault.status(503))
    for number in range(12):
        here.pin(pod(f"{here.registry.name}/shop/app:{number}"))
    assert here.registry.count("GET") <= ADMISSION.outages * WEBHOOK.attempts


def test_what_passed_before_goes_on_without_asking_a_dead_registry(here: World) -> None:
    good = here.good()
    here.use(here.policy(onRegistryError="allowVerifiedBefore"))
    assert here.decide(pod(good)).outcome is Outcome.ALLOWED
    here.seconds += 4000
    here.registry.fault("GET", "", fault.status(503))
    for number in range(6):
        here.decide(pod(f"{here.registry.name}/shop/app@sha256:{number:064x}"))
    asked = here.registry.count("GET")
    decision = here.decide(pod(good))
    assert decision.outcome is Outcome.ALLOWED
    assert "passed before" in answer(decision, "1").warnings[0]
    assert here.registry.count("GET") == asked


def test_images_that_are_damaged_do_not_close_their_registry_for_others(here: World) -> None:
    """Whoever may push to a shared registry could stop everything that comes from it."""
    other = here.good()
    damaged = [here.registry.add_image("eve/app", "", {"app": bytes([number])}) for number in range(12)]
    here.registry.fault("GET", "/v2/eve/", fault.other_bytes(b"{"))
    for image in damaged:
        decision = here.decide(pod(here.ref(image, "eve/app")))
        assert decision.outcome is Outcome.DENIED
    assert here.decide(pod(other)).outcome is Outcome.ALLOWED


def test_an_artifact_in_an_image_volume_is_refused_as_what_it_is(here: World) -> None:
    model = here.registry.add_artifact("shop/model", b"weights", "application/x-weights", artifact_type="text/model")
    volume = {"name": "m", "image": {"reference": f"{here.registry.name}/shop/model@{model.digest}"}}
    decision = here.decide(pod(here.good(), volumes=[volume]))
    assert (decision.outcome, decision.reason) == (Outcome.DENIED, "image.artifact")
    assert "is an artifact and no image" in denial(decision)
    assert "(it is of text/model)" in denial(decision)


def test_an_artifact_is_not_let_in_because_its_registry_is_thought_to_be_down(here: World) -> None:
    here.use(here.policy(onRegistryError="allowVerifiedBefore"))
    model = here.registry.add_artifact("shop/model", b"weights", "application/x-weights", artifact_type="text/model")
    decision = here.decide(pod(f"{here.registry.name}/shop/model@{model.digest}"))
    (ruling,) = decision.rulings
    assert (decision.outcome, ruling.judgement.outage) == (Outcome.DENIED, False)


def test_a_namespace_that_floods_does_not_hold_up_others_nor_what_is_remembered(here: World) -> None:
    limits = replace(ADMISSION, namespace_judgements=4, namespace_judgements_per_second=0.001)
    desk = Examiner(lambda: here.policies, here.judge, here.workers, quota=Quota(limits))

    def decide(image: str, namespace: str) -> Decision:
        return desk.run(json.dumps(review(pod(image), namespace=namespace)).encode(), desk.validating)

    good, other = here.good(), here.good(tag="2", content=b"another")
    assert decide(good, "eve").outcome is Outcome.ALLOWED
    flood = [decide(f"{here.registry.name}/shop/app@sha256:{number:064x}", "eve") for number in range(8)]
    assert {one.outcome for one in flood} == {Outcome.DENIED}
    assert [one.reason for one in flood[3:]] == ["namespace.busy"] * 5
    asked = here.registry.count("GET")
    assert decide(good, "eve").outcome is Outcome.ALLOWED
    assert here.registry.count("GET") == asked
    assert decide(other, "eve").reason == "namespace.busy"
    assert decide(other, "prod").outcome is Outcome.ALLOWED
