"""An API server with a configuration on its disk: what it shows webhooks, and what old ones make of newer fields."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.admission_world import World, world
from tests.api_server import Authority
from tests.control_plane import PROGRAMS, ControlPlane, running_control_plane
from tests.kubernetes.installed import pod
from tests.webhook_process import Process, webhook

from navicert.admission.deployment.disk import disk

CALLERS = Authority.new("callers")
PLUGIN = "ValidatingAdmissionWebhook"
CONFIG = "apiserver.config.k8s.io/v1"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path / "world") as made:
        yield made


@pytest.fixture
def process(here: World) -> Iterator[Process]:
    """A webhook that answers only who shows a certificate of `CALLERS`."""
    (here.folder / "callers.pem").write_text(CALLERS.bundle)
    with webhook(here.folder, here.folder / "policy.yaml", "--client-ca", str(here.folder / "callers.pem")) as made:
        yield made


def configured(folder: Path, **configuration: object) -> Path:
    """A file for `--admission-control-config-file` with this configuration of the validating plugin."""
    body = {"apiVersion": CONFIG, "kind": "WebhookAdmissionConfiguration", **configuration}
    path = folder / "admission.yaml"
    plugins = [{"name": PLUGIN, "configuration": body}]
    path.write_text(json.dumps({"apiVersion": CONFIG, "kind": "AdmissionConfiguration", "plugins": plugins}))
    return path


@contextmanager
def control_plane(component: Callable[[str], Path], configuration: Path) -> Iterator[ControlPlane]:
    programs = {name: component(name) for name in PROGRAMS}
    with running_control_plane(programs, f"--admission-control-config-file={configuration}") as server:
        yield server


def calling(process: Process) -> dict[str, Any]:
    """The validating configuration of the example, in the cluster, with the address of this webhook."""
    one: dict[str, Any] = yaml.safe_load(disk()["validating-webhooks/navicert.yaml"])
    one["metadata"]["name"] = "navicert"
    for hook in one["webhooks"]:
        client = hook["clientConfig"]
        client["url"] = client["url"].replace("127.0.0.1:8443", f"localhost:{process.port}")
        client["caBundle"] = base64.b64encode(process.authority.bundle.encode()).decode()
    return one


def test_an_api_server_is_known_by_what_its_configuration_on_disk_has_it_show(
    here: World, process: Process, component: Callable[[str], Path], tmp_path: Path
) -> None:
    """`kubeConfigFile` names what the API server shows to webhooks, by their host and port: else it shows nothing."""
    certificate, key = CALLERS.issue(tmp_path / "own", "kube-apiserver")
    shown = {"client-certificate": str(certificate), "client-key": str(key)}
    users = tmp_path / "webhooks.kubeconfig"
    user = {"name": f"localhost:{process.port}", "user": shown}
    users.write_text(json.dumps({"apiVersion": "v1", "kind": "Config", "users": [user]}))
    process.authority.issue(here.folder / "tls", "localhost")
    process.wait_for("certificate renewed")
    good, bad = here.good(), here.bad()
    with control_plane(component, configured(tmp_path, kubeConfigFile=str(users))) as server:
        namespace = server.namespace("judged")
        server.apply(calling(process))
        asked = pod(namespace, image=bad)
        server.wait(lambda: server.try_apply(asked, words=["--dry-run=server"]).returncode != 0, "the configuration")
        said = server.try_apply(asked).stderr
        assert "denied the request" in said, said
        assert "caller.unknown" not in said
        server.apply(pod(namespace, image=good))


def test_an_old_api_server_does_not_start_with_what_it_cannot_read_from_disk(
    component: Callable[[str], Path], tmp_path: Path
) -> None:
    """Configurations on disk came with 1.36. One that passed over the field would judge nothing, without a word."""
    programs = {name: component(name) for name in PROGRAMS}
    if ControlPlane(programs, tmp_path).version >= (1, 36):
        pytest.skip("this one reads it")
    configuration = configured(tmp_path, staticManifestsDir=f"{tmp_path}/validating-webhooks/")
    with (
        pytest.raises(AssertionError, match="kubeConfigFile: Invalid value"),
        control_plane(component, configuration),
    ):
        pytest.fail("it has started")
