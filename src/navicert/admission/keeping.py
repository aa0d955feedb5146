"""One round of what an installation needs from time to time: certificates renewed, configurations as they should be.

Run by a schedule, by several at once, by hand: each round does what is left to do and nothing twice.
"""

from __future__ import annotations

from navicert.admission import arming
from navicert.admission.cluster import Cluster, Object
from navicert.dataclass import dataclass
from navicert.errors import Malformed, Unavailable
from navicert.model.field import as_object, as_text, required

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

CONFIGURATIONS = "navicert-configurations"
DEPLOYMENT = "navicert-webhook"
SECRET = "navicert-webhook-tls"


@dataclass(frozen=True, slots=True)
class Installation:
    """What is kept: where, for which Service, by whose certificates (`ours`, or those of cert-manager), and how the
    configurations should be."""

    namespace: str
    service: str
    ours: bool
    wanted: tuple[arming.Wanted, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names by which an API server calls the Service."""
        whole = f"{self.service}.{self.namespace}.svc"
        return (whole, f"{whole}.cluster.local")


@dataclass(frozen=True, slots=True)
class Round:
    """What a round did, in words, and whether something waits for a replica to be ready."""

    done: tuple[str, ...]
    waiting: bool


def keep_round(cluster: Cluster, installation: Installation, at: datetime) -> Round:
    """Do what is to be done at the moment `at`. Raises `Unavailable`, `Conflict` among it: then begin again."""
    live = [(one, found) for one in installation.wanted if (found := cluster.get(one.path)) is not None]
    done = [
        f"{one.kind} {one.name}: is not there"
        for one in installation.wanted
        if one.webhooks is not None and all(one is not known for known, _ in live)
    ]
    bundle, notes = (_own if installation.ours else _foreign)(cluster, installation, live, at)
    done += notes
    ready = is_ready(cluster, installation.namespace)
    waiting = False
    for one, found in live:
        said = arming.keep(cluster, one, found, bundle, ready=ready)
        if said is not None:
            done.append(f"{one.kind} {one.name}: {said}")
            waiting = waiting or not (ready or arming.webhooks(found))
    return Round(tuple(done), waiting)


def current_bundle(cluster: Cluster, namespace: str) -> bytes:
    """The authorities of the installation in `namespace`, in PEM. Raises `Unavailable` where it has none yet."""
    from navicert.admission.rotation import read_holding

    bundle = read_holding(_data(_secret(cluster, namespace))).bundle
    if not bundle:
        raise Unavailable("no certificates have been made yet", path=f"Secret {namespace}/{SECRET}")
    return bundle


def is_ready(cluster: Cluster, namespace: str) -> bool:
    """Whether a replica of the webhook says that it is ready."""
    found = cluster.get(f"/apis/apps/v1/namespaces/{namespace}/deployments/{DEPLOYMENT}")
    status = found.get("status") if found is not None else None
    count = status.get("readyReplicas") if isinstance(status, dict) else None
    return isinstance(count, int) and count > 0


Live = list[tuple[arming.Wanted, Object]]


def _own(cluster: Cluster, installation: Installation, live: Live, at: datetime) -> tuple[bytes, list[str]]:
    """The bundle after one step of renewal, which is written before anything shows it."""
    from navicert.admission.rotation import certificates, read_holding, renewed, secret_data

    secret = _secret(cluster, installation.namespace)
    held = read_holding(_data(secret))
    published = held.newest is None or all(held.newest in certificates(bundle) for bundle in _bundles(live))
    holding, notes = renewed(held, installation.names, at, published=published)
    if holding is not held:
        metadata = as_object(required(secret, "metadata", ""), "/metadata")
        version = as_text(required(metadata, "resourceVersion", "/metadata"), "/metadata/resourceVersion")
        change = {"metadata": {"resourceVersion": version}, "data": secret_data(holding)}
        cluster.patch(_secret_path(installation.namespace), change)
    return holding.bundle, notes


def _foreign(cluster: Cluster, installation: Installation, live: Live, at: datetime) -> tuple[bytes, list[str]]:
    """The bundle of what cert-manager holds, and of what it replaces in the configurations."""
    from navicert.admission.rotation import read_holding, united

    held = read_holding(_data(_secret(cluster, installation.namespace)))
    try:
        return united(b"".join(_bundles(live)), held.bundle, at), []
    except Malformed as error:
        raise Unavailable(
            f"cert-manager has made no certificate yet: {error.what}",
            path=f"Secret {installation.namespace}/{SECRET}",
            remedy="see kubectl describe certificate",
        ) from error


def _bundles(live: Live) -> Iterator[bytes]:
    for _, found in live:
        yield from arming.bundles(found)


def _secret_path(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/secrets/{SECRET}"


def _secret(cluster: Cluster, namespace: str) -> Object:
    found = cluster.get(_secret_path(namespace))
    if found is None:
        raise Unavailable("there is no such Secret", path=f"{namespace}/{SECRET}", remedy="install the chart first")
    return found


def _data(secret: Object) -> Object:
    value = secret.get("data")
    return {} if value is None else as_object(value, "/data")
