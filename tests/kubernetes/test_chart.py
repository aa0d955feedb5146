"""The chart by a real Helm gives what `navicert admission manifests` gives, and all of it is of the current form."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.kubernetes.installed import IMAGE

from navicert.cli.main import main

Component = Callable[[str], Path]
CHART = Path(__file__).resolve().parents[2] / "deploy" / "helm" / "navicert"
RELEASES = ["1.30", "1.32", "1.34", "1.37"]
"""Of Kubernetes: the oldest and the newest that are supported upstream, and some between."""

POLICY = {
    "apiVersion": "navicert.dev/v1alpha1",
    "kind": "ClusterSupplyChainPolicy",
    "metadata": {"name": "all"},
    "spec": {
        "images": ["**"],
        "layout": {"inline": 'a "layout" {{ .Values }} <&>\n'},
        "owners": {"keys": [{"pem": "é"}]},
    },
}
CASES: Mapping[str, Mapping[str, Any]] = {
    "as it comes": {},
    "everything else": {
        "imagePullSecrets": [{"name": "pull"}],
        "replicas": 1,
        "resources": {"limits": {"memory": "1Gi", "cpu": "1"}},
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": "a", "operator": "Exists"}],
        "podAnnotations": {"prometheus.io/scrape": "true"},
        "service": {"name": "in-toto-webhook", "port": 8443},
        "ports": {"webhook": 9443, "metrics": 1024},
        "scope": "all",
        "excludedNamespaces": [],
        "webhook": {
            "failurePolicy": "Ignore",
            "timeoutSeconds": 5,
            "workloads": False,
            "pinDigests": False,
            "callersConfigMap": "api-server",
        },
        "fromCluster": False,
        "pullSecrets": True,
        "pullSecretsIn": [
            {"namespace": "shop", "secrets": ["regcred", "other"], "serviceAccounts": ["default"]},
            {"namespace": "on", "secrets": ["true"], "serviceAccounts": ["1"]},
        ],
        "memory": {"keySecret": "navicert-memory-key"},
        "unmatched": "audit",
        "policies": [POLICY, POLICY],
        "scan": {"enabled": True, "schedule": "0 3 * * *", "arguments": ["--ecr-region=x"]},
        "arguments": ["--option={{ .Values.image }}", "--other=\"'"],
        "registry": {"credentialsSecret": "registry", "caConfigMap": "registry-ca"},
        "certificates": {"from": "cert-manager", "schedule": "0 * * * *", "configurations": ["in-toto-verifier"]},
        "companion": {"digests": "enforce", "labelGroups": ["a:b", "c"]},
    },
    "another issuer": {
        "configMaps": True,
        "scan": {"enabled": True},
        "certificates": {"from": "cert-manager", "issuer": {"name": "ours", "kind": "ClusterIssuer"}},
    },
    "without companions": {"companion": {"digests": "off", "guard": False}},
}


def ours(values: Path, capsys: pytest.CaptureFixture[str]) -> list[Any]:
    assert main(["admission", "manifests", "-n", "security", "-f", str(values), "--set", f"image={IMAGE}"]) == 0
    return list(yaml.safe_load_all(capsys.readouterr().out))


def helm(program: Path, values: Path, *more: str) -> subprocess.CompletedProcess[str]:
    words: list[str | Path] = [program, "template", "navicert", CHART, "-n", "security", "--include-crds", "-f", values]
    return subprocess.run(
        [*words, "--set", f"image={IMAGE}", *more],
        capture_output=True,
        text=True,
        check=False,
        env={"HOME": str(values.parent)},
    )


@pytest.fixture(params=CASES)
def values(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "values.yaml"
    path.write_text(json.dumps(CASES[request.param]))
    return path


def by_name(objects: Sequence[Any]) -> dict[tuple[str, str], Any]:
    """The objects by kind and name, with the namespace before it where that is not the one that is installed into."""

    def name(metadata: Any) -> str:
        where = metadata.get("namespace", "security")
        return str(metadata["name"]) if where == "security" else f"{where}/{metadata['name']}"

    found = {(one["kind"], name(one["metadata"])): one for one in objects if one}
    assert len(found) == len([one for one in objects if one])
    return found


def test_helm_makes_the_same_objects(values: Path, component: Component, capsys: pytest.CaptureFixture[str]) -> None:
    done = helm(component("helm"), values)
    assert done.returncode == 0, done.stderr
    theirs = by_name(list(yaml.safe_load_all(done.stdout)))
    uninstall = theirs.pop(("Job", "navicert-uninstall"))
    assert uninstall["metadata"]["annotations"]["helm.sh/hook"] == "pre-delete"
    assert theirs == by_name(ours(values, capsys))


def test_helm_finds_nothing_to_complain_about(values: Path, component: Component) -> None:
    words: list[str | Path] = [component("helm"), "lint", CHART, "--strict", "-f", values, "--set", f"image={IMAGE}"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env={"HOME": str(values.parent)})
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("word", ["replicas=0", "image=registry.example/navicert:1", "relicas=2", "scope=some"])
def test_what_the_command_refuses_helm_refuses(word: str, tmp_path: Path, component: Component) -> None:
    values = tmp_path / "values.yaml"
    values.write_text("{}")
    done = helm(component("helm"), values, "--set", word)
    assert done.returncode != 0
    assert "values don't meet the specifications of the schema" in done.stderr
    assert main(["admission", "manifests", "--set", f"image={IMAGE}", "--set", word]) == 2


@pytest.mark.parametrize("release", RELEASES)
def test_every_object_is_as_kubernetes_describes_it(
    release: str, values: Path, component: Component, capsys: pytest.CaptureFixture[str]
) -> None:
    known = [one for one in ours(values, capsys) if "cert-manager.io" not in one["apiVersion"]]
    configurations = [
        {"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": name}, "webhooks": hooks}
        for one in known
        if one["metadata"]["name"] == "navicert-configurations"
        for kind, named in json.loads(one["data"]["configurations.json"]).items()
        if kind != "also"
        for name, hooks in named.items()
    ]
    assert len(configurations) == 2
    path = values.parent / "objects.yaml"
    path.write_text(yaml.safe_dump_all([*known, *configurations]))
    words: list[str | Path] = [component("kubernetes-validate"), "--kubernetes-version", release, "--strict", path]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    passed = [line for line in done.stdout.splitlines() if line.startswith("INFO") and "passed" in line]
    assert len(passed) == len(known) + 2, done.stdout
