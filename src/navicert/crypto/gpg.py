"""GPG keys: one OpenPGP key, a master with its subkeys or one of these, as the key objects of layouts describe it.

A subkey signs for its master, and the two are one signer; see `verify.authority`. What was checked when the key was
exported (that its master bound the subkey) is not in the key object: whoever signed the layout vouches for it.

As in the reference implementation, revocations, usage flags and times of creation that lie in the future are not
looked at; a key that has expired counts no more (`Key.expires`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar, Final

from navicert.crypto import gpg_algorithm
from navicert.crypto.gpg_algorithm import BY_TYPE, SHA256
from navicert.crypto.gpg_signature import digest, is_over_document, read_signature
from navicert.crypto.key import Key
from navicert.dataclass import dataclass, field, replace
from navicert.errors import LimitExceeded, Malformed
from navicert.limits import LOCAL
from navicert.model.field import as_integer, as_keyid, as_object, as_text, as_texts, required
from navicert.strictjson import pointer, type_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_HASHES: Final = ("pgp+SHA2",)
_MOST_SECONDS: Final = 2**32 - 1
"""What fits into the four bytes of a packet."""


@dataclass(frozen=True, slots=True)
class GpgKey(Key):
    """An OpenPGP key. `keytype` is "rsa", "dsa" or "eddsa", `scheme` what key objects call `method`; `keyid` is the
    fingerprint, which is its one id unless a layout calls it otherwise."""

    openpgp: ClassVar[bool] = True

    keyid: str = ""
    values: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    """The numbers of the public key, in hex."""
    created: int | None = field(default=None, compare=False)
    """When it was made, in seconds since 1970; missing in very old layouts."""
    validity: int | None = field(default=None, compare=False)
    """Seconds from then on in which it is valid; None or 0 for ever."""
    subkeys: tuple[GpgKey, ...] = field(default=(), repr=False, compare=False)
    hashes: tuple[str, ...] = field(default=_HASHES, repr=False, compare=False)

    @classmethod
    def made_of(
        cls,
        type: str,
        keyid: str,
        values: Mapping[str, str],
        *,
        created: int | None = None,
        validity: int | None = None,
        subkeys: tuple[GpgKey, ...] = (),
        hashes: tuple[str, ...] = _HASHES,
    ) -> GpgKey:
        """The key with the numbers `values`. Raises `Malformed` where they make no key, or one that is too weak."""
        algorithm = BY_TYPE[type]
        spki = gpg_algorithm.material(algorithm, values)
        return cls(
            type,
            algorithm.method,
            spki,
            keyid,
            keyid=keyid,
            values=values,
            created=created,
            validity=validity,
            subkeys=subkeys,
            hashes=hashes,
        )

    @classmethod
    def of_object(cls, value: object, *, id: str | None = None, pointer: str = "") -> GpgKey:
        """The key, with its subkeys, that a layout's key object describes, under `id`. Raises `Malformed`."""
        found = _read(as_object(value, pointer), pointer, master=True)
        return found if id is None else found.with_id(id)

    # --- names -----------------------------------------------------------------------------------------------------

    @property
    def modern_id(self) -> str:
        """The fingerprint: every implementation calls a GPG key by it."""
        return self.keyid

    @property
    def legacy_id(self) -> str:
        """The fingerprint: every implementation calls a GPG key by it."""
        return self.keyid

    @property
    def go_id(self) -> str:
        """The fingerprint; in-toto-golang reads no GPG keys."""
        return self.keyid

    @property
    def ids(self) -> frozenset[str]:
        """Every id that this key answers to."""
        return frozenset({self.id, self.keyid})

    @property
    def members(self) -> tuple[Key, ...]:
        """This key and its subkeys: each may sign for it."""
        return (self, *self.subkeys)

    @property
    def expires(self) -> datetime | None:
        """When it stops to be valid; None for never."""
        if self.created is None or not self.validity:
            return None
        return datetime.fromtimestamp(self.created + self.validity, UTC)

    def with_id(self, id: str) -> GpgKey:
        """This key under another id."""
        return replace(self, id=id)

    # --- signatures ------------------------------------------------------------------------------------------------

    def verify(self, signature: bytes, message: bytes, headers: bytes | None = None) -> bool:
        """Whether this very key (none of its subkeys) made `signature` over `message`; `headers` is the hashed part
        of the signature packet. Never raises for bytes that are no signature."""
        algorithm = BY_TYPE[self.keytype]
        if headers is None or not is_over_document(headers, algorithm):
            return False
        return gpg_algorithm.verify(self.keytype, self.material, signature, SHA256, digest(SHA256, message, headers))

    def signature_entry(self, keyid: str, signature: bytes) -> dict[str, object]:
        """The entry in a Metablock for `signature`, a signature packet made by this key or one of its subkeys.
        Raises `Malformed` for what is no such packet."""
        found = read_signature(signature)
        for member in (self, *self.subkeys):
            if found.names(member.keyid):
                return {"keyid": member.keyid, "signature": found.value.hex(), "other_headers": found.headers.hex()}
        raise Malformed(
            "OpenPGP signature by another key", expected=keyid, got=found.fingerprint or f"...{found.short_id}"
        )

    # --- forms -----------------------------------------------------------------------------------------------------

    def to_json(self) -> dict[str, object]:
        """The key object for a layout, as the reference implementation writes it."""
        document: dict[str, object] = {
            "method": self.scheme,
            "type": self.keytype,
            "hashes": list(self.hashes),
            "keyid": self.keyid,
            "keyval": {"private": "", "public": dict(self.values)},
        }
        if self.created is not None:
            document["creation_time"] = self.created
        if self.validity is not None:
            document["validity_period"] = self.validity
        if self.subkeys:
            document["subkeys"] = {subkey.keyid: subkey.to_json() for subkey in self.subkeys}
        return document


# --- reading key objects -------------------------------------------------------------------------------------------


def _read(document: dict[str, object], where: str, *, master: bool) -> GpgKey:
    type = as_text(required(document, "type", where), pointer(where, "type"))
    if type not in BY_TYPE:
        raise Malformed(
            "unsupported type of gpg key",
            pointer=pointer(where, "type"),
            expected="rsa, dsa or eddsa",
            got=repr(type[:40]),
        )
    method = as_text(required(document, "method", where), pointer(where, "method"))
    if method != BY_TYPE[type].method:
        raise Malformed(
            "the method does not suit the type of gpg key",
            pointer=pointer(where, "method"),
            expected=BY_TYPE[type].method,
            got=repr(method[:40]),
        )
    keyid = as_keyid(required(document, "keyid", where), pointer(where, "keyid"))
    subkeys = _subkeys(document, pointer(where, "subkeys"), master=master)
    try:
        return GpgKey.made_of(
            type,
            keyid,
            _values(document, type, pointer(where, "keyval")),
            created=_seconds(document, "creation_time", where),
            validity=_seconds(document, "validity_period", where),
            subkeys=subkeys,
            hashes=as_texts(required(document, "hashes", where), pointer(where, "hashes"), most=16),
        )
    except Malformed as error:
        error.pointer = error.pointer or pointer(where, "keyval")
        raise


def _subkeys(document: dict[str, object], where: str, *, master: bool) -> tuple[GpgKey, ...]:
    value = document.get("subkeys")
    entries = {} if value is None else as_object(value, where)
    if entries and not master:
        raise Malformed("a subkey has subkeys", pointer=where)
    if len(entries) > LOCAL.gpg_subkeys:
        raise LimitExceeded(
            "too many subkeys (limit gpg_subkeys)",
            pointer=where,
            expected=f"at most {LOCAL.gpg_subkeys}",
            got=str(len(entries)),
        )
    found = []
    for keyid, entry in entries.items():
        inside = pointer(where, keyid)
        subkey = _read(as_object(entry, inside), inside, master=False)
        found.append(subkey.with_id(as_keyid(keyid, where)))
    return tuple(found)


def _values(document: dict[str, object], type: str, where: str) -> dict[str, str]:
    keyval = as_object(required(document, "keyval", where.removesuffix("/keyval")), where)
    private = keyval.get("private")
    if private is not None and private != "":
        raise Malformed(
            "a public key object holds a private key",
            pointer=pointer(where, "private"),
            expected="nothing, or an empty string",
            got="a private key" if isinstance(private, str) else type_name(private),
            remedy="leave the private key out of documents; if it has been seen by others, replace it",
        )
    inside = pointer(where, "public")
    public = as_object(required(keyval, "public", where), inside)
    return {name: as_text(required(public, name, inside), pointer(inside, name)) for name in BY_TYPE[type].values}


def _seconds(document: dict[str, object], name: str, where: str) -> int | None:
    value = document.get(name)
    if value is None:
        return None
    seconds = as_integer(value, pointer(where, name))
    if not 0 <= seconds <= _MOST_SECONDS:
        raise Malformed(
            "not a number of seconds", pointer=pointer(where, name), expected=f"0 to {_MOST_SECONDS}", got=str(seconds)
        )
    return seconds
