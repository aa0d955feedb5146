from __future__ import annotations

import pytest

from navicert.crypto.formats import load_public_key
from navicert.crypto.signer import generate
from navicert.errors import Malformed
from navicert.trust.uri import KeyUri


def test_a_name_is_taken_as_it_is_written():
    uri = KeyUri.of("awskms:arn:aws:kms:eu-west-1:1:key/2")
    assert (uri.kind, uri.name, dict(uri.options)) == ("awskms", "arn:aws:kms:eu-west-1:1:key/2", {})
    assert uri.expected() is None
    assert uri.scheme is None


def test_options_are_decoded(tmp_path):
    signer = generate("rsa", bits=2048)
    (tmp_path / "a key.pub").write_bytes(signer.key.public_pem())
    uri = KeyUri.of(f"hsm:x?public-key={tmp_path}/a%20key.pub&scheme=rsa-pkcs1v15-sha256")
    assert uri.expected() == load_public_key(signer.key.public_pem(), scheme="rsa-pkcs1v15-sha256")


@pytest.mark.parametrize(
    "text", ["k:x?other=1", "k:x?scheme=a&scheme=b", "k:x?public-key=", "k:x?public-key", "k:x?=1"]
)
def test_attack_an_option_that_is_not_understood_is_ignored(text):
    with pytest.raises(
        Malformed, match=r"k:x: cannot be read as the name of a key \(expected options public-key, scheme"
    ):
        KeyUri.of(text)


def test_the_expected_key_is_a_public_one(tmp_path):
    (tmp_path / "nothing.pub").write_bytes(b"")
    for file in ("nothing.pub", "missing.pub"):
        with pytest.raises(Malformed):
            KeyUri.of(f"k:x?public-key={tmp_path}/{file}").expected()
