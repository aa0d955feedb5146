from __future__ import annotations

import argparse
import io
import os
import pty
import subprocess
import sys
from types import SimpleNamespace

import pytest

from navicert.cli import password
from navicert.errors import LimitExceeded, Malformed
from navicert.limits import LOCAL


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    password.add_arguments(parser)
    return parser.parse_args(words)


def asked(*words: str) -> bytes:
    return password.source(parsed(*words), "keys/owner")()


@pytest.fixture
def pipe():
    """The reading end of a pipe, and a function that fills it."""
    ends = os.pipe()

    def fill(data: bytes) -> str:
        os.write(ends[1], data)
        os.close(ends[1])
        return str(ends[0])

    yield fill
    os.close(ends[0])


def test_the_option_is_the_password_itself():
    assert asked("--password", "correct horse") == b"correct horse"


def test_bytes_that_are_not_text_pass_through_unchanged():
    assert asked("--password", os.fsdecode(b"\xff\xfe")) == b"\xff\xfe"


def test_a_variable_holds_the_password(monkeypatch):
    monkeypatch.setenv("OWNER_PASSWORD", "correct horse")
    assert asked("--password-env", "OWNER_PASSWORD") == b"correct horse"


def test_a_variable_that_is_not_set_is_named(monkeypatch):
    monkeypatch.delenv("OWNER_PASSWORD", raising=False)
    with pytest.raises(Malformed, match="--password-env OWNER_PASSWORD: the environment variable is not set"):
        asked("--password-env", "OWNER_PASSWORD")


@pytest.mark.parametrize("text", [b"correct horse", b"correct horse\n", b"correct horse\r\n", b"correct horse\nmore\n"])
def test_the_first_line_of_a_file_or_descriptor_is_the_password(tmp_path, pipe, monkeypatch, text):
    (tmp_path / "secret").write_bytes(text)
    assert asked("--password-file", str(tmp_path / "secret")) == b"correct horse"
    assert asked("--password-fd", pipe(text)) == b"correct horse"
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(text)))
    assert asked("--password-file", "-") == b"correct horse"


def test_white_space_around_a_password_belongs_to_it(pipe):
    assert asked("--password-fd", pipe(b" correct horse \n")) == b" correct horse "


def test_several_keys_share_the_password_that_a_pipe_gives_once(pipe):
    args = parsed("--password-fd", pipe(b"correct horse\n"))
    assert [password.source(args, what)() for what in ("one", "two")] == [b"correct horse"] * 2


def test_nothing_is_read_until_the_password_is_needed():
    password.source(parsed("--password-fd", "987"), "keys/owner")
    password.source(parsed("--password-file", "/nowhere"), "keys/owner")


@pytest.mark.parametrize("number", ["987", "-1", "99999999999999999999"])
def test_a_descriptor_that_is_not_open_is_named(number):
    with pytest.raises(Malformed, match=f"--password-fd {number}: cannot be read"):
        asked(f"--password-fd={number}")


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    for path, why in ((tmp_path / "missing", "no such file"), (tmp_path, "is a directory")):
        with pytest.raises(Malformed, match=f"--password-file {path}: cannot be read: {why}"):
            asked("--password-file", str(path))
    with pytest.raises(Malformed, match="not a file name"):
        asked("--password-file", "a\0b")


@pytest.mark.parametrize("words", [("--password", ""), ("--password-file", "/dev/null")])
def test_an_empty_password_is_refused_rather_than_meaning_none(words):
    with pytest.raises(Malformed, match="keys/owner: the password is empty"):
        asked(*words)


def test_the_longest_password_is_taken_and_no_longer_one(tmp_path):
    most = LOCAL.password_bytes
    (tmp_path / "secret").write_bytes(b"x" * most + b"\r\n")
    assert asked("--password-file", str(tmp_path / "secret")) == b"x" * most
    with pytest.raises(LimitExceeded, match="password_bytes"):
        asked("--password-file", "/dev/zero")
    with pytest.raises(LimitExceeded):
        asked("--password", "x" * (most + 1))


def test_at_most_one_option_is_taken(capsys):
    with pytest.raises(SystemExit):
        parsed("--password", "x", "--password-env", "Y")
    assert "not allowed with" in capsys.readouterr().err


@pytest.mark.parametrize("words", [(), ("--password-prompt",)])
def test_whether_an_option_was_given_is_known(words):
    assert password.given(parsed(*words)) == bool(words)
    assert password.given(parsed("--password", ""))
    assert password.given(parsed("--password-fd", "0"))


# --- the prompt ----------------------------------------------------------------------------------------------------

PROGRAM = """
import argparse, sys
from navicert.cli import password
from navicert.errors import Malformed
parser = argparse.ArgumentParser()
password.add_arguments(parser)
try:
    print("got", password.source(parser.parse_args(sys.argv[2:]), "keys/\\x1bowner", confirm=sys.argv[1] == "twice")())
except Malformed as error:
    print("refused", error)
"""


def on_terminal(*words: str, answers: tuple[str, ...]) -> str:
    """What PROGRAM shows on a terminal of its own, where each prompt gets the next of `answers`."""
    terminal, side = pty.openpty()
    # The program takes the terminal as its controlling one, as a shell would have done for it.
    program = "import fcntl, termios\nfcntl.ioctl(0, termios.TIOCSCTTY, 0)\n" + PROGRAM
    child = subprocess.Popen(
        [sys.executable, "-c", program, *words], stdin=side, stdout=side, stderr=side, start_new_session=True
    )
    os.close(side)
    shown, waiting = b"", list(answers)
    while True:
        try:
            data = os.read(terminal, 4096)
        except OSError:  # how Linux says that the other side has left
            data = b""
        if not data:
            break
        shown += data
        # What was typed before the prompt would be discarded.
        if waiting and shown.count(b": ") > len(answers) - len(waiting):
            os.write(terminal, waiting.pop(0).encode())
    child.wait()
    os.close(terminal)
    return shown.decode()


@pytest.mark.parametrize("words", [(), ("--password-prompt",)])
def test_the_terminal_is_asked_once_for_a_key_that_exists(words):
    shown = on_terminal("once", *words, answers=("correct horse\n",))
    assert r"password for keys/\x1bowner: " in shown
    assert "got b'correct horse'" in shown


def test_the_terminal_is_asked_twice_for_a_new_key():
    shown = on_terminal("twice", answers=("correct horse\n", "correct horse\n"))
    assert "new password for" in shown
    assert "the same again: " in shown
    assert "got b'correct horse'" in shown


def test_two_different_answers_are_refused():
    assert "the two passwords differ" in on_terminal("twice", answers=("correct horse\n", "incorrect horse\n"))


def test_an_empty_answer_is_refused():
    assert "refused keys/" in (shown := on_terminal("once", answers=("\n",)))
    assert "the password is empty" in shown


def test_the_end_of_input_instead_of_an_answer_is_refused():
    assert "no password was given" in on_terminal("once", answers=("\x04",))


@pytest.mark.parametrize("words", [(), ("--password-prompt",)])
def test_without_a_terminal_nothing_is_guessed(words):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "once", *words],
        input="correct horse\n",
        capture_output=True,
        text=True,
        check=True,
        start_new_session=True,  # no controlling terminal, wherever the tests run
    )
    assert "no terminal to ask on – give --password-env NAME" in done.stdout
