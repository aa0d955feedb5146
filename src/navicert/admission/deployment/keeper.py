"""What keeps certificates and webhook configurations: a CronJob of our own image, and a Job that does it at once.

They may do to the cluster exactly that: change one Secret and named configurations, which the chart makes, and look at
whether a replica is ready. So they need not be allowed to make or delete anything.
"""

from __future__ import annotations

from navicert.admission.deployment.job import job_template
from navicert.admission.deployment.label import (
    CONFIGURATION,
    CONFIGURATIONS,
    KEEPER,
    RBAC,
    SECRET,
    WEBHOOK,
    binding,
    container,
    labels,
    meta,
)
from navicert.admission.deployment.node import NAMESPACE, REVISION, Joined, Ref, When, text

_PART = "keeper"
_FOLDER = "/etc/navicert/configurations"
UNINSTALL = "navicert-uninstall"


def keeper() -> list[object]:
    """Its objects, without the Job of an uninstallation."""
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta(KEEPER, _PART)}
        | {"automountServiceAccountToken": False},
        _role(),
        binding("Role", KEEPER, _PART, namespaced=True),
        _cluster_role(),
        binding("ClusterRole", KEEPER, _PART, namespaced=False),
        # Empty, so that nobody needs the right to make Secrets; a later installation leaves what is in it.
        When(
            Ref("certificates.from"),
            {"apiVersion": "v1", "kind": "Secret", "metadata": meta(SECRET, _PART), "type": "Opaque"},
            among=("navicert",),
        ),
        _cron(),
        _job(),
    ]


def uninstallation() -> list[object]:
    """The Job that Helm runs before it deletes anything: from then on nothing waits for webhooks that are going."""
    hooks = {
        "helm.sh/hook": "pre-delete",
        "helm.sh/hook-delete-policy": "before-hook-creation,hook-succeeded",
    }
    arguments: list[object] = ["admission", "disarm", text("--namespace=", Ref(NAMESPACE)), "--empty"]
    return [
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": meta(UNINSTALL, _PART, annotations=hooks),
            "spec": {"backoffLimit": 3, "template": _template(arguments)},
        }
    ]


def _role() -> dict[str, object]:
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "Role",
        "metadata": meta(KEEPER, _PART),
        "rules": [
            {"apiGroups": [""], "resources": ["secrets"], "resourceNames": [SECRET], "verbs": ["get", "patch"]},
            {"apiGroups": ["apps"], "resources": ["deployments"], "resourceNames": [WEBHOOK], "verbs": ["get"]},
        ],
    }


def _cluster_role() -> dict[str, object]:
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRole",
        "metadata": meta(KEEPER, _PART, namespaced=False),
        "rules": [
            {
                "apiGroups": ["admissionregistration.k8s.io"],
                "resources": ["validatingwebhookconfigurations", "mutatingwebhookconfigurations"],
                "resourceNames": Joined((CONFIGURATION,), Ref("certificates.configurations")),
                "verbs": ["get", "patch"],
            }
        ],
    }


def _cron() -> dict[str, object]:
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": meta(KEEPER, _PART),
        "spec": {
            "schedule": Ref("certificates.schedule"),
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": 120,
            "successfulJobsHistoryLimit": 1,
            "failedJobsHistoryLimit": 3,
            "jobTemplate": {
                "metadata": {"labels": labels(_PART)},
                "spec": {"backoffLimit": 1, "activeDeadlineSeconds": 120, "template": _template(_keep())},
            },
        },
    }


def _job() -> dict[str, object]:
    """The first run, which the webhooks wait for to get a certificate. A Job cannot be changed, so each revision has
    its own; and no hook of Helm, which with --wait would come only when they are ready."""
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": meta(text("navicert-install-", Ref(REVISION)), _PART),
        "spec": {
            "backoffLimit": 6,
            "ttlSecondsAfterFinished": 600,
            "template": _template([*_keep(), "--wait=300"]),
        },
    }


def _keep() -> list[object]:
    return [
        "admission",
        "keep",
        text("--namespace=", Ref(NAMESPACE)),
        text("--service=", Ref("service.name")),
        text("--certificates=", Ref("certificates.from")),
        f"--configurations={_FOLDER}/configurations.json",
    ]


def _template(arguments: list[object]) -> dict[str, object]:
    command = container(
        "keeper",
        arguments,
        resources={"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
        volumeMounts=[{"name": "configurations", "mountPath": _FOLDER, "readOnly": True}],
    )
    volumes: list[object] = [{"name": "configurations", "configMap": {"name": CONFIGURATIONS}}]
    return job_template(_PART, KEEPER, command, volumes, priority=Ref("priorityClassName"))
