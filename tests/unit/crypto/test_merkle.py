"""Merkle trees: what proves that a leaf is in one, held against trees that are built."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from navicert.crypto.merkle import leaf_hash, node_hash, root_of
from navicert.testing.bundle import _path, _root

LEAVES = [leaf_hash(b"%d" % i) for i in range(40)]


@given(st.integers(1, 40), st.data())
def test_every_leaf_of_every_tree_is_proved(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    leaves = LEAVES[:size]
    assert root_of(leaves[index], index, size, _path(index, leaves)) == _root(leaves)


@given(st.integers(1, 40), st.data())
def test_a_proof_proves_no_other_leaf_place_or_size(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    leaves = LEAVES[:size]
    proof, root = _path(index, leaves), _root(leaves)
    other = data.draw(st.integers(0, size - 1).filter(lambda i: i != index) if size > 1 else st.none())
    if other is not None:
        assert root_of(leaves[index], other, size, proof) != root
        assert root_of(leaves[other], index, size, proof) != root
    assert root_of(leaf_hash(b"another"), index, size, proof) != root
    assert root_of(leaves[index], index, size, [*proof, leaf_hash(b"x")]) is None
    if proof:
        assert root_of(leaves[index], index, size, proof[:-1]) is None
        place = data.draw(st.integers(0, len(proof) - 1))
        damaged = [*proof[:place], leaf_hash(b"another"), *proof[place + 1 :]]
        assert root_of(leaves[index], index, size, damaged) != root


def test_an_inner_node_is_no_leaf() -> None:
    # Without the prefixes the node above two leaves would pass for a leaf that holds both of them.
    left, right = LEAVES[:2]
    assert leaf_hash(left + right) != node_hash(left, right)


def test_a_place_outside_of_the_tree_and_hashes_of_another_length_prove_nothing() -> None:
    assert root_of(LEAVES[0], 1, 1, []) is None
    assert root_of(LEAVES[0], -1, 1, []) is None
    assert root_of(LEAVES[0], 0, 0, []) is None
    assert root_of(LEAVES[0], 0, 2, [b"short"]) is None
    assert root_of(b"short", 0, 1, []) is None
    assert root_of(LEAVES[0], 0, 1, []) == LEAVES[0]
