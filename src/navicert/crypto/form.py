"""The forms in which keys are written to files, each the one that some program reads.

- `pem`: PKCS#8 and SubjectPublicKeyInfo, what we and in-toto 3.x use.
- `traditional`: PKCS#1 (RSA) and SEC1 (ECDSA), what OpenSSL wrote of old.
- `legacy`: the files of in-toto 1.x, JSON or for RSA PEM.
- `openssh`: what ssh-keygen writes.
- `json`: the key object of layouts, for public keys only, and the one form of GPG keys.
"""

from __future__ import annotations

import json

from navicert.crypto import legacy
from navicert.crypto.key import Key
from navicert.crypto.signer import Signer, private_of, private_pem, usable
from navicert.errors import Refused, Unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

FORMS: Final = ("pem", "traditional", "legacy", "openssh", "json")


def public_bytes(key: Key, form: str) -> bytes:
    """The public `key` in `form`, with the id that it has where the form has a place for one. Raises `Refused` for a
    form that the type of key does not have."""
    if form == "json":
        return json.dumps(key.to_json(), indent=1).encode("ascii") + b"\n"
    if key.openpgp:
        raise Refused(
            "a GPG key signs in a way of its own, so in another form it would be another key",
            expected="json, the key object of layouts",
            remedy="gpg --export --armor writes it for other programs",
        )
    if form == "legacy":
        return legacy.public_file(key)
    if form == "pem":
        return key.public_pem()
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    from navicert.crypto.material import load

    public = load(key.material)
    if form == "openssh":
        return public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH) + b"\n"
    if key.keytype != "rsa":
        raise Refused(f"there is no traditional form of {key.keytype} public keys", remedy="take pem")
    return public.public_bytes(Encoding.PEM, PublicFormat.PKCS1)


def private_bytes(signer: Signer, form: str, password: bytes | None) -> bytes:
    """The private key of `signer` in `form`, encrypted where a password is given. Raises `Refused` for a form that
    the type of key does not have and a key that is not in memory, `Unavailable` where a library is missing."""
    if form == "pem":
        return private_pem(signer, password)
    if form == "legacy":
        return legacy.private_file(signer, password)
    if form == "json":
        raise Refused("key objects are for public keys", remedy="give --public, or take another form")
    return _by_library(signer, form, password)


def _by_library(signer: Signer, form: str, password: bytes | None) -> bytes:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        KeySerializationEncryption,
        NoEncryption,
        PrivateFormat,
    )

    if form == "traditional" and signer.key.keytype == "ed25519":
        raise Refused("there is no traditional form of ed25519 keys", remedy="take pem")
    written = PrivateFormat.OpenSSH if form == "openssh" else PrivateFormat.TraditionalOpenSSL
    under: KeySerializationEncryption = NoEncryption()
    if password is not None:
        under = BestAvailableEncryption(usable(password))
    try:
        return private_of(signer).private_bytes(Encoding.PEM, written, under)
    except UnsupportedAlgorithm as error:
        raise Unavailable(
            "the package bcrypt, which encrypts OpenSSH keys, is not installed", remedy="pip install bcrypt"
        ) from error
