"""Every field of a policy has an effect: with it an image is judged otherwise than without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.admission_world import World, pod, world
from tests.image_chain import SOURCE, layout, links

from navicert.admission.decision import Outcome
from navicert.dataclass import replace
from navicert.envelope.document import seal
from navicert.model.link import Link
from navicert.oci.attachment import PACK
from navicert.oci.manifest import Platform
from navicert.store import Filing
from navicert.store.pack import Pack, write_pack
from navicert.testing import artifacts, rules, signer
from navicert.timestamp import parse_timestamp

ALLOWED, DENIED = Outcome.ALLOWED, Outcome.DENIED


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"targetStep": "step00"}, "target.bound"),
        ({"minLayoutVersion": 2}, "layout.version"),
        ({"revocations": {"keys": [signer("bob").key.fingerprint]}}, "step.threshold"),
        ({"revocations": {"keys": [signer("owner").key.fingerprint]}}, "layout.owner"),
        ({"revocations": {"identities": ["bob"]}}, "step.threshold"),
        ({"owners": {"keys": [{"file": "eve.pub"}]}}, "layout.owner"),
        ({"owners": {"keys": [{"file": "owner.pub"}, {"file": "eve.pub"}]}}, "layout.owner"),
        ({"evidence": [{"repository": "127.0.0.1:1/other"}]}, "registry.unavailable"),
        ({"slsa": {"require": {"build": 1}}}, "slsa.track"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else value,
)
def test_what_passes_without_the_field_does_not_with_it(here: World, spec: dict[str, Any], reason: str):
    reference = here.good()
    assert here.decide(pod(reference)).outcome is ALLOWED
    here.use(here.policy(**spec))
    decision = here.decide(pod(reference))
    assert decision.outcome is DENIED
    assert decision.reason.startswith(reason)


def test_strict_refuses_rules_that_bind_nothing(here: World):
    image = here.image()
    steps = layout().steps
    loose = replace(steps[1], expected_products=rules(["CREATE app/*"]))
    here.attest(image, policy=replace(layout(), steps=(steps[0], loose)))
    assert here.decide(pod(here.ref(image))).outcome is ALLOWED
    here.use(here.policy(strict=True))
    assert here.decide(pod(here.ref(image))).reason == "layout.open-ended"


def test_the_scope_says_what_of_an_image_for_several_platforms_is_bound(here: World):
    """Each platform was recorded by what is in it, and the index by nobody."""
    children = {Platform("linux", name): here.image("shop/app", "", name.encode()) for name in ("amd64", "arm64")}
    index = here.registry.add_index("shop/app", children)
    content = {name: one for name, one in here.products(index).items() if name.endswith("/content")}
    here.attest(index, evidence=links(content))
    for scope, outcome in (("either", ALLOWED), ("every-platform", ALLOWED), ("index", DENIED)):
        here.use(here.policy(platformScope=scope))
        assert here.decide(pod(here.ref(index))).outcome is outcome, scope


def test_a_parameter_may_be_a_pattern_only_where_it_is_said_to_be_one(here: World):
    image = here.image()
    steps = layout().steps
    first = replace(steps[0], expected_products=rules(["ALLOW {files}", "DISALLOW *"]))
    here.attest(image, policy=replace(layout(), steps=(first, steps[1])))
    reference = here.ref(image)
    value = {"files": {"value": "src/*"}}
    for spec, outcome in (
        ({"parameterPatterns": value}, ALLOWED),
        ({"parameters": value}, DENIED),
        ({"parameters": {"files": {"value": "src/main.c"}}}, ALLOWED),
        ({"parameters": {"files": {"value": "src/other.c"}}}, DENIED),
        ({"parameters": {"files": {"from": "image.digest"}}}, DENIED),
    ):
        here.use(here.policy(**spec))
        assert here.decide(pod(reference)).outcome is outcome, spec


def test_a_parameter_may_be_the_namespace_and_is_not_remembered_for_another(here: World):
    image = here.image()
    steps = layout().steps
    first = replace(steps[0], expected_products=rules(["ALLOW {space}/main.c", "DISALLOW *"]))
    here.attest(image, policy=replace(layout(), steps=(first, steps[1])))
    here.use(here.policy(parameters={"space": {"from": "namespace"}}))
    assert here.decide(pod(here.ref(image)), namespace="src").outcome is ALLOWED
    assert here.decide(pod(here.ref(image)), namespace="dev").outcome is DENIED


def test_grace_is_not_for_a_sublayout_that_expired(here: World):
    """The moment before the layout expired, the sublayout had not either: that says nothing of now."""
    image = here.image()
    bob = signer("bob")
    expires = parse_timestamp("2026-05-31T00:00:00Z")
    inner = replace(layout(1), expires=expires)
    step = replace(inner.steps[0], name="inner", expected_materials=(), expected_products=rules(["ALLOW *"]))
    inner = replace(inner, steps=(step,))
    outer = replace(layout(), expires=expires)
    made = Link("inner", (), {}, artifacts(SOURCE), {"return-value": 0}, {})
    folder = f"step00.{bob.key.short}"
    filings = (
        Filing("step00", bob.key.id, seal(inner, bob)),
        Filing("inner", bob.key.id, seal(made, bob), (folder,)),
        Filing("build", bob.key.id, seal(links(here.products(image))[1], bob)),
    )
    raw = write_pack(Pack(seal(outer, signer("owner")), filings))
    here.registry.add_artifact("shop/app", raw, PACK, subject=image, artifact_type=PACK)
    here.use(here.policy(expiresGrace="48h"))
    here.now = parse_timestamp("2026-05-30T00:00:00Z")
    assert here.decide(pod(here.ref(image))).outcome is ALLOWED
    here.now = parse_timestamp("2026-05-31T12:00:00Z")
    here.seconds += 3601
    assert here.decide(pod(here.ref(image))).outcome is DENIED
