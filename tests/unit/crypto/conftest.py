"""Keys of every type, made once, and the ways to write them down that other programs use."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from navicert.crypto.signer import MemorySigner, generate

PASSWORD = b"correct horse"
KINDS = ("ed25519", "P-256", "P-384", "P-521", "rsa")


@pytest.fixture(scope="session")
def signers() -> Mapping[str, MemorySigner]:
    """One signer for each of `KINDS`."""
    return {
        "ed25519": generate(),
        "P-256": generate("ecdsa"),
        "P-384": generate("ecdsa", curve="P-384"),
        "P-521": generate("ecdsa", curve="P-521"),
        "rsa": generate("rsa", bits=2048),
    }


@pytest.fixture(params=KINDS)
def signer(request: pytest.FixtureRequest, signers: Mapping[str, MemorySigner]) -> MemorySigner:
    """Each of the signers in turn."""
    return signers[request.param]


Written = Callable[[MemorySigner, str, bytes | None], bytes]


@pytest.fixture(scope="session")
def private_file() -> Written:
    """Writes a private key in the form "pkcs8", "traditional" (PKCS#1, SEC1) or "openssh"."""

    def write(signer: MemorySigner, form: str, password: bytes | None) -> bytes:
        formats = {
            "pkcs8": PrivateFormat.PKCS8,
            "traditional": PrivateFormat.TraditionalOpenSSL,
            "openssh": PrivateFormat.OpenSSH,
        }
        encryption: KeySerializationEncryption = NoEncryption()
        if password is not None:
            encryption = BestAvailableEncryption(password)
            if form == "openssh":
                encryption = PrivateFormat.OpenSSH.encryption_builder().kdf_rounds(2).build(password)
        return signer.private.private_bytes(Encoding.PEM, formats[form], encryption)

    return write


@pytest.fixture(scope="session")
def public_file() -> Callable[[MemorySigner, str], bytes]:
    """Writes a public key in the form "spki", "pkcs1" or "openssh"."""

    def write(signer: MemorySigner, form: str) -> bytes:
        public = signer.private.public_key()
        if form == "openssh":
            return public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH) + b" someone@somewhere\n"
        return public.public_bytes(
            Encoding.PEM, {"spki": PublicFormat.SubjectPublicKeyInfo, "pkcs1": PublicFormat.PKCS1}[form]
        )

    return write
