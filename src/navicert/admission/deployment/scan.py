"""What looks at everything that runs, from time to time, and says in PolicyReports what would be refused: a CronJob.

It may read what it judges and judges by, and write reports of its own name; it stops nothing and changes nothing else.
"""

from __future__ import annotations

from navicert.admission.deployment import judging
from navicert.admission.deployment.job import job_template
from navicert.admission.deployment.label import SCAN, binding, container, labels, meta, role, rule
from navicert.admission.deployment.node import NAMESPACE, Each, Ref, When
from navicert.admission.vocabulary import CLUSTER_POLICY, EXCEPTION, GROUP, PLURALS, POLICY

_PART = "scan"
_REPORTS = "wgpolicyk8s.io"
_KINDS = ["policyreports", "clusterpolicyreports"]
_REPORT = "navicert"


def scan() -> list[object]:
    """Its objects; none where it was not asked for."""
    there = Ref("scan.enabled")
    return [When(there, one) for one in [*_account(), _cron()]]


def _account() -> list[object]:
    cluster = Ref("fromCluster")
    pods: list[object] = [
        rule("", ["pods"], "list"),
        # No name can be asked for of what is not there yet, nor of a list.
        rule(_REPORTS, _KINDS, "list", "create"),
        {**rule(_REPORTS, _KINDS, "patch", "delete"), "resourceNames": [_REPORT]},
        When(cluster, rule(GROUP, [PLURALS[CLUSTER_POLICY], PLURALS[POLICY]], "list")),
        When(cluster, When(Ref("configMaps"), rule("", ["configmaps"], "get"))),
    ]
    own: list[object] = [rule(GROUP, [PLURALS[EXCEPTION]], "list"), rule("", ["configmaps"], "get")]
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta(SCAN, _PART)}
        | {"automountServiceAccountToken": False},
        role("ClusterRole", SCAN, _PART, pods, namespaced=False),
        binding("ClusterRole", SCAN, _PART, namespaced=False),
        When(cluster, role("Role", SCAN, _PART, own, namespaced=True)),
        When(cluster, binding("Role", SCAN, _PART, namespaced=True)),
    ]


def _cron() -> dict[str, object]:
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": meta(SCAN, _PART),
        "spec": {
            "schedule": Ref("scan.schedule"),
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": 600,
            "successfulJobsHistoryLimit": 1,
            "failedJobsHistoryLimit": 3,
            "jobTemplate": {
                "metadata": {"labels": labels(_PART)},
                # What could not be found out now is looked at again when the time comes.
                "spec": {"backoffLimit": 0, "activeDeadlineSeconds": 3600, "template": _template()},
            },
        },
    }


def _template() -> dict[str, object]:
    arguments = [
        "admission",
        "audit",
        "--pods",
        "--write-reports",
        *judging.options(),
        Each(Ref("scan.arguments")),
        "--exclude-namespaces",
        Ref(NAMESPACE),
        Each(Ref("excludedNamespaces")),
    ]
    command = container(
        "scan",
        arguments,
        env=judging.environment(),
        resources=Ref("resources"),
        volumeMounts=judging.mounts(),
    )
    return job_template(_PART, SCAN, command, judging.volumes())
