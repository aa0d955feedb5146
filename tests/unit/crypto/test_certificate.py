"""Certificates: what is in one, and whom it names."""

from __future__ import annotations

import contextlib
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import given
from hypothesis import strategies as st

from navicert.crypto.certificate import CODE_SIGNING, Certificate, der_of_pem, identity_of
from navicert.crypto.certificate_key import CertificateKey, CertificateRoots, names_of
from navicert.crypto.certification import CertificateAuthority, Window, find_way
from navicert.crypto.sct import timestamps_of
from navicert.errors import Malformed
from navicert.model.identity import ARC
from navicert.testing.sigstore import ISSUER, SAN, SIGNED, PrivateSigstore, der, pem, private_key
from navicert.testing.timestamp_authority import oid, sequence, tlv

OURS = PrivateSigstore()
KEY = private_key("someone")
CLAIMS = {"sourceRepositoryURI": "https://github.com/acme/app", "githubWorkflowTrigger": "push"}
LEAF = Certificate.read(der(OURS.certificate(KEY, claims=CLAIMS)))
BETWEEN, ROOT = Certificate.read(der(OURS.between)), Certificate.read(der(OURS.ca))


def test_a_leaf_is_described() -> None:
    assert (LEAF.is_ca, LEAF.may_sign, LEAF.purposes, LEAF.unknown_critical) == (False, True, {CODE_SIGNING}, ())
    assert LEAF.key.scheme == "ecdsa-sha2-nistp256"
    assert LEAF.valid_at(LEAF.not_before)
    assert LEAF.valid_at(LEAF.not_after)
    assert not LEAF.valid_at(LEAF.not_after + timedelta(seconds=1))
    assert not LEAF.valid_at(LEAF.not_before - timedelta(seconds=1))


def test_who_issued_it_is_proved_by_its_signature() -> None:
    assert LEAF.issued_by(BETWEEN)
    assert BETWEEN.issued_by(ROOT)
    assert not LEAF.issued_by(ROOT)
    namesake = Certificate.read(
        der(OURS.authority("private intermediate", private_key("x"), by=(OURS.ca, OURS.ca_key)))
    )
    assert not LEAF.issued_by(namesake)


def test_an_identity_is_the_name_the_issuer_and_the_claims() -> None:
    identity = identity_of(LEAF)
    assert (identity.san, identity.issuer, dict(identity.claims)) == (SAN, ISSUER, CLAIMS)


def test_a_user_name_is_a_name() -> None:
    name = x509.OtherName(x509.ObjectIdentifier(ARC + "7"), tlv(0x0C, b"ann!acme.example"))
    assert identity_of(Certificate.read(der(OURS.certificate(KEY, san=[name])))).san == "ann!acme.example"


@pytest.mark.parametrize(
    "name",
    [
        x509.OtherName(x509.ObjectIdentifier("1.2.3"), tlv(0x0C, b"ann")),
        x509.OtherName(x509.ObjectIdentifier(ARC + "7"), tlv(0x16, b"ann")),
        x509.DNSName("acme.example"),
        x509.DirectoryName(x509.Name([])),
    ],
)
def test_other_kinds_of_names_are_nobody(name) -> None:
    with pytest.raises(Malformed):
        identity_of(Certificate.read(der(OURS.certificate(KEY, san=[name]))))


def test_pem_is_a_list_of_certificates_and_nothing_else() -> None:
    text = pem(OURS.between) + pem(OURS.ca)
    assert Certificate.read_pem(text) == (BETWEEN, ROOT)
    for bad in ("", "x", text + LEAF.key.public_pem().decode(), pem(OURS.ca) * 17, text[:-30]):
        with pytest.raises(Malformed):
            der_of_pem(bad)


@pytest.mark.parametrize("raw", [b"", b"\x30\x00", LEAF.der[:-1], LEAF.der + b"\x00", b"\x30" * 100_000])
def test_what_is_no_certificate_is_refused(raw: bytes) -> None:
    with pytest.raises(Malformed):
        Certificate.read(raw, "/here")


def test_a_key_that_an_attacker_could_sign_for_is_refused() -> None:
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    with pytest.raises(Malformed, match="too weak"):
        Certificate.read(der(OURS.certificate(weak)))


def test_rsa_keys_sign_as_those_of_sigstore_do() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert Certificate.read(der(OURS.certificate(key))).key.scheme == "rsa-pkcs1v15-sha256"


def test_a_certificate_signed_with_a_broken_hash_is_issued_by_nobody() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    issuer = OURS.authority("rsa", key)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "leaf")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer.subject)
        .public_key(KEY.public_key())
        .serial_number(1)
        .not_valid_before(SIGNED)
        .not_valid_after(SIGNED + timedelta(days=1))
    )
    above = Certificate.read(der(issuer))
    assert Certificate.read(der(builder.sign(key, hashes.SHA256()))).issued_by(above)
    # The library makes none with SHA-1, so the body of a good one is signed by hand.
    strong, weak = oid("1.2.840.113549.1.1.11"), oid("1.2.840.113549.1.1.5")
    body = builder.sign(key, hashes.SHA256()).tbs_certificate_bytes.replace(strong, weak)
    signature = key.sign(body, padding.PKCS1v15(), hashes.SHA1())
    broken = sequence(body, sequence(weak, b"\x05\x00"), tlv(0x03, b"\x00" + signature))
    assert not Certificate.read(broken).issued_by(above)


@given(st.integers(0, len(LEAF.der) - 1), st.integers(1, 255))
def test_damage_gives_another_certificate_that_nobody_issued_or_a_refusal(place: int, mask: int) -> None:
    raw = bytearray(LEAF.der)
    raw[place] ^= mask
    with contextlib.suppress(Malformed):
        certificate = Certificate.read(bytes(raw))
        assert not certificate.issued_by(BETWEEN)
        identity_of(certificate)


@pytest.mark.parametrize("mask", [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xFF])
def test_a_part_that_the_library_reads_late_raises_nothing_but_a_refusal(mask: int) -> None:
    """The library reads names and the like only when they are asked for, and raises then."""
    authority = CertificateAuthority("ours", (BETWEEN, ROOT), Window(ROOT.not_before, ROOT.not_after))
    for whole, above in ((LEAF, BETWEEN), (BETWEEN, ROOT)):
        for place in range(len(whole.der)):
            raw = bytearray(whole.der)
            raw[place] ^= mask
            try:
                changed = Certificate.read(bytes(raw))
            except Malformed:
                continue
            assert not changed.issued_by(above)
            leaf, between = (changed, BETWEEN) if whole is LEAF else (LEAF, changed)
            assert find_way(leaf, [authority], SIGNED, CODE_SIGNING).problem or leaf is LEAF
            assert find_way(leaf, [authority], SIGNED, CODE_SIGNING, [changed]).problem or leaf is LEAF
            roots = CertificateRoots({"root": ROOT}, (between,))
            assert roots.chains(leaf, SIGNED)[0] == {}
            str(names_of(changed))
            f"{changed.loaded.serial_number:x}"
            with contextlib.suppress(Malformed):
                timestamps_of(changed, above)
            with contextlib.suppress(Malformed):
                identity_of(changed)
            with contextlib.suppress(Malformed):
                CertificateKey.of_certificate(changed)
