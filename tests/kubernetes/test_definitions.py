"""The definitions of our kinds, in a real API server: right documents are taken, and wrong ones refused."""

from __future__ import annotations

import copy

import jsonschema
import pytest
from tests.control_plane import ControlPlane
from tests.policy_documents import ALL_BAD, CLUSTER, EXCEPTION, GOOD, OWN, changed

from navicert.admission.deployment.definition import definitions

CEL = (1, 25)
"""Since when API servers evaluate the rules of definitions."""


@pytest.fixture(scope="module")
def server(api_server: ControlPlane) -> ControlPlane:
    api_server.apply(*definitions(), words=["--validate=false"])
    for one in definitions():
        name = one["metadata"]["name"]  # type: ignore[index]
        done = api_server.kubectl("wait", "--for=condition=Established", f"crd/{name}", "--timeout=60s")
        assert done.returncode == 0, done.stderr
    for name in ("shop", "navicert"):
        api_server.namespace(name)
    return api_server


@pytest.mark.parametrize("name", GOOD)
def test_what_is_right_is_taken(name: str, server: ControlPlane) -> None:
    server.apply(GOOD[name], words=["--dry-run=server", "--validate=false"])


def breaks_schema(document: dict[str, object]) -> bool:
    (schema,) = [
        one["spec"]["versions"][0]["schema"]["openAPIV3Schema"]  # type: ignore[index]
        for one in definitions()
        if one["spec"]["names"]["kind"] == document["kind"]  # type: ignore[index]
    ]
    return not jsonschema.Draft7Validator(schema).is_valid(document)


@pytest.mark.parametrize("name", ALL_BAD)
def test_what_is_wrong_is_refused(name: str, server: ControlPlane) -> None:
    done = server.try_apply(ALL_BAD[name], words=["--dry-run=server", "--validate=false"])
    if server.version >= CEL or breaks_schema(ALL_BAD[name]):
        assert done.returncode != 0
        assert "is invalid" in done.stderr
    else:
        # An older server drops the rules: it takes the document, and the loader refuses it.
        assert done.returncode == 0, done.stderr


def test_a_misspelt_restriction_is_kept_so_that_the_loader_sees_it(server: ControlPlane) -> None:
    document = copy.deepcopy(changed(CLUSTER, "revokations", {"digests": ["x"]}))
    server.apply(document, words=["--validate=false"])
    try:
        kept = server.get("clustersupplychainpolicy", "all")
        assert kept["spec"]["revokations"] == {"digests": ["x"]}
    finally:
        server.kubectl("delete", "clustersupplychainpolicy", "all")


def test_a_person_sees_what_matters_in_a_list(server: ControlPlane) -> None:
    server.apply(CLUSTER, OWN, EXCEPTION, words=["--validate=false"])
    listed = server.kubectl("get", "clustersupplychainpolicies,supplychainpolicies,supplychainexceptions", "-A").stdout
    server.kubectl("delete", "clustersupplychainpolicies,supplychainpolicies,supplychainexceptions", "--all", "-A")
    assert "MODE" in listed
    assert '["registry.example/**"]' in listed
    assert "rollback" in listed
