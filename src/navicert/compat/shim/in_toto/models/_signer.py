"""Signers and keys of `in_toto.models._signer`: key files in PEM, and GPG."""

from __future__ import annotations

from os import PathLike, fspath

from navicert.compat.shim.securesystemslib import exceptions
from navicert.compat.shim.securesystemslib.signer import (
    CryptoSigner,
    Key,
    SecretsHandler,
    Signature,
    Signer,
    SSlibKey,
)
from navicert.compat.shim.translation import translated
from navicert.dataclass import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from navicert.crypto.key import Key as CoreKey


def load_crypto_signer_from_pkcs8_file(path: str | PathLike[str], password: bytes | None = None) -> CryptoSigner:
    """The signer for the private key in a file of any form, under the id that belongs to that form; `path` may also be
    the URI of a signer. Raises `CryptoError` for a password that is missing or wrong."""
    from navicert.trust.keyfile import open_signer

    with translated(ValueError):
        return CryptoSigner.of(open_signer(fspath(path), password=None if password is None else lambda: password))


def load_public_key_from_file(path: str | PathLike[str]) -> dict[str, Any]:
    """The public key in a file of any form, as the dictionary that models and verification take."""
    from navicert.trust.keyfile import open_public_key

    with translated(ValueError):
        key = open_public_key(fspath(path))
    return describe(key)


def describe(key: CoreKey) -> dict[str, Any]:
    """The dictionary of `key` that models and verification take."""
    if key.openpgp:
        return dict(key.to_json())
    view = SSlibKey.of(key, legacy=key.id != key.modern_id)
    return {**view.to_dict(), "keyid": key.id}


class GPGSignature(Signature):
    """A signature by gpg: the value, and what of OpenPGP's packet is signed too; both in hex."""

    def __init__(self, keyid: str, signature: str, other_headers: str) -> None:
        super().__init__(keyid, signature)
        self.other_headers = other_headers

    @classmethod
    def from_dict(cls, signature_dict: dict[str, Any]) -> GPGSignature:
        """The signature of a dictionary. Raises `KeyError`."""
        return cls(*(signature_dict[name] for name in ("keyid", "signature", "other_headers")))

    def to_dict(self) -> dict[str, Any]:
        """The dictionary of this signature."""
        return {"keyid": self.keyid, "signature": self.signature, "other_headers": self.other_headers}


class GPGSigner(Signer):
    """Signs through gpg, with the key `keyid` (gpg's default key without one) of the keyring in `homedir`."""

    def __init__(self, keyid: str | None = None, homedir: str | None = None) -> None:
        self.keyid = keyid
        self.homedir = homedir

    @property
    def public_key(self) -> Key:
        """Not known before a signature was made."""
        raise NotImplementedError

    @classmethod
    def from_priv_key_uri(
        cls, priv_key_uri: str, public_key: Key | None = None, secrets_handler: SecretsHandler | None = None
    ) -> GPGSigner:
        """There is none."""
        raise NotImplementedError("Incompatible with private key URIs")

    def sign(self, payload: bytes) -> GPGSignature:
        """The signature over `payload`."""
        from navicert.compat.shim.securesystemslib._gpg import functions as gpg

        return GPGSignature(**gpg.create_signature(payload, self.keyid, self.homedir))


@dataclass
class GPGKey(Key):
    """A GPG key as layouts hold it, subkeys included."""

    type: str
    method: str
    hashes: list[str]
    keyval: dict[str, Any]
    keyid: str
    creation_time: int | None = None
    validity_period: int | None = None
    subkeys: dict[str, GPGKey] | None = None

    @classmethod
    def from_dict(cls, keyid: str, key_dict: dict[str, Any]) -> GPGKey:
        """The key of a dictionary. Raises `KeyError` and `TypeError`."""
        subkeys = key_dict.get("subkeys")
        return cls(
            key_dict["type"],
            key_dict["method"],
            key_dict["hashes"],
            key_dict["keyval"],
            keyid,
            key_dict.get("creation_time"),
            key_dict.get("validity_period"),
            {id: GPGKey.from_dict(id, subkey) for id, subkey in subkeys.items()} if subkeys else None,
        )

    @classmethod
    def from_legacy_dict(cls, key_dict: dict[str, Any]) -> GPGKey:
        """The key of a dictionary, under the id in it."""
        return cls.from_dict(key_dict["keyid"], key_dict)

    @classmethod
    def from_keyring(cls, keyid: str, homedir: str | None = None) -> GPGKey:
        """The key that gpg knows by `keyid`."""
        from navicert.compat.shim.securesystemslib._gpg import functions as gpg

        return cls.from_dict(keyid, gpg.export_pubkey(keyid, homedir))

    def to_dict(self) -> dict[str, Any]:
        """The dictionary of this key."""
        described: dict[str, Any] = {
            "method": self.method,
            "type": self.type,
            "hashes": self.hashes,
            "keyid": self.keyid,
            "keyval": self.keyval,
        }
        for name in ("creation_time", "validity_period"):
            if getattr(self, name):
                described[name] = getattr(self, name)
        if self.subkeys:
            described["subkeys"] = {keyid: subkey.to_dict() for keyid, subkey in self.subkeys.items()}
        return described

    def verify_signature(self, signature: Signature, data: bytes) -> None:
        """Raises `UnverifiedSignatureError` unless `signature` is one by this key over `data`, `VerificationError`
        where that cannot be found out or the key has expired."""
        from navicert.compat.shim.securesystemslib._gpg import exceptions as gpg_exceptions
        from navicert.compat.shim.securesystemslib._gpg import functions as gpg

        try:
            good = gpg.verify_signature(signature.to_dict(), self.to_dict(), data)
        except (exceptions.FormatError, exceptions.UnsupportedLibraryError, gpg_exceptions.KeyExpirationError) as error:
            raise exceptions.VerificationError(f"Unknown failure to verify signature by {self.keyid}") from error
        if not good:
            raise exceptions.UnverifiedSignatureError(f"Failed to verify signature by {self.keyid}")
