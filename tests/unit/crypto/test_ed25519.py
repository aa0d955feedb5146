"""Ed25519 keys by the compiled module of the library, and by its public one where that is not there."""

from __future__ import annotations

import subprocess
import sys

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from navicert.crypto import ed25519

# RFC 8032 §7.1, test 2.
SEED = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
POINT = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)


@pytest.fixture(params=["compiled", "public"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "public":
        monkeypatch.setattr(ed25519, "_compiled", lambda: None)
    else:
        assert ed25519._compiled() is not None, "the library has changed: see whether it still can be asked so"
    return str(request.param)


def test_a_key_signs_as_the_standard_says(way: str) -> None:
    assert ed25519.private_key(SEED).sign(b"\x72") == SIGNATURE
    assert ed25519.private_key(SEED).public_key().public_bytes_raw() == POINT


def test_a_signature_over_other_bytes_is_refused(way: str) -> None:
    ed25519.public_key(POINT).verify(SIGNATURE, b"\x72")
    with pytest.raises(InvalidSignature):
        ed25519.public_key(POINT).verify(SIGNATURE, b"\x73")


def test_keys_are_those_of_the_public_module(way: str) -> None:
    assert isinstance(ed25519.private_key(SEED), Ed25519PrivateKey)
    assert isinstance(ed25519.public_key(POINT), Ed25519PublicKey)
    assert ed25519.is_private(Ed25519PrivateKey.generate())
    assert ed25519.is_public(Ed25519PrivateKey.generate().public_key())


def test_keys_of_another_type_are_told_apart(way: str) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    assert not ed25519.is_private(other)
    assert not ed25519.is_public(other.public_key())
    assert not ed25519.is_public(ed25519.private_key(SEED))
    assert not ed25519.is_private(ed25519.public_key(POINT))


@pytest.mark.parametrize("length", [0, 31, 33])
def test_what_is_not_32_bytes_is_no_key(way: str, length: int) -> None:
    with pytest.raises(ValueError, match="32"):
        ed25519.public_key(bytes(length))
    with pytest.raises(ValueError, match="32"):
        ed25519.private_key(bytes(length))


@pytest.mark.parametrize("missing", ["the module", "the part", "a name"])
def test_a_library_that_has_moved_is_asked_by_its_public_names(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from cryptography.hazmat.bindings import _rust

    if missing == "the module":
        monkeypatch.setitem(sys.modules, "cryptography.hazmat.bindings._rust", None)
    elif missing == "the part":
        monkeypatch.setattr(_rust, "openssl", object())
    else:
        monkeypatch.setattr(_rust, "openssl", type("Without", (), {"ed25519": object()}))
    assert ed25519._compiled() is None
    assert isinstance(ed25519.private_key(SEED), Ed25519PrivateKey)
    assert isinstance(ed25519.public_key(POINT), Ed25519PublicKey)


def test_a_bad_signature_is_refused_where_nothing_was_loaded_before() -> None:
    code = f"""
from navicert.crypto.material import of_point
from navicert.crypto.scheme import verify
public = of_point({POINT!r}).public
print(verify(public, "ed25519", {SIGNATURE!r}, b"r"), verify(public, "ed25519", {SIGNATURE!r}, b"s"),
      verify(public, "ed25519", b"", b"r"))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False", "False"]
