"""Rounds of the keeper: nothing is in force before somebody answers, and nothing undoes a person's decision."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from tests.unit.admission.memory_cluster import MemoryCluster

from navicert.admission import arming
from navicert.admission.cluster import Conflict
from navicert.admission.deployment.manifest import manifests
from navicert.admission.deployment.node import Release
from navicert.admission.deployment.value import merged
from navicert.admission.keeping import Installation, current_bundle, keep_round
from navicert.admission.rotation import certificates
from navicert.admission.vocabulary import DISARMED
from navicert.errors import Malformed, Unavailable

AT = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
VALIDATING = arming.configuration_path("ValidatingWebhookConfiguration", "navicert")
FOREIGN = arming.configuration_path("ValidatingWebhookConfiguration", "in-toto-verifier")
DEPLOYMENT = "/apis/apps/v1/namespaces/security/deployments/navicert-webhook"
SECRET = "/api/v1/namespaces/security/secrets/navicert-webhook-tls"
IMAGE = "registry.example/navicert@sha256:" + "a" * 64


def wanted(**values: object) -> tuple[arming.Wanted, ...]:
    """How the chart says that configurations should be."""
    found = manifests(merged({"image": IMAGE, **values}), Release("security"))
    (text,) = [
        one["data"]["configurations.json"]  # type: ignore[index]
        for one in found
        if one["metadata"]["name"] == "navicert-configurations"  # type: ignore[index]
    ]
    return arming.read_wanted(text.encode())


def installation(**values: object) -> Installation:
    return Installation("security", "navicert-webhook", ours=True, wanted=wanted(**values))


def cluster(*, ready: bool) -> MemoryCluster:
    foreign = {"name": "verify.in-toto.io", "failurePolicy": "Fail", "clientConfig": {"service": {"name": "x"}}}
    return MemoryCluster(
        {
            VALIDATING: {},
            arming.configuration_path("MutatingWebhookConfiguration", "navicert"): {},
            FOREIGN: {"webhooks": [foreign]},
            SECRET: {"data": {}},
            DEPLOYMENT: {"status": {"readyReplicas": 1} if ready else {}},
        }
    )


def policies(found: MemoryCluster, path: str = VALIDATING) -> list[object]:
    return [one["failurePolicy"] for one in arming.webhooks(found.objects[path])]


def test_fail_is_in_force_only_once_a_replica_is_ready() -> None:
    found = cluster(ready=False)
    first = keep_round(found, installation(), AT)
    assert first.waiting
    assert policies(found) == []
    found.objects[DEPLOYMENT]["status"] = {"readyReplicas": 1}
    assert not keep_round(found, installation(), AT + MINUTE).waiting
    assert policies(found) == ["Fail", "Fail"]


def test_every_ca_bundle_is_that_of_the_secret() -> None:
    found = cluster(ready=True)
    keep_round(found, installation(), AT)
    assert set(arming.bundles(found.objects[VALIDATING])) == {current_bundle(found, "security")}


def test_a_second_round_changes_nothing() -> None:
    found = cluster(ready=True)
    keep_round(found, installation(), AT)
    found.patched.clear()
    assert keep_round(found, installation(), AT + MINUTE).done == ()
    assert found.patched == []


def test_defaults_that_the_api_server_adds_are_no_difference() -> None:
    found = cluster(ready=True)
    keep_round(found, installation(), AT)
    for one in found.objects[VALIDATING]["webhooks"]:  # type: ignore[attr-defined]
        one |= {"objectSelector": {}, "matchConditions": []}
    assert keep_round(found, installation(), AT + MINUTE).done == ()


@pytest.mark.parametrize("change", [{"failurePolicy": "Ignore"}, {"rules": []}, {"namespaceSelector": {}}])
def test_a_configuration_that_somebody_weakened_is_brought_back(change: dict[str, object]) -> None:
    found = cluster(ready=True)
    keep_round(found, installation(), AT)
    before = found.objects[VALIDATING]["webhooks"]
    found.objects[VALIDATING]["webhooks"] = [{**one, **change} for one in before]  # type: ignore[attr-defined]
    (said,) = keep_round(found, installation(), AT + MINUTE).done
    assert said.endswith("was brought back to what it should be")
    assert found.objects[VALIDATING]["webhooks"] == before


def test_it_stays_in_force_when_no_replica_is_ready_any_more() -> None:
    found = cluster(ready=True)
    keep_round(found, installation(), AT)
    found.objects[DEPLOYMENT]["status"] = {}
    assert not keep_round(found, installation(), AT + MINUTE).waiting
    assert policies(found) == ["Fail", "Fail"]


class TestDisarmed:
    def test_a_round_does_not_arm_what_a_person_disarmed(self) -> None:
        found = cluster(ready=True)
        keep_round(found, installation(), AT)
        arming.disarm(found, "ValidatingWebhookConfiguration", "navicert", AT)
        keep_round(found, installation(), AT + MINUTE)
        assert policies(found) == ["Ignore", "Ignore"]

    def test_emptied_it_stays_empty(self) -> None:
        found = cluster(ready=True)
        keep_round(found, installation(), AT)
        arming.disarm(found, "ValidatingWebhookConfiguration", "navicert", AT, empty=True)
        keep_round(found, installation(), AT + MINUTE)
        assert policies(found) == []

    def test_disarmed_before_it_was_ever_in_force_it_stays_so(self) -> None:
        found = cluster(ready=True)
        arming.disarm(found, "ValidatingWebhookConfiguration", "navicert", AT)
        keep_round(found, installation(), AT)
        assert policies(found) == []

    def test_a_note_that_cannot_be_read_is_a_decision_all_the_same(self) -> None:
        found = cluster(ready=True)
        keep_round(found, installation(), AT)
        arming.disarm(found, "ValidatingWebhookConfiguration", "navicert", AT)
        found.objects[VALIDATING]["metadata"]["annotations"] = {DISARMED: "{"}  # type: ignore[index]
        keep_round(found, installation(), AT)
        assert policies(found) == ["Ignore", "Ignore"]

    def test_armed_again_it_is_as_the_chart_says(self) -> None:
        found = cluster(ready=True)
        keep_round(found, installation(), AT)
        arming.disarm(found, "ValidatingWebhookConfiguration", "navicert", AT, empty=True)
        (ours,) = [one for one in wanted() if one.path == VALIDATING]
        arming.arm(found, ours, current_bundle(found, "security"))
        assert policies(found) == ["Fail", "Fail"]
        assert arming.disarmed_at(found.objects[VALIDATING]) is None

    def test_twice_disarmed_it_remembers_what_was_before_the_first(self) -> None:
        found = cluster(ready=True)
        keep_round(found, installation(certificates={"configurations": ["in-toto-verifier"]}), AT)
        for _ in range(2):
            arming.disarm(found, "ValidatingWebhookConfiguration", "in-toto-verifier", AT)
        assert policies(found, FOREIGN) == ["Ignore"]
        other = arming.Wanted("ValidatingWebhookConfiguration", "in-toto-verifier", None)
        arming.arm(found, other, current_bundle(found, "security"))
        assert policies(found, FOREIGN) == ["Fail"]


class TestConfigurationsOfOthers:
    def test_only_the_ca_bundle_is_ours(self) -> None:
        found = cluster(ready=True)
        found.objects[FOREIGN]["webhooks"][0]["somethingNew"] = {"a": 1}  # type: ignore[index]
        keep_round(found, installation(certificates={"configurations": ["in-toto-verifier"]}), AT)
        (one,) = arming.webhooks(found.objects[FOREIGN])
        client = one.pop("clientConfig")
        assert isinstance(client, dict)
        assert client.pop("caBundle")
        assert client == {"service": {"name": "x"}}
        assert one == {"name": "verify.in-toto.io", "failurePolicy": "Fail", "somethingNew": {"a": 1}}

    def test_one_that_is_not_there_is_no_failure(self) -> None:
        found = cluster(ready=True)
        keep_round(found, installation(certificates={"configurations": ["other"]}), AT)
        assert policies(found) == ["Fail", "Fail"]


class TestInjectorOfCertManager:
    """Whoever annotates a configuration has its caBundle kept by somebody else: the keeper does not write over it."""

    @pytest.mark.parametrize("name", ["inject-ca-from", "inject-ca-from-secret", "inject-apiserver-ca"])
    @pytest.mark.parametrize("path", [VALIDATING, FOREIGN])
    def test_what_it_wrote_stays_and_all_else_is_kept(self, name: str, path: str) -> None:
        found, kept = cluster(ready=True), installation(certificates={"configurations": ["in-toto-verifier"]})
        keep_round(found, kept, AT)
        other = cluster(ready=True)
        keep_round(other, installation(), AT)
        theirs = current_bundle(other, "security")
        one = found.objects[path]
        one["metadata"]["annotations"] = {f"cert-manager.io/{name}": "security/navicert-webhook"}  # type: ignore[index]
        one["webhooks"] = arming.filled(arming.webhooks(one), theirs)
        keep_round(found, kept, AT + MINUTE)
        assert set(arming.bundles(found.objects[path])) == {theirs}
        if path == VALIDATING:
            found.objects[path]["webhooks"][0]["failurePolicy"] = "Ignore"  # type: ignore[index]
            keep_round(found, kept, AT + MINUTE)
            assert policies(found) == ["Fail", "Fail"]
            assert set(arming.bundles(found.objects[path])) == {theirs}

    def test_until_it_has_written_one_the_keepers_own_is_there(self) -> None:
        found = cluster(ready=True)
        annotations = {"cert-manager.io/inject-ca-from": "security/navicert-webhook"}
        found.objects[VALIDATING]["metadata"]["annotations"] = annotations  # type: ignore[index]
        keep_round(found, installation(), AT)
        assert set(arming.bundles(found.objects[VALIDATING])) == {current_bundle(found, "security")}

    def test_disarmed_and_armed_again_it_still_has_what_was_injected(self) -> None:
        found, kept = cluster(ready=True), installation(certificates={"configurations": ["in-toto-verifier"]})
        keep_round(found, kept, AT)
        other = cluster(ready=True)
        keep_round(other, installation(), AT)
        theirs = current_bundle(other, "security")
        one = found.objects[FOREIGN]
        one["metadata"]["annotations"] = {"cert-manager.io/inject-ca-from": "security/own"}  # type: ignore[index]
        one["webhooks"] = arming.filled(arming.webhooks(one), theirs)
        arming.disarm(found, "ValidatingWebhookConfiguration", "in-toto-verifier", AT)
        keep_round(found, kept, AT + MINUTE)
        wanted = arming.Wanted("ValidatingWebhookConfiguration", "in-toto-verifier", None)
        arming.arm(found, wanted, current_bundle(found, "security"))
        assert policies(found, FOREIGN) == ["Fail"]
        assert set(arming.bundles(found.objects[FOREIGN])) == {theirs}


class TestRotation:
    def test_the_new_authority_is_in_every_configuration_before_a_leaf_of_it_is_shown(self) -> None:
        found, at = cluster(ready=True), AT
        kept = installation(certificates={"configurations": ["in-toto-verifier"]})
        while at < AT + timedelta(days=1000):
            trusted = [
                certificates(bundle) for path in (VALIDATING, FOREIGN) for bundle in arming.bundles(found.objects[path])
            ]
            before = found.objects[SECRET]["data"]
            keep_round(found, kept, at)
            shown = found.objects[SECRET]["data"]
            if shown != before and before:
                from navicert.admission.rotation import read_holding

                leaf = read_holding(shown).leaf  # type: ignore[arg-type]
                assert leaf is not None
                for bundle in trusted:
                    assert leaf.issuer in [one.subject for one in bundle]
            at += timedelta(days=5)

    def test_two_keepers_at_once_make_one_authority(self) -> None:
        found = cluster(ready=True)
        other = [lambda: keep_round(found, installation(), AT)]

        def quicker() -> None:
            if other:
                other.pop()()

        found.before = quicker
        with pytest.raises(Conflict):
            keep_round(found, installation(), AT)
        keep_round(found, installation(), AT)
        assert len(certificates(current_bundle(found, "security"))) == 1
        assert set(arming.bundles(found.objects[VALIDATING])) == {current_bundle(found, "security")}


class TestCertManager:
    def kept(self) -> Installation:
        return Installation("security", "navicert-webhook", ours=False, wanted=wanted())

    def test_nothing_is_in_force_without_a_certificate(self) -> None:
        found = cluster(ready=True)
        with pytest.raises(Unavailable, match="cert-manager has made no certificate yet"):
            keep_round(found, self.kept(), AT)
        assert policies(found) == []

    def test_its_secret_is_only_read(self) -> None:
        found, source = cluster(ready=True), cluster(ready=True)
        keep_round(source, installation(), AT)
        found.objects[SECRET] = source.objects[SECRET]
        keep_round(found, self.kept(), AT)
        assert SECRET not in found.patched
        assert policies(found) == ["Fail", "Fail"]


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"{}", "names no configuration"),
        (b'{"Pod": {}}', "no such kind"),
        (b'{"ValidatingWebhookConfiguration": {"a": 1}}', "array"),
        (b'{"ValidatingWebhookConfiguration": {"a": [1]}}', "object"),
        (b'{"also": [1]}', "string"),
    ],
)
def test_a_document_that_describes_nothing_is_refused(raw: bytes, problem: str) -> None:
    with pytest.raises(Malformed, match=problem):
        arming.read_wanted(raw)


def test_an_empty_bundle_is_never_filled_in() -> None:
    with pytest.raises(Malformed, match="empty caBundle"):
        arming.filled([{"clientConfig": {}}], b"")


def test_a_webhook_without_a_client_is_refused() -> None:
    with pytest.raises(Malformed, match="clientConfig"):
        arming.filled([json.loads('{"name": "x"}')], b"x")
