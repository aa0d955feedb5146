"""The webhook configurations: which requests the API server asks about, and what happens when nobody answers.

They are installed empty, and filled in by the keeper once a replica is ready (`keeper.py`): a configuration with
`failurePolicy: Fail` and nobody behind it is how clusters have been locked up.
"""

from __future__ import annotations

from navicert.admission.deployment.label import CONFIGURATION, CONFIGURATIONS, meta
from navicert.admission.deployment.node import NAMESPACE, Document, Joined, Ref, When
from navicert.admission.vocabulary import ADMISSION_LABEL, DISABLED, ENABLED, NAMESPACE_LABEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_API = "admissionregistration.k8s.io/v1"
VALIDATING = "ValidatingWebhookConfiguration"
MUTATING = "MutatingWebhookConfiguration"


def hooks() -> list[object]:
    """The empty configurations, and the document that says what they will be."""
    return [
        _empty(VALIDATING),
        _empty(MUTATING),
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": meta(CONFIGURATIONS, "keeper"),
            "data": {"configurations.json": Document("navicert.configurations", configurations(_service))},
        },
    ]


def configurations(client: Callable[[str], object]) -> dict[str, object]:
    """What is in force once somebody answers: by kind, name and webhooks. `client(path)` is how `path` is reached.
    `also` names further configurations, of which only the caBundle is ours."""
    pins = [_webhook("pin", client("/mutate"), _PODS, failurePolicy="Ignore", reinvocationPolicy="IfNeeded")]
    return {
        VALIDATING: {
            CONFIGURATION: [
                _webhook("pods", client("/verify"), _PODS, failurePolicy=Ref("webhook.failurePolicy")),
                When(
                    Ref("webhook.workloads"),
                    _webhook("workloads", client("/verify"), _WORKLOADS, failurePolicy=Ref("webhook.failurePolicy")),
                ),
            ]
        },
        MUTATING: When(Ref("webhook.pinDigests"), {CONFIGURATION: pins}, {CONFIGURATION: []}),
        "also": Ref("certificates.configurations"),
    }


def _empty(kind: str) -> dict[str, object]:
    return {"apiVersion": _API, "kind": kind, "metadata": meta(CONFIGURATION, "keeper", namespaced=False)}


def _service(path: str) -> Mapping[str, object]:
    service = {"name": Ref("service.name"), "namespace": Ref(NAMESPACE), "port": Ref("service.port"), "path": path}
    return {"service": service}


def _rule(group: str, versions: list[str], resources: list[str], operations: list[str]) -> dict[str, object]:
    return {
        "apiGroups": [group],
        "apiVersions": versions,
        "resources": resources,
        "operations": operations,
        "scope": "Namespaced",
    }


# Never DELETE and never `*`: what takes something away, and what names no image, must not wait for us.
_WRITES = ["CREATE", "UPDATE"]
_PODS = [
    _rule("", ["v1"], ["pods"], _WRITES),
    # Not covered by `pods`: this is where `kubectl debug` writes.
    _rule("", ["v1"], ["pods/ephemeralcontainers"], ["UPDATE"]),
]
_WORKLOADS = [
    _rule("", ["v1"], ["podtemplates", "replicationcontrollers"], _WRITES),
    _rule("apps", ["v1"], ["daemonsets", "deployments", "replicasets", "statefulsets"], _WRITES),
    _rule("batch", ["v1", "v1beta1"], ["cronjobs", "jobs"], _WRITES),
]


def _webhook(name: str, client: object, rules: list[dict[str, object]], **more: object) -> dict[str, object]:
    return {
        "name": f"{name}.navicert.dev",
        "clientConfig": client,
        "rules": rules,
        **more,
        "matchPolicy": "Equivalent",
        "namespaceSelector": _namespaces(),
        "sideEffects": "NoneOnDryRun",
        "timeoutSeconds": Ref("webhook.timeoutSeconds"),
        "admissionReviewVersions": ["v1"],
    }


def _namespaces() -> dict[str, object]:
    """Which namespaces are judged. There is no selector of objects: their labels are their author's."""
    excluded = Joined((Ref(NAMESPACE),), Ref("excludedNamespaces"))
    return {
        "matchExpressions": [
            {"key": NAMESPACE_LABEL, "operator": "NotIn", "values": excluded},
            When(
                Ref("scope"),
                {"key": ADMISSION_LABEL, "operator": "In", "values": [ENABLED]},
                {"key": ADMISSION_LABEL, "operator": "NotIn", "values": [DISABLED]},
                among=("labelled",),
            ),
        ]
    }
