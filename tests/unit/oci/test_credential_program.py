"""Credential helpers: found in absolute folders, asked one question, and bounded in time and in what they say."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from navicert.errors import LimitExceeded, Malformed, NavicertError, Unavailable
from navicert.limits import LOCAL
from navicert.oci.credential_program import ask_helper

ANSWER = '{"ServerURL": "https://r.example", "Username": "u", "Secret": "s3cr3t"}'


def helper(folder: Path, script: str) -> str:
    """A helper called `test`; its search path."""
    folder.mkdir(exist_ok=True)
    path = folder / "docker-credential-test"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin"


def test_it_is_given_the_server_on_its_input_and_in_no_argument(tmp_path: Path) -> None:
    """Arguments are seen by everybody on the machine."""
    search = helper(tmp_path / "bin", f"cat > {tmp_path}/asked; echo \"$@\" > {tmp_path}/words; echo '{ANSWER}'")
    found = ask_helper("test", "https://r.example/v1/", search)
    assert found is not None
    assert (found.username, found.password) == ("u", "s3cr3t")
    assert (tmp_path / "asked").read_text() == "https://r.example/v1/"
    assert (tmp_path / "words").read_text() == "get\n"
    assert "s3cr3t" not in repr(found)


def test_one_that_knows_nothing_is_nobody(tmp_path: Path) -> None:
    search = helper(tmp_path / "bin", "cat >/dev/null; echo 'credentials not found in native keychain'; exit 1")
    assert ask_helper("test", "r.example", search) is None


def test_one_that_fails_is_not_nobody(tmp_path: Path) -> None:
    """A locked keychain that is taken for no credentials would turn into anonymous access unnoticed."""
    search = helper(tmp_path / "bin", "echo 'the keychain is locked'; exit 1")
    with pytest.raises(Unavailable):
        ask_helper("test", "r.example", search)


@pytest.mark.parametrize("answer", ["", "[]", "not json", '{"Username": 1, "Secret": "x"}', '{"Username": "u"}'])
def test_an_answer_that_is_none_is_refused_without_showing_it(tmp_path: Path, answer: str) -> None:
    search = helper(tmp_path / "bin", f"cat >/dev/null; echo '{answer}s3cr3t'")
    with pytest.raises(NavicertError) as caught:
        ask_helper("test", "r.example", search)
    assert "s3cr3t" not in str(caught.value)
    assert isinstance(caught.value, Malformed | Unavailable)


def test_one_that_is_not_there_is_named_with_the_file_that_asks_for_it(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="docker-credential-test is not there") as caught:
        ask_helper("test", "r.example", str(tmp_path), path="config.json")
    assert caught.value.path == "config.json"


def test_one_in_the_working_directory_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper(tmp_path / "bin", f"touch {tmp_path}/ran; echo '{ANSWER}'")
    monkeypatch.chdir(tmp_path / "bin")
    for search in (".", "", os.pathsep, "bin", f".{os.pathsep}"):
        with pytest.raises(Unavailable, match="is not there"):
            ask_helper("test", "r.example", search)
    assert not (tmp_path / "ran").exists()


def test_one_that_talks_without_end_is_stopped(tmp_path: Path) -> None:
    search = helper(tmp_path / "bin", "cat >/dev/null; while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done")
    with pytest.raises(LimitExceeded, match="credential_bytes"):
        ask_helper("test", "r.example", search, replace(LOCAL, credential_bytes=1000))


def test_one_that_waits_for_ever_is_stopped_with_what_it_started(tmp_path: Path) -> None:
    search = helper(tmp_path / "bin", f"sleep 1000 & echo $! > {tmp_path}/child; wait")
    with pytest.raises(Unavailable, match="credential_seconds"):
        ask_helper("test", "r.example", search, replace(LOCAL, credential_seconds=1))
    child = int((tmp_path / "child").read_text())
    state = Path(f"/proc/{child}/status")
    assert not state.exists() or "zombie" in state.read_text()


def test_one_that_does_not_listen_may_still_answer(tmp_path: Path) -> None:
    search = helper(tmp_path / "bin", f"exec 0<&-; echo '{ANSWER}'")
    assert ask_helper("test", "https://r.example/" + "x" * 200_000, search) is not None
