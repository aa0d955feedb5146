"""Laws of OpenPGP data: whatever it is, it is read as what it was signed as, or refused."""

from __future__ import annotations

import base64
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st
from tests.openpgp_builder import MASTER, NAME, SIGNATURE, SUBKEY, bundle, packet, pgp, public

from navicert.crypto.formats import load_public_key
from navicert.crypto.gpg_bundle import read_bundle
from navicert.crypto.gpg_signature import read_packet, read_signature
from navicert.crypto.key import Key
from navicert.errors import Malformed

GOOD = bundle(pgp("master"), pgp("rsa sub"), pgp("sub"))
FINGERPRINTS = {pgp("master").fingerprint, pgp("rsa sub").fingerprint, pgp("sub").fingerprint}
CONTENT = b"content"
SIGNED = pgp("master").sign(CONTENT)
HEADERS = SIGNED[: 6 + int.from_bytes(SIGNED[4:6], "big")]

tags = st.sampled_from([MASTER, NAME, SIGNATURE, SUBKEY, 5, 12, 17])
bodies = st.binary(max_size=60) | st.builds(lambda tail: b"\x04" + tail, st.binary(max_size=60))


@given(st.binary(max_size=400) | st.lists(st.builds(packet, tags, bodies), max_size=6).map(b"".join))
def test_any_bytes_are_a_key_or_refused(data: bytes) -> None:
    with suppress(Malformed):
        assert read_bundle(data).members


@given(st.lists(st.builds(packet, tags, bodies), max_size=4).map(b"".join))
def test_what_stands_behind_a_good_key_adds_no_member(tail: bytes) -> None:
    with suppress(Malformed):
        key = read_bundle(GOOD + tail)
        assert {member.id for member in key.members} == FINGERPRINTS


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_a_key_that_was_tampered_with_has_no_member_that_it_did_not_have(position: int, change: int) -> None:
    data = bytearray(GOOD)
    data[position] ^= change
    with suppress(Malformed):
        master, *subkeys = read_bundle(bytes(data)).members
        assert {subkey.id for subkey in subkeys} <= FINGERPRINTS
        assert master.id == pgp("master").fingerprint or not subkeys


@given(st.binary(max_size=300) | bodies.map(lambda body: packet(SIGNATURE, body)))
def test_any_bytes_are_a_signature_or_refused(data: bytes) -> None:
    with suppress(Malformed):
        read_signature(data)
    with suppress(Malformed):
        read_packet(data)


@given(st.integers(0, len(HEADERS) - 1), st.integers(1, 255))
def test_a_signature_holds_for_its_own_headers_only(position: int, change: int) -> None:
    headers = bytearray(HEADERS)
    headers[position] ^= change
    key, value = public(pgp("master")), read_packet(SIGNED).value
    assert key.verify(value, CONTENT, HEADERS)
    assert not key.verify(value, CONTENT, bytes(headers))


@given(st.binary(max_size=80), st.binary(max_size=80), st.binary(max_size=200))
def test_bytes_that_are_no_signature_verify_nothing_and_raise_nothing(
    signature: bytes, headers: bytes, message: bytes
) -> None:
    for name in ("rsa", "dsa", "eddsa"):
        assert not public(pgp(name)).verify(signature, message, headers)
        assert not public(pgp(name)).verify(signature, message, HEADERS)


@given(st.text(max_size=200), st.binary(max_size=100))
def test_any_text_with_armour_around_it_is_a_key_or_refused(text: str, data: bytes) -> None:
    for inside in (text, base64.b64encode(data).decode(), f"{text}\n\n{base64.b64encode(GOOD).decode()}"):
        block = f"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n{inside}\n-----END PGP PUBLIC KEY BLOCK-----\n"
        with suppress(Malformed):
            load_public_key(block.encode())


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
fields = st.sampled_from(["method", "type", "hashes", "keyid", "keyval", "creation_time", "validity_period", "subkeys"])


@given(st.dictionaries(fields, json, max_size=3))
def test_any_key_object_is_a_key_or_refused(changes: dict[str, object]) -> None:
    with suppress(Malformed):
        key = Key.from_json({**public(pgp("master"), pgp("sub")).to_json(), **changes})
        assert Key.from_json(key.to_json()) == key
