from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from navicert.crypto import scheme
from navicert.crypto.key import SCHEMES
from navicert.crypto.signer import MemorySigner

MESSAGE = b"a message"


def test_a_signature_verifies_over_its_message_only(signer):
    signature = signer.sign(MESSAGE)
    assert signer.key.verify(signature, MESSAGE) is True
    assert signer.key.verify(signature, MESSAGE + b".") is False


def test_a_signature_does_not_verify_under_another_key(signers):
    from navicert.crypto.signer import generate

    assert generate().key.verify(signers["ed25519"].sign(MESSAGE), MESSAGE) is False


@pytest.mark.parametrize("name", SCHEMES["rsa"])
def test_every_rsa_scheme_verifies_its_own_signatures_and_no_others(signers, name):
    private = signers["rsa"].private
    signature = MemorySigner.of(private, scheme=name).sign(MESSAGE)
    assert len(signature) == 256
    verifying = [
        other for other in SCHEMES["rsa"] if MemorySigner.of(private, scheme=other).key.verify(signature, MESSAGE)
    ]
    assert verifying == [name]


@pytest.mark.parametrize(("bits", "hash"), [(256, hashes.SHA256()), (384, hashes.SHA384()), (512, hashes.SHA512())])
def test_pss_signs_with_a_salt_as_long_as_the_digest(signers, bits, hash):
    private = signers["rsa"].private
    signature = MemorySigner.of(private, scheme=f"rsassa-pss-sha{bits}").sign(MESSAGE)
    private.public_key().verify(signature, MESSAGE, padding.PSS(padding.MGF1(hash), bits // 8), hash)


@pytest.mark.parametrize("salt", [0, 20, 32, padding.PSS.MAX_LENGTH])
def test_pss_verifies_with_a_salt_of_any_length(signers, salt):
    hash = hashes.SHA256()
    signature = signers["rsa"].private.sign(MESSAGE, padding.PSS(padding.MGF1(hash), salt), hash)
    assert signers["rsa"].key.verify(signature, MESSAGE)


@pytest.mark.parametrize("kind", ["P-256", "P-384", "P-521"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda der: der + b"\0",  # trailing data
        lambda der: der[:-1],
        lambda der: b"\x30\x80" + der[2:] + b"\0\0",  # indefinite length: BER, not DER
        lambda der: (
            b"\x30\x84\0\0\0" + der[1:] if der[1] < 0x80 else b"\x30\x82\0" + der[2:]
        ),  # not the shortest length
        lambda der: b"\x31" + der[1:],
        lambda der: encode_dss_signature(0, 0),
        lambda der: encode_dss_signature(1, 0),
        lambda der: b"\x30\x06\x02\x01\xff\x02\x01\xff",
        lambda der: encode_dss_signature(2**2000, 2**2000),
        lambda der: b"".join(number.to_bytes(66, "big") for number in decode_dss_signature(der)),  # r || s
        lambda der: b"",
        lambda der: b"\x30\x06\x02\x01",
    ],
)
def test_ecdsa_signatures_that_are_not_der_are_false_and_raise_nothing(signers, kind, damage):
    signer = signers[kind]
    signature = signer.sign(MESSAGE)
    assert signer.key.verify(damage(signature), MESSAGE) is False


def test_an_ecdsa_number_padded_with_a_zero_is_a_second_form_of_a_signature_and_false(signers):
    signer = signers["P-256"]
    r, s = decode_dss_signature(signer.sign(MESSAGE))
    padded = [b"\0" * 2 + number.to_bytes(32, "big") for number in (r, s)]
    body = b"".join(bytes((2, len(part))) + part for part in padded)
    assert signer.key.verify(bytes((0x30, len(body))) + body, MESSAGE) is False


@pytest.mark.parametrize("name", ["rsassa-pss-sha256", "rsa-pkcs1v15-sha256"])
@pytest.mark.parametrize(
    "damage", [lambda s: b"\0" + s, lambda s: s[:-1], lambda s: b"", lambda s: s * 50, lambda s: b"\xff" * len(s)]
)
def test_rsa_signatures_of_another_length_are_false_and_raise_nothing(signers, name, damage):
    signer = MemorySigner.of(signers["rsa"].private, scheme=name)
    assert signer.key.verify(damage(signer.sign(MESSAGE)), MESSAGE) is False


@pytest.mark.parametrize("name", ["rsassa-pss-sha256", "rsa-pkcs1v15-sha256"])
def test_an_rsa_signature_that_begins_with_zero_must_keep_it(signers, name):
    # The number is the same without it, and OpenSSL takes it for PSS; one signature must not have two forms.
    signer = MemorySigner.of(signers["rsa"].private, scheme=name)
    pairs = ((message, signer.sign(message)) for message in (b"%d" % number for number in range(100_000)))
    message, signature = next((message, signature) for message, signature in pairs if signature[0] == 0)
    assert signer.key.verify(signature, message) is True
    assert signer.key.verify(signature[1:], message) is False
    assert signer.key.verify(b"\0" + signature, message) is False


def test_an_ed25519_signature_with_a_larger_s_is_a_second_form_and_false(signers):
    signer = signers["ed25519"]
    signature = signer.sign(MESSAGE)
    order = 2**252 + 27742317777372353535851937790883648493
    s = int.from_bytes(signature[32:], "little") + order
    assert signer.key.verify(signature[:32] + s.to_bytes(32, "little"), MESSAGE) is False


@pytest.mark.parametrize("signature", [b"", b"\0" * 63, b"\0" * 64, b"\0" * 65, b"\xff" * 64])
def test_ed25519_signatures_of_any_bytes_are_false_and_raise_nothing(signers, signature):
    assert signers["ed25519"].key.verify(signature, MESSAGE) is False


def test_the_hash_of_each_scheme_is_the_one_in_its_name():
    for names in (SCHEMES["rsa"], SCHEMES["ecdsa"]):
        for name in names:
            expected = "sha512" if name.endswith(("512", "521")) else f"sha{name[-3:]}"
            assert scheme.hash_of(name).name == expected
