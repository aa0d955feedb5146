"""Checkpoints: notes that a log signs about its tree."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navicert.crypto.checkpoint import MOST_CHARACTERS, Checkpoint
from navicert.crypto.trusted_root import TrustedRoot
from navicert.errors import Malformed
from navicert.testing.bundle import checkpoint
from navicert.testing.sigstore import PrivateSigstore

OURS, THEIRS = PrivateSigstore(), PrivateSigstore("evil")
ROOT = bytes(range(32))
LOG, TILES = TrustedRoot.read(OURS.root_bytes()).logs


def test_says_origin_size_and_root() -> None:
    read = Checkpoint.read(checkpoint(OURS, 8, ROOT))
    assert (read.origin, read.size, read.root) == ("rekor.private.example - 123456789", 8, ROOT)
    assert read.signed_by(LOG.key, LOG.id)
    assert not read.signed_by(TILES.key, TILES.id)


def test_both_kinds_of_logs_sign() -> None:
    assert Checkpoint.read(checkpoint(OURS, 8, ROOT, tiles=True)).signed_by(TILES.key, TILES.id)


def test_witnesses_may_sign_too_and_do_not_stand_for_the_log() -> None:
    ours, theirs = checkpoint(OURS, 8, ROOT), checkpoint(THEIRS, 8, ROOT)
    witnessed = ours + theirs.partition("\n\n")[2]
    assert Checkpoint.read(witnessed).signed_by(LOG.key, LOG.id)
    only = ours.partition("\n\n")[0] + "\n\n" + theirs.partition("\n\n")[2]
    assert not Checkpoint.read(only).signed_by(LOG.key, LOG.id)


def test_a_line_under_another_hint_is_not_the_logs() -> None:
    assert not Checkpoint.read(checkpoint(OURS, 8, ROOT)).signed_by(LOG.key, bytes(32))


def test_more_lines_are_signed_with_it() -> None:
    note = checkpoint(OURS, 8, ROOT)
    longer = note.replace("\n\n", "\nTimestamp: 1\n\n", 1)
    assert Checkpoint.read(longer).text.endswith(b"Timestamp: 1\n")
    assert not Checkpoint.read(longer).signed_by(LOG.key, LOG.id)


@pytest.mark.parametrize(
    "change",
    [
        lambda note: "",
        lambda note: note.rstrip("\n"),
        lambda note: note.replace("\n\n", "\n"),
        lambda note: note.partition("\n\n")[0] + "\n\n",
        lambda note: note.replace("\n8\n", "\n08\n"),
        lambda note: note.replace("\n8\n", "\n-8\n"),
        lambda note: note.replace("\n8\n", "\n٨\n"),
        lambda note: note.replace("\n8\n", "\n" + "9" * 40 + "\n"),
        lambda note: note.replace("\n8\n", "\n\n8\n"),
        lambda note: note.replace("AAEC", "AAE"),
        lambda note: note.replace("\u2014", "-"),
        lambda note: note.replace("\u2014 rekor.private.example ", "\u2014 "),
        lambda note: note + note.partition("\n\n")[2] * 100,
        lambda note: "x" * MOST_CHARACTERS + note,
    ],
)
def test_what_is_no_checkpoint_is_refused(change) -> None:
    with pytest.raises(Malformed, match="bad checkpoint"):
        Checkpoint.read(change(checkpoint(OURS, 8, ROOT)))


@given(st.text("\n— a1=", max_size=40))
def test_whatever_comes_is_read_or_refused_as_malformed(text: str) -> None:
    with contextlib.suppress(Malformed):
        Checkpoint.read(text)
