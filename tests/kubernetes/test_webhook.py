"""The webhook behind a real API server: what kubectl may create and what not, while everything around it changes."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.admission_world import World, world
from tests.control_plane import ControlPlane, Done
from tests.kubernetes.installed import Installed, RunningWebhook, pod, workload
from tests.kubernetes.old_release import in_words_of

from navicert.admission.cluster import connect
from navicert.admission.deployment.definition import definitions
from navicert.admission.keeping import keep_round
from navicert.admission.rotation import AUTHORITY, Holding, renewed, secret_data
from navicert.cli.cluster_option import insisting
from navicert.cli.main import main
from navicert.testing import signer

KINDS = [
    "Deployment",
    "ReplicaSet",
    "StatefulSet",
    "DaemonSet",
    "Job",
    "CronJob",
    "ReplicationController",
    "PodTemplate",
]
SOURCE = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingWebhookConfiguration",
    "metadata": {"name": "in-toto-verifier"},
    "webhooks": [
        {
            "name": "verify.in-toto.io",
            "rules": [
                {
                    "apiGroups": ["apps"],
                    "apiVersions": ["v1"],
                    "resources": ["deployments"],
                    "operations": ["CREATE", "UPDATE"],
                }
            ],
            "clientConfig": {"service": {"name": "in-toto-webhook", "namespace": "security", "path": "/verify"}},
            "failurePolicy": "Fail",
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
        }
    ],
}
"""As in-toto's documents have it: no caBundle, and a Service on port 443."""


class Stage:
    """Everything: an API server, a registry with images, an installation, and its webhook as a process."""

    def __init__(self, installed: Installed, webhook: RunningWebhook, place: World) -> None:
        self.installed = installed
        self.server = installed.server
        self.webhook = webhook
        self.good = place.good()
        self.bad = place.bad()
        self.world = place
        self.names = 0

    def namespace(self, **labels: str) -> str:
        """A new namespace in which everything is judged."""
        self.names += 1
        return self.server.namespace(f"shop-{self.names}", **({"navicert.dev/admission": "enabled"} | labels))

    def make(self, one: dict[str, Any], *words: str) -> Done:
        """Apply one object."""
        (object,) = in_words_of(self.server.version, [one])
        return self.server.try_apply(object, words=words)

    def policy(self, name: str = "all", **spec: Any) -> dict[str, Any]:
        """A policy for everything in the registry, as an object of the cluster."""
        made = self.world.policy(name=name, **spec)
        made["spec"]["owners"] = {"keys": [{"pem": signer("owner").key.public_pem().decode()}]}
        return made

    def ask_until(self, expected: bool, one: dict[str, Any], what: str) -> Done:
        """Ask for one object until it is let in, or not: configurations are read in seconds."""
        last: list[Done] = []

        def as_expected() -> bool:
            last.append(self.make(one, "--dry-run=server"))
            return (last[-1].returncode == 0) is expected

        self.server.wait(as_expected, what)
        return last[-1]


@pytest.fixture(scope="module")
def stage(api_server: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    if os.geteuid() != 0:
        pytest.skip("needs root: the API server calls the Service on port 443, where only root may listen")
    folder = tmp_path_factory.mktemp("stage")
    api_server.apply(*definitions(), words=["--validate=false"])
    certificates = {"configurations": ["in-toto-verifier"]}
    installed = Installed(
        api_server, folder, "security", service={"name": "in-toto-webhook"}, certificates=certificates, replicas=1
    )
    webhook = RunningWebhook(installed, folder)
    with world(folder / "world") as place:
        made = Stage(installed, webhook, place)
        api_server.wait(lambda: api_server.try_apply(made.policy()).returncode == 0, "the definitions")
        try:
            assert installed.keep() == 0
            webhook.start()
            installed.make_ready()
            assert installed.keep("--wait=60") == 0
            made.ask_until(False, pod(made.namespace(), image=made.bad), "the configuration in force")
            yield made
        finally:
            webhook.kill()
            installed.remove()
            api_server.kubectl("delete", "clustersupplychainpolicy", "--all")


def refused(done: Done) -> str:
    """What kubectl was told of a denial by the webhook."""
    assert done.returncode != 0, done.stdout
    assert "denied the request" in done.stderr, done.stderr
    return done.stderr


class TestApply:
    @pytest.mark.parametrize("kind", KINDS)
    def test_what_makes_pods_is_let_in_with_a_chain_and_refused_without(self, kind: str, stage: Stage) -> None:
        namespace = stage.namespace()
        assert stage.make(workload(kind, namespace, stage.good)).returncode == 0
        refused(stage.make(workload(kind, namespace, stage.bad, "other")))

    def test_a_refusal_says_what_and_why_and_how_to_see_it(self, stage: Stage) -> None:
        said = refused(stage.make(workload("Deployment", stage.namespace(), stage.bad)))
        digest = stage.bad.rpartition("@")[2]
        for part in ('container "app"', digest, "policy all", "step build", "navicert verify"):
            assert part in said

    def test_a_deployment_makes_pods_that_are_let_in_too(self, stage: Stage) -> None:
        namespace = stage.namespace()
        assert stage.make(workload("Deployment", namespace, stage.good)).returncode == 0
        stage.server.wait(lambda: stage.server.get("pods", "-n", namespace)["items"], "the Pod of the Deployment")

    def test_a_pod_by_tag_runs_the_digest_that_was_judged(self, stage: Stage) -> None:
        namespace = stage.namespace()
        tag, _, digest = stage.good.partition("@")
        done = stage.make(pod(namespace, image=tag))
        assert done.returncode == 0, done.stderr
        made = stage.server.get("pod", "app", "-n", namespace)
        assert made["spec"]["containers"][0]["image"] == f"{tag}@{digest}"

    def test_a_pod_with_another_image_is_refused(self, stage: Stage) -> None:
        refused(stage.make(pod(stage.namespace(), image=stage.bad)))
        refused(stage.make(pod(stage.namespace(), image=stage.bad.partition("@")[0])))

    def test_an_image_of_another_registry_is_refused_without_asking_it(self, stage: Stage) -> None:
        said = refused(stage.make(pod(stage.namespace(), image="192.0.2.1/app@sha256:" + "a" * 64)))
        assert "no policy speaks about this image" in said

    def test_an_init_container_is_judged_as_well(self, stage: Stage) -> None:
        one = pod(stage.namespace(), image=stage.good)
        one["spec"]["initContainers"] = [{"name": "first", "image": stage.bad}]
        assert 'init "first"' in refused(stage.make(one))

    def test_a_dry_run_is_answered_like_the_real_thing(self, stage: Stage) -> None:
        namespace = stage.namespace()
        assert stage.make(pod(namespace, image=stage.good), "--dry-run=server").returncode == 0
        refused(stage.make(pod(namespace, image=stage.bad), "--dry-run=server"))
        assert stage.server.get("pods", "-n", namespace)["items"] == []

    def test_an_update_to_another_image_is_refused_and_any_other_is_not(self, stage: Stage) -> None:
        namespace = stage.namespace()
        assert stage.make(pod(namespace, image=stage.good)).returncode == 0
        assert stage.make(workload("Deployment", namespace, stage.good)).returncode == 0
        set_image = ["set", "image", "-n", namespace]
        refused(stage.server.kubectl(*set_image, "pod/app", f"app={stage.bad}"))
        refused(stage.server.kubectl(*set_image, "deployment/app", f"app={stage.bad}"))
        assert stage.server.kubectl("label", "pod", "app", "-n", namespace, "a=b").returncode == 0
        assert stage.server.kubectl("scale", "deployment/app", "-n", namespace, "--replicas=0").returncode == 0

    def test_deleting_is_never_in_the_way(self, stage: Stage) -> None:
        namespace = stage.namespace()
        assert stage.make(pod(namespace, image=stage.good)).returncode == 0
        done = stage.server.kubectl("delete", "pod", "app", "-n", namespace, "--grace-period=0", "--force")
        assert done.returncode == 0, done.stderr

    def test_other_namespaces_are_not_asked_about(self, stage: Stage) -> None:
        for name in ("kube-system", "elsewhere"):
            if name != "kube-system":
                stage.server.namespace(name)
            assert stage.make(pod(name, "free", stage.bad), "--dry-run=server").returncode == 0


class TestDebug:
    """`kubectl debug` puts a container into a Pod that runs already (missed once by every verifier there is)."""

    def debug(self, stage: Stage, image: str) -> Done:
        namespace = stage.namespace()
        assert stage.make(pod(namespace, image=stage.good)).returncode == 0
        # Attaching needs a kubelet: what is asked for is all that matters here.
        program = "kubectl-1.20" if stage.server.version < (1, 22) else "kubectl"
        words = ["alpha", "debug"] if stage.server.version < (1, 20) else ["debug"]
        return stage.server.client(program, *words, "app", "-n", namespace, f"--image={image}", "--attach=false")

    def test_with_a_chain_it_is_let_in(self, stage: Stage) -> None:
        done = self.debug(stage, stage.good)
        assert done.returncode == 0, done.stderr

    def test_without_one_it_is_refused(self, stage: Stage) -> None:
        assert "ephemeral" in refused(self.debug(stage, stage.bad))


class TestSourceConfiguration:
    """The ValidatingWebhookConfiguration of in-toto's documents, unchanged."""

    @pytest.fixture
    def namespace(self, stage: Stage) -> Iterator[str]:
        """A namespace that only that configuration asks about, which has been given its caBundle."""
        name = stage.server.namespace("documents")
        stage.server.apply(SOURCE)
        assert stage.installed.keep() == 0
        stage.ask_until(False, workload("Deployment", name, stage.bad), "in-toto's configuration in force")
        yield name
        stage.server.kubectl("delete", "validatingwebhookconfiguration", "in-toto-verifier")

    def test_deployments_are_judged(self, namespace: str, stage: Stage) -> None:
        assert stage.make(workload("Deployment", namespace, stage.good)).returncode == 0
        said = refused(stage.make(workload("Deployment", namespace, stage.bad, "other")))
        assert 'admission webhook "verify.in-toto.io" denied the request' in said
        # And nothing else is: that is all that it asks about.
        assert stage.make(pod(namespace, image=stage.bad)).returncode == 0

    def test_one_by_tag_is_let_in_with_a_warning(self, namespace: str, stage: Stage) -> None:
        done = stage.make(workload("Deployment", namespace, stage.good.partition("@")[0]))
        assert done.returncode == 0
        assert "Warning:" in done.stderr
        assert "tag" in done.stderr

    def test_only_its_bundle_was_filled_in(self, namespace: str, stage: Stage) -> None:
        (hook,) = stage.server.get("validatingwebhookconfiguration", "in-toto-verifier")["webhooks"]
        assert hook["clientConfig"].pop("caBundle") == stage.installed.secret()["ca.crt"]
        (source,) = SOURCE["webhooks"]
        for name, value in source.items():  # type: ignore[attr-defined]
            if name == "clientConfig":
                assert hook[name]["service"] == value["service"] | {"port": 443}
            elif name == "rules":
                assert hook[name][0] == value[0] | {"scope": "*"}
            else:
                assert hook[name] == value

    def test_it_can_be_disarmed_and_armed_again_by_name(self, namespace: str, stage: Stage) -> None:
        words = ["--configuration", "in-toto-verifier"]
        try:
            assert main(stage.installed.run("disarm", *words, user=stage.server.kubeconfig)) == 0
            found = stage.server.get("validatingwebhookconfiguration", "in-toto-verifier")
            assert [one["failurePolicy"] for one in found["webhooks"]] == ["Ignore"]
        finally:
            assert main(stage.installed.run("rearm", *words, user=stage.server.kubeconfig)) == 0
        found = stage.server.get("validatingwebhookconfiguration", "in-toto-verifier")
        assert [one["failurePolicy"] for one in found["webhooks"]] == ["Fail"]


class TestPolicies:
    """Policies that are objects of the cluster are in force within seconds."""

    def test_audit_lets_through_and_says_so(self, stage: Stage) -> None:
        namespace = stage.namespace()
        one = pod(namespace, image=stage.bad)
        try:
            stage.server.apply(stage.policy(mode="warn"))
            done = stage.ask_until(True, one, "the policy that only warns")
            assert "policy all would refuse" in done.stderr
        finally:
            stage.server.apply(stage.policy(mode="enforce"))
        stage.ask_until(False, one, "the policy that enforces")

    def test_a_namespace_adds_and_takes_nothing_away(self, stage: Stage) -> None:
        namespace = stage.namespace()
        own = stage.policy("own", namespace=namespace, mode="audit")
        stage.server.apply(own)
        stage.webhook.wait_for("policies renewed")
        refused(stage.make(pod(namespace, image=stage.bad)))
        strict = stage.policy("own", namespace=namespace, parameters=None, minLayoutVersion=99)
        stage.server.apply(strict)
        said = stage.ask_until(False, pod(namespace, image=stage.good), "the policy of the namespace").stderr
        assert f"policy {namespace}/own" in said
        assert stage.make(pod(stage.namespace(), image=stage.good)).returncode == 0

    def test_one_that_nobody_understands_refuses_its_namespace_and_no_other(self, stage: Stage) -> None:
        namespace = stage.namespace()
        bad = stage.policy("own", namespace=namespace)
        bad["spec"]["revokations"] = {"digests": ["x"]}
        stage.server.apply(bad, words=["--validate=false"])
        said = stage.ask_until(False, pod(namespace, image=stage.good), "the policy of the namespace").stderr
        assert "revokations" in said
        assert stage.make(pod(stage.namespace(), image=stage.good)).returncode == 0

    def test_an_exception_counts_only_from_the_namespace_of_the_administrators(self, stage: Stage) -> None:
        namespace = stage.namespace()
        digest = stage.bad.rpartition("@")[2]
        soon = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"
        one = stage.world.exception(digest, soon)
        elsewhere = {**one, "metadata": {"name": "mine", "namespace": namespace}}
        ours = {**one, "metadata": {"name": "rollback", "namespace": stage.installed.namespace}}
        before = stage.webhook.log.count("policies renewed")
        stage.server.apply(elsewhere)
        stage.server.apply(stage.policy("another", namespace=namespace))
        stage.webhook.wait_for("policies renewed", before + 1)
        refused(stage.make(pod(namespace, image=stage.bad)))
        try:
            stage.server.apply(ours)
            done = stage.ask_until(True, pod(namespace, image=stage.bad), "the exception")
            assert "admitted by exception rollback" in done.stderr
        finally:
            stage.server.kubectl("delete", "supplychainexception", "rollback", "-n", stage.installed.namespace)
        stage.ask_until(False, pod(namespace, image=stage.bad), "the end of the exception")


class TestBreakGlass:
    """By real controllers, which make ReplicaSets and Pods as users of their own."""

    @pytest.fixture
    def members(self, stage: Stage) -> Iterator[tuple[Path, Path]]:
        """Somebody of the group, and somebody who is not: both may do everything that RBAC knows."""
        stage.server.apply(stage.policy(breakGlass={"groups": ["sre"]}))
        one = stage.server.kubeconfig_of("sue", ["sre", "system:masters"])
        yield one, stage.server.kubeconfig_of("dan", ["dev", "system:masters"])
        stage.server.apply(stage.policy())

    def broken(self, namespace: str, image: str, kind: str = "Deployment") -> dict[str, Any]:
        soon = f"{datetime.now(UTC) + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
        one = workload(kind, namespace, image)
        marks = {"navicert.dev/break-glass": "incident", "navicert.dev/break-glass-until": soon}
        one["spec"]["template"]["metadata"]["annotations"] = marks
        return one

    @pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
    def test_a_workload_of_a_member_gets_its_pods_and_nobody_else_changes_it(
        self, stage: Stage, members: tuple[Path, Path], kind: str
    ) -> None:
        sre, dev = members
        server, namespace = stage.server, stage.namespace()
        one = self.broken(namespace, stage.bad, kind)
        server.wait(lambda: server.try_apply(one, user=sre).returncode == 0, "the policy with groups")
        server.wait(lambda: server.get("pods", "-n", namespace)["items"], f"the Pod of the {kind}")
        (made,) = server.get("pods", "-n", namespace)["items"]
        assert made["spec"]["containers"][0]["image"] == stage.bad
        said = refused(server.try_apply(self.broken(stage.namespace(), stage.bad, kind), user=dev))
        assert "only members of sre may set" in said
        name = f"{kind.lower()}/app"
        refused(server.kubectl("set", "image", "-n", namespace, name, f"app={stage.good}", user=dev))
        assert server.kubectl("scale", "-n", namespace, name, "--replicas=0", user=dev).returncode == 0

    def test_a_pod_with_the_marks_of_a_template_is_refused_of_whoever_is_no_controller(
        self, stage: Stage, members: tuple[Path, Path]
    ) -> None:
        one = pod(stage.namespace(), image=stage.bad)
        one["metadata"] |= self.broken("x", stage.bad)["spec"]["template"]["metadata"]
        owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "app", "uid": "1", "controller": True}
        one["metadata"]["ownerReferences"] = [owner]
        refused(stage.server.try_apply(one, user=members[1]))


class TestTrouble:
    def test_killed_it_lets_nothing_new_in_where_it_judges_and_stops_nothing_elsewhere(self, stage: Stage) -> None:
        namespace = stage.namespace()
        assert stage.make(workload("Deployment", namespace, stage.good)).returncode == 0
        stage.webhook.kill()
        try:
            done = stage.make(pod(namespace, image=stage.good))
            assert done.returncode != 0
            assert "failed calling webhook" in done.stderr
            assert stage.make(pod("kube-system", "free", stage.bad), "--dry-run=server").returncode == 0
            gone = stage.server.kubectl("delete", "deployment", "app", "-n", namespace)
            assert gone.returncode == 0, gone.stderr
        finally:
            stage.webhook.start()
        assert stage.make(pod(namespace, image=stage.good)).returncode == 0

    def test_a_policy_that_nobody_understands_keeps_no_new_replica_from_starting(self, stage: Stage) -> None:
        odd, namespace = stage.world.good("odd/app", content=b"odd"), stage.namespace()
        policy = stage.policy(name="odd", images=[f"{stage.world.registry.name}/odd/**"], revokations={})
        stage.server.apply(policy, words=["--validate=false"])
        try:
            stage.webhook.kill()
            stage.webhook.start()
            assert "odd" in stage.webhook.log
            assert stage.make(pod(namespace, image=stage.good)).returncode == 0
            done = stage.make(pod(namespace, "odd", odd))
            assert "policy odd: policy.malformed: not understood" in refused(done)
            stage.server.wait(lambda: "status" in stage.server.get("clustersupplychainpolicy", "odd"), "its status")
            said = stage.server.get("clustersupplychainpolicy", "odd")["status"]["conditions"][0]
            assert (said["status"], said["reason"]) == ("False", "Malformed")
        finally:
            stage.server.kubectl("delete", "clustersupplychainpolicy", "odd")
        stage.ask_until(True, pod(namespace, "odd", odd), "the end of the policy")

    def test_certificates_rotate_under_calls_and_none_is_lost(self, stage: Stage) -> None:
        """The authority near its end is replaced, then the leaf, while kubectl goes on asking."""
        installed, now = stage.installed, datetime.now(UTC)
        names = ("in-toto-webhook.security.svc", "in-toto-webhook.security.svc.cluster.local")
        old, _ = renewed(Holding(), names, now - AUTHORITY * 0.67, published=True)
        old, _ = renewed(old, names, now - timedelta(days=20), published=True)
        change = json.dumps({"data": secret_data(old)})
        secret = ["patch", "secret", "navicert-webhook-tls", "-n", installed.namespace, "--type=merge", "-p", change]
        assert stage.server.kubectl(*secret).returncode == 0
        # From what was there before to the old authority at one stroke: that alone may cost a call.
        before = stage.webhook.log.count("certificate renewed")
        installed.mount()
        stage.webhook.wait_for("certificate renewed", before + 1)
        assert installed.keep() == 0
        namespace = stage.namespace()
        stage.ask_until(True, pod(namespace, image=stage.good), "the old authority")
        failed: list[str] = []
        count = [0]
        enough = threading.Event()

        def calling() -> None:
            while not enough.is_set():
                done = stage.make(pod(namespace, image=stage.good), "--dry-run=server")
                count[0] += 1
                if done.returncode != 0:
                    failed.append(done.stderr)

        thread = threading.Thread(target=calling)
        thread.start()
        try:
            kept = stage_installation(stage)
            with closing(connect(str(installed.keeper))) as cluster:
                first = insisting(lambda: keep_round(cluster, kept, now)).done
                assert first == () or "announced" in first[0]
                bundle = installed.configuration()["webhooks"][0]["clientConfig"]["caBundle"]
                stage.server.wait(lambda: count[0] > 3, "calls")
                second = insisting(lambda: keep_round(cluster, kept, now + timedelta(minutes=15))).done
                assert "made a certificate: the authority is a new one" in second
                assert installed.configuration()["webhooks"][0]["clientConfig"]["caBundle"] == bundle
            before = stage.webhook.log.count("certificate renewed")
            seen = count[0]
            installed.mount()
            stage.webhook.wait_for("certificate renewed", before + 1)
            stage.server.wait(lambda: count[0] > seen + 3, "calls")
        finally:
            enough.set()
            thread.join()
        assert failed == []


def stage_installation(stage: Stage) -> Any:
    """What the keeper keeps, for rounds at other moments."""
    from navicert.admission.arming import read_wanted
    from navicert.admission.keeping import Installation

    wanted = read_wanted(stage.installed.document.read_bytes())
    return Installation(stage.installed.namespace, "in-toto-webhook", ours=True, wanted=wanted)


def test_the_webhook_runs_with_the_rights_of_its_account_and_no_more(stage: Stage) -> None:
    def may(*words: str) -> bool:
        done = stage.server.kubectl("auth", "can-i", *words, user=stage.installed.webhook)
        return done.stdout.strip() == "yes"

    here = ["-n", stage.installed.namespace]
    assert may("list", "clustersupplychainpolicies.navicert.dev")
    assert may("list", "supplychainexceptions.navicert.dev", *here)
    assert not may("list", "supplychainexceptions.navicert.dev", "-n", "default")
    assert not may("get", "secrets", *here)
    assert not may("get", "secrets/navicert-webhook-tls", *here)
    assert not may("create", "pods", *here)
    for verb in ("create", "update", "patch", "delete"):
        assert not may(verb, "clustersupplychainpolicies.navicert.dev")
        assert not may(verb, "supplychainexceptions.navicert.dev", *here)
        assert not may(verb, "validatingwebhookconfigurations")
