"""CustomResourceDefinitions of our policies: the schema of each, with rules in CEL for what a schema cannot say.

API servers older than 1.25 drop the rules, so each holds in the loader too (`policy_reader.py`), which is what
decides. Fields that the schema does not know are kept and not pruned: the loader refuses a document with one, where an
API server would drop a misspelt restriction with a warning that nobody who writes by GitOps sees.
"""

from __future__ import annotations

from navicert.admission.images import ROLES
from navicert.admission.limits import ADMISSION, WEBHOOK
from navicert.admission.policy import Facet, Mode
from navicert.admission.policy_trust import MOST_AUTHORITIES
from navicert.admission.vocabulary import CLUSTER_POLICY, EXCEPTION, GROUP, PLURALS, POLICY, VERSION
from navicert.slsa.expectation import TRACKS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

Schema = dict[str, object]

EVERYBODY: Final = ("system:authenticated", "system:serviceaccounts", "system:unauthenticated", "*")
_LINE: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": 500}
_FLAG: Final[Schema] = {"type": "boolean"}
_DIGEST = "sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}"
_NAMESPACE = "^[a-z0-9*]([a-z0-9*-]{0,61}[a-z0-9*])?$"
_NAME = "^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$"
# Fourteen days, as words: a schema cannot count.
_GRACE = "^(([0-9]|1[0-4])d|([0-9]{1,2}|[12][0-9]{2}|3[0-2][0-9]|33[0-6])h)$"


def definitions() -> list[Mapping[str, object]]:
    """The definitions of all our kinds."""
    return [
        _definition(CLUSTER_POLICY, "Cluster", _policy(cluster=True), _POLICY_COLUMNS, status=True),
        _definition(POLICY, "Namespaced", _policy(cluster=False), _POLICY_COLUMNS, status=True),
        _definition(EXCEPTION, "Namespaced", _exception(), _EXCEPTION_COLUMNS, status=False),
    ]


def _column(name: str, path: str, kind: str = "string") -> Schema:
    return {"name": name, "type": kind, "jsonPath": path}


_POLICY_COLUMNS = [
    _column("Mode", ".spec.mode"),
    _column("Ready", '.status.conditions[?(@.type=="Ready")].status'),
    _column("Images", ".spec.images"),
    _column("Age", ".metadata.creationTimestamp", "date"),
]
_EXCEPTION_COLUMNS = [
    _column("Digest", ".spec.digest"),
    _column("Owner", ".spec.owner"),
    _column("Until", ".spec.notAfter"),
    _column("Reason", ".spec.reason"),
]


def _definition(kind: str, scope: str, spec: Schema, columns: list[Schema], *, status: bool) -> Mapping[str, object]:
    plural = PLURALS[kind]
    properties: Schema = {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"type": "object"},
        "spec": spec,
    }
    version: Schema = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "additionalPrinterColumns": columns,
        "schema": {"openAPIV3Schema": {"type": "object", "required": ["spec"], "properties": properties}},
    }
    if status:
        properties["status"] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        version["subresources"] = {"status": {}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}", "labels": {"app.kubernetes.io/name": "navicert"}},
        "spec": {
            "group": GROUP,
            "scope": scope,
            "names": {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": kind.lower()},
            "versions": [version],
        },
    }


def _policy(*, cluster: bool) -> Schema:
    properties: dict[str, Schema] = {
        "mode": {"type": "string", "enum": [mode.value for mode in Mode]},
        "images": _some({"type": "string", "minLength": 1, "maxLength": 512, "pattern": "^[A-Za-z0-9.:_/*-]+$"}),
        "namespaces": _some({"type": "string", "pattern": _NAMESPACE}),
        "roles": _list({"type": "string", "enum": list(ROLES)}),
        "layout": _layout(cluster=cluster),
        "owners": _owners(),
        "evidence": _some(_evidence(), most=64),
        "parameters": _parameters(),
        "parameterPatterns": _parameters(),
        "targetStep": _LINE,
        "platformScope": {"type": "string", "enum": ["index", "every-platform", "either"]},
        "strict": _FLAG,
        "minLayoutVersion": {"type": "integer", "minimum": 1},
        "revocations": _object(
            {
                "digests": _list({"type": "string", "maxLength": 500}),
                "keys": _list({"type": "string", "maxLength": 500}),
                "identities": _list({"type": "string", "maxLength": 500}),
            }
        ),
        "expiresGrace": {"type": "string", "pattern": _GRACE},
        "onRegistryError": {"type": "string", "enum": ["deny", "allowVerifiedBefore"]},
        "credentials": _object({"imagePullSecrets": _FLAG}),
        "slsa": _levels(),
        "trustedRoot": _trusted_root(),
        "timestampAuthorities": _some(
            _object({"pem": {"type": "string", "minLength": 1, "maxLength": WEBHOOK.key_bytes}}, ["pem"]),
            most=MOST_AUTHORITIES,
        ),
    }
    rules = [
        _rule(
            "!has(self.parameters) || !has(self.parameterPatterns) || "
            "self.parameters.all(name, !(name in self.parameterPatterns))",
            "a parameter is given in parameters and in parameterPatterns",
        )
    ]
    if not cluster:
        return _object(properties, ["images", "layout", "owners"], rules)
    properties |= {
        "delegate": _FLAG,
        "breakGlass": _object(
            {"groups": _some(_LINE, most=100)},
            ["groups"],
            [_rule(f"!self.groups.exists(group, group in {list(EVERYBODY)})", "a group that everybody is in")],
        ),
        "customKinds": _list(_custom_kind(), most=100),
    }
    judging = sorted(properties.keys() - {"mode", "images", "namespaces", "roles", "delegate", "customKinds"})
    given = " || ".join(f"has(self.{name})" for name in judging)
    delegated = "(has(self.delegate) && self.delegate)"
    rules += [
        _rule(f"{delegated} || (has(self.layout) && has(self.owners))", "layout and owners are required"),
        _rule(
            f"!{delegated} || !({given})",
            "a policy that leaves the judgement to the namespace (delegate) judges nothing itself",
        ),
    ]
    return _object(properties, ["images"], rules)


def _layout(*, cluster: bool) -> Schema:
    # The policy of a namespace may name its own only, which the loader sees to: a rule cannot see the namespace.
    name: Schema = {"type": "string", "pattern": _NAME}
    place: dict[str, Schema] = {"name": name, "namespace": name, "key": _LINE}
    return _object(
        {
            "inline": {"type": "string", "minLength": 1, "maxLength": 1_000_000},
            "configMap": _object(place, ["name", "key", "namespace"] if cluster else ["name", "key"]),
            "image": {"type": "string", "maxLength": 1000, "pattern": f"@({_DIGEST})$"},
            "attached": {"type": "boolean", "enum": [True]},
        },
        rules=[_one_of("inline", "configMap", "image", "attached")],
    )


def _owners() -> Schema:
    key = _object({"pem": {"type": "string", "minLength": 1, "maxLength": WEBHOOK.key_bytes}}, ["pem"])
    keys, identities = "(has(self.keys) ? size(self.keys) : 0)", "(has(self.identities) ? size(self.identities) : 0)"
    return _object(
        {
            "keys": _some(key, most=100),
            "identities": _some(_identity(), most=100),
            "threshold": {"type": "integer", "minimum": 1},
        },
        rules=[
            _rule("has(self.keys) || has(self.identities)", "nobody owns the layout: keys, identities, or both"),
            _rule(
                f"!has(self.threshold) || self.threshold <= {keys} + {identities}",
                "threshold: more than there are owners",
            ),
        ],
    )


def _identity() -> Schema:
    text: Schema = {"type": "string", "minLength": 1, "maxLength": 4096}
    claims: Schema = {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 32,
        "additionalProperties": text,
    }
    fields = {"identity": text, "identityMatching": text, "issuer": text, "claims": claims, "claimsMatching": claims}
    return _object(fields, ["issuer"], [_one_of("identity", "identityMatching")])


def _trusted_root() -> Schema:
    return _object({"inline": {"type": "string", "minLength": 1, "maxLength": 1_000_000}}, ["inline"])


def _levels() -> Schema:
    level: Schema = {"type": "integer", "minimum": 1, "maximum": 4}
    key = _object({"pem": {"type": "string", "minLength": 1, "maxLength": WEBHOOK.key_bytes}}, ["pem"])
    return _object(
        {
            "require": {
                "type": "object",
                "minProperties": 1,
                "properties": dict.fromkeys(TRACKS, level),
                "x-kubernetes-preserve-unknown-fields": True,
            },
            # A document of its own, which the loader reads.
            "expectations": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
            "keys": _list(key, most=100),
            "identities": _list(_identity(), most=100),
        },
        ["require"],
    )


def _evidence() -> Schema:
    return _object(
        {
            "attached": {"type": "boolean", "enum": [True]},
            "repository": {"type": "string", "minLength": 1, "maxLength": 500, "pattern": "^[^@]+$"},
        },
        rules=[_one_of("attached", "repository")],
    )


def _parameters() -> Schema:
    facets = [facet.value for facet in Facet]
    value = _object(
        {
            "value": {"type": "string", "maxLength": ADMISSION.parameter_characters},
            "from": {"type": "string", "enum": facets},
        },
        rules=[_one_of("value", "from")],
    )
    return {"type": "object", "maxProperties": ADMISSION.parameters, "additionalProperties": value}


def _custom_kind() -> Schema:
    path = {"type": "string", "minLength": 1, "maxLength": 500, "pattern": "^\\$"}
    return _object(
        {
            "group": _LINE,
            "kind": _LINE,
            "podSpecs": _list(path, most=100),
            "images": _list(path, most=100),
        },
        ["group", "kind"],
        [
            _rule(
                "(has(self.podSpecs) && size(self.podSpecs) > 0) || (has(self.images) && size(self.images) > 0)",
                "names no place of an image: podSpecs or images",
            )
        ],
    )


def _exception() -> Schema:
    return _object(
        {
            "digest": {"type": "string", "pattern": f"^({_DIGEST})$"},
            "reason": _LINE,
            "owner": _LINE,
            "notAfter": {"type": "string", "format": "date-time"},
            "namespaces": _some({"type": "string", "pattern": _NAMESPACE}),
        },
        ["digest", "reason", "owner", "notAfter"],
    )


def _object(
    properties: dict[str, Schema], required: list[str] | None = None, rules: list[Schema] | None = None
) -> Schema:
    found: Schema = {"type": "object", "properties": properties, "x-kubernetes-preserve-unknown-fields": True}
    if required:
        found["required"] = required
    if rules:
        found["x-kubernetes-validations"] = rules
    return found


def _list(items: Schema, *, most: int = ADMISSION.patterns) -> Schema:
    return {"type": "array", "maxItems": most, "items": items}


def _some(items: Schema, *, most: int = ADMISSION.patterns) -> Schema:
    return {"type": "array", "minItems": 1, "maxItems": most, "items": items}


def _rule(rule: str, message: str) -> Schema:
    return {"rule": rule, "message": message}


def _one_of(*names: str) -> Schema:
    listed = ", ".join(f"has(self.{name})" for name in names)
    return _rule(f"[{listed}].filter(given, given).size() == 1", f"exactly one of {', '.join(names)}")
