"""What is asked of cert-manager: objects that it accepts, by what its API reference says of the fields that are used.

The API server of a cluster with cert-manager drops a field that its definition does not have, and what was meant by it
is lost without a word: so no other field may be there.
"""

from __future__ import annotations

import re
from typing import Any, cast

import jsonschema
import pytest

from navicert.admission.deployment.label import SECRET
from navicert.admission.deployment.manifest import manifests
from navicert.admission.deployment.node import Release
from navicert.admission.deployment.value import merged
from navicert.errors import Malformed

IMAGE = "registry.example/navicert@sha256:" + "a" * 64


def closed(required: list[str], **properties: object) -> dict[str, object]:
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}


TEXT = {"type": "string", "minLength": 1}
SPAN = {"type": "string", "pattern": "^[0-9]+h$"}
KEY = closed(
    [],
    algorithm={"enum": ["RSA", "ECDSA", "Ed25519"]},
    size={"enum": [256, 384, 521]},
    rotationPolicy={"enum": ["Never", "Always"]},
)
CERTIFICATE = closed(
    ["secretName", "issuerRef"],
    secretName=TEXT,
    commonName={**TEXT, "maxLength": 64},
    dnsNames={"type": "array", "items": TEXT, "minItems": 1},
    duration=SPAN,
    renewBefore=SPAN,
    isCA={"type": "boolean"},
    usages={"type": "array", "items": {"enum": ["server auth", "digital signature", "key encipherment"]}},
    privateKey=KEY,
    issuerRef=closed(["name"], name=TEXT, kind=TEXT, group=TEXT),
)
ISSUER: dict[str, object] = {
    "oneOf": [closed(["selfSigned"], selfSigned=closed([])), closed(["ca"], ca=closed(["secretName"], secretName=TEXT))]
}
SPECS: dict[str, dict[str, object]] = {"Certificate": CERTIFICATE, "Issuer": ISSUER}


def asked(**certificates: object) -> dict[tuple[str, str], dict[str, Any]]:
    """The spec of each object for cert-manager, by kind and name."""
    values = merged({"image": IMAGE, "certificates": {"from": "cert-manager", **certificates}})
    found = cast("list[Any]", manifests(values, Release("security")))
    return {
        (one["kind"], one["metadata"]["name"]): one["spec"]
        for one in found
        if one["apiVersion"].startswith("cert-manager.io/")
    }


@pytest.mark.parametrize(
    "certificates",
    [{}, {"issuer": {"name": "ours", "kind": "ClusterIssuer"}}, {"issuer": {"name": "a", "group": "awspca.example"}}],
    ids=["its own authority", "an issuer of the cluster", "an issuer of another group"],
)
def test_every_object_is_of_the_shape_that_cert_manager_documents(certificates: dict[str, object]) -> None:
    found = asked(**certificates)
    assert found
    for (kind, _), spec in found.items():
        jsonschema.validate(spec, SPECS[kind])


def test_the_chain_of_issuers_ends_in_the_secret_that_the_webhook_reads() -> None:
    found = asked()
    leaf = found["Certificate", "navicert-webhook"]
    assert leaf["secretName"] == SECRET
    issuer = found["Issuer", leaf["issuerRef"]["name"]]
    authorities = [spec for (kind, _), spec in found.items() if kind == "Certificate" and spec.get("isCA")]
    assert [one["secretName"] for one in authorities] == [issuer["ca"]["secretName"]]
    assert "selfSigned" in found["Issuer", authorities[0]["issuerRef"]["name"]]


def test_a_certificate_is_renewed_before_it_ends_and_within_the_life_of_its_authority() -> None:
    """cert-manager refuses less than an hour, and a renewal that comes before the beginning."""

    def hours(text: str) -> int:
        return int(re.fullmatch("([0-9]+)h", text)[1])  # type: ignore[index]

    found = asked()
    leaf, authority = found["Certificate", "navicert-webhook"], found["Certificate", "navicert-authority"]
    for one in (leaf, authority):
        assert 1 <= hours(one["renewBefore"]) < hours(one["duration"])
    assert hours(leaf["duration"]) < hours(authority["renewBefore"])


def test_the_certificate_is_for_the_name_by_which_an_api_server_calls() -> None:
    names = asked()["Certificate", "navicert-webhook"]["dnsNames"]
    assert names[0] == "navicert-webhook.security.svc"


@pytest.mark.parametrize("issuer", [{"nam": "ours"}, {"name": ""}, {"name": "ours", "kind": 7}])
def test_an_issuer_that_is_misspelt_is_refused(issuer: dict[str, object]) -> None:
    with pytest.raises(Malformed):
        asked(issuer=issuer)
