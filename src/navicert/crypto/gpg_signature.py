"""OpenPGP signatures, version 4: what is in their packet, and what they are over.

In a Metablock a signature is `{"keyid", "signature", "other_headers"}`: the issuer's fingerprint, the value (see
`gpg_algorithm.read_signature`) and the hashed part of the packet, both in hex. It is over the content, the hashed part
and a trailer with its length. Spec: RFC 4880 §5.2.3, §5.2.4; in-toto v1.0 §4.2 for where it stands.
"""

from __future__ import annotations

import hashlib
from typing import Final

from navicert.crypto import gpg_algorithm
from navicert.crypto.gpg_algorithm import HASHES, SHA256, Algorithm
from navicert.crypto.gpg_packet import Reader, packets, subpackets
from navicert.dataclass import dataclass
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

SIGNATURE: Final = 2
"""The tag of a signature packet."""

DOCUMENT: Final = 0x00
"""The type of a signature over a file, bytes as they are."""

_VERSION: Final = 4
_CREATED, _ISSUER, _EMBEDDED, _FINGERPRINT = 2, 16, 32, 33


@dataclass(frozen=True, slots=True)
class PgpSignature:
    """One signature packet. `headers` is its hashed part; `fingerprint` and `short_id` say who made it, as far as they
    are there: hints, like all ids. `facts` are its subpackets by type, hashed ones before others."""

    kind: int
    algorithm: Algorithm
    hash: int
    headers: bytes
    value: bytes
    created: int
    fingerprint: str
    short_id: str
    facts: Mapping[int, bytes]

    @property
    def embedded(self) -> bytes | None:
        """The packet body of a signature inside this one: of a subkey over the key that binds it."""
        return self.facts.get(_EMBEDDED)

    def names(self, fingerprint: str) -> bool:
        """Whether this signature says that the key with `fingerprint` made it."""
        return self.fingerprint == fingerprint if self.fingerprint else fingerprint.endswith(self.short_id)


def read_signature(data: bytes) -> PgpSignature:
    """The one signature of a file in `data`, as gpg writes it. Raises `Malformed` for anything else, for other types
    of signatures, and for a hash algorithm that is not SHA-256."""
    found = list(packets(data))
    if len(found) != 1 or found[0].tag != SIGNATURE:
        raise Malformed("not one OpenPGP signature", got=f"packets {[packet.tag for packet in found[:8]]}")
    signature = read_packet(found[0].body)
    problem = _not_over_a_document(signature.headers, signature.algorithm)
    if problem:
        raise Malformed(f"not a usable OpenPGP signature: {problem}")
    return signature


def read_packet(body: bytes) -> PgpSignature:
    """The signature in the body of a signature packet, of any type. Raises `Malformed`."""
    reader = Reader(body)
    version = reader.number(1)
    if version != _VERSION:
        raise Malformed("unsupported version of an OpenPGP signature", expected=str(_VERSION), got=str(version))
    kind = reader.number(1)
    algorithm = gpg_algorithm.of_octet(reader.number(1))
    hash = reader.number(1)
    if hash not in HASHES:
        raise Malformed("unsupported hash of an OpenPGP signature", expected=", ".join(HASHES.values()), got=str(hash))
    hashed = dict(subpackets(reader.take(reader.number(2))))
    headers = body[: len(body) - reader.left]
    facts = dict(subpackets(reader.take(reader.number(2)))) | hashed
    reader.take(2)  # the first bits of the digest, which nobody needs who checks all of it
    value = gpg_algorithm.read_signature(algorithm, reader)
    created = hashed.get(_CREATED, b"")
    if len(created) != 4:
        raise Malformed("OpenPGP signature without its time of creation")
    fingerprint, short_id = _issuer(facts)
    moment = int.from_bytes(created, "big")
    return PgpSignature(kind, algorithm, hash, headers, value, moment, fingerprint, short_id, facts)


def _issuer(facts: Mapping[int, bytes]) -> tuple[str, str]:
    """Fingerprint and short id of the key that the signature names, at least one of them."""
    full, short = facts.get(_FINGERPRINT, b""), facts.get(_ISSUER, b"")
    if full and (len(full) != 21 or full[0] != _VERSION):
        raise Malformed("OpenPGP signature by a key that is not of version 4")
    if not (full or len(short) == 8):
        raise Malformed("OpenPGP signature that does not say by whom it is")
    if full and short and not full.endswith(short):
        raise Malformed("OpenPGP signature that names two keys")
    return full[1:].hex(), short.hex()


def is_over_document(headers: bytes, algorithm: Algorithm) -> bool:
    """Whether `headers` is the hashed part of a signature over a file with SHA-256, by `algorithm`."""
    return not _not_over_a_document(headers, algorithm)


def _not_over_a_document(headers: bytes, algorithm: Algorithm) -> str:
    if len(headers) < 6 or headers[0] != _VERSION or len(headers) != 6 + int.from_bytes(headers[4:6], "big"):
        return "its headers are not those of version 4"
    # Without this a certification or a signature over text could be taken for one over a document.
    if headers[1] != DOCUMENT:
        return f"of type {headers[1]:#04x}, and not over a file"
    if headers[2] != algorithm.octet:
        return f"by another algorithm than {algorithm.type}"
    if headers[3] != SHA256:
        return "its hash is not SHA-256 – remove digest preferences from gpg.conf"
    return ""


def digest(hash: int, content: bytes, headers: bytes) -> bytes:
    """The digest that a version 4 signature with `headers` is over. Spec: RFC 4880 §5.2.4."""
    hasher = hashlib.new(HASHES[hash], content, usedforsecurity=hash != gpg_algorithm.SHA1)
    hasher.update(headers)
    hasher.update(b"\x04\xff" + len(headers).to_bytes(4, "big"))
    return hasher.digest()
