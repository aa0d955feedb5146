"""OpenPGP packets: bytes cut into what they say they are, every length checked against what is there.

Nothing here knows what a packet is for. Spec: RFC 4880 §3.2 (numbers), §4.2 (packets), §5.2.3.1 (subpackets), §12.2
(fingerprints).
"""

from __future__ import annotations

import hashlib
from typing import Final, NamedTuple

from navicert.errors import LimitExceeded, Malformed
from navicert.limits import LOCAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_MPI_BITS: Final = 16_384
"""Longest number that is read: the longest RSA modulus that can be worked with."""

_NEW_FORMAT: Final = 0x40


class Packet(NamedTuple):
    """One packet: its tag, which says what it is, and what is in it."""

    tag: int
    body: bytes


class Reader:
    """A place in `data` that moves on with everything that is taken. Raises `Malformed` where too little is left."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        """How many bytes have not been taken."""
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        if count > self.left:
            raise Malformed("OpenPGP data is cut off", expected=f"{count} more bytes", got=str(self.left))
        self._at += count
        return self._data[self._at - count : self._at]

    def number(self, size: int) -> int:
        """The next `size` bytes as a number."""
        return int.from_bytes(self.take(size), "big")

    def mpi(self) -> bytes:
        """The next multiprecision integer, as bytes. Spec: RFC 4880 §3.2."""
        bits = self.number(2)
        if bits > MAX_MPI_BITS:
            raise Malformed("number in OpenPGP data too long", expected=f"at most {MAX_MPI_BITS} bits", got=f"{bits}")
        return self.take((bits + 7) // 8)

    def end(self) -> None:
        """Raise `Malformed` unless everything was taken."""
        if self.left:
            raise Malformed("OpenPGP data goes on after its end", got=f"{self.left} bytes too many")


def packets(data: bytes) -> Iterator[Packet]:
    """The packets that `data` consists of. Raises `Malformed`; packets of unknown length are refused."""
    reader = Reader(data)
    count = 0
    while reader.left:
        count += 1
        if count > LOCAL.gpg_packets:
            raise LimitExceeded("too many OpenPGP packets (limit gpg_packets)", expected=f"at most {LOCAL.gpg_packets}")
        first = reader.number(1)
        if not first & 0x80:
            raise Malformed("not OpenPGP data", got=f"byte {first:#04x} where a packet should begin")
        if first & _NEW_FORMAT:
            yield Packet(first & 0x3F, reader.take(_new_length(reader)))
        else:
            yield Packet((first & 0x3C) >> 2, reader.take(_old_length(reader, first & 3)))


def _new_length(reader: Reader) -> int:
    """Spec: RFC 4880 §4.2.2."""
    first = reader.number(1)
    if first < 192:
        return first
    if first < 224:
        return ((first - 192) << 8) + reader.number(1) + 192
    if first < 255:
        raise Malformed("OpenPGP packet in parts, which keys and signatures are not")
    return reader.number(4)


def _old_length(reader: Reader, kind: int) -> int:
    """Spec: RFC 4880 §4.2.1."""
    if kind == 3:
        raise Malformed("OpenPGP packet of unknown length, which keys and signatures are not")
    return reader.number(1 << kind)


def subpackets(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The type (without its critical bit) and content of every subpacket. Spec: RFC 4880 §5.2.3.1."""
    reader = Reader(data)
    while reader.left:
        size = reader.number(1)
        if 192 <= size < 255:
            size = ((size - 192) << 8) + reader.number(1) + 192
        elif size == 255:
            size = reader.number(4)
        if not size:
            raise Malformed("OpenPGP subpacket without a type")
        content = reader.take(size)
        yield content[0] & 0x7F, content[1:]


def framed(key: bytes) -> bytes:
    """A public key packet's body in the form in which it is hashed. Spec: RFC 4880 §5.2.4."""
    return b"\x99" + len(key).to_bytes(2, "big") + key


def fingerprint(key: bytes) -> str:
    """The fingerprint of a version 4 public key packet's body, 40 hex digits. Spec: RFC 4880 §12.2."""
    # SHA-1 is what the format prescribes. The fingerprint is a name; what verifies is the key itself.
    return hashlib.sha1(framed(key), usedforsecurity=False).hexdigest()
