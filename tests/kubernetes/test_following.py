"""Policies of a real API server, followed: what changes is seen, and what is too long ago to follow is read again."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.control_plane import ControlPlane
from tests.kubernetes.installed import Installed
from tests.policy_documents import OWN

from navicert.admission.cluster import Forbidden, VersionGone, connect
from navicert.admission.deployment.definition import definitions
from navicert.admission.layout_map import LayoutMaps
from navicert.admission.mirror import Following, Mirror
from navicert.admission.policy_cluster import ClusterPolicies
from navicert.admission.policy_status import StatusWriter
from navicert.errors import Malformed
from navicert.verify.case import Policy

PATH = "/apis/navicert.dev/v1alpha1/supplychainpolicies"


@pytest.fixture
def server(api_server: ControlPlane) -> Iterator[ControlPlane]:
    api_server.apply(*definitions(), words=["--validate=false"])
    for one in definitions():
        name = one["metadata"]["name"]  # type: ignore[index]
        api_server.kubectl("wait", "--for=condition=Established", f"crd/{name}", "--timeout=60s")
    api_server.namespace("followed")
    yield api_server
    api_server.kubectl("delete", "supplychainpolicy", "--all", "-n", "followed")


def policy(name: str, mode: str) -> dict[str, object]:
    found = copy.deepcopy(OWN)
    found["metadata"] = {"name": name, "namespace": "followed"}
    found["spec"]["mode"] = mode
    return found


def modes(mirror: Mirror) -> dict[str, str]:
    found = {}
    for one in mirror():
        metadata, spec = one["metadata"], one["spec"]
        assert isinstance(metadata, dict)
        assert isinstance(spec, dict)
        if metadata["namespace"] == "followed":
            found[metadata["name"]] = spec["mode"]
    return found


def test_what_changes_in_a_cluster_is_seen_by_those_who_follow(server: ControlPlane) -> None:
    server.apply(policy("one", "audit"), words=["--validate=false"])
    with closing(connect(str(server.kubeconfig))) as cluster:
        mirror = Mirror(cluster, PATH)
        assert modes(mirror) == {"one": "audit"}
        following = Following([mirror])
        following.start(lambda: None)
        try:
            server.apply(policy("one", "warn"), policy("two", "enforce"), words=["--validate=false"])
            server.wait(lambda: modes(mirror) == {"one": "warn", "two": "enforce"}, "the changes")
            server.kubectl("delete", "supplychainpolicy", "one", "-n", "followed")
            server.wait(lambda: modes(mirror) == {"two": "enforce"}, "the deletion")
            assert following.problem == ""
        finally:
            following.stop()


def test_a_version_that_a_server_has_forgotten_is_said_to_be_gone(server: ControlPlane) -> None:
    server.apply(policy("one", "audit"), words=["--validate=false"])
    with closing(connect(str(server.kubeconfig))) as cluster:
        with pytest.raises(VersionGone), cluster.watch(PATH, "1", 5) as events:
            list(events)
        mirror = Mirror(cluster, PATH, jitter=lambda: 0.0)
        mirror.refresh()
        mirror._version = "1"
        assert mirror.step() > 0
        assert mirror.problem == ""
        assert mirror._version is None
        assert modes(mirror) == {"one": "audit"}


def test_a_policy_is_told_how_it_stands_with_the_rights_of_the_webhook(server: ControlPlane, tmp_path: Path) -> None:
    installed = Installed(server, tmp_path, "status-of-policies", replicas=1)
    try:
        bad = policy("bad", "warn")
        bad["spec"]["revokations"] = {}  # type: ignore[index]
        server.apply(policy("one", "audit"), bad, words=["--validate=false"])
        with closing(connect(str(installed.webhook))) as cluster:
            policies = ClusterPolicies(cluster, installed.namespace)

            def unreadable(found: object) -> Policy | None:
                raise Malformed("not a layout")

            writer = StatusWriter(cluster, policies.observed, unreadable)
            assert writer.round(datetime(2026, 6, 1, tzinfo=UTC)) >= 2
            found = {
                name: server.get("supplychainpolicy", name, "-n", "followed")["status"]["conditions"][0]
                for name in ("one", "bad")
            }
            assert (found["one"]["status"], found["one"]["reason"]) == ("False", "LayoutUnreadable")
            assert found["bad"]["reason"] == "Malformed"
            # Again, by another replica: nothing is left to say.
            assert StatusWriter(cluster, policies.observed, unreadable).round(datetime(2026, 7, 1, tzinfo=UTC)) == 0
        shown = server.kubectl("get", "supplychainpolicies", "-n", "followed").stdout
        assert "READY" in shown
        user = installed.webhook

        def may(*words: str) -> bool:
            return server.kubectl("auth", "can-i", *words, user=user).stdout.strip() == "yes"

        assert may("watch", "supplychainpolicies.navicert.dev", "-A")
        assert may("patch", "supplychainpolicies.navicert.dev", "--subresource=status", "-A")
        for verb in ("patch", "update", "create", "delete"):
            assert not may(verb, "supplychainpolicies.navicert.dev", "-n", "followed")
            assert not may(verb, "clustersupplychainpolicies.navicert.dev")
            assert not may(verb, "supplychainexceptions.navicert.dev", "-n", installed.namespace)
        for kind in ("secrets", "serviceaccounts"):
            assert not may("get", kind, "-n", installed.namespace)
        assert not may("get", "configmaps", "-n", "followed")
        assert not may("list", "pods", "-A")
    finally:
        installed.remove()


def test_a_map_with_a_layout_is_followed_with_no_right_but_to_its_name(server: ControlPlane) -> None:
    server.kubectl("create", "serviceaccount", "reader", "-n", "followed")
    words = ("--verb=get,list,watch", "--resource=configmaps", "--resource-name=layouts", "-n", "followed")
    server.kubectl("create", "role", "reader", *words)
    server.kubectl(
        "create", "rolebinding", "reader", "--role=reader", "--serviceaccount=followed:reader", "-n", "followed"
    )

    def write(text: str) -> None:
        metadata = {"name": "layouts", "namespace": "followed"}
        server.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"root": text}})

    def read() -> object:
        found = maps.get("followed", "layouts")
        return None if found is None else found["data"]

    write("one")
    with closing(connect(str(server.kubeconfig_of_account("followed", "reader")))) as cluster:
        maps = LayoutMaps(cluster)
        told = threading.Event()
        maps.start(told.set)
        try:
            assert read() == {"root": "one"}
            followed = maps._followed["followed", "layouts"].mirror
            server.wait(lambda: followed.known and not followed.problem, "the watch")
            told.clear()
            write("two")
            assert told.wait(30)
            assert read() == {"root": "two"}
            with pytest.raises(Forbidden):
                maps.get("followed", "other")
        finally:
            maps.stop()
