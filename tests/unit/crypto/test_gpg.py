from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.openpgp_builder import CERTIFICATION, MADE, SHA1, PgpSigner, packet, pgp, public

from navicert.crypto import gpg_algorithm
from navicert.crypto.gpg import GpgKey
from navicert.crypto.gpg_algorithm import SHA256
from navicert.crypto.gpg_packet import Reader
from navicert.crypto.gpg_signature import digest, read_signature
from navicert.crypto.key import Key
from navicert.errors import LimitExceeded, Malformed
from navicert.limits import LOCAL

CONTENT = b'{"signed":"content"}'
TYPES = ("rsa", "dsa", "eddsa")

# A key object as in-toto 3.1.0 wrote it, for a key whose private half was thrown away.
WRITTEN: dict[str, Any] = {
    "method": "pgp+eddsa-ed25519",
    "type": "eddsa",
    "hashes": ["pgp+SHA2"],
    "creation_time": 1_795_320_763,
    "keyid": "e29b4b0ea0beb47146a74267628354bf3de2e423",
    "keyval": {"private": "", "public": {"q": "66d72ee7a2294404906a46f698f514b1024f4c9eb0102110743768873059a78d"}},
}


def changed(*path: str, **fields: object) -> dict[str, Any]:
    """`WRITTEN`, with other fields in the object at `path`; None takes one away."""
    document = copy.deepcopy(WRITTEN)
    inside = document
    for name in path:
        inside = inside[name]
    for name, value in fields.items():
        if value is None:
            del inside[name]
        else:
            inside[name] = value
    return document


def verifies(key: Key, entry: dict[str, object]) -> bool:
    value, headers = (bytes.fromhex(str(entry[name])) for name in ("signature", "other_headers"))
    return key.verify(value, CONTENT, headers)


@pytest.fixture(params=TYPES)
def signer(request: pytest.FixtureRequest) -> PgpSigner:
    return PgpSigner(pgp(request.param), public(pgp(request.param), pgp("rsa sub"), pgp("sub")))


# --- key objects ---------------------------------------------------------------------------------------------------


def test_a_key_object_of_the_reference_implementation_is_read_and_written_back_as_it_was():
    key = Key.from_json(WRITTEN)
    assert isinstance(key, GpgKey)
    assert (key.keytype, key.scheme, key.id, key.created) == (
        "eddsa",
        "pgp+eddsa-ed25519",
        WRITTEN["keyid"],
        1795320763,
    )
    assert key.to_json() == WRITTEN


def test_a_key_with_subkeys_is_written_and_read_back(signer):
    document = signer.key.to_json()
    assert list(document["subkeys"]) == [pgp("rsa sub").fingerprint, pgp("sub").fingerprint]
    again = Key.from_json(document)
    assert again == signer.key
    assert again.members == signer.key.members
    assert again.to_json() == document


def test_what_a_very_old_layout_does_not_say_is_not_made_up():
    key = Key.from_json(changed(creation_time=None))
    assert (key.expires, key.to_json()) == (None, changed(creation_time=None))


def test_a_layout_may_call_a_key_by_another_id():
    key = Key.from_json(WRITTEN, id="ab" * 20)
    assert (key.id, key.short, key.ids) == ("ab" * 20, "abababab", {"ab" * 20, WRITTEN["keyid"]})
    assert key.to_json() == WRITTEN
    assert key == Key.from_json(WRITTEN)


def test_a_gpg_key_has_one_id_in_all_forms():
    key = Key.from_json(WRITTEN)
    assert {key.modern_id, key.legacy_id, key.go_id, key.id_of("legacy")} == {WRITTEN["keyid"]}
    assert key.ids == {WRITTEN["keyid"]}


def test_the_same_numbers_under_another_name_are_another_key_of_the_same_material():
    one, other = Key.from_json(WRITTEN), Key.from_json(changed(keyid="ab" * 20))
    assert one != other
    assert one.fingerprint == other.fingerprint


@pytest.mark.parametrize(
    ("document", "pointer", "why"),
    [
        (changed(type="elgamal"), "/type", "unsupported type of gpg key.*got 'elgamal'"),
        (changed(type=5), "/type", "wrong type"),
        (changed(method="pgp+rsa-pkcsv1.5"), "/method", "does not suit"),
        (changed(method=None, subkeys={}), "", 'required field "method" is missing'),
        (changed(keyid=None), "", 'required field "keyid" is missing'),
        (changed(keyid="../../x"), "/keyid", "not a key id"),
        (changed(hashes=None), "", 'required field "hashes" is missing'),
        (changed(hashes="pgp+SHA2"), "/hashes", "wrong type"),
        (changed(hashes=[5]), "/hashes/0", "wrong type"),
        (changed(keyval=None), "", 'required field "keyval" is missing'),
        (changed(keyval=[]), "/keyval", "wrong type"),
        (changed("keyval", private="secret"), "/keyval/private", "holds a private key.*got a private key"),
        (changed("keyval", private={}), "/keyval/private", "holds a private key.*got object"),
        (changed("keyval", public=None), "/keyval", 'required field "public" is missing'),
        (changed("keyval", public="ab"), "/keyval/public", "wrong type"),
        (changed("keyval", "public", q=None), "/keyval/public", 'required field "q" is missing'),
        (changed("keyval", "public", q=5), "/keyval/public/q", "wrong type"),
        (changed("keyval", "public", q="zz" * 32), "/keyval", "no number"),
        (changed("keyval", "public", q="00" * 32), "/keyval", "small order"),
        (changed(creation_time=True), "/creation_time", "wrong type"),
        (changed(creation_time="5"), "/creation_time", "wrong type"),
        (changed(creation_time=-1), "/creation_time", "not a number of seconds"),
        (changed(creation_time=2**32), "/creation_time", "not a number of seconds"),
        (changed(validity_period=1.5), "/validity_period", "wrong type"),
        (changed(validity_period=10**30), "/validity_period", "not a number of seconds"),
        (changed(subkeys=[]), "/subkeys", "wrong type"),
        (changed(subkeys={"ab" * 20: 5}), f"/subkeys/{'ab' * 20}", "wrong type"),
        (changed(subkeys={"xy" * 20: WRITTEN}), "/subkeys", "not a key id"),
        (changed(subkeys={"ab" * 20: changed(type="x")}), f"/subkeys/{'ab' * 20}/type", "unsupported type"),
    ],
)
def test_a_malformed_key_object_is_refused_with_its_pointer(document, pointer, why):
    with pytest.raises(Malformed, match=why) as caught:
        Key.from_json(document, pointer="/keys/x")
    assert caught.value.pointer == f"/keys/x{pointer}"


def test_a_subkey_nested_in_a_subkey_is_refused():
    nested = changed(subkeys={"ab" * 20: changed(subkeys={"cd" * 20: WRITTEN})})
    with pytest.raises(Malformed, match="a subkey has subkeys") as caught:
        Key.from_json(nested)
    assert caught.value.pointer == f"/subkeys/{'ab' * 20}/subkeys"


def test_a_crowd_of_subkeys_is_refused():
    crowd = {f"{index:040x}": WRITTEN for index in range(LOCAL.gpg_subkeys + 1)}
    with pytest.raises(LimitExceeded, match="gpg_subkeys"):
        Key.from_json(changed(subkeys=crowd))


# --- signatures ----------------------------------------------------------------------------------------------------


def test_a_signature_is_entered_as_the_reference_implementation_does_and_verifies(signer):
    entry = signer.key.signature_entry(signer.keyid, signer.sign(CONTENT))
    assert list(entry) == ["keyid", "signature", "other_headers"]
    assert entry["keyid"] == signer.pgp.fingerprint
    assert str(entry["other_headers"]).startswith(f"0400{signer.pgp.octet:02x}08")
    assert verifies(signer.key, entry)


def test_only_the_very_key_verifies_a_signature_and_none_of_its_subkeys(signer):
    entry = signer.key.signature_entry(signer.keyid, signer.sign(CONTENT))
    assert not any(verifies(subkey, entry) for subkey in signer.key.subkeys)
    assert not verifies(public(pgp("rsa other")), entry)


@pytest.mark.parametrize("name", ["rsa sub", "sub"])
def test_a_signature_of_a_subkey_is_entered_under_its_own_id(signer, name):
    by_subkey = PgpSigner(pgp(name), signer.key)
    entry = signer.key.signature_entry(by_subkey.keyid, by_subkey.sign(CONTENT))
    assert entry["keyid"] == pgp(name).fingerprint
    assert [verifies(member, entry) for member in signer.key.members] == [
        False,
        name == "rsa sub",
        name == "sub",
    ]


def test_a_signature_of_another_key_is_not_entered(signer):
    stranger = PgpSigner(pgp("stranger"), signer.key)
    with pytest.raises(Malformed, match="signature by another key"):
        signer.key.signature_entry(signer.keyid, stranger.sign(CONTENT))


@pytest.mark.parametrize("position", [0, 1, 2, 3, 4, 5, 6, 20, -1])
def test_tampering_with_the_headers_breaks_the_signature(signer, position):
    found = read_signature(signer.sign(CONTENT))
    headers = bytearray(found.headers)
    headers[position] ^= 1
    assert signer.key.verify(found.value, CONTENT, found.headers)
    assert not signer.key.verify(found.value, CONTENT, bytes(headers))


def test_headers_cannot_be_cut_extended_or_left_out(signer):
    found = read_signature(signer.sign(CONTENT))
    for headers in (found.headers[:-1], found.headers + b"x", b"", found.headers[:6], bytes(70_000), None):
        assert not signer.key.verify(found.value, CONTENT, headers)


def test_bytes_cannot_be_moved_between_content_and_headers(signer):
    found = read_signature(signer.sign(CONTENT))
    whole = CONTENT + found.headers
    for cut in (len(CONTENT) - 1, len(CONTENT) + 1):
        assert not signer.key.verify(found.value, whole[:cut], whole[cut:])


@pytest.mark.parametrize("more", [{"kind": 0x01}, {"kind": CERTIFICATION}, {"kind": 0x18}, {"hash": SHA1}])
def test_a_signature_of_another_type_or_with_a_weak_hash_does_not_verify(signer, more):
    made = packet(2, signer.pgp.sign(CONTENT, **more))
    headers = made[5 : 5 + 6 + int.from_bytes(made[9:11], "big")]
    value = read_signature(signer.sign(CONTENT)).value
    assert headers[0] == 4
    with pytest.raises(Malformed):
        read_signature(made)
    assert not signer.key.verify(value, CONTENT, headers)


@pytest.mark.parametrize("name", TYPES)
def test_headers_that_were_signed_must_be_those_of_the_key_and_whole(name):
    """Only whoever has the private key can make such signatures; they are refused as ambiguous all the same."""
    key = pgp(name)
    usual = read_signature(packet(2, key.sign(CONTENT))).headers
    for headers, good in (
        (usual, True),
        (usual[:2] + bytes([key.octet ^ 16]) + usual[3:], False),
        (usual + b"more", False),
        (usual[:4] + b"\0\0" + usual[6:], False),
    ):
        made = key._value(digest(SHA256, CONTENT, headers), SHA256)
        value = gpg_algorithm.read_signature(gpg_algorithm.of_octet(key.octet), Reader(made))
        assert public(key).verify(value, CONTENT, headers) == good


def test_a_signature_over_text_is_no_signature_over_a_document():
    # Its value is good for what its headers say; only what they say is not what is needed.
    key = pgp("rsa")
    made = key.sign(CONTENT, 0x01)
    headers = made[: 6 + int.from_bytes(made[4:6], "big")]
    value = made[len(headers) + 2 + 2 + 2 :]
    assert not public(key).verify(value, CONTENT, headers)
    again = key.sign(CONTENT, 0x00)
    assert public(key).verify(again[len(headers) + 2 + 2 + 2 :], CONTENT, again[: len(headers)])


def test_a_key_that_is_not_of_gpg_verifies_no_openpgp_signature(signers, signer):
    found = read_signature(signer.sign(CONTENT))
    for other in signers.values():
        assert not other.key.verify(found.value, CONTENT, found.headers)
        assert not other.key.verify(other.sign(CONTENT), CONTENT, b"")
        assert other.key.members == (other.key,)
        assert other.key.expires is None


def test_a_gpg_key_verifies_no_plain_signature_by_the_same_private_key():
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    key = pgp("rsa")
    plain = key.private.sign(CONTENT, padding.PKCS1v15(), hashes.SHA256())  # type: ignore[call-arg, arg-type]
    assert not public(key).verify(plain, CONTENT)
    assert not public(pgp("eddsa")).verify(pgp("eddsa").private.sign(CONTENT), CONTENT)  # type: ignore[call-arg]


# --- expiry --------------------------------------------------------------------------------------------------------


def test_a_key_expires_when_its_time_is_over_and_not_before():
    key = Key.from_json(changed(validity_period=3600))
    moment = datetime.fromtimestamp(1_795_320_763 + 3600, UTC)
    assert key.expires == moment
    assert not key.expired(moment)
    assert key.expired(moment + timedelta(seconds=1))


def test_a_key_of_no_stated_validity_or_of_zero_seconds_does_not_expire():
    late = datetime(9999, 1, 1, tzinfo=UTC)
    for document in (WRITTEN, changed(validity_period=0), changed(creation_time=None, validity_period=60)):
        assert not Key.from_json(document).expired(late)


def test_a_key_made_at_the_beginning_of_time_expires_too():
    assert Key.from_json(changed(creation_time=0, validity_period=60)).expired(datetime.fromtimestamp(MADE, UTC))


def test_the_longest_validity_is_a_date():
    key = Key.from_json(changed(creation_time=2**32 - 1, validity_period=2**32 - 1))
    assert key.expires == datetime.fromtimestamp(2**33 - 2, UTC)
