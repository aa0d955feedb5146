"""RSA keys in Sigstore bundles: what cosign signs with them counts, there and nowhere else, and weak ones never do."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.policy_chain import PolicyChain, report

from navicert.cli.main import main
from navicert.crypto.formats import load_public_key
from navicert.crypto.key import Key
from navicert.crypto.signer import MemorySigner, generate
from navicert.crypto.trusted_root import TrustedRoot
from navicert.envelope.bundle import open_bundle
from navicert.envelope.document import Sealed, open_document, seal
from navicert.errors import Malformed
from navicert.testing import NOW, signer
from navicert.testing.bundle import as_bytes, keyed
from navicert.testing.sigstore import PrivateSigstore
from navicert.verify.bundle import Judged, judge_bytes

OURS = PrivateSigstore()
ROOT = TrustedRoot.read(OURS.root_bytes())
FILE = b"a file\n"
COSIGN = "rsa-pkcs1v15-sha256"


@cache
def rsa() -> MemorySigner:
    """A key that signs as its file says: by PSS."""
    return generate("rsa", bits=2048)


def by(scheme: str, of: MemorySigner | None = None) -> MemorySigner:
    """The same key, signing under another scheme."""
    return MemorySigner.of((of or rsa()).private, scheme=scheme)


def judged(raw: bytes, key: Key | None = None, **more: Any) -> Judged:
    return judge_bytes(raw, ROOT, NOW, wanted=(), keys=[key or rsa().key], **more)


def test_the_key_as_it_is_read_from_its_file_signs_by_another_scheme() -> None:
    assert load_public_key(rsa().key.public_pem()).scheme == "rsassa-pss-sha256"


@pytest.mark.parametrize("kind", [None, "dsse/0.0.1", "intoto/0.0.2", "hashedrekord/0.0.2", "dsse/0.0.2"])
@pytest.mark.parametrize("scheme", [COSIGN, "rsassa-pss-sha256"])
def test_attestations_that_cosign_signs_with_an_rsa_key(kind: Any, scheme: str) -> None:
    result = judged(as_bytes(keyed(OURS, report(), by(scheme), kind=kind, stamped=None)))
    assert result.passed, result.problem
    assert result.key == rsa().key
    assert result.document is not None
    assert result.document.signers == (rsa().key,)


@pytest.mark.parametrize("kind", [None, "hashedrekord/0.0.1", "hashedrekord/0.0.2"])
def test_files_that_cosign_signs_with_an_rsa_key(kind: Any) -> None:
    raw = as_bytes(keyed(OURS, FILE, by(COSIGN), kind=kind, stamped=None))
    result = judged(raw, artifact=FILE)
    assert result.passed, result.problem
    assert result.digests is not None
    assert judged(raw, artifact=result.digests).passed
    assert not judged(raw, artifact=b"another file\n").passed


@pytest.mark.parametrize("scheme", ["rsa-pkcs1v15-sha384", "rsa-pkcs1v15-sha512", "rsassa-pss-sha512"])
def test_no_other_scheme_counts_beside_the_two(scheme: str) -> None:
    assert not judged(as_bytes(keyed(OURS, report(), by(scheme)))).passed
    assert not judged(as_bytes(keyed(OURS, FILE, by(scheme))), artifact=FILE).passed


def test_another_rsa_key() -> None:
    other = generate("rsa", bits=2048)
    raw = as_bytes(keyed(OURS, report(), by(COSIGN, other), hint=rsa().keyid))
    assert not judged(raw).passed


def test_a_signature_that_was_lengthened_or_changed() -> None:
    good = keyed(OURS, report(), by(COSIGN))
    raw = json.loads(as_bytes(good))
    signature = raw["dsseEnvelope"]["signatures"][0]["sig"]
    other = "B" if signature[0] == "A" else "A"
    for odd in ("AAAA" + signature, signature[4:], other + signature[1:]):
        raw["dsseEnvelope"]["signatures"][0]["sig"] = odd
        assert not judged(json.dumps(raw).encode()).passed


def test_a_key_too_weak_to_sign_with_is_no_key() -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa as algorithm
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    weak = algorithm.generate_private_key(65537, 1024)
    pem = weak.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(Malformed, match="too weak"):
        load_public_key(pem)


def chain_of_rsa() -> PolicyChain:
    chain = PolicyChain(tess=rsa())
    return chain.require()


def test_evidence_in_a_bundle_counts_by_the_key_of_the_policy() -> None:
    assert chain_of_rsa().judge(as_bytes(keyed(OURS, report(), by(COSIGN)))).passed
    assert chain_of_rsa().judge(as_bytes(keyed(OURS, report(), rsa()))).passed


def test_the_same_signature_outside_of_a_bundle_is_not_one_of_the_key() -> None:
    """A layout says by which scheme its key signs, and in an envelope of its own that alone is asked."""
    raw = as_bytes(keyed(OURS, report(), by(COSIGN)))
    envelope = json.dumps(json.loads(raw)["dsseEnvelope"]).encode()
    assert not chain_of_rsa().judge(envelope).passed
    assert not chain_of_rsa().judge(seal(report(), by(COSIGN))).passed
    # Nor does an answer about the one decide about the other.
    assert chain_of_rsa().judge(envelope, raw).passed


def test_what_was_found_out_about_a_bundle_says_nothing_about_an_envelope() -> None:
    raw = as_bytes(keyed(OURS, report(), by(COSIGN)))
    bundled = open_bundle(raw).content
    assert isinstance(bundled, Sealed)
    bare = open_document(json.dumps(json.loads(raw)["dsseEnvelope"]).encode())
    for order in ((bundled, bare), (bare, bundled)):
        memo: dict[tuple[str, bytes, bytes], bool] = {}
        found = {one.signatures[0].bundled: one.verified_by([rsa().key], memo=memo) for one in order}
        assert found[True] is not None
        assert found[False] is None


def test_a_bundle_with_a_certificate_is_not_one_that_a_key_signed() -> None:
    raw = json.loads(as_bytes(keyed(OURS, report(), by(COSIGN))))
    from navicert.testing.bundle import keyless

    certificate = keyless(OURS, report())["verificationMaterial"]["certificate"]
    raw["verificationMaterial"] = {"certificate": certificate}
    assert not judged(json.dumps(raw).encode()).passed
    assert not chain_of_rsa().judge(json.dumps(raw).encode()).passed


def test_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rsa.pub").write_bytes(rsa().key.public_pem())
    (tmp_path / "bob.pub").write_bytes(signer("bob").key.public_pem())
    (tmp_path / "file").write_bytes(FILE)
    (tmp_path / "file.sigstore.json").write_bytes(as_bytes(keyed(OURS, FILE, by(COSIGN))))
    words = ["verify-attestation", "file.sigstore.json", "--artifact", "file", "--key"]
    assert main([*words, "rsa.pub"]) == 0
    assert main([*words, "bob.pub"]) == 1
