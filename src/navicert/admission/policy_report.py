"""PolicyReports: what an audit found, as objects that dashboards read, and their way into a cluster.

Spec: Kubernetes Policy Working Group, wgpolicyk8s.io/v1alpha2.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from navicert.admission.audit import Audit, Place
from navicert.admission.judgement import Standing
from navicert.admission.limits import ADMISSION
from navicert.admission.listing import UnknownKind, pages
from navicert.dataclass import dataclass
from navicert.errors import NavicertError, Unavailable
from navicert.report.line import cut
from navicert.timestamp import format_timestamp

if TYPE_CHECKING:
    from datetime import datetime

    from navicert.admission.cluster import Cluster, Object

REPORT_VERSION: Final = "wgpolicyk8s.io/v1alpha2"
"""The API of policy reports that dashboards read."""
NAME: Final = "navicert"
"""What every report of ours is called: one in each namespace, and one of the cluster."""
OWNED: Final = {"app.kubernetes.io/managed-by": "navicert"}
"""The label by which ours are told from those of others."""
LEFT_OUT: Final = "navicert.dev/left-out"
"""The annotation that says how many results a report does not have room for."""
_RESULTS: Final = {Standing.PASSED: "pass", Standing.FAILED: "fail", Standing.UNKNOWN: "error"}
_OUTCOMES: Final = ("pass", "fail", "warn", "error", "skip")
_API: Final = f"/apis/{REPORT_VERSION}"


def reports(found: Audit, at: datetime, most: int = ADMISSION.report_results) -> list[dict[str, object]]:
    """One PolicyReport for each namespace, and a ClusterPolicyReport for what is in none. `at` is the moment that was
    judged for. Each has at most `most` results, what would be refused first; its summary counts all."""
    spaces: dict[str, list[dict[str, object]]] = {}
    for place, cause in found.odd:
        spaces.setdefault(place.namespace, []).append(_result(place, "(none)", "object", "fail", cause, at))
    for finding in found.findings:
        outcome = "skip" if finding.waived else _RESULTS[finding.standing]
        policy = finding.policy or "(none)"
        for place in finding.places:
            one = _result(place, policy, finding.image, outcome, finding.cause or "passes", at)
            spaces.setdefault(place.namespace, []).append(one)
    return [_report(namespace, results, most) for namespace, results in sorted(spaces.items())]


def _result(place: Place, policy: str, rule: str, outcome: str, message: str, at: datetime) -> dict[str, object]:
    resource = {"apiVersion": place.version, "kind": place.kind, "name": place.name}
    return {
        "source": "navicert",
        "policy": policy,
        "rule": rule[:200],
        "result": outcome,
        "message": cut(message, 1000),
        "resources": [resource | ({"namespace": place.namespace} if place.namespace else {})],
        "timestamp": {"seconds": int(at.timestamp()), "nanos": 0},
        "properties": {"judged": format_timestamp(at)},
    }


def _report(namespace: str, results: list[dict[str, object]], most: int) -> dict[str, object]:
    left = max(0, len(results) - most)
    metadata: dict[str, object] = {"name": NAME, "labels": OWNED, "annotations": {LEFT_OUT: str(left)}}
    return {
        "apiVersion": REPORT_VERSION,
        "kind": "PolicyReport" if namespace else "ClusterPolicyReport",
        "metadata": metadata | ({"namespace": namespace} if namespace else {}),
        "summary": {name: sum(one["result"] == name for one in results) for name in _OUTCOMES},
        "results": results[:most],
    }


@dataclass(frozen=True, slots=True)
class Written:
    """What became of the reports of a cluster: how many stand there now, how many of former times were taken away,
    and why others could not be written."""

    written: int
    removed: int
    problems: tuple[str, ...]


def write_reports(cluster: Cluster, wanted: Iterable[Mapping[str, object]]) -> Written:
    """Make the reports in `cluster` those that are `wanted`. Those of ours that nothing is said in any more are taken
    away; those of others are never touched. Raises `UnknownKind` where the cluster knows no such reports, and
    `Unavailable` where it cannot be asked."""
    there = {path for kind in ("policyreports", "clusterpolicyreports") for path in _ours(cluster, kind)}
    written, problems = 0, []
    named = set()
    for one in wanted:
        folder = _folder(one)
        path = f"{folder}/{NAME}"
        named.add(path)
        try:
            if path in there:
                cluster.patch(path, {name: one[name] for name in ("metadata", "summary", "results")})
            elif cluster.create(folder, one) is None:
                continue  # its namespace has been taken away since its Pods were listed
            written += 1
        except NavicertError as error:
            problems.append(str(error))
    removed = 0
    for path in sorted(there - named):
        try:
            cluster.delete(path)
            removed += 1
        except NavicertError as error:
            problems.append(str(error))
    return Written(written, removed, tuple(problems))


def _ours(cluster: Cluster, plural: str) -> Iterator[str]:
    """The paths of our reports of one kind."""
    label, value = next(iter(OWNED.items()))
    query = f"labelSelector={label.replace('/', '%2F')}%3D{value}"
    try:
        for page in pages(cluster, f"{_API}/{plural}", query):
            for one in page.items:
                if _meta(one).get("name") == NAME:
                    yield f"{_folder(one, plural)}/{NAME}"
    except UnknownKind:
        remedy = "install the PolicyReport definitions of the Policy Working Group, or read the summary"
        raise UnknownKind(f"the cluster knows no {plural}", path=REPORT_VERSION, remedy=remedy) from None


def _folder(one: Mapping[str, object] | Object, plural: str = "") -> str:
    """The path of the list that a report is in."""
    if not plural:
        plural = "policyreports" if one.get("kind") == "PolicyReport" else "clusterpolicyreports"
    namespace = _meta(one).get("namespace")
    if plural == "clusterpolicyreports":
        return f"{_API}/{plural}"
    if not isinstance(namespace, str) or not namespace:
        raise Unavailable("a report without a namespace", path=f"{_API}/{plural}")
    return f"{_API}/namespaces/{namespace}/{plural}"


def _meta(one: Mapping[str, object]) -> Mapping[str, object]:
    metadata = one.get("metadata")
    return metadata if isinstance(metadata, Mapping) else {}
