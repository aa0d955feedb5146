"""Programs that give a part of an image or a password: each ends with its time, and takes along what it started."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from contextlib import contextmanager, suppress
from typing import IO

from navicert.errors import Unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def find_program(name: str, search_path: str) -> str | None:
    """Where the program `name` is on `search_path`; its folders that are not absolute are left out, so that the
    working directory decides nothing. None where it is nowhere."""
    folders = [folder for folder in search_path.split(os.pathsep) if os.path.isabs(folder)]
    return shutil.which(name, path=os.pathsep.join(folders)) if folders else None


def start(words: Sequence[str], stdin: int, stderr: int | IO[bytes], *, path: str) -> subprocess.Popen[bytes]:
    """The program `words[0]`, started in `/` with a session of its own and a pipe for its output. Raises `Unavailable`
    where it cannot be run."""
    try:
        return subprocess.Popen(
            words, stdin=stdin, stdout=subprocess.PIPE, stderr=stderr, cwd="/", start_new_session=True
        )
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise Unavailable(f"cannot be run: {reason}", path=path) from error


@contextmanager
def bounded(process: subprocess.Popen[bytes], seconds: float, limit: str, *, path: str) -> Iterator[None]:
    """Ends `process` and its session when the block ends or the seconds have passed. Raises `Unavailable` in the latter
    case, whatever the block made of what it had read until then."""
    late = threading.Event()

    def end() -> None:
        late.set()
        _kill(process)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        with process:
            try:
                yield
            finally:
                timer.cancel()
                _kill(process)
    finally:
        if late.is_set():
            raise Unavailable(f"takes too long (limit {limit})", path=path, expected=f"at most {seconds} s")


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Ends the program and what it started, unless it has been waited for: then its number may be another's."""
    if process.returncode is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
