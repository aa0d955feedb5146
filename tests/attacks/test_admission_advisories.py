"""More ways around admission that worked elsewhere: policies that do harm, registries that lead astray, silent no-ops.

As in `test_admission.py`, each is named after the advisory, or after the vector.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.admission_world import DEPLOYMENT, World, pod, review, world
from tests.image_chain import layout, links
from tests.unit.admission.test_companion import allows
from tests.unit.admission.test_companion import pod as companion_pod

from navicert.admission.audit import as_it_runs, audit
from navicert.admission.decision import Decision, Outcome
from navicert.admission.judge import Judge
from navicert.admission.limits import WEBHOOK
from navicert.admission.manifest import review_of
from navicert.admission.policy import _named
from navicert.admission.reach import Reach
from navicert.dataclass import replace
from navicert.envelope.document import seal
from navicert.errors import Malformed
from navicert.model.link import Link
from navicert.model.policy import read_policy_document
from navicert.oci.access import Access
from navicert.oci.attachment import PACK
from navicert.store import Filing
from navicert.store.pack import Pack, write_pack
from navicert.testing import fault, signer
from navicert.testing.registry import LoopbackRegistry

DENIED, ALLOWED = Outcome.DENIED, Outcome.ALLOWED


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


def with_tls(here: World) -> None:
    """Speak to registries as in a cluster: `--insecure` opens the machine itself, by decision of whoever runs it."""
    here.reach = Reach(Access(), WEBHOOK)
    here.judge = Judge(here.reach, WEBHOOK, clock=lambda: here.now)
    here.examiner = here.examining()


class TestPolicies:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("namespaces", ["*a*a*a*a"]),
            ("images", ["registry.example/*a*a*a*a"]),
            ("images", ["registry.example/" + "a/" * 300 + "**"]),
            ("parameters", {str(i): {"value": "x"} for i in range(101)}),
            ("parameters", {"x": {"value": "x" * 10_001}}),
        ],
    )
    def test_cve_2025_47281_2026_23881_2026_41485_a_policy_that_costs_more_than_it_may(
        self, here: World, name: str, value: Any
    ):
        """Whoever may write a policy of one namespace must not be able to stop the webhook of all. Connaisseur before
        3.3.1 matched names of its users' choice by expressions that never end."""
        with pytest.raises(Malformed):
            here.use(here.policy(namespace="prod", **{name: value}))

    def test_patterns_that_are_taken_end_soon(self):
        assert not _named("*a*a*a" + "b", "a" * 63)

    @pytest.mark.parametrize(
        "value", ["{image.digest", "{0.__class__}", "{{}}{", "{image!r}", "{x:>99999999}", "{{@}}", "\x00"]
    )
    def test_cve_2025_47281_a_parameter_that_is_an_expression_fails_and_ends_nothing(self, here: World, value: str):
        good = here.good()
        here.use(here.policy(parameters={"x": {"value": value}}))
        assert here.decide(pod(good)).outcome in (ALLOWED, DENIED)
        assert here.decide(pod(here.bad())).outcome is DENIED
        here.use()
        assert here.decide(pod(good)).outcome is ALLOWED

    def test_kyverno_15834_a_filter_of_images_is_not_passed_over(self, here: World):
        """A policy for one repository says nothing about another, whose image is then refused for want of one."""
        here.use(here.policy(images=[f"{here.registry.name}/shop/other"]))
        assert here.decide(pod(here.good())).reason == "image.unmatched"

    def test_kyverno_16817_verification_that_is_required_is_required(self, here: World):
        """No evidence at all is not a pass, whatever a policy leaves out."""
        image = here.image()
        assert here.decide(pod(here.ref(image))).outcome is DENIED


class TestRegistries:
    def test_cve_2026_22039_an_image_that_leads_to_the_machine_of_the_webhook(self, here: World):
        """One pattern for every image lets whoever names one choose the host: never loopback, nor metadata."""
        here.use(here.policy(images=["**"]))
        with_tls(here)
        with LoopbackRegistry() as inside:
            for host in (inside.name, "169.254.169.254", "[::1]:5000", "localhost:5000"):
                decision = here.decide(pod(f"{host}/app@sha256:{'a' * 64}"))
                assert (decision.outcome, decision.reason) == (DENIED, "registry.refused")
                here.pin(pod(f"{host}/app:1"))
            assert inside.seen == ()

    def test_cve_2026_41068_a_policy_of_a_namespace_does_not_open_the_machine_of_the_webhook(self, here: World):
        """Nor by naming it: only files of whoever runs the webhook, and policies of the cluster, may."""
        with LoopbackRegistry() as inside:
            own = here.policy(namespace="prod", name="own", images=[f"{inside.name}/**"])
            here.use(here.policy(images=["**"]), own)
            with_tls(here)
            policies = tuple(replace(one, from_file=False) for one in here.policies.policies)
            here.policies = replace(here.policies, policies=policies)
            decision = here.decide(pod(f"{inside.name}/app@sha256:{'a' * 64}"))
            assert {one.judgement.cause.id for one in decision.rulings if one.judgement.cause} == {"registry.refused"}
            assert inside.seen == ()

    def test_cve_2024_45395_signatures_without_end(self, here: World):
        """An envelope with more signatures than anybody makes is not verified one by one."""
        image = here.image()
        bob = signer("bob")
        filings = []
        for link in links(here.products(image)):
            sealed = json.loads(seal(link, bob))
            sealed["signatures"] = sealed["signatures"] * 5000
            filings.append(Filing(link.name, bob.key.id, json.dumps(sealed).encode()))
        raw = write_pack(Pack(seal(layout(), signer("owner")), tuple(filings)))
        here.registry.add_artifact("shop/app", raw, PACK, subject=image, artifact_type=PACK)
        assert here.decide(pod(here.ref(image))).outcome is DENIED

    def test_cve_2023_33957_and_33958_and_25656_documents_without_end_on_one_image(self, here: World):
        """notation before 1.0.0-rc.6 read all of them, into memory."""
        image = here.image()
        for number in range(150):
            raw = seal(Link(f"other{number}", (), {}, {}, {}, {}), signer("eve"))
            here.registry.add_artifact("shop/app", raw, "application/vnd.in-toto+json", subject=image)
        decision = here.decide(pod(here.ref(image)))
        assert decision.outcome is DENIED
        assert here.registry.count("GET") < 250

    def test_cve_2026_54787_a_key_after_the_time_that_the_layout_gives_it(self, here: World):
        image = here.image()
        plain: dict[str, Any] = layout().to_json()
        bob = signer("bob").keyid
        for until, expected in (("2026-05-31T00:00:00Z", DENIED), ("2026-12-31T00:00:00Z", ALLOWED)):
            document = {
                "_type": "navicert-policy/v1",
                "name": "app",
                "version": 1 if expected is DENIED else 2,
                "expires": plain["expires"],
                "keys": plain["keys"],
                "steps": [{name: one[name] for name in _STEP if name in one} for one in plain["steps"]],
                "validity": {bob: {"until": until}},
            }
            here.attest(image, policy=read_policy_document(document))
            here.seconds += 4000
            assert here.decide(pod(here.ref(image))).outcome is expected


_STEP = ("name", "threshold", "pubkeys", "expected_materials", "expected_products", "expected_command")


class TestAround:
    def test_kyverno_15705_a_pin_that_failed_does_not_spare_the_judgement(self, here: World):
        """The mutating hook could not pin: what comes to the other one is by tag, and no Pod is let in by tag."""
        good = here.good()
        here.registry.fault("GET", "", fault.status(503), times=2)
        spec = pod(good.partition("@")[0])
        assert not here.pin(spec).patch
        assert here.decide(spec).reason == "image.unpinned"

    def test_a_label_of_a_namespace_that_is_taken_off(self):
        """Only named groups decide whether anything is judged (the companion policy, which needs no webhook)."""
        labels = {"kubernetes.io/metadata.name": "shop", "navicert.dev/admission": "enabled"}
        judged: dict[str, Any] = {"metadata": {"name": "shop", "labels": labels}}
        bare: dict[str, Any] = {"metadata": {"name": "shop", "labels": {"kubernetes.io/metadata.name": "shop"}}}
        off = {"metadata": {"name": "shop", "labels": {**labels, "navicert.dev/admission": "disabled"}}}
        assert not allows("labels", bare, old=judged, groups=("dev",))
        assert not allows("labels", off, old=judged, groups=("dev",))
        assert allows("labels", bare, old=judged, groups=("ops",))

    def test_a_webhook_that_is_down_and_ignored(self, here: World):
        """No tag gets in even then, and what did get in is found."""
        assert not allows("digests", companion_pod(containers=[{"name": "app", "image": "registry.example/app:1"}]))
        slipped = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "shop"}}
        found = audit(here.examiner, [slipped | {"spec": pod(here.bad())}], lambda body: review_of(body, "", "x"))
        assert len(found.refused) == 1

    def test_static_pods_are_told_of(self, here: World):
        """No admission stops what a node runs from its own disk: the audit says what it is."""
        metadata = {"name": "a", "namespace": "kube", "annotations": {"kubernetes.io/config.mirror": "x"}}
        mirror = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod(here.bad(), nodeName="n1")}
        found = audit(here.examiner, [as_it_runs(mirror)], lambda body: review_of(body, "", "x"))
        assert [str(place) for one in found.refused for place in one.places] == ["kube/a"]

    def test_an_image_that_is_pulled_through_a_mirror(self, here: World):
        """The digest decides, and its evidence lies where the policy says; another digest has none there."""
        image = here.registry.add_image("mirror/app", "1.4", {"app": b"hello"})
        other = here.registry.add_image("mirror/app", "evil", {"app": b"tampered"})
        here.attest(image, "mirror/app", repository="origin/app")
        here.use(here.policy(evidence=[{"repository": f"{here.registry.name}/origin/app"}]))
        assert here.decide(pod(here.ref(image, "mirror/app"))).outcome is ALLOWED
        assert here.decide(pod(here.ref(other, "mirror/app"))).outcome is DENIED

    def test_a_workload_is_no_proof_for_its_pods(self, here: World):
        """What was checked by tag as a Deployment is judged again by digest, as a Pod."""
        here.good()
        tagged = f"{here.registry.name}/shop/app:1.4"
        assert here.decide(pod(tagged), DEPLOYMENT).outcome is ALLOWED
        here.bad(tag="1.4")
        moved = here.examiner.run(json.dumps(review(pod(tagged))).encode(), here.examiner.mutating)
        assert isinstance(moved, Decision)
        assert here.decide(pod(tagged)).outcome is DENIED
