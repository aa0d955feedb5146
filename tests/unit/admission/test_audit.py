"""What already runs, judged by the digests that run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.admission_world import World, pod, world
from tests.unit.admission.memory_cluster import MemoryCluster
from tests.unit.admission.test_policy_report import Reports, path_of

from navicert.admission import cluster as clusters
from navicert.admission.audit import as_it_runs
from navicert.admission.running import pods
from navicert.cli.main import main
from navicert.testing import fault


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    (tmp_path / "auth.json").write_text("{}")
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "auth.json"))
    monkeypatch.chdir(tmp_path)
    with world(tmp_path) as made:
        yield made


def running(name: str, image: str, digest: str = "", namespace: str = "shop") -> dict[str, Any]:
    """A Pod, and the digest that a node says it runs."""
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace}, "spec": pod(image)}
    report = {"name": "c0", "image": image, "imageID": f"docker-pullable://{image.partition(':')[0]}@{digest}"}
    return body | ({"status": {"containerStatuses": [report]}} if digest else {})


def audit(*more: str) -> int:
    words = ["admission", "audit", "pods.yaml", "--policy", "policy.yaml", "--insecure", "--at", "2026-06-01T00:00:00Z"]
    return main([*words, *more])


def write(*objects: dict[str, Any]) -> None:
    listed = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
    Path("pods.yaml").write_text(yaml.safe_dump(listed))


def test_what_would_break_is_said_once_for_each_image(here: World, capsys: pytest.CaptureFixture[str]):
    good, bad = here.good(), here.bad()
    tag, _, digest = good.partition("@")
    write(running("a", bad), running("b", bad), running("c", tag, digest), running("d", good))
    here.use(here.policy(mode="audit"))
    assert audit() == 1
    out = capsys.readouterr().out
    assert out.count("REFUSED") == 1
    assert "used by shop/a, shop/b" in out
    assert "target.bound" in out
    assert "4 objects, 2 images: 1 pass, 1 would be refused" in out


def test_what_runs_is_judged_and_not_what_the_tag_stands_for_now(here: World):
    good, bad = here.good(), here.bad(tag="1.4")
    tag = good.partition("@")[0]
    write(running("a", tag, good.partition("@")[2]))
    assert audit() == 0
    write(running("a", tag, bad.partition("@")[2]))
    assert audit() == 1


def test_a_pod_whose_node_reports_no_digest_is_as_it_was_written(here: World):
    body = running("a", "r.example/app:1")
    assert as_it_runs(body) is body
    odd = running("a", "r.example/app:1", "sha256:12")
    assert as_it_runs(odd)["spec"] == odd["spec"]
    volume = running("a", "UPPER/x", "sha256:" + "a" * 64)
    assert as_it_runs(volume)["spec"] == volume["spec"]


def test_reports_say_for_each_namespace_what_came_out(here: World, capsys: pytest.CaptureFixture[str]):
    good, bad = here.good(), here.bad()
    write(running("a", bad), running("b", good, namespace="pay"))
    assert audit("--report") == 1
    reports = [json.loads(text) for text in capsys.readouterr().out.split("---\n") if text.strip()]
    assert [(one["metadata"]["namespace"], one["summary"]["pass"], one["summary"]["fail"]) for one in reports] == [
        ("pay", 1, 0),
        ("shop", 0, 1),
    ]
    (result,) = reports[1]["results"]
    assert result["resources"] == [{"apiVersion": "v1", "kind": "Pod", "name": "a", "namespace": "shop"}]
    assert "target.bound" in result["message"]


def test_json_is_for_programs(here: World, capsys: pytest.CaptureFixture[str]):
    write(running("a", here.bad()), {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "odd"}, "spec": {}})
    assert audit("--json") == 1
    read = json.loads(capsys.readouterr().out)
    assert (read["type"], read["objects"], read["refused"]) == ("navicert-audit/v1", 2, 1)
    assert read["odd"][0]["object"] == "odd"


def test_an_exception_is_no_breakage(here: World):
    bad = here.bad()
    here.use(here.policy(), here.exception(bad.partition("@")[2]))
    write(running("a", bad))
    assert audit() == 0


def test_what_cannot_be_found_out_is_neither(here: World):
    write(running("a", here.good()))
    here.registry.fault("GET", "", fault.status(503))
    assert audit() == 3


def test_nothing_to_judge_is_not_that_all_is_well(here: World):
    write()
    assert audit() == 3


def test_files_or_the_cluster_are_named(here: World):
    base = ["admission", "audit", "--policy", "policy.yaml"]
    assert main(base) == 2
    assert main([*base, "--pods", "pods.yaml"]) == 2


def test_pods_of_a_cluster_are_read_page_by_page():
    pages: dict[str, Any] = {
        "/api/v1/pods?limit=250": {"items": [{"metadata": {"name": "a"}}], "metadata": {"continue": "x/y"}},
        "/api/v1/pods?limit=250&continue=x%2Fy": {"items": [{"metadata": {"name": "b"}}], "metadata": {}},
    }

    class Paged:
        def get(self, path: str) -> Any:
            return pages[path]

    found = list(pods(Paged()))  # type: ignore[arg-type]  # asked for this one method
    assert [(one["kind"], one["metadata"]) for one in found] == [("Pod", {"name": "a"}), ("Pod", {"name": "b"})]


def test_pods_of_excluded_namespaces_are_not_looked_at():
    listed = [{"metadata": {"name": "a", "namespace": "kube-system"}}, {"metadata": {"name": "b", "namespace": "shop"}}]

    class Two:
        def get(self, path: str) -> Any:
            return {"items": listed, "metadata": {}}

    found = list(pods(Two(), ["kube-system"]))  # type: ignore[arg-type]  # asked for this one method
    assert [one["metadata"] for one in found] == [listed[1]["metadata"]]


class TestWritten:
    """`--write-reports`, with a cluster in memory."""

    @pytest.fixture
    def cluster(self, monkeypatch: pytest.MonkeyPatch) -> Reports:
        found = Reports({})
        monkeypatch.setattr(clusters, "connect", lambda kubeconfig, context: found)
        return found

    def scan(self, monkeypatch: pytest.MonkeyPatch, *bodies: dict[str, Any]) -> int:
        monkeypatch.setattr("navicert.admission.running.pods", lambda cluster, excluded: iter(bodies))
        words = ["admission", "audit", "--pods", "--write-reports", "--policy", "policy.yaml", "--insecure"]
        return main([*words, "--at", "2026-06-01T00:00:00Z"])

    def test_what_is_written_is_a_success_whatever_it_says(
        self, here: World, cluster: Reports, monkeypatch: pytest.MonkeyPatch
    ):
        assert self.scan(monkeypatch, running("a", here.bad())) == 0
        assert cluster.objects[path_of("shop")]["summary"]["fail"] == 1  # type: ignore[index]

    def test_what_could_not_be_found_out_is_no_success(
        self, here: World, cluster: Reports, monkeypatch: pytest.MonkeyPatch
    ):
        good = here.good()
        here.registry.fault("GET", "", fault.status(503))
        assert self.scan(monkeypatch, running("a", good)) == 3
        assert cluster.objects[path_of("shop")]["summary"]["error"] == 1  # type: ignore[index]

    def test_a_report_that_could_not_be_written_is_no_success(
        self, here: World, cluster: Reports, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ):
        cluster.objects[path_of("shop")] = {"kind": "PolicyReport", "metadata": {"name": "navicert"}}
        assert self.scan(monkeypatch, running("a", here.good())) == 3
        assert "1 reports could not be written" in capsys.readouterr().err

    def test_without_the_definition_the_summary_and_the_exit_code_say_it(
        self, here: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ):
        monkeypatch.setattr(clusters, "connect", lambda kubeconfig, context: MemoryCluster({}))
        assert self.scan(monkeypatch, running("a", here.bad())) == 1
        said = capsys.readouterr()
        assert "no reports were written" in said.err
        assert "1 would be refused" in said.out

    def test_of_files_nothing_is_written(self, here: World):
        write(running("a", here.good()))
        assert audit("--write-reports") == 2
