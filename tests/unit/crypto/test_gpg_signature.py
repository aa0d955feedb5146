from __future__ import annotations

import pytest
from tests.openpgp_builder import (
    CERTIFICATION,
    CREATED,
    FINGERPRINT,
    ISSUER,
    MADE,
    SHA1,
    SHA512,
    SIGNATURE,
    Part,
    Pgp,
    number,
    packet,
    pgp,
)

from navicert.crypto.gpg_signature import read_packet, read_signature
from navicert.errors import Malformed

CONTENT = b'{"signed":"content"}'


@pytest.fixture(params=["rsa", "dsa", "eddsa"])
def key(request: pytest.FixtureRequest) -> Pgp:
    return pgp(request.param)


def file(key: Pgp, **more: object) -> bytes:
    return packet(SIGNATURE, key.sign(CONTENT, **more))  # type: ignore[arg-type]


def short(key: Pgp) -> Part:
    return Part(ISSUER, bytes.fromhex(key.fingerprint)[-8:])


def test_a_signature_says_by_whom_and_when_and_what_else_is_signed(key):
    found = read_signature(file(key, unhashed=[short(key)]))
    assert (found.fingerprint, found.short_id, found.created) == (key.fingerprint, key.fingerprint[-16:], MADE)
    assert found.headers == key.sign(CONTENT)[: len(found.headers)]
    assert found.headers[:4] == bytes([4, 0, key.octet, 8])
    assert len(found.headers) == 6 + int.from_bytes(found.headers[4:6], "big")


def test_a_signature_without_the_fingerprint_of_its_key_names_it_by_the_short_id(key):
    found = read_signature(file(key, names=False, unhashed=[short(key)]))
    assert (found.fingerprint, found.short_id) == ("", key.fingerprint[-16:])
    assert found.names(key.fingerprint)
    assert not found.names(pgp("other").fingerprint)
    assert read_signature(file(key, names=False, hashed=[short(key)])).names(key.fingerprint)


def test_the_fingerprint_that_is_signed_goes_before_one_that_is_not():
    key, other = pgp("eddsa"), pgp("other")
    wrong = Part(FINGERPRINT, b"\x04" + bytes.fromhex(other.fingerprint))
    assert read_signature(file(key, unhashed=[wrong])).fingerprint == key.fingerprint


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"names": False}, "does not say by whom"),
        ({"names": False, "unhashed": [Part(ISSUER, b"1234567")]}, "does not say by whom"),
        ({"unhashed": [Part(ISSUER, b"12345678")]}, "names two keys"),
        ({"names": False, "hashed": [Part(FINGERPRINT, b"\x05" + bytes(32))]}, "not of version 4"),
        ({"names": False, "hashed": [Part(FINGERPRINT, b"\x05" + bytes(20))]}, "not of version 4"),
        ({"hashed": [Part(CREATED, b"\0\0\0")]}, "without its time of creation"),
        ({"version": 3}, "unsupported version.*expected 4, got 3"),
        ({"version": 6}, "unsupported version.*expected 4, got 6"),
        ({"hash": 1}, "unsupported hash.*got 1"),
        ({"hash": SHA1}, "its hash is not SHA-256"),
        ({"hash": SHA512}, "its hash is not SHA-256"),
        ({"kind": 0x01}, "of type 0x01, and not over a file"),
        ({"kind": CERTIFICATION}, "of type 0x13, and not over a file"),
    ],
)
def test_what_is_no_signature_over_a_document_is_refused(more, why):
    with pytest.raises(Malformed, match=why):
        read_signature(file(pgp("rsa"), **more))


def test_a_time_of_creation_that_is_not_signed_is_none():
    key = pgp("eddsa")
    body = key.sign(CONTENT)
    named = bytes.fromhex("ff0000001621") + b"\x04" + bytes.fromhex(key.fingerprint)
    made = bytes.fromhex("ff0000000502") + number(MADE)
    assert named + made in body
    moved = body.replace(number(len(named + made), 2) + named + made, number(len(named), 2) + named)
    moved = moved.replace(named + b"\0\0", named + number(len(made), 2) + made)
    with pytest.raises(Malformed, match="without its time of creation"):
        read_packet(moved)


def test_one_signature_is_read_and_nothing_around_it():
    one = file(pgp("rsa"))
    for data in (one + one, b"", one + packet(11, b"literal"), packet(8, one)):
        with pytest.raises(Malformed, match="not one OpenPGP signature"):
            read_signature(data)
    with pytest.raises(Malformed, match="cut off"):
        read_signature(one[:-1])
    with pytest.raises(Malformed, match="too many"):
        read_signature(packet(SIGNATURE, pgp("rsa").sign(CONTENT) + b"x"))


def test_a_packet_inside_a_packet_is_no_signature():
    inner = file(pgp("rsa"))
    with pytest.raises(Malformed):
        read_signature(packet(SIGNATURE, inner))


@pytest.mark.parametrize("cut", range(1, 120, 7))
def test_a_packet_that_is_cut_off_anywhere_is_refused(cut):
    body = pgp("eddsa").sign(CONTENT)
    with pytest.raises(Malformed):
        read_packet(body[:cut])
