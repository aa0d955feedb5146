"""Policy documents read strictly: every field is known, and means something, or the document is refused.

A field that is ignored is a check that somebody relies on and nobody makes. The same reader serves files and objects of
a cluster; only files may name other files.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import Final

from navicert.admission.images import ROLES
from navicert.admission.levels import Levels
from navicert.admission.limits import ADMISSION, WEBHOOK
from navicert.admission.pattern import ImagePattern
from navicert.admission.policy import (
    EvidenceSource,
    ExceptionDocument,
    Facet,
    LayoutSource,
    Mode,
    PolicyDocument,
)
from navicert.admission.policy_clause import (
    custom_kind_of,
    grace_of,
    groups_of,
    parameter_of,
    pull_secrets_of,
    repository_of,
    revocations_of,
)
from navicert.admission.policy_field import (
    DOCUMENT,
    choice_of,
    flag_of,
    items_of,
    known_fields,
    line_of,
    metadata_of,
    names_of,
    namespaces_of,
    opened,
    parsed,
    read_file,
    some_of,
    value_of,
)
from navicert.admission.policy_trust import TrustReader
from navicert.admission.vocabulary import API_VERSION
from navicert.authoring.node import Node, Spot
from navicert.dataclass import dataclass, field
from navicert.digest import Digest
from navicert.errors import Malformed
from navicert.oci.reference import Reference
from navicert.slsa.expectation import Expectations, read_required
from navicert.timestamp import parse_timestamp

_SPEC: Final = (
    "mode images namespaces roles layout owners evidence parameters parameterPatterns targetStep platformScope strict"
    " minLayoutVersion revocations expiresGrace onRegistryError credentials slsa trustedRoot timestampAuthorities"
).split()
CLUSTER_SPEC: Final = (*_SPEC, "delegate", "breakGlass", "customKinds")

_PARAMETER: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SCOPES: Final = ("index", "every-platform", "either")

ConfigMaps = Mapping[tuple[str, str], Mapping[str, str]]
"""Namespace and name → the data of a ConfigMap."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What documents are read with: `folder` is that of the file they stand in, empty for objects of a cluster, which
    may name no files; `admin_namespace` is where exceptions may be made."""

    folder: str = ""
    admin_namespace: str = "navicert"
    config_maps: ConfigMaps = field(default_factory=dict)


def kind_of(root: Node, path: str) -> str:
    """The kind of a document. Raises `Malformed` for what states no kind or another version than is known."""
    spot = Spot(root, path)
    fields = spot.fields("a Kubernetes object")
    kind = fields["kind"].text() if "kind" in fields else ""
    version = fields["apiVersion"].text() if "apiVersion" in fields else ""
    expected = "v1" if kind == "ConfigMap" else API_VERSION
    if kind not in (*READERS, "ConfigMap") or version != expected:
        raise spot.wrong(
            "not a policy",
            expected=f"{API_VERSION} with one of the kinds {', '.join(READERS)}, or a v1 ConfigMap that they use",
            got=ascii(f"{version or 'no apiVersion'} {kind or 'no kind'}"[:100]),
        )
    return kind


def read_config_map(root: Node, path: str) -> tuple[tuple[str, str], dict[str, str]]:
    """Namespace and name, and the data, of a ConfigMap. Raises `Malformed`."""
    found = Spot(root, path).known(names_of((*DOCUMENT[:3], "data", "immutable")), "a ConfigMap")
    name, namespace = metadata_of(found, path, root)
    data = found.get("data")
    return (namespace, name), {} if data is None else {key: spot.text() for key, spot in data.fields("data").items()}


def read_document(root: Node, reading: Reading, *, path: str = "") -> PolicyDocument | ExceptionDocument:
    """The policy or exception in `root`. Raises `Malformed` with file, line and field for whatever is not understood
    entirely, and what reading a named file raises."""
    return READERS[kind_of(root, path)](root, reading, path)


# --- policies ------------------------------------------------------------------------------------------------------


def _cluster_policy(root: Node, reading: Reading, path: str) -> PolicyDocument:
    return _Policy(reading, path, cluster=True).read(root)


def _policy(root: Node, reading: Reading, path: str) -> PolicyDocument:
    return _Policy(reading, path, cluster=False).read(root)


class _Policy:
    def __init__(self, reading: Reading, path: str, *, cluster: bool) -> None:
        self._reading = reading
        self._path = path
        self._cluster = cluster
        self._trust = TrustReader(reading.folder, path)

    def read(self, root: Node) -> PolicyDocument:
        whole, name, namespace, spec = opened(root, self._path, status=True)
        if self._cluster and namespace:
            raise whole.wrong("a policy of the cluster is in no namespace", got=namespace)
        if not self._cluster and not namespace:
            raise whole.wrong("names no namespace", remedy="metadata.namespace; or kind: ClusterSupplyChainPolicy")
        found = known_fields(spec, CLUSTER_SPEC if self._cluster else _SPEC, "spec")
        delegate = flag_of(found.get("delegate"))
        self._check_delegate(spec, found, delegate=delegate)
        owners = self._trust.owners(found.get("owners"))
        parameters, patterns = self._parameters(found)
        minimum = found.get("minLayoutVersion")
        step = found.get("targetStep")
        return PolicyDocument(
            name,
            namespace,
            Mode(choice_of(found.get("mode"), tuple(mode.value for mode in Mode), "enforce")),
            tuple(parsed(spot, ImagePattern.parse) for spot in some_of(spec, found, "images")),
            self._path,
            namespaces_of(found),
            frozenset(choice_of(spot, ROLES, "") for spot in items_of(found.get("roles"))),
            delegate,
            self._layout(found.get("layout"), namespace),
            owners.keys,
            owners.origins,
            owners.threshold,
            self._evidence(found.get("evidence")),
            parameters,
            patterns,
            None if step is None else line_of(step),
            choice_of(found.get("platformScope"), _SCOPES, "either"),  # type: ignore[arg-type]  # one of _SCOPES
            flag_of(found.get("strict")),
            None if minimum is None else minimum.integer(1),
            revocations_of(found.get("revocations")),
            grace_of(found.get("expiresGrace")),
            choice_of(found.get("onRegistryError"), ("deny", "allowVerifiedBefore"), "deny") != "deny",
            pull_secrets_of(found.get("credentials")),
            groups_of(found.get("breakGlass")),
            tuple(custom_kind_of(spot) for spot in items_of(found.get("customKinds"))),
            self._levels(found.get("slsa")),
            bool(self._reading.folder),
            owners.identities,
            self._trust.trusted_root(found.get("trustedRoot")),
            self._trust.timestamp_authorities(found.get("timestampAuthorities")),
        )

    def _check_delegate(self, spec: Spot, found: Mapping[str, Spot], *, delegate: bool) -> None:
        judging = found.keys() - {"mode", "images", "namespaces", "roles", "delegate", "customKinds"}
        if delegate and judging:
            raise found[min(judging)].wrong(
                "a policy that leaves the judgement to the namespace judges nothing itself",
                remedy="remove this field, or delegate: true",
            )
        for name in ("layout", "owners"):
            if not delegate and name not in found:
                raise spec.wrong(f'required field "{name}" is missing')

    # --- the layout and whose it is ------------------------------------------------------------------------------

    def _layout(self, spot: Spot | None, namespace: str) -> LayoutSource:
        if spot is None:
            return LayoutSource()
        found = known_fields(spot, ("inline", "file", "configMap", "image", "attached"), "layout")
        if len(found) != 1:
            raise spot.wrong("exactly one place of the layout", expected="inline, file, configMap, image or attached")
        ((name, value),) = found.items()
        if name == "inline":
            return LayoutSource(value.text("a signed layout as text (inline: |)").encode(), f"{self._path}{spot.where}")
        if name == "file":
            path = self._trust.file(value)
            return LayoutSource(read_file(path, WEBHOOK.document_bytes), path, file=path)
        if name == "configMap":
            return self._config_map(value, namespace)
        if name == "image":
            reference = parsed(value, Reference.parse)
            if reference.digest is None:
                raise value.wrong("not pinned", expected="REPOSITORY@sha256:…: a tag may be moved to an older layout")
            return LayoutSource(image=reference)
        if not flag_of(value):
            raise value.wrong("says nothing", expected="attached: true")
        return LayoutSource()

    def _config_map(self, spot: Spot, namespace: str) -> LayoutSource:
        found = known_fields(spot, ("namespace", "name", "key"), "configMap")
        for name in ("name", "key"):
            if name not in found:
                raise spot.wrong(f'required field "{name}" is missing')
        where = line_of(found["namespace"]) if "namespace" in found else namespace
        if not where or (namespace and where != namespace):
            # Read with the rights of the webhook, it would show a namespace what another keeps.
            raise spot.wrong("names no namespace" if not where else "a ConfigMap of another namespace", got=where)
        name, key = line_of(found["name"]), line_of(found["key"])
        text = self._reading.config_maps.get((where, name), {}).get(key)
        if text is None:
            raise spot.wrong(f"there is no ConfigMap {where}/{name} with the key {key}")
        return LayoutSource(text.encode(), f"configmap:{where}/{name}/{key}")

    def _levels(self, spot: Spot | None) -> Levels | None:
        if spot is None:
            return None
        found = known_fields(spot, ("require", "expectations", "keys", "identities"), "slsa")
        if "require" not in found:
            raise spot.wrong('required field "require" is missing', remedy="require: {build: 3}")
        keys = tuple(self._trust.key(entry)[0] for entry in items_of(found.get("keys")))
        identities = self._trust.identities(items_of(found.get("identities")))
        require = found["require"]
        try:
            wanted = read_required(value_of(require.node), "")
        except Malformed as error:
            raise require.wrong(error.what, expected=error.expected, got=error.got) from error
        if not wanted:
            raise require.wrong("nothing is asked for", expected="a track and its level, such as build: 3")
        expected = found.get("expectations")
        if expected is None:
            return Levels(wanted, keys=keys, identities=identities)
        known = {id: key for key in keys for id in (*key.ids, key.fingerprint)}
        try:
            document = Expectations.from_json(
                value_of(expected.node), keys=known, origin=self._path, trusted="written in the policy"
            )
        except Malformed as error:
            raise expected.wrong(error.what, expected=error.expected, got=error.got, remedy=error.pointer) from error
        return Levels(wanted, document, keys, identities)

    # --- evidence and parameters ---------------------------------------------------------------------------------

    def _evidence(self, spot: Spot | None) -> tuple[EvidenceSource, ...]:
        if spot is None:
            return (EvidenceSource(),)
        sources = []
        for entry in items_of(spot):
            found = known_fields(entry, ("attached", "repository", "store"), "an evidence source")
            if len(found) != 1 or ("attached" in found and not flag_of(found["attached"])):
                raise entry.wrong("exactly one of attached: true, repository and store")
            if "repository" in found:
                sources.append(EvidenceSource(repository=parsed(found["repository"], repository_of)))
            elif "store" in found:
                sources.append(EvidenceSource(store=self._store(found["store"])))
            else:
                sources.append(EvidenceSource())
        if not sources:
            raise spot.wrong("an empty list", remedy="leave evidence out to look beside the image")
        return tuple(dict.fromkeys(sources))

    def _store(self, spot: Spot) -> str:
        from navicert.store.uri import scheme_of

        uri = spot.text("a store")
        if not self._reading.folder:
            raise spot.wrong("an object of the cluster names no stores", remedy="push the evidence to a registry")
        if scheme_of(uri) in ("", "dir", "sqlite", "pack"):
            scheme, rest = (scheme_of(uri), uri.partition(":")[2]) if scheme_of(uri) else ("dir", uri)
            uri = f"{scheme}:{os.path.join(self._reading.folder, rest)}"
        return uri

    def _parameters(self, found: Mapping[str, Spot]) -> tuple[dict[str, str | Facet], frozenset[str]]:
        values: dict[str, str | Facet] = {}
        patterns: set[str] = set()
        for field_name in ("parameters", "parameterPatterns"):
            spot = found.get(field_name)
            for name, entry in {} if spot is None else spot.fields(field_name).items():
                if len(values) >= ADMISSION.parameters:
                    most = f"at most {ADMISSION.parameters}"
                    raise entry.wrong("too many parameters (limit parameters)", expected=most)
                if not _PARAMETER.fullmatch(name) or name in values:
                    raise entry.wrong("not the name of a parameter, or given twice", got=ascii(name[:80]))
                values[name] = parameter_of(entry)
                if field_name == "parameterPatterns":
                    patterns.add(name)
        return values, frozenset(patterns)


# --- exceptions ----------------------------------------------------------------------------------------------------


def _exception(root: Node, reading: Reading, path: str) -> ExceptionDocument:
    whole, name, namespace, spec = opened(root, path)
    if namespace != reading.admin_namespace:
        raise whole.wrong(
            "exceptions are made in the namespace of the administrators only",
            expected=reading.admin_namespace,
            got=namespace or "no namespace",
        )
    found = known_fields(spec, ("digest", "reason", "owner", "notAfter", "namespaces"), "spec")
    for one in ("digest", "reason", "owner", "notAfter"):
        if one not in found:
            raise spec.wrong(f'required field "{one}" is missing')
    digest = parsed(found["digest"], Digest.parse)
    if digest.algorithm not in ("sha256", "sha512"):
        raise found["digest"].wrong("not the digest of an image", expected="sha256:… or sha512:…")
    return ExceptionDocument(
        name,
        namespace,
        digest,
        line_of(found["reason"]),
        line_of(found["owner"]),
        parsed(found["notAfter"], parse_timestamp),
        namespaces_of(found),
        path,
    )


READERS: Final[Mapping[str, Callable[[Node, Reading, str], PolicyDocument | ExceptionDocument]]] = {
    "ClusterSupplyChainPolicy": _cluster_policy,
    "SupplyChainPolicy": _policy,
    "SupplyChainException": _exception,
}
"""The kinds of documents, and what reads each."""
