"""What everything of ours that judges images is given: policies, and the way to registries."""

from __future__ import annotations

from navicert.admission.deployment.label import POLICIES
from navicert.admission.deployment.node import NAMESPACE, Ref, When, text

_POLICY = "/etc/navicert/policies"
_REGISTRY = "/etc/navicert/registry"


def options() -> list[object]:
    """The options of the command."""
    return [
        text("--admin-namespace=", Ref(NAMESPACE)),
        When(Ref("fromCluster"), "--from-cluster"),
        When(Ref("pullSecrets"), "--pull-secrets=cluster"),
        text("--unmatched=", Ref("unmatched")),
        When(Ref("registry.caConfigMap"), f"--ca-file={_REGISTRY}/ca/ca.crt"),
        When(Ref("policies"), f"--policy={_POLICY}"),
    ]


def environment() -> object:
    """The environment of the container."""
    return When(Ref("registry.credentialsSecret"), [{"name": "DOCKER_CONFIG", "value": f"{_REGISTRY}/credentials"}])


def mounts() -> list[object]:
    """Where the container finds `volumes`."""
    return [
        {"name": "scratch", "mountPath": "/tmp"},  # noqa: S108  # the only place that it may write to
        When(Ref("policies"), {"name": "policies", "mountPath": _POLICY, "readOnly": True}),
        When(
            Ref("registry.credentialsSecret"),
            {"name": "credentials", "mountPath": f"{_REGISTRY}/credentials", "readOnly": True},
        ),
        When(
            Ref("registry.caConfigMap"),
            {"name": "registry-ca", "mountPath": f"{_REGISTRY}/ca", "readOnly": True},
        ),
    ]


def volumes() -> list[object]:
    """The volumes of the Pod."""
    return [
        {"name": "scratch", "emptyDir": {"sizeLimit": "64Mi"}},
        When(Ref("policies"), {"name": "policies", "configMap": {"name": POLICIES}}),
        When(
            Ref("registry.credentialsSecret"),
            {
                "name": "credentials",
                "secret": {
                    "secretName": Ref("registry.credentialsSecret"),
                    "defaultMode": 0o440,
                    "items": [{"key": ".dockerconfigjson", "path": "config.json"}],
                },
            },
        ),
        When(
            Ref("registry.caConfigMap"),
            {"name": "registry-ca", "configMap": {"name": Ref("registry.caConfigMap")}},
        ),
    ]
