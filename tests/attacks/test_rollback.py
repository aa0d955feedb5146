"""Rollback: an older layout, still rightly signed and not expired, is brought back because it allowed more."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.sample_chain import SampleChain

from navicert.cli.main import main


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def verify(*words: str) -> int:
    return main(
        ["verify", "--owner", "owner.pub", "--store", "evidence", "--layout", "root.layout", "-q", *words, "app"]
    )


def seen(folder: Path) -> object:
    """What the verifier remembers."""
    path = folder / "state"
    return json.loads(path.read_text())["layouts"] if path.exists() else None


def test_a_layout_older_than_the_one_seen_last_is_refused(folder: Path) -> None:
    chain = SampleChain(version=5)
    chain.write(folder)
    assert verify("--trust-state", "state") == 0
    replace(chain, version=4).write(folder)
    assert verify("--trust-state", "state") == 1
    assert seen(folder) == {"sample": 5}
    replace(chain, version=6).write(folder)
    assert verify("--trust-state", "state") == 0
    assert seen(folder) == {"sample": 6}


def test_a_layout_from_before_there_were_versions_is_refused(folder: Path) -> None:
    chain = SampleChain(version=None)
    chain.write(folder)
    assert verify() == 0
    assert verify("--trust-state", "state") == 1
    assert verify("--min-layout-version", "1") == 1
    assert seen(folder) is None


def test_a_layout_below_the_version_that_was_asked_for_is_refused(folder: Path) -> None:
    SampleChain(version=5).write(folder)
    assert verify("--min-layout-version", "5") == 0
    assert verify("--min-layout-version", "6") == 1
    assert verify("--min-layout-version", "6", "--trust-state", "state") == 1


def test_a_layout_that_no_owner_signed_cannot_lock_out_the_real_one(folder: Path) -> None:
    chain = SampleChain(version=5)
    replace(chain, version=999, owner=chain.eve).write(folder)
    (folder / "owner.pub").write_bytes(chain.owner.key.public_pem())
    assert verify("--trust-state", "state") == 1
    assert seen(folder) is None


def test_a_layout_that_too_few_owners_signed_cannot_lock_out_the_real_one(folder: Path) -> None:
    SampleChain(version=999).write(folder)
    assert verify("--trust-state", "state", "--owner", "eve.pub") == 1
    assert seen(folder) is None


def test_a_new_layout_counts_as_seen_even_if_the_chain_does_not_pass(folder: Path) -> None:
    chain = SampleChain(version=5)
    replace(chain, version=6, missing=[1]).write(folder)
    assert verify("--trust-state", "state") == 1
    assert seen(folder) == {"sample": 6}


def test_a_state_that_cannot_be_read_is_not_taken_for_an_empty_one(folder: Path) -> None:
    SampleChain(version=5).write(folder)
    (folder / "state").write_text("")
    assert verify("--trust-state", "state") == 2


def test_a_state_that_cannot_be_written_is_not_a_pass(folder: Path) -> None:
    SampleChain(version=5).write(folder)
    assert verify("--trust-state", "nowhere/state") != 0
