"""Everything that is installed, by the file of the chart that it is in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from navicert.admission.deployment.authority import authorities
from navicert.admission.deployment.companion import companions
from navicert.admission.deployment.hook import hooks
from navicert.admission.deployment.keeper import keeper, uninstallation
from navicert.admission.deployment.node import Release, resolve
from navicert.admission.deployment.scan import scan
from navicert.admission.deployment.value import check
from navicert.admission.deployment.workload import workload


def parts() -> Mapping[str, list[object]]:
    """The trees of all objects. Those of `uninstall` are for Helm only: applied, they would disarm at once."""
    return {
        "certificates": authorities(),
        "companions": companions(),
        "hooks": hooks(),
        "keeper": keeper(),
        "scan": scan(),
        "uninstall": uninstallation(),
        "webhook": workload(),
    }


def manifests(values: Mapping[str, object], release: Release) -> list[Mapping[str, object]]:
    """The objects of an installation with `values`, those first that others need; the definitions of our kinds are not
    among them. Raises `Malformed`."""
    check(values, path="values")
    found = [one for name, trees in parts().items() if name != "uninstall" for one in _filled(trees, values, release)]
    return sorted(found, key=_rank)


# What is made first. Whatever is not named comes last, as it does with Helm.
_ORDER = (
    "NetworkPolicy", "PodDisruptionBudget", "ServiceAccount", "Secret", "ConfigMap", "ClusterRole",
    "ClusterRoleBinding", "Role", "RoleBinding", "Issuer", "Certificate", "Service", "Deployment", "Job", "CronJob",
)  # fmt: skip


def _rank(one: Mapping[str, object]) -> int:
    kind = str(one["kind"])
    return _ORDER.index(kind) if kind in _ORDER else len(_ORDER)


def _filled(trees: Iterable[object], values: Mapping[str, object], release: Release) -> Iterator[Mapping[str, object]]:
    for tree in trees:
        one = resolve(tree, values, release)
        yield from (found for found in (one if isinstance(one, list) else [one]) if isinstance(found, Mapping))
