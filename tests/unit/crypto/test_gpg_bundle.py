from __future__ import annotations

from typing import Any

import pytest
from tests.openpgp_builder import (
    BACK,
    BINDING,
    DIRECT,
    EMBEDDED,
    EXPIRES,
    FLAGS,
    ISSUER,
    MADE,
    MASTER,
    NAME,
    PRIMARY,
    SHA1,
    SHA512,
    SIGNATURE,
    SUBKEY,
    Part,
    Pgp,
    back_signature,
    bundle,
    framed,
    name_packet,
    number,
    packet,
    part,
    pgp,
    public,
    subkey_packet,
)

from navicert.crypto.formats import load_public_key
from navicert.crypto.gpg_bundle import read_bundle
from navicert.errors import LimitExceeded, Malformed
from navicert.limits import LOCAL

MAY_SIGN, MAY_ENCRYPT = Part(FLAGS, b"\x02"), Part(FLAGS, b"\x0c")
ALICE, SUB, MALLORY = "alice", "rsa sub", "mallory"


@pytest.fixture(params=["rsa", "dsa", "eddsa"])
def master(request: pytest.FixtureRequest) -> Pgp:
    return pgp(request.param)


def with_subkey(*signed: bytes, master: Pgp | None = None, subkey: Pgp | None = None) -> bytes:
    """A key whose subkey has these signatures."""
    master, subkey = master or pgp(ALICE), subkey or pgp(SUB)
    return bundle(master) + packet(SUBKEY, subkey.body) + b"".join(packet(SIGNATURE, body) for body in signed)


def binding(master: Pgp | None = None, subkey: Pgp | None = None, *, by: Pgp | None = None, **more: object) -> bytes:
    """The body of a signature that binds a subkey, without a word about what it may do."""
    master, subkey = master or pgp(ALICE), subkey or pgp(SUB)
    return (by or master).sign(framed(master.body) + framed(subkey.body), BINDING, **more)  # type: ignore[arg-type]


def names(data: bytes) -> list[str]:
    """The fingerprints of the subkeys that are left."""
    return [subkey.keyid for subkey in read_bundle(data).subkeys]


# --- what is read --------------------------------------------------------------------------------------------------


def test_a_master_has_its_fingerprint_its_numbers_and_its_subkeys(master):
    key = public(master, pgp(SUB), pgp("sub"))
    assert (key.keyid, key.id, key.created, key.validity) == (master.fingerprint, master.fingerprint, MADE, None)
    assert [one.keyid for one in key.subkeys] == [pgp(SUB).fingerprint, pgp("sub").fingerprint]
    assert [one.keytype for one in key.subkeys] == ["rsa", "eddsa"]
    assert key.openpgp


def test_a_file_with_a_key_is_read_with_armour_or_without(master, tmp_path):
    import base64

    data = bundle(master, pgp(SUB))
    text = base64.encodebytes(data).decode()
    armoured = f"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n{text}-----END PGP PUBLIC KEY BLOCK-----\n"
    for raw in (data, armoured.encode()):
        key = load_public_key(raw)
        assert key == public(master)
        assert len(key.members) == 2


def test_signatures_that_cannot_be_read_prove_nothing_and_do_no_harm():
    master = pgp(ALICE)
    broken = packet(SIGNATURE, b"\x05") + packet(SIGNATURE, b"") + packet(SIGNATURE, b"\x04\x13\x63\x08" + bytes(9))
    data = packet(MASTER, master.body) + name_packet(master, hashed=[Part(EXPIRES, number(60))]) + broken
    key = read_bundle(data + subkey_packet(master, pgp(SUB)) + broken)
    assert key.validity == 60
    assert len(key.subkeys) == 1


@pytest.mark.parametrize("hash", [SHA1, 9, SHA512])
def test_self_signatures_may_be_old_or_stronger(hash):
    master = pgp(ALICE)
    data = packet(MASTER, master.body) + name_packet(master, hash=hash, hashed=[Part(EXPIRES, number(60))])
    data += subkey_packet(master, pgp(SUB), hash=hash)
    key = read_bundle(data)
    assert key.validity == 60
    assert len(key.subkeys) == 1


def test_packets_that_say_nothing_about_the_key_are_passed_over():
    master = pgp(ALICE)
    photo = packet(17, b"photo") + packet(SIGNATURE, b"\x05")
    data = packet(MASTER, master.body) + packet(12, b"trust") + name_packet(master) + photo
    data += subkey_packet(master, pgp(SUB))
    assert names(data) == [pgp(SUB).fingerprint]


def test_a_subkey_of_a_kind_that_cannot_sign_is_left_out():
    master = pgp(ALICE)
    elgamal = bytes([4]) + number(MADE) + bytes([16]) + bytes(20)
    content = framed(master.body) + framed(elgamal)
    data = bundle(master) + packet(SUBKEY, elgamal) + packet(SIGNATURE, master.sign(content, BINDING))
    assert names(data + subkey_packet(master, pgp(SUB))) == [pgp(SUB).fingerprint]


def test_a_subkey_for_encryption_is_a_member_as_in_the_reference_implementation():
    master = pgp(ALICE)
    assert names(bundle(master) + subkey_packet(master, pgp(SUB), parts=[MAY_ENCRYPT])) == [pgp(SUB).fingerprint]


# --- subkeys that are not the master's -----------------------------------------------------------------------------


def test_a_subkey_that_somebody_else_bound_is_left_out():
    master = pgp(ALICE)
    assert names(bundle(master) + subkey_packet(master, pgp(SUB), by=pgp(MALLORY))) == []


def test_a_forged_binding_that_names_the_master_is_left_out():
    forged = binding(by=pgp(MALLORY), names=False, unhashed=[Part(ISSUER, bytes.fromhex(pgp(ALICE).fingerprint)[-8:])])
    assert names(with_subkey(forged)) == []
    assert names(with_subkey(binding())) == [pgp(SUB).fingerprint]


def test_a_subkey_without_a_binding_is_left_out():
    assert names(with_subkey()) == []


def test_a_binding_of_another_subkey_does_not_bind_this_one():
    assert names(with_subkey(binding(subkey=pgp("rsa other")))) == []


def test_a_binding_to_another_master_does_not_bind_to_this_one():
    other = pgp(MALLORY)
    assert names(with_subkey(binding(master=other))) == []


@pytest.mark.parametrize("kind", [0x00, 0x10, 0x13, 0x19, 0x1F, 0x28])
def test_another_signature_of_the_master_is_no_binding(kind):
    master, subkey = pgp(ALICE), pgp(SUB)
    signed = master.sign(framed(master.body) + framed(subkey.body), kind)
    assert names(with_subkey(signed)) == []


def test_a_subkey_that_may_sign_and_did_not_sign_back_is_left_out():
    assert names(with_subkey(binding(hashed=[MAY_SIGN]))) == []
    assert names(with_subkey(binding(hashed=[Part(FLAGS, b"\x03")]))) == []
    assert names(with_subkey(binding(unhashed=[MAY_SIGN]))) == []


def test_a_master_cannot_adopt_the_signing_subkey_of_somebody_else():
    mallory, subkey = pgp(MALLORY), pgp(SUB)
    for back in (
        back_signature(pgp(ALICE), subkey),  # with which the subkey agreed to belong to Alice
        back_signature(mallory, subkey, by=mallory),
        back_signature(mallory, subkey, kind=BINDING),
        Part(EMBEDDED, b""),
        Part(EMBEDDED, b"\x04\x19"),
    ):
        adopted = binding(master=mallory, subkey=subkey, hashed=[MAY_SIGN, back])
        assert names(with_subkey(adopted, master=mallory, subkey=subkey)) == []
    agreed = binding(master=mallory, subkey=subkey, hashed=[MAY_SIGN], unhashed=[back_signature(mallory, subkey)])
    assert names(with_subkey(agreed, master=mallory, subkey=subkey)) == [subkey.fingerprint]


def test_a_back_signature_inside_a_back_signature_does_not_count():
    master, subkey = pgp(ALICE), pgp(SUB)
    content = framed(master.body) + framed(subkey.body)
    nested = pgp(MALLORY).sign(content, BACK, hashed=[back_signature(master, subkey)])
    assert names(with_subkey(binding(hashed=[MAY_SIGN, Part(EMBEDDED, nested)]))) == []


# --- how long they are valid ---------------------------------------------------------------------------------------


def certified(*names: bytes, before: bytes = b"") -> int | None:
    return read_bundle(packet(MASTER, pgp(ALICE).body) + before + b"".join(names)).validity


def expiring(seconds: int, *more: Part, **signed: Any) -> bytes:
    return name_packet(pgp(ALICE), hashed=[Part(EXPIRES, number(seconds)), *more], **signed)


def test_a_key_is_valid_as_long_as_its_newest_certification_says():
    assert certified(expiring(60)) == 60
    assert certified(expiring(60), expiring(90, created=MADE + 1)) == 90
    assert certified(expiring(90, created=MADE + 1), expiring(60)) == 90
    assert certified(expiring(60), name_packet(pgp(ALICE), created=MADE + 1)) == 60
    assert certified(name_packet(pgp(ALICE))) is None


def test_what_stands_on_the_primary_name_goes_first():
    primary = expiring(30, Part(PRIMARY, b"\x01"))
    assert certified(primary, expiring(90, created=MADE + 1)) == 30
    assert certified(expiring(90, created=MADE + 1), primary) == 30
    assert certified(expiring(30, Part(PRIMARY, b"\x00")), expiring(90, created=MADE + 1)) == 90


def test_a_limit_that_stands_on_the_key_itself_is_kept():
    direct = packet(SIGNATURE, pgp(ALICE).sign(framed(pgp(ALICE).body), DIRECT, hashed=[Part(EXPIRES, number(45))]))
    assert certified(name_packet(pgp(ALICE)), before=direct) == 45


def test_a_limit_that_is_not_signed_is_kept_where_there_is_no_other():
    assert certified(name_packet(pgp(ALICE), unhashed=[Part(EXPIRES, number(45))])) == 45
    assert certified(expiring(60, unhashed=[Part(EXPIRES, number(9000))])) == 60


def test_nobody_else_makes_a_key_valid_for_longer():
    master, mallory, name = pgp(ALICE), pgp(MALLORY), b"Alice"
    content = framed(master.body) + b"\xb4" + number(len(name)) + name
    forged = mallory.sign(
        content,
        0x13,
        created=MADE + 9,
        names=False,
        hashed=[Part(EXPIRES, number(9000))],
        unhashed=[Part(ISSUER, bytes.fromhex(master.fingerprint)[-8:])],
    )
    assert certified(expiring(60) + packet(SIGNATURE, forged)) == 60


def test_a_certification_of_another_name_says_nothing():
    moved = name_packet(pgp(ALICE), hashed=[Part(EXPIRES, number(9000))], created=MADE + 1)
    renamed = packet(NAME, b"Bob") + moved[len(packet(NAME, b"Alice")) :]
    assert certified(expiring(60), renamed) == 60


def test_a_subkey_is_valid_as_long_as_its_newest_binding_says():
    old = binding(hashed=[Part(EXPIRES, number(60))])
    new = binding(hashed=[Part(EXPIRES, number(90))], created=MADE + 1)
    for data in (with_subkey(old, new), with_subkey(new, old)):
        assert [subkey.validity for subkey in read_bundle(data).subkeys] == [90]
    forever = binding(created=MADE + 2)
    assert [subkey.validity for subkey in read_bundle(with_subkey(old, new, forever)).subkeys] == [None]


# --- what is no key ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no OpenPGP key"),
        (packet(12, b"trust"), "packet 12 where a key should begin"),
        (packet(SUBKEY, b"\x04"), "packet 14 where a key should begin"),
        (packet(5, b"\x04"), "a private key where a public one belongs"),
        (packet(MASTER, b"\x03" + bytes(20)), "unsupported version.*expected 4, got 3"),
        (packet(MASTER, b"\x06" + bytes(20)), "unsupported version.*expected 4, got 6"),
        (packet(MASTER, b"\x04\0\0\0\0\x13" + bytes(20)), "unsupported OpenPGP algorithm.*got 19"),
        (packet(MASTER, b""), "cut off"),
        (packet(MASTER, b"\x04\0\0\0\0\x01"), "cut off"),
        (packet(MASTER, b"\x04\0\0\0\0\x01\xff\xff" + bytes(9000)), "number in OpenPGP data too long"),
    ],
)
def test_what_is_no_key_is_refused(data, why):
    with pytest.raises(Malformed, match=why):
        read_bundle(data)


def test_two_keys_in_one_file_are_refused():
    with pytest.raises(Malformed, match=r"not one OpenPGP key.*several keys"):
        read_bundle(bundle(pgp(ALICE)) + bundle(pgp(MALLORY)))


def test_a_private_subkey_is_refused():
    with pytest.raises(Malformed, match="a private key where a public one belongs"):
        read_bundle(bundle(pgp(ALICE)) + packet(7, b"\x04"))


def test_a_packet_nested_in_another_is_no_part_of_the_key():
    inner = subkey_packet(pgp(ALICE), pgp(SUB))
    assert names(bundle(pgp(ALICE)) + packet(11, inner) + packet(17, inner)) == []


def test_a_flood_of_signatures_comes_to_an_end():
    flood = packet(SIGNATURE, pgp(ALICE).sign(b"something else", 0x13)) * (LOCAL.signature_attempts + 1)
    with pytest.raises(LimitExceeded, match="signature_attempts"):
        read_bundle(bundle(pgp(ALICE)) + flood)


def test_a_flood_of_subkeys_comes_to_an_end():
    master = pgp(ALICE)
    one = pgp("sub")
    many = [Pgp(one.private, created=MADE + index) for index in range(LOCAL.gpg_subkeys + 1)]
    assert len(read_bundle(bundle(master, *many[:-1])).subkeys) == LOCAL.gpg_subkeys
    with pytest.raises(LimitExceeded, match="gpg_subkeys"):
        read_bundle(bundle(master, *many))


def test_a_name_that_takes_long_to_hash_is_refused():
    with pytest.raises(Malformed, match="name in an OpenPGP key too long"):
        read_bundle(packet(MASTER, pgp(ALICE).body) + packet(NAME, b"x" * 4097))


def test_a_key_packet_that_cannot_be_hashed_is_refused():
    body = pgp("rsa").body + bytes(0x10000)
    with pytest.raises(Malformed, match="OpenPGP key too long"):
        read_bundle(packet(MASTER, body))


def test_a_critical_subpacket_is_read_as_what_it_is():
    master, subkey = pgp(ALICE), pgp(SUB)
    parts = [Part(EXPIRES | 0x80, number(60)), Part(FLAGS | 0x80, b"\x02"), back_signature(master, subkey)]
    (found,) = read_bundle(bundle(master) + subkey_packet(master, subkey, parts=parts)).subkeys
    assert found.validity == 60
    assert part(EXPIRES | 0x80, number(60))[5] == 0x89
