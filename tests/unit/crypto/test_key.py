from __future__ import annotations

import copy

import pytest

from navicert.crypto.formats import load_public_key
from navicert.crypto.key import SCHEMES, Key
from navicert.crypto.signer import MemorySigner
from navicert.errors import Malformed

# Public keys from the test data of the reference implementations, with ids that stand in their links and layouts.
GRACE = """-----BEGIN PUBLIC KEY-----
MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEP8KQHqKA3QhiGQS6jlfoTXJlGTGcXxd2
ItmmqU/y8uryUNsXnV0nWloCsObK0XAMrMD1iWvHYMSDV14PP0vawLN+jfV7lrc5
IJwy1aFhPlerISgwe3OgrKJdFkn8LGu2
-----END PUBLIC KEY-----
"""
ALICE = """-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr2u+1EN9NMIAtqYZ2pqF
3ov4omRpdgEorv1L4sBMaFN+2EPyqeMTF838/W4V/1fHLr5jaqIVY0VjcpAmCRJ6
oRhxw/6o7dgiIPsrTCWQHFAkXcElgb+2JUXWZO3azX90fxFliucPPj0IrLgK3u5O
D+XgaT773Za2JJSe7A0Iacjb23Elm2T05ydtrWHy5zVMmg+Yj64iaXRxoLUhFpdp
NOw/rVIUSiFItip+SAZjIsjqQDILzy4RcNUJqBFHG2N/cEwnO+ozb1G9sCtGSya6
BkCQGhmX64xgehpSUomDod2q3ZmNlS2+9aUMpNq4TksLL08mhQkZi7atNoG4rq4p
nwIDAQAB
-----END PUBLIC KEY-----
"""
BOB = """-----BEGIN PUBLIC KEY-----
MIIBojANBgkqhkiG9w0BAQEFAAOCAY8AMIIBigKCAYEA0Zfzonp3/FScaIP+KKuz
B+OZNFpjbVGWjm3leqnFqHYLqrLcCw5KhlXpycJqoSvZBpO+PFCksUx8U/ryklHG
VoDiB84pRkvZtBoVaA4b4IHDIhz1K5NqkJgieya4fwReTxmCW0a9gH7AnDicHBCX
lzMxqEdt6OKMV5g4yjKaxf8lW72O1gSI46GSIToo+Z7UUgs3ofaM5UFIcczgCpUa
5kEKocB6cSZ9U8PKRLSs0xO0ROjrcOTsfxMs8eV4bsRCWY5mAq1WM9EHDSV9WO8g
qrRmanC4enNqa8jU4O3zhgJVegP9A01r9AwNt6AqgPSikwhXN/P4v1FMYV+R6N3b
S1lsVWRAnwBq5RFz5zVvcY88JEkHbrcBqP/A4909NXae1VMXmnoJb4EzGAkyUySB
a+fHXAVJgzwyv3I48d/OIjH8NWcVmM/DQL7FtcJk3tp0YUjY5wNpcbQTnLzURtlU
sd+MtGuvdlDxUUvtUYCIVKRdS8UzYnTPjI2xzeoSHZ2ZAgMBAAE=
-----END PUBLIC KEY-----
"""

WEAK = "01" + "00" * 31


def plain(key: Key, **more: object) -> dict[str, object]:
    return {"keytype": key.keytype, "scheme": key.scheme, "keyval": {"public": key.public_text}, **more}


@pytest.mark.parametrize(
    ("pem", "modern", "legacy", "go"),
    [
        (ALICE, "84f7dd43", "70ca5750", "70ca5750"),
        (BOB, "210dcc50", "776a00e2", "776a00e2"),
        (GRACE, "065cffc2", "73eb9ff5", "a5522ebc"),
    ],
)
def test_ids_are_those_that_the_reference_implementations_gave(pem, modern, legacy, go):
    key = load_public_key(pem.encode())
    assert key.legacy_id[:8] == legacy
    assert key.go_id[:8] == go
    assert key.id == key.modern_id
    assert key.short == modern


def test_a_key_answers_to_all_of_its_ids(signer):
    key = signer.key
    assert key.ids == {key.modern_id, key.legacy_id, key.go_id}
    assert key.with_id("abcd" * 16).ids == key.ids | {"abcd" * 16}
    assert {key.id_of("modern"), key.id_of("legacy"), key.id_of("go")} == key.ids


def test_only_for_ecdsa_does_go_differ_from_legacy(signer):
    assert (signer.key.go_id != signer.key.legacy_id) == (signer.key.keytype == "ecdsa")


def test_the_scheme_is_part_of_the_id_and_of_equality_but_not_of_the_material(signers):
    one, other = (MemorySigner.of(signers["rsa"].private, scheme=name).key for name in SCHEMES["rsa"][:2])
    assert one != other
    assert one.modern_id != other.modern_id
    assert (one.material, one.fingerprint) == (other.material, other.fingerprint)


def test_the_id_is_no_part_of_equality(signer):
    other = signer.key.with_id("00" * 32)
    assert other == signer.key
    assert hash(other) == hash(signer.key)
    assert other.id == "00" * 32


def test_a_key_shows_its_id_and_not_its_bytes(signers):
    text = repr(signers["ed25519"].key)
    assert signers["ed25519"].key.id in text
    assert "material" not in text


def test_public_pem_is_read_back_as_the_same_key(signer):
    again = load_public_key(signer.key.public_pem())
    assert again == signer.key
    assert again.material == signer.key.material


# --- key objects ---------------------------------------------------------------------------------------------------


def test_to_json_is_read_back_under_the_same_id(signer):
    for key in (signer.key, signer.key.with_id("ab" * 32)):
        again = Key.from_json(key.to_json())
        assert again == key
        assert again.id == key.id


def test_to_json_has_what_every_implementation_needs_and_nothing_private(signer):
    document = signer.key.to_json()
    assert list(document) == ["keyid", "keyid_hash_algorithms", "keytype", "keyval", "scheme"]
    assert document["keyid_hash_algorithms"] == ["sha256", "sha512"]
    keyval = document["keyval"]
    assert isinstance(keyval, dict)
    assert list(keyval) == ["public"]


def test_a_layouts_own_name_for_a_key_is_its_id_verbatim(signer):
    key = Key.from_json(plain(signer.key, keyid="cd" * 32), id="ABCDEF0123456789")
    assert key.id == "ABCDEF0123456789"


def test_without_any_name_the_id_follows_from_the_shape_of_the_object(signer):
    assert Key.from_json(plain(signer.key)).id == signer.key.modern_id
    old = plain(signer.key, keyid_hash_algorithms=["sha256", "sha512"])
    assert Key.from_json(old).id == signer.key.legacy_id


def test_hash_algorithms_and_an_empty_private_half_are_no_part_of_the_key(signer):
    key = signer.key
    shapes = [
        plain(key),
        plain(key, keyid_hash_algorithms=["sha256"]),
        plain(key, keyid_hash_algorithms=None),
        plain(key, keyid=key.id, unknown={"field": 1}),
        plain(key, keyval={"public": key.public_text, "private": ""}),
        plain(key, keyval={"public": key.public_text, "private": None}),
        plain(key, keyval={"public": key.public_text.rstrip("\n")}),
        plain(key, keyval={"public": key.public_text.replace("\n", "\r\n")}),
    ]
    assert {Key.from_json(shape).material for shape in shapes} == {key.material}
    assert {Key.from_json(shape) for shape in shapes} == {key}


@pytest.mark.parametrize("kind", ["P-256", "P-384", "P-521"])
def test_an_ecdsa_key_may_repeat_its_scheme_as_keytype(signers, kind):
    key = signers[kind].key
    old = Key.from_json(plain(key, keytype=key.scheme, keyid_hash_algorithms=["sha256", "sha512"]))
    assert old == key
    assert old.keytype == "ecdsa"
    # in-toto of that time hashed what the object says.
    assert old.id not in key.ids


def test_ed25519_hex_may_be_in_either_case(signers):
    key = signers["ed25519"].key
    upper = Key.from_json(plain(key, keyval={"public": key.public_text.upper()}))
    assert upper == key
    assert upper.modern_id == key.modern_id


def test_a_key_object_verifies_what_its_private_half_signed(signer):
    key = Key.from_json(signer.key.to_json())
    signature = signer.sign(b"message")
    assert key.verify(signature, b"message")
    assert key.verify(signature, b"message")  # from the second time on with the loaded key
    assert not key.verify(signature, b"another")


def test_a_key_is_a_value_that_can_be_copied(signers):
    key = Key.from_json(signers["ed25519"].key.to_json())
    assert copy.copy(key) == key


def refused(document: object, pointer: str, match: str) -> None:
    with pytest.raises(Malformed, match=match) as caught:
        Key.from_json(document, id="ab" * 32, pointer="/keys/x")
    assert caught.value.pointer == f"/keys/x{pointer}"


@pytest.fixture
def ed(signers) -> Key:
    key: Key = signers["ed25519"].key
    return key


@pytest.mark.parametrize("value", [None, [], "key", 1, True])
def test_what_is_no_object_is_no_key(value):
    refused(value, "", "expected object")


@pytest.mark.parametrize("field", ["keytype", "scheme", "keyval"])
def test_a_missing_field_is_named(ed, field):
    document = plain(ed)
    del document[field]
    refused(document, "", f'"{field}" is missing')


@pytest.mark.parametrize("value", [None, [], {}, 1])
@pytest.mark.parametrize("field", ["keytype", "scheme"])
def test_fields_of_a_wrong_type_are_refused(ed, field, value):
    refused(plain(ed, **{field: value}), f"/{field}", "wrong type")


@pytest.mark.parametrize("value", [None, [], "x", 1])
def test_a_keyval_that_is_no_object_is_refused(ed, value):
    refused(plain(ed, keyval=value), "/keyval", "expected object")


def test_a_missing_public_half_is_named(ed):
    refused(plain(ed, keyval={}), "/keyval", '"public" is missing')
    refused(plain(ed, keyval={"public": 5}), "/keyval/public", "expected string")


@pytest.mark.parametrize("keytype", ["dsa", "ml-dsa", "ecdsa-sha2-nistp224", "ecdsa-sha2-nistp256", "x" * 500, ""])
def test_other_types_are_refused(ed, keytype):
    refused(plain(ed, keytype=keytype), "/keytype", "unsupported type of key")


@pytest.mark.parametrize("scheme", ["rsassa-pss-sha1", "rsassa-pss-md5", "rsa-pkcs1v15-sha1", "ed25519", ""])
def test_weak_and_foreign_schemes_are_refused(signers, scheme):
    refused(plain(signers["rsa"].key, scheme=scheme), "/scheme", "unsupported signature scheme for rsa")


def test_a_scheme_for_another_curve_is_refused(signers):
    refused(plain(signers["P-256"].key, scheme="ecdsa-sha2-nistp384"), "/scheme", "does not suit the key")


def test_a_key_of_another_type_than_stated_is_refused(signers):
    document = plain(signers["P-256"].key, keytype="rsa", scheme="rsassa-pss-sha256")
    refused(document, "/keyval/public", "of another type than stated.*expected rsa, got ecdsa")


@pytest.mark.parametrize(
    "public",
    [
        "",
        "00",
        "0" * 63,
        "0" * 65,
        "g" * 64,
        " " * 64,
        "é" * 64,
        "0x" + "0" * 62,
        "a" * 62 + " a",
        "a" * 62 + "  ",
        "a" * 64 + "\n",
    ],
)
def test_an_ed25519_key_that_is_not_64_digits_is_refused(ed, public):
    refused(plain(ed, keyval={"public": public}), "/keyval/public", "not an Ed25519 public key")


def test_an_ed25519_key_for_which_anyone_can_sign_is_refused(ed):
    refused(plain(ed, keyval={"public": WEAK}), "/keyval/public", "anyone can sign")


def test_an_unreadable_pem_key_is_refused_with_its_pointer(signers):
    document = plain(signers["rsa"].key, keyval={"public": "-----BEGIN PUBLIC KEY-----\n"})
    refused(document, "/keyval/public", "cut off")


@pytest.mark.parametrize("value", ["sha256", {}, 1, ["sha256", 1]])
def test_hash_algorithms_of_a_wrong_type_are_refused(ed, value):
    with pytest.raises(Malformed, match="wrong type") as caught:
        Key.from_json(plain(ed, keyid_hash_algorithms=value))
    assert caught.value.pointer.startswith("/keyid_hash_algorithms")


@pytest.mark.parametrize("keyid", [1, [], "", "xyz", "ab"])
def test_a_key_id_that_is_none_is_refused_where_it_would_be_used(ed, keyid):
    with pytest.raises(Malformed) as caught:
        Key.from_json(plain(ed, keyid=keyid))
    assert caught.value.pointer == "/keyid"


def test_a_private_key_in_a_public_document_is_refused_because_it_has_leaked(ed):
    document = plain(ed, keyval={"public": ed.public_text, "private": "ab" * 32})
    refused(document, "/keyval/private", "holds a private key.*replace it")


@pytest.mark.parametrize("private", [0, [], {}, False])
def test_a_private_half_of_another_type_is_refused(ed, private):
    refused(
        plain(ed, keyval={"public": ed.public_text, "private": private}),
        "/keyval/private",
        "got (integer|array|object|boolean)",
    )


def test_a_certificate_instead_of_a_key_is_refused_by_name(signers):
    document = plain(signers["rsa"].key, keyval={"public": "", "private": "", "certificate": "-----BEGIN"})
    refused(document, "/keyval", "certificates are not supported")


@pytest.mark.parametrize(
    ("document", "missing"),
    [
        ({"method": "pgp+rsa-pkcsv1.5", "type": "rsa", "hashes": ["pgp+SHA2"], "keyval": {}, "subkeys": {}}, "keyid"),
        ({"type": "eddsa", "subkeys": {}}, "method"),
    ],
)
def test_a_gpg_key_that_lacks_a_field_is_refused(document, missing):
    refused(document, "", f'required field "{missing}" is missing')
