"""The right to read pull secrets of workloads: all of a namespace, where somebody gives it, or those that are named."""

from __future__ import annotations

from navicert.admission.deployment.label import PULL_SECRETS, RBAC, SCAN, WEBHOOK, labels, role, rule
from navicert.admission.deployment.node import NAMESPACE, Every, Own, Ref, When

_PART = "webhook"


def pull_secrets() -> list[object]:
    """The objects; none where registries are not shown any."""
    reading = rule("", ["secrets", "serviceaccounts"], "get")
    anywhere = role("ClusterRole", PULL_SECRETS, _PART, [reading], namespaced=False)
    named = Ref("pullSecretsIn")
    return [When(Ref("pullSecrets"), one) for one in (anywhere, Every(named, _role()), Every(named, _binding()))]


def _role() -> dict[str, object]:
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "Role",
        "metadata": _meta(),
        "rules": [
            {**rule("", ["secrets"], "get"), "resourceNames": Own("secrets")},
            {**rule("", ["serviceaccounts"], "get"), "resourceNames": Own("serviceAccounts")},
        ],
    }


def _binding() -> dict[str, object]:
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": _meta(),
        "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": PULL_SECRETS},
        "subjects": [_account(WEBHOOK), When(Ref("scan.enabled"), _account(SCAN))],
    }


def _account(name: str) -> dict[str, object]:
    return {"kind": "ServiceAccount", "name": name, "namespace": Ref(NAMESPACE)}


def _meta() -> dict[str, object]:
    return {"name": PULL_SECRETS, "namespace": Own("namespace"), "labels": labels(_PART)}
