"""From a review to the decision, with real chains in a registry."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.admission_world import DEPLOYMENT, POD, World, pod, review, world
from tests.image_chain import layout, links

from navicert.admission.decision import Outcome, answer, denial
from navicert.admission.judge import Judge
from navicert.admission.limits import ADMISSION, WEBHOOK
from navicert.admission.policy import Mode
from navicert.admission.reach import Reach
from navicert.admission.review import Kind
from navicert.admission.vocabulary import BREAK_GLASS
from navicert.dataclass import replace
from navicert.envelope.document import seal
from navicert.model.layout import Inspection
from navicert.model.link import Link
from navicert.oci.access import Access
from navicert.testing import artifacts, fault, rules, signer
from navicert.timestamp import parse_timestamp


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


def test_an_image_whose_chain_holds_is_let_in(here: World):
    decision = here.decide(pod(here.good()))
    assert (decision.outcome, decision.reason) == (Outcome.ALLOWED, "verified")
    assert answer(decision, "7").warnings == ()
    assert answer(decision, "7").annotations["decision"] == "allowed"


def test_an_image_that_is_not_what_the_chain_made_is_refused(here: World):
    reference = here.bad()
    decision = here.decide(pod(reference))
    assert (decision.outcome, decision.reason) == (Outcome.DENIED, "target.bound")
    text = denial(decision)
    for part in ('container "c0"', reference.rpartition("@")[2], "policy all", "target.bound", "navicert verify"):
        assert part in text
    assert len(text.encode()) <= 1000


def test_a_step_that_broke_a_rule_is_named_with_what_was_expected_and_found(here: World):
    image = here.image()
    first, build = links(here.products(image))
    changed = Link(
        "build",
        build.command,
        {"src/main.c": build.materials["src/main.c"].of({"sha256": "b" * 64})},
        build.products,
        {},
        {},
    )
    here.attest(image, evidence=[first, changed])
    decision = here.decide(pod(here.ref(image)))
    text = denial(decision)
    assert decision.reason.startswith("rule.")
    for part in ("step build", "src/main.c", "expected sha256:", "found sha256:bbb"):
        assert part in text


def test_no_evidence_is_no_pass(here: World):
    decision = here.decide(pod(here.ref(here.image())))
    assert (decision.outcome, decision.reason) == (Outcome.DENIED, "layout.none")


def test_every_container_counts(here: World):
    good, bad = here.good(), here.bad()
    for spec in (
        pod(good, initContainers=[{"name": "i", "image": bad}]),
        pod(good, ephemeralContainers=[{"name": "e", "image": bad}]),
        pod(good, volumes=[{"name": "v", "image": {"reference": bad}}]),
        pod(good, bad),
    ):
        assert here.decide(spec).outcome is Outcome.DENIED


def test_what_no_policy_speaks_about_is_refused_before_any_registry_is_asked(here: World):
    here.use(here.policy(images=["registry.example/**"]))
    decision = here.decide(pod(here.good()))
    assert (decision.outcome, decision.reason) == (Outcome.DENIED, "image.unmatched")
    here.registry.forget()
    here.decide(pod(here.good()))
    assert here.registry.count("GET", "/shop/app/manifests/sha256") <= 1, "only what building the chain asked"


@pytest.mark.parametrize(("mode", "outcome"), [(Mode.WARN, Outcome.WARNED), (Mode.AUDIT, Outcome.AUDITED)])
def test_what_no_policy_speaks_about_may_be_told_only(here: World, mode: Mode, outcome: Outcome):
    here.examiner = here.examining(mode)
    assert here.decide(pod("q.example/app@sha256:" + "a" * 64)).outcome is outcome


@pytest.mark.parametrize(
    ("mode", "outcome", "warned"),
    [("enforce", Outcome.DENIED, False), ("warn", Outcome.WARNED, True), ("audit", Outcome.AUDITED, False)],
)
def test_the_mode_says_what_becomes_of_what_does_not_pass(here: World, mode: str, outcome: Outcome, warned: bool):
    here.use(here.policy(mode=mode))
    decision = here.decide(pod(here.bad()))
    reply = answer(decision, "1")
    assert decision.outcome is outcome
    assert reply.allowed == (mode != "enforce")
    assert bool(reply.warnings) == warned
    assert reply.annotations["reason"] == "target.bound"
    assert "cause" in reply.annotations


def test_all_policies_must_pass(here: World):
    reference = here.good()
    here.use(here.policy(), here.policy(name="eves", owners={"keys": [{"file": "eve.pub"}]}))
    decision = here.decide(pod(reference))
    assert decision.outcome is Outcome.DENIED
    assert [one.judgement.passed for one in decision.rulings] == [True, False]


# --- pinned and not ------------------------------------------------------------------------------------------------


def test_a_pod_names_its_images_by_digest(here: World):
    here.good()
    decision = here.decide(pod(f"{here.registry.name}/shop/app:1.4"))
    assert (decision.outcome, decision.reason) == (Outcome.DENIED, "image.unpinned")


def test_a_template_by_tag_is_judged_with_the_warning_that_it_is_early(here: World):
    here.good()
    decision = here.decide(pod(f"{here.registry.name}/shop/app:1.4"), DEPLOYMENT)
    assert decision.outcome is Outcome.ALLOWED
    assert any("judged by what its tag stands for now" in text for text in answer(decision, "1").warnings)
    here.bad(tag="1.5")
    assert here.decide(pod(f"{here.registry.name}/shop/app:1.5"), DEPLOYMENT).outcome is Outcome.DENIED


def test_a_tag_that_is_not_there_is_refused(here: World):
    decision = here.decide(pod(f"{here.registry.name}/shop/app:none"), DEPLOYMENT)
    assert (decision.outcome, decision.reason) == (Outcome.DENIED, "image.missing")
    missing = here.decide(pod(f"{here.registry.name}/shop/app@sha256:{'a' * 64}"))
    assert (missing.outcome, missing.reason) == (Outcome.DENIED, "image.missing")


@pytest.mark.parametrize("image", ["", "UPPER/app", "a b", "nginx@sha256:12", "x" * 3000])
def test_what_is_no_reference_is_refused(here: World, image: str):
    decision = here.decide(pod(image))
    assert (decision.outcome, decision.reason) == (Outcome.DENIED, "image.malformed")
    assert len(denial(decision).encode()) <= 1000


# --- changes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [POD, DEPLOYMENT], ids=str)
def test_what_is_there_already_and_pinned_passes_without_a_network(here: World, kind: Kind):
    reference = here.bad()
    here.registry.forget()
    same = pod(reference, nodeSelector={"a": "b"})
    decision = here.decide(same, kind, old=pod(reference))
    assert (decision.outcome, decision.reason) == (Outcome.ALLOWED, "unchanged")
    retagged = pod(reference.replace(":evil@", ":other@"))
    assert here.decide(retagged, kind, old=pod(reference)).reason == "unchanged"
    assert here.registry.count() == 0


def test_what_is_there_already_by_tag_is_judged(here: World):
    here.bad(tag="1.4")
    spec = pod(f"{here.registry.name}/shop/app:1.4")
    for kind in (POD, DEPLOYMENT):
        assert here.decide(spec, kind, old=spec).reason == "target.bound"


def test_only_what_is_new_is_judged(here: World):
    good, bad = here.good(), here.bad()
    assert here.decide(pod(bad, good), old=pod(bad)).outcome is Outcome.ALLOWED
    assert here.decide(pod(good, bad), old=pod(good)).outcome is Outcome.DENIED


def test_an_image_does_not_change_its_role_unjudged(here: World):
    good, bad = here.good(), here.bad()
    old = pod(good, volumes=[{"name": "v", "image": {"reference": bad}}])
    assert here.decide(pod(good, bad), old=old).outcome is Outcome.DENIED


def test_being_deleted_or_scaled_down_spares_nothing(here: World):
    good, bad = here.good(), here.bad()
    asked = review(pod(bad), DEPLOYMENT, old=pod(good))
    asked["request"]["object"]["metadata"]["deletionTimestamp"] = "2026-05-01T00:00:00Z"
    asked["request"]["object"]["spec"]["replicas"] = 0
    asked["request"]["oldObject"]["spec"]["replicas"] = 5
    raw = json.dumps(asked).encode()
    assert here.examiner.run(raw, here.examiner.validating).outcome is Outcome.DENIED


@pytest.mark.parametrize("operation", ["DELETE", "CONNECT"])
def test_what_starts_nothing_passes(here: World, operation: str):
    assert here.decide(None, operation=operation, old=pod("x")).reason == "starts-nothing"


@pytest.mark.parametrize("subresource", ["status", "scale"])
def test_subresources_without_images_pass(here: World, subresource: str):
    assert here.decide(pod(here.bad()), DEPLOYMENT, subResource=subresource).reason == "starts-nothing"


def test_a_new_ephemeral_container_is_judged(here: World):
    good, bad = here.good(), here.bad()
    old = pod(good)
    for image, outcome in ((bad, Outcome.DENIED), (good, Outcome.ALLOWED)):
        spec = pod(good, ephemeralContainers=[{"name": "debug", "image": image}])
        assert here.decide(spec, old=old, subResource="ephemeralcontainers").outcome is outcome


def test_the_old_shape_of_the_subresource_is_judged(here: World):
    asked = review({}, subResource="ephemeralcontainers", operation="UPDATE")
    asked["request"]["kind"] = {"group": "", "version": "v1", "kind": "EphemeralContainers"}
    body = {"apiVersion": "v1", "kind": "EphemeralContainers", "ephemeralContainers": []}
    asked["request"]["oldObject"] = body
    for image, outcome in ((here.bad(), Outcome.DENIED), (here.good(), Outcome.ALLOWED)):
        asked["request"]["object"] = {**body, "ephemeralContainers": [{"name": "debug", "image": image}]}
        assert here.examiner.run(json.dumps(asked).encode(), here.examiner.validating).outcome is outcome


def test_null_objects_are_refused(here: World):
    assert here.decide(None).reason == "review.malformed"
    assert here.decide(None, operation="UPDATE").reason == "review.malformed"


def test_a_review_without_a_namespace_is_refused(here: World):
    assert here.decide(pod(here.good()), namespace="").reason == "review.malformed"


# --- exceptions, glass, mirrors ------------------------------------------------------------------------------------


def test_an_exception_lets_one_digest_in_and_is_told(here: World):
    bad, other = here.bad(), here.bad(tag="worse", content=b"worse")
    digest = bad.rpartition("@")[2]
    here.use(here.policy(), here.exception(digest))
    here.registry.forget()
    decision = here.decide(pod(bad))
    reply = answer(decision, "1")
    assert (decision.outcome, decision.reason) == (Outcome.ALLOWED, "exception")
    assert here.registry.count() == 0
    assert "admitted by exception rollback until 2026-07-01 (jane)" in reply.warnings[0]
    assert reply.annotations["exceptions"] == "rollback"
    assert here.decide(pod(other)).outcome is Outcome.DENIED
    here.now = parse_timestamp("2026-07-01T00:00:00Z")
    assert here.decide(pod(bad)).outcome is Outcome.DENIED


def test_an_exception_does_not_bring_back_what_is_revoked(here: World):
    bad = here.bad()
    digest = bad.rpartition("@")[2]
    here.use(here.policy(revocations={"digests": [digest]}), here.exception(digest))
    decision = here.decide(pod(bad))
    assert (decision.outcome, decision.reason) == (Outcome.DENIED, "target.revoked")


def test_an_exception_lets_nothing_in_that_no_policy_speaks_about(here: World):
    bad = here.bad()
    here.use(here.policy(images=["q.example/**"]), here.exception(bad.rpartition("@")[2]))
    assert here.decide(pod(bad)).reason == "image.unmatched"


def test_no_exception_spares_from_a_policy_that_may_revoke_anything(here: World):
    bad = here.bad()
    digest = bad.rpartition("@")[2]
    here.use(here.policy(), here.exception(digest))
    assert here.decide(pod(bad)).reason == "exception"
    (policy,) = here.policies.policies
    for closed, outcome in ((False, Outcome.ALLOWED), (True, Outcome.DENIED)):
        odd = replace(policy, problem="revocations: no such field", closed=closed)
        here.policies = replace(here.policies, policies=(odd,))
        assert here.decide(pod(bad)).outcome is outcome


def test_members_of_a_group_break_the_glass_and_are_named(here: World):
    here.use(here.policy(breakGlass={"groups": ["sre"]}))
    bad = here.bad()
    said = {BREAK_GLASS: "incident 4711"}
    decision = here.decide(pod(bad), groups=["sre"], annotations=said)
    reply = answer(decision, "1")
    assert (decision.outcome, decision.reason) == (Outcome.ALLOWED, "break-glass")
    assert "glass broken by jane: incident 4711" in reply.warnings[0]
    assert reply.annotations["break-glass"] == "jane: incident 4711"
    assert here.decide(pod(bad), groups=["dev"], annotations=said).outcome is Outcome.DENIED
    assert here.decide(pod(bad), groups=["sre"], annotations={BREAK_GLASS: " "}).outcome is Outcome.DENIED
    assert here.decide(pod(bad), groups=["sre"]).outcome is Outcome.DENIED


def test_the_glass_of_one_policy_is_not_that_of_another(here: World):
    here.use(here.policy(breakGlass={"groups": ["sre"]}), here.policy(name="other"))
    decision = here.decide(pod(here.bad()), groups=["sre"], annotations={BREAK_GLASS: "x"})
    assert decision.outcome is Outcome.DENIED


def test_a_mirror_pod_is_believed_from_its_node_only(here: World):
    spec = pod(here.bad(), nodeName="n1")
    mirror = {"kubernetes.io/config.mirror": "hash"}
    node = {"username": "system:node:n1", "groups": ["system:nodes"]}
    assert here.decide(spec, annotations=mirror, userInfo=node).reason == "mirror-pod"
    for user in (
        {"username": "jane", "groups": ["system:nodes"]},
        {"username": "system:node:n2", "groups": ["system:nodes"]},
        {"username": "system:node:n1", "groups": []},
    ):
        assert here.decide(spec, annotations=mirror, userInfo=user).outcome is Outcome.DENIED
    assert here.decide(spec, userInfo=node).outcome is Outcome.DENIED


# --- the layout and time -------------------------------------------------------------------------------------------


def test_a_revoked_digest_is_refused_at_once(here: World):
    good = here.good()
    assert here.decide(pod(good)).outcome is Outcome.ALLOWED
    here.use(here.policy(revocations={"digests": [good.rpartition("@")[2]]}))
    assert here.decide(pod(good)).reason == "target.revoked"


def test_an_expired_layout_is_put_up_with_for_its_grace_and_no_longer(here: World):
    image = here.image()
    here.attest(image, policy=replace(layout(), expires=parse_timestamp("2026-05-31T00:00:00Z")))
    reference = here.ref(image)
    assert here.decide(pod(reference)).reason == "layout.expired"
    here.use(here.policy(expiresGrace="48h"))
    decision = here.decide(pod(reference))
    assert decision.outcome is Outcome.ALLOWED
    assert any("admitted in its grace" in text for text in answer(decision, "1").warnings)
    here.now = parse_timestamp("2026-06-02T00:00:00Z")
    assert here.decide(pod(reference)).reason == "layout.expired"


def test_grace_is_for_the_expiry_alone(here: World):
    image = here.image()
    expired = replace(layout(), expires=parse_timestamp("2026-05-31T00:00:00Z"))
    here.attest(image, policy=expired, evidence=links(here.products(here.image(tag="x", content=b"other"))))
    here.use(here.policy(expiresGrace="48h"))
    assert here.decide(pod(here.ref(image))).outcome is Outcome.DENIED


def test_an_expired_layout_with_a_failing_inspection_has_no_grace(here: World):
    """Inspections are not run where something failed before: a grace that looked at the rest only would skip them."""
    image = here.image()
    look = Inspection("look", ("navicert", "inspect", "file-exists", "report.json"), (), ())
    expired = replace(layout(), expires=parse_timestamp("2026-05-31T00:00:00Z"), inspections=(look,))
    here.attest(image, policy=expired)
    here.use(here.policy(expiresGrace="48h"))
    assert here.decide(pod(here.ref(image))).outcome is Outcome.DENIED


def test_what_expires_soon_is_told(here: World):
    image = here.image()
    here.attest(image, policy=replace(layout(), expires=parse_timestamp("2026-06-10T00:00:00Z")))
    (warning,) = answer(here.decide(pod(here.ref(image))), "1").warnings
    assert "expires in 9 days: renew it" in warning


def test_an_older_layout_is_refused_where_a_version_is_asked_for(here: World):
    reference = here.good()
    here.use(here.policy(minLayoutVersion=2))
    assert here.decide(pod(reference)).reason == "layout.version"


def test_parameters_are_filled_with_the_image(here: World):
    image = here.image()
    steps = layout().steps
    build = replace(steps[1], expected_command=("build", "{image}"))
    here.attest(image, policy=replace(layout(), steps=(steps[0], build)))
    assert here.decide(pod(here.ref(image))).outcome is Outcome.ALLOWED
    here.use(here.policy(parameters={"image": {"from": "image.digest"}}))
    decision = here.decide(pod(here.ref(image)))
    assert decision.outcome is Outcome.ALLOWED
    here.use(here.policy(parameters={"IMAGE": {"value": "x"}}))
    assert here.decide(pod(here.ref(image))).outcome is Outcome.DENIED


def test_commands_of_a_layout_are_not_run_at_admission(here: World, tmp_path: Path):
    image = here.image()
    mark = tmp_path / "ran"
    touch = Inspection("touch", ("touch", str(mark)), (), ())
    here.attest(image, policy=replace(layout(), inspections=(touch,)))
    decision = here.decide(pod(here.ref(image)))
    assert decision.outcome is Outcome.DENIED
    assert "commands are not run at admission" in denial(decision)
    assert not mark.exists()


@pytest.mark.parametrize(
    ("report", "outcome"), [(b'{"bad": []}', Outcome.ALLOWED), (b'{"bad": ["x"]}', Outcome.DENIED)]
)
def test_a_built_in_inspection_looks_at_the_report_that_the_chain_recorded(
    here: World, report: bytes, outcome: Outcome
):
    image = here.image()
    look = Inspection(
        "look",
        (
            "navicert",
            "inspect",
            "json-none",
            "report.json",
            "--path",
            "bad[]?",
            "--value",
            "x",
            "--require",
            "bad",
        ),
        rules(["MATCH report.json WITH PRODUCTS FROM build", "DISALLOW *"]),
        (),
    )
    steps = layout().steps
    build = replace(steps[1], expected_products=rules(["CREATE app/*", "CREATE report.json", "DISALLOW *"]))
    first, last = links({**here.products(image), **artifacts({"report.json": report})})
    here.attest(image, policy=replace(layout(), steps=(steps[0], build), inspections=(look,)), evidence=[first, last])
    assert here.decide(pod(here.ref(image))).outcome is Outcome.DENIED, "the report is not attached"
    here.registry.add_artifact("shop/app", report, "application/json", subject=image)
    here.seconds += 31
    decision = here.decide(pod(here.ref(image)))
    assert decision.outcome is outcome, decision.rulings


# --- the mutating hook ---------------------------------------------------------------------------------------------


def test_a_pod_is_pinned_and_keeps_its_tags(here: World):
    digest = here.good().rpartition("@")[2]
    tagged = f"{here.registry.name}/shop/app:1.4"
    spec = pod(
        tagged, initContainers=[{"name": "i", "image": tagged}], volumes=[{"name": "v", "image": {"reference": tagged}}]
    )
    decision = here.pin(spec)
    assert [(one.op, one.path, one.value) for one in decision.patch or ()] == [
        ("replace", "/spec/containers/0/image", f"{tagged}@{digest}"),
        ("replace", "/spec/initContainers/0/image", f"{tagged}@{digest}"),
        ("replace", "/spec/volumes/0/image/reference", f"{tagged}@{digest}"),
    ]
    again = pod(f"{tagged}@{digest}")
    assert not here.pin(again).patch
    assert here.decide(again).outcome is Outcome.ALLOWED


def test_only_pods_are_pinned_and_nothing_that_runs_already(here: World):
    here.good()
    spec = pod(f"{here.registry.name}/shop/app:1.4")
    assert here.pin(spec, DEPLOYMENT).patch is None
    assert not here.pin(spec, old=spec).patch
    assert here.pin(pod("q.example/app:1")).patch in (None, ())


def test_what_cannot_be_pinned_is_told_and_left_to_the_validating_hook(here: World):
    decision = here.pin(pod(f"{here.registry.name}/shop/none:1"))
    assert decision.allowed
    assert not decision.patch
    assert "is not pinned" in answer(decision, "1").warnings[0]


# --- cached, coalesced, bounded ------------------------------------------------------------------------------------


def test_one_digest_is_judged_once_for_all_containers_and_reviews(here: World):
    reference = here.good()
    here.registry.forget()
    here.decide(pod(*[reference] * 8))
    once = here.registry.count("GET")
    assert here.registry.count("GET", reference.rpartition("@")[2] + "$") <= 2
    here.decide(pod(*[reference] * 3))
    assert here.registry.count("GET") == once
    here.seconds += 3601
    here.decide(pod(reference))
    assert here.registry.count("GET") > once


def test_a_thousand_pods_at_once_cost_one_judgement(here: World):
    reference = here.good()
    here.registry.forget()
    outcomes: list[Outcome] = []
    threads = [threading.Thread(target=lambda: outcomes.append(here.decide(pod(reference)).outcome)) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [Outcome.ALLOWED] * 40
    assert here.registry.count("GET", "/referrers/") == 1


def test_a_refusal_is_forgotten_soon_so_that_new_evidence_counts(here: World):
    image = here.image()
    assert here.decide(pod(here.ref(image))).outcome is Outcome.DENIED
    here.attest(image)
    assert here.decide(pod(here.ref(image))).outcome is Outcome.DENIED
    here.seconds += 31
    assert here.decide(pod(here.ref(image))).outcome is Outcome.ALLOWED


def test_a_pass_is_not_remembered_beyond_the_layout(here: World):
    image = here.image()
    here.attest(image, policy=replace(layout(), expires=parse_timestamp("2026-06-01T00:10:00Z")))
    assert here.decide(pod(here.ref(image))).outcome is Outcome.ALLOWED
    here.now = parse_timestamp("2026-06-01T00:10:00Z")
    assert here.decide(pod(here.ref(image))).reason == "layout.expired"


def test_another_policy_does_not_profit_from_what_is_remembered(here: World):
    reference = here.good()
    assert here.decide(pod(reference)).outcome is Outcome.ALLOWED
    here.use(here.policy(owners={"keys": [{"file": "eve.pub"}]}))
    assert here.decide(pod(reference)).outcome is Outcome.DENIED


def test_while_a_registry_is_down_nothing_new_passes(here: World):
    reference = here.good()
    here.registry.fault("GET", "", fault.status(503))
    decision = here.decide(pod(reference))
    assert (decision.outcome, decision.reason) == (Outcome.DENIED, "registry.unavailable")


def test_while_a_registry_is_down_what_passed_before_goes_on_if_the_policy_says_so(here: World):
    reference = here.good()
    for more, outcome in (({}, Outcome.DENIED), ({"onRegistryError": "allowVerifiedBefore"}, Outcome.ALLOWED)):
        here.use(here.policy(**more))
        assert here.decide(pod(reference)).outcome is Outcome.ALLOWED
        here.seconds += 3601
        here.registry.fault("GET", "", fault.status(503))
        decision = here.decide(pod(reference))
        assert decision.outcome is outcome
        here.registry.heal()
        here.seconds += 2
    assert "passed before" in answer(decision, "1").warnings[0]


def test_what_was_refused_in_between_is_not_what_passed_before(here: World):
    image = here.image()
    here.attest(image)
    here.use(here.policy(onRegistryError="allowVerifiedBefore"))
    assert here.decide(pod(here.ref(image))).outcome is Outcome.ALLOWED
    here.seconds += 3601
    held = here.registry.contents["shop/app"]
    for digest in [digest for digest, (_, raw) in held.manifests.items() if b'"subject"' in raw]:
        del held.manifests[digest]
    assert here.decide(pod(here.ref(image))).reason == "layout.none"
    here.seconds += 31
    here.registry.fault("GET", "", fault.status(503))
    assert here.decide(pod(here.ref(image))).outcome is Outcome.DENIED


def test_a_slow_registry_ends_in_a_decision_within_the_time(tmp_path: Path):
    with world(tmp_path, replace(WEBHOOK, request_seconds=1, idle_seconds=1)) as here:
        reference = here.good()
        here.registry.fault("GET", "", fault.delay(5))
        started = time.monotonic()
        decision = here.decide(pod(reference), seconds=0.3)
        assert time.monotonic() - started < 2
        assert (decision.outcome, decision.reason) == (Outcome.DENIED, "time.exceeded")


def test_bytes_of_one_image_and_of_one_review_are_bounded(tmp_path: Path):
    for bounds in (replace(ADMISSION, image_bytes=500), replace(ADMISSION, admission_bytes=500)):
        with world(tmp_path / str(bounds.image_bytes), bounds=bounds) as here:
            assert here.decide(pod(here.good())).outcome is Outcome.DENIED


def test_thousands_of_containers_of_one_image_are_one_judgement_and_of_many_none(here: World):
    reference = here.good()
    assert here.decide(pod(*[reference] * 3000)).outcome is Outcome.ALLOWED
    here.registry.forget()
    many = [f"{here.registry.name}/shop/app@sha256:{i:064x}" for i in range(3000)]
    decision = here.decide(pod(*many))
    assert (decision.outcome, decision.reason) == (Outcome.DENIED, "object.images")
    assert here.registry.count() == 0
    spread = here.decide(pod(*[f"q{i}.example/a@sha256:{i:064x}" for i in range(100)]))
    assert spread.outcome is Outcome.DENIED
    assert len(denial(spread).encode()) <= 1000
    assert "and 99 more refusals" in denial(spread)


def test_evidence_may_lie_in_another_repository(here: World):
    image = here.image()
    here.attest(image, repository="evidence")
    reference = here.ref(image)
    assert here.decide(pod(reference)).outcome is Outcome.DENIED
    here.use(here.policy(evidence=[{"repository": f"{here.registry.name}/evidence"}]))
    assert here.decide(pod(reference)).outcome is Outcome.ALLOWED


def test_evidence_may_lie_in_a_store_of_files(here: World):
    image = here.image()
    store = here.folder / "links"
    store.mkdir()
    bob = signer("bob")
    for link in links(here.products(image)):
        (store / f"{link.name}.{bob.key.short}.link").write_bytes(seal(link, bob))
    (here.folder / "root.layout").write_bytes(seal(layout(), signer("owner")))
    here.use(here.policy(layout={"file": "root.layout"}, evidence=[{"store": "links"}]))
    assert here.decide(pod(here.ref(image))).outcome is Outcome.ALLOWED


def test_the_layout_may_be_an_artifact_by_digest(here: World):
    image = here.image()
    here.attest(image)
    raw = seal(layout(), signer("owner"))
    kept = here.registry.add_artifact("layouts", raw, "application/vnd.dsse.envelope.v1+json")
    here.use(here.policy(layout={"image": f"{here.registry.name}/layouts@{kept.digest}"}))
    assert here.decide(pod(here.ref(image))).outcome is Outcome.ALLOWED
    other = here.registry.add_artifact("layouts", b"not a layout", "application/json")
    here.use(here.policy(layout={"image": f"{here.registry.name}/layouts@{other.digest}"}))
    assert here.decide(pod(here.ref(image))).reason == "policy.malformed"


def test_a_registry_that_only_a_pattern_for_every_host_covers_is_reached_on_public_addresses_only(tmp_path: Path):
    """What anybody may name must not lead to the machine that the webhook runs on."""
    with world(tmp_path) as here:
        reference = here.good()
        here.reach = Reach(Access(), WEBHOOK)
        here.judge = Judge(here.reach, WEBHOOK, clock=lambda: here.now)
        here.examiner = here.examining()
        here.use(here.policy(images=["**"]))
        decision = here.decide(pod(reference))
        assert (decision.outcome, decision.reason) == (Outcome.DENIED, "registry.refused")
        assert "not a place to be sent to" in denial(decision)


def test_what_goes_wrong_inside_is_a_refusal(here: World, monkeypatch: pytest.MonkeyPatch):
    reference = here.good()

    def broken(*_: Any) -> Any:
        raise RuntimeError("boom")

    monkeypatch.setattr(here.judge, "judge", broken)
    decision = here.decide(pod(reference))
    assert (decision.outcome, decision.reason) == (Outcome.DENIED, "internal")
    monkeypatch.setattr(here.examiner, "_policies", broken)
    assert here.decide(pod(reference)).reason == "internal"


def test_a_digest_of_another_algorithm_is_no_way_around(here: World):
    assert here.decide(pod(f"{here.registry.name}/shop/app@sha512:{'a' * 128}")).outcome is Outcome.DENIED
