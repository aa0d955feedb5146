"""`navicert admission keep`, `disarm` and `rearm` as commands: what is printed, and the exit codes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.admission.memory_cluster import MemoryCluster

from navicert.admission import cluster as clusters
from navicert.admission.arming import configuration_path, webhooks
from navicert.admission.deployment.manifest import manifests
from navicert.admission.deployment.node import Release
from navicert.admission.deployment.value import merged
from navicert.cli.main import main

IMAGE = "registry.example/navicert@sha256:" + "a" * 64
VALIDATING = configuration_path("ValidatingWebhookConfiguration", "navicert")
DEPLOYMENT = "/apis/apps/v1/namespaces/security/deployments/navicert-webhook"
MAP = "/api/v1/namespaces/security/configmaps/navicert-configurations"


def document() -> str:
    found: Any = manifests(merged({"image": IMAGE}), Release("security"))
    (text,) = [
        one["data"]["configurations.json"] for one in found if one["metadata"]["name"] == "navicert-configurations"
    ]
    return str(text)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> MemoryCluster:
    """An installation in a cluster that every command is connected to."""
    found = MemoryCluster(
        {
            VALIDATING: {},
            configuration_path("MutatingWebhookConfiguration", "navicert"): {},
            "/api/v1/namespaces/security/secrets/navicert-webhook-tls": {},
            MAP: {"data": {"configurations.json": document()}},
            DEPLOYMENT: {"status": {"readyReplicas": 1}},
        }
    )
    monkeypatch.setattr(clusters, "connect", lambda kubeconfig, context: found)
    return found


@pytest.fixture
def wanted(tmp_path: Path) -> str:
    path = tmp_path / "configurations.json"
    path.write_text(document())
    return str(path)


def policies(cluster: MemoryCluster) -> list[object]:
    return [one["failurePolicy"] for one in webhooks(cluster.objects[VALIDATING])]


def test_keep_says_what_it_did(cluster: MemoryCluster, wanted: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["admission", "keep", "--configurations", wanted]) == 0
    said = capsys.readouterr().out
    assert "made an authority and a certificate" in said
    assert "ValidatingWebhookConfiguration navicert: is in force (2 webhooks)" in said
    assert policies(cluster) == ["Fail", "Fail"]


def test_keep_that_waits_in_vain_is_no_success(
    cluster: MemoryCluster, wanted: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.objects[DEPLOYMENT]["status"] = {}
    assert main(["admission", "keep", "--configurations", wanted]) == 0
    assert main(["admission", "keep", "--configurations", wanted, "--wait", "0.01"]) == 1
    assert "not everything is in force" in capsys.readouterr().err
    assert policies(cluster) == []


def test_keep_begins_again_where_somebody_was_quicker(cluster: MemoryCluster, wanted: str) -> None:
    others = [lambda: main(["admission", "keep", "--configurations", wanted])]

    def quicker() -> None:
        if others:
            others.pop()()

    cluster.before = quicker
    assert main(["admission", "keep", "--configurations", wanted]) == 0
    assert policies(cluster) == ["Fail", "Fail"]


def test_keep_never_gives_up_quietly(cluster: MemoryCluster, wanted: str, capsys: pytest.CaptureFixture[str]) -> None:
    def always() -> None:
        for one in cluster.objects.values():
            one["metadata"]["resourceVersion"] += "0"  # type: ignore[index]

    cluster.before = always
    assert main(["admission", "keep", "--configurations", wanted]) == 3
    assert "changed by somebody else" in capsys.readouterr().err


def test_disarm_and_rearm(cluster: MemoryCluster, wanted: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["admission", "keep", "--configurations", wanted])
    assert main(["admission", "disarm"]) == 0
    assert "ValidatingWebhookConfiguration navicert: lets through" in capsys.readouterr().out
    assert policies(cluster) == ["Ignore", "Ignore"]
    assert main(["admission", "rearm"]) == 0
    assert policies(cluster) == ["Fail", "Fail"]


def test_rearm_with_nobody_to_answer_arms_nothing(
    cluster: MemoryCluster, wanted: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["admission", "keep", "--configurations", wanted])
    main(["admission", "disarm", "--empty"])
    cluster.objects[DEPLOYMENT]["status"] = {}
    assert main(["admission", "rearm", "--wait", "0"]) == 1
    assert policies(cluster) == []


def test_what_is_not_there_is_named(cluster: MemoryCluster, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["admission", "disarm", "--configuration", "other"]) == 3
    assert "other: there is no webhook configuration of this name" in capsys.readouterr().err
    del cluster.objects[MAP]
    assert main(["admission", "rearm"]) == 3
    assert "Navicert is not installed here" in capsys.readouterr().err


@pytest.mark.parametrize("raw", ["", "{}", "[]", '{"Pod": {}}'])
def test_a_document_that_describes_nothing_is_refused(
    cluster: MemoryCluster, tmp_path: Path, raw: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "wanted.json").write_text(raw)
    assert main(["admission", "keep", "--configurations", str(tmp_path / "wanted.json")]) == 2
    assert "wanted.json" in capsys.readouterr().err


def test_no_cluster_is_said_with_a_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["admission", "disarm", "--kubeconfig", str(tmp_path / "none")]) == 3
    assert "--kubeconfig FILE" in capsys.readouterr().err
    (tmp_path / "config").write_text("apiVersion: v1\nkind: Config\nclusters: []\ncontexts: []\nusers: []\n")
    assert main(["admission", "disarm", "--kubeconfig", str(tmp_path / "config")]) == 3
    assert "no cluster to speak to" in capsys.readouterr().err
