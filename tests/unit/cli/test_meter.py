"""The line that says how far long work has come: only for people, only when it takes long, and gone at the end."""

from __future__ import annotations

import argparse
import io
import threading
from types import SimpleNamespace

import pytest

from navicert.cli.meter import Meter
from navicert.oci.transfer import Progress


class Terminal(io.StringIO):
    """A terminal as standard error."""

    def isatty(self) -> bool:
        return True


class Clock:
    """A clock that the test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    made = Terminal()
    monkeypatch.setattr("navicert.cli.meter.sys", SimpleNamespace(stderr=made))
    return made


def test_what_is_over_soon_is_never_talked_about(terminal: Terminal) -> None:
    clock = Clock()
    with Meter(shows=True, clock=clock) as meter:
        clock.now = 0.9
        meter.sent(1024, 2048)
    assert terminal.getvalue() == ""


def test_a_line_is_rewritten_at_a_pace_and_removed_at_the_end(terminal: Terminal) -> None:
    clock = Clock()
    with Meter(shows=True, clock=clock) as meter:
        for step in range(20):
            clock.now = 1 + step / 10
            meter.sent(step * 1024, 20 * 1024)
    lines = terminal.getvalue().split("\r")
    assert lines[1] == "sending: 0/20 KiB\x1b[K"
    assert lines[2] == "sending: 2/20 KiB\x1b[K"
    assert lines[-1] == "\x1b[K"
    assert len(lines) in (11, 12)  # by steps of a tenth, which a float is not exactly
    assert "\n" not in terminal.getvalue()


def test_it_is_removed_also_when_the_work_fails(terminal: Terminal) -> None:
    clock = Clock()
    meter = Meter(shows=True, clock=clock)
    clock.now = 2

    def fail() -> None:
        with meter:
            meter.copied(Progress(1024, 4096, 1, 3))
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()
    assert terminal.getvalue() == "\r1/3 blobs, 1/4 KiB\x1b[K\r\x1b[K"


def test_what_was_fetched_is_over_with_zeros_and_later_work_has_its_own_patience(terminal: Terminal) -> None:
    clock = Clock()
    meter = Meter(shows=True, clock=clock)
    clock.now = 2
    meter.fetched(3, 5000)
    meter.fetched(0, 0)
    clock.now = 2.5
    meter.fetched(1, 1)
    assert terminal.getvalue() == "\rfetching evidence: 3 attached, 4 KiB\x1b[K\r\x1b[K"


@pytest.mark.parametrize(("quiet", "json", "shows"), [(False, False, True), (True, False, False), (False, True, False)])
def test_who_wants_quiet_or_json_gets_no_line(terminal: Terminal, quiet: bool, json: bool, shows: bool) -> None:
    meter = Meter.of(argparse.Namespace(quiet=quiet, json=json))
    meter._clock = lambda: 1e9  # type: ignore[method-assign]
    meter.sent(0, 1)
    assert (terminal.getvalue() != "") is shows


def test_where_nobody_looks_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr("navicert.cli.meter.sys", SimpleNamespace(stderr=stream))
    meter = Meter.of(argparse.Namespace())
    meter._clock = lambda: 1e9  # type: ignore[method-assign]
    meter.sent(0, 1)
    assert stream.getvalue() == ""


def test_many_threads_may_tell_it(terminal: Terminal) -> None:
    clock = Clock()
    meter = Meter(shows=True, clock=clock)
    clock.now = 5
    threads = [threading.Thread(target=meter.sent, args=(n, 9)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert terminal.getvalue().count("\r") == 1
