"""The definition of PolicyReports, of which Navicert is a writer: the fields of wgpolicyk8s.io/v1alpha2 that it writes,
with their types, and nothing kept that is not among them."""

from __future__ import annotations

from typing import Any

_TEXT = {"type": "string"}
_COUNT = {"type": "integer"}
_RESOURCE = {"type": "object", "properties": dict.fromkeys(("apiVersion", "kind", "name", "namespace"), _TEXT)}
_RESULT = {
    "type": "object",
    "required": ["policy"],
    "properties": {
        **dict.fromkeys(("source", "policy", "rule", "message"), _TEXT),
        "result": {"type": "string", "enum": ["pass", "fail", "warn", "error", "skip"]},
        "resources": {"type": "array", "items": _RESOURCE},
        "timestamp": {
            "type": "object",
            "required": ["seconds", "nanos"],
            "properties": dict.fromkeys(("seconds", "nanos"), _COUNT),
        },
        "properties": {"type": "object", "additionalProperties": _TEXT},
    },
}


def report_definitions() -> list[dict[str, Any]]:
    """Both kinds."""
    return [_definition("PolicyReport", "Namespaced"), _definition("ClusterPolicyReport", "Cluster")]


def _definition(kind: str, scope: str) -> dict[str, Any]:
    plural = f"{kind.lower()}s"
    summary = {"type": "object", "properties": dict.fromkeys(("pass", "fail", "warn", "error", "skip"), _COUNT)}
    properties: dict[str, Any] = {
        "apiVersion": _TEXT,
        "kind": _TEXT,
        "metadata": {"type": "object"},
        "summary": summary,
        "results": {"type": "array", "items": _RESULT},
    }
    version = {
        "name": "v1alpha2",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": properties}},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.wgpolicyk8s.io",
            "annotations": {"api-approved.kubernetes.io": "unapproved, for tests"},
        },
        "spec": {
            "group": "wgpolicyk8s.io",
            "scope": scope,
            "names": {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": kind.lower()},
            "versions": [version],
        },
    }
