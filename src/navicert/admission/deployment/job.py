"""The Pods of Jobs: our own image, run once for one command, with no more rights than its account has."""

from __future__ import annotations

from navicert.admission.deployment.label import labels, pod_security
from navicert.admission.deployment.node import Ref, When

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def job_template(
    component: str, account: str, container: Mapping[str, object], volumes: list[object], *, priority: object = None
) -> dict[str, object]:
    """The template of a Job's Pods: `container` as the service account `account`, of the priority class `priority`
    where one is named."""
    return {
        "metadata": {"labels": labels(component)},
        "spec": {
            "serviceAccountName": account,
            "automountServiceAccountToken": True,
            "restartPolicy": "Never",
            "priorityClassName": priority,
            "imagePullSecrets": When(Ref("imagePullSecrets"), Ref("imagePullSecrets")),
            "nodeSelector": When(Ref("nodeSelector"), Ref("nodeSelector")),
            "tolerations": When(Ref("tolerations"), Ref("tolerations")),
            "securityContext": pod_security(),
            "containers": [container],
            "volumes": volumes,
        },
    }
