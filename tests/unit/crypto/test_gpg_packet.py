from __future__ import annotations

import pytest

from navicert.crypto.gpg_packet import MAX_MPI_BITS, Reader, fingerprint, packets, subpackets
from navicert.errors import LimitExceeded, Malformed
from navicert.limits import LOCAL

BODY = b"x" * 300


@pytest.mark.parametrize(
    "header",
    [
        b"\x89\x01\x2c",  # old format, two bytes
        b"\x8a\x00\x00\x01\x2c",  # old format, four bytes
        b"\xc2\xc0\x6c",  # new format, two bytes
        b"\xc2\xff\x00\x00\x01\x2c",  # new format, five bytes
    ],
)
def test_a_packet_is_the_same_however_its_length_is_written(header):
    assert list(packets(header + BODY + b"\x88\x01y")) == [(2, BODY), (2, b"y")]


def test_short_packets_have_a_length_of_one_byte():
    assert list(packets(b"\x98\x02ab\xc6\x02cd\xcd\xbf" + b"n" * 191)) == [(6, b"ab"), (6, b"cd"), (13, b"n" * 191)]


def test_the_longest_length_of_two_bytes_is_read():
    assert [len(body) for _, body in packets(b"\xc2\xdf\xff" + b"x" * 8383)] == [8383]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\x8b" + BODY, "unknown length"),
        (b"\xc2\xe1xx\x01x", "in parts"),
        (b"\x89\x01", "cut off"),
        (b"\x89", "cut off"),
        (b"\xc2", "cut off"),
        (b"\x88\x05abcd", "cut off.*expected 5 more bytes, got 4"),
        (b"\xc2\xff\xff\xff\xff\xffab", "cut off"),
        (b"\x88\x01a" + b"\x02", "byte 0x02 where a packet should begin"),
        (b"-----BEGIN", "not OpenPGP data"),
    ],
)
def test_what_is_no_packet_is_refused(data, why):
    with pytest.raises(Malformed, match=why):
        list(packets(data))


def test_a_flood_of_packets_comes_to_an_end():
    assert len(list(packets(b"\x88\x00" * LOCAL.gpg_packets))) == LOCAL.gpg_packets
    with pytest.raises(LimitExceeded, match="gpg_packets"):
        list(packets(b"\x88\x00" * (LOCAL.gpg_packets + 1)))


@pytest.mark.parametrize("header", [b"\x06", b"\xff\x00\x00\x00\x06"], ids=["one byte", "five bytes"])
def test_subpackets_are_read_in_both_lengths_and_without_their_critical_bit(header):
    assert list(subpackets(header + b"\x02abcde" + b"\x01\x99")) == [(2, b"abcde"), (0x19, b"")]


def test_a_subpacket_with_a_length_of_two_bytes_is_read():
    assert list(subpackets(b"\xc0\x00\x10" + b"x" * 191)) == [(16, b"x" * 191)]


@pytest.mark.parametrize(
    ("data", "why"),
    [(b"\x00", "without a type"), (b"\xff\x00\x00\x00\x00", "without a type"), (b"\x09\x10ab", "cut off")],
)
def test_what_is_no_subpacket_is_refused(data, why):
    with pytest.raises(Malformed, match=why):
        list(subpackets(data))


def test_a_subpacket_does_not_reach_beyond_its_area():
    with pytest.raises(Malformed, match="cut off"):
        list(subpackets(b"\x05\x10a"))


def test_numbers_are_as_long_as_their_bits_say():
    reader = Reader(b"\x00\x09\x01\xff\x00\x01\x01\x00\x00")
    assert [reader.mpi(), reader.mpi(), reader.mpi()] == [b"\x01\xff", b"\x01", b""]
    reader.end()


def test_an_oversize_number_is_refused_before_it_is_taken():
    assert len(Reader(MAX_MPI_BITS.to_bytes(2, "big") + bytes(MAX_MPI_BITS // 8)).mpi()) == MAX_MPI_BITS // 8
    with pytest.raises(Malformed, match=r"too long.*16384 bits"):
        Reader((MAX_MPI_BITS + 1).to_bytes(2, "big") + bytes(9000)).mpi()


def test_what_is_left_over_is_refused():
    reader = Reader(b"abc")
    reader.take(1)
    assert reader.left == 2
    with pytest.raises(Malformed, match="2 bytes too many"):
        reader.end()


def test_the_fingerprint_is_the_one_that_gpg_shows():
    # The Ed25519 key that OpenPGP's specification of curves prints. Spec: RFC 9580 appendix A.1.
    body = bytes.fromhex(
        "0453f35f0b16092b06010401da470f010107403f098994bdd916ed4053197934e4a87c80733a1280d62f8010992e43ee3b2406"
    )
    assert fingerprint(body) == "c959bdbafa32a2f89a153b678cfde12197965a9a"
