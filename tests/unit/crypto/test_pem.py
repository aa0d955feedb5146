from __future__ import annotations

import pytest

from navicert.crypto import pem
from navicert.errors import Malformed

BLOCK = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"


def test_armour_breaks_lines_after_64_characters_and_ends_with_one_newline():
    assert pem.armour("X", bytes(50)).split("\n") == [
        "-----BEGIN X-----",
        "A" * 64,
        "A" * 3 + "=",
        "-----END X-----",
        "",
    ]


@pytest.mark.parametrize(
    "text",
    [
        BLOCK,
        BLOCK.rstrip("\n"),
        BLOCK.replace("\n", "\r\n"),
        BLOCK.replace("\n", "\r"),
        "\ufeff\n" + BLOCK,
        "Key of the owner:\n\n" + BLOCK + "\nend of file\n",
        "\n".join("    " + line + "  " for line in BLOCK.split("\n")),
    ],
)
def test_line_ends_white_space_and_text_around_a_block_do_not_matter(text):
    assert pem.only_block(text) == pem.Block("PUBLIC KEY", BLOCK)


def test_curve_parameters_before_an_ec_key_are_no_second_key():
    parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    assert pem.only_block(parameters + BLOCK).label == "PUBLIC KEY"


def test_two_blocks_are_refused_because_it_is_not_certain_which_is_meant():
    with pytest.raises(Malformed, match=r"more than one PEM block.*got PUBLIC KEY, PUBLIC KEY\)"):
        pem.only_block(BLOCK + BLOCK)


def test_many_blocks_are_counted_without_listing_all():
    with pytest.raises(Malformed, match=r"PUBLIC KEY, \.\.\.\)"):
        pem.only_block(BLOCK * 9)


def test_no_block_is_said_so():
    with pytest.raises(Malformed, match="no key found"):
        pem.only_block("hello")


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN PUBLIC KEY-----\nAAAA\n",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n" + BLOCK,
    ],
)
def test_a_block_that_is_cut_off_is_said_so(text):
    with pytest.raises(Malformed, match="cut off: no line -----END PUBLIC KEY-----"):
        pem.only_block(text)


def test_a_million_first_lines_are_refused_at_once():
    with pytest.raises(Malformed, match="cut off"):
        pem.only_block("-----BEGIN X-----\n" * 50_000)


@pytest.mark.parametrize("label", ["CERTIFICATE", "PGP PUBLIC KEY BLOCK", "DSA PRIVATE KEY", "SOMETHING NEW"])
def test_blocks_that_are_no_keys_are_named_with_a_remedy(label):
    error = pem.foreign(label)
    assert error.remedy
    assert error.got
    with pytest.raises(Malformed, match="not a supported key"):
        pem.load_public(pem.armour(label, b"x"))


def test_a_public_block_with_garbage_inside_is_refused():
    with pytest.raises(Malformed, match='"PUBLIC KEY" holds no readable key'):
        pem.load_public(pem.armour("PUBLIC KEY", b"garbage"))


def test_a_public_key_of_an_unknown_algorithm_is_refused():
    # SPKI with the object identifier 1.2.3.4.
    spki = bytes.fromhex("300c300506032a03040303000102")
    with pytest.raises(Malformed, match="unsupported type of key"):
        pem.load_public(pem.armour("PUBLIC KEY", spki))


def test_a_private_block_with_garbage_inside_is_refused():
    with pytest.raises(Malformed, match='"PRIVATE KEY" holds no readable key'):
        pem.load_private(pem.Block("PRIVATE KEY", pem.armour("PRIVATE KEY", b"garbage")), None)


def test_a_password_is_not_asked_for_where_the_key_is_plain(signers, private_file):
    block = pem.only_block(private_file(signers["ed25519"], "pkcs8", None).decode())

    def asked() -> bytes:
        raise AssertionError("asked for a password that is not needed")

    pem.load_private(block, asked)


def test_an_empty_password_is_said_so():
    with pytest.raises(Malformed, match="password given is empty"):
        pem.required(lambda: b"")


def test_armour_around_what_is_not_base64_is_refused():
    with pytest.raises(Malformed, match="holds no readable key"):
        _ = pem.Block("ENCRYPTED PRIVATE KEY", "-----BEGIN\n!\n-----END\n").der
