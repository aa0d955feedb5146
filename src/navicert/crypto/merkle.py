"""Proofs that a leaf is in a Merkle tree.

Spec: RFC 6962 §2.1 and RFC 9162 §2.1.3.2 (verifying an inclusion proof), with SHA-256.
"""

from __future__ import annotations

import hashlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf that holds `data`."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of the node above `left` and `right`."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(leaf: bytes, index: int, size: int, hashes: Sequence[bytes]) -> bytes | None:
    """The root that `leaf` (a hash) leads to as number `index` of a tree of `size` leaves, with its siblings `hashes`
    from the bottom up. None where the proof has not the form that such a place in such a tree has."""
    if not 0 <= index < size or any(len(hash) != 32 for hash in hashes) or len(leaf) != 32:
        return None
    node, last, root = index, size - 1, leaf
    for sibling in hashes:
        if last == 0:
            return None
        if node & 1 or node == last:
            root = node_hash(sibling, root)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            root = node_hash(root, sibling)
        node >>= 1
        last >>= 1
    return root if last == 0 else None
