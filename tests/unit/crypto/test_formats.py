from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from navicert.crypto import legacy
from navicert.crypto.formats import load_public_key, load_signer
from navicert.errors import LimitExceeded, Malformed
from navicert.limits import LOCAL

PASSWORD = b"correct horse"

# A throw-away key on sect283k1.
SECT283K1 = """-----BEGIN PRIVATE KEY-----
MIGQAgEAMBAGByqGSM49AgEGBSuBBAAQBHkwdwIBAQQkAMpX9KwsE+RFDrWSqf1B
tP+R61oB5GMz6RsSeMi9mztQoPS5oUwDSgAEA+HDKgBAp60igBBQ8KvU1A3E2P2f
B2cFPLKys+SEvhN3I7sDAjuFadYo7aiFRPVyRKGCMc2q2ztgfwLXK8iesrVqJNIX
Tms8
-----END PRIVATE KEY-----
"""

PRIVATE_FORMS = ("pkcs8", "traditional", "openssh")
PUBLIC_FORMS = ("spki", "pkcs1", "openssh")


def possible(signer, form) -> bool:
    return not (signer.key.keytype == "ed25519" and form == "traditional") and not (
        signer.key.keytype != "rsa" and form == "pkcs1"
    )


@pytest.mark.parametrize("form", PRIVATE_FORMS)
@pytest.mark.parametrize("password", [None, PASSWORD])
def test_every_private_form_gives_the_same_signer(signer, private_file, form, password):
    if not possible(signer, form):
        return
    raw = private_file(signer, form, password)
    again = load_signer(raw, password=None if password is None else lambda: password)
    assert again.key == signer.key
    assert again.keyid == signer.key.modern_id
    assert signer.key.verify(again.sign(b"m"), b"m")


@pytest.mark.parametrize("form", PUBLIC_FORMS)
def test_every_public_form_gives_the_same_key(signer, public_file, form):
    if not possible(signer, form):
        return
    raw = public_file(signer, form)
    key = load_public_key(raw)
    assert key == signer.key
    assert key.material == signer.key.material
    assert key.id == signer.key.modern_id


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw.rstrip(b"\n"),
        lambda raw: raw + b"\n\n",
        lambda raw: raw.replace(b"\n", b"\r\n"),
        lambda raw: b"\xef\xbb\xbf" + raw,
        lambda raw: b"# my key\n" + raw,
    ],
)
def test_one_key_under_two_encodings_is_one_key(signer, change):
    raw = signer.key.public_pem()
    assert load_public_key(change(raw)).fingerprint == signer.key.fingerprint
    assert load_public_key(change(raw)).id == signer.key.id


def test_one_key_cannot_be_counted_twice_by_writing_it_in_another_form(signers, public_file):
    for kind in signers:
        forms = [form for form in PUBLIC_FORMS if possible(signers[kind], form)]
        keys = [load_public_key(public_file(signers[kind], form)) for form in forms]
        keys.append(load_public_key(legacy.public_file(signers[kind].key)))
        assert len({key.material for key in keys}) == 1
        assert len(set(keys)) == 1


@pytest.mark.parametrize("form", PRIVATE_FORMS)
def test_a_wrong_password_is_said_so_for_every_form(signers, private_file, form):
    raw = private_file(signers["P-256"], form, PASSWORD)
    with pytest.raises(Malformed, match="k: the private key does not open: wrong password"):
        load_signer(raw, password=lambda: b"wrong", path="k")
    with pytest.raises(Malformed, match=r"k: the private key is encrypted, and no password was given.*--password-env"):
        load_signer(raw, path="k")
    with pytest.raises(Malformed, match=r"k: .*empty"):
        load_signer(raw, password=lambda: b"", path="k")


def test_the_scheme_of_an_rsa_key_can_be_chosen(signers, private_file, public_file):
    name = "rsa-pkcs1v15-sha512"
    signer = load_signer(private_file(signers["rsa"], "pkcs8", None), scheme=name)
    key = load_public_key(public_file(signers["rsa"], "spki"), scheme=name)
    assert key.verify(signer.sign(b"m"), b"m")
    assert key.scheme == signer.key.scheme == name


def test_a_scheme_that_does_not_suit_the_key_is_refused(signers, private_file, public_file):
    with pytest.raises(Malformed, match="k: the signature scheme does not suit the key"):
        load_signer(private_file(signers["P-256"], "pkcs8", None), scheme="ecdsa-sha2-nistp384", path="k")
    with pytest.raises(Malformed, match="does not suit the key"):
        load_public_key(public_file(signers["rsa"], "spki"), scheme="md5")


@pytest.mark.parametrize("form", ["modern", "legacy", "go"])
def test_the_form_of_id_to_sign_under_can_be_chosen(signer, private_file, form):
    assert load_signer(private_file(signer, "pkcs8", None), id_form=form).keyid == signer.key.id_of(form)


# --- the wrong half ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", PRIVATE_FORMS)
@pytest.mark.parametrize("password", [None, PASSWORD])
def test_a_private_key_is_no_public_key_because_verifiers_must_not_need_one(signers, private_file, form, password):
    raw = private_file(signers["P-256"], form, password)
    with pytest.raises(Malformed, match=r"owner: a private key where a public one belongs.*give its public half"):
        load_public_key(raw, path="owner")


@pytest.mark.parametrize("form", PUBLIC_FORMS)
def test_a_public_key_is_no_private_key(signers, public_file, form):
    raw = public_file(signers["rsa"], form)
    with pytest.raises(Malformed, match=r"owner\.pub: a public key where a private one belongs.*without \.pub"):
        load_signer(raw, path="owner.pub")


# --- what is no key ------------------------------------------------------------------------------------------------


def both(raw: bytes, match: str, kind: type[Malformed] = Malformed) -> None:
    for load in (load_public_key, load_signer):
        with pytest.raises(kind, match=match) as caught:
            load(raw, path="some/file")
        assert caught.value.path == "some/file"
        assert "\n" not in str(caught.value)


def test_an_empty_file_is_no_key():
    both(b"", "empty")
    both(b" \r\n\n", "empty")


@pytest.mark.parametrize("raw", [b"\xff\xfe-\0-\0", b"\x80", "schlüssel".encode("latin-1")])
def test_a_file_that_is_not_utf8_is_no_key(raw):
    both(raw, "not text, so no key file.*export it in PEM")


def test_a_binary_key_is_refused_with_the_command_that_converts_it(signers):
    der = signers["P-256"].private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    both(der, "not text, so no key file.*openssl pkey -inform DER")


@pytest.mark.parametrize("text", ["hello", "0" * 64, "untrusted comment: minisign", "<html>", "ssh-ed25519"])
def test_other_text_is_no_key(text):
    both(text.encode(), "no key found in it")


def test_a_file_larger_than_any_key_is_refused_before_it_is_read():
    both(b"-" * (LOCAL.key_bytes + 1), "limit key_bytes.*got more", LimitExceeded)
    both(b"-" * (LOCAL.key_bytes + 2), f"got {LOCAL.key_bytes + 2} bytes", LimitExceeded)


def test_two_keys_in_one_file_are_refused(signers, public_file, private_file):
    with pytest.raises(Malformed, match="more than one PEM block"):
        load_public_key(public_file(signers["rsa"], "spki") + public_file(signers["P-256"], "spki"))
    with pytest.raises(Malformed, match="more than one PEM block"):
        load_signer(private_file(signers["rsa"], "pkcs8", None) * 2)
    with pytest.raises(Malformed, match="more than one PEM block"):
        load_signer(private_file(signers["P-256"], "pkcs8", None) + public_file(signers["P-256"], "spki"))


def test_a_certificate_is_no_key():
    both(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "openssl x509")


FOREIGN: dict[str, Callable[[], Any]] = {
    "DSA": lambda: dsa.generate_private_key(1024),
    "X25519": x25519.X25519PrivateKey.generate,
    "secp256k1": lambda: ec.generate_private_key(ec.SECP256K1()),
    "secp224r1": lambda: ec.generate_private_key(ec.SECP224R1()),
    "1024 bits": lambda: rsa.generate_private_key(public_exponent=65537, key_size=1024),
}


@pytest.mark.parametrize("named", FOREIGN)
def test_keys_that_are_not_supported_are_refused_by_name_on_signing_and_verification(named):
    private = FOREIGN[named]()
    with pytest.raises(Malformed, match=named):
        load_signer(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(Malformed, match=named):
        load_public_key(private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def test_a_private_key_on_a_curve_that_the_library_does_not_have_is_refused():
    with pytest.raises(Malformed, match="unsupported type of key, curve or cipher"):
        load_signer(SECT283K1.encode())


def test_a_password_is_asked_for_once_and_only_when_needed(signers, private_file):
    asked: list[int] = []

    def password() -> bytes:
        asked.append(1)
        return PASSWORD

    load_signer(private_file(signers["rsa"], "pkcs8", None), password=password)
    assert asked == []
    load_signer(private_file(signers["rsa"], "pkcs8", PASSWORD), password=password)
    assert asked == [1]
