"""What all our objects carry: names, labels, and how their processes are confined."""

from __future__ import annotations

from navicert.admission.deployment.node import NAMESPACE, Ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

WEBHOOK = "navicert-webhook"
KEEPER = "navicert-keeper"
SCAN = "navicert-scan"
SECRET = "navicert-webhook-tls"
CONFIGURATIONS = "navicert-configurations"
POLICIES = "navicert-policies"
MEMORY = "navicert-passed"
PULL_SECRETS = "navicert-pull-secrets"
CONFIGURATION = "navicert"
"""The name of both webhook configurations."""

RBAC = "rbac.authorization.k8s.io"

USER = 65532
"""The user and group of the image, as in others without a login."""


def labels(component: str) -> dict[str, object]:
    """The labels by which one part of an installation is told from another."""
    return {"app.kubernetes.io/name": "navicert", "app.kubernetes.io/component": component}


def meta(name: object, component: str, *, namespaced: bool = True, **more: object) -> dict[str, object]:
    """The metadata of an object."""
    where: dict[str, object] = {"namespace": Ref(NAMESPACE)} if namespaced else {}
    return {"name": name, **where, "labels": labels(component), **more}


def pod_security() -> dict[str, object]:
    """A Pod's security context: the restricted profile of the Pod Security Standards."""
    return {
        "runAsNonRoot": True,
        "runAsUser": USER,
        "runAsGroup": USER,
        "fsGroup": USER,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def container(name: str, arguments: list[object], **more: object) -> Mapping[str, object]:
    """A container of our image that may do nothing but run."""
    return {
        "name": name,
        "image": Ref("image"),
        "args": arguments,
        **more,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def rule(group: str, resources: list[str], *verbs: str) -> dict[str, object]:
    """What a role allows."""
    return {"apiGroups": [group], "resources": resources, "verbs": list(verbs)}


def role(kind: str, name: str, component: str, rules: list[object], *, namespaced: bool) -> dict[str, object]:
    """A role of the kind `kind` with `rules`."""
    metadata = meta(name, component, namespaced=namespaced)
    return {"apiVersion": f"{RBAC}/v1", "kind": kind, "metadata": metadata, "rules": rules}


def binding(kind: str, name: str, component: str, *, namespaced: bool, account: str = "") -> dict[str, object]:
    """What gives the role `name` to the service account `account`, by default that of the same name."""
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": f"{kind}Binding",
        "metadata": meta(name, component, namespaced=namespaced),
        "roleRef": {"apiGroup": RBAC, "kind": kind, "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": account or name, "namespace": Ref(NAMESPACE)}],
    }
