"""An installation in a real API server: certificates, configurations in force and not, rights, and taking it away."""

from __future__ import annotations

import base64
import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.control_plane import ControlPlane
from tests.kubernetes.installed import Installed, pod

from navicert.admission import arming
from navicert.admission.cluster import connect
from navicert.admission.keeping import Installation, keep_round
from navicert.admission.rotation import certificates, read_holding
from navicert.cli.main import main


@pytest.fixture
def installed(api_server: ControlPlane, tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    name = f"navicert-{abs(hash(request.node.name)) % 10**8}"
    found = Installed(api_server, tmp_path, name, replicas=1)
    yield found
    found.remove()


class TestInForce:
    def test_nothing_is_in_force_until_a_replica_is_ready(
        self, installed: Installed, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert installed.keep() == 0
        assert "is not in force yet: no replica is ready" in capsys.readouterr().out
        assert installed.policies() == []
        # In the meantime objects are made as if nothing had been installed.
        installed.server.namespace("early", **{"navicert.dev/admission": "enabled"})
        installed.server.apply(pod("early"))
        installed.make_ready()
        assert installed.keep("--wait=30") == 0
        assert installed.policies() == ["Fail", "Fail"]

    def test_every_ca_bundle_is_the_authority_in_the_secret(self, installed: Installed) -> None:
        installed.make_ready()
        assert installed.keep() == 0
        bundle = installed.secret()["ca.crt"]
        hooks = installed.configuration()["webhooks"] + installed.configuration("mutating")["webhooks"]
        assert {one["clientConfig"]["caBundle"] for one in hooks} == {bundle}

    def test_a_second_round_changes_nothing(self, installed: Installed, capsys: pytest.CaptureFixture[str]) -> None:
        installed.make_ready()
        installed.keep()
        before = installed.configuration()["metadata"]["resourceVersion"]
        capsys.readouterr()
        assert installed.keep() == 0
        assert capsys.readouterr().out == ""
        assert installed.configuration()["metadata"]["resourceVersion"] == before

    def test_applied_again_it_stays_in_force(self, installed: Installed) -> None:
        installed.make_ready()
        installed.keep()
        installed.apply()
        assert installed.policies() == ["Fail", "Fail"]
        assert installed.secret()["tls.key"]

    def test_what_somebody_changed_is_brought_back(
        self, installed: Installed, capsys: pytest.CaptureFixture[str]
    ) -> None:
        installed.make_ready()
        installed.keep()
        change = [{"op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Ignore"}]
        installed.server.kubectl(
            "patch", "validatingwebhookconfiguration", "navicert", "--type=json", "-p", json.dumps(change)
        )
        installed.keep()
        assert "was brought back to what it should be" in capsys.readouterr().out
        assert installed.policies() == ["Fail", "Fail"]


class TestDisarm:
    def test_disarm_lets_through_and_rearm_takes_it_back(self, installed: Installed) -> None:
        server = installed.server
        installed.make_ready()
        installed.keep()
        namespace = server.namespace("stuck", **{"navicert.dev/admission": "enabled"})
        server.wait(lambda: server.try_apply(pod(namespace, "one")).returncode != 0, "the configuration in force")
        refused = server.try_apply(pod(namespace, "two"))
        assert "failed calling webhook" in refused.stderr
        assert main(installed.run("disarm", user=server.kubeconfig)) == 0
        assert installed.policies() == ["Ignore", "Ignore"]
        server.wait(lambda: server.try_apply(pod(namespace, "two")).returncode == 0, "what nobody answers for")
        installed.keep()
        assert installed.policies() == ["Ignore", "Ignore"]
        assert main(installed.run("rearm", user=server.kubeconfig)) == 0
        assert installed.policies() == ["Fail", "Fail"]
        server.wait(lambda: server.try_apply(pod(namespace, "three")).returncode != 0, "the configuration in force")

    def test_rearm_waits_for_somebody_who_answers(
        self, installed: Installed, capsys: pytest.CaptureFixture[str]
    ) -> None:
        installed.keep()
        assert main(installed.run("rearm", "--wait=0", user=installed.server.kubeconfig)) == 1
        assert "nothing was put in force" in capsys.readouterr().err
        assert installed.policies() == []

    def test_a_configuration_that_is_not_there(self, installed: Installed, capsys: pytest.CaptureFixture[str]) -> None:
        words = installed.run("disarm", "--configuration", "other", user=installed.server.kubeconfig)
        assert main(words) == 3
        assert "other: there is no webhook configuration of this name" in capsys.readouterr().err

    def test_nobody_else_may(self, installed: Installed, capsys: pytest.CaptureFixture[str]) -> None:
        installed.make_ready()
        installed.keep()
        stranger = installed.server.kubeconfig_of("stranger", ["system:authenticated"])
        assert main(installed.run("disarm", user=stranger)) == 3
        assert "cannot get resource" in capsys.readouterr().err
        assert installed.policies() == ["Fail", "Fail"]


class TestRights:
    def test_the_keeper_may_change_its_own_objects_and_nothing_else(self, installed: Installed) -> None:
        def may(*words: str) -> bool:
            done = installed.server.kubectl("auth", "can-i", *words, user=installed.keeper)
            return done.stdout.strip() == "yes"

        here = ["-n", installed.namespace]
        assert may("patch", "secrets/navicert-webhook-tls", *here)
        assert may("patch", "validatingwebhookconfigurations/navicert")
        for verb in ("create", "delete", "list", "update"):
            assert not may(verb, "secrets", *here)
            assert not may(verb, "validatingwebhookconfigurations")
            assert not may(verb, "mutatingwebhookconfigurations")
        assert not may("get", "secrets/other", *here)
        assert not may("get", "secrets/navicert-webhook-tls", "-n", "default")
        assert not may("patch", "validatingwebhookconfigurations/other")
        assert not may("patch", "deployments/navicert-webhook", *here)


class TestRotation:
    def test_an_authority_is_replaced_without_a_moment_in_which_a_leaf_is_not_trusted(
        self, installed: Installed
    ) -> None:
        """Rounds over three years, by the real API server, with the rights of the keeper."""
        installed.make_ready()
        wanted = arming.read_wanted(installed.document.read_bytes())
        kept = Installation(installed.namespace, "navicert-webhook", ours=True, wanted=wanted)
        at, shown, most = datetime.now(UTC), None, 0
        end = at + timedelta(days=1000)
        with closing(connect(str(installed.keeper))) as cluster:
            while at < end:
                keep_round(cluster, kept, at)
                hook = installed.configuration()["webhooks"][0]
                trusted = certificates(base64.b64decode(hook["clientConfig"]["caBundle"]))
                now = read_holding(installed.secret()).leaf
                for leaf in (shown, now):
                    if leaf is not None and leaf.not_valid_after_utc > at:
                        assert leaf.issuer in [one.subject for one in trusted]
                most = max(most, len(trusted))
                shown = now
                # Long steps where nothing happens, and short ones where an authority is being replaced.
                at += timedelta(minutes=15) if len(trusted) > 1 and now == shown and most < 3 else timedelta(days=20)
                if len(trusted) > 1:
                    at += timedelta(hours=5)
        assert most == 2

    def test_two_keepers_at_once_agree(self, installed: Installed) -> None:
        from concurrent.futures import ThreadPoolExecutor

        installed.make_ready()
        wanted = arming.read_wanted(installed.document.read_bytes())
        kept = Installation(installed.namespace, "navicert-webhook", ours=True, wanted=wanted)

        def one(_: int) -> None:
            from navicert.cli.cluster_option import insisting

            with closing(connect(str(installed.keeper))) as cluster:
                insisting(lambda: keep_round(cluster, kept, datetime.now(UTC)))

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(one, range(4)))
        bundle = installed.secret()["ca.crt"]
        assert len(certificates(base64.b64decode(bundle))) == 1
        hooks = installed.configuration()["webhooks"]
        assert {one["clientConfig"]["caBundle"] for one in hooks} == {bundle}
