"""Key files as releases before 1.0 wrote and read them (`securesystemslib.interface`).

Reading takes every form that Navicert knows; what comes out is the dictionary of those releases, under the legacy id.
"""

from __future__ import annotations

import getpass

from navicert.compat.shim.securesystemslib.exceptions import CryptoError, FormatError
from navicert.compat.shim.securesystemslib.signer import check_type
from navicert.compat.shim.translation import translated
from navicert.crypto import legacy
from navicert.crypto.key import Key
from navicert.crypto.signer import KeyType, generate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

KEY_TYPE_RSA: Final = "rsa"
KEY_TYPE_ED25519: Final = "ed25519"
KEY_TYPE_ECDSA: Final = "ecdsa"
_RSA_SCHEME: Final = "rsassa-pss-sha256"


def get_password(prompt: str = "Password: ", confirm: bool = False) -> str:
    """The password that is typed; twice the same one where `confirm`."""
    while True:
        password = getpass.getpass(prompt, None)
        if not confirm or getpass.getpass("Confirm: ", None) == password:
            return password
        print("Mismatch; try again.")


# --- writing -------------------------------------------------------------------------------------------------------


def write_keypair(
    keytype: KeyType, filepath: str | None, *, bits: int = 3072, password: str | None = None, prompt: bool = False
) -> str:
    """Make a key, write `filepath` (mode 0600) and `filepath.pub` in the form of in-toto 1.x, and return the path: by
    default the id, in the current folder. Missing folders are made, existing files replaced."""
    from navicert.trust.keypair import write_pair

    if password is not None and prompt:
        raise ValueError("passing 'password' and 'prompt=True' is not allowed")
    if password == "":
        raise ValueError("encryption password must be 1 or more characters long")
    with translated():
        signer = generate(keytype, bits=bits)
        path = filepath or signer.key.legacy_id
        if prompt:
            question = (
                f"enter password to encrypt private key file '{path}' (leave empty if key should not be encrypted): "
            )
            password = get_password(question, confirm=True) or None
        secret = None if password is None else password.encode()
        write_pair(path, legacy.private_file(signer, secret), legacy.public_file(signer.key), force=True)
    return path


def _generate_and_write_rsa_keypair(
    filepath: str | None = None, bits: int = 3072, password: str | None = None, prompt: bool = False
) -> str:
    return write_keypair("rsa", filepath, bits=bits, password=password, prompt=prompt)


def generate_and_write_rsa_keypair(password: str, filepath: str | None = None, bits: int = 3072) -> str:
    """Write an RSA pair whose private half is encrypted under `password`."""
    return write_keypair("rsa", filepath, bits=bits, password=_given(password))


def generate_and_write_rsa_keypair_with_prompt(filepath: str | None = None, bits: int = 3072) -> str:
    """Write an RSA pair whose private half is encrypted under the password that is typed."""
    return write_keypair("rsa", filepath, bits=bits, prompt=True)


def generate_and_write_unencrypted_rsa_keypair(filepath: str | None = None, bits: int = 3072) -> str:
    """Write an RSA pair that is not encrypted."""
    return write_keypair("rsa", filepath, bits=bits)


def _generate_and_write_ed25519_keypair(
    filepath: str | None = None, password: str | None = None, prompt: bool = False
) -> str:
    return write_keypair("ed25519", filepath, password=password, prompt=prompt)


def generate_and_write_ed25519_keypair(password: str, filepath: str | None = None) -> str:
    """Write an Ed25519 pair whose private half is encrypted under `password`."""
    return write_keypair("ed25519", filepath, password=_given(password))


def generate_and_write_ed25519_keypair_with_prompt(filepath: str | None = None) -> str:
    """Write an Ed25519 pair whose private half is encrypted under the password that is typed."""
    return write_keypair("ed25519", filepath, prompt=True)


def generate_and_write_unencrypted_ed25519_keypair(filepath: str | None = None) -> str:
    """Write an Ed25519 pair that is not encrypted."""
    return write_keypair("ed25519", filepath)


def _generate_and_write_ecdsa_keypair(
    filepath: str | None = None, password: str | None = None, prompt: bool = False
) -> str:
    return write_keypair("ecdsa", filepath, password=password, prompt=prompt)


def generate_and_write_ecdsa_keypair(password: str, filepath: str | None = None) -> str:
    """Write an ECDSA pair whose private half is encrypted under `password`."""
    return write_keypair("ecdsa", filepath, password=_given(password))


def generate_and_write_ecdsa_keypair_with_prompt(filepath: str | None = None) -> str:
    """Write an ECDSA pair whose private half is encrypted under the password that is typed."""
    return write_keypair("ecdsa", filepath, prompt=True)


def generate_and_write_unencrypted_ecdsa_keypair(filepath: str | None = None) -> str:
    """Write an ECDSA pair that is not encrypted."""
    return write_keypair("ecdsa", filepath)


def _given(password: object) -> str:
    if not isinstance(password, str):
        raise FormatError(f"Expected a String, got '{type(password).__name__}' for the password")
    return password


# --- reading -------------------------------------------------------------------------------------------------------


def import_rsa_publickey_from_file(
    filepath: str, scheme: str = _RSA_SCHEME, storage_backend: object = None
) -> dict[str, Any]:
    """The RSA public key in the file."""
    return public_dict(filepath, KEY_TYPE_RSA, scheme=scheme)


def import_ed25519_publickey_from_file(filepath: str) -> dict[str, Any]:
    """The Ed25519 public key in the file."""
    return public_dict(filepath, KEY_TYPE_ED25519)


def import_ecdsa_publickey_from_file(filepath: str) -> dict[str, Any]:
    """The ECDSA public key in the file."""
    return public_dict(filepath, KEY_TYPE_ECDSA)


def import_rsa_privatekey_from_file(
    filepath: str,
    password: str | None = None,
    scheme: str = _RSA_SCHEME,
    prompt: bool = False,
    storage_backend: object = None,
) -> dict[str, Any]:
    """The RSA private key in the file."""
    return private_dict(filepath, KEY_TYPE_RSA, password, prompt, scheme=scheme)


def import_ed25519_privatekey_from_file(
    filepath: str, password: str | None = None, prompt: bool = False, storage_backend: object = None
) -> dict[str, Any]:
    """The Ed25519 private key in the file."""
    return private_dict(filepath, KEY_TYPE_ED25519, password, prompt)


def import_ecdsa_privatekey_from_file(
    filepath: str, password: str | None = None, prompt: bool = False, storage_backend: object = None
) -> dict[str, Any]:
    """The ECDSA private key in the file."""
    return private_dict(filepath, KEY_TYPE_ECDSA, password, prompt)


def import_publickeys_from_file(filepaths: list[str], key_types: list[str] | None = None) -> dict[str, dict[str, Any]]:
    """The public keys in the files, by id. `key_types` says what each one must be; without it the files say."""
    if key_types is not None and len(key_types) != len(filepaths):
        raise FormatError(
            f"Pass equal amount of 'filepaths' (got {len(filepaths)}) and 'key_types' (got {len(key_types)})"
        )
    types: list[str] | list[None] = [None] * len(filepaths) if key_types is None else key_types
    found = [public_dict(path, _known(keytype)) for path, keytype in zip(filepaths, types, strict=True)]
    return {key["keyid"]: key for key in found}


def import_privatekey_from_file(
    filepath: str, key_type: str | None = None, password: str | None = None, prompt: bool = False
) -> dict[str, Any]:
    """The private key in the file. `key_type` says what it must be; without it the file says."""
    return private_dict(filepath, _known(key_type), password, prompt)


def _known(keytype: str | None) -> str | None:
    if keytype not in (None, KEY_TYPE_RSA, KEY_TYPE_ED25519, KEY_TYPE_ECDSA):
        raise FormatError(f"Unsupported key type '{keytype}'. Must be 'rsa', 'ed25519' or 'ecdsa'.")
    return keytype


def public_dict(filepath: str, keytype: str | None, *, scheme: str | None = None) -> dict[str, Any]:
    """The public key in the file as the dictionary of old; `CryptoError` where it is of another type."""
    from navicert.trust.keyfile import open_public_key

    with translated(CryptoError):
        key = open_public_key(str(filepath), scheme=scheme)
    check_type(key, keytype, filepath)
    return legacy_dict(key)


def private_dict(
    filepath: str, keytype: str | None, password: str | None, prompt: bool, *, scheme: str | None = None
) -> dict[str, Any]:
    """The private key in the file as the dictionary of old; `CryptoError` where it is of another type."""
    from navicert.trust.keyfile import open_signer

    if password is not None and prompt:
        raise ValueError("passing 'password' and 'prompt=True' is not allowed")
    if prompt:
        question = f"enter password to decrypt private key file '{filepath}' (leave empty if key not encrypted): "
        password = get_password(question) or None
    secret = None if password is None else password.encode()
    with translated(CryptoError):
        ask = None if secret is None else lambda: secret
        signer = open_signer(str(filepath), password=ask, scheme=scheme, id_form="legacy")
        check_type(signer.key, keytype, filepath)
        described = legacy_dict(signer.key)
        described["keyval"]["private"] = legacy.private_text(signer)
    return described


def legacy_dict(key: Key) -> dict[str, Any]:
    """The public key as the dictionary of old, under its legacy id."""
    described = key.with_id(key.legacy_id).to_json()
    public = key.public_text.rstrip("\n") if key.keytype == "rsa" else key.public_text
    described["keyval"] = {"public": public, "private": ""} if key.keytype == "rsa" else {"public": public}
    return described
