"""PolicyReports: what they say of an audit, and how those of a cluster are kept in step with it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.unit.admission.memory_cluster import MemoryCluster

from navicert.admission.audit import Audit, Finding, Place
from navicert.admission.judgement import Standing
from navicert.admission.listing import UnknownKind
from navicert.admission.policy_report import LEFT_OUT, reports, write_reports
from navicert.errors import Unavailable

API = "/apis/wgpolicyk8s.io/v1alpha2"
AT = datetime(2026, 6, 1, tzinfo=UTC)


def place(name: str, namespace: str = "shop") -> Place:
    return Place("Pod", "v1", namespace, name)


def finding(standing: Standing, *places: Place, waived: bool = False) -> Finding:
    return Finding("r.example/app@sha256:" + "a" * 64, "all", standing, "target.bound: no", waived, list(places))


class Reports(MemoryCluster):
    """A cluster that knows reports, and gives lists of what it holds."""

    def get(self, path: str) -> Any:
        folder, _, query = path.partition("?")
        if not query:
            return super().get(path)
        plural = folder.rpartition("/")[2]
        if not folder.startswith(API):
            return None
        assert "labelSelector=app.kubernetes.io%2Fmanaged-by%3Dnavicert" in query
        items = [one for place, one in self.objects.items() if place.split("/")[-2] == plural and _ours(one)]
        return {"items": items, "metadata": {}}


def _ours(one: Mapping[str, Any]) -> bool:
    return bool((one["metadata"].get("labels") or {}).get("app.kubernetes.io/managed-by") == "navicert")


def path_of(namespace: str) -> str:
    return f"{API}/namespaces/{namespace}/policyreports/navicert"


def test_a_report_says_what_came_out_for_each_object() -> None:
    bad = finding(Standing.FAILED, place("a"), place("b", "pay"))
    unknown, good = finding(Standing.UNKNOWN, place("c")), finding(Standing.PASSED, place("d"))
    waived = finding(Standing.FAILED, place("e"), waived=True)
    found = reports(Audit(5, (bad, unknown, good, waived)), AT)
    shop = next(one for one in found if one["metadata"]["namespace"] == "shop")  # type: ignore[index]
    assert [one["result"] for one in shop["results"]] == ["fail", "error", "pass", "skip"]  # type: ignore[attr-defined]
    assert shop["summary"] == {"pass": 1, "fail": 1, "warn": 0, "error": 1, "skip": 1}


def test_an_object_that_cannot_be_judged_is_a_failure_in_its_report_and_not_left_out() -> None:
    (one,) = reports(Audit(1, (), ((place("odd"), "spec/containers: not a list"),)), AT)
    assert one["summary"]["fail"] == 1  # type: ignore[index]
    assert one["results"][0]["message"] == "spec/containers: not a list"  # type: ignore[index]


def test_a_report_is_bounded_and_counts_what_it_leaves_out() -> None:
    many = finding(Standing.FAILED, *(place(str(i)) for i in range(5)))
    (one,) = reports(Audit(5, (many,)), AT, most=2)
    assert len(one["results"]) == 2  # type: ignore[arg-type]
    assert one["summary"]["fail"] == 5  # type: ignore[index]
    assert one["metadata"]["annotations"][LEFT_OUT] == "3"  # type: ignore[index]


def test_reports_are_made_changed_and_taken_away_as_what_runs_changes() -> None:
    cluster = Reports({})
    first = Audit(2, (finding(Standing.FAILED, place("a"), place("b", "pay")),))
    assert write_reports(cluster, reports(first, AT)).written == 2
    second = Audit(1, (finding(Standing.PASSED, place("a")),))
    done = write_reports(cluster, reports(second, AT))
    assert (done.written, done.removed, done.problems) == (1, 1, ())
    assert list(cluster.objects) == [path_of("shop")]
    assert [one["result"] for one in cluster.objects[path_of("shop")]["results"]] == ["pass"]  # type: ignore[attr-defined]


def test_reports_of_others_are_never_touched() -> None:
    theirs: Any = {"kind": "PolicyReport", "metadata": {"name": "navicert", "namespace": "shop"}, "results": ["theirs"]}
    other: Any = {"kind": "PolicyReport", "metadata": {"name": "kyverno", "namespace": "pay"}, "results": []}
    cluster = Reports({path_of("shop"): theirs, f"{API}/namespaces/pay/policyreports/kyverno": other})
    done = write_reports(cluster, reports(Audit(1, (finding(Standing.FAILED, place("a")),)), AT))
    assert (done.written, done.removed) == (0, 0)
    assert len(done.problems) == 1
    assert cluster.objects[path_of("shop")]["results"] == ["theirs"]
    assert len(cluster.objects) == 2


def test_one_report_that_cannot_be_written_does_not_keep_the_others_from_it() -> None:
    class Full(Reports):
        def create(self, path: str, one: Mapping[str, object]) -> Any:
            if "/pay/" in path:
                raise Unavailable("exceeded quota", path=path)
            return super().create(path, one)

    done = write_reports(Full({}), reports(Audit(1, (finding(Standing.FAILED, place("a"), place("b", "pay")),)), AT))
    assert done.written == 1
    assert "exceeded quota" in done.problems[0]


def test_a_namespace_that_is_gone_meanwhile_needs_no_report() -> None:
    class Gone(Reports):
        def create(self, path: str, one: Mapping[str, object]) -> Any:
            return None

    done = write_reports(Gone({}), reports(Audit(1, (finding(Standing.FAILED, place("a")),)), AT))
    assert (done.written, done.problems) == (0, ())


def test_a_cluster_without_the_definition_says_what_to_install() -> None:
    with pytest.raises(UnknownKind, match="knows no policyreports – install the PolicyReport definitions"):
        write_reports(MemoryCluster({}), [])
