"""What cosign attached to an image without a key, taken along: it proves as much where there is no registry."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cosign_layer import annotations_of, attach_layers, envelope_of

from navicert.cli.main import main
from navicert.envelope.cosign import CERTIFICATE, LOGGED, TIMESTAMP
from navicert.envelope.document import seal
from navicert.model.policy import read_policy_document
from navicert.model.statement import Statement
from navicert.oci.access import Access
from navicert.oci.reference import Reference
from navicert.oci.registry import Registry
from navicert.oci.remote import resolve_reference
from navicert.resolve.image import image_artifacts
from navicert.testing import signer
from navicert.testing.bundle import keyless
from navicert.testing.registry import LoopbackRegistry
from navicert.testing.sigstore import ISSUER, SAN, SIGNED, PrivateSigstore, b64

OURS, THEIRS = PrivateSigstore(), PrivateSigstore("evil")


@pytest.fixture
def server() -> Iterator[LoopbackRegistry]:
    with LoopbackRegistry() as registry:
        registry.add_image("app", "1.4")
        yield registry


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a policy whose only step is recorded by an identity, and two trust roots."""
    step = {
        "name": "build",
        "pubkeys": [],
        "identities": [{"identity": SAN, "issuer": ISSUER}],
        "expected_materials": [["DISALLOW", "*"]],
        "expected_products": [["CREATE", "app/*"], ["DISALLOW", "*"]],
    }
    policy = {"_type": "navicert-policy/v1", "name": "app", "version": 1, "keys": {}, "steps": [step]}
    policy["expires"] = "2099-01-01T00:00:00Z"
    owner = signer("owner")
    (tmp_path / "root.layout").write_bytes(seal(read_policy_document(policy), owner))
    (tmp_path / "owner.pub").write_bytes(owner.key.public_pem())
    for name, instance in (("ours", OURS), ("theirs", THEIRS)):
        (tmp_path / f"{name}.json").write_bytes(instance.root_bytes())
    (tmp_path / "auth.json").write_text("{}")
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "auth.json"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def attested(server: LoopbackRegistry, **changes: str) -> str:
    """The reference to the image, to which its link is attached as cosign does; with other texts beside it where there
    are `changes`."""
    reference = f"{server.name}/app:1.4"
    with Registry(server.name, Access(insecure=True)) as registry:
        found = resolve_reference(registry, Reference.parse(reference))
        products = image_artifacts("app", found.image())
    link = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": path, "digest": dict(digests)} for path, digests in products.items()],
        "predicateType": "https://in-toto.io/attestation/link/v0.3",
        "predicate": {"name": "build", "command": ["buildah"], "materials": [], "byproducts": {}, "environment": {}},
    }
    signed = keyless(OURS, Statement.from_json(link))
    beside = annotations_of(signed, OURS)
    if TIMESTAMP in changes:
        token = b64(OURS.tsa.respond(envelope_of(signed), SIGNED))
        changes |= {TIMESTAMP: json.dumps({"SignedRFC3161Timestamp": token})}
    attach_layers(server, found.root.digest, (envelope_of(signed), beside | changes))
    return reference


def pull(reference: str, store: str = "store") -> int:
    return main(["evidence", "pull", "--insecure", reference, "--store", store])


def verify(target: str, *more: str, root: str = "ours.json") -> int:
    return main(["verify", "--layout", "root.layout", "--owner", "owner.pub", "--trusted-root", root, *more, target])


@pytest.mark.parametrize("store", ["store", "sqlite:store.db"])
def test_what_is_pulled_proves_who_signed_it(server: LoopbackRegistry, store: str) -> None:
    reference = attested(server)
    assert verify(reference, "--insecure") == 0
    assert pull(reference, store) == 0
    assert main(["evidence", "copy", "--insecure", reference, "oci:image"]) == 0
    server.forget()
    assert verify("oci:image", "--store", store) == 0
    assert verify("oci:image", "--store", store, root="theirs.json") == 1
    words = ["--layout", "root.layout", "--owner", "owner.pub", "--trusted-root", "ours.json", "--store", store]
    assert main(["evidence", "pack", *words, "-o", "app.pack"]) == 0
    assert verify("oci:image", "--evidence-from", "app.pack") == 0
    assert server.count(".") == 0


def test_it_is_the_bundle_that_others_read(server: LoopbackRegistry, here: Path) -> None:
    assert pull(attested(server)) == 0
    (path,) = (here / "store").glob("build.*.link")
    bundle = json.loads(path.read_bytes())
    assert bundle["mediaType"] == "application/vnd.dev.sigstore.bundle+json;version=0.1"
    assert base64.b64decode(bundle["dsseEnvelope"]["payload"]).startswith(b"{")
    words = ["verify-attestation", str(path), "--identity", SAN, "--issuer", ISSUER, "--trusted-root", "ours.json"]
    assert main([*words, "--type", "link"]) == 0


def test_a_timestamp_that_is_left_out_beside_the_log_is_said(
    server: LoopbackRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    """By a trust root without that log it would have been the only proof."""
    reference = attested(server, **{TIMESTAMP: ""})
    assert pull(reference) == 0
    assert "put without its timestamp" in capsys.readouterr().err
    assert main(["evidence", "copy", "--insecure", reference, "oci:image"]) == 0
    assert verify("oci:image", "--store", "store") == 0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({LOGGED: "", TIMESTAMP: ""}, "the timestamp is over the attestation byte for byte"),
        ({CERTIFICATE: "junk"}, f"{CERTIFICATE}: not certificates in PEM"),
    ],
)
def test_where_no_file_can_hold_the_proof_that_is_said(
    server: LoopbackRegistry, changes: dict[str, str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    reference = attested(server, **changes)
    assert pull(reference) == 0
    err = capsys.readouterr().err
    assert "put without what proves who signed it" in err
    assert said in err
    assert main(["evidence", "copy", "--insecure", reference, "oci:image"]) == 0
    assert verify("oci:image", "--store", "store") == 1
