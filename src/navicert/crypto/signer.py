"""Signers: whatever signs bytes under a known key; here the ones whose private key is in memory."""

from __future__ import annotations

from navicert.crypto.key import IdForm, Key
from navicert.crypto.material import MAX_RSA_BITS, MIN_RSA_BITS, describe
from navicert.crypto.pem import armour
from navicert.crypto.scheme import sign
from navicert.dataclass import dataclass, field, replace
from navicert.errors import LimitExceeded, Malformed, Refused
from navicert.interface import Protocol, runtime_checkable
from navicert.limits import LOCAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final, Literal

    from navicert.crypto.material import PrivateKey

    KeyType = Literal["ed25519", "ecdsa", "rsa"]
else:
    KeyType = str

CURVES: Final = ("P-256", "P-384", "P-521")
"""Curves that ECDSA keys are made on."""

DEFAULT_BITS: Final = 3072
"""Length of a new RSA modulus: as strong as the other types at their smallest. Spec: NIST SP 800-57 part 1 §5.6.1."""


@runtime_checkable
class Signer(Protocol):
    """Something that signs: a private key in memory, an agent, a key server."""

    @property
    def key(self) -> Key:
        """The public key that verifies what this signs."""

    @property
    def keyid(self) -> str:
        """The id to name in signatures."""

    def sign(self, message: bytes) -> bytes:
        """The raw signature over `message`."""


@runtime_checkable
class AttachingSigner(Protocol):
    """A signer that puts something beside each of its signatures, such as a timestamp."""

    def attach(self, signature: bytes) -> Mapping[str, object]:
        """Fields that stand beside `signature`, which it just made, in an envelope. Nobody signs them."""


@dataclass(frozen=True, slots=True)
class MemorySigner:
    """A private key in memory. The id it signs under is that of `key`; its text form shows nothing private."""

    key: Key
    private: PrivateKey = field(repr=False, compare=False)

    @classmethod
    def of(cls, private: PrivateKey, *, scheme: str | None = None, form: IdForm = "modern") -> MemorySigner:
        """The signer for a loaded private key, under its id of `form`. Raises `Malformed` for a key that is too weak
        and a scheme that does not suit it."""
        return cls(Key.of(describe(private.public_key()), scheme=scheme, form=form), private)

    @property
    def keyid(self) -> str:
        """The id to name in signatures."""
        return self.key.id

    def sign(self, message: bytes) -> bytes:
        """The raw signature over `message` under the key's scheme."""
        return sign(self.private, self.key.scheme, message)

    def with_id(self, id: str) -> MemorySigner:
        """This signer, signing under another id."""
        return replace(self, key=self.key.with_id(id))


@dataclass(frozen=True, slots=True)
class CheckedSigner:
    """A signer that is elsewhere, believed as far as its public key goes: what it gives out is a signature by `key`."""

    signer: Signer

    @property
    def key(self) -> Key:
        """The public key that verifies what this signs."""
        return self.signer.key

    @property
    def keyid(self) -> str:
        """The id to name in signatures."""
        return self.signer.keyid

    def sign(self, message: bytes) -> bytes:
        """The raw signature over `message`. Raises `Refused` where it is not by the key that it should be by, and
        whatever the signer raises."""
        signature = self.signer.sign(message)
        if not self.key.verify(signature, message):
            raise Refused(
                "what was signed is not signed with the key that was expected",
                expected=f"a signature by {self.key.scheme} key {self.key.fingerprint[:16]}…",
                got="one that it does not verify",
                remedy="check which key is named, and whether it was exchanged; nothing was written",
            )
        return signature


def generate(keytype: KeyType = "ed25519", *, bits: int = DEFAULT_BITS, curve: str = "P-256") -> MemorySigner:
    """A new key. `bits` is the length of an RSA modulus, `curve` that of an ECDSA key. Raises `Malformed`."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if keytype == "ed25519":
        return MemorySigner.of(ed25519.Ed25519PrivateKey.generate())
    if keytype == "ecdsa":
        curves: dict[str, ec.EllipticCurve] = {
            "P-256": ec.SECP256R1(),
            "P-384": ec.SECP384R1(),
            "P-521": ec.SECP521R1(),
        }
        if curve not in curves:
            raise Malformed("unsupported curve", expected=", ".join(curves), got=repr(curve[:40]))
        return MemorySigner.of(ec.generate_private_key(curves[curve]))
    if keytype == "rsa":
        if not MIN_RSA_BITS <= bits <= MAX_RSA_BITS:
            raise Malformed(
                "unsupported length of an RSA key", expected=f"{MIN_RSA_BITS} to {MAX_RSA_BITS} bits", got=str(bits)
            )
        return MemorySigner.of(rsa.generate_private_key(public_exponent=65537, key_size=bits))
    raise Malformed("unsupported type of key", expected="ed25519, ecdsa or rsa", got=repr(keytype)[:40])


def private_pem(signer: Signer, password: bytes | None) -> bytes:
    """The private key of `signer` as PKCS#8 in PEM, encrypted where a password is given. Spec: RFC 5958.

    Raises `Refused` for a signer whose private key is not in memory, `Malformed` for a password that cannot be used.
    """
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    der = private_of(signer).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    if password is None:
        return armour("PRIVATE KEY", der).encode("ascii")
    from navicert.crypto.pkcs8 import encrypt

    return armour("ENCRYPTED PRIVATE KEY", encrypt(der, usable(password))).encode("ascii")


def private_of(signer: Signer) -> PrivateKey:
    """The private key of `signer`. Raises `Refused` where it is not in memory."""
    if isinstance(signer, MemorySigner):
        return signer.private
    raise Refused("the private key of this signer does not leave the place where it is kept")


def usable(password: bytes) -> bytes:
    """`password`, if a key can be encrypted under it. Raises `Malformed` for one that is empty or longer than other
    programs could read."""
    if not password:
        raise Malformed("the password is empty", remedy="give a password, or ask for a key that is not encrypted")
    if len(password) > LOCAL.password_bytes:
        raise LimitExceeded(
            "password too long (limit password_bytes)",
            expected=f"at most {LOCAL.password_bytes} bytes",
            got=f"{len(password)} bytes",
        )
    return password
