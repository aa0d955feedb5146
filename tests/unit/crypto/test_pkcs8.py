from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import load_der_private_key

from navicert.crypto import pkcs8
from navicert.crypto.pem import armour, load_private, only_block
from navicert.errors import LimitExceeded, Malformed


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


# --- what opening may cost -----------------------------------------------------------------------------------------


def scrypt(n: int, r: int, p: int) -> bytes:
    """A key that asks for scrypt with these parameters."""
    integers = (pkcs8._der(2, number.to_bytes(number.bit_length() // 8 + 1, "big")) for number in (n, r, p))
    derivation = pkcs8._sequence(
        pkcs8._der(6, pkcs8._SCRYPT), pkcs8._sequence(pkcs8._der(4, b"salt"), *integers, pkcs8._der(2, b"\x20"))
    )
    algorithm = pkcs8._sequence(pkcs8._der(6, pkcs8._PBES2), pkcs8._sequence(derivation))
    return pkcs8._sequence(algorithm, pkcs8._der(4, b"sealed"))


@pytest.mark.parametrize("rounds", [10_000_001, 2**31, 2**1000])
def test_a_key_that_would_take_forever_to_open_is_refused_before_the_password_is_asked_for(rounds):
    sealed = pkcs8._sequence(
        pkcs8._sequence(pkcs8._der(2, rounds.to_bytes(rounds.bit_length() // 8 + 1, "big"))), pkcs8._der(4, b"")
    )
    block = only_block(armour("ENCRYPTED PRIVATE KEY", sealed))
    with pytest.raises(LimitExceeded, match=r"too long \(limit kdf_iterations"):
        load_private(block, None)


@pytest.mark.parametrize(("n", "r", "p"), [(2**22, 8, 2), (2**14, 8, 2**20), (2**62, 2**62, 1)])
def test_a_key_that_would_take_all_memory_to_open_is_refused(n, r, p):
    with pytest.raises(LimitExceeded, match="limit kdf_bytes"):
        pkcs8.check_cost(scrypt(n, r, p))


@pytest.mark.parametrize(("n", "r", "p"), [(2**14, 8, 1), (2**17, 8, 1), (2**19, 8, 1)])
def test_what_others_write_with_scrypt_is_not_refused(n, r, p):
    pkcs8.check_cost(scrypt(n, r, p))


def test_what_we_write_is_not_refused():
    pkcs8.check_cost(pkcs8.encrypt(b"private", b"password"))


@pytest.mark.parametrize(
    "sealed",
    [b"", b"\x30", b"\x30\x80", b"\x30\xff", b"\x30\x82\xff\xff\x30\x05\x02", b"\x30\x03\x30\x01\x02", b"\x30" * 9],
)
def test_what_is_no_such_structure_costs_nothing_to_refuse(sealed):
    pkcs8.check_cost(sealed)
    with pytest.raises(Malformed):
        load_private(only_block(armour("ENCRYPTED PRIVATE KEY", sealed)), lambda: b"x")


def test_a_million_nested_sequences_are_walked_without_recursion():
    pkcs8.check_cost(b"\x30\x84\xff\xff\xff\xff" * 150_000)
