"""Keys as the options of the programs name them.

They are of any form, of the type that was said, and used under the id of the release that the option is from.
"""

from __future__ import annotations

from navicert.compat.shim.in_toto.models._signer import GPGSigner, describe
from navicert.compat.shim.securesystemslib.exceptions import CryptoError, FormatError
from navicert.compat.shim.securesystemslib.signer import CryptoSigner, check_type
from navicert.compat.shim.translation import translated

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence
    from typing import Any

    from navicert.crypto.key import IdForm, Key


def chosen(args: argparse.Namespace, password: bytes | None) -> dict[str, Any]:
    """Who signs, as the options of `in-toto-run` and `in-toto-record` say: arguments for the functions of `runlib`."""
    gpg_keyid, gpg_home = None if args.gpg is True else args.gpg, args.gpg_home
    found: CryptoSigner | GPGSigner | None = None
    if args.signing_key or args.key:
        name = args.signing_key or args.key
        found = signer(name, args.key_type, password, None if args.signing_key else "legacy")
        if isinstance(found, GPGSigner):
            gpg_keyid, gpg_home, found = found.keyid, found.homedir, None
    return {"signer": found, "gpg_keyid": gpg_keyid, "gpg_use_default": args.gpg is True, "gpg_home": gpg_home}


def signer(path: str, kind: str | None, password: bytes | None, id_form: IdForm | None) -> CryptoSigner | GPGSigner:
    """The private key that `path` names, to sign under its id of `id_form`; None for the one of its file's form.
    Raises `CryptoError` where it is not of the type `kind`, if one is given."""
    from navicert.trust.keyfile import open_signer

    if path.startswith("gpg:"):
        from navicert.trust.gpg import open_gpg_signer

        with translated(ValueError):
            found = open_gpg_signer(path)
        return GPGSigner(found.keyid, found.homedir or None)
    # What releases before 1.0 of securesystemslib raise, for the option that is from their time.
    with translated(CryptoError if id_form == "legacy" else ValueError):
        opened = open_signer(path, password=None if password is None else lambda: password, id_form=id_form)
    check_type(opened.key, kind, path)
    return CryptoSigner.of(opened)


def public_keys(
    paths: Sequence[str], types: Sequence[str] | None, read: Callable[[str], Key]
) -> dict[str, dict[str, Any]]:
    """The public key that `read` finds in each of the files, by its id."""
    found = {}
    for path, kind in zip(paths, spread(types, len(paths)), strict=True):
        with translated(ValueError):
            opened = read(path)
        key = describe(opened)
        own = key.get("keytype") or key.get("type")
        if kind not in (None, own):
            raise FormatError(f"{path}: not a key of type '{kind}', but of type '{own}'")
        found[key["keyid"]] = key
    return found


def spread(types: Sequence[str] | None, count: int) -> Sequence[str | None]:
    """A type for each of `count` keys: each its own, one for all, or none. Raises `FormatError`."""
    if types and len(types) not in (1, count):
        raise FormatError(f"{len(types)} key types for {count} keys: give one for each, or one for all")
    if not types:
        return [None] * count
    return list(types) * count if len(types) == 1 else types
