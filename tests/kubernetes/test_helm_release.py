"""The chart as a release in a real API server: installed, changed, and taken away without locking anything up."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.control_plane import ControlPlane, Done
from tests.kubernetes.installed import IMAGE, pod

from navicert.cli.main import main

CHART = Path(__file__).resolve().parents[2] / "deploy" / "helm" / "navicert"
NAMESPACE = "navicert-release"


class Released:
    """A release, whose Jobs the tests run as a kubelet would."""

    def __init__(self, server: ControlPlane, folder: Path) -> None:
        self.server = server
        self.chart = folder / "navicert"
        shutil.copytree(CHART, self.chart)
        self.more = []
        if server.version < (1, 30):
            self.more = ["--set", "companion.digests=off", "--set", "companion.guard=false"]
        if server.version < (1, 25):
            # The same chart, in the words of an API server that is older than those that it is for.
            self._change("Chart.yaml", r"kubeVersion:.*\n", "")
            self._change("templates/keeper.yaml", r"batch/v1\nkind: CronJob", "batch/v1beta1\nkind: CronJob")
            self._change("templates/webhook.yaml", r"policy/v1\n", "policy/v1beta1\n")
        server.namespace(NAMESPACE)
        self.keeper = server.kubeconfig_of_account(NAMESPACE, "navicert-keeper")
        self.document = folder / "configurations.json"

    def _change(self, name: str, pattern: str, new: str) -> None:
        path = self.chart / name
        text, count = re.subn(pattern, new, path.read_text())
        assert count == 1
        path.write_text(text)

    def helm(self, *words: str) -> Done:
        return self.server.client("helm", *words, "-n", NAMESPACE)

    def set(self, verb: str, *words: str) -> Done:
        """Install or upgrade."""
        values = ["--set", f"image={IMAGE}", "--set", "replicas=1", *self.more, *words]
        return self.helm(verb, "navicert", str(self.chart), *values)

    def keep(self, *words: str) -> int:
        """What the Job and the CronJob run, on what is mounted into them."""
        found = self.server.get("configmap", "navicert-configurations", "-n", NAMESPACE)
        self.document.write_text(found["data"]["configurations.json"])
        words = ("--configurations", str(self.document), "-n", NAMESPACE, "--kubeconfig", str(self.keeper), *words)
        return main(["admission", "keep", *words])

    def configuration(self) -> list[Any]:
        found = self.server.get("validatingwebhookconfiguration", "navicert")
        return found.get("webhooks") or []

    def make_ready(self) -> None:
        def ready() -> bool:
            pods = self.server.get("pods", "-n", NAMESPACE, "-l", "app.kubernetes.io/component=webhook")["items"]
            for one in pods:
                self.server.set_status(one, {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]})
            deployment = self.server.get("deployment", "navicert-webhook", "-n", NAMESPACE)
            return bool(deployment["status"].get("readyReplicas"))

        self.server.wait(ready, "a ready replica")

    def run_job(self, name: str) -> int:
        """Run the command of a Job with the rights of its account, and say that its Pod succeeded."""
        self.server.wait(lambda: self.server.kubectl("get", "job", name, "-n", NAMESPACE).returncode == 0, name)
        job = self.server.get("job", name, "-n", NAMESPACE)
        (container,) = job["spec"]["template"]["spec"]["containers"]
        code = main([*container["args"], "--kubeconfig", str(self.keeper)])
        selector = f"job-name={name}"
        self.server.wait(lambda: self.server.get("pods", "-n", NAMESPACE, "-l", selector)["items"], "its Pod")
        for one in self.server.get("pods", "-n", NAMESPACE, "-l", selector)["items"]:
            self.server.set_status(one, {"phase": "Succeeded"})
        return code


@pytest.fixture
def released(api_server: ControlPlane, tmp_path: Path) -> Iterator[Released]:
    found = Released(api_server, tmp_path)
    yield found
    found.helm("uninstall", "navicert", "--no-hooks")


def test_a_release_from_its_beginning_to_its_end(released: Released, capsys: pytest.CaptureFixture[str]) -> None:
    server = released.server
    done = released.set("install")
    assert done.returncode == 0, done.stderr
    assert "kubectl label namespace NAME navicert.dev/admission=enabled" in done.stdout

    # In force when a replica is ready, and not before.
    assert released.configuration() == []
    assert released.keep() == 0
    assert released.configuration() == []
    released.make_ready()
    assert released.keep("--wait=30") == 0
    assert [one["failurePolicy"] for one in released.configuration()] == ["Fail", "Fail"]

    # A change of the release disarms nothing, and is carried over by the next round.
    secret = server.get("secret", "navicert-webhook-tls", "-n", NAMESPACE)["data"]
    done = released.set("upgrade", "--set", "webhook.timeoutSeconds=5")
    assert done.returncode == 0, done.stderr
    assert [(one["failurePolicy"], one["timeoutSeconds"]) for one in released.configuration()] == [("Fail", 10)] * 2
    assert released.keep() == 0
    assert [(one["failurePolicy"], one["timeoutSeconds"]) for one in released.configuration()] == [("Fail", 5)] * 2
    assert server.get("secret", "navicert-webhook-tls", "-n", NAMESPACE)["data"] == secret

    # Nobody answers, and yet taking it away is in nobody's way.
    namespace = server.namespace("after-release", **{"navicert.dev/admission": "enabled"})
    server.wait(lambda: server.try_apply(pod(namespace)).returncode != 0, "the configuration in force")
    last: list[Done] = []
    thread = threading.Thread(target=lambda: last.append(released.helm("uninstall", "navicert", "--timeout=100s")))
    thread.start()
    try:
        assert released.run_job("navicert-uninstall") == 0
    finally:
        thread.join()
    assert last[0].returncode == 0, last[0].stderr
    assert "asks nobody any more" in capsys.readouterr().out
    server.wait(lambda: server.try_apply(pod(namespace)).returncode == 0, "what nobody asks about any more")
    for kind in ("validatingwebhookconfiguration", "mutatingwebhookconfiguration", "clusterrole"):
        left = server.get(kind)["items"]
        assert [one["metadata"]["name"] for one in left if one["metadata"]["name"].startswith("navicert")] == []
    assert server.get("secret,deployment,cronjob,service", "-n", NAMESPACE)["items"] == []
    # Policies are their owners': definitions, and with them all policies, stay.
    assert server.kubectl("get", "crd", "clustersupplychainpolicies.navicert.dev").returncode == 0
