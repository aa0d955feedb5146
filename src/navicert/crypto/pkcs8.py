"""PKCS#8 under a password: written with a slow key derivation, and read only with one that comes to an end.

PBES2 with PBKDF2-HMAC-SHA256 and AES-256-CBC is written here because the library derives the key in 2,048 rounds and
takes no other number; every program that reads encrypted PKCS#8 reads this.
Spec: RFC 5958 §3, RFC 8018 §6.2 and appendix A, RFC 7914 §7 (scrypt).
"""

from __future__ import annotations

import hashlib
from typing import Final

from navicert.errors import LimitExceeded
from navicert.limits import LOCAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS: Final = 600_000
"""Rounds of PBKDF2: about a quarter of a second. Spec: OWASP Password Storage Cheat Sheet (2023)."""

_PBES2: Final = bytes.fromhex("2a864886f70d01050d")
_PBKDF2: Final = bytes.fromhex("2a864886f70d01050c")
_HMAC_SHA256: Final = bytes.fromhex("2a864886f70d0209")
_AES_256_CBC: Final = bytes.fromhex("60864801650304012a")

_SCRYPT: Final = bytes.fromhex("2b06010401da47040b")

_INTEGER, _OCTETS, _NULL, _OID, _SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30


def encrypt(private: bytes, password: bytes) -> bytes:
    """The DER PrivateKeyInfo `private` as a DER EncryptedPrivateKeyInfo that opens with `password`."""
    import secrets

    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.padding import PKCS7

    salt, iv = secrets.token_bytes(16), secrets.token_bytes(16)
    key = hashlib.pbkdf2_hmac("sha256", password, salt, ROUNDS, 32)
    padder = PKCS7(128).padder()
    worker = Cipher(algorithms.AES256(key), modes.CBC(iv)).encryptor()
    sealed = worker.update(padder.update(private) + padder.finalize()) + worker.finalize()

    digest = _sequence(_der(_OID, _HMAC_SHA256), _der(_NULL, b""))
    rounds = ROUNDS.to_bytes(ROUNDS.bit_length() // 8 + 1, "big")
    derivation = _sequence(_der(_OID, _PBKDF2), _sequence(_der(_OCTETS, salt), _der(_INTEGER, rounds), digest))
    cipher = _sequence(_der(_OID, _AES_256_CBC), _der(_OCTETS, iv))
    algorithm = _sequence(_der(_OID, _PBES2), _sequence(derivation, cipher))
    return _sequence(algorithm, _der(_OCTETS, sealed))


def check_cost(sealed: bytes) -> None:
    """Raises `LimitExceeded` where opening the DER EncryptedPrivateKeyInfo `sealed` would take forever, or more memory
    than there is. What is no such structure is left to whoever opens it."""
    algorithm = _content(_content(sealed))
    numbers = list(_integers(algorithm))
    if _SCRYPT in algorithm and len(numbers) >= 3:
        cost, blocks, passes = numbers[:3]
        what, name, most, asked = "bytes", "kdf_bytes", LOCAL.kdf_bytes, 128 * cost * blocks * passes
    else:
        what, name, most, asked = "rounds", "kdf_iterations", LOCAL.kdf_iterations, max(numbers, default=0)
    if asked > most:
        raise LimitExceeded(
            f"password derivation too long (limit {name})",
            expected=f"at most {most} {what}",
            got=f"{asked} {what}" if asked < 2**64 else "far more",
        )


def _content(data: bytes) -> bytes:
    """What is inside the first value of `data`."""
    start, end = _extent(data, 0)
    return data[start:end]


def _integers(data: bytes) -> Iterator[int]:
    """Every INTEGER in `data`, in sequences too."""
    at = 0
    while at < len(data):
        start, end = _extent(data, at)
        if data[at] == _INTEGER:
            yield int.from_bytes(data[start:end], "big")
        # Inside a sequence come the next values, so only what is no sequence is stepped over.
        at = start if data[at] == _SEQUENCE else end


def _extent(data: bytes, at: int) -> tuple[int, int]:
    """Where the content of the value at `at` begins and ends; never beyond the end of `data`."""
    size = data[at + 1] if at + 1 < len(data) else 0
    start = at + 2
    if size & 0x80:
        digits = size & 0x7F
        size = int.from_bytes(data[start : start + digits], "big")
        start += digits
    return min(start, len(data)), min(start + size, len(data))


def _sequence(*parts: bytes) -> bytes:
    return _der(_SEQUENCE, b"".join(parts))


def _der(tag: int, content: bytes) -> bytes:
    """One DER value. Spec: X.690 §8.1 and §10.1 (the shortest form of the length)."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(digits))) + digits + content
