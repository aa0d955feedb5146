from __future__ import annotations

import base64
import subprocess
import sys

import pytest

from navicert.crypto import openssh
from navicert.crypto.pem import Block, armour, only_block
from navicert.errors import LimitExceeded, Malformed

# Written by ssh-keygen 9.2; the password is "correct horse".
ENCRYPTED = """-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABC6MqThcg
miD0OOPFFQGKrjAAAAEAAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIJrfFJm9mFvm2fH8
wX/saMC1MXXAP+nishNTm1ZSaG+GAAAAoEoaNLeJoPYWgsdz/tWgqRXQ5KVEvHVFs2Qi1K
nXKtsWruF0rrXn7TqqyOVSDWwDcr99TY2hsDUg5tWl+bYz7X2MnTTm3CQgU+ZJq20exHOL
QTFcrIP24RJXxozWakr+F85yb6oyZuAPzUlB1hZSFl26uNuRiOHbfBKdpAXErDjnShDowl
8jQoGhNAHOv8d/TeuHmV9cP/wGRDMu0ECtHfs=
-----END OPENSSH PRIVATE KEY-----
"""
LINE = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJrfFJm9mFvm2fH8wX/saMC1MXXAP+nishNTm1ZSaG+G someone@somewhere"


def string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def block(*, kind: bytes = b"ssh-ed25519", keys: int = 1, magic: bytes = b"openssh-key-v1\0") -> Block:
    raw = magic + string(b"none") * 2 + string(b"") + keys.to_bytes(4, "big") + string(string(kind)) + string(b"x" * 64)
    return only_block(armour("OPENSSH PRIVATE KEY", raw))


def test_an_encrypted_key_opens_with_its_password_and_fits_its_public_line():
    private = openssh.load_private(only_block(ENCRYPTED), lambda: b"correct horse")
    assert private.public_key() == openssh.load_public(LINE).public


def test_a_wrong_password_is_said_so():
    with pytest.raises(Malformed, match="wrong password"):
        openssh.load_private(only_block(ENCRYPTED), lambda: b"wrong")


def test_a_missing_password_is_said_so():
    with pytest.raises(Malformed, match="encrypted, and no password was given"):
        openssh.load_private(only_block(ENCRYPTED), None)


def test_without_the_library_for_its_key_derivation_the_remedy_is_named():
    program = (
        "import sys; sys.modules['bcrypt'] = None\n"
        "from navicert.crypto.formats import load_signer\n"
        "load_signer(sys.stdin.buffer.read(), password=lambda: b'correct horse')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], input=ENCRYPTED.encode(), capture_output=True, check=False)
    assert b"Unavailable: the package bcrypt" in done.stderr
    assert b"ssh-keygen -p" in done.stderr


@pytest.mark.parametrize("text", ["ssh-ed25519 AAAA", "ecdsa-sha2-nistp256\tAAAA", "sk-ssh-ed25519@openssh.com AAAA"])
def test_public_lines_are_known_by_their_first_word(text):
    assert openssh.is_public_line(text)


@pytest.mark.parametrize("text", ["", "ssh-ed25519", "-----BEGIN", "{", "ssh- \n AAAA"])
def test_other_text_is_no_public_line(text):
    assert not openssh.is_public_line(text)


def test_several_lines_are_refused_because_it_is_not_certain_which_key_is_meant():
    with pytest.raises(Malformed, match="more than one OpenSSH key"):
        openssh.load_public(f"{LINE}\n{LINE}\n")


@pytest.mark.parametrize("kind", ["ssh-dss", "sk-ssh-ed25519@openssh.com", "ssh-ed25519-cert-v01@openssh.com"])
def test_other_types_are_refused_by_name(kind):
    with pytest.raises(Malformed, match=f"unsupported type of OpenSSH key.*got '{kind}'"):
        openssh.load_public(f"{kind} AAAA")
    with pytest.raises(Malformed, match=f"unsupported type of OpenSSH key.*got '{kind}'"):
        openssh.load_private(block(kind=kind.encode()), None)


@pytest.mark.parametrize("rest", ["AAAA", "!", "ä", base64.b64encode(string(b"ssh-rsa")).decode()])
def test_a_public_line_with_garbage_is_refused(rest):
    with pytest.raises(Malformed, match="holds no readable key"):
        openssh.load_public(f"ssh-ed25519 {rest}")


def test_a_compressed_point_is_refused_as_ssh_does():
    point = string(b"ecdsa-sha2-nistp256") + string(b"nistp256") + string(b"\2" + bytes(31) + b"\5")
    with pytest.raises(Malformed, match="holds no readable key"):
        openssh.load_public("ecdsa-sha2-nistp256 " + base64.b64encode(point).decode())


@pytest.mark.parametrize(
    "damaged",
    [
        Block("OPENSSH PRIVATE KEY", "-----BEGIN\n!!!\n-----END\n"),
        block(magic=b"another-format\0"),
        block(keys=2),
        block(),
        only_block(armour("OPENSSH PRIVATE KEY", b"openssh-key-v1\0" + b"\xff" * 8)),
        only_block(armour("OPENSSH PRIVATE KEY", b"openssh-key-v1\0")),
    ],
)
def test_a_damaged_private_block_is_refused(damaged):
    with pytest.raises(Malformed, match="holds no readable key"):
        openssh.load_private(damaged, None)


def test_an_unknown_cipher_is_refused_with_a_remedy():
    raw = base64.b64decode("".join(ENCRYPTED.split("\n")[1:-2])).replace(b"aes256-ctr", b"rot-thirte")
    with pytest.raises(Malformed, match="unsupported cipher"):
        openssh.load_private(only_block(armour("OPENSSH PRIVATE KEY", raw)), lambda: b"correct horse")


@pytest.mark.parametrize("rounds", [1_001, 2**32 - 1])
def test_a_key_that_would_take_forever_to_open_is_refused_before_the_password_is_asked_for(rounds):
    raw = base64.b64decode("".join(ENCRYPTED.split("\n")[1:-2]))
    salt = raw[raw.index(b"bcrypt") + 6 + 4 + 4 :][:16]
    slow = raw.replace(salt + (16).to_bytes(4, "big"), salt + rounds.to_bytes(4, "big"))
    assert slow != raw
    with pytest.raises(LimitExceeded, match=r"limit kdf_rounds.*ssh-keygen -p"):
        openssh.load_private(only_block(armour("OPENSSH PRIVATE KEY", slow)), None)


def test_rounds_of_any_length_are_refused():
    raw = b"openssh-key-v1\0" + string(b"aes256-ctr") + string(b"bcrypt") + string(string(b"salt") + b"\xff" * 9)
    with pytest.raises(LimitExceeded, match="far more"):
        openssh.load_private(only_block(armour("OPENSSH PRIVATE KEY", raw)), None)
