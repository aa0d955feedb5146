"""Policies and exceptions that are objects of a cluster.

What cannot be understood never lets anything in, and never keeps more out than whoever wrote it may: a policy of a
namespace then refuses every image of that namespace, an exception grants nothing, and a policy of the cluster leaves
all that was in force before as it was (`PolicyWatch`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from navicert.admission.cluster import Cluster, Object
from navicert.admission.listing import whole
from navicert.admission.pattern import ImagePattern
from navicert.admission.policy import ExceptionDocument, LayoutSource, Mode, PolicyDocument, PolicySet
from navicert.admission.policy_reader import ConfigMaps, Reading, read_document
from navicert.admission.policy_status import Observed
from navicert.admission.vocabulary import API_VERSION, CLUSTER_POLICY, EXCEPTION, PLURALS, POLICY
from navicert.authoring.node import of_json
from navicert.errors import Malformed
from navicert.limits import ADMISSION
from navicert.model.field import as_object
from navicert.report.line import cut, escape

_API: Final = f"/apis/{API_VERSION}"


def policy_lists(admin_namespace: str) -> tuple[str, str, str]:
    """Where the policies of the cluster, those of namespaces, and exceptions are."""
    exceptions = f"{_API}/namespaces/{admin_namespace}/{PLURALS[EXCEPTION]}"
    return f"{_API}/{PLURALS[CLUSTER_POLICY]}", f"{_API}/{PLURALS[POLICY]}", exceptions


class ClusterPolicies:
    """Reads all policies and exceptions of a cluster, as often as it is called. `admin_namespace` is where exceptions
    may be made; `pull_secrets` says whether those of workloads are read; `mirrors` has those of `policy_lists` that are
    followed instead of being read each time. `notes` says what was passed over the last time."""

    def __init__(
        self,
        cluster: Cluster,
        admin_namespace: str,
        *,
        pull_secrets: bool = False,
        mirrors: Mapping[str, Callable[[], tuple[Object, ...]]] | None = None,
    ) -> None:
        self._cluster = cluster
        self._mirrors = mirrors or {}
        self._admin_namespace = admin_namespace
        self._pull_secrets = pull_secrets
        self.notes: tuple[str, ...] = ()

    def __call__(self) -> PolicySet:
        """What there is now. Raises `Malformed` for a policy of the cluster that cannot be understood, `Unavailable`
        where the API server gives no answer."""
        notes: list[str] = []
        clusters, namespaces, exceptions = map(self._objects, policy_lists(self._admin_namespace))
        documents = [
            *(self._read(one, CLUSTER_POLICY) for one in clusters),
            *(self._of_namespace(one, notes) for one in namespaces),
            *self._exceptions(exceptions, notes),
        ]
        self.notes = tuple(notes)
        return PolicySet.of(documents)

    def observed(self) -> Iterator[Observed]:
        """Every policy as it is in the cluster, with what was read of it or why it could not be. Raises `Unavailable`
        where the API server gives no answer."""
        clusters, namespaces, _ = policy_lists(self._admin_namespace)
        for path, kind in ((clusters, CLUSTER_POLICY), (namespaces, POLICY)):
            for one in self._objects(path):
                namespace, name = _names(one)
                folder = f"{_API}/namespaces/{namespace}/{PLURALS[kind]}" if namespace else path
                try:
                    found = self._read(one, kind)
                except Malformed as error:
                    yield Observed(f"{folder}/{name}", one, error)
                else:
                    if isinstance(found, PolicyDocument):
                        yield Observed(f"{folder}/{name}", one, found)

    def _of_namespace(self, one: Object, notes: list[str]) -> PolicyDocument | ExceptionDocument:
        try:
            return self._read(one, POLICY)
        except Malformed as error:
            namespace, name = _names(one)
            reason = cut(escape(str(error)), 200)
            notes.append(f"{reason}: every image of namespace {namespace} is refused")
            everything = (ImagePattern.parse("**"),)
            # Nothing is a layout: judged by this one, nothing passes, and the reason is the one that is given here.
            nothing = LayoutSource(b"", reason)
            return PolicyDocument(name, namespace, Mode.ENFORCE, everything, _source(one, POLICY), layout=nothing)

    def _exceptions(self, found: Iterable[Object], notes: list[str]) -> Iterator[PolicyDocument | ExceptionDocument]:
        for one in found:
            try:
                yield self._read(one, EXCEPTION)
            except Malformed as error:
                notes.append(f"{cut(escape(str(error)), 200)}: it grants nothing")

    def _read(self, one: Object, kind: str) -> PolicyDocument | ExceptionDocument:
        source = _source(one, kind)
        # The API server leaves out of a list's entries what all of them have in common.
        whole = {**one, "apiVersion": API_VERSION, "kind": kind}
        reading = Reading(admin_namespace=self._admin_namespace, config_maps=self._config_maps(one))
        document = read_document(of_json(whole), reading, path=source)
        if isinstance(document, PolicyDocument) and document.pull_secrets and not self._pull_secrets:
            raise Malformed(
                "pull secrets of workloads are not read here",
                path=source,
                pointer="/spec/credentials/imagePullSecrets",
                remedy="remove it, or let the webhook read them: --pull-secrets cluster",
            )
        return document

    def _config_maps(self, one: Object) -> ConfigMaps:
        """The ConfigMap that the policy takes its layout from, if it does. Whether it may is not decided here."""
        spec = one.get("spec")
        layout = spec.get("layout") if isinstance(spec, dict) else None
        place = layout.get("configMap") if isinstance(layout, dict) else None
        if not isinstance(place, dict):
            return {}
        own, _ = _names(one)
        namespace, name = place.get("namespace", own), place.get("name")
        if not _is_name(namespace) or not _is_name(name) or (own and namespace != own):
            return {}
        found = self._cluster.get(f"/api/v1/namespaces/{namespace}/configmaps/{name}")
        data = found.get("data") if found is not None else None
        if not isinstance(data, dict):
            return {}
        return {(str(namespace), str(name)): {key: text for key, text in data.items() if isinstance(text, str)}}

    def _objects(self, path: str) -> tuple[Object, ...]:
        """The objects of a list. Raises `Unavailable` where the API server does not know the kind."""
        if path in self._mirrors:
            return self._mirrors[path]()
        return whole(self._cluster, path, most=ADMISSION.policies).items


def _names(one: Mapping[str, object]) -> tuple[str, str]:
    """Namespace (empty for none) and name of an object."""
    metadata = as_object(one.get("metadata") or {}, "/metadata")
    return str(metadata.get("namespace") or ""), str(metadata.get("name") or "")


def _source(one: Mapping[str, object], kind: str) -> str:
    namespace, name = _names(one)
    return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"


def _is_name(text: object) -> bool:
    """Whether `text` may stand in a path of the API server."""
    return isinstance(text, str) and 0 < len(text) <= 253 and all(c.isalnum() or c in "-." for c in text)
