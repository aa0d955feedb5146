"""Timestamps: read strictly, and checked against a certificate that somebody else chose."""

from __future__ import annotations

import contextlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from navicert.crypto.certificate import Certificate
from navicert.crypto.timestamp_token import MOST_BYTES, TimestampToken
from navicert.errors import Malformed
from navicert.testing.sigstore import SIGNED, PrivateSigstore, der
from navicert.testing.timestamp_authority import integer, oid, sequence

OURS, THEIRS = PrivateSigstore(), PrivateSigstore("evil")
TSA = Certificate.read(der(OURS.tsa.certificate))
STRANGER = Certificate.read(der(THEIRS.tsa.certificate))
MESSAGE = b"a signature"
GOOD = OURS.tsa.respond(MESSAGE, SIGNED)


def test_says_when_what_existed_and_who_signed() -> None:
    token = TimestampToken.read(GOOD)
    assert token.moment == SIGNED
    assert token.stamps(MESSAGE)
    assert token.signed_by(TSA)
    assert not token.stamps(MESSAGE + b"x")
    assert not token.signed_by(STRANGER)


@pytest.mark.parametrize("hash", ["sha256", "sha384", "sha512"])
def test_strong_hashes_are_understood(hash: str) -> None:
    token = TimestampToken.read(OURS.tsa.respond(MESSAGE, SIGNED, hash=hash))
    assert token.stamps(MESSAGE)
    assert token.signed_by(TSA)


@pytest.mark.parametrize(
    "private",
    [rsa.generate_private_key(public_exponent=65537, key_size=2048), ed25519.Ed25519PrivateKey.generate()],
    ids=["rsa", "ed25519"],
)
def test_every_type_of_key_signs_for_itself_alone(private) -> None:
    tsa = OURS.timestamps(private=private)
    token = TimestampToken.read(tsa.respond(MESSAGE, SIGNED))
    assert token.signed_by(Certificate.read(der(tsa.certificate)))
    # The certificate that is named has another type of key than the signature.
    named = TimestampToken.read(tsa.respond(MESSAGE, SIGNED, named=TSA.der))
    assert named.names(TSA)
    assert not named.signed_by(TSA)


def test_without_certificates_it_is_read_and_says_the_same() -> None:
    token = TimestampToken.read(OURS.tsa.respond(MESSAGE, SIGNED, carried=()))
    assert token.certificates == ()
    assert token.signed_by(TSA)


def test_an_unknown_way_to_sign_is_refused() -> None:
    good, odd = oid("1.2.840.10045.4.3.2"), oid("1.2.840.10045.4.3.1")
    at = GOOD.rindex(good)  # the certificate has one of its own
    with pytest.raises(Malformed, match="unsupported signature algorithm"):
        TimestampToken.read(GOOD[:at] + odd + GOOD[at + len(good) :])


def test_the_older_way_to_name_the_certificate_is_understood() -> None:
    assert TimestampToken.read(OURS.tsa.respond(MESSAGE, SIGNED, named_sha1=True)).signed_by(TSA)


def test_a_token_without_its_response_is_read_too() -> None:
    # The response is the status and the token; some keep the token alone.
    bare = GOOD[GOOD.index(sequence(integer(0))) + len(sequence(integer(0))) :]
    assert TimestampToken.read(bare).signed_by(TSA)


def test_carried_certificates_prove_nothing() -> None:
    forged = THEIRS.tsa.respond(MESSAGE, SIGNED, named=TSA.der, carried=(TSA.der,))
    token = TimestampToken.read(forged)
    assert token.names(TSA)
    assert not token.signed_by(TSA)


def test_a_certificate_that_is_not_named_did_not_sign() -> None:
    # The key of the authority signed, and the signature says that it was another certificate's.
    assert not TimestampToken.read(OURS.tsa.respond(MESSAGE, SIGNED, named=STRANGER.der)).signed_by(TSA)
    assert not TimestampToken.read(OURS.tsa.respond(MESSAGE, SIGNED, name_it=False)).signed_by(TSA)


@pytest.mark.parametrize(
    ("odd", "problem"),
    [
        ({"status": 2}, "refused"),
        ({"version": 2}, "unknown version"),
        ({"kind": "1.2.840.113549.1.7.1"}, "unknown content of a timestamp"),
        ({"signers": 0}, "signers of a timestamp"),
        ({"signers": 2}, "signers of a timestamp"),
        ({"twice": True}, "comes twice"),
        ({"imprint": b"short"}, "bad imprint"),
    ],
)
def test_what_is_no_timestamp_is_refused(odd, problem) -> None:
    with pytest.raises(Malformed, match=problem):
        TimestampToken.read(OURS.tsa.respond(MESSAGE, SIGNED, **odd))


@pytest.mark.parametrize("raw", [b"", b"\x30\x00", GOOD[:-1], GOOD + b"\x00", b"\x00" * (MOST_BYTES + 1)])
def test_what_is_cut_off_or_has_something_behind_it_is_refused(raw: bytes) -> None:
    with pytest.raises(Malformed):
        TimestampToken.read(raw)


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_no_byte_that_is_changed_leaves_another_statement_signed(place: int, mask: int) -> None:
    raw = bytearray(GOOD)
    raw[place] ^= mask
    with contextlib.suppress(Malformed):
        token = TimestampToken.read(bytes(raw))
        # What the signature does not cover may change; what is stated may not.
        assert not token.signed_by(TSA) or (token.moment, token.stamps(MESSAGE)) == (SIGNED, True)
