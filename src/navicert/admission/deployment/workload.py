"""The webhook itself: its Deployment, what leads to it, and what keeps enough of it running."""

from __future__ import annotations

from navicert.admission.deployment import judging
from navicert.admission.deployment.label import (
    MEMORY,
    POLICIES,
    SECRET,
    WEBHOOK,
    binding,
    container,
    labels,
    meta,
    pod_security,
    role,
    rule,
)
from navicert.admission.deployment.node import NAMESPACE, Documents, Each, Ref, When, text
from navicert.admission.deployment.pull_secret import pull_secrets
from navicert.admission.vocabulary import CLUSTER_POLICY, EXCEPTION, GROUP, PLURALS, POLICY

_PART = "webhook"
_TLS = "/etc/navicert/tls"
_MEMORY = "/etc/navicert/memory"
_CALLERS = "/etc/navicert/callers"


def workload() -> list[object]:
    """Its objects."""
    return [
        _account(),
        *_rights(),
        *pull_secrets(),
        *_memory(),
        _policies(),
        _service(),
        _deployment(),
        _budget(),
        _network(),
    ]


def _account() -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": meta(WEBHOOK, _PART),
        "automountServiceAccountToken": False,
    }


def _rights() -> list[object]:
    """What the webhook may read, where policies are objects of the cluster. It may change nothing but their
    status."""
    chosen = Ref("fromCluster")
    policies = rule(GROUP, [PLURALS[CLUSTER_POLICY], PLURALS[POLICY]], "list", "watch")
    # Of policies themselves nothing but what is said of them to people.
    status = rule(GROUP, [f"{PLURALS[CLUSTER_POLICY]}/status", f"{PLURALS[POLICY]}/status"], "patch")
    maps = When(Ref("configMaps"), rule("", ["configmaps"], "get", "list", "watch"))
    # Whose templates are reviewed anyway: what their Pods say of broken glass is held against them.
    sets = When(Ref("webhook.workloads"), rule("apps", ["daemonsets", "statefulsets"], "get"))
    exceptions = rule(GROUP, [PLURALS[EXCEPTION]], "list", "watch")
    # Layouts of the cluster's policies may lie in the namespace that is installed into; `configMaps` allows all others.
    own_maps = rule("", ["configmaps"], "get", "list", "watch")
    return [
        When(chosen, role("ClusterRole", WEBHOOK, _PART, [policies, status, maps, sets], namespaced=False)),
        When(chosen, binding("ClusterRole", WEBHOOK, _PART, namespaced=False)),
        When(chosen, role("Role", WEBHOOK, _PART, [exceptions, own_maps], namespaced=True)),
        When(chosen, binding("Role", WEBHOOK, _PART, namespaced=True)),
    ]


def _memory() -> list[object]:
    """Where what passed is kept, and the right to change that one object. It is made empty, so that nobody needs the
    right to make any."""
    kept = Ref("memory.keySecret")
    own = {**rule("", ["configmaps"], "get", "patch"), "resourceNames": [MEMORY]}
    return [
        When(kept, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta(MEMORY, _PART)}),
        When(kept, role("Role", MEMORY, _PART, [own], namespaced=True)),
        When(kept, binding("Role", MEMORY, _PART, namespaced=True, account=WEBHOOK)),
    ]


def _policies() -> When:
    return When(
        Ref("policies"),
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": meta(POLICIES, _PART),
            "data": {"policies.yaml": Documents("navicert.policies", Ref("policies"))},
        },
    )


def _service() -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": meta(Ref("service.name"), _PART),
        "spec": {
            "selector": labels(_PART),
            "ports": [{"name": "webhook", "port": Ref("service.port"), "targetPort": "webhook", "protocol": "TCP"}],
        },
    }


def _deployment() -> dict[str, object]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": meta(WEBHOOK, _PART),
        "spec": {
            "replicas": Ref("replicas"),
            # A new one is ready before an old one goes: there is no moment without.
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "selector": {"matchLabels": labels(_PART)},
            "template": {
                "metadata": {
                    "labels": labels(_PART),
                    "annotations": When(Ref("podAnnotations"), Ref("podAnnotations")),
                },
                "spec": _pod(),
            },
        },
    }


def _pod() -> dict[str, object]:
    return {
        "serviceAccountName": WEBHOOK,
        "automountServiceAccountToken": True,
        "priorityClassName": Ref("priorityClassName"),
        "imagePullSecrets": When(Ref("imagePullSecrets"), Ref("imagePullSecrets")),
        "nodeSelector": When(Ref("nodeSelector"), Ref("nodeSelector")),
        "tolerations": When(Ref("tolerations"), Ref("tolerations")),
        "affinity": {
            "podAntiAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {
                        "weight": 100,
                        "podAffinityTerm": {
                            "topologyKey": "kubernetes.io/hostname",
                            "labelSelector": {"matchLabels": labels(_PART)},
                        },
                    }
                ]
            }
        },
        # Longer than it takes to be taken out of all routes and to answer what is under way.
        "terminationGracePeriodSeconds": 60,
        "securityContext": pod_security(),
        "containers": [_webhook()],
        "volumes": [
            {
                "name": "tls",
                "secret": {
                    "secretName": SECRET,
                    "defaultMode": 0o440,
                    # Not the key of the authority, which may lie in the same Secret.
                    "items": [{"key": "tls.crt", "path": "tls.crt"}, {"key": "tls.key", "path": "tls.key"}],
                },
            },
            When(
                Ref("memory.keySecret"),
                {
                    "name": "memory",
                    "secret": {
                        "secretName": Ref("memory.keySecret"),
                        "defaultMode": 0o440,
                        "items": [{"key": "key.pem", "path": "key.pem"}],
                    },
                },
            ),
            When(
                Ref("webhook.callersConfigMap"),
                {"name": "callers", "configMap": {"name": Ref("webhook.callersConfigMap")}},
            ),
            *judging.volumes(),
        ],
    }


def _webhook() -> object:
    probe = {"port": "webhook", "scheme": "HTTPS"}
    return container(
        "webhook",
        [
            "admission",
            "serve",
            text("--listen=0.0.0.0:", Ref("ports.webhook")),
            text("--metrics=0.0.0.0:", Ref("ports.metrics")),
            f"--tls-cert={_TLS}/tls.crt",
            f"--tls-key={_TLS}/tls.key",
            When(Ref("webhook.callersConfigMap"), f"--client-ca={_CALLERS}/ca.crt"),
            *judging.options(),
            When(Ref("fromCluster"), "--write-status"),
            # Only where the webhook sees the templates can it tell who broke the glass in one.
            When(Ref("webhook.workloads"), "--break-glass-in-templates"),
            When(Ref("memory.keySecret"), text("--memory=configmap:", Ref(NAMESPACE), f"/{MEMORY}")),
            When(Ref("memory.keySecret"), f"--memory-key={_MEMORY}/key.pem"),
            Each(Ref("arguments")),
        ],
        env=judging.environment(),
        ports=[
            {"name": "webhook", "containerPort": Ref("ports.webhook"), "protocol": "TCP"},
            {"name": "metrics", "containerPort": Ref("ports.metrics"), "protocol": "TCP"},
        ],
        resources=Ref("resources"),
        startupProbe={"httpGet": {"path": "/healthz", **probe}, "periodSeconds": 1, "failureThreshold": 60},
        readinessProbe={"httpGet": {"path": "/readyz", **probe}, "periodSeconds": 3, "timeoutSeconds": 2},
        livenessProbe={"httpGet": {"path": "/healthz", **probe}, "periodSeconds": 10, "timeoutSeconds": 5},
        volumeMounts=[
            {"name": "tls", "mountPath": _TLS, "readOnly": True},
            When(Ref("memory.keySecret"), {"name": "memory", "mountPath": _MEMORY, "readOnly": True}),
            When(Ref("webhook.callersConfigMap"), {"name": "callers", "mountPath": _CALLERS, "readOnly": True}),
            *judging.mounts(),
        ],
    )


def _budget() -> dict[str, object]:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": meta(WEBHOOK, _PART),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": labels(_PART)}},
    }


def _network() -> dict[str, object]:
    # The API server has no address that could be named here, and rarely a certificate: the ports are what can be said.
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": meta(WEBHOOK, _PART),
        "spec": {
            "podSelector": {"matchLabels": labels(_PART)},
            "policyTypes": ["Ingress"],
            "ingress": [{"ports": [{"port": "webhook", "protocol": "TCP"}, {"port": "metrics", "protocol": "TCP"}]}],
        },
    }
