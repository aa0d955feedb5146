"""Unpacking in blocks."""

from __future__ import annotations

import gzip
import importlib
import os
from dataclasses import replace

import pytest

from navicert.errors import LimitExceeded, Malformed, Unavailable
from navicert.limits import LOCAL
from navicert.oci.compression import BLOCK, Budget, detect, unpack


def unpacked(*chunks: bytes, compression="gzip") -> bytes:
    return b"".join(unpack(chunks, compression, Budget()))


def in_pieces(data: bytes, size: int) -> list[bytes]:
    return [data[i : i + size] for i in range(0, len(data), size)]


@pytest.mark.parametrize("size", [1, 7, 4096, 10**9])
def test_gzip_is_unpacked_however_it_is_cut(size):
    data = os.urandom(3000) + b"\0" * 3000
    assert unpacked(*in_pieces(gzip.compress(data), size)) == data


@pytest.mark.parametrize("size", [1, 10**9])
def test_several_members_are_one_stream(size):
    packed = gzip.compress(b"one") + gzip.compress(b"") + gzip.compress(b"two")
    assert unpacked(*in_pieces(packed, size)) == b"onetwo"


def test_no_block_is_larger_than_promised():
    data = b"\0" * (5 * BLOCK + 3)
    blocks = list(unpack([gzip.compress(data)], "gzip", Budget()))
    assert max(map(len, blocks)) <= BLOCK
    assert b"".join(blocks) == data


@pytest.mark.parametrize("extra", [1, 2, 257, 258, 259])
def test_what_the_decompressor_held_back_comes_out_at_the_end(extra):
    data = b"\0" * (BLOCK + extra)
    assert unpacked(*in_pieces(gzip.compress(data), 1)) == data


def test_plain_data_passes_through():
    assert unpacked(b"a", b"", b"b", compression="") == b"ab"


@pytest.mark.parametrize(
    ("packed", "message"),
    [
        (b"", "cut off"),
        (gzip.compress(b"x" * 100)[:-1], "cut off"),
        (gzip.compress(b"x" * 100)[:-8] + b"\0" * 8, "damaged gzip data"),
        (gzip.compress(b"x") + b"trailing", "damaged gzip data"),
        (gzip.compress(b"x") + b"\0" * 512, "damaged gzip data"),
        (b"plain text", "damaged gzip data"),
    ],
)
def test_damaged_gzip_is_refused(packed, message):
    with pytest.raises(Malformed, match=message):
        unpacked(packed)


def test_the_kind_is_known_by_its_first_bytes():
    assert detect(gzip.compress(b"")) == "gzip"
    assert detect(b"\x28\xb5\x2f\xfd....") == "zstd"
    assert detect(b"") == ""


def zstd_module():
    """Python's zstd, or None where this one has none."""
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None


def test_zstd_is_unpacked_where_python_can_and_unavailable_elsewhere():
    zstd = zstd_module()
    if zstd is None:
        with pytest.raises(Unavailable, match=r"packed with zstd, which this Python cannot read – use Python 3\.14"):
            unpacked(b"\x28\xb5\x2f\xfd", compression="zstd")
        return
    data = os.urandom(3000) + b"\0" * (2 * BLOCK)
    packed = zstd.compress(data) + zstd.compress(b"more")
    for size in (1000, 10**9):
        assert unpacked(*in_pieces(packed, size), compression="zstd") == data + b"more"
    with pytest.raises(Malformed, match="cut off"):
        unpacked(packed[:-1], compression="zstd")
    with pytest.raises(Malformed, match="damaged zstd data"):
        unpacked(packed + b"x" * 20, compression="zstd")


def test_the_budget_is_one_for_all_that_is_unpacked():
    budget = Budget(replace(LOCAL, archive_bytes=1000), "image")
    list(unpack([b"x" * 600], "", budget))
    with pytest.raises(LimitExceeded, match=r"image: image too large \(limit archive_bytes\)"):
        list(unpack([b"x" * 600], "", budget))


def test_much_out_of_little_is_stopped_early():
    limits = replace(LOCAL, expansion=10, expansion_floor=3 * BLOCK)
    packed = gzip.compress(b"\0" * (100 * BLOCK))
    blocks: list[bytes] = []
    with pytest.raises(LimitExceeded, match="decompression bomb"):
        blocks.extend(unpack(in_pieces(packed, 1000), "gzip", Budget(limits)))
    assert sum(map(len, blocks)) <= 4 * BLOCK


def test_small_data_may_be_as_dense_as_it_likes():
    assert len(unpacked(gzip.compress(b"\0" * (3 * BLOCK)))) == 3 * BLOCK
