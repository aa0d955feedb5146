"""The terminal: colour and width only where somebody is looking."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import struct
import termios
from collections.abc import Iterator
from typing import TextIO

import pytest

from navicert.cli import terminal
from navicert.report.line import escape as escape_characters


@pytest.fixture
def screen() -> Iterator[TextIO]:
    """A real terminal of 97 columns."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 97, 0, 0))
    with os.fdopen(follower, "w") as stream:
        yield stream
    os.close(leader)


def resize(stream: TextIO, columns: int) -> None:
    fcntl.ioctl(stream.fileno(), termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))


def test_a_terminal_gets_colour(screen: TextIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    assert terminal.colour_wanted(screen)


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_who_wants_no_colour_gets_none(screen: TextIO, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    assert not terminal.colour_wanted(screen)


def test_a_file_gets_no_colour_and_100_columns() -> None:
    assert not terminal.colour_wanted(io.StringIO())
    assert terminal.width(io.StringIO()) == 100


@pytest.mark.parametrize(("columns", "used"), [(97, 97), (20, 60), (500, 120), (0, 80)])
def test_the_width_of_a_terminal_is_used_within_reason(screen: TextIO, columns: int, used: int) -> None:
    resize(screen, columns)
    assert terminal.width(screen) == used


def test_a_terminal_that_does_not_know_its_size_has_80_columns(screen: TextIO, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(descriptor: int) -> os.terminal_size:
        raise OSError

    monkeypatch.setattr(os, "get_terminal_size", unknown)
    assert terminal.width(screen) == 80


def test_a_closed_stream_is_no_terminal() -> None:
    stream = io.StringIO()
    stream.close()
    assert not terminal.is_terminal(stream)


@pytest.mark.parametrize("text", ["", "plain", "a\nb", "\x1b[2J", "ü – …", "\u202e", "a\x7f"])
def test_the_quick_way_of_escaping_gives_what_the_thorough_one_gives(text: str) -> None:
    assert terminal.escape(text) == escape_characters(text)


def test_results_end_with_one_line_feed(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.say("a")
    terminal.say("b\n")
    terminal.say()
    assert capsys.readouterr().out == "a\nb\n\n"


def test_complaints_go_to_standard_error_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.complain("bad\nworse")
    assert capsys.readouterr() == ("", "navicert: bad\\nworse\n")
