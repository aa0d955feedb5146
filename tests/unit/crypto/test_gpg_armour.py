from __future__ import annotations

import base64

import pytest

from navicert.crypto.gpg_armour import is_armoured, is_binary, unarmour
from navicert.errors import Malformed

DATA = bytes(range(200))
TEXT = base64.b64encode(DATA).decode()
LINES = "\n".join(TEXT[start : start + 64] for start in range(0, len(TEXT), 64))
BEGIN, END = "-----BEGIN PGP PUBLIC KEY BLOCK-----", "-----END PGP PUBLIC KEY BLOCK-----"
BLOCK = f"{BEGIN}\n\n{LINES}\n=oa2l\n{END}\n"


@pytest.mark.parametrize(
    "text",
    [
        BLOCK,
        BLOCK.replace("=oa2l\n", ""),
        BLOCK.replace("\n", "\r\n"),
        BLOCK.replace("\n\n", "\nVersion: GnuPG v2\nComment: of alice: hers\n\n", 1),
        "Alice's key:\n" + BLOCK + "-- \nAlice\n",
        BLOCK.replace(LINES, TEXT),
    ],
)
def test_a_block_is_read_whatever_stands_around_it(text):
    assert is_armoured(text)
    assert unarmour(text) == DATA


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (BLOCK.replace("oa2l", "oa2m"), "checksum does not fit"),
        (BLOCK.replace("AAEC", "AAED"), "checksum does not fit"),
        (BLOCK.replace("AAEC", "AA?C"), "not base64"),
        (BLOCK.replace(END, ""), "cut off"),
        (BLOCK.replace("\n\n", "\n", 1), "cut off, or without the empty line"),
        (BLOCK + BLOCK, "not one OpenPGP block.*got 2"),
        (BLOCK.replace("PUBLIC", "PRIVATE"), "a private key where a public one belongs"),
        ("text", "not one OpenPGP block.*got 0"),
    ],
)
def test_a_damaged_block_is_refused(text, why):
    with pytest.raises(Malformed, match=why):
        unarmour(text)


def test_only_what_begins_as_a_key_is_taken_for_one_without_armour():
    assert is_binary(b"\x99\x01\x0d\x04")
    assert is_binary(b"\x98\x33\x04")
    assert is_binary(b"\xc6\x33\x04")
    for other in (b"", b"\x30\x82", b"-----BEGIN", b"{}", b"\xef\xbb\xbf"):
        assert not is_binary(other)
