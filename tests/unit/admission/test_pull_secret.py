"""Pull secrets of workloads, shown to registries where a policy allows it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.admission_world import DEPLOYMENT, World, pod, world

from navicert.admission.decision import Outcome
from navicert.admission.examiner import Examiner
from navicert.admission.pull_secret import ClusterSecrets, SecretFolder, Secrets, keychain_of
from navicert.admission.review import Kind
from navicert.cli.main import main
from navicert.errors import Malformed
from navicert.oci.credential import Anonymous, Credential, CredentialDocument
from navicert.testing.registry import Login

POD = Kind("", "v1", "Pod")


def config(registry: str, user: str = "robot", password: str = "secret", **more: Any) -> bytes:
    auth = base64.b64encode(f"{user}:{password}".encode()).decode()
    return json.dumps({"auths": {registry: {"auth": auth}}, **more}).encode()


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    """A world whose policy allows the secrets of workloads, in a folder `secrets`."""
    with world(tmp_path) as made:
        (tmp_path / "secrets" / "prod").mkdir(parents=True)
        (tmp_path / "secrets" / "prod" / "regcred.json").write_bytes(config(made.registry.name))
        made.use(made.policy(credentials={"imagePullSecrets": True}))
        made.examiner = examining(made, SecretFolder(str(tmp_path / "secrets")))
        yield made


def examining(made: World, secrets: Secrets | None) -> Examiner:
    return Examiner(lambda: made.policies, made.judge, made.workers, cache=made.cache, secrets=secrets)


def private(here: World) -> str:
    """An image that nobody sees without a password."""
    reference = here.good()
    here.registry.login = Login({"robot": "secret"})
    return reference


def test_the_secret_that_a_pod_names_is_shown_to_its_registry(here: World):
    reference = private(here)
    assert here.decide(pod(reference)).reason == "registry.refused"
    allowed = pod(reference, imagePullSecrets=[{"name": "regcred"}])
    assert here.decide(allowed).outcome is Outcome.ALLOWED
    assert here.decide(allowed, DEPLOYMENT).outcome is Outcome.ALLOWED


def test_what_one_workload_may_see_is_not_told_to_another(here: World):
    reference = private(here)
    assert here.decide(pod(reference, imagePullSecrets=[{"name": "regcred"}])).outcome is Outcome.ALLOWED
    assert here.decide(pod(reference)).outcome is Outcome.DENIED


def test_a_secret_of_another_namespace_is_not_looked_at(here: World):
    reference = private(here)
    spec = pod(reference, imagePullSecrets=[{"name": "regcred"}, {"name": "../prod/regcred"}])
    assert here.decide(spec, namespace="dev").outcome is Outcome.DENIED


def test_a_policy_that_does_not_allow_it_decides(here: World):
    reference = private(here)
    allowing = here.policy(credentials={"imagePullSecrets": True})
    here.use(allowing, here.policy(name="other"))
    assert here.decide(pod(reference, imagePullSecrets=[{"name": "regcred"}])).outcome is Outcome.DENIED


def test_a_secret_is_for_the_registry_that_it_names(here: World, tmp_path: Path):
    reference = private(here)
    (tmp_path / "secrets" / "prod" / "regcred.json").write_bytes(config(f"x{here.registry.name}"))
    here.registry.forget()
    assert here.decide(pod(reference, imagePullSecrets=[{"name": "regcred"}])).outcome is Outcome.DENIED
    assert not [one for one in here.registry.seen if "authorization" in one.headers]


def test_helpers_that_a_secret_names_are_never_run(here: World, tmp_path: Path):
    mark = tmp_path / "ran"
    helper = tmp_path / "docker-credential-evil"
    helper.write_text(f"#!/bin/sh\ntouch {mark}\n")
    helper.chmod(0o755)
    raw = json.dumps({"auths": {}, "credsStore": "evil", "credHelpers": {here.registry.name: "evil"}}).encode()
    (tmp_path / "secrets" / "prod" / "regcred.json").write_bytes(raw)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        assert here.decide(pod(private(here), imagePullSecrets=[{"name": "regcred"}])).outcome is Outcome.DENIED
    assert not mark.exists()


def test_what_is_no_secret_is_passed_over_as_nodes_do(here: World, tmp_path: Path):
    (tmp_path / "secrets" / "prod" / "odd.json").write_text("[")
    spec = pod(private(here), imagePullSecrets=[{"name": "odd"}, {"name": "none"}, {"x": 1}, "y", {"name": "regcred"}])
    assert here.decide(spec).outcome is Outcome.ALLOWED


class Objects:
    """An API server with some objects."""

    def __init__(self, **objects: Any) -> None:
        self.objects = objects
        self.asked: list[str] = []

    def get(self, path: str) -> Any:
        self.asked.append(path)
        return self.objects.get(path.rpartition("/")[2])


def test_secrets_and_service_accounts_of_a_cluster():
    data = {".dockerconfigjson": base64.b64encode(config("r.example")).decode()}
    cluster = Objects(regcred={"data": data}, builder={"imagePullSecrets": [{"name": "regcred"}]}, other={"data": {}})
    secrets = ClusterSecrets(cluster)  # type: ignore[arg-type]  # asked for this one method
    body = {"spec": {"serviceAccountName": "builder", "imagePullSecrets": [{"name": "other"}], "containers": []}}
    found = keychain_of(secrets, POD, body, "prod", Anonymous())
    assert found.find("r.example", "app") == Credential("robot", "secret")
    assert found.find("q.example", "app") is None
    assert cluster.asked[0] == "/api/v1/namespaces/prod/serviceaccounts/builder"
    assert keychain_of(secrets, POD, {"spec": {}}, "prod", Anonymous()).account == "default"
    assert keychain_of(secrets, POD, {"spec": None}, "prod", Anonymous()).names == ()
    for odd in ("..", "a/b", "", ".x", "x" * 300):
        assert secrets.find("prod", odd) is None
        assert secrets.of_account(odd, "x") == ()
    cluster.objects["regcred"] = {"data": {".dockerconfigjson": "!!"}}
    with pytest.raises(Malformed, match="not base64"):
        secrets.find("prod", "regcred")


def test_a_document_is_never_shown():
    document = CredentialDocument.parse(config("r.example"))
    assert "secret" not in repr(document)
    with pytest.raises(Malformed):
        CredentialDocument.parse(b"[]")


def test_the_command_reads_them_from_a_folder(here: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(here.folder)
    (here.folder / "auth.json").write_text("{}")
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(here.folder / "auth.json"))
    spec = pod(private(here), imagePullSecrets=[{"name": "regcred"}])
    metadata = {"name": "web", "namespace": "prod"}
    Path("pod.json").write_text(json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}))
    words = ["admission", "review", "pod.json", "--policy", "policy.yaml", "--insecure", "--at", "2026-06-01T00:00:00Z"]
    assert main(words) == 2
    assert main([*words, "--pull-secrets", "secrets"]) == 0
    assert main([*words, "--pull-secrets", "nowhere"]) == 2
