"""ValidatingAdmissionPolicies beside the webhook: what needs no network, and so holds when no webhook answers.

One asks for a digest in every image of a Pod; one keeps what decides whether anything is judged for named groups.
Kubernetes 1.30 and newer.
"""

from __future__ import annotations

from navicert.admission.deployment.label import meta
from navicert.admission.deployment.node import NAMESPACE, Joined, Json, Ref, When, text
from navicert.admission.vocabulary import (
    ADMISSION_LABEL,
    DISABLED,
    ENABLED,
    EXCEPTION,
    GROUP,
    NAMESPACE_LABEL,
    PLURALS,
)

_API = "admissionregistration.k8s.io/v1"
_PART = "companion"
_DIGESTS = "digests.navicert.dev"
_LABELS = "labels.navicert.dev"
_EXCEPTIONS = "exceptions.navicert.dev"

_PINNED = "matches('@sha256:[0-9a-f]{64}$')"


def _image_rule(field: str) -> dict[str, object]:
    return {
        "expression": f"!has(object.spec.{field}) || object.spec.{field}.all(c, has(c.image) && c.image.{_PINNED})",
        "message": f"spec.{field}: an image is named without a digest (name@sha256:...)",
        "reason": "Forbidden",
    }


_VOLUME_RULE: dict[str, object] = {
    "expression": "!has(object.spec.volumes) || object.spec.volumes.all(v, !has(v.image) || "
    f"(has(v.image.reference) && v.image.reference.{_PINNED}))",
    "message": "spec.volumes: an image is named without a digest (name@sha256:...)",
    "reason": "Forbidden",
}
_DIGEST_RULES = [*map(_image_rule, ("containers", "initContainers", "ephemeralContainers")), _VOLUME_RULE]


def companions() -> list[object]:
    """The policies with their bindings."""
    enforced = Ref("companion.digests")
    digests = ("warn", "enforce")
    guard = Ref("companion.guard")
    return [
        When(enforced, _policy(_DIGESTS, _pods(), _DIGEST_RULES), among=digests),
        When(
            enforced,
            _binding(_DIGESTS, When(enforced, ["Deny"], ["Warn", "Audit"], among=("enforce",)), _judged()),
            among=digests,
        ),
        When(guard, _policy(_LABELS, _namespaces(), [_label_rule()])),
        When(guard, _binding(_LABELS, ["Deny"])),
        When(guard, _policy(_EXCEPTIONS, _exceptions(), [_exception_rule()])),
        When(guard, _binding(_EXCEPTIONS, ["Deny"])),
    ]


def _policy(name: str, constraints: dict[str, object], rules: list[dict[str, object]]) -> dict[str, object]:
    return {
        "apiVersion": _API,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": meta(name, _PART, namespaced=False),
        "spec": {"failurePolicy": "Fail", "matchConstraints": constraints, "validations": rules},
    }


def _binding(name: str, actions: object, match: dict[str, object] | None = None) -> dict[str, object]:
    return {
        "apiVersion": _API,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": meta(name, _PART, namespaced=False),
        "spec": {"policyName": name, "validationActions": actions, "matchResources": match},
    }


def _judged() -> dict[str, object]:
    """The namespaces that the webhook judges."""
    return {
        "namespaceSelector": {
            "matchExpressions": [
                {
                    "key": NAMESPACE_LABEL,
                    "operator": "NotIn",
                    "values": Joined((Ref(NAMESPACE),), Ref("excludedNamespaces")),
                },
                When(
                    Ref("scope"),
                    {"key": ADMISSION_LABEL, "operator": "In", "values": [ENABLED]},
                    {"key": ADMISSION_LABEL, "operator": "NotIn", "values": [DISABLED]},
                    among=("labelled",),
                ),
            ]
        }
    }


def _rule(group: str, resources: list[str], operations: list[str]) -> dict[str, object]:
    return {"apiGroups": [group], "apiVersions": ["*"], "resources": resources, "operations": operations}


_WRITES = ["CREATE", "UPDATE"]


def _pods() -> dict[str, object]:
    return {"resourceRules": [_rule("", ["pods", "pods/ephemeralcontainers"], _WRITES)]}


def _namespaces() -> dict[str, object]:
    return {"resourceRules": [_rule("", ["namespaces"], _WRITES)]}


def _exceptions() -> dict[str, object]:
    return {"resourceRules": [_rule(GROUP, [PLURALS[EXCEPTION]], _WRITES)]}


def _label_rule() -> dict[str, object]:
    """Who may say whether a namespace is judged. A namespace made by anybody may come without the label."""
    return {
        "expression": text(
            _unchanged("labels", ADMISSION_LABEL),
            " || request.userInfo.groups.exists(g, g in ",
            Json(Ref("companion.labelGroups")),
            ")",
        ),
        "message": f"only members of the groups in companion.labelGroups may set or change the label {ADMISSION_LABEL}",
        "reason": "Forbidden",
    }


def _exception_rule() -> dict[str, object]:
    """Where exceptions may be made. The webhook passes over those of other namespaces; this says so at once."""
    return {
        "expression": text("object.metadata.namespace == '", Ref(NAMESPACE), "'"),
        "message": "exceptions are made in the namespace of the administrators, where Navicert is installed",
        "reason": "Forbidden",
    }


def _unchanged(field: str, name: str) -> str:
    """The expression that `name` is as it was before, or is not there and was not."""

    def value(of: str) -> str:
        there = f"has({of}.metadata.{field}) && '{name}' in {of}.metadata.{field}"
        return f"({there} ? {of}.metadata.{field}['{name}'] : '')"

    return f"{value('object')} == (oldObject == null ? '' : {value('oldObject')})"
