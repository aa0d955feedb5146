"""What the webhook's service account may read and change in a real API server: what its options need, and not more."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest
from tests.control_plane import ControlPlane
from tests.kubernetes.installed import Installed

from navicert.admission.cluster import connect
from navicert.admission.deployment.manifest import manifests
from navicert.admission.deployment.node import Release
from navicert.admission.deployment.value import merged
from navicert.admission.memory import ConfigMapPlace
from navicert.admission.pull_secret import ClusterSecrets
from navicert.errors import Unavailable


@pytest.fixture
def installed(api_server: ControlPlane, tmp_path: Path) -> Iterator[Installed]:
    space = f"rights-{abs(hash(tmp_path.name)) % 10**8}"
    found = Installed(api_server, tmp_path, space, replicas=1, pullSecrets=True, memory={"keySecret": "memory-key"})
    yield found
    found.remove()
    api_server.kubectl("delete", "clusterrole", "navicert-pull-secrets", "--ignore-not-found")


def may(installed: Installed, *words: str) -> bool:
    done = installed.server.kubectl("auth", "can-i", *words, user=installed.webhook)
    return done.stdout.strip() == "yes"


def test_what_passed_is_kept_in_one_config_map_that_a_new_installation_leaves(installed: Installed) -> None:
    with closing(connect(str(installed.webhook))) as cluster:
        place = ConfigMapPlace(cluster, installed.namespace, "navicert-passed")
        assert place.read() is None
        place.write(b'{"signed": true}')
        installed.apply()
        assert place.read() == b'{"signed": true}'
        with pytest.raises(Unavailable, match="cannot patch"):
            ConfigMapPlace(cluster, installed.namespace, "navicert-configurations").write(b"{}")
    here = ["-n", installed.namespace]
    assert may(installed, "patch", "configmaps/navicert-passed", *here)
    for verb in ("create", "delete", "update"):
        assert not may(installed, verb, "configmaps/navicert-passed", *here)
    assert not may(installed, "patch", "configmaps/navicert-passed", "-n", "default")
    assert not may(installed, "get", "secrets/memory-key", *here)


def test_pull_secrets_are_read_by_name_where_they_were_opened_by_name(installed: Installed) -> None:
    server = installed.server
    shop = server.namespace(f"shop-of-{installed.namespace}")
    login = {"auths": {"r.example": {"auth": base64.b64encode(b"jane:secret").decode()}}}
    for name in ("regcred", "other"):
        data = {".dockerconfigjson": base64.b64encode(json.dumps(login).encode()).decode()}
        kind = "kubernetes.io/dockerconfigjson"
        metadata = {"name": name, "namespace": shop}
        server.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": kind, "data": data})
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": shop}}
    server.apply({**account, "imagePullSecrets": [{"name": "regcred"}]})
    with closing(connect(str(installed.webhook))) as cluster:
        secrets = ClusterSecrets(cluster)
        with pytest.raises(Unavailable, match="cannot get"):
            secrets.find(shop, "regcred")
        place = {"namespace": shop, "secrets": ["regcred"], "serviceAccounts": ["default"]}
        opened = manifests(merged(installed.values, {"pullSecretsIn": [place]}), Release(installed.namespace))
        server.apply(*[one for one in cast("list[Any]", opened) if one["metadata"].get("namespace") == shop])
        server.wait(lambda: may(installed, "get", "secrets/regcred", "-n", shop), "the role")
        assert secrets.of_account(shop, "default") == ("regcred",)
        found = secrets.find(shop, "regcred")
        assert found is not None
        assert found.find("r.example", "shop/app") is not None
        with pytest.raises(Unavailable, match="cannot get"):
            secrets.find(shop, "other")
    assert not may(installed, "list", "secrets", "-n", shop)
    assert not may(installed, "get", "secrets/regcred", "-n", "default")
