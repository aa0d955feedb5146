from __future__ import annotations

import json

import pytest
from tests.openpgp_builder import pgp, public

from navicert.crypto.form import FORMS, private_bytes, public_bytes
from navicert.crypto.formats import load_public_key, load_signer
from navicert.crypto.key import Key
from navicert.errors import Malformed, Refused

PASSWORD = b"correct horse"


@pytest.mark.parametrize("password", [None, PASSWORD])
@pytest.mark.parametrize("form", ["pem", "traditional", "legacy", "openssh"])
def test_a_private_key_is_read_back_from_every_form(signer, form, password):
    if form == "traditional" and signer.key.keytype == "ed25519":
        with pytest.raises(Refused, match="no traditional form of ed25519 keys"):
            private_bytes(signer, form, password)
        return
    if form == "openssh" and password is not None:
        pytest.importorskip("bcrypt", reason="encrypts OpenSSH keys")
    raw = private_bytes(signer, form, password)
    again = load_signer(raw, password=None if password is None else lambda: PASSWORD)
    assert again.key == signer.key
    assert again.keyid == (signer.key.modern_id if raw.startswith(b"-----") else signer.key.legacy_id)
    assert PASSWORD not in raw


@pytest.mark.parametrize("form", FORMS)
def test_a_public_key_is_read_back_from_every_form(signer, form):
    if form == "traditional" and signer.key.keytype != "rsa":
        with pytest.raises(Refused, match="no traditional form of"):
            public_bytes(signer.key, form)
        return
    assert load_public_key(public_bytes(signer.key, form)) == signer.key


@pytest.mark.parametrize("form", ["modern", "legacy", "go"])
def test_the_id_goes_into_the_key_object(signer, form):
    key = signer.key.with_id(signer.key.id_of(form))
    raw = public_bytes(key, "json")
    assert json.loads(raw)["keyid"] == signer.key.id_of(form)
    assert load_public_key(raw).id == signer.key.id_of(form)
    assert b"private" not in raw


def test_there_is_no_key_object_of_a_private_key(signer):
    with pytest.raises(Refused, match="key objects are for public keys"):
        private_bytes(signer, "json", None)


@pytest.mark.parametrize("form", FORMS)
def test_a_password_that_cannot_be_used_is_refused_in_every_form(signers, form):
    if form == "json":
        return
    with pytest.raises(Malformed, match="password"):
        private_bytes(signers["rsa"], form, b"")
    with pytest.raises(Malformed, match="password"):
        private_bytes(signers["rsa"], form, b"x" * 2000)


def test_a_gpg_key_has_one_form():
    key = public(pgp("rsa"), pgp("sub"))
    again = load_public_key(public_bytes(key, "json"))
    assert isinstance(again, Key)
    assert again.to_json() == key.to_json()
    for form in set(FORMS) - {"json"}:
        with pytest.raises(Refused, match="in another form it would be another key"):
            public_bytes(key, form)
