"""Keys in hardware: whatever a PKCS#11 library gives access to, such as a smart card, a token or an HSM.

A key is named by a PKCS#11 URI: `pkcs11:token=LABEL;id=%01;object=LABEL?module-path=/path/to/library.so`, of which as
much has to be said as makes it one key. The PIN comes from where passwords come from, or from the file that
`pin-source` names. Spec: PKCS #11 v3.0. Spoken is through python-pkcs11 (extra `kms`).
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from typing import Any, Final

from navicert.crypto.key import IdForm, Key
from navicert.crypto.material import Material, describe, of_point
from navicert.dataclass import dataclass, field
from navicert.errors import Malformed, NavicertError, Refused, Unavailable
from navicert.trust.pkcs11_uri import Address, one

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from navicert.crypto.pem import Password
    from navicert.crypto.signer import Signer

# DER object identifiers of curves. Spec: RFC 5480 §2.1.1.1.
_CURVES: Final[Mapping[bytes, tuple[str, int]]] = {
    bytes.fromhex("06082a8648ce3d030107"): ("SECP256R1", 32),
    bytes.fromhex("06052b81040022"): ("SECP384R1", 48),
    bytes.fromhex("06052b81040023"): ("SECP521R1", 66),
}

# How PKCS #11 calls our types of keys.
_TYPES: Final = {"rsa": "RSA", "ecdsa": "EC", "ed25519": "EC_EDWARDS"}

# DER of DigestInfo up to the digest. Spec: RFC 8017 §9.2, note 1.
_DIGEST_INFO: Final = {
    "sha256": bytes.fromhex("3031300d060960864801650304020105000420"),
    "sha384": bytes.fromhex("3041300d060960864801650304020205000430"),
    "sha512": bytes.fromhex("3051300d060960864801650304020305000440"),
}


@dataclass(frozen=True, slots=True)
class Pkcs11Signer:
    """A private key in a token. `key` is its public half, under the id to sign under."""

    key: Key
    uri: str
    _private: Any = field(repr=False, compare=False)
    _pin: str | None = field(repr=False, compare=False, default=None)
    """The PIN, of a key that wants it for every signature."""

    @property
    def keyid(self) -> str:
        """The id to name in signatures."""
        return self.key.id

    def sign(self, message: bytes) -> bytes:
        """The signature that the token made, under the key's scheme. Raises `Unavailable` where it made none."""
        with _speaking(self.uri) as pkcs11:
            return self._sign(pkcs11.Mechanism, pkcs11.MGF, message)

    def _sign(self, mechanism: Any, mask: Any, message: bytes) -> bytes:
        scheme = self.key.scheme
        if scheme == "ed25519":
            return bytes(self._private.sign(message, mechanism=mechanism.EDDSA, pin=self._pin))
        name = "sha512" if scheme.endswith("521") else f"sha{scheme[-3:]}"
        digest = hashlib.new(name, message).digest()
        if scheme.startswith("ecdsa-"):
            return _der(self._private.sign(digest, mechanism=mechanism.ECDSA, pin=self._pin))
        if scheme.startswith("rsa-pkcs1v15-"):
            return bytes(self._private.sign(_DIGEST_INFO[name] + digest, mechanism=mechanism.RSA_PKCS, pin=self._pin))
        parameters = (mechanism[name.upper()], mask[name.upper()], len(digest))
        return bytes(
            self._private.sign(digest, mechanism=mechanism.RSA_PKCS_PSS, mechanism_param=parameters, pin=self._pin)
        )


def open_signer(uri: str, *, password: Password | None, id_form: IdForm | None) -> Signer:
    """The signer that `uri` names. Raises `Malformed` for a name that fits no key, or several, for a wrong PIN and for
    keys of other kinds; `Refused` where the key is another than `public-key` says; `Unavailable`."""
    address = Address.of(uri)
    expected = address.uri.expected()
    with _speaking(address.shown) as pkcs11:
        token = address.token(pkcs11)
        pin = address.pin(token, pkcs11, password)
        session = _session(token, pkcs11, pin)
        private = address.only(session, pkcs11, pkcs11.ObjectClass.PRIVATE_KEY, "private key")
        key = expected or _public_half(address, session, pkcs11)
        # A library that is asked to sign in the way of another type may end the process.
        if getattr(private.key_type, "name", "") != _TYPES[key.keytype]:
            raise Refused(
                "the key in the token is another than the expected one",
                path=address.shown,
                expected=f"{key.scheme} key {key.fingerprint[:16]}…",
                got=f"a key of type {getattr(private.key_type, 'name', private.key_type)}",
                remedy="find out who changed which of them before anything is signed",
            )
        again = _attribute(private, pkcs11.Attribute.ALWAYS_AUTHENTICATE) is True
    return Pkcs11Signer(
        key.with_id(key.id_of(id_form or "modern")),
        address.shown,
        private,
        pin if again and isinstance(pin, str) else None,
    )


def open_key(uri: str) -> Key:
    """The public key that `uri` names, as far as the token shows it without a PIN. Raises as `open_signer` does."""
    address = Address.of(uri)
    expected = address.uri.expected()
    with _speaking(address.shown) as pkcs11:
        key = _public_half(address, _session(address.token(pkcs11), pkcs11, None), pkcs11)
    if expected is not None and key != expected:
        raise Refused(
            "the key in the token is another than the expected one",
            path=address.shown,
            expected=expected.fingerprint[:16],
            got=key.fingerprint[:16],
        )
    return key


# --- keys ----------------------------------------------------------------------------------------------------------


def _public_half(address: Address, session: Any, pkcs11: Any) -> Key:
    """The public key that lies beside the private one: itself, or in a certificate."""
    found = list(address.objects(session, pkcs11, pkcs11.ObjectClass.PUBLIC_KEY))
    if found:
        material = _material(one(found, "public key", address.shown, []), pkcs11)
    else:
        certificates = list(address.objects(session, pkcs11, pkcs11.ObjectClass.CERTIFICATE))
        if not certificates:
            raise Malformed(
                "no public key lies in the token beside this one, or it is not shown without a PIN",
                path=address.shown,
                remedy="name the file that it is in, as in ?public-key=FILE",
            )
        from cryptography import x509

        der = _attribute(one(certificates, "certificate", address.shown, []), pkcs11.Attribute.VALUE)
        material = describe(x509.load_der_x509_certificate(bytes(der)).public_key())
    return Key.of(material, scheme=address.uri.scheme)


def _material(public: Any, pkcs11: Any) -> Material:
    kind, attribute = public.key_type, pkcs11.Attribute
    if kind == pkcs11.KeyType.RSA:
        from cryptography.hazmat.primitives.asymmetric import rsa

        exponent, modulus = (int.from_bytes(public[a], "big") for a in (attribute.PUBLIC_EXPONENT, attribute.MODULUS))
        return describe(rsa.RSAPublicNumbers(exponent, modulus).public_key())
    if kind == pkcs11.KeyType.EC:
        from cryptography.hazmat.primitives.asymmetric import ec

        curve = _CURVES.get(bytes(public[attribute.EC_PARAMS]))
        if curve is None:
            raise Malformed("unsupported curve", expected="P-256, P-384 or P-521")
        name, size = curve
        point = _unwrapped(bytes(public[attribute.EC_POINT]), 1 + 2 * size)
        return describe(ec.EllipticCurvePublicKey.from_encoded_point(getattr(ec, name)(), point))
    if kind == pkcs11.KeyType.EC_EDWARDS:
        return of_point(_unwrapped(bytes(public[attribute.EC_POINT]), 32))
    raise Malformed("unsupported type of key in a token", expected="RSA, EC or Ed25519", got=str(kind))


def _unwrapped(point: bytes, size: int) -> bytes:
    """The point of a public key; tokens store it bare, or as a DER OCTET STRING. Spec: PKCS #11 v3.0 §2.3.3."""
    if len(point) == size:
        return point
    head = b"\x04\x81" if size > 127 else b"\x04"
    if point == head + bytes([size]) + point[-size:]:
        return point[-size:]
    raise Malformed("not the point of a key", expected=f"{size} bytes", got=f"{len(point)} bytes")


def _der(raw: bytes) -> bytes:
    """An ECDSA signature as everybody else writes it, from the two numbers that a token gives."""
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    half = len(raw) // 2
    return encode_dss_signature(int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big"))


def _attribute(thing: Any, attribute: Any) -> Any:
    """What the token says of `thing`, or None."""
    from pkcs11.exceptions import AttributeTypeInvalid

    try:
        return thing[attribute]
    except AttributeTypeInvalid:
        return None


# --- the library ---------------------------------------------------------------------------------------------------


def _session(token: Any, pkcs11: Any, pin: Any) -> Any:
    try:
        return token.open(user_pin=pin)
    except pkcs11.exceptions.UserAlreadyLoggedIn:
        return token.open()  # by another key of the same token; it counts for the whole process


@contextmanager
def _speaking(shown: str) -> Iterator[Any]:
    """The module of python-pkcs11. Whatever it raises becomes one of our errors."""
    try:
        import pkcs11
    except ImportError as error:
        raise Unavailable(
            "PKCS#11 needs packages that are not installed", path=shown, remedy="pip install 'navicert[kms]'"
        ) from error
    try:
        yield pkcs11
    except NavicertError as error:
        raise error.at(shown) from None
    except (pkcs11.exceptions.PinIncorrect, pkcs11.exceptions.PinInvalid, pkcs11.exceptions.PinLenRange) as error:
        raise Malformed(
            "the PIN is wrong", path=shown, remedy="give the right one: after a few wrong ones a token locks itself"
        ) from error
    except (pkcs11.exceptions.PKCS11Error, RuntimeError, OSError, ValueError) as error:
        said = f"{type(error).__name__} {error}".strip()
        raise Unavailable(f"the token did not do it: {said[:300]}", path=shown) from error
