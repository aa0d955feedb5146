"""OpenSSH's forms of keys: the public line, and the private block, plain or encrypted.

Spec: RFC 4253 §6.6 and RFC 5656 §3.1 (public), OpenSSH's PROTOCOL.key (private).
"""

from __future__ import annotations

import re

from navicert.crypto.material import Material, describe, private
from navicert.crypto.pem import Block, Password, required, wrong_password
from navicert.errors import LimitExceeded, Malformed, Unavailable
from navicert.limits import LOCAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from navicert.crypto.material import PrivateKey

_LINE: Final = re.compile(r"(?:ssh-|sk-ssh-|ecdsa-sha2-|sk-ecdsa-sha2-)[!-~]{1,60}[ \t]")
_TYPES: Final = frozenset(
    {"ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"}
)
_MAGIC: Final = b"openssh-key-v1\0"


def is_public_line(text: str) -> bool:
    """Whether `text` begins as a line of an `id_….pub` file does."""
    return _LINE.match(text) is not None


def load_public(text: str) -> Material:
    """The public key in the one line of `text`. Raises `Malformed`."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_ssh_public_key

    lines = [line for line in text.strip().splitlines() if line.strip()]
    if len(lines) != 1:
        raise Malformed(
            "more than one OpenSSH key, so which one is meant is not certain",
            expected="one key",
            got=f"{len(lines)} lines",
            remedy="put each key into a file of its own",
        )
    kind = lines[0].split()[0]
    _check_type(kind)
    # The comment may be any text, and is no part of the key.
    try:
        public = load_ssh_public_key(" ".join(lines[0].split()[:2]).encode("ascii"))
    except (ValueError, UnsupportedAlgorithm, NotImplementedError) as error:  # the last: a compressed point
        raise Malformed("the OpenSSH line holds no readable key", remedy="copy the whole line again") from error
    return describe(public)


def load_private(block: Block, password: Password | None) -> PrivateKey:
    """The private key in `block`, for which `password` is asked if it is encrypted.

    Raises `Malformed`; `Unavailable` where the library for OpenSSH's key derivation is not installed.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_ssh_private_key

    kind, encrypted = _describe(block)
    _check_type(kind)
    secret = required(password) if encrypted else None
    try:
        key = load_ssh_private_key(block.text.encode("utf-8"), secret)
    except UnsupportedAlgorithm as error:
        if "bcrypt" in str(error):
            raise Unavailable(
                "the package bcrypt, which opens encrypted OpenSSH keys, is not installed",
                remedy="pip install 'navicert[openssh]', or convert the key with: ssh-keygen -p -m PKCS8 -f KEY",
            ) from error
        raise Malformed(
            "unsupported cipher of an OpenSSH key", remedy="encrypt it anew with: ssh-keygen -p -f KEY"
        ) from error
    except (ValueError, TypeError, NotImplementedError) as error:
        raise (wrong_password() if encrypted else _unreadable()) from error
    return private(key)


def _describe(block: Block) -> tuple[str, bool]:
    """The type of the one key in `block`, and whether it is encrypted; both stand before what is encrypted."""
    raw = block.der
    if not raw.startswith(_MAGIC):
        raise _unreadable()
    cipher, rest = _string(raw[len(_MAGIC) :])
    derivation, rest = _string(rest)
    options, rest = _string(rest)
    if derivation == b"bcrypt":
        _check_rounds(int.from_bytes(_string(options)[1], "big"))  # after the salt
    if rest[:4] != b"\0\0\0\1":
        raise _unreadable()
    public, _ = _string(rest[4:])
    kind, _ = _string(public)
    return kind.decode("ascii", "replace"), cipher != b"none"


def _check_rounds(rounds: int) -> None:
    if rounds > LOCAL.kdf_rounds:
        raise LimitExceeded(
            "password derivation too long (limit kdf_rounds)",
            expected=f"at most {LOCAL.kdf_rounds} rounds",
            got=f"{rounds} rounds" if rounds < 2**64 else "far more",
            remedy="encrypt it anew with: ssh-keygen -p -a 64 -f KEY",
        )


def _string(data: bytes) -> tuple[bytes, bytes]:
    """The length-prefixed string that `data` begins with, and what follows. Spec: RFC 4251 §5."""
    end = 4 + int.from_bytes(data[:4], "big")
    if len(data) < end:
        raise _unreadable()
    return data[4:end], data[end:]


def _check_type(kind: str) -> None:
    if kind not in _TYPES:
        raise Malformed(
            "unsupported type of OpenSSH key",
            expected="ssh-ed25519, ssh-rsa or ecdsa-sha2-nistp256, -nistp384, -nistp521",
            got=repr(kind[:60]),
            remedy="make one with: navicert keygen KEY",
        )


def _unreadable() -> Malformed:
    return Malformed("the OpenSSH block holds no readable key", remedy="copy the whole file again")
