"""A webhook whose API server goes away and comes back: what it says of its policies, and that it goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from tests.admission_world import World, pod, review, world
from tests.unit.admission.test_mirror import Server, event
from tests.webhook_process import webhook


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


@pytest.fixture
def server() -> Iterator[Server]:
    """An API server without policies of its own, each of whose watches ends behind a bookmark."""
    with Server() as made:
        made.default = event("BOOKMARK", {"metadata": {"resourceVersion": "11"}})
        threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield made
        made.shutdown()


def kubeconfig(folder: Path, server: Server) -> Path:
    cluster = {"server": f"http://127.0.0.1:{server.server_port}"}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(document))
    return path


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_policies_stay_in_force_and_are_said_to_be_stale_while_the_api_server_is_away(
    here: World, server: Server
) -> None:
    good, bad = here.good(), here.bad()
    words = ["--from-cluster", "--kubeconfig", str(kubeconfig(here.folder, server))]
    with webhook(here.folder, here.folder / "policy.yaml", *words) as process, process.api_server() as caller:
        assert caller.get("/readyz") == (200, "ok\n")
        assert "navicert_policies_stale_seconds 0.0" in process.get("/metrics")[1]
        server.down = True
        until(lambda: "policies are stale since" in caller.get("/readyz")[1])
        status, said = caller.get("/readyz")
        assert (status, said.splitlines()[0]) == (200, "ok")
        assert caller.validate(review(pod(good))).allowed
        assert not caller.validate(review(pod(bad))).allowed
        until(lambda: "navicert_policies_stale_seconds 0.0" not in process.get("/metrics")[1])
        process.wait_for("policies not renewed, what was there before stays as it was")
        server.down = False
        until(lambda: caller.get("/readyz") == (200, "ok\n"))
        assert process.terminate() == 0


def test_whoever_is_judged_is_told_that_the_certificate_ends_soon(here: World) -> None:
    good = here.good()
    with webhook(here.folder, here.folder / "policy.yaml") as process, process.api_server() as caller:
        assert caller.validate(review(pod(good))).warnings == ()
        process.authority.issue(here.folder / "tls", days=10)
        process.wait_for("certificate renewed")
        caller.close()
        (warning,) = caller.validate(review(pod(good))).warnings
        # Ten days less what has passed since, if a second has.
        assert warning in [f"certificate of the webhook expires in {days} days: renew it" for days in (9, 10)]


def test_a_policy_of_the_cluster_that_nobody_understands_leaves_no_cluster_without_a_webhook(
    here: World, server: Server
) -> None:
    """A replica that starts, is ready and refuses what the policy would match, and says which policy that is."""
    refused, good = here.good("closed/app", content=b"closed"), here.good("shop/app", content=b"open")
    spec = {"images": [f"{here.registry.name}/closed/**"], "layout": {"attached": True}, "owner": {"keys": []}}
    one = {"metadata": {"name": "typo", "resourceVersion": "3", "uid": "1"}, "spec": spec}
    server.lists["/apis/navicert.dev/v1alpha1/clustersupplychainpolicies"] = [one]
    words = ["--from-cluster", "--kubeconfig", str(kubeconfig(here.folder, server))]
    with webhook(here.folder, here.folder / "policy.yaml", *words) as process, process.api_server() as caller:
        process.wait_for("what it would match is refused")
        status, said = caller.get("/readyz")
        assert (status, said.splitlines()[0]) == (200, "ok")
        assert "policy typo is not understood (refuses what it would match)" in said
        assert caller.validate(review(pod(good))).allowed
        outcome = caller.validate(review(pod(refused)))
        assert not outcome.allowed
        assert "policy typo: policy.malformed: not understood" in outcome.message
        assert 'navicert_policies_malformed{effect="refuses",policy="typo"} 1.0' in process.get("/metrics")[1]
        assert process.terminate() == 0
