"""Key files of in-toto 1.x: one JSON object, or its text encrypted.

Plain, public or private: `{"keytype", "scheme", "keyval": {"public", "private"}, …}`, hex for Ed25519 and PEM for the
others. Encrypted: `salt@@@@iterations@@@@hmac@@@@iv@@@@ciphertext`, hex but for the decimal iterations. PBKDF2 with
HMAC-SHA256 makes 32 bytes of the password; they are the key of both the HMAC-SHA256 over the ciphertext and
AES-256-CTR.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re

from navicert import strictjson
from navicert.crypto.key import Key
from navicert.crypto.pem import (
    Password,
    load_private,
    only_block,
    private_given,
    public_given,
    required,
    wrong_password,
)
from navicert.crypto.signer import MemorySigner, Signer, private_of, usable
from navicert.dataclass import replace
from navicert.errors import LimitExceeded, Malformed, NavicertError
from navicert.limits import LOCAL
from navicert.model.field import as_object, as_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from navicert.crypto.material import PrivateKey

_DELIMITER: Final = "@@@@"
_ENCRYPTED: Final = re.compile(
    r"[0-9a-fA-F]{2,256}@@@@[0-9]{1,20}@@@@[0-9a-fA-F]{64}@@@@[0-9a-fA-F]{32}@@@@[0-9a-fA-F]+"
)
_SEED: Final = re.compile(r"[0-9a-fA-F]{64}")
_ITERATIONS: Final = 100_000
"""What in-toto 1.x writes."""

_LIMITS: Final = replace(LOCAL, document_bytes=LOCAL.key_bytes)


def is_plain(text: str) -> bool:
    """Whether `text` is a JSON object."""
    return text.lstrip().startswith("{")


def is_encrypted(text: str) -> bool:
    """Whether `text` looks like an encrypted key file of in-toto 1.x."""
    return _DELIMITER in text[:400]


def load_public(text: str) -> Key:
    """The public key in the JSON `text`, under its legacy id unless the file says `keyid`. Raises `Malformed`."""
    document = _document(text)
    keyval = document.get("keyval")
    if isinstance(keyval, dict) and keyval.get("private"):
        raise private_given("a private key of in-toto 1.x")
    # keyid_hash_algorithms may be missing from what was written by hand; the form of id follows from the file's.
    return Key.from_json({"keyid_hash_algorithms": [], **document})


def load_signer(text: str, password: Password | None) -> MemorySigner:
    """The private key in `text`, plain or encrypted, under its legacy id. Raises `Malformed`."""
    if is_encrypted(text):
        text = _decrypt(text.strip(), required(password))
    document = _document(text)
    keyval = dict(as_object(document.get("keyval"), "/keyval"))
    secret = as_text(keyval.pop("private", ""), "/keyval/private")
    if not secret:
        raise public_given("a public key of in-toto 1.x")
    stated = Key.from_json({**document, "keyid": None, "keyid_hash_algorithms": [], "keyval": keyval})
    signer = MemorySigner.of(_private(stated.keytype, secret, password), scheme=stated.scheme, form="legacy")
    if signer.key != stated:
        raise Malformed(
            "the private and the public half are of different keys",
            pointer="/keyval",
            remedy="the file is damaged or was tampered with: use a copy of it, or a new key",
        )
    return MemorySigner(signer.key.with_id(stated.id), signer.private)


def private_file(signer: Signer, password: bytes | None) -> bytes:
    """The private key file that in-toto 1.x would have written for `signer`. Raises `Refused`, `Malformed`.

    RSA: PKCS#1 in PEM. The others: JSON, encrypted as a whole where a password is given.
    """
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    key = signer.key
    if key.keytype == "rsa":
        under = NoEncryption() if password is None else BestAvailableEncryption(usable(password))
        return private_of(signer).private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, under)
    secret = private_text(signer)
    keyval = {"public": key.public_text, "private": secret}
    text = json.dumps({**_described(key), "keyid": key.legacy_id, "keyval": keyval})
    return (text if password is None else _encrypt(text, usable(password))).encode("ascii")


def private_text(signer: Signer) -> str:
    """The `private` of key objects: hex for Ed25519, else PEM as OpenSSL wrote it of old. Raises `Refused`."""
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    private = private_of(signer)
    if signer.key.keytype == "ed25519":
        return private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()).hex()
    return private.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode("ascii")


def public_file(key: Key) -> bytes:
    """The public key file that in-toto 1.x would have written for `key`: PEM for RSA, JSON for the others."""
    if key.keytype == "rsa":
        return key.public_pem().rstrip(b"\n")
    return json.dumps(_described(key)).encode("ascii")


def _described(key: Key) -> dict[str, object]:
    described = key.to_json()
    del described["keyid"]
    return described


def _document(text: str) -> dict[str, object]:
    return as_object(strictjson.loads(text.encode("utf-8"), _LIMITS), "")


def _private(keytype: str, secret: str, password: Password | None) -> PrivateKey:
    if keytype == "ed25519":
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        if not _SEED.fullmatch(secret):
            raise Malformed("not an Ed25519 private key", pointer="/keyval/private", expected="64 hexadecimal digits")
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret))
    try:
        return load_private(only_block(secret), password)
    except NavicertError as error:
        error.pointer = "/keyval/private"
        raise


def _derive(password: bytes, salt: bytes, iterations: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", password, salt, iterations, 32)


def _aes_ctr(key: bytes, iv: bytes, data: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    # One operation for both directions: counter mode xors.
    worker = Cipher(algorithms.AES256(key), modes.CTR(iv)).encryptor()
    return worker.update(data) + worker.finalize()


def _decrypt(text: str, password: bytes) -> str:
    if not _ENCRYPTED.fullmatch(text):
        raise Malformed(
            "damaged encrypted key file", expected="salt@@@@iterations@@@@hmac@@@@iv@@@@ciphertext of in-toto 1.x"
        )
    salt, iterations, code, iv, ciphertext = text.split(_DELIMITER)
    if not 1 <= int(iterations) <= LOCAL.kdf_iterations:
        raise LimitExceeded(
            "password derivation too long (limit kdf_iterations)",
            expected=f"1 to {LOCAL.kdf_iterations} iterations",
            got=iterations,
        )
    try:
        sealed = bytes.fromhex(ciphertext)
        key = _derive(password, bytes.fromhex(salt), int(iterations))
    except ValueError as error:
        raise Malformed("damaged encrypted key file: an odd number of hexadecimal digits") from error
    # Checked before anything is decrypted, and in constant time.
    if not hmac.compare_digest(hmac.digest(key, sealed, "sha256"), bytes.fromhex(code)):
        raise wrong_password()
    try:
        return _aes_ctr(key, bytes.fromhex(iv), sealed).decode("utf-8")
    except UnicodeDecodeError as error:  # the initial vector is not authenticated
        raise wrong_password() from error


def _encrypt(text: str, password: bytes) -> str:
    import secrets

    salt, iv = secrets.token_bytes(16), secrets.token_bytes(16)
    key = _derive(password, salt, _ITERATIONS)
    sealed = _aes_ctr(key, iv, text.encode("utf-8"))
    code = hmac.digest(key, sealed, "sha256")
    return _DELIMITER.join((salt.hex(), str(_ITERATIONS), code.hex(), iv.hex(), sealed.hex()))
