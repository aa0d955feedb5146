"""Policies and exceptions that are objects of a cluster.

What cannot be understood never lets anything in, never keeps more out than whoever wrote it may, and changes nothing
about the others. A policy of a namespace then refuses every image of that namespace, and an exception grants nothing.
Of a policy of the cluster the version before stays in force; where none is known, as after a start, what it would match
is refused (`policy_stand_in.py`).
"""

from __future__ import annotations

from typing import Final

from navicert.admission.cluster import Cluster, Forbidden, Object
from navicert.admission.layout_map import LayoutMaps
from navicert.admission.limits import ADMISSION
from navicert.admission.listing import whole
from navicert.admission.policy import ExceptionDocument, PolicyDocument, PolicySet
from navicert.admission.policy_reader import ConfigMaps, Reading, read_document
from navicert.admission.policy_stand_in import cluster_stand_in, namespace_stand_in
from navicert.admission.policy_status import Observed
from navicert.admission.vocabulary import API_VERSION, CLUSTER_POLICY, EXCEPTION, PLURALS, POLICY
from navicert.authoring.node import of_json
from navicert.dataclass import replace
from navicert.errors import Malformed
from navicert.model.field import as_object
from navicert.report.line import cut, escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

_API: Final = f"/apis/{API_VERSION}"


def policy_lists(admin_namespace: str) -> tuple[str, str, str]:
    """Where the policies of the cluster, those of namespaces, and exceptions are."""
    exceptions = f"{_API}/namespaces/{admin_namespace}/{PLURALS[EXCEPTION]}"
    return f"{_API}/{PLURALS[CLUSTER_POLICY]}", f"{_API}/{PLURALS[POLICY]}", exceptions


class ClusterPolicies:
    """Reads all policies and exceptions of a cluster, as often as it is called. `admin_namespace` is where exceptions
    may be made; `pull_secrets` says whether those of workloads are read; `mirrors` has those of `policy_lists` that are
    followed instead of being read each time; `maps` gives the ConfigMaps that policies name. `notes` says what was
    passed over the last time."""

    def __init__(
        self,
        cluster: Cluster,
        admin_namespace: str,
        *,
        pull_secrets: bool = False,
        mirrors: Mapping[str, Callable[[], tuple[Object, ...]]] | None = None,
        maps: LayoutMaps | None = None,
    ) -> None:
        self._cluster = cluster
        self._mirrors = mirrors or {}
        self._maps = LayoutMaps(cluster) if maps is None else maps
        self._admin_namespace = admin_namespace
        self._pull_secrets = pull_secrets
        self._understood: Mapping[str, tuple[str, PolicyDocument]] = {}
        self.notes: tuple[str, ...] = ()

    def __call__(self) -> PolicySet:
        """What there is now. Raises `Unavailable` where the API server gives no answer."""
        notes: list[str] = []
        understood: dict[str, tuple[str, PolicyDocument]] = {}
        clusters, namespaces, exceptions = map(self._objects, policy_lists(self._admin_namespace))
        documents = [
            *(self._of_cluster(one, understood, notes) for one in clusters),
            *(self._of_namespace(one, notes) for one in namespaces),
            *self._exceptions(exceptions, notes),
        ]
        self._understood = understood
        self._maps.retain([place for one in (*clusters, *namespaces) if (place := _map_of(one)) is not None])
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

    def _of_cluster(
        self, one: Object, understood: dict[str, tuple[str, PolicyDocument]], notes: list[str]
    ) -> PolicyDocument | ExceptionDocument:
        """A policy of the cluster, or what is in force in its place. What was understood is kept by name, with the uid:
        one that was made anew has no version before."""
        _, name = _names(one)
        uid = _uid(one)
        try:
            found = self._read(one, CLUSTER_POLICY)
        except Malformed as error:
            reason = cut(escape(str(error)), 200)
            known, before = self._understood.get(name, ("", None))
            if before is not None and known == uid:
                notes.append(f"{reason}: the version before stays in force")
                understood[name] = (uid, before)
                return replace(before, behind=reason)
            notes.append(f"{reason}: what it would match is refused")
            return cluster_stand_in(of_json(one), name, _source(one, CLUSTER_POLICY), reason)
        if isinstance(found, PolicyDocument):
            understood[name] = (uid, found)
        return found

    def _of_namespace(self, one: Object, notes: list[str]) -> PolicyDocument | ExceptionDocument:
        try:
            return self._read(one, POLICY)
        except Malformed as error:
            namespace, name = _names(one)
            reason = cut(escape(str(error)), 200)
            notes.append(f"{reason}: every image of namespace {namespace} is refused")
            return namespace_stand_in(namespace, name, _source(one, POLICY), reason)

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
        place = _map_of(one)
        if place is None:
            return {}
        try:
            found = self._maps.get(*place)
        except Forbidden as error:
            # Of this policy only: else whoever names such a map would keep all others from being read.
            raise Malformed(
                f"the ConfigMap {'/'.join(place)} may not be read", remedy="configMaps: true of the chart"
            ) from error
        data = found.get("data") if found is not None else None
        if not isinstance(data, dict):
            return {}
        return {place: {key: text for key, text in data.items() if isinstance(text, str)}}

    def _objects(self, path: str) -> tuple[Object, ...]:
        """The objects of a list. Raises `Unavailable` where the API server does not know the kind."""
        if path in self._mirrors:
            return self._mirrors[path]()
        return whole(self._cluster, path, most=ADMISSION.policies).items


def _map_of(one: Mapping[str, object]) -> tuple[str, str] | None:
    """Namespace and name of the ConfigMap that a policy takes its layout from; None where it takes none, or one that it
    may not name."""
    spec = one.get("spec")
    layout = spec.get("layout") if isinstance(spec, dict) else None
    place = layout.get("configMap") if isinstance(layout, dict) else None
    if not isinstance(place, dict):
        return None
    own, _ = _names(one)
    namespace, name = place.get("namespace", own), place.get("name")
    if not _is_name(namespace) or not _is_name(name) or (own and namespace != own):
        return None
    return str(namespace), str(name)


def _names(one: Mapping[str, object]) -> tuple[str, str]:
    """Namespace (empty for none) and name of an object."""
    metadata = as_object(one.get("metadata") or {}, "/metadata")
    return str(metadata.get("namespace") or ""), str(metadata.get("name") or "")


def _uid(one: Mapping[str, object]) -> str:
    return str(as_object(one.get("metadata") or {}, "/metadata").get("uid") or "")


def _source(one: Mapping[str, object], kind: str) -> str:
    namespace, name = _names(one)
    return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"


def _is_name(text: object) -> bool:
    """Whether `text` may stand in a path of the API server."""
    return isinstance(text, str) and 0 < len(text) <= 253 and all(c.isalnum() or c in "-." for c in text)
