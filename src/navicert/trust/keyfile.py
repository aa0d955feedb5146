"""Keys by the name that a user gives: a path, `file:PATH`, `env:VARIABLE`, `gpg:KEYID`, or a plugin's URI.

How GPG keys are named says `navicert.trust.gpg`.

A plugin is an entry point of the group `navicert.signers`, named after the scheme of its URIs: a callable
`(uri, *, password, id_form) -> Signer`; and, where it knows the public key without signing, one of the group
`navicert.public_keys`: `(uri) -> Key`. It is looked up and imported only when such a URI is given. Before anything is
done with a signer it signs something, and whatever it signs is verified.
"""

from __future__ import annotations

import os

from navicert.crypto.formats import load_public_key, load_signer
from navicert.errors import Malformed, NavicertError, Unavailable
from navicert.limits import LOCAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from navicert.crypto.key import IdForm, Key
    from navicert.crypto.pem import Password
    from navicert.crypto.signer import Signer

SIGNERS: Final = "navicert.signers"
"""The group of entry points that signers are found in."""

PUBLIC_KEYS: Final = "navicert.public_keys"
"""The group of entry points that public keys are found by."""

_PROBE: Final = b"does this key sign?"
"""Neither a document nor the message of an envelope: a signature over it vouches for nothing."""

# One letter is no scheme, so that no drive letter is ever taken for one.
_SCHEME: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789+-.")


def open_signer(
    uri_or_path: str,
    *,
    password: Password | None = None,
    scheme: str | None = None,
    id_form: IdForm | None = None,
) -> Signer:
    """The signer that `uri_or_path` names: a private key file of any form, or whatever a plugin knows by that URI.

    `password` is called only if the key turns out to be encrypted. `id_form` None signs under the id that belongs to
    the form of the file (see `crypto.formats.load_signer`). Raises `Malformed` for a name that leads nowhere and for
    what is no private key, `Unavailable` for a file that cannot be read and a plugin that does not work, `Refused` for
    one that signs with another key than it says.
    """
    kind, rest = _split(uri_or_path)
    if kind == "gpg":
        from navicert.trust.gpg import open_gpg_signer

        return open_gpg_signer(uri_or_path)
    if kind not in ("", "file", "env"):
        return _from_plugin(kind, uri_or_path, password, id_form)
    path, raw = _read(kind, rest, uri_or_path)
    return load_signer(raw, password=password, path=path, scheme=scheme, id_form=id_form)


def open_public_key(uri_or_path: str, *, scheme: str | None = None) -> Key:
    """The public key in the file (or variable, or keyring) that `uri_or_path` names, of any form.

    Raises `Malformed` for a name that leads nowhere and for what is no public key, a private key included;
    `Unavailable` for a file that cannot be read.
    """
    kind, rest = _split(uri_or_path)
    if kind == "gpg":
        from navicert.trust.gpg import open_gpg_key

        return open_gpg_key(uri_or_path)
    if kind not in ("", "file", "env"):
        return _public_from_plugin(kind, uri_or_path)
    path, raw = _read(kind, rest, uri_or_path)
    return load_public_key(raw, path=path, scheme=scheme)


def _split(name: str) -> tuple[str, str]:
    scheme, colon, rest = name.partition(":")
    known = colon and len(scheme) > 1 and scheme[0].isalpha() and _SCHEME.issuperset(scheme)
    return (scheme, rest) if known else ("", name)


def _read(kind: str, rest: str, name: str) -> tuple[str, bytes]:
    """What to call the source in messages, and what is in it."""
    if kind == "env":
        return name, _from_environment(rest, name)
    if rest.startswith("//"):
        if not rest.startswith("///"):
            raise Malformed("names another machine", path=name, expected="file:PATH or file:///PATH")
        rest = rest[2:]
    return rest, _from_file(rest)


def _from_environment(variable: str, name: str) -> bytes:
    value = os.environ.get(variable, "")
    if not value:
        raise Malformed(
            "the environment variable is not set, or empty", path=name, expected="the text of a key in the variable"
        )
    return os.fsencode(value)


def _from_file(path: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            # One byte more than may be, so that the reader of the key sees that there was more.
            return stream.read(LOCAL.key_bytes + 1)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise Malformed("no such key file", path=path, remedy="check the path; navicert keygen makes keys") from error
    except IsADirectoryError as error:
        raise Malformed("is a directory", path=path, expected="a key file") from error
    except ValueError as error:  # a NUL
        raise Malformed("not a file name", path=path) from error
    except OSError as error:
        raise Unavailable(f"cannot be read: {(error.strerror or str(error)).lower()}", path=path) from error


def _from_plugin(kind: str, uri: str, password: Password | None, id_form: IdForm | None) -> Signer:
    from navicert.crypto.signer import CheckedSigner, Signer

    signer = _plugin(SIGNERS, kind, uri)(uri, password=password, id_form=id_form)
    if not isinstance(signer, Signer) or signer.key.openpgp:
        raise Unavailable(f'the plugin for "{kind}:" gave no signer', path=uri, got=type(signer).__name__)
    checked = CheckedSigner(signer)
    try:
        # A key that may not be used is noticed now, and not after a build of two hours.
        checked.sign(_PROBE)
    except NavicertError as error:
        raise error.at(uri) from None
    return checked


def _public_from_plugin(kind: str, uri: str) -> Key:
    from navicert.crypto.key import Key

    key = _plugin(PUBLIC_KEYS, kind, uri)(uri)
    if not isinstance(key, Key):
        raise Unavailable(f'the plugin for "{kind}:" gave no public key', path=uri, got=type(key).__name__)
    return key


def _plugin(group: str, kind: str, uri: str) -> Callable[..., object]:
    """What the entry point `kind` of `group` stands for."""
    from importlib.metadata import entry_points

    what = "signer" if group == SIGNERS else "public key"
    found = {entry.value: entry for entry in entry_points(group=group, name=kind)}
    if not found:
        raise Malformed(
            f'no {what} for "{kind}:"',
            path=uri,
            remedy=f"install the package that provides it, or write ./{uri} for a file of that name",
        )
    if len(found) > 1:
        raise Malformed(
            f'several packages provide a {what} for "{kind}:"',
            path=uri,
            got=", ".join(sorted(found)),
            remedy="uninstall all but one of them",
        )
    (entry,) = found.values()
    try:
        factory: Callable[..., object] = entry.load()
    except (ImportError, AttributeError) as error:
        raise Unavailable(f'the {what} for "{kind}:" does not load: {error}', path=uri) from error
    return factory
