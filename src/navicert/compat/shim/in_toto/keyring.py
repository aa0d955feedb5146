"""Keys as the options of the programs name them.

They are of any form, of the type that was said, and used under the id of the release that the option is from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from navicert.compat.shim.in_toto.models._signer import GPGSigner, load_public_key_from_file
from navicert.compat.shim.securesystemslib.exceptions import CryptoError, FormatError
from navicert.compat.shim.securesystemslib.interface import check_type
from navicert.compat.shim.securesystemslib.signer import CryptoSigner
from navicert.compat.shim.translation import translated
from navicert.crypto.key import IdForm


def signer(
    path: str, types: Sequence[str] | None, password: bytes | None, id_form: IdForm | None
) -> CryptoSigner | GPGSigner:
    """The private key that `path` names, to sign under its id of `id_form`; None for the one of its file's form."""
    from navicert.trust.keyfile import open_signer

    if path.startswith("gpg:"):
        from navicert.trust.gpg import open_gpg_signer

        with translated(ValueError):
            found = open_gpg_signer(path)
        return GPGSigner(found.keyid, found.homedir or None)
    # What releases before 1.0 of securesystemslib raise, for the option that is from their time.
    with translated(CryptoError if id_form == "legacy" else ValueError):
        opened = open_signer(path, password=None if password is None else lambda: password, id_form=id_form)
    _check_types([path], types)
    check_type(opened.key, types[0] if types else None, path)
    return CryptoSigner.of(opened)


def public_keys(paths: Sequence[str], types: Sequence[str] | None) -> dict[str, dict[str, Any]]:
    """The public keys in the files, by id."""
    _check_types(paths, types)
    found = [load_public_key_from_file(path) for path in paths]
    for path, key, kind in zip(paths, found, _spread(types, len(paths)), strict=True):
        _check_described(key, kind, path)
    return {key["keyid"]: key for key in found}


def _check_types(paths: Sequence[str], types: Sequence[str] | None) -> None:
    if types and len(types) not in (1, len(paths)):
        raise FormatError(f"{len(types)} key types for {len(paths)} keys: give one for each, or one for all")


def _spread(types: Sequence[str] | None, count: int) -> Sequence[str | None]:
    if not types:
        return [None] * count
    return list(types) * count if len(types) == 1 else types


def _check_described(key: dict[str, Any], kind: str | None, path: str) -> None:
    if kind is not None and key.get("keytype") != kind:
        raise FormatError(f"{path}: not a key of type '{kind}', but of type '{key.get('keytype')}'")
