from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from tests.openpgp_builder import DSA, EDDSA, RSA, Pgp, mpi, pgp

from navicert.crypto.gpg_algorithm import BY_TYPE, SHA256, material, of_octet, read_signature, read_values, verify
from navicert.crypto.gpg_packet import Reader
from navicert.crypto.material import describe
from navicert.errors import Malformed

NAMES = ("rsa", "dsa", "eddsa")
DIGEST = hashlib.sha256(b"content").digest()


def values(key: Pgp) -> dict[str, str]:
    return read_values(of_octet(key.octet), Reader(key.body[6:]))


def small(bits: int) -> dict[str, str]:
    numbers = rsa.generate_private_key(65537, bits).public_key().public_numbers()
    return {"n": f"{numbers.n:x}", "e": f"{numbers.e:x}"}


@pytest.fixture(scope="module")
def dsa() -> dict[str, int]:
    return {name: int(value, 16) for name, value in values(pgp("dsa")).items()}


@pytest.mark.parametrize("name", ["rsa", "eddsa"])
def test_a_gpg_key_has_the_same_material_as_the_same_key_in_another_form(name):
    key = pgp(name)
    assert material(of_octet(key.octet), values(key)) == describe(key.private.public_key()).spki


@pytest.mark.parametrize("name", NAMES)
def test_the_numbers_of_a_key_are_those_of_its_packet(name):
    assert tuple(values(pgp(name))) == BY_TYPE[name].values
    with pytest.raises(Malformed, match="1 bytes too many"):
        read_values(BY_TYPE[name], Reader(pgp(name).body[6:] + b"x"))
    with pytest.raises(Malformed, match="cut off"):
        read_values(BY_TYPE[name], Reader(pgp(name).body[6:-1]))


@pytest.mark.parametrize("octet", [0, 2, 3, 16, 18, 19, 25, 27])
def test_algorithms_that_in_toto_does_not_know_are_refused(octet):
    with pytest.raises(Malformed, match=f"unsupported OpenPGP algorithm.*got {octet}"):
        of_octet(octet)


@pytest.mark.parametrize(
    "body",
    [
        bytes.fromhex("0a2b060104019755010501") + mpi(b"\x40" + bytes(range(32))),  # Curve25519, which cannot sign
        bytes.fromhex("092b06010401da470f01") + mpi(b"\x04" + bytes(range(32))),
        bytes.fromhex("092b06010401da470f01") + mpi(b"\x40" + bytes(range(31))),
        bytes.fromhex("052b81040023") + mpi(b"\x04" + bytes(64)),
    ],
)
def test_other_curves_and_forms_of_points_are_refused(body):
    with pytest.raises(Malformed, match="unsupported curve"):
        read_values(BY_TYPE["eddsa"], Reader(body))


# --- keys that must not be trusted ---------------------------------------------------------------------------------


def test_an_rsa_key_that_can_be_broken_is_refused():
    with pytest.raises(Malformed, match=r"RSA key too weak.*1024 bits"):
        material(BY_TYPE["rsa"], small(1024))


def test_an_rsa_key_whose_signatures_are_the_messages_is_refused():
    with pytest.raises(Malformed, match="not a usable RSA key"):
        material(BY_TYPE["rsa"], {**values(pgp("rsa")), "e": "01"})


def test_a_point_that_anyone_can_sign_for_is_refused():
    with pytest.raises(Malformed, match="small order"):
        material(BY_TYPE["eddsa"], {"q": "01" + "00" * 31})


def test_a_dsa_key_that_anyone_can_sign_for_is_refused(dsa):
    p, q, g = dsa["p"], dsa["q"], dsa["g"]
    for changed in ({"y": 1}, {"y": p - 1}, {"y": p}, {"g": 1}, {"g": p - 1}, {"g": p}, {"y": 2}, {"q": q + 2}):
        with pytest.raises(Malformed):
            material(BY_TYPE["dsa"], {name: f"{value:x}" for name, value in {**dsa, **changed}.items()})
    other = pow(g, 12345, p)
    material(BY_TYPE["dsa"], {name: f"{value:x}" for name, value in {**dsa, "y": other}.items()})


def test_a_dsa_key_that_can_be_broken_is_refused(dsa):
    weak = {"p": 2**1023 + 1, "q": 2**159 + 1, "g": 2, "y": 4}
    with pytest.raises(Malformed, match=r"DSA key too weak.*1024 bits, 160"):
        material(BY_TYPE["dsa"], {name: f"{value:x}" for name, value in weak.items()})
    with pytest.raises(Malformed, match="not a usable DSA key"):
        material(BY_TYPE["dsa"], {name: f"{value:x}" for name, value in {**dsa, "p": 2**2047 + 2**2048 + 1}.items()})


@pytest.mark.parametrize("text", ["", "0x10", "-5", "1_0", "zz", " 10", "٣", "f" * 4097])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(Malformed, match='"n" of a gpg key is no number'):
        material(BY_TYPE["rsa"], {"n": text, "e": "010001"})


@pytest.mark.parametrize("text", ["", "ab" * 31, "ab" * 33, "xy" * 32, "+" + "1" * 63])
def test_what_is_no_point_is_refused(text):
    with pytest.raises(Malformed, match='"q" of a gpg key is no'):
        material(BY_TYPE["eddsa"], {"q": text})


# --- signatures ----------------------------------------------------------------------------------------------------


def signed(key: Pgp) -> bytes:
    """The value of a signature over `DIGEST`."""
    return read_signature(of_octet(key.octet), Reader(key._value(DIGEST, SHA256)))


@pytest.mark.parametrize("name", NAMES)
def test_a_signature_is_of_its_digest_and_its_key_only(name):
    key, spki = pgp(name), material(of_octet(pgp(name).octet), values(pgp(name)))
    other = material(of_octet(key.octet), values(pgp(f"{name} other")))
    value = signed(key)
    assert verify(name, spki, value, SHA256, DIGEST)
    assert not verify(name, other, value, SHA256, DIGEST)
    assert not verify(name, spki, value, SHA256, hashlib.sha256(b"other").digest())
    assert not verify(name, spki, value[:-1] + bytes([value[-1] ^ 1]), SHA256, DIGEST)
    for wrong in (b"", b"\0", value[:-1], value + b"\0", value * 2, b"\0" + value, bytes(10_000)):
        assert not verify(name, spki, wrong, SHA256, DIGEST)


def test_an_rsa_signature_may_have_lost_its_leading_zeros_or_not():
    key, spki = pgp("rsa"), material(BY_TYPE["rsa"], values(pgp("rsa")))
    assert isinstance(key.private, rsa.RSAPrivateKey)
    for attempt in range(10_000):  # one in 256 begins with a zero
        digest = hashlib.sha256(b"%d" % attempt).digest()
        value = read_signature(BY_TYPE["rsa"], Reader(key._value(digest, SHA256)))
        if len(value) < 256:
            break
    assert len(value) == 255
    assert verify("rsa", spki, value, SHA256, digest)
    assert verify("rsa", spki, b"\0" + value, SHA256, digest)
    assert not verify("rsa", spki, b"\0\0" + value, SHA256, digest)


def test_the_halves_of_an_eddsa_signature_get_their_leading_zeros_back():
    value = read_signature(BY_TYPE["eddsa"], Reader(mpi(b"\0\x01" + bytes(30)) + mpi(b"\0\0\x02" + bytes(29))))
    assert value == b"\0\x01" + bytes(30) + b"\0\0\x02" + bytes(29)
    with pytest.raises(Malformed, match="two numbers of at most 32 bytes"):
        read_signature(BY_TYPE["eddsa"], Reader(mpi(b"\x01" * 33) + mpi(b"\x01" * 32)))


def test_a_dsa_signature_is_kept_as_der():
    value = signed(pgp("dsa"))
    assert encode_dss_signature(*decode_dss_signature(value)) == value


@pytest.mark.parametrize("octet", [RSA, DSA, EDDSA])
def test_a_signature_with_something_behind_it_is_refused(octet):
    with pytest.raises(Malformed, match="1 bytes too many"):
        read_signature(of_octet(octet), Reader(mpi(5) + (b"" if octet == RSA else mpi(5)) + b"x"))
