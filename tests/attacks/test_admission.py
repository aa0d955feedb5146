"""Ways around admission webhooks that worked elsewhere: each is tried here, and refused.

Named after where an image hid, or after the advisory. What decides is what the webhook runs; images, chains and layouts
are real, and lie in a registry on loopback.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.admission_world import DEPLOYMENT, NOW, POD, World, pod, review, world
from tests.image_chain import layout, links

from navicert.admission.decision import Decision, Outcome, answer, denial
from navicert.admission.judge import Judge
from navicert.admission.limits import WEBHOOK
from navicert.admission.policy_file import load_policies
from navicert.admission.policy_reader import Reading, read_document
from navicert.admission.reach import Reach
from navicert.admission.review import Kind
from navicert.authoring.yaml import read_yaml
from navicert.dataclass import replace
from navicert.digest import sha256
from navicert.envelope.document import seal
from navicert.errors import Malformed
from navicert.model.layout import Inspection
from navicert.model.link import Link
from navicert.oci.access import Access
from navicert.oci.attachment import PACK
from navicert.oci.credential import Credential, Single
from navicert.store import Filing
from navicert.store.pack import Pack, write_pack
from navicert.testing import fault, signer
from navicert.testing.fault import Request, Response
from navicert.testing.registry import LoopbackRegistry
from navicert.timestamp import parse_timestamp

DENIED, ALLOWED = Outcome.DENIED, Outcome.ALLOWED


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


def outcome(decision: Decision) -> Outcome:
    return decision.outcome


def decided(here: World, asked: dict[str, Any]) -> Decision:
    return here.examiner.run(json.dumps(asked).encode(), here.examiner.validating)


# --- where images hide ---------------------------------------------------------------------------------------------


class TestBypass:
    def test_init_containers(self, here: World):
        spec = pod(here.good(), initContainers=[{"name": "i", "image": here.bad()}])
        assert outcome(here.decide(spec)) is DENIED

    def test_native_sidecars(self, here: World):
        sidecar = {"name": "s", "image": here.bad(), "restartPolicy": "Always"}
        assert outcome(here.decide(pod(here.good(), initContainers=[sidecar]))) is DENIED

    def test_kubectl_debug(self, here: World):
        good = here.good()
        debug = pod(good, ephemeralContainers=[{"name": "debugger", "image": here.bad()}])
        assert outcome(here.decide(debug, old=pod(good), subResource="ephemeralcontainers")) is DENIED

    def test_image_volumes(self, here: World):
        volume = {"name": "v", "image": {"reference": here.bad(), "pullPolicy": "IfNotPresent"}}
        assert outcome(here.decide(pod(here.good(), volumes=[volume]))) is DENIED

    def test_an_image_volume_that_becomes_a_container(self, here: World):
        good, bad = here.good(), here.bad()
        old = pod(good, volumes=[{"name": "v", "image": {"reference": bad}}])
        assert outcome(here.decide(pod(good, bad), old=old)) is DENIED

    def test_a_pod_whose_image_is_changed(self, here: World):
        assert outcome(here.decide(pod(here.bad()), old=pod(here.good()))) is DENIED

    def test_an_update_that_changes_nothing_is_not_held_up(self, here: World):
        bad = here.bad()
        assert here.decide(pod(bad), old=pod(bad)).reason == "unchanged"

    def test_an_update_that_keeps_a_tag_is_judged(self, here: World):
        here.bad(tag="1.4")
        spec = pod(f"{here.registry.name}/shop/app:1.4")
        assert outcome(here.decide(spec, DEPLOYMENT, old=spec)) is DENIED

    def test_cve_2023_34091_an_object_with_a_deletion_timestamp(self, here: World):
        """A finalizer keeps alive what is being deleted."""
        asked = review(pod(here.bad()))
        asked["request"]["object"]["metadata"] |= {
            "deletionTimestamp": "2026-01-01T00:00:00Z",
            "finalizers": ["example/forever"],
        }
        assert outcome(decided(here, asked)) is DENIED

    def test_scaling_down_while_the_image_changes(self, here: World):
        asked = review(pod(here.bad()), DEPLOYMENT, old=pod(here.good()))
        asked["request"]["object"]["spec"]["replicas"] = 0
        asked["request"]["oldObject"]["spec"]["replicas"] = 9
        assert outcome(decided(here, asked)) is DENIED

    def test_scale_and_status_hold_no_images(self, here: World):
        scale = review(pod("x"), DEPLOYMENT, subResource="scale")
        scale["request"]["kind"] = {"group": "autoscaling", "version": "v1", "kind": "Scale"}
        scale["request"]["object"] = {"kind": "Scale", "apiVersion": "autoscaling/v1", "spec": {"replicas": 2}}
        assert decided(here, scale).reason == "starts-nothing"

    def test_a_mirror_annotation_of_a_user(self, here: World):
        said = {"kubernetes.io/config.mirror": "x"}
        assert outcome(here.decide(pod(here.bad(), nodeName="n1"), annotations=said)) is DENIED

    @pytest.mark.parametrize("kind", [Kind("", "v1", "ReplicationController"), Kind("batch", "v1", "Job")], ids=str)
    def test_kinds_that_make_pods(self, here: World, kind: Kind):
        assert outcome(here.decide(pod(here.bad()), kind)) is DENIED

    def test_pod_templates(self, here: World):
        asked = review(pod("x"))
        asked["request"]["kind"] = {"group": "", "version": "v1", "kind": "PodTemplate"}
        asked["request"]["object"] = {"kind": "PodTemplate", "apiVersion": "v1", "template": {"spec": pod(here.bad())}}
        assert outcome(decided(here, asked)) is DENIED

    def test_custom_kinds_that_make_pods(self, here: World):
        asked = review(pod(here.bad()), Kind("argoproj.io", "v1alpha1", "Rollout"))
        assert decided(here, asked).reason == "object.malformed"
        kinds = [{"group": "argoproj.io", "kind": "Rollout", "podSpecs": ["$.spec.template.spec"]}]
        here.use(here.policy(customKinds=kinds))
        assert decided(here, asked).reason == "target.bound"
        good = review(pod(here.good()), Kind("argoproj.io", "v1alpha1", "Rollout"))
        assert outcome(decided(here, good)) is ALLOWED

    def test_a_kind_that_says_it_is_another(self, here: World):
        asked = review(pod(here.bad()))
        asked["request"]["kind"] = {"group": "", "version": "v1", "kind": "Service"}
        assert outcome(decided(here, asked)) is DENIED

    def test_a_field_of_tomorrow(self, here: World):
        spec = pod(here.good(), sidecarContainers=[{"name": "s", "image": here.bad()}])
        assert here.decide(spec).reason == "object.malformed"

    @pytest.mark.parametrize(
        "annotations",
        [
            {"navicert.dev/verified": "true"},
            {"navicert.dev/admission": "disabled"},
            {"kyverno.io/verify-images": '{"x": "pass"}'},
            {"policy.sigstore.dev/include": "false"},
            {"navicert.dev/break-glass": "please"},
        ],
        ids=lambda found: next(iter(found)),
    )
    def test_an_annotation_that_says_it_was_verified(self, here: World, annotations: dict[str, str]):
        assert outcome(here.decide(pod(here.bad()), annotations=annotations)) is DENIED

    def test_a_label_that_opts_out(self, here: World):
        asked = review(pod(here.bad()))
        asked["request"]["object"]["metadata"]["labels"] = {"navicert.dev/admission": "disabled"}
        assert outcome(decided(here, asked)) is DENIED

    def test_a_namespace_in_the_object_that_is_not_that_of_the_review(self, here: World):
        here.use(here.policy(namespaces=["prod"]), here.policy(name="dev", mode="audit", namespaces=["dev"]))
        asked = review(pod(here.bad()), namespace="prod")
        asked["request"]["object"]["metadata"]["namespace"] = "dev"
        assert outcome(decided(here, asked)) is DENIED

    @pytest.mark.parametrize("spelling", ["{host}.evil.example/shop/app@{digest}", "evil.example/{host}/app@{digest}"])
    def test_a_registry_whose_name_begins_like_a_trusted_one(self, here: World, spelling: str):
        host, digest = here.registry.name, here.good().rpartition("@")[2]
        assert here.decide(pod(spelling.format(host=host.replace(":", "-"), digest=digest))).reason == "image.unmatched"

    def test_upper_case_hosts_and_other_spellings_are_the_same_image(self, here: World):
        here.use(here.policy(images=["docker.io/**"]), here.policy(name="all-of-it"))
        for text in ("nginx", "docker.io/nginx", "index.docker.io/library/nginx", "DOCKER.IO/library/nginx"):
            (use,) = [one.use for one in here.decide(pod(text)).rulings]
            assert str(use.reference) == "docker.io/library/nginx:latest"

    def test_a_pod_by_tag_that_was_checked_as_a_deployment(self, here: World):
        """What a tag stood for when the Deployment was judged says nothing of what a node pulls later."""
        reference = here.good()
        tagged = reference.partition("@")[0]
        assert outcome(here.decide(pod(tagged), DEPLOYMENT)) is ALLOWED
        here.image(tag="1.4", content=b"moved")
        assert here.decide(pod(tagged)).reason == "image.unpinned"


# --- advisories ----------------------------------------------------------------------------------------------------


class TestAdvisory:
    def test_cve_2026_122321_a_warm_cache_and_a_tag_that_moved(self, here: World):
        reference = here.good()
        tagged = reference.partition("@")[0]
        assert outcome(here.decide(pod(tagged), DEPLOYMENT)) is ALLOWED
        evil = here.image(tag="1.4", content=b"moved")
        time.sleep(3.1)
        assert outcome(here.decide(pod(tagged), DEPLOYMENT)) is DENIED
        assert outcome(here.decide(pod(f"{tagged}@{evil.digest}"))) is DENIED

    def test_cve_2022_47633_a_registry_that_answers_differently_the_second_time(self, here: World):
        """One answer to verify and another to pin: the digest of what came first is what is judged and written."""
        good, evil = here.good(), here.image(tag="evil", content=b"evil")
        media_type, raw = here.registry.contents["shop/app"].manifests[str(evil.digest)]
        here.registry.fault("GET", "/manifests/1.4", _instead(raw, media_type), after=1)
        tagged = good.partition("@")[0]
        pinned = here.pin(pod(tagged))
        assert [one.value for one in pinned.patch or ()] == [good]
        time.sleep(3.1)
        again = here.pin(pod(tagged))
        (operation,) = again.patch or ()
        assert operation.value == f"{tagged}@{evil.digest}"
        assert outcome(here.decide(pod(str(operation.value)))) is DENIED

    def test_cve_2023_33959_other_bytes_than_the_digest_that_was_asked_for(self, here: World):
        good, evil = here.good(), here.image(tag="evil", content=b"evil")
        media_type, raw = here.registry.contents["shop/app"].manifests[str(evil.digest)]
        here.registry.fault("GET", f"/manifests/{good.rpartition('@')[2]}", _instead(raw, media_type))
        decision = here.decide(pod(good))
        assert (outcome(decision), decision.reason) == (DENIED, "registry.unavailable")

    def test_cve_2023_47630_a_digest_that_a_registry_states(self, here: World):
        good = here.good()
        digest = good.rpartition("@")[2]
        here.image(tag="evil", content=b"evil")
        here.registry.fault("GET", "/manifests/evil", fault.header("Docker-Content-Digest", digest))
        tagged = f"{here.registry.name}/shop/app:evil"
        assert not here.pin(pod(tagged)).patch
        assert outcome(here.decide(pod(tagged), DEPLOYMENT)) is DENIED

    def test_cve_2022_35929_some_attestation_where_another_is_asked_for(self, here: World):
        image = here.image()
        first, build = links(here.products(image))
        renamed = Link("other", build.command, build.materials, build.products, {}, {})
        here.attest(image, evidence=[first, renamed])
        assert here.decide(pod(here.ref(image))).reason == "step.threshold"

    def test_cve_2022_35930_the_right_signer_and_the_wrong_predicate(self, here: World):
        image = here.image()
        here.attest(image, evidence=links(here.products(image))[:1])
        here.registry.add_artifact("shop/app", _statement("bob", image), DSSE, subject=image, artifact_type=DSSE)
        assert here.decide(pod(here.ref(image))).reason == "step.threshold"

    def test_cve_2022_36056_parts_of_a_bundle_that_nobody_looks_at(self, here: World):
        image = here.image()
        who = signer("bob")
        made = links(here.products(image))
        tampered = json.loads(seal(made[1], who))
        other = json.loads(seal(replace(made[1], command=("evil",)), who))
        tampered["payload"] = other["payload"]
        filings = (
            Filing(made[0].name, who.key.id, seal(made[0], who)),
            Filing(made[1].name, who.key.id, json.dumps(tampered).encode()),
        )
        raw = write_pack(Pack(seal(layout(), signer("owner")), filings))
        here.registry.add_artifact("shop/app", raw, PACK, subject=image, artifact_type=PACK)
        assert outcome(here.decide(pod(here.ref(image)))) is DENIED

    def test_cve_2026_22703_valid_evidence_that_belongs_to_another_image(self, here: World):
        other = here.image(tag="other", content=b"other")
        evidence = links(here.products(other))
        image = here.image()
        here.attest(image, evidence=evidence)
        assert here.decide(pod(here.ref(image))).reason == "target.bound"

    def test_cve_2026_39395_a_payload_that_cannot_be_read(self, here: World):
        image = here.image()
        here.attest(image, evidence=links(here.products(image))[:1])
        for raw in (b'{"payload": "!!", "payloadType": "x", "signatures": []}', b"{", b"null"):
            here.registry.add_artifact("shop/app", raw, DSSE, subject=image, artifact_type=DSSE)
        assert here.decide(pod(here.ref(image))).reason == "step.threshold"

    def test_ghsa_fx35_mq7g_6g98_a_key_that_the_evidence_brings_along(self, here: World):
        """Evidence signed by a key that is only named in the evidence, and a layout that names it, of nobody's."""
        image = here.image()
        eve = signer("eve")
        mine = layout()
        steps = tuple(replace(step, pubkeys=(eve.key.id,)) for step in mine.steps)
        theirs = replace(mine, steps=steps, keys={eve.key.id: eve.key.to_json()})
        here.attest(image, by="eve", owner="eve", policy=theirs)
        assert here.decide(pod(here.ref(image))).reason == "layout.owner"

    def test_cve_2022_23649_evidence_by_nobody_who_may(self, here: World):
        image = here.image()
        here.attest(image, by="eve")
        assert here.decide(pod(here.ref(image))).reason == "evidence.found"

    def test_cve_2026_49834_one_signer_counts_once(self, here: World):
        """Also as in a threshold of signature layers: one key that signed twice is one."""
        image = here.image()
        bob, carol = signer("bob"), signer("carol")
        mine = layout()
        build = replace(mine.steps[1], threshold=2, pubkeys=(bob.key.id, carol.key.id))
        keys = {**mine.keys, carol.key.id: carol.key.to_json()}
        policy = replace(mine, steps=(mine.steps[0], build), keys=keys)
        first, made = links(here.products(image))
        here.attest(image, policy=policy, evidence=[first, made, replace(made, byproducts={"return-value": 0, "n": 2})])
        twice = json.loads(seal(made, bob))
        twice["signatures"] *= 2
        raw = json.dumps(twice).encode()
        here.registry.add_artifact("shop/app", raw, DSSE, subject=image, artifact_type=DSSE)
        assert here.decide(pod(here.ref(image))).reason == "step.threshold"

    def test_a_layout_signed_twice_by_one_owner_does_not_meet_two(self, here: World):
        image = here.image()
        here.attest(image)
        two = {"keys": [{"file": "owner.pub"}, {"file": "second.pub"}], "threshold": 2}
        here.use(here.policy(owners=two))
        assert here.decide(pod(here.ref(image))).reason == "layout.owner"

    def test_cve_2024_23332_an_older_layout_put_in_place_of_a_newer(self, here: World):
        image = here.image()
        here.attest(image, policy=layout(version=1))
        here.use(here.policy(minLayoutVersion=2))
        assert here.decide(pod(here.ref(image))).reason == "layout.version"

    def test_cve_2026_24122_a_layout_that_has_expired(self, here: World):
        image = here.image()
        here.attest(image, policy=replace(layout(), expires=parse_timestamp("2026-05-31T23:59:59Z")))
        assert here.decide(pod(here.ref(image))).reason == "layout.expired"

    def test_cve_2024_48921_an_exception_in_any_namespace(self, here: World):
        bad = here.bad()
        made = here.exception(bad.rpartition("@")[2])
        made["metadata"]["namespace"] = "prod"
        with pytest.raises(Malformed, match="administrators only"):
            here.use(here.policy(), made)
        with pytest.raises(Malformed, match="administrators only"):
            read_document(read_yaml(yaml.safe_dump(made).encode()), Reading())

    def test_ghsa_gg4x_fgg2_h9w9_two_exceptions_do_not_add_up(self, here: World):
        """One names the digest and another the namespace: neither covers the image there."""
        bad, other = here.bad(), here.bad(tag="other", content=b"other one")
        first = here.exception(bad.rpartition("@")[2], namespaces=["dev"])
        second = here.exception(other.rpartition("@")[2], namespaces=["prod"])
        second["metadata"]["name"] = "second"
        here.use(here.policy(), first, second)
        assert outcome(here.decide(pod(bad), namespace="prod")) is DENIED

    @pytest.mark.parametrize("field", ["identities", "keyless", "subjectRegExp", "attestors"])
    def test_cve_2025_29778_an_identity_that_is_asked_for_and_not_looked_at(self, here: World, field: str):
        """A field that this version does not judge is refused: nobody relies on a check that is not made."""
        with pytest.raises(Malformed):
            here.use(here.policy(owners={"keys": [{"file": "owner.pub"}], field: [{"subject": "x"}]}))

    def test_cve_2025_46342_a_namespace_that_could_not_be_found_out(self, here: World):
        here.use(here.policy(namespaces=["prod"]))
        assert outcome(here.decide(pod(here.bad()), namespace="")) is DENIED
        assert outcome(here.decide(pod(here.good()), namespace="")) is DENIED

    @pytest.mark.parametrize("spec", [{"images": []}, {"namespaces": []}, {"owners": {"keys": []}}, {"evidence": []}])
    def test_an_empty_match_is_no_policy(self, here: World, spec: dict[str, Any]):
        with pytest.raises(Malformed):
            here.use(here.policy(**spec))

    def test_no_policy_at_all_lets_nothing_in(self, here: World, tmp_path: Path):
        empty = tmp_path / "empty.yaml"
        empty.write_text("# nothing\n")
        with pytest.raises(Malformed):
            load_policies([str(empty)])

    def test_cve_2021_41087_inspections_and_commands_run_nothing(self, here: World, tmp_path: Path):
        image, mark = here.image(), tmp_path / "mark"
        run = Inspection("x", ("sh", "-c", f"touch {mark}"), (), ())
        here.attest(image, policy=replace(layout(), inspections=(run,)))
        assert outcome(here.decide(pod(here.ref(image)))) is DENIED
        assert not mark.exists()


DSSE = "application/vnd.dsse.envelope.v1+json"


def _statement(who: str, image: Any) -> bytes:
    """A signed provenance of the image: no link, whatever it says."""
    from navicert.model.statement import Statement

    body = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "build", "digest": {"sha256": image.digest.hex}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {"buildDefinition": {}, "runDetails": {}},
    }
    return seal(Statement.from_json(body), signer(who))


def _instead(raw: bytes, media_type: str) -> fault.Fault:
    def answer(request: Request, right: Response) -> Response:
        return Response(200, {"Content-Type": media_type}, raw)

    return answer


# --- registries that want to harm ----------------------------------------------------------------------------------


class TestRegistry:
    def test_cve_2023_46737_attestations_without_end(self, here: World):
        image = here.image()
        here.attest(image)
        for number in range(150):
            here.registry.add_artifact("shop/app", b"%d" % number, DSSE, subject=image, artifact_type=DSSE)
        started = time.monotonic()
        decision = here.decide(pod(here.ref(image)))
        assert outcome(decision) is DENIED
        assert "limit referrers" in denial(decision)
        assert time.monotonic() - started < 8

    def test_cve_2024_29902_an_attachment_of_any_size(self, here: World):
        image = here.image()
        huge = b"x" * (WEBHOOK.attachment_bytes + 1)
        here.registry.add_artifact("shop/app", huge, DSSE, subject=image, artifact_type=DSSE)
        assert outcome(here.decide(pod(here.ref(image)))) is DENIED
        assert here.registry.count("GET", f"/blobs/{sha256(huge)}") == 0

    def test_cve_2024_29903_a_count_that_is_only_claimed(self, here: World):
        image = here.image()
        claim = {"mediaType": DSSE, "digest": "sha256:" + "a" * 64, "size": 2**62}
        body = {"schemaVersion": 2, "artifactType": DSSE, "config": here.registry.add_blob("shop/app", b"{}").to_json()}
        here.registry.add_manifest("shop/app", body | {"layers": [claim], "subject": image.to_json()})
        assert outcome(here.decide(pod(here.ref(image)))) is DENIED

    @pytest.mark.parametrize("path", ["/manifests/sha256", "/blobs/", "/referrers/", "/tags/"])
    @pytest.mark.parametrize(
        "broken",
        [fault.endless(b"{"), fault.gzip_bomb(10**8), fault.wrong_length(-1), fault.cut_off(1), fault.dropped(),
         fault.other_bytes(b"{}"), fault.status(500), fault.redirect_loop(), fault.redirect("http://169.254.169.254/latest/meta-data/"),
         fault.redirect("https://10.0.0.1/"), fault.redirect("file:///etc/passwd")],
        ids=["endless", "bomb", "short", "cut", "dropped", "other", "500", "loop", "metadata", "inner", "file"],
    )  # fmt: skip
    def test_cve_2023_42813_42814_42815_42816_whatever_a_registry_answers_ends_in_a_denial(
        self, tmp_path: Path, path: str, broken: Any
    ):
        quick = replace(WEBHOOK, request_seconds=2, idle_seconds=1, connect_seconds=1, attempts=1)
        with world(tmp_path, quick) as here:
            reference = here.good()
            here.registry.fault("GET", path, broken)
            started = time.monotonic()
            decision = here.decide(pod(reference), seconds=8)
            assert time.monotonic() - started < 9
            if path != "/tags/":  # of a registry that has the referrers API this list is a second place
                assert outcome(decision) is DENIED
            assert len(answer(decision, "1").message.encode()) <= 1000

    def test_cve_2025_27403_credentials_are_for_their_own_host(self, tmp_path: Path):
        """A Pod names its author's registry: it must not be shown what the webhook has for another."""
        with world(tmp_path) as here, LoopbackRegistry() as foreign:
            own = Single(here.registry.name, Credential("robot", "secret"))
            here.reach = Reach(Access(insecure=True, keychain=own), WEBHOOK)
            here.judge = Judge(here.reach, WEBHOOK, clock=lambda: NOW)
            here.examiner = here.examining()
            here.use(here.policy(images=[f"{here.registry.name}/**", f"{foreign.name}/**"]))
            foreign.fault("GET", "", fault.Instead(Response(401, {"WWW-Authenticate": 'Basic realm="x"'})))
            here.decide(pod(f"{foreign.name}/a@sha256:{'a' * 64}"))
            assert foreign.seen
            assert not [one for one in foreign.seen if "authorization" in one.headers]

    def test_a_registry_that_no_policy_names_is_never_asked(self, here: World):
        with LoopbackRegistry() as foreign:
            here.decide(pod(f"{foreign.name}/a@sha256:{'a' * 64}", f"{foreign.name}/b:1"))
            here.decide(pod(f"{foreign.name}/b:1"), DEPLOYMENT)
            here.pin(pod(f"{foreign.name}/b:1"))
            assert foreign.seen == ()

    def test_one_slow_registry_does_not_hold_up_the_others(self, tmp_path: Path):
        with world(tmp_path) as here, LoopbackRegistry() as slow:
            here.use(here.policy(images=[f"{here.registry.name}/**", f"{slow.name}/**"]))
            good = here.good()
            slow.fault("GET", "", fault.delay(3))
            steps = [
                here.examiner.validating(_read(here, pod(f"{slow.name}/a@sha256:{number:064x}")))
                for number in range(40)
            ]
            for step in steps:
                next(step)
            started = time.monotonic()
            assert outcome(here.decide(pod(good))) is ALLOWED
            assert time.monotonic() - started < 2.5


def _read(here: World, spec: Any) -> Any:
    return here.examiner.read(json.dumps(review(spec, POD)).encode())
