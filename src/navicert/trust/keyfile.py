"""Keys by the name that a user gives: a path, `file:PATH`, `env:VARIABLE`, `gpg:KEYID`, or a plugin's URI.

How GPG keys are named says `navicert.trust.gpg`.

A plugin is an entry point of the group `navicert.signers`, named after the scheme of its URIs: a callable
`(uri, *, password, id_form) -> Signer`. It is looked up and imported only when such a URI is given.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from navicert.crypto.formats import load_public_key, load_signer
from navicert.errors import Malformed, Unavailable
from navicert.limits import LOCAL

if TYPE_CHECKING:
    from navicert.crypto.key import IdForm, Key
    from navicert.crypto.pem import Password
    from navicert.crypto.signer import Signer

PLUGINS: Final = "navicert.signers"
"""The group of entry points that signers are found in."""

# One letter is no scheme, so that no drive letter is ever taken for one.
_URI: Final = re.compile(r"([a-z][a-z0-9+.-]+):(.*)", re.DOTALL)


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
    what is no private key, `Unavailable` for a file that cannot be read and a plugin that does not work.
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
        raise Malformed(
            f'no public keys by "{kind}:"',
            path=uri_or_path,
            expected="a path, file:PATH, env:VARIABLE or gpg:FINGERPRINT",
            remedy=f"write ./{uri_or_path} for a file of that name",
        )
    path, raw = _read(kind, rest, uri_or_path)
    return load_public_key(raw, path=path, scheme=scheme)


def _split(name: str) -> tuple[str, str]:
    match = _URI.fullmatch(name)
    return (match[1], match[2]) if match else ("", name)


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
    from importlib.metadata import entry_points

    from navicert.crypto.signer import Signer

    found = {entry.value: entry for entry in entry_points(group=PLUGINS, name=kind)}
    if not found:
        raise Malformed(
            f'no signer for "{kind}:"',
            path=uri,
            remedy=f"install the package that provides it, or write ./{uri} for a file of that name",
        )
    if len(found) > 1:
        raise Malformed(
            f'several packages provide a signer for "{kind}:"',
            path=uri,
            got=", ".join(sorted(found)),
            remedy="uninstall all but one of them",
        )
    (entry,) = found.values()
    try:
        factory = entry.load()
    except (ImportError, AttributeError) as error:
        raise Unavailable(f'the signer for "{kind}:" does not load: {error}', path=uri) from error
    signer = factory(uri, password=password, id_form=id_form)
    if not isinstance(signer, Signer):
        raise Unavailable(f'the plugin for "{kind}:" gave no signer', path=uri, got=type(signer).__name__)
    return signer
