"""Keys and signers as scripts know them from `securesystemslib.signer`: views of Navicert's own."""

from __future__ import annotations

from abc import ABC, abstractmethod

from navicert.compat.shim.securesystemslib import exceptions
from navicert.compat.shim.translation import translated
from navicert.crypto.key import SCHEMES
from navicert.crypto.key import Key as CoreKey
from navicert.crypto.signer import MemorySigner, generate
from navicert.crypto.signer import Signer as CoreSigner
from navicert.errors import Malformed
from navicert.interface import Callable
from navicert.jsontext import writer
from navicert.limits import LOCAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from navicert.crypto.material import PrivateKey

KEY_TYPE_ED25519: Final = "ed25519"
KEY_TYPE_ECDSA: Final = "ecdsa"
KEY_TYPE_RSA: Final = "rsa"
ED25519: Final = "ed25519"
ECDSA_SHA2_NISTP256: Final = "ecdsa-sha2-nistp256"
ECDSA_SHA2_NISTP384: Final = "ecdsa-sha2-nistp384"
ECDSA_SHA2_NISTP521: Final = "ecdsa-sha2-nistp521"
RSASSA_PSS_SHA256: Final = "rsassa-pss-sha256"
RSASSA_PSS_SHA384: Final = "rsassa-pss-sha384"
RSASSA_PSS_SHA512: Final = "rsassa-pss-sha512"
RSA_PKCS1V15_SHA256: Final = "rsa-pkcs1v15-sha256"
RSA_PKCS1V15_SHA384: Final = "rsa-pkcs1v15-sha384"
RSA_PKCS1V15_SHA512: Final = "rsa-pkcs1v15-sha512"

SecretsHandler = Callable[[str], str]
"""Gives the password that is called by a name."""

SIGNER_FOR_URI_SCHEME: dict[str, type[Signer]] = {}
"""Scheme of a URI → the class whose `from_priv_key_uri` knows it. Scripts add their own."""

KEY_FOR_TYPE_AND_SCHEME: dict[tuple[str, str], type[Key]] = {}
"""Type and scheme of a key → the class whose `from_dict` reads it. Scripts add their own."""


class Signature:
    """One signature: the id of the key and the value in hex."""

    def __init__(self, keyid: str, sig: str, unrecognized_fields: dict[str, Any] | None = None) -> None:
        self.keyid = keyid
        self.signature = sig
        self.unrecognized_fields = unrecognized_fields or {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Signature) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash((self.keyid, self.signature))

    @classmethod
    def from_dict(cls, signature_dict: dict[str, Any]) -> Signature:
        """The signature of a JSON object, which is used up. Raises `KeyError`."""
        return cls(signature_dict.pop("keyid"), signature_dict.pop("sig"), signature_dict)

    def to_dict(self) -> dict[str, Any]:
        """The JSON object of this signature."""
        return {"keyid": self.keyid, "sig": self.signature, **self.unrecognized_fields}


class Key(ABC):
    """A public key under an id."""

    def __init__(
        self,
        keyid: str,
        keytype: str,
        scheme: str,
        keyval: dict[str, Any],
        unrecognized_fields: dict[str, Any] | None = None,
    ) -> None:
        if not all(isinstance(text, str) for text in (keyid, keytype, scheme)) or not isinstance(keyval, dict):
            raise TypeError("Unexpected Key attributes types!")
        self.keyid = keyid
        self.keytype = keytype
        self.scheme = scheme
        self.keyval = keyval
        self.unrecognized_fields = unrecognized_fields or {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and self.keyid == other.keyid and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash((self.keyid, self.keytype, self.scheme))

    @classmethod
    @abstractmethod
    def from_dict(cls, keyid: str, key_dict: dict[str, Any]) -> Key:
        """The key of a JSON object, which is used up. Raises `ValueError` for a type or scheme that is not known."""
        keytype, scheme = key_dict.get("keytype"), key_dict.get("scheme")
        found = KEY_FOR_TYPE_AND_SCHEME.get((str(keytype), str(scheme)))
        if found is None:
            raise ValueError(f"Unsupported public key {keytype}/{scheme}")
        return found.from_dict(keyid, key_dict)

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """The JSON object of this key, without its id."""

    @abstractmethod
    def verify_signature(self, signature: Signature, data: bytes) -> None:
        """Raises `UnverifiedSignatureError` unless `signature` is one by this key over `data`."""


class SSlibKey(Key):
    """An Ed25519, ECDSA or RSA key."""

    def __init__(
        self,
        keyid: str,
        keytype: str,
        scheme: str,
        keyval: dict[str, Any],
        unrecognized_fields: dict[str, Any] | None = None,
    ) -> None:
        if not isinstance(keyval.get("public"), str):
            raise ValueError(f"public key string required for scheme {scheme}")
        super().__init__(keyid, keytype, scheme, keyval, unrecognized_fields)

    @classmethod
    def from_dict(cls, keyid: str, key_dict: dict[str, Any]) -> SSlibKey:
        """The key of a JSON object, which is used up. Raises `KeyError` and `ValueError`."""
        keytype, scheme, keyval = (key_dict.pop(name) for name in ("keytype", "scheme", "keyval"))
        return cls(keyid, keytype, scheme, keyval, key_dict)

    @classmethod
    def from_crypto(cls, public_key: object, keyid: str | None = None, scheme: str | None = None) -> SSlibKey:
        """The view of a key of the `cryptography` package, under its modern id unless another is given."""
        from navicert.crypto.material import describe

        try:
            key = CoreKey.of(describe(public_key), scheme=scheme)
        except Malformed as error:
            raise ValueError(str(error)) from error
        return cls.of(key if keyid is None else key.with_id(keyid))

    @classmethod
    def from_pem(cls, pem: bytes, scheme: str | None = None, keyid: str | None = None) -> SSlibKey:
        """The view of a public key in PEM, or in any other form, under its modern id unless another is given."""
        from navicert.crypto.formats import load_public_key

        try:
            key = load_public_key(pem)
            key = key if scheme is None else CoreKey.from_json({**key.to_json(), "scheme": scheme})
        except Malformed as error:
            raise ValueError(str(error)) from error
        return cls.of(key.with_id(keyid or key.modern_id))

    @classmethod
    def from_file(cls, path: str, scheme: str | None = None, keyid: str | None = None) -> SSlibKey:
        """As `from_pem`, of a file."""
        with open(path, "rb") as stream:
            return cls.from_pem(stream.read(LOCAL.key_bytes + 1), scheme, keyid)

    @classmethod
    def from_securesystemslib_key(cls, key_dict: dict[str, Any]) -> SSlibKey:
        """The view of a key in the dictionary of releases before 1.0, under the id in it."""
        public = {"public": key_dict["keyval"]["public"]}
        return cls(key_dict["keyid"], key_dict["keytype"], key_dict["scheme"], public)

    def to_securesystemslib_key(self) -> dict[str, Any]:
        """This key as the dictionary of releases before 1.0."""
        return {
            "keyid": self.keyid,
            "keytype": self.keytype,
            "scheme": self.scheme,
            "keyid_hash_algorithms": ["sha256", "sha512"],
            "keyval": {**self.keyval, "private": ""},
        }

    @classmethod
    def of(cls, key: CoreKey, *, legacy: bool = False) -> SSlibKey:
        """The view of `key`, with or without `keyid_hash_algorithms`."""
        described = key.to_json()
        public = described["keyval"]
        extra = {"keyid_hash_algorithms": described["keyid_hash_algorithms"]} if legacy else {}
        return cls(key.id, key.keytype, key.scheme, dict(public) if isinstance(public, dict) else {}, extra)

    def to_dict(self) -> dict[str, Any]:
        """The JSON object of this key, without its id."""
        return {"keytype": self.keytype, "scheme": self.scheme, "keyval": self.keyval, **self.unrecognized_fields}

    @property
    def core(self) -> CoreKey:
        """The key that this is a view of, as its fields are now. Raises `Malformed`."""
        described = {"keytype": self.keytype, "scheme": self.scheme, "keyval": self.keyval}
        return CoreKey.from_json(described, id=self.keyid)

    def verify_signature(self, signature: Signature, data: bytes) -> None:
        """Raises `UnverifiedSignatureError` unless `signature` is one by this key over `data`, `VerificationError`
        where that cannot be found out."""
        try:
            if signature.keyid != self.keyid:
                raise ValueError(f"keyid mismatch: 'key id: {self.keyid} != signature keyid: {signature.keyid}'")
            good = self.core.verify(bytes.fromhex(signature.signature), data)
        except (ValueError, TypeError, Malformed) as error:
            raise exceptions.VerificationError(f"Unknown failure to verify signature by {self.keyid}") from error
        if not good:
            raise exceptions.UnverifiedSignatureError(f"Failed to verify signature by {self.keyid}")


class Signer(ABC):
    """Something that signs."""

    @abstractmethod
    def sign(self, payload: bytes) -> Signature:
        """The signature over `payload`."""

    @classmethod
    @abstractmethod
    def from_priv_key_uri(
        cls, priv_key_uri: str, public_key: Key | None = None, secrets_handler: SecretsHandler | None = None
    ) -> Signer:
        """The signer that `priv_key_uri` names, by the scheme of the URI. Raises `ValueError` for others."""
        scheme = priv_key_uri.partition(":")[0]
        found = SIGNER_FOR_URI_SCHEME.get(scheme)
        if found is None and scheme in ("gpg", "gnupg"):
            from navicert.compat.shim.securesystemslib._gpg.signer import GPGSigner as found  # noqa: N813  # a class
        if found is None:
            raise ValueError(f"Unsupported private key scheme {scheme}")
        return found.from_priv_key_uri(priv_key_uri, public_key, secrets_handler)

    @property
    @abstractmethod
    def public_key(self) -> Key:
        """The public key that verifies what this signs."""


class CryptoSigner(Signer):
    """A private key: in memory, or wherever Navicert's signers reach."""

    SCHEME = "file2"

    def __init__(self, private_key: PrivateKey, public_key: SSlibKey | None = None) -> None:
        scheme = None if public_key is None else public_key.scheme
        try:
            signer = MemorySigner.of(private_key, scheme=scheme)
        except Malformed as error:
            raise ValueError(str(error)) from error
        self._adopt(signer, public_key)

    def _adopt(self, signer: CoreSigner, public_key: SSlibKey | None, *, legacy: bool = False) -> None:
        if public_key is not None and public_key.core.material != signer.key.material:
            raise exceptions.KeyMismatchError("CryptoSigner private key does not match public key")
        self._signer = signer
        self._public_key = SSlibKey.of(signer.key, legacy=legacy) if public_key is None else public_key

    @classmethod
    def of(cls, signer: CoreSigner, public_key: SSlibKey | None = None) -> CryptoSigner:
        """The view of `signer`, under the id that it signs with unless `public_key` has another."""
        view = cls.__new__(cls)
        view._adopt(signer, public_key, legacy=signer.keyid != signer.key.modern_id)
        return view

    @property
    def public_key(self) -> SSlibKey:
        """The public key that verifies what this signs."""
        return self._public_key

    @property
    def private_bytes(self) -> bytes:
        """The private key as PKCS#8 in PEM, not encrypted."""
        from navicert.crypto.signer import private_pem

        return private_pem(self._signer, None)

    @property
    def _private_key(self) -> PrivateKey:
        from navicert.crypto.signer import private_of

        return private_of(self._signer)

    @classmethod
    def from_priv_key_uri(
        cls, priv_key_uri: str, public_key: Key | None = None, secrets_handler: SecretsHandler | None = None
    ) -> CryptoSigner:
        """The signer for the key file that `file:PATH` or `file2:PATH` names, of any form; also `env:VARIABLE`.

        It signs under the id of `public_key`; without one, under the id that belongs to the form of the file: legacy
        for those of in-toto 1.x, modern for others. `secrets_handler` is asked for the password of an encrypted key.
        """
        if public_key is not None and not isinstance(public_key, SSlibKey):
            raise ValueError(f"Expected SSlibKey for {priv_key_uri}")
        scheme, _, rest = priv_key_uri.partition(":")
        if scheme not in ("file", "file2", "env"):
            raise ValueError(f"CryptoSigner does not support {priv_key_uri}")
        name = f"env:{rest}"
        if scheme != "env":
            # Releases before 1.0 said in the URI whether the key is encrypted; the file says so itself.
            from urllib.parse import unquote

            path, question, query = rest.partition("?")
            name = "file:" + (unquote(path) if question and query.startswith("encrypted=") else rest)
        chosen = None if public_key is None else public_key.scheme
        return cls.of(open_signer(name, secrets_handler, scheme=chosen), public_key)

    @staticmethod
    def generate_ed25519(keyid: str | None = None) -> CryptoSigner:
        """A new Ed25519 key."""
        return _generated(generate("ed25519"), keyid, None)

    @staticmethod
    def generate_rsa(
        keyid: str | None = None, scheme: str | None = RSASSA_PSS_SHA256, size: int = 3072
    ) -> CryptoSigner:
        """A new RSA key of `size` bits."""
        return _generated(generate("rsa", bits=size), keyid, scheme)

    @staticmethod
    def generate_ecdsa(keyid: str | None = None, scheme: str | None = ECDSA_SHA2_NISTP256) -> CryptoSigner:
        """A new ECDSA key on the curve of `scheme`."""
        scheme = scheme or ECDSA_SHA2_NISTP256
        if scheme not in SCHEMES["ecdsa"]:
            raise ValueError(f"Invalid scheme for ecdsa: {scheme}")
        return _generated(generate("ecdsa", curve=f"P-{scheme[-3:]}"), keyid, scheme)

    def sign(self, payload: bytes) -> Signature:
        """The signature over `payload`."""
        with translated():
            return Signature(self.public_key.keyid, self._sign(payload).hex())

    def _sign(self, payload: bytes) -> bytes:
        # A public key that was given chooses the scheme.
        if isinstance(self._signer, MemorySigner) and self._signer.key.scheme != self._public_key.scheme:
            return MemorySigner.of(self._signer.private, scheme=self._public_key.scheme).sign(payload)
        return self._signer.sign(payload)


class SSlibSigner(CryptoSigner):
    """A private key given as the dictionary that releases before 1.0 read key files into."""

    def __init__(self, key_dict: dict[str, Any]) -> None:
        self._adopt(signer_of(key_dict), None, legacy=True)
        self.key_dict = key_dict


def _generated(signer: MemorySigner, keyid: str | None, scheme: str | None) -> CryptoSigner:
    view = CryptoSigner.of(signer)
    return (
        CryptoSigner(signer.private, SSlibKey.from_crypto(signer.private.public_key(), keyid, scheme))
        if (keyid or scheme)
        else view
    )


def open_signer(name: str, secrets_handler: SecretsHandler | None = None, *, scheme: str | None = None) -> CoreSigner:
    """The signer that `name` (a path or URI) names; `secrets_handler` is asked only for the key of a locked file."""
    from navicert.trust.keyfile import open_signer as open_core

    def ask() -> bytes:
        if secrets_handler is None:
            raise exceptions.CryptoError(f"{name}: the key is encrypted, and no password was given")
        return secrets_handler("passphrase").encode()

    with translated():
        return open_core(name, password=ask if secrets_handler is not None else None, scheme=scheme)


def check_type(key: CoreKey, keytype: str | None, path: str) -> None:
    """Raises `CryptoError` unless `key` is of the type that was asked for (None: any)."""
    if keytype not in (None, key.keytype):
        raise exceptions.CryptoError(f"{path}: not a key of type '{keytype}', but of type '{key.keytype}'")


def signer_of(key_dict: dict[str, Any]) -> CoreSigner:
    """The signer of a private key in the dictionary of releases before 1.0, under the id that it states."""
    from navicert.crypto.legacy import load_signer

    described = {name: key_dict[name] for name in ("keytype", "scheme", "keyval")}
    with translated():
        signer = load_signer(writer()(described), None)
    return signer.with_id(key_dict.get("keyid") or signer.keyid)


def __getattr__(name: str) -> object:
    """The GPG signer and key, which need what is defined here. Spec: PEP 562."""
    if name not in ("GPGSigner", "GPGKey"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from navicert.compat.shim.securesystemslib._gpg import signer

    value: object = getattr(signer, name)
    return value


for _keytype, _schemes in SCHEMES.items():
    KEY_FOR_TYPE_AND_SCHEME.update({(_keytype, _scheme): SSlibKey for _scheme in _schemes})
KEY_FOR_TYPE_AND_SCHEME.update({(_scheme, _scheme): SSlibKey for _scheme in SCHEMES["ecdsa"]})
SIGNER_FOR_URI_SCHEME.update({"file": CryptoSigner, "file2": CryptoSigner, "env": CryptoSigner})
