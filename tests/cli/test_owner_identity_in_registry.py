"""Chains that identities own and sign, beside images in a registry: pushed, verified, copied, by the identity alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.attacks.test_admission_identities import by_identity
from tests.image_chain import links

from navicert.cli.main import main
from navicert.oci.access import Access
from navicert.oci.reference import Reference
from navicert.oci.registry import Registry
from navicert.oci.remote import resolve_reference
from navicert.resolve.image import image_artifacts
from navicert.testing.bundle import as_bytes, keyless
from navicert.testing.registry import LoopbackRegistry
from navicert.testing.sigstore import ISSUER, SAN, PrivateSigstore

OURS = PrivateSigstore()
TRUST = ("--trusted-root", "ours.json", "--insecure")
WHO = ("--owner-identity", SAN, "--owner-issuer", ISSUER, *TRUST)
EVE = ("--owner-identity", "eve@example.com", "--owner-issuer", ISSUER, *TRUST)


def test_a_chain_that_an_identity_owns_goes_with_its_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ours.json").write_bytes(OURS.root_bytes())
    (tmp_path / "root.layout").write_bytes(as_bytes(keyless(OURS, by_identity())))
    with LoopbackRegistry() as registry:
        registry.add_image("shop/app", "1.4", {"app": b"hello"})
        image = f"{registry.name}/shop/app:1.4"
        with Registry(registry.name, Access(insecure=True)) as opened:
            products = image_artifacts("app", resolve_reference(opened, Reference.parse(image)).image())
        (link,) = links(products, 1)
        (tmp_path / "store").mkdir()
        (tmp_path / "build.json").write_bytes(as_bytes(keyless(OURS, link)))
        assert main(["evidence", "put", "build.json", "--store", "store"]) == 0
        assert main(["verify", *WHO, image]) == 1  # nothing is attached yet
        push = ["evidence", "push", image, "--layout", "root.layout", "--store", "store"]
        assert main([*push, *EVE]) == 1
        assert main([*push, *WHO]) == 0
        assert main(["verify", *WHO, image]) == 0
        assert main(["verify", *EVE, image]) == 1
        assert main(["verify", "--owner-identity", SAN, "--owner-issuer", ISSUER, "--insecure", image]) == 1
        copied = f"{registry.name}/mirror/app:1.4"
        assert main(["evidence", "copy", image, copied, *EVE]) == 1
        assert main(["evidence", "copy", image, copied, *WHO]) == 0
        assert main(["verify", *WHO, copied]) == 0
