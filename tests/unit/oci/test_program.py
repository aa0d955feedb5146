"""Programs asked for part of an image or a password: found in absolute folders, ended with all that they started."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from navicert.errors import LimitExceeded, Malformed, Unavailable
from navicert.limits import LOCAL
from navicert.oci.credential import Credential
from navicert.oci.credential_program import ask_helper
from navicert.oci.program import bounded, find_program, start


def script(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_a_program_in_the_working_directory_is_not_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = script(tmp_path, "tool", "true")
    monkeypatch.chdir(tmp_path)
    for search in ("", ".", ":", "./", "bin:.", os.pathsep):
        assert find_program("tool", search) is None
    assert find_program("tool", f".:{tmp_path}") == str(made)
    made.chmod(0o644)
    assert find_program("tool", str(tmp_path)) is None


def test_what_cannot_be_run_is_unavailable(tmp_path: Path) -> None:
    made = script(tmp_path, "tool", "true")
    made.write_text("#!/no/such/interpreter\n")
    with pytest.raises(Unavailable, match="cannot be run"):
        start([str(made)], subprocess.DEVNULL, subprocess.DEVNULL, path="tool")


def test_it_runs_in_the_root_folder(tmp_path: Path) -> None:
    made = script(tmp_path, "tool", "pwd")
    process = start([str(made)], subprocess.DEVNULL, subprocess.DEVNULL, path="tool")
    with bounded(process, 30, "x", path="tool"):
        assert process.stdout is not None
        assert process.stdout.read() == b"/\n"


def test_one_that_takes_too_long_ends_with_everything_that_it_started(tmp_path: Path) -> None:
    made = script(tmp_path, "tool", "sleep 600 & echo $!; wait")
    began = time.monotonic()
    process = start([str(made)], subprocess.DEVNULL, subprocess.DEVNULL, path="tool")
    children = []

    def listen() -> None:
        with bounded(process, 0.5, "some_seconds", path="tool"):
            assert process.stdout is not None
            children.append(int(process.stdout.readline()))
            process.stdout.read()

    with pytest.raises(Unavailable, match=r"takes too long \(limit some_seconds\)"):
        listen()
    (child,) = children
    assert time.monotonic() - began < 60
    for _ in range(100):
        if not _runs(child):
            break
        time.sleep(0.05)
    assert not _runs(child)


def test_one_that_is_not_read_to_its_end_ends_too(tmp_path: Path) -> None:
    made = script(tmp_path, "tool", "echo $$; sleep 600")
    process = start([str(made)], subprocess.DEVNULL, subprocess.DEVNULL, path="tool")
    with bounded(process, 60, "x", path="tool"):
        assert process.stdout is not None
        process.stdout.readline()
    assert process.returncode == -9


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


# --- credential helpers --------------------------------------------------------------------------------------------


def helper(folder: Path, text: str) -> str:
    script(folder, "docker-credential-test", text)
    return str(folder)


def test_a_helper_is_given_the_registry_on_its_input(tmp_path: Path) -> None:
    search = helper(tmp_path, 'read server; printf \'{"Username":"%s","Secret":"s %s"}\' "$server" "$1"')
    assert ask_helper("test", "reg.example", search) == Credential("reg.example", "s get")


def test_a_helper_that_knows_nothing_is_no_error_and_one_that_fails_is(tmp_path: Path) -> None:
    search = helper(tmp_path, "echo credentials not found in native keychain; exit 1")
    assert ask_helper("test", "reg.example", search) is None
    search = helper(tmp_path, "echo the keychain is locked; exit 1")
    with pytest.raises(Unavailable):
        ask_helper("test", "reg.example", search)


@pytest.mark.parametrize("answer", ["", "no json", "[]", '{"Username":1,"Secret":"s"}', '{"Secret":"s","Secret":"t"}'])
def test_a_helper_that_answers_nonsense_gives_no_password(tmp_path: Path, answer: str) -> None:
    search = helper(tmp_path, f"cat >/dev/null; printf '%s' '{answer}'")
    with pytest.raises(Malformed) as caught:
        ask_helper("test", "reg.example", search)
    assert caught.value.path == "docker-credential-test"
    assert ask_helper("test", "reg.example", helper(tmp_path, "cat >/dev/null; echo '{}'")) is None


def test_a_helper_that_is_not_there_names_the_file_that_asks_for_it() -> None:
    with pytest.raises(Unavailable, match="docker-credential-test is not there") as caught:
        ask_helper("test", "reg.example", "/nowhere", path="config.json")
    assert caught.value.path == "config.json"


def test_an_endless_answer_and_an_endless_wait_are_ended(tmp_path: Path) -> None:
    search = helper(tmp_path, "while true; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done")
    with pytest.raises(LimitExceeded, match="credential_bytes"):
        ask_helper("test", "reg.example", search, replace(LOCAL, credential_bytes=1000))
    search = helper(tmp_path, "sleep 600")
    with pytest.raises(Unavailable, match="credential_seconds"):
        ask_helper("test", "reg.example", search, replace(LOCAL, credential_seconds=1))


def test_a_helper_that_does_not_read_is_heard_all_the_same(tmp_path: Path) -> None:
    search = helper(tmp_path, 'exec <&-; printf \'{"Username":"u","Secret":"s"}\'')
    assert ask_helper("test", "x" * 100_000, search) == Credential("u", "s")
