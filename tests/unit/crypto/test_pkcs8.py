from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import load_der_private_key

from navicert.crypto import pkcs8
from navicert.crypto.pem import armour, load_private, only_block
from navicert.errors import Malformed


def pkcs8_of(signer) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    der: bytes = signer.private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return der


def test_what_is_encrypted_opens_with_the_password_in_another_implementation(signer):
    plain = pkcs8_of(signer)
    sealed = pkcs8.encrypt(plain, b"correct horse")
    opened = load_der_private_key(sealed, b"correct horse")
    assert opened.public_key() == signer.private.public_key()
    assert plain[-32:] not in sealed


def test_what_is_encrypted_does_not_open_with_another_password(signers):
    sealed = pkcs8.encrypt(pkcs8_of(signers["ed25519"]), b"correct horse")
    block = only_block(armour("ENCRYPTED PRIVATE KEY", sealed))
    with pytest.raises(Malformed, match="wrong password"):
        load_private(block, lambda: b"incorrect horse")


def test_the_same_key_never_encrypts_to_the_same_bytes(signers):
    plain = pkcs8_of(signers["ed25519"])
    assert pkcs8.encrypt(plain, b"x") != pkcs8.encrypt(plain, b"x")


def test_deriving_the_key_takes_many_rounds():
    # Stated in the file, so that readers know: the INTEGER 600,000.
    assert bytes.fromhex("0203") + (600_000).to_bytes(3, "big") in pkcs8.encrypt(b"private", b"password")


@pytest.mark.parametrize(
    ("size", "prefix"), [(0, "0400"), (127, "047f"), (128, "048180"), (255, "0481ff"), (256, "04820100")]
)
def test_lengths_take_their_shortest_form(size, prefix):
    assert pkcs8._der(0x04, bytes(size)).hex().startswith(prefix)
