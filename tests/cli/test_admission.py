"""`navicert admission review`: reviews and objects in files, decided as the webhook does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.admission_world import World, pod, review, world

from navicert.cli.main import main
from navicert.testing import fault


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    (tmp_path / "auth.json").write_text("{}")
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "auth.json"))
    monkeypatch.chdir(tmp_path)
    with world(tmp_path) as made:
        yield made


def decide(*more: str, file: str = "object.yaml", policy: str = "policy.yaml") -> int:
    return main(["admission", "review", file, "--policy", policy, "--insecure", "--at", "2026-06-01T00:00:00Z", *more])


def write(*objects: Any) -> None:
    Path("object.yaml").write_text("---\n".join(yaml.safe_dump(one) for one in objects))


def of_pod(*images: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": pod(*images)}


def test_objects_in_a_file_are_decided_one_by_one(here: World, capsys: pytest.CaptureFixture[str]):
    good, bad = here.good(), here.bad()
    template = {"template": {"spec": pod(bad)}}
    write(of_pod(good), {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api"}, "spec": template})
    assert decide("--namespace", "shop") == 1
    out = capsys.readouterr().out
    assert "ALLOWED  Pod shop/web: verified" in out
    assert "DENIED   Deployment.apps shop/api: target.bound" in out
    assert "see: navicert verify --owner owner.pub registry:" in out
    assert decide("--namespace", "shop", "--at", "2026-06-01T00:00:00Z") == 1


def test_the_command_that_a_denial_names_shows_the_same(here: World, capsys: pytest.CaptureFixture[str]):
    bad = here.bad()
    write(of_pod(bad))
    assert decide() == 1
    text = capsys.readouterr().out
    command = text.partition("see: ")[2].splitlines()[0].split()
    assert command[0] == "navicert"
    assert main([*command[1:], "--insecure", "--at", "2026-06-01T00:00:00Z"]) == 1
    assert "target.bound" in capsys.readouterr().out


def test_a_review_gets_the_answer_that_the_api_server_would(here: World, capsys: pytest.CaptureFixture[str]):
    Path("review.json").write_text(json.dumps(review(pod(here.bad()))))
    assert decide("--json", file="review.json") == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["response"]["uid"] == "705ab4f5-6393-11e8-b7cc-42010a800002"
    assert answer["response"]["allowed"] is False
    Path("review.json").write_text(json.dumps(review(pod("x")) | {"apiVersion": "admission.k8s.io/v2"}))
    assert decide("--json", file="review.json") == 1


def test_what_would_be_pinned_is_shown(here: World, capsys: pytest.CaptureFixture[str]):
    digest = here.good().rpartition("@")[2]
    write(of_pod(f"{here.registry.name}/shop/app:1.4"))
    assert decide("--mutate") == 0
    assert f'"{here.registry.name}/shop/app:1.4@{digest}"' in capsys.readouterr().out


def test_what_cannot_be_found_out_is_neither_passed_nor_refused(here: World):
    write(of_pod(here.good()))
    here.registry.fault("GET", "", fault.status(503))
    assert decide() == 3


@pytest.mark.parametrize("text", ["", "[", "- a\n", "kind: Pod\n", "apiVersion: v1\n", '{"a": 1}', "{"])
def test_what_is_no_object_is_wrong_usage(here: World, text: str):
    Path("object.yaml").write_text(text)
    assert decide() == 2


def test_files_that_are_not_there_are_wrong_usage(here: World):
    write(of_pod("x"))
    assert decide(file="none.yaml") == 2
    assert decide(policy="none.yaml") == 2


def test_pull_secrets_of_workloads_are_refused_where_there_are_none(here: World, capsys: pytest.CaptureFixture[str]):
    here.use(here.policy(credentials={"imagePullSecrets": True}))
    write(of_pod("x"))
    assert decide() == 2
    assert "nobody said where the pull secrets of workloads are" in capsys.readouterr().err


def test_an_image_without_a_policy_is_refused_unless_asked(here: World, capsys: pytest.CaptureFixture[str]):
    write(of_pod("q.example/app@sha256:" + "a" * 64))
    assert decide() == 1
    assert "image.unmatched" in capsys.readouterr().out
    assert decide("--unmatched", "warn") == 0
    assert "warning:" in capsys.readouterr().out


def test_an_audit_knows_nobody_who_breaks_the_glass(here: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody asked for what runs already: an option that says by whom it may be let in would be passed over."""
    assert main(["admission", "audit", "object.yaml", "--policy", "policy.yaml", "--break-glass-in-templates"]) == 2
    assert "--break-glass-in-templates" in capsys.readouterr().err
    assert main(["admission", "review", "--help"]) == 0
