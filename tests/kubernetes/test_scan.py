"""The scan of what runs, as its CronJob runs it: with its arguments, and the rights of its service account."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.control_plane import ControlPlane
from tests.kubernetes.installed import Installed, pod
from tests.kubernetes.policy_report import report_definitions

from navicert.admission.deployment.definition import definitions
from navicert.cli.main import main

IMAGE = "registry.invalid/app@sha256:" + "b" * 64


@pytest.fixture
def installed(api_server: ControlPlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installed]:
    api_server.apply(*definitions(), words=["--validate=false"])
    for one in definitions():
        name = one["metadata"]["name"]  # type: ignore[index]
        api_server.kubectl("wait", "--for=condition=Established", f"crd/{name}", "--timeout=60s")
    (tmp_path / "auth.json").write_text("{}")
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "auth.json"))
    found = Installed(api_server, tmp_path, f"scan-{tmp_path.name[-12:].replace('_', '-')}0", scan={"enabled": True})
    yield found
    found.remove()
    for kind in ("clusterrole", "clusterrolebinding"):
        api_server.kubectl("delete", kind, "navicert-scan", "--ignore-not-found")
    api_server.kubectl("delete", "pods", "--all", "-n", "runs", "--ignore-not-found", "--force")
    for one in report_definitions():
        api_server.kubectl("delete", "crd", one["metadata"]["name"], "--ignore-not-found")


def scan(installed: Installed) -> int:
    """Run what the CronJob would."""
    (job,) = [one for one in installed.jobs if one["metadata"]["name"] == "navicert-scan"]
    words = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["args"]
    account = installed.server.kubeconfig_of_account(installed.namespace, "navicert-scan")
    return main([*words[:2], f"--kubeconfig={account}", *words[2:]])


def reports(server: ControlPlane) -> dict[str, Any]:
    """The reports by namespace: other tests leave Pods in theirs."""
    return {one["metadata"]["namespace"]: one for one in server.get("policyreports.wgpolicyk8s.io", "-A")["items"]}


def test_what_runs_gets_reports_and_loses_them_when_it_is_gone(
    installed: Installed, capsys: pytest.CaptureFixture[str]
) -> None:
    server = installed.server
    # What Navicert itself runs is excluded, and so are the namespaces that nobody judges.
    server.apply(pod(server.namespace("runs"), image=IMAGE), pod("kube-system", "mine", IMAGE))
    assert scan(installed) == 1
    said = capsys.readouterr()
    assert "no reports were written" in said.err
    assert "used by runs/app" in said.out
    server.apply(*report_definitions(), words=["--validate=false"])
    for one in report_definitions():
        server.kubectl("wait", "--for=condition=Established", f"crd/{one['metadata']['name']}", "--timeout=60s")
    assert scan(installed) == 0
    found = reports(server)
    assert not {"kube-system", installed.namespace} & found.keys()
    report = found["runs"]
    assert report["summary"] == {"pass": 0, "fail": 1, "warn": 0, "error": 0, "skip": 0}
    (result,) = report["results"]
    assert result["resources"] == [{"apiVersion": "v1", "kind": "Pod", "name": "app", "namespace": "runs"}]
    assert (result["rule"], result["properties"].keys()) == (IMAGE, {"judged"})
    # Again: the same report, changed in place.
    assert scan(installed) == 0
    assert reports(server)["runs"]["metadata"]["uid"] == report["metadata"]["uid"]
    server.kubectl("delete", "pod", "app", "-n", "runs", "--force")
    server.apply(pod(server.namespace("runs-elsewhere"), image=IMAGE))
    assert scan(installed) == 0
    moved = reports(server)
    assert "runs" not in moved
    assert "runs-elsewhere" in moved
    server.kubectl("delete", "pod", "app", "-n", "runs-elsewhere", "--force")
    server.kubectl("delete", "pod", "mine", "-n", "kube-system", "--force")


def test_the_scan_may_read_what_it_judges_and_write_its_own_reports_and_nothing_else(installed: Installed) -> None:
    server = installed.server
    server.apply(*report_definitions(), words=["--validate=false"])
    account = server.kubeconfig_of_account(installed.namespace, "navicert-scan")

    def may(*words: str) -> bool:
        return server.kubectl("auth", "can-i", *words, user=account).stdout.strip() == "yes"

    assert may("list", "pods", "-A")
    reports = "policyreports.wgpolicyk8s.io"
    assert may("create", reports, "-n", "default")
    assert may("patch", f"{reports}/navicert", "-n", "default")
    for verb in ("patch", "delete", "update"):
        assert not may(verb, f"{reports}/other", "-n", "default")
    for verb in ("create", "delete", "patch", "update"):
        assert not may(verb, "pods", "-n", "default")
    for kind in (
        "secrets",
        "validatingwebhookconfigurations",
        "deployments",
        "clustersupplychainpolicies.navicert.dev",
    ):
        assert not may("patch", kind)
    assert not may("get", "secrets", "-n", installed.namespace)
    assert not may("get", "configmaps", "-n", "default")
