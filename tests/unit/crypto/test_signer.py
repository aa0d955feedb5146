from __future__ import annotations

import pytest

from navicert.crypto import signer as module
from navicert.crypto.formats import load_signer
from navicert.crypto.key import Key
from navicert.crypto.signer import MemorySigner, Signer, generate, private_of, private_pem
from navicert.errors import LimitExceeded, Malformed, Refused


def test_a_memory_signer_is_a_signer(signer):
    assert isinstance(signer, Signer)
    assert signer.keyid == signer.key.id == signer.key.modern_id


def test_a_signer_shows_nothing_private(signers):
    private = signers["ed25519"].private
    assert "private" not in repr(signers["ed25519"])
    assert private.private_bytes_raw().hex() not in repr(signers["ed25519"])


def test_a_signer_signs_under_another_id_when_told(signers):
    other = signers["rsa"].with_id("ab" * 32)
    assert other.keyid == "ab" * 32
    assert signers["rsa"].key.verify(other.sign(b"m"), b"m")


@pytest.mark.parametrize(
    ("arguments", "scheme"),
    [
        ({}, "ed25519"),
        ({"keytype": "ecdsa"}, "ecdsa-sha2-nistp256"),
        ({"keytype": "ecdsa", "curve": "P-521"}, "ecdsa-sha2-nistp521"),
        ({"keytype": "rsa", "bits": 2048}, "rsassa-pss-sha256"),
    ],
)
def test_generate_makes_a_new_key_each_time(arguments, scheme):
    one, other = generate(**arguments), generate(**arguments)
    assert one.key.scheme == scheme
    assert one.key != other.key


def test_rsa_keys_are_3072_bits_long_unless_told():
    assert generate("rsa").private.key_size == 3072  # type: ignore[union-attr]


@pytest.mark.parametrize("bits", [0, 1024, 2047, 16385])
def test_rsa_keys_that_could_be_broken_or_not_be_used_are_not_made(bits):
    with pytest.raises(Malformed, match="unsupported length of an RSA key"):
        generate("rsa", bits=bits)


def test_unknown_curves_and_types_are_refused():
    with pytest.raises(Malformed, match="unsupported curve"):
        generate("ecdsa", curve="P-224")
    with pytest.raises(Malformed, match="unsupported type of key"):
        generate("dsa")  # type: ignore[arg-type]


@pytest.mark.parametrize("password", [None, b"correct horse", "pässwörd".encode(), b"\xff\0\xfe", b"x" * 1023])
def test_private_pem_is_read_back(signer, password):
    text = private_pem(signer, password)
    label = b"PRIVATE KEY" if password is None else b"ENCRYPTED PRIVATE KEY"
    assert text.startswith(b"-----BEGIN " + label + b"-----\n")
    assert load_signer(text, password=None if password is None else lambda: password).key == signer.key


def test_an_empty_password_is_refused_rather_than_pretending_to_encrypt(signers):
    with pytest.raises(Malformed, match="the password is empty"):
        private_pem(signers["ed25519"], b"")


def test_a_password_that_other_programs_could_not_give_is_refused(signers):
    with pytest.raises(LimitExceeded, match="password_bytes"):
        private_pem(signers["ed25519"], b"x" * 1024)


class Remote:
    """A signer whose private key is elsewhere."""

    def __init__(self, key: Key) -> None:
        self.key = key
        self.keyid = key.id

    def sign(self, message: bytes) -> bytes:
        raise NotImplementedError


def test_a_private_key_that_is_elsewhere_is_not_given_away(signers):
    remote = Remote(signers["ed25519"].key)
    assert isinstance(remote, Signer)
    with pytest.raises(Refused, match="does not leave"):
        private_of(remote)
    with pytest.raises(Refused):
        private_pem(remote, None)


def test_signing_twice_gives_the_same_for_ed25519_and_another_for_pss(signers):
    assert signers["ed25519"].sign(b"m") == signers["ed25519"].sign(b"m")
    assert signers["rsa"].sign(b"m") != signers["rsa"].sign(b"m")


def test_the_curves_on_offer_all_work():
    assert [generate("ecdsa", curve=curve).key.keytype for curve in module.CURVES] == ["ecdsa"] * 3


def test_signers_of_the_same_key_are_equal(signers):
    assert MemorySigner.of(signers["ed25519"].private) == signers["ed25519"]


def test_a_key_rebuilt_from_its_parts_verifies(signer):
    key = signer.key
    assert Key(key.keytype, key.scheme, key.material, key.id).verify(signer.sign(b"m"), b"m")
