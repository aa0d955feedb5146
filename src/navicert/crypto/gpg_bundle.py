"""An exported OpenPGP key: a master, its names and its subkeys, as far as the master's own signatures hold.

Self-signatures are checked here, once, and what they say goes into a `GpgKey`: which subkeys are the master's, and how
long each is valid. A subkey that is not bound to its master, one that may sign and did not sign back, and one of a kind
that in-toto does not know are left out. SHA-1 is accepted for self-signatures only, because keys from before 2018 have
no others: the holder of the master wrote what is signed there.

Spec: RFC 4880 §5.2.1 (types of signatures), §5.2.3.3 (self-signatures), §5.2.4 (what they are over), §11.1 (order).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from navicert.crypto import gpg_algorithm
from navicert.crypto.gpg import GpgKey
from navicert.crypto.gpg_packet import Packet, Reader, fingerprint, framed, packets
from navicert.crypto.gpg_signature import SIGNATURE, PgpSignature, digest, read_packet
from navicert.dataclass import dataclass, field, replace
from navicert.errors import LimitExceeded, Malformed
from navicert.limits import LOCAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_SECRET, _MASTER, _SECRET_SUBKEY, _NAME, _SUBKEY, _ATTRIBUTE = 5, 6, 7, 13, 14, 17
_CERTIFICATIONS: Final = (0x10, 0x11, 0x12, 0x13)
_BINDING, _BACK, _DIRECT = 0x18, 0x19, 0x1F
_EXPIRES, _PRIMARY, _FLAGS = 9, 25, 27
_MAY_SIGN: Final = 0x02

_MAX_NAME: Final = 4096
"""Bytes of one name, which is hashed for every signature on it; gpg makes none above 2048."""


@dataclass(slots=True)
class _Part:
    """A packet, and the bodies of the signatures that follow it."""

    packet: Packet
    signatures: list[bytes] = field(default_factory=list)


class _PublicKey(NamedTuple):
    """The body of a key packet, and the key in it."""

    body: bytes
    key: GpgKey


def read_bundle(data: bytes) -> GpgKey:
    """The one key, with its subkeys, that gpg exported as `data`. Raises `Malformed`: no key or several, a private
    one, a master of an unsupported kind, packets that are no packets."""
    parts = _parts(data)
    master = _public_key(parts[0].packet.body)
    checks = _Checks(master)
    subkeys = {}
    for part in parts[1:]:
        subkey = _subkey(part, checks) if part.packet.tag == _SUBKEY else None
        if subkey is not None:
            subkeys[subkey.keyid] = subkey
    if len(subkeys) > LOCAL.gpg_subkeys:
        raise LimitExceeded("too many subkeys (limit gpg_subkeys)", expected=f"at most {LOCAL.gpg_subkeys}")
    return replace(master.key, validity=_validity(parts, checks), subkeys=tuple(subkeys.values()))


def _parts(data: bytes) -> list[_Part]:
    parts: list[_Part] = []
    for packet in packets(data):
        if packet.tag in (_SECRET, _SECRET_SUBKEY):
            raise Malformed(
                "a private key where a public one belongs",
                got="an OpenPGP private key",
                remedy="export the public one with: gpg --export --armor FINGERPRINT",
            )
        if (packet.tag == _MASTER) == bool(parts):
            raise Malformed(
                "not one OpenPGP key",
                got="several keys" if parts else f"packet {packet.tag} where a key should begin",
                remedy="export one key, by its fingerprint",
            )
        if packet.tag == _NAME and len(packet.body) > _MAX_NAME:
            raise Malformed("name in an OpenPGP key too long", expected=f"at most {_MAX_NAME} bytes")
        if packet.tag == SIGNATURE:
            parts[-1].signatures.append(packet.body)
        elif packet.tag in (_MASTER, _NAME, _SUBKEY, _ATTRIBUTE):
            parts.append(_Part(packet))
    if not parts:
        raise Malformed("no OpenPGP key in it", remedy="check the fingerprint and the keyring")
    return parts


def _public_key(body: bytes) -> _PublicKey:
    """Spec: RFC 4880 §5.5.2."""
    reader = Reader(body)
    version = reader.number(1)
    if version != 4:
        raise Malformed("unsupported version of an OpenPGP key", expected="4", got=str(version))
    if len(body) > 0xFFFF:
        raise Malformed("OpenPGP key too long", expected="at most 65535 bytes", got=str(len(body)))
    created = reader.number(4)
    algorithm = gpg_algorithm.of_octet(reader.number(1))
    values = gpg_algorithm.read_values(algorithm, reader)
    return _PublicKey(body, GpgKey.made_of(algorithm.type, fingerprint(body), values, created=created))


class _Checks:
    """Checks signatures of one master, and counts: a key may carry more of them than anybody has time for."""

    def __init__(self, master: _PublicKey) -> None:
        self.master = master
        self._count = 0

    def self_signatures(self, part: _Part, *kinds: int, over: bytes) -> Iterator[PgpSignature]:
        """The master's own signatures of `kinds` on `part`, over itself and `over`; all others are passed over."""
        content = framed(self.master.body) + over
        for body in part.signatures:
            try:
                signature = read_packet(body)
            except Malformed:
                continue  # of a kind that we do not know, or by somebody who writes such things: it proves nothing
            if (
                signature.kind in kinds
                and signature.names(self.master.key.keyid)
                and self.good(signature, self.master.key, content)
            ):
                yield signature

    def good(self, signature: PgpSignature, key: GpgKey, content: bytes) -> bool:
        """Whether `key` made `signature` over `content`."""
        self._count += 1
        if self._count > LOCAL.signature_attempts:
            raise LimitExceeded(
                "too many signatures on an OpenPGP key (limit signature_attempts)",
                expected=f"at most {LOCAL.signature_attempts}",
                remedy="export it with: gpg --export-options export-minimal",
            )
        found = digest(signature.hash, content, signature.headers)
        return gpg_algorithm.verify(key.keytype, key.material, signature.value, signature.hash, found)


def _subkey(part: _Part, checks: _Checks) -> GpgKey | None:
    """The subkey, if its master bound it to itself. Of several bindings the last one made counts."""
    try:
        subkey = _public_key(part.packet.body)
    except Malformed:
        return None  # most keys have one for encryption, of a kind that cannot sign
    bindings = checks.self_signatures(part, _BINDING, over=framed(subkey.body))
    binding = max(bindings, key=lambda signature: signature.created, default=None)
    if binding is None or not _signed_back(binding, subkey, checks):
        return None
    return replace(subkey.key, validity=_number(binding.facts.get(_EXPIRES)))


def _signed_back(binding: PgpSignature, subkey: _PublicKey, checks: _Checks) -> bool:
    """Whether a subkey that may sign agreed to be bound; otherwise a master could adopt somebody else's.
    Spec: RFC 4880 §5.2.1, type 0x19."""
    flags = binding.facts.get(_FLAGS, b"")
    if not (flags and flags[0] & _MAY_SIGN):
        return True
    if binding.embedded is None:
        return False
    try:
        back = read_packet(binding.embedded)
    except Malformed:
        return False
    content = framed(checks.master.body) + framed(subkey.body)
    return back.kind == _BACK and checks.good(back, subkey.key, content)


def _validity(parts: list[_Part], checks: _Checks) -> int | None:
    """How long the master is valid: what the newest self-signature says that sets a limit, those on the primary name
    first. Spec: RFC 4880 §5.2.3.3, §5.2.3.6, §5.2.3.19."""
    said = [((False, one.created), one) for one in checks.self_signatures(parts[0], _DIRECT, over=b"")]
    for part in parts[1:]:
        if part.packet.tag == _NAME:
            name = b"\xb4" + len(part.packet.body).to_bytes(4, "big") + part.packet.body
            for one in checks.self_signatures(part, *_CERTIFICATIONS, over=name):
                said.append(((bool(_number(one.facts.get(_PRIMARY))), one.created), one))
    limits = [(rank, _number(one.facts.get(_EXPIRES))) for rank, one in said if _EXPIRES in one.facts]
    return max(limits, default=(None, None), key=lambda limit: limit[0])[1]


def _number(content: bytes | None) -> int | None:
    return None if content is None else int.from_bytes(content[:4], "big")
