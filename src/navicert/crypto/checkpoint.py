"""Checkpoints: what a log signs about its tree, as a note with signature lines.

Spec: C2SP signed-note and tlog-checkpoint, which Rekor follows.
"""

from __future__ import annotations

import binascii

from navicert.crypto.key import Key
from navicert.dataclass import dataclass, field
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

MOST_CHARACTERS: Final = 64 * 1024
"""One note. A line takes some 150 characters."""

MOST_LINES: Final = 64
"""Signatures of one note: the log's own, and those of witnesses."""

_LONGEST_SIZE: Final = 18


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """That the log `origin` has `size` leaves under `root`. `signatures` are names, key hints (4 bytes) and
    signatures over `text`."""

    origin: str
    size: int
    root: bytes
    text: bytes = field(repr=False)
    signatures: tuple[tuple[str, bytes, bytes], ...] = field(repr=False)

    @staticmethod
    def read(note: str) -> Checkpoint:
        """The checkpoint that `note` is. Raises `Malformed`."""
        if len(note) > MOST_CHARACTERS:
            raise Malformed("bad checkpoint", expected=f"at most {MOST_CHARACTERS} characters", got=str(len(note)))
        text, blank, block = note.rpartition("\n\n")
        lines = text.split("\n")
        if not blank or not block.endswith("\n") or len(lines) < 3 or "" in lines:
            raise Malformed("bad checkpoint", expected="origin, size and root, an empty line, and signatures")
        origin, size, root = lines[:3]
        if not (size.isascii() and size.isdigit()) or len(size) > _LONGEST_SIZE or (size[0] == "0" and size != "0"):
            raise Malformed("bad checkpoint", expected="a decimal size in the second line", got=repr(size)[:40])
        digest = _decoded(root)
        if len(digest) != 32:
            raise Malformed("bad checkpoint", expected="a SHA-256 in the third line", got=f"{len(digest)} bytes")
        signed = block[:-1].split("\n")
        if len(signed) > MOST_LINES:
            raise Malformed("bad checkpoint", expected=f"at most {MOST_LINES} signatures", got=str(len(signed)))
        return Checkpoint(origin, int(size), digest, (text + "\n").encode(), tuple(map(_signature, signed)))

    def signed_by(self, key: Key, hint: bytes) -> bool:
        """Whether the log with `key` signed this. `hint` are the first bytes of the log's id, which its lines carry;
        lines of others (witnesses) prove nothing about the log."""
        return any(mark == hint[:4] and key.verify(signature, self.text) for _, mark, signature in self.signatures)


def _signature(line: str) -> tuple[str, bytes, bytes]:
    dash, _, rest = line.partition(" ")
    name, _, value = rest.partition(" ")
    raw = _decoded(value)
    if dash != "\u2014" or not name or len(raw) < 5:
        raise Malformed("bad checkpoint", expected="— NAME SIGNATURE", got=repr(line)[:60])
    return name, raw[:4], raw[4:]


def _decoded(text: str) -> bytes:
    try:
        return binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except ValueError as error:
        raise Malformed("bad checkpoint", expected="base64", got=repr(text)[:40]) from error
