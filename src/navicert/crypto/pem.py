"""PEM armour: exactly one block, read line by line, and the keys inside it.

Public: SPKI and PKCS#1. Private: PKCS#8, PKCS#1 and SEC1, each plain or encrypted. Spec: RFC 7468, RFC 1421 §4.6 (the
old way to encrypt), RFC 5958, RFC 8017 appendix A, RFC 5915.
"""

from __future__ import annotations

import binascii

from navicert.crypto import ed25519, point
from navicert.crypto.material import SUPPORTED, Material, describe, of_point, private
from navicert.dataclass import dataclass
from navicert.errors import Malformed
from navicert.interface import Callable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from navicert.crypto.material import PrivateKey

Password = Callable[[], bytes]
"""Asked for the password only when a key turns out to be encrypted."""

PUBLIC_LABELS: Final = frozenset({"PUBLIC KEY", "RSA PUBLIC KEY"})
PRIVATE_LABELS: Final = frozenset({"PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"})
OPENSSH_LABEL: Final = "OPENSSH PRIVATE KEY"

# Blocks that are no keys for us, and what to do instead.
_FOREIGN: Final = {
    "CERTIFICATE": ("a certificate", "take the key out of it with: openssl x509 -in FILE -noout -pubkey"),
    "CERTIFICATE REQUEST": (
        "a certificate request",
        "take the key out of it with: openssl req -in FILE -noout -pubkey",
    ),
    "DSA PRIVATE KEY": ("a DSA key", "make one of a supported type with: navicert keygen KEY"),
    "PGP PUBLIC KEY BLOCK": ("an OpenPGP public key", "sign through gpg, with: --key gpg:FINGERPRINT"),
    "PGP PRIVATE KEY BLOCK": ("an OpenPGP private key", "leave it to gpg, and sign with: --key gpg:FINGERPRINT"),
    "ENCRYPTED COSIGN PRIVATE KEY": ("a cosign key", "make one with: navicert keygen KEY"),
    "ENCRYPTED SIGSTORE PRIVATE KEY": ("a cosign key", "make one with: navicert keygen KEY"),
}

_BEGIN: Final = "-----BEGIN "
_DASHES: Final = "-----"
_LABEL: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ")
_LONGEST: Final = 64
"""Characters of a label."""
_COLUMNS: Final = 64


@dataclass(frozen=True, slots=True)
class Block:
    """One PEM block: what its first line calls it, and all of its lines joined by `\\n`."""

    label: str
    text: str

    @property
    def encrypted(self) -> bool:
        """Whether a password is needed. What is inside an OpenSSH block only `openssh` knows."""
        return self.label.startswith("ENCRYPTED ") or "Proc-Type: 4,ENCRYPTED" in self.text

    @property
    def der(self) -> bytes:
        """What the armour holds. Raises `Malformed` for what is not base64."""
        try:
            return binascii.a2b_base64("".join(self.text.splitlines()[1:-1]), strict_mode=True)
        except ValueError as error:
            raise _unreadable(self) from error


def armour(label: str, der: bytes) -> str:
    """`der` as a PEM block with one newline at its end, as OpenSSL writes it."""
    body = binascii.b2a_base64(der, newline=False).decode("ascii")
    lines = [body[start : start + _COLUMNS] for start in range(0, len(body), _COLUMNS)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


def only_block(text: str) -> Block:
    """The one block in `text`; text around it is a comment, line ends are of any kind.

    Raises `Malformed` for none, for several, and for one that is cut off.
    """
    # EC PARAMETERS is what `openssl ecparam -genkey` writes before the key; the key names its curve itself.
    found = [block for block in blocks(text) if block.label != "EC PARAMETERS"]
    if len(found) == 1:
        return found[0]
    if not found:
        raise Malformed("no key found in it", expected="one PEM block, -----BEGIN ... KEY-----")
    raise Malformed(
        "more than one PEM block, so which key is meant is not certain",
        expected="one key",
        got=", ".join(block.label for block in found[:4]) + (", ..." if len(found) > 4 else ""),
        remedy="put each key into a file of its own",
    )


def blocks(text: str) -> list[Block]:
    """All blocks in `text`, in their order. Raises `Malformed` for one that is cut off."""
    found: list[Block] = []
    label = ""
    lines: list[str] = []
    for line in map(str.strip, text.replace("\r\n", "\n").replace("\r", "\n").split("\n")):
        begun = _begun(line)
        if begun:
            if label:
                raise _cut_off(label)
            label, lines = begun, [line]
        elif label:
            lines.append(line)
            if line == f"-----END {label}-----":
                found.append(Block(label, "\n".join([*lines, ""])))
                label = ""
    if label:
        raise _cut_off(label)
    return found


def _begun(line: str) -> str:
    """The label of the block that begins with `line`; empty where none does."""
    if not (line.startswith(_BEGIN) and line.endswith(_DASHES)):
        return ""
    label = line[len(_BEGIN) : -len(_DASHES)]
    return label if len(label) <= _LONGEST and label[:1] != " " and _LABEL.issuperset(label) else ""


def _cut_off(label: str) -> Malformed:
    return Malformed(f"PEM block is cut off: no line -----END {label}-----", remedy="copy the whole file again")


def foreign(label: str) -> Malformed:
    """The error for a block that holds no key that we read."""
    kind, remedy = _FOREIGN.get(label, (f'a block "{label}"', "give a key in PEM, OpenSSH or in-toto 1.x form"))
    return Malformed("not a supported key", expected="a key in PEM", got=kind, remedy=remedy)


def private_given(got: str) -> Malformed:
    """The error for a private key where a public one belongs: whoever verifies must not need it."""
    return Malformed(
        "a private key where a public one belongs", got=got, remedy="give its public half, such as KEY.pub"
    )


def public_given(got: str) -> Malformed:
    """The error for a public key where a private one is needed to sign."""
    return Malformed(
        "a public key where a private one belongs", got=got, remedy="give the private half, such as KEY without .pub"
    )


def load_public(text: str) -> Material:
    """The public key in `text`. Raises `Malformed`."""
    block = only_block(text)
    if block.label in PRIVATE_LABELS or block.label == OPENSSH_LABEL:
        raise private_given(block.label)
    if block.label not in PUBLIC_LABELS:
        raise foreign(block.label)
    raw = _after(point.SPKI, block)
    if raw is not None:
        return of_point(raw)
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        public = load_pem_public_key(block.text.encode("utf-8"))
    except UnsupportedAlgorithm as error:
        raise _unsupported() from error
    except ValueError as error:
        raise _unreadable(block) from error
    return describe(public)


def load_private(block: Block, password: Password | None) -> PrivateKey:
    """The private key in `block`, for which `password` is asked if it is encrypted. Raises `Malformed`."""
    seed = _after(point.PKCS8, block)
    if seed is not None:
        return ed25519.private_key(seed)
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    from navicert.crypto.pkcs8 import check_cost

    raw = block.text.encode("utf-8")
    if block.label == "ENCRYPTED PRIVATE KEY":
        check_cost(block.der)
    secret = required(password) if block.encrypted else None
    try:
        key = load_pem_private_key(raw, secret)
    except UnsupportedAlgorithm as error:
        raise _unsupported() from error
    except (ValueError, TypeError) as error:
        raise (wrong_password() if block.encrypted else _unreadable(block)) from error
    return private(key)


def _after(prefix: bytes, block: Block) -> bytes | None:
    """The 32 bytes after `prefix`, where the block consists of just these."""
    if block.label in ("PUBLIC KEY", "PRIVATE KEY") and block.der.startswith(prefix):
        rest = block.der[len(prefix) :]
        return rest if len(rest) == point.SIZE else None
    return None


def required(password: Password | None) -> bytes:
    """The password, which is needed now. Raises `Malformed` where there is none."""
    if password is None:
        raise Malformed(
            "the private key is encrypted, and no password was given",
            remedy="give --password-prompt, --password-env NAME, --password-file FILE or --password-fd N",
        )
    secret = password()
    if not secret:
        raise Malformed("the private key is encrypted, and the password given is empty")
    return secret


def wrong_password() -> Malformed:
    """The error for a key that does not open: the two causes cannot be told apart."""
    return Malformed("the private key does not open: wrong password, or a damaged file", remedy="check the password")


def _unreadable(block: Block) -> Malformed:
    return Malformed(f'the PEM block "{block.label}" holds no readable key', remedy="copy the whole file again")


def _unsupported() -> Malformed:
    return Malformed(
        "unsupported type of key, curve or cipher",
        expected=SUPPORTED,
        remedy="make one with: navicert keygen KEY",
    )
