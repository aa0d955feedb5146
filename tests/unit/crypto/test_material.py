from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, rsa, x448, x25519
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)

from navicert.crypto import material
from navicert.crypto.pem import armour, load_public
from navicert.crypto.pkcs8 import _der, _sequence
from navicert.errors import Malformed

SPKI = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def test_material_is_the_subject_public_key_info(signer):
    public = signer.private.public_key()
    assert material.describe(public).spki == public.public_bytes(*SPKI)


def test_a_compressed_point_is_the_same_material(signers):
    public = signers["P-256"].private.public_key()
    point = public.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    compressed = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200") + point
    assert material.describe(load_der_public_key(compressed)).spki == public.public_bytes(*SPKI)


def test_an_rsa_key_marked_for_pss_only_is_the_same_material(signers):
    plain = signers["rsa"].private.public_key().public_bytes(*SPKI)
    # The algorithm rsaEncryption with NULL replaced by id-RSASSA-PSS without parameters; lengths follow.
    body = plain[plain.index(bytes.fromhex("0382010f")) :]
    algorithm = bytes.fromhex("300b06092a864886f70d01010a")
    marked = b"\x30\x82" + (len(algorithm) + len(body)).to_bytes(2, "big") + algorithm + body
    assert material.describe(load_der_public_key(marked)).spki == plain


@pytest.mark.parametrize(
    ("key", "named"),
    [
        (x25519.X25519PrivateKey.generate(), "X25519"),
        (x448.X448PrivateKey.generate(), "X448"),
        (ed448.Ed448PrivateKey.generate(), "Ed448"),
    ],
)
def test_keys_of_other_types_are_refused_by_name(key, named):
    with pytest.raises(Malformed, match=f"unsupported type of key.*got {named}"):
        material.describe(key.public_key())
    with pytest.raises(Malformed, match=f"unsupported type of key.*got {named}"):
        material.private(key)


def test_dsa_keys_are_refused_by_name():
    key = dsa.generate_private_key(1024)
    for half in (key, key.public_key()):
        with pytest.raises(Malformed, match="got DSA"):
            material.private(half) if half is key else material.describe(half)


def test_anything_else_is_refused():
    with pytest.raises(Malformed, match="got another type"):
        material.describe("key")


@pytest.mark.parametrize("curve", [ec.SECP224R1(), ec.SECP256K1(), ec.BrainpoolP256R1()])
def test_other_curves_are_refused_by_name(curve):
    key = ec.generate_private_key(curve)
    with pytest.raises(Malformed, match=f"unsupported curve.*got {curve.name}"):
        material.describe(key.public_key())


def test_rsa_keys_that_can_be_factored_are_refused():
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    with pytest.raises(
        Malformed, match=r"too weak to sign or verify with \(expected at least 2048 bits, got 1024 bits"
    ):
        material.describe(key.public_key())


def rsa_spki(n: int, e: int) -> bytes:
    def integer(value: int) -> bytes:
        return _der(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))

    algorithm = bytes.fromhex("300d06092a864886f70d0101010500")
    return _sequence(algorithm, _der(3, b"\0" + _sequence(integer(n), integer(e))))


def test_rsa_keys_longer_than_the_library_works_with_are_refused():
    with pytest.raises(Malformed, match=r"RSA key too long \(expected at most 16384 bits, got 16385 bits\)"):
        material.describe(load_der_public_key(rsa_spki(2**16384 + 1, 65537)))


def test_an_rsa_key_whose_exponent_is_one_is_refused_because_padding_would_be_its_own_signature(signers):
    n = signers["rsa"].private.public_key().public_numbers().n
    with pytest.raises(Malformed, match="holds no readable key"):
        load_public(armour("PUBLIC KEY", rsa_spki(n, 1)))


def test_ed25519_keys_that_anyone_can_sign_for_are_refused():
    with pytest.raises(Malformed, match="anyone can sign"):
        material.describe(Ed25519PublicKey.from_public_bytes(b"\1" + bytes(31)))


class LoadedElsewhere:
    """What a library that does not look at the exponent would hand over."""

    key_size = 2048

    def __init__(self, n: int) -> None:
        self.n = n

    def public_numbers(self) -> rsa.RSAPublicNumbers:
        return rsa.RSAPublicNumbers(1, self.n)


rsa.RSAPublicKey.register(LoadedElsewhere)


def test_the_exponent_is_checked_even_where_the_library_did_not(signers):
    key = LoadedElsewhere(signers["rsa"].private.public_key().public_numbers().n)
    with pytest.raises(Malformed, match="not a usable RSA key: e must be >= 3"):
        material.describe(key)
