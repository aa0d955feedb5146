"""The version guard: what was seen is remembered, and never forgotten by accident."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from navicert.errors import Malformed
from navicert.trust.state import TYPE, TrustState


def write(path: Path, document: object) -> TrustState:
    path.write_text(json.dumps(document))
    return TrustState(str(path))


def test_a_state_that_is_not_there_yet_has_seen_nothing(tmp_path: Path) -> None:
    assert TrustState(str(tmp_path / "state")).versions() == {}
    assert list(tmp_path.iterdir()) == []


def test_the_highest_version_of_each_layout_is_kept(tmp_path: Path) -> None:
    state = TrustState(str(tmp_path / "state"))
    for name, version in (("a", 3), ("b", 1), ("a", 2), ("b", 4)):
        state.note(name, version)
    assert state.versions() == {"a": 3, "b": 4}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["state", "state.lock"]


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        {"type": "other", "layouts": {}},
        {"type": TYPE},
        {"type": TYPE, "layouts": []},
        {"type": TYPE, "layouts": {"a": "3"}},
        {"type": TYPE, "layouts": {"a": True}},
    ],
)
def test_a_file_that_is_no_state_is_refused_and_never_taken_for_an_empty_one(tmp_path: Path, document: object) -> None:
    state = write(tmp_path / "state", document)
    with pytest.raises(Malformed, match="state"):
        state.versions()
    with pytest.raises(Malformed, match="state"):
        state.note("a", 9)


def test_a_state_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").write_bytes(b"")
    with pytest.raises(Malformed):
        TrustState(str(tmp_path / "state")).versions()


def test_a_state_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    with pytest.raises(IsADirectoryError):
        TrustState(str(tmp_path / "state")).versions()


def test_a_state_that_cannot_be_written_is_an_error_and_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = TrustState(str(tmp_path / "state"))
    state.note("a", 1)

    def replace(old: str, new: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(OSError, match="No space left"):
        state.note("a", 2)
    monkeypatch.undo()
    assert state.versions() == {"a": 1}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["state", "state.lock"]


def test_two_verifications_at_once_do_not_undo_each_other(tmp_path: Path) -> None:
    path = tmp_path / "state"
    code = "import sys; from navicert.trust.state import TrustState\n"
    code += "for n in range(1, 21): TrustState(sys.argv[1]).note(sys.argv[2], n)"
    runs = [subprocess.Popen([sys.executable, "-c", code, str(path), name]) for name in "abcd"]
    assert [run.wait() for run in runs] == [0, 0, 0, 0]
    assert TrustState(str(path)).versions() == dict.fromkeys("abcd", 20)
