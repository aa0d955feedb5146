"""Documents of our kinds, right ones and wrong ones: for the schemas, the loader and a real API server alike."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from tests.certificate_authority import new_root

from navicert.model.identity import ARC
from navicert.testing import key
from navicert.testing.sigstore import ISSUER, PrivateSigstore

DIGEST = "sha256:" + "a" * 64
PEM = key("owner").public_pem().decode()
MAPS = {("shop", "layouts"): {"root": "{}"}}
"""The ConfigMap that one of the documents names."""

CLUSTER: dict[str, Any] = {
    "apiVersion": "navicert.dev/v1alpha1",
    "kind": "ClusterSupplyChainPolicy",
    "metadata": {"name": "all"},
    "spec": {
        "images": ["registry.example/**"],
        "layout": {"attached": True},
        "owners": {"keys": [{"pem": PEM}]},
    },
}
WHOLE: dict[str, Any] = {
    "mode": "audit",
    "namespaces": ["prod-*"],
    "roles": ["container", "volume"],
    "evidence": [{"attached": True}, {"repository": "registry.example/evidence"}],
    "parameters": {"image": {"from": "image.digest"}, "team": {"value": "shop"}},
    "parameterPatterns": {"files": {"value": "src/*"}},
    "targetStep": "build",
    "platformScope": "every-platform",
    "strict": True,
    "minLayoutVersion": 3,
    "revocations": {"digests": [DIGEST], "keys": ["ab" * 32], "identities": ["eve"]},
    "expiresGrace": "336h",
    "onRegistryError": "allowVerifiedBefore",
    "credentials": {"imagePullSecrets": True},
    "owners": {
        "keys": [{"pem": PEM}],
        "identities": [
            {"identity": "release@example.com", "issuer": ISSUER, "claims": {"buildTrigger": "push"}},
            {"identityMatching": ".+@example[.]com", "issuer": ISSUER, "claimsMatching": {f"{ARC}9": ".+"}},
        ],
        "threshold": 3,
    },
    "slsa": {"require": {"build": 1}, "identities": [{"identity": "ci@example.com", "issuer": ISSUER}]},
    "trustedRoot": {"inline": PrivateSigstore().root_bytes().decode()},
    "timestampAuthorities": [{"pem": new_root("TSA root").pem}],
}
OWN: dict[str, Any] = copy.deepcopy(CLUSTER) | {
    "kind": "SupplyChainPolicy",
    "metadata": {"name": "own", "namespace": "shop"},
}
EXCEPTION: dict[str, Any] = {
    "apiVersion": "navicert.dev/v1alpha1",
    "kind": "SupplyChainException",
    "metadata": {"name": "one", "namespace": "navicert"},
    "spec": {"digest": DIGEST, "reason": "rollback", "owner": "jane", "notAfter": "2026-12-01T00:00:00Z"},
}
GOOD: Mapping[str, dict[str, Any]] = {
    "smallest": CLUSTER,
    "whole": {
        **CLUSTER,
        "spec": {
            **CLUSTER["spec"],
            **WHOLE,
            "breakGlass": {"groups": ["sre"]},
            "customKinds": [{"group": "argoproj.io", "kind": "Rollout", "podSpecs": ["$.spec.template.spec"]}],
        },
    },
    "delegated": {**CLUSTER, "spec": {"images": ["**"], "delegate": True, "namespaces": ["team-*"]}},
    "not delegated": {**CLUSTER, "spec": {**CLUSTER["spec"], "delegate": False}},
    "of a namespace": {**OWN, "spec": {**OWN["spec"], **WHOLE}},
    "layout in a map": {**OWN, "spec": {**OWN["spec"], "layout": {"configMap": {"name": "layouts", "key": "root"}}}},
    "layout by digest": {**CLUSTER, "spec": {**CLUSTER["spec"], "layout": {"image": f"registry.example/l@{DIGEST}"}}},
    "exception": EXCEPTION,
    "exception for some": {**EXCEPTION, "spec": {**EXCEPTION["spec"], "namespaces": ["shop"]}},
}

# Name → what a document is changed to, by path. Each must be refused by schema or rule, and by the loader.
BAD: Mapping[str, tuple[Mapping[str, Any], str, Any]] = {
    "no images": (CLUSTER, "images", None),
    "empty images": (CLUSTER, "images", []),
    "image with a tag sign": (CLUSTER, "images", ["a@b"]),
    "no layout": (CLUSTER, "layout", None),
    "no owners": (CLUSTER, "owners", None),
    "no layout in a namespace": (OWN, "layout", None),
    "two layouts": (CLUSTER, "layout", {"attached": True, "inline": "x"}),
    "no place of a layout": (CLUSTER, "layout", {}),
    "layout not attached": (CLUSTER, "layout", {"attached": False}),
    "layout by tag": (CLUSTER, "layout", {"image": "registry.example/l:1"}),
    "map without namespace": (CLUSTER, "layout", {"configMap": {"name": "layouts", "key": "root"}}),
    "no keys": (CLUSTER, "owners", {"keys": []}),
    "key without anything": (CLUSTER, "owners", {"keys": [{}]}),
    "threshold of none": (CLUSTER, "owners", {"keys": [{"pem": PEM}], "threshold": 0}),
    "threshold that cannot be met": (CLUSTER, "owners", {"keys": [{"pem": PEM}], "threshold": 2}),
    "owned by nobody": (CLUSTER, "owners", {}),
    "owned by a number": (CLUSTER, "owners", {"threshold": 1}),
    "no identities": (CLUSTER, "owners", {"identities": []}),
    "identity without an issuer": (CLUSTER, "owners", {"identities": [{"identity": "a"}]}),
    "issuer without an identity": (CLUSTER, "owners", {"identities": [{"issuer": "b"}]}),
    "empty identity": (CLUSTER, "owners", {"identities": [{"identity": "", "issuer": "b"}]}),
    "empty issuer": (CLUSTER, "owners", {"identities": [{"identity": "a", "issuer": ""}]}),
    "identity and expression": (
        CLUSTER,
        "owners",
        {"identities": [{"identity": "a", "identityMatching": "a", "issuer": "b"}]},
    ),
    "no claims": (CLUSTER, "owners", {"identities": [{"identity": "a", "issuer": "b", "claims": {}}]}),
    "empty claim": (
        CLUSTER,
        "owners",
        {"identities": [{"identity": "a", "issuer": "b", "claims": {"buildTrigger": ""}}]},
    ),
    "threshold beyond keys and identities": (
        CLUSTER,
        "owners",
        {"keys": [{"pem": PEM}], "identities": [{"identity": "a", "issuer": "b"}], "threshold": 3},
    ),
    "level by an identity without an issuer": (
        CLUSTER,
        "slsa",
        {"require": {"build": 1}, "identities": [{"identity": "a"}]},
    ),
    "level by identity and expression": (
        CLUSTER,
        "slsa",
        {"require": {"build": 1}, "identities": [{"identity": "a", "identityMatching": "a", "issuer": "b"}]},
    ),
    "no trust root": (CLUSTER, "trustedRoot", {}),
    "empty trust root": (CLUSTER, "trustedRoot", {"inline": ""}),
    "no timestamp authorities": (CLUSTER, "timestampAuthorities", []),
    "timestamp authority of nothing": (CLUSTER, "timestampAuthorities", [{}]),
    "no such mode": (CLUSTER, "mode", "enforced"),
    "mode in capitals": (CLUSTER, "mode", "Enforce"),
    "no such role": (CLUSTER, "roles", ["sidecar"]),
    "empty namespaces": (CLUSTER, "namespaces", []),
    "namespace in capitals": (CLUSTER, "namespaces", ["Prod"]),
    "empty evidence": (CLUSTER, "evidence", []),
    "evidence of two places": (CLUSTER, "evidence", [{"attached": True, "repository": "registry.example/e"}]),
    "evidence of no place": (CLUSTER, "evidence", [{}]),
    "evidence not attached": (CLUSTER, "evidence", [{"attached": False}]),
    "evidence by digest": (CLUSTER, "evidence", [{"repository": f"registry.example/e@{DIGEST}"}]),
    "parameter of two": (CLUSTER, "parameters", {"a": {"value": "x", "from": "image.hex"}}),
    "parameter of none": (CLUSTER, "parameters", {"a": {}}),
    "no such facet": (CLUSTER, "parameters", {"a": {"from": "image.tag"}}),
    "pattern of none": (CLUSTER, "parameterPatterns", {"a": {}}),
    "no such scope": (CLUSTER, "platformScope", "all"),
    "version zero": (CLUSTER, "minLayoutVersion", 0),
    "grace too long": (CLUSTER, "expiresGrace", "15d"),
    "grace in hours too long": (CLUSTER, "expiresGrace", "337h"),
    "grace without a unit": (CLUSTER, "expiresGrace", "7"),
    "no such answer to errors": (CLUSTER, "onRegistryError", "allow"),
    "strict as a word": (CLUSTER, "strict", "yes"),
    "delegated and judged": (CLUSTER, "delegate", True),
    "glass for everybody": (CLUSTER, "breakGlass", {"groups": ["system:authenticated"]}),
    "glass for nobody": (CLUSTER, "breakGlass", {"groups": []}),
    "kind without a place": (CLUSTER, "customKinds", [{"group": "a.example", "kind": "A"}]),
    "kind with empty places": (CLUSTER, "customKinds", [{"group": "a.example", "kind": "A", "images": []}]),
    "kind with a path that is none": (CLUSTER, "customKinds", [{"group": "a", "kind": "A", "images": ["spec"]}]),
    "exception without a digest": (EXCEPTION, "digest", None),
    "exception without a reason": (EXCEPTION, "reason", None),
    "exception with an empty reason": (EXCEPTION, "reason", ""),
    "exception without an owner": (EXCEPTION, "owner", None),
    "exception without an end": (EXCEPTION, "notAfter", None),
    "exception for a tag": (EXCEPTION, "digest", "registry.example/app:1"),
}
# Two fields at once, which only a rule can see.
BOTH: dict[str, Any] = {
    **CLUSTER,
    "spec": {**CLUSTER["spec"], "parameters": {"a": {"value": "x"}}, "parameterPatterns": {"a": {"value": "*"}}},
}


def changed(document: Mapping[str, Any], name: str, value: Any) -> dict[str, Any]:
    found = copy.deepcopy(dict(document))
    if value is None:
        del found["spec"][name]
    else:
        found["spec"][name] = value
    return found


ALL_BAD: Mapping[str, dict[str, Any]] = {name: changed(*entry) for name, entry in BAD.items()} | {
    "parameter in both": BOTH
}
