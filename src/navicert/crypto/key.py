"""Public keys: what they are made of, the ids they answer to, and whether a signature is theirs.

A key *is* its material, the DER SubjectPublicKeyInfo. An id is only a name for it, and implementations of in-toto
derive different names from one key, so a key knows all of them:

- modern: over keytype, keyval and scheme; PEM ends with one newline. in-toto 3.x, and 2.2+ with its new options.
- legacy: over these and `keyid_hash_algorithms`; RSA PEM without the last newline. in-toto 1.x.
- go: as legacy, and ECDSA PEM without the last newline too. in-toto-golang.

Each is the SHA-256, in hex, of the canonical JSON of the key object. Spec: in-toto v1.0 §4.2.
"""

from __future__ import annotations

from navicert.crypto import point
from navicert.crypto.pem import armour
from navicert.crypto.scheme import verify
from navicert.dataclass import dataclass, field
from navicert.digest import is_hex, sha256_hex
from navicert.errors import Malformed, NavicertError
from navicert.model.field import as_keyid, as_object, as_text, as_texts, required
from navicert.strictjson import canonical, pointer, type_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import ClassVar, Final, Literal

    from navicert.crypto.material import Material, PublicKey
    from navicert.model.constraint import HolderNames
    from navicert.model.principal import Principal

    IdForm = Literal["modern", "legacy", "go"]
    """Which implementation's way of naming keys."""
else:
    IdForm = str


SCHEMES: Final[Mapping[str, tuple[str, ...]]] = {
    "ed25519": ("ed25519",),
    "ecdsa": ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"),
    "rsa": (
        "rsassa-pss-sha256",
        "rsassa-pss-sha384",
        "rsassa-pss-sha512",
        "rsa-pkcs1v15-sha256",
        "rsa-pkcs1v15-sha384",
        "rsa-pkcs1v15-sha512",
    ),
}
"""Types of keys and the signature schemes of each; for RSA the first is the default, for ECDSA the curve decides."""

_HASH_ALGORITHMS: Final = ["sha256", "sha512"]
_REMEDY: Final = "leave the private key out of documents; if it has been seen by others, replace it"


IN_BUNDLES: Final = "rsa-pkcs1v15-sha256"
"""The scheme of RSA keys that sign bundles of Sigstore."""


@dataclass(frozen=True, slots=True)
class Key:
    """A public key, under one of its ids. Equal and hashed by material and scheme; the id is a hint, not identity.

    `keytype` is "ed25519", "ecdsa" or "rsa"; `material` is the DER SubjectPublicKeyInfo, the same for every encoding
    that the key came in; `id` is the id that it is used under: of a layout's key, what the layout calls it.
    """

    openpgp: ClassVar[bool] = False
    """Whether it signs in the way of OpenPGP, as `gpg.GpgKey` does."""
    certified: ClassVar[bool] = False
    """Whether what it may do says a certificate, as of `certificate_key.CertificateKey`."""

    keytype: str = field(compare=False)
    scheme: str
    material: bytes = field(repr=False)
    id: str = field(compare=False)
    _public: PublicKey | None = field(default=None, repr=False, compare=False)
    """The loaded key, from the first verification on."""
    _names: frozenset[str] = field(default=frozenset(), repr=False, compare=False)
    """All ids, once they have been asked for."""
    _fingerprint: str = field(default="", repr=False, compare=False)

    @classmethod
    def of(cls, material: Material, *, scheme: str | None = None, form: IdForm = "modern") -> Key:
        """The key of `material` under its id of `form`. Raises `Malformed` for a scheme that does not suit it."""
        if scheme is None:
            scheme = material.curve_scheme or SCHEMES[material.keytype][0]
        _check_scheme(material, scheme, "")
        key = cls(material.keytype, scheme, material.spki, "", material.public)
        return key.with_id(key.id_of(form))

    @classmethod
    def from_json(cls, value: object, *, id: str | None = None, pointer: str = "") -> Key:
        """The key that a key object describes, under `id` (a layout's own name for it), else under the id that the
        object states, else under the one that follows from it. Raises `Malformed`.

        Understood are the objects of in-toto 0.9 to 3.x and of in-toto-golang: `keyid` and `keyid_hash_algorithms`
        may be missing and are no part of the key, `keyval.private` may be empty, and an ECDSA key may repeat its
        scheme as `keytype`. Objects of GPG keys give a `gpg.GpgKey`. Spec: in-toto v1.0 §4.2.
        """
        document = as_object(value, pointer)
        if "keytype" not in document and ("method" in document or "subkeys" in document):
            from navicert.crypto.gpg import GpgKey

            return GpgKey.of_object(document, id=id, pointer=pointer)
        declared, scheme = _declaration(document, pointer)
        public = _public_value(document, pointer)
        keytype = "ecdsa" if declared in SCHEMES["ecdsa"] else declared
        loaded: PublicKey | None = None
        if keytype == "ed25519":
            material = _from_hex(public, f"{pointer}/keyval/public")
        else:
            found = _from_pem(public, keytype, f"{pointer}/keyval/public")
            _check_scheme(found, scheme, f"{pointer}/scheme")
            material, loaded = found.spki, found.public
        key = cls(keytype, scheme, material, "", loaded)
        stated = document.get("keyid")
        if stated is not None:
            # Of the right type even where a layout calls the key otherwise.
            stated = as_text(stated, f"{pointer}/keyid")
        if id is None and stated is not None:
            id = as_keyid(stated, f"{pointer}/keyid")
        if id is None:
            old = "keyid_hash_algorithms" in document
            id = _hash(declared, scheme, key._stripped("rsa") if old else key.public_text, old=old)
        return key.with_id(id)

    # --- names -----------------------------------------------------------------------------------------------------

    @property
    def modern_id(self) -> str:
        """The id that in-toto 3.x gives this key."""
        return _hash(self.keytype, self.scheme, self.public_text, old=False)

    @property
    def legacy_id(self) -> str:
        """The id that in-toto 1.x gives this key."""
        return _hash(self.keytype, self.scheme, self._stripped("rsa"), old=True)

    @property
    def go_id(self) -> str:
        """The id that in-toto-golang gives this key."""
        return _hash(self.keytype, self.scheme, self._stripped("rsa", "ecdsa"), old=True)

    def id_of(self, form: IdForm) -> str:
        """The id of the given form."""
        id: str = getattr(self, f"{form}_id")
        return id

    @property
    def ids(self) -> frozenset[str]:
        """Every id that this key answers to."""
        if not self._names:
            names = frozenset({self.id, self.modern_id, self.legacy_id, self.go_id})
            object.__setattr__(self, "_names", names)
        return self._names

    @property
    def short(self) -> str:
        """The first 8 digits of the id, as in file names."""
        return self.id[:8]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the material, in hex: the same whatever the scheme and id."""
        if not self._fingerprint:
            object.__setattr__(self, "_fingerprint", sha256_hex(self.material))
        return self._fingerprint

    def with_id(self, id: str) -> Key:
        """This key under another id."""
        return Key(self.keytype, self.scheme, self.material, id, self._public)

    @property
    def members(self) -> tuple[Key, ...]:
        """The keys that may sign for this one: itself, and of a GPG key its subkeys."""
        return (self,)

    @property
    def expires(self) -> datetime | None:
        """When it stops to be valid; None for never. Only GPG keys know such a moment."""
        return None

    def expired(self, at: datetime) -> bool:
        """Whether it was no longer valid at that moment."""
        return self.expires is not None and self.expires < at

    # --- signatures ------------------------------------------------------------------------------------------------

    def verify(self, signature: bytes, message: bytes, headers: bytes | None = None) -> bool:
        """Whether this key made `signature` over `message`. Never raises for bytes that are no signature.

        A signature with `headers` is one of OpenPGP, and over something else.
        """
        if headers is not None:
            return False
        return verify(self._loaded(), self.scheme, signature, message)

    def in_bundles(self) -> Key:
        """This key under the scheme with which programs of Sigstore sign: RSA keys by PKCS #1 v1.5 with SHA-256,
        however long they are; all others by their own. Spec: sigstore, architecture-docs, algorithm-registry.md."""
        if self.keytype != "rsa" or self.openpgp or self.scheme == IN_BUNDLES:
            return self
        return Key(self.keytype, IN_BUNDLES, self.material, self.id, self._public)

    def verify_digest(self, signature: bytes, digests: Mapping[str, str]) -> bool:
        """Whether this key made `signature` over the message with `digests` (algorithm → hex). Never for Ed25519 keys,
        which sign no digests, and where the one that its scheme hashes with is not among them."""
        if self.keytype == "ed25519":
            return False
        from navicert.crypto.scheme import hash_of, verify_digest

        digest = digests.get(hash_of(self.scheme).name, "")
        return verify_digest(self._loaded(), self.scheme, signature, bytes.fromhex(digest))

    def _loaded(self) -> PublicKey:
        public = self._public
        if public is None:
            from navicert.crypto.material import load

            public = load(self.material)
            # Loading takes longer than verifying. Two threads that both get here store equal objects.
            object.__setattr__(self, "_public", public)
        return public

    @property
    def principal(self) -> Principal | None:
        """Whom it counts for by itself: nobody but the key, unless a certificate names somebody."""
        return None

    @property
    def names(self) -> HolderNames:
        """What a certificate says of its holder: of most keys nothing is known."""
        from navicert.model.constraint import HolderNames

        return HolderNames()

    @property
    def attached(self) -> Mapping[str, object]:
        """What stands in a signature beside its id and value, signed by nobody: of most keys nothing."""
        return {}

    def signature_entry(self, keyid: str, signature: bytes) -> dict[str, object]:
        """The entry of a Metablock's `signatures` for `signature`, which this key made under the id `keyid`."""
        return {"keyid": keyid, "sig": signature.hex(), **self.attached}

    # --- forms -----------------------------------------------------------------------------------------------------

    def to_json(self) -> dict[str, object]:
        """The key object for a layout, in the one shape that every implementation reads and can verify: with `keyid`
        and `keyid_hash_algorithms`, without `private`."""
        return {
            "keyid": self.id,
            "keyid_hash_algorithms": list(_HASH_ALGORITHMS),
            "keytype": self.keytype,
            "keyval": {"public": self.public_text},
            "scheme": self.scheme,
        }

    def public_pem(self) -> bytes:
        """This key as SubjectPublicKeyInfo in PEM. Spec: RFC 7468 §13."""
        return armour("PUBLIC KEY", self.material).encode("ascii")

    @property
    def public_text(self) -> str:
        """The `public` of key objects: hex for Ed25519, else PEM with one newline at its end."""
        if self.keytype == "ed25519":
            return self.material[len(point.SPKI) :].hex()
        return armour("PUBLIC KEY", self.material)

    def _stripped(self, *types: str) -> str:
        text = self.public_text
        return text.rstrip("\n") if self.keytype in types else text


def _hash(keytype: str, scheme: str, public: str, *, old: bool) -> str:
    described: dict[str, object] = {"keytype": keytype, "keyval": {"public": public}, "scheme": scheme}
    if old:
        described["keyid_hash_algorithms"] = _HASH_ALGORITHMS
    return sha256_hex(canonical(described))


# --- reading key objects -------------------------------------------------------------------------------------------


def _declaration(document: dict[str, object], where: str) -> tuple[str, str]:
    """The `keytype` and `scheme` that are stated, a pair that exists."""
    declared = as_text(required(document, "keytype", where), pointer(where, "keytype"))
    scheme = as_text(required(document, "scheme", where), pointer(where, "scheme"))
    old_ecdsa = declared == scheme and declared in SCHEMES["ecdsa"]
    if declared not in SCHEMES and not old_ecdsa:
        raise Malformed(
            "unsupported type of key",
            pointer=pointer(where, "keytype"),
            expected="ed25519, ecdsa or rsa",
            got=repr(declared[:40]),
        )
    if not old_ecdsa and scheme not in SCHEMES[declared]:
        raise Malformed(
            f"unsupported signature scheme for {declared}",
            pointer=pointer(where, "scheme"),
            expected=", ".join(SCHEMES[declared]),
            got=repr(scheme[:40]),
        )
    algorithms = document.get("keyid_hash_algorithms")
    if algorithms is not None:
        as_texts(algorithms, pointer(where, "keyid_hash_algorithms"), most=16)
    return declared, scheme


def _public_value(document: dict[str, object], where: str) -> str:
    where = pointer(where, "keyval")
    keyval = as_object(required(document, "keyval", where.removesuffix("/keyval")), where)
    private = keyval.get("private")
    if private is not None and private != "":
        kind = "a private key" if isinstance(private, str) else type_name(private)
        raise Malformed(
            "a public key object holds a private key",
            pointer=pointer(where, "private"),
            expected="nothing, or an empty string",
            got=kind,
            remedy=_REMEDY,
        )
    if not keyval.get("public") and "certificate" in keyval:
        raise Malformed("certificates are not supported as keys", pointer=where, expected="the field public")
    return as_text(required(keyval, "public", where), pointer(where, "public"))


def _from_hex(public: str, where: str) -> bytes:
    if len(public) == 2 * point.SIZE and is_hex(public):
        raw = bytes.fromhex(public)
        weakness = point.weakness(raw)
        if weakness:
            raise Malformed(f"Ed25519 key refused: {weakness}", pointer=where)
        return point.SPKI + raw
    raise Malformed("not an Ed25519 public key", pointer=where, expected="64 hexadecimal digits", got=repr(public[:80]))


def _from_pem(public: str, keytype: str, where: str) -> Material:
    from navicert.crypto.pem import load_public

    try:
        found = load_public(public)
    except NavicertError as error:
        error.pointer = where
        raise
    if found.keytype != keytype:
        raise Malformed("the key is of another type than stated", pointer=where, expected=keytype, got=found.keytype)
    return found


def _check_scheme(material: Material, scheme: str, where: str) -> None:
    suitable = (material.curve_scheme,) if material.curve_scheme else SCHEMES[material.keytype]
    if scheme not in suitable:
        raise Malformed(
            "the signature scheme does not suit the key",
            pointer=where,
            expected=" or ".join(suitable),
            got=repr(scheme[:40]),
        )
