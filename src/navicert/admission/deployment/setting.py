"""What an operator can set: one table of names, types, defaults and reasons, for the chart and the command alike."""

from __future__ import annotations

from navicert.dataclass import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

_NAME = "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"
_DIGEST = "@sha256:[0-9a-f]{64}$"
_GROUP = "^[A-Za-z0-9:._/-]+$"


@dataclass(frozen=True, slots=True)
class Setting:
    """One value: its dotted path, what it is set to unless said otherwise, and what it is for. `schema` is JSON Schema,
    of the few keywords that `navicert.admission.deployment.value` checks."""

    path: str
    default: object
    help: str
    schema: Mapping[str, object]


def _one_of(*words: str) -> dict[str, object]:
    return {"type": "string", "enum": list(words)}


def _number(least: int, most: int) -> dict[str, object]:
    return {"type": "integer", "minimum": least, "maximum": most}


def _texts(pattern: str = "") -> dict[str, object]:
    items: dict[str, object] = {"type": "string", "minLength": 1}
    if pattern:
        items["pattern"] = pattern
    return {"type": "array", "items": items}


_BOOLEAN: Final = {"type": "boolean"}
_TEXT: Final = {"type": "string"}
_OBJECT: Final = {"type": "object"}
_OBJECTS: Final = {"type": "array", "items": _OBJECT}

SETTINGS: Final = (
    Setting(
        "image",
        "",
        "Navicert's own image, by digest: what judges images must not itself be a tag. Required.",
        {"type": "string", "pattern": f"^[^@ ]+{_DIGEST}"},
    ),
    Setting("imagePullSecrets", [], "Secrets for pulling it, as in a Pod: [{name: …}].", _OBJECTS),
    Setting("replicas", 3, "How many webhooks run. With one, an update of its node stops admission.", _number(1, 100)),
    Setting(
        "resources",
        {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
        "What each may use. A limit on processor time would only make it late.",
        _OBJECT,
    ),
    Setting(
        "priorityClassName",
        "system-cluster-critical",
        "Evicted last: without webhooks nothing can be created where Fail is in force.",
        {"type": "string", "pattern": _NAME},
    ),
    Setting("nodeSelector", {}, "Where it may run.", _OBJECT),
    Setting("tolerations", [], "Which taints it bears.", _OBJECTS),
    Setting("podAnnotations", {}, "Annotations on its Pods, for what scrapes metrics for example.", _OBJECT),
    Setting(
        "service.name",
        "navicert-webhook",
        "The Service that the API server calls. The certificate is made for it.",
        {"type": "string", "pattern": "^[a-z]([-a-z0-9]*[a-z0-9])?$", "maxLength": 63},
    ),
    Setting("service.port", 443, "Its port.", _number(1, 65535)),
    Setting("ports.webhook", 8443, "Where the process listens.", _number(1024, 65535)),
    Setting("ports.metrics", 9090, "Where it tells Prometheus.", _number(1024, 65535)),
    Setting(
        "scope",
        "labelled",
        "Which namespaces are judged: those labelled navicert.dev/admission=enabled, or all that are not labelled "
        "navicert.dev/admission=disabled.",
        _one_of("labelled", "all"),
    ),
    Setting(
        "excludedNamespaces",
        ["kube-system", "kube-public", "kube-node-lease"],
        "Never judged, besides the namespace that is installed into: what a cluster needs to come up.",
        _texts(_NAME),
    ),
    Setting(
        "webhook.failurePolicy",
        "Fail",
        "What happens to an object when no webhook answers. It is in force once a replica is ready.",
        _one_of("Fail", "Ignore"),
    ),
    Setting("webhook.timeoutSeconds", 10, "How long the API server waits for an answer.", _number(2, 30)),
    Setting(
        "webhook.workloads",
        True,
        "Judge Deployments and other templates of Pods too. Pods are judged always; this tells authors earlier.",
        _BOOLEAN,
    ),
    Setting("webhook.pinDigests", True, "Let Pods run what was judged: their tags get the digest.", _BOOLEAN),
    Setting(
        "webhook.callersConfigMap",
        "",
        "A ConfigMap whose ca.crt vouches for the certificate that the API server shows to webhooks, where it is set "
        "up to show one: whoever shows none is denied.",
        _TEXT,
    ),
    Setting("fromCluster", True, "Judge by the policies that are objects of the cluster.", _BOOLEAN),
    Setting(
        "configMaps",
        False,
        "Policies may take their layout from a ConfigMap of any namespace; else only from one of this namespace. The "
        "webhook may then read all ConfigMaps whose names it is told.",
        _BOOLEAN,
    ),
    Setting(
        "pullSecrets",
        False,
        "Show registries the pull secrets of workloads, where their policies allow it. It makes a ClusterRole "
        "navicert-pull-secrets, which nobody has: bind it in each namespace whose Secrets the webhook may read.",
        _BOOLEAN,
    ),
    Setting(
        "pullSecretsIn",
        [],
        "Or, with pullSecrets, the right to some of them by name: [{namespace: shop, secrets: [regcred], "
        "serviceAccounts: [default]}], each namespace once. It makes a Role there, for the webhook and the scan.",
        {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["namespace", "secrets", "serviceAccounts"],
                "properties": {
                    "namespace": {"type": "string", "pattern": _NAME},
                    # Without a name a rule would be about all of them.
                    "secrets": {**_texts(_NAME), "minItems": 1},
                    "serviceAccounts": {**_texts(_NAME), "minItems": 1},
                },
            },
        },
    ),
    Setting(
        "memory.keySecret",
        "",
        "A Secret with a private key (`key.pem`) of the webhook's own: what passed is kept across restarts, signed by "
        "it, in the ConfigMap navicert-passed, for policies with onRegistryError: allowVerifiedBefore.",
        _TEXT,
    ),
    Setting(
        "unmatched", "deny", "What becomes of images that no policy speaks about.", _one_of("deny", "warn", "audit")
    ),
    Setting(
        "policies",
        [],
        "Policies and exceptions that are given with the chart, as whole documents.",
        _OBJECTS,
    ),
    Setting(
        "arguments",
        [],
        "More options of `navicert admission serve`.",
        _texts(),
    ),
    Setting("registry.credentialsSecret", "", "A Secret of type kubernetes.io/dockerconfigjson for registries.", _TEXT),
    Setting("registry.caConfigMap", "", "A ConfigMap whose ca.crt is trusted for registries.", _TEXT),
    Setting(
        "certificates.from",
        "navicert",
        "Who makes the certificate: Navicert itself, or cert-manager.",
        _one_of("navicert", "cert-manager"),
    ),
    Setting(
        "certificates.issuer",
        {},
        "With cert-manager: another issuer than one made for this, {name: …, kind: …, group: …}.",
        {
            "type": "object",
            "additionalProperties": False,
            "properties": {name: {"type": "string", "minLength": 1} for name in ("name", "kind", "group")},
        },
    ),
    Setting("certificates.schedule", "*/5 * * * *", "When certificates and configurations are looked at.", _TEXT),
    Setting(
        "certificates.configurations",
        [],
        "Further webhook configurations, by name, whose caBundle is kept: that of in-toto's documents, for example.",
        _texts(_NAME),
    ),
    Setting(
        "scan.enabled",
        False,
        "Judge from time to time what already runs, in all namespaces but the excluded ones, and write PolicyReports "
        "that say what would be refused. Its service account may list all Pods.",
        _BOOLEAN,
    ),
    Setting("scan.schedule", "17 * * * *", "When.", _TEXT),
    Setting("scan.arguments", [], "More options of `navicert admission audit`.", _texts()),
    Setting(
        "companion.digests",
        "warn",
        "A ValidatingAdmissionPolicy that asks for a digest in every image of a Pod: it holds when no webhook answers. "
        "Kubernetes 1.30 and newer; off on older ones.",
        _one_of("off", "warn", "enforce"),
    ),
    Setting(
        "companion.guard",
        True,
        "One that keeps the label of namespaces for the groups named below, and exceptions to this namespace.",
        _BOOLEAN,
    ),
    Setting(
        "companion.labelGroups",
        ["system:masters"],
        "Whose members may change whether a namespace is judged.",
        _texts(_GROUP),
    ),
)
