"""An installation in a real API server, with what a cluster's other parts would do for it done by the tests."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.control_plane import ControlPlane
from tests.kubernetes.old_release import SETTINGS, in_words_of

from navicert.admission.deployment.manifest import manifests
from navicert.admission.deployment.node import Release
from navicert.admission.deployment.value import merged
from navicert.cli.main import main

IMAGE = "registry.example/navicert@sha256:" + "a" * 64


class Installed:
    """An installation in a namespace of its own, and its keeper with exactly the rights of its service account."""

    def __init__(self, server: ControlPlane, folder: Path, namespace: str, **values: Any) -> None:
        self.server = server
        self.folder = folder
        self.namespace = server.namespace(namespace)
        layers = [{"image": IMAGE}, values]
        if server.version < (1, 30):
            layers.append(SETTINGS)
        self.values = merged(*layers)
        self.objects = in_words_of(server.version, manifests(self.values, Release(namespace)))
        self.document = folder / "configurations.json"
        (text,) = [
            one["data"]["configurations.json"]
            for one in self.objects
            if one["metadata"]["name"] == "navicert-configurations"
        ]
        self.document.write_text(text)
        self.keeper = server.kubeconfig_of_account(namespace, "navicert-keeper")
        self.webhook = server.kubeconfig_of_account(namespace, "navicert-webhook")
        # The Jobs have no kubelet to run them: the tests do what they would do.
        self.jobs = [one for one in self.objects if one["kind"] in ("Job", "CronJob")]
        self.apply()
        server.apply(*self.jobs, words=["--dry-run=server"])

    def apply(self) -> None:
        """Apply everything but the Jobs, once more or for the first time."""
        self.server.apply(*[one for one in self.objects if one not in self.jobs])

    def run(self, *words: str, user: Path | None = None) -> list[str]:
        """A command line about this installation."""
        return ["admission", *words, "--kubeconfig", str(user or self.keeper), "-n", self.namespace]

    def keep(self, *words: str) -> int:
        """Run the keeper with its own rights."""
        service: Any = self.values["service"]
        return main(self.run("keep", "--configurations", str(self.document), "--service", service["name"], *words))

    def configuration(self, kind: str = "validating") -> Any:
        """One of the configurations."""
        return self.server.get(f"{kind}webhookconfiguration", "navicert")

    def policies(self) -> list[str]:
        """What happens to what nobody answers for."""
        return [one["failurePolicy"] for one in self.configuration().get("webhooks") or []]

    def secret(self) -> dict[str, str]:
        """The data of the Secret."""
        found = self.server.get("secret", "navicert-webhook-tls", "-n", self.namespace)
        return found.get("data") or {}

    def mount(self) -> tuple[Path, Path]:
        """Bring certificate and key to where the webhook reads them, as a kubelet does; both files appear whole."""
        for name in ("tls.crt", "tls.key"):
            new = self.folder / f"{name}.new"
            new.write_bytes(base64.b64decode(self.secret()[name]))
            new.replace(self.folder / name)
        return self.folder / "tls.crt", self.folder / "tls.key"

    def make_ready(self) -> None:
        """Say of every Pod of the webhook what a kubelet would: that it is ready."""

        def ready() -> bool:
            for pod in self.server.get("pods", "-n", self.namespace)["items"]:
                self.server.set_status(pod, {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]})
            deployment = self.server.get("deployment", "navicert-webhook", "-n", self.namespace)
            return bool(deployment["status"].get("readyReplicas"))

        self.server.wait(ready, "a ready replica")

    def remove(self) -> None:
        """Take away what others would notice."""
        delete = self.server.kubectl
        for kind in ("validating", "mutating"):
            delete("delete", f"{kind}webhookconfiguration", "navicert", "--ignore-not-found")
        delete("delete", "deployment", "navicert-webhook", "-n", self.namespace, "--ignore-not-found")
        for name in ("navicert-keeper", "navicert-webhook"):
            delete("delete", "clusterrole,clusterrolebinding", name, "--ignore-not-found")


class RunningWebhook:
    """The process of a webhook where the Service of an installation leads. No proxy runs: it listens on the address of
    the Service itself, which is one of loopback."""

    def __init__(self, installed: Installed, folder: Path) -> None:
        self.installed = installed
        self.folder = folder
        service: Any = installed.values["service"]
        spec = installed.server.get("service", service["name"], "-n", installed.namespace)["spec"]
        self.address = f"{spec['clusterIP']}:{spec['ports'][0]['port']}"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """What it has written."""
        return (self.folder / "webhook.log").read_text()

    def start(self) -> None:
        """Start it, with the rights of its service account, and wait until it listens."""
        certificate, key = self.installed.mount()
        words = [sys.executable, "-m", "navicert", "admission", "serve", f"--listen={self.address}", "--from-cluster"]
        words += [f"--kubeconfig={self.installed.webhook}", f"--admin-namespace={self.installed.namespace}"]
        words += [f"--tls-cert={certificate}", f"--tls-key={key}", "--insecure", "--drain=0"]
        words += ["--write-status", "--break-glass-in-templates"]
        (self.folder / "auth.json").write_text("{}")
        environment = {**os.environ, "REGISTRY_AUTH_FILE": str(self.folder / "auth.json"), "HOME": str(self.folder)}
        with (self.folder / "webhook.log").open("ab") as log:
            before = log.tell()
            self._process = subprocess.Popen(words, stdout=log, stderr=log, env=environment, cwd=self.folder)

        def listening() -> bool:
            assert self._process is not None
            assert self._process.poll() is None, self.log[before:]
            return "webhook on " in self.log[before:]

        self.installed.server.wait(listening, "the webhook")

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(20)
            self._process = None

    def wait_for(self, text: str, times: int = 1) -> None:
        """Wait until it has written `text` so many times."""
        self.installed.server.wait(lambda: self.log.count(text) >= times, text)


def pod(namespace: str, name: str = "app", image: str = "registry.example/app:1") -> dict[str, Any]:
    """A Pod with one container."""
    spec = {"containers": [{"name": "app", "image": image}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def workload(kind: str, namespace: str, image: str, name: str = "app", **meta: Any) -> dict[str, Any]:
    """An object that makes Pods, or holds a template for them."""
    labels = {"app": name}
    template: dict[str, Any] = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "app", "image": image}]},
    }
    found: dict[str, Any] = {"kind": kind, "metadata": {"name": name, "namespace": namespace, **meta}}
    if kind in ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"):
        spec: dict[str, Any] = {"selector": {"matchLabels": labels}, "template": template}
        if kind != "DaemonSet":
            spec["replicas"] = 1
        if kind == "StatefulSet":
            spec["serviceName"] = name
        return {"apiVersion": "apps/v1", **found, "spec": spec}
    if kind == "ReplicationController":
        return {"apiVersion": "v1", **found, "spec": {"replicas": 0, "selector": labels, "template": template}}
    if kind == "PodTemplate":
        return {"apiVersion": "v1", **found, "template": template}
    template["spec"]["restartPolicy"] = "Never"
    if kind == "Job":
        return {"apiVersion": "batch/v1", **found, "spec": {"template": template}}
    job = {"spec": {"template": template}}
    return {"apiVersion": "batch/v1", **found, "spec": {"schedule": "0 0 1 1 *", "jobTemplate": job}}
