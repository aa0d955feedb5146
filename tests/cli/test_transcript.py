"""The transcripts beside this file: what a user types and sees, run with the real program.

A transcript is a text file of `# comments`, commands after `$ ` (continued by a `\\` at the end of a line), the output
of each command on both streams, and `[CODE]` where its exit code is not 0. In the output `<*>` stands for anything on
one line, and a line `...` for any number of lines. The commands of one file run in one folder, one after the other.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

TRANSCRIPTS = sorted(Path(__file__).parent.glob("*.transcript"))


class Command(NamedTuple):
    """One command of a transcript, and what it is to print and to return."""

    line: int
    text: str
    output: str
    code: int


def commands(transcript: str) -> Iterator[Command]:
    """The commands of a transcript."""
    text, start, output, code = "", 0, "", 0
    for number, line in enumerate(transcript.splitlines(), 1):
        if text.endswith("\\"):
            text = f"{text[:-1].rstrip()} {line.strip()}"
        elif line.startswith("$ "):
            if text:
                yield Command(start, text, output, code)
            text, start, output, code = line[2:], number, "", 0
        elif found := re.fullmatch(r"\[(\d+)\]", line):
            code = int(found[1])
        elif text and line and not line.startswith("# "):
            output += f"{line}\n"
    yield Command(start, text, output, code)


def pattern(output: str) -> str:
    """The regular expression of an expected output."""
    escaped = re.escape(output).replace("\\\n", "\n")
    escaped = escaped.replace(re.escape("<*>"), ".*")
    return re.sub(r"(?m)^\\\.\\\.\\\.\n", "(?:.*\n)*?", escaped)


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_what_a_user_types_gives_what_the_transcript_shows(path: Path, tmp_path: Path) -> None:
    path_variable = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    environment = {**os.environ, "PATH": path_variable, "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}
    for command in commands(path.read_text(encoding="utf-8")):
        done = subprocess.run(
            ["bash", "-c", command.text],
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=120,
        )
        shown = "\n".join(line for line in done.stdout.decode().splitlines() if line)
        shown = f"{shown}\n" if shown else ""
        where = f"{path.name}:{command.line}: $ {command.text}\n{shown}[{done.returncode}]"
        assert done.returncode == command.code, where
        assert re.fullmatch(pattern(command.output), shown), f"{where}\nexpected:\n{command.output}"


def test_a_transcript_that_does_not_fit_fails() -> None:
    (command,) = commands("$ echo a\na<*>c\n...\nd\n[2]\n")
    assert command == Command(1, "echo a", "a<*>c\n...\nd\n", 2)
    assert re.fullmatch(pattern(command.output), "abc\nx\ny\nd\n")
    assert re.fullmatch(pattern(command.output), "ac\nd\n")
    assert not re.fullmatch(pattern(command.output), "ab\nd\n")
    assert not re.fullmatch(pattern(command.output), "abc\nx\n")
