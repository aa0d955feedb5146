"""Signing and looking up keys through gpg, verifying without it (`securesystemslib._gpg.functions`)."""

from __future__ import annotations

import time

from navicert.compat.shim.securesystemslib._gpg.constants import GPG_TIMEOUT, NO_GPG_MSG, have_gpg
from navicert.compat.shim.securesystemslib._gpg.exceptions import CommandError, KeyExpirationError, KeyNotFoundError
from navicert.compat.shim.securesystemslib.exceptions import FormatError, UnsupportedLibraryError
from navicert.compat.shim.translation import translated
from navicert.crypto.key import Key
from navicert.errors import Malformed, Unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def create_signature(
    content: bytes, keyid: str | None = None, homedir: str | None = None, timeout: float = GPG_TIMEOUT
) -> dict[str, Any]:
    """The signature by the key `keyid`, or by gpg's default key. Raises `OSError` where gpg fails."""
    from navicert.trust.gpg import gpg_signer

    _require_gpg()
    with translated(OSError):
        signer = gpg_signer(keyid or "", homedir or "")
        return dict(signer.key.signature_entry(signer.keyid, signer.sign(content)))


def verify_signature(signature_object: dict[str, Any], pubkey_info: dict[str, Any], content: bytes) -> bool:
    """Whether the key, or the subkey that the signature names, made the signature. Raises `KeyExpirationError` for a
    key whose time is over."""
    keyid = signature_object["keyid"]
    chosen = (pubkey_info.get("subkeys") or {}).get(keyid, pubkey_info)
    created, validity = chosen.get("creation_time"), chosen.get("validity_period")
    if created and validity and created + validity < time.time():
        raise KeyExpirationError(chosen)
    try:
        key = Key.from_json(chosen, id=chosen.get("keyid", keyid))
        value, headers = (bytes.fromhex(signature_object[name]) for name in ("signature", "other_headers"))
    except (Malformed, ValueError) as error:
        raise FormatError(str(error)) from error
    return key.verify(value, content, headers)


def export_pubkey(keyid: str | None, homedir: str | None = None, timeout: float = GPG_TIMEOUT) -> dict[str, Any]:
    """The public key, with its subkeys, that gpg knows by `keyid`. Raises `KeyNotFoundError`."""
    from navicert.trust.gpg import export_key

    _require_gpg()
    try:
        return dict(export_key(keyid or "", homedir or "").to_json())
    except Malformed as error:
        raise KeyNotFoundError(str(error)) from error
    except Unavailable as error:
        raise CommandError(str(error)) from error


def export_pubkeys(
    keyids: list[str], homedir: str | None = None, timeout: float = GPG_TIMEOUT
) -> dict[str, dict[str, Any]]:
    """The public keys that gpg knows by `keyids`, by their ids."""
    found = [export_pubkey(keyid, homedir, timeout) for keyid in keyids]
    return {key["keyid"]: key for key in found}


def _require_gpg() -> None:
    if not have_gpg():
        raise UnsupportedLibraryError(NO_GPG_MSG)
